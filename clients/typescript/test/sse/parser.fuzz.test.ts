import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StreamParser } from '../../src/sse/parser';
import { testSeed } from '../support/random';

const words = [
  'data: ',
  'data:',
  'data',
  'event: ',
  'id: ',
  'id',
  'id: 0000002a-17',
  'retry: 100',
  'topic: a/b',
  'also: b',
  'control: hello',
  ':',
  ' ',
  '\n',
  '\r',
  '\r\n',
  '\n\n',
  '\0',
  '\uFEFF',
  '\u{1F426}',
  '{"a":1}',
  'x',
];

const encoder = new TextEncoder();
const streams = fc
  .array(
    fc.oneof(
      fc.constantFrom(...words).map((word) => encoder.encode(word)),
      fc.uint8Array({ maxLength: 4 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

/** Everything that a parser reports, in its order. */
function read(chunks: Uint8Array[]): unknown[] {
  const seen: unknown[] = [];
  const parser = new StreamParser({
    onFrame: (frame) => seen.push(['frame', frame]),
    onPosition: (id) => seen.push(['position', id]),
    onComment: (text) => seen.push(['comment', text]),
    onRetry: (milliseconds) => seen.push(['retry', milliseconds]),
  });
  for (const chunk of chunks) parser.push(chunk);
  return [...seen, parser.lastEventId];
}

function split(bytes: Uint8Array, sizes: number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, next = 0; at < bytes.length; next++) {
    const size = sizes[next % sizes.length] ?? 1;
    chunks.push(bytes.slice(at, at + size));
    at += size;
  }
  return chunks;
}

/** The standard in another way: the whole text at once, line by line. Returns the data of the events. */
function reference(bytes: Uint8Array): string[] {
  const lines = new TextDecoder()
    .decode(bytes)
    .split(/\r\n|\n|\r/)
    .slice(0, -1);
  const events: string[] = [];
  let data: string[] = [];
  for (const line of lines) {
    if (line === '') {
      if (data.length > 0) events.push(data.join('\n'));
      data = [];
    } else if (line === 'data') data.push('');
    else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
  }
  return events;
}

describe('Fuzzed event streams', () => {
  const seconds = Number(process.env['DUNLIN_FUZZ_SECONDS'] ?? 0);
  const parameters = { seed: testSeed(), numRuns: 5_000 + 500 * seconds };

  test('chunks of any sizes give the frames of the whole stream', () => {
    fc.assert(
      fc.property(
        streams,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
        (bytes, sizes) => {
          expect(read(split(bytes, sizes))).toEqual(read([bytes]));
        },
      ),
      parameters,
    );
  }, 1_200_000);

  test('the data of events is that of the standard', () => {
    fc.assert(
      fc.property(streams, (bytes) => {
        const frames = read([bytes]).filter(
          (seen): seen is ['frame', { data: string }] => Array.isArray(seen) && seen[0] === 'frame',
        );
        expect(frames.map(([, frame]) => frame.data)).toEqual(reference(bytes));
      }),
      parameters,
    );
  }, 1_200_000);
});
