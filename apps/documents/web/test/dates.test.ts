import { expect, test } from 'vitest';
import { age } from '../src/ui/dates';
import { indentOf } from '../src/ui/wrappedIndent';

const now = Date.parse('2030-01-31T12:00:00Z');

test.each([
  ['2030-01-31T12:00:05Z', 'just now'],
  ['2030-01-31T11:59:01Z', 'just now'],
  ['2030-01-31T11:59:00Z', '1 minute ago'],
  ['2030-01-31T10:01:00Z', '1 hour ago'],
  ['2030-01-30T12:00:00Z', 'yesterday'],
  ['2030-01-02T12:00:00Z', '29 days ago'],
  ['2029-12-01T12:00:00Z', '2 months ago'],
  ['2027-12-01T12:00:00Z', '2 years ago'],
])('%s was %s', (at, words) => {
  expect(age(Date.parse(at), now)).toBe(words);
});

test.each([
  ['', 0],
  ['text', 0],
  ['  <p>', 2],
  ['\t<p>', 4],
  ['  \t<p>', 4],
  [' '.repeat(90), 40],
])('The indent of %j has %i columns', (line, columns) => {
  expect(indentOf(line, 4)).toBe(columns);
});
