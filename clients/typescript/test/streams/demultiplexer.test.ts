import { expect, test } from 'vitest';
import { Demultiplexer } from '../../src/streams/demultiplexer';
import { Random, testSeed } from '../support/random';

const RESPONSE = [
  ':\n\n',
  'stream: a\n\nstream: a\nstatus: 200\nconnection: c1\n\n',
  ':\n\nretry: 1200\n\nid: e-1\nevent: x\ndata: größer als 🎉\ndata: stream: b\n\n',
  'stream: b\nstatus: 403\nproblem: {"code":"forbidden","title":"a: b"}\n\n',
  'stream: a\n\nid: e-2\ndata: 2\n\n',
  'stream: c\nstatus: 200\nconnection: c2\n\nstream: c\n\ndata: 3\n\n',
  'stream: a\nend:\n\n',
].join('');

function read(chunks: readonly Uint8Array[]): { bytes: Record<string, string>; blocks: unknown[] } {
  const parts: Record<string, Uint8Array[]> = {};
  const blocks: unknown[] = [];
  const demultiplexer = new Demultiplexer({
    onBytes: (stream, bytes) => (parts[stream] ??= []).push(bytes),
    onBlock: (_, fields) => blocks.push(Object.fromEntries(fields)),
  });
  for (const chunk of chunks) demultiplexer.push(chunk);
  const decode = (list: Uint8Array[]) => Buffer.concat(list).toString('utf-8');
  return {
    bytes: Object.fromEntries(Object.entries(parts).map(([id, list]) => [id, decode(list)])),
    blocks,
  };
}

const expected = {
  bytes: {
    a: ':\n\nretry: 1200\n\nid: e-1\nevent: x\ndata: größer als 🎉\ndata: stream: b\n\nid: e-2\ndata: 2\n\n',
    c: 'data: 3\n\n',
  },
  blocks: [
    { stream: 'a', status: '200', connection: 'c1' },
    { stream: 'b', status: '403', problem: '{"code":"forbidden","title":"a: b"}' },
    { stream: 'c', status: '200', connection: 'c2' },
    { stream: 'a', end: '' },
  ],
};

test('a response splits into the same streams for any chunk boundaries', () => {
  const bytes = new TextEncoder().encode(RESPONSE);
  expect(read([bytes])).toEqual(expected);
  for (let cut = 0; cut <= bytes.length; cut++)
    expect(read([bytes.slice(0, cut), bytes.slice(cut)]), `cut at ${cut}`).toEqual(expected);
  expect(read(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(expected);
  const seed = testSeed();
  const random = new Random(seed);
  for (let run = 0; run < 50; run++) {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const next = at + 1 + random.below(20);
      chunks.push(bytes.slice(at, next));
      at = next;
    }
    expect(read(chunks), `seed ${seed}`).toEqual(expected);
  }
});

test('a block that the end of the response cuts off is dropped', () => {
  const bytes = new TextEncoder().encode('stream: a\n\ndata: 1\n\ndata: 2\n');
  expect(read([bytes]).bytes).toEqual({ a: 'data: 1\n\n' });
});

test('a block without an end is dropped', () => {
  const demultiplexer = new Demultiplexer({ onBytes: () => {}, onBlock: () => {} });
  const push = () => {
    for (let megabyte = 0; megabyte < 10; megabyte++)
      demultiplexer.push(new Uint8Array(1024 * 1024).fill(120));
  };
  expect(push).toThrow('has no end');
});
