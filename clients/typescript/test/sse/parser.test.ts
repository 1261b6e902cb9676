import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { StreamParser, type StreamFrame } from '../../src/sse/parser';

interface Vector {
  name: string;
  text?: string;
  bytesBase64?: string;
  events: { type: string; data: string; lastEventId: string; control?: string }[];
  retry: number | null;
  lastEventId: string;
}

const file = new URL('../../../../docs/spec/event-stream-vectors.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };

function bytesOf(vector: Vector): Uint8Array {
  if (vector.bytesBase64 !== undefined) return Uint8Array.from(Buffer.from(vector.bytesBase64, 'base64'));
  return new TextEncoder().encode(vector.text);
}

function read(chunks: Uint8Array[]) {
  const events: StreamFrame[] = [];
  const positions: string[] = [];
  const comments: string[] = [];
  let retry: number | null = null;
  const parser = new StreamParser({
    onFrame: (frame) => events.push(frame),
    onPosition: (id) => positions.push(id),
    onComment: (text) => comments.push(text),
    onRetry: (milliseconds) => (retry = milliseconds),
  });
  for (const chunk of chunks) parser.push(chunk);
  const plain = events.map(({ type, data, lastEventId, control }) => ({ type, data, lastEventId, control }));
  return { events: plain, raw: events, retry, lastEventId: parser.lastEventId, positions, comments };
}

describe('The event-stream vectors of docs/spec', () => {
  test('the vectors exist', () => expect(vectors.length).toBeGreaterThan(25));

  for (const vector of vectors) {
    const events = vector.events.map((event) => ({ ...event, control: event.control }));
    const expected = { events, retry: vector.retry, lastEventId: vector.lastEventId };

    test(`${vector.name}, in one chunk`, () => {
      expect(read([bytesOf(vector)])).toMatchObject(expected);
    });

    test(`${vector.name}, split at every position`, () => {
      const bytes = bytesOf(vector);
      for (let cut = 0; cut <= bytes.length; cut++) {
        const result = read([bytes.slice(0, cut), bytes.slice(cut)]);
        expect(result, `cut at ${cut}`).toMatchObject(expected);
      }
    });

    test(`${vector.name}, byte by byte`, () => {
      const chunks = [...bytesOf(vector)].map((byte) => Uint8Array.of(byte));
      expect(read(chunks)).toMatchObject(expected);
    });
  }
});

describe('Extensions for connections', () => {
  const text = (value: string) => [new TextEncoder().encode(value)];

  test('a comment is reported, because heartbeats are comments', () => {
    expect(read(text(': heartbeat\n\n')).comments).toEqual([' heartbeat']);
  });

  test('a block with only an id is reported, because it moves the position', () => {
    expect(read(text('id:7-1\n\nid:7-2\n\n')).positions).toEqual(['7-1', '7-2']);
  });

  test('an event is dispatched at a blank line that is a lone CR', () => {
    expect(read(text('data:a\r\r')).events).toHaveLength(1);
  });

  test('fields of further topics are collected for their own event only', () => {
    const { raw } = read(text('topic: a\nalso: b\nalso: #é\ndata:1\n\ndata:2\n\n'));
    expect(raw.map((frame) => frame.also)).toEqual([['b', '#é'], undefined]);
  });

  test('a topic field applies to its own event only', () => {
    const { raw } = read(text('topic: branches/1\ndata:1\n\ndata:2\n\n'));
    expect(raw.map((frame) => frame.topic)).toEqual(['branches/1', undefined]);
  });
});
