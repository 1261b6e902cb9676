import { expect, test } from 'vitest';
import { fold } from '../src/fold';

test.each([
  ['АННА', 'анна'],
  ['MÜLLER', 'Mu\u0308ller'],
  ['caf\u00e9', 'CAFE\u0301'],
  ['Stra\u00dfe', 'STRASSE'],
  ['ΟΔΟΣ', 'οδος'],
  ['\ud55c', '\u1112\u1161\u11ab'],
])('%s and %s are one text', (one, other) => {
  expect(fold(one)).toBe(fold(other));
});

test('a letter differs from its accented form', () => {
  expect(fold('muller')).not.toBe(fold('müller'));
});
