import { describe, expect, test } from 'vitest';
import { excessOf, leftOf, limits, manyLines, oneLine } from '../src/api/limits';

describe('Text is sent as the server stores it', () => {
  test.each([
    ['  Tea\tpot \n', 'Tea pot'],
    ['a\u0000\u0085b', 'a b'],
    ['half \uD83C', 'half \uFFFD'],
    ['whole \uD83C\uDF81', 'whole \uD83C\uDF81'],
  ])('%j as one line', (typed, stored) => expect(oneLine(typed)).toBe(stored));

  test('line breaks and tabs of a description stay', () => {
    expect(manyLines(' one\r\n\ttwo\u0007\n')).toBe('one\r\n\ttwo');
  });
});

test('a wish of 373 characters is 73 too long', () => {
  expect(excessOf('x'.repeat(373), limits.title)).toBe(73);
  expect(excessOf('x'.repeat(300), limits.title)).toBe(0);
});

test.each([
  [239, 300, undefined],
  [240, 300, 60],
  [300, 300, 0],
  [301, 300, undefined],
  [1799, 2000, undefined],
  [1800, 2000, 200],
])('%i of %i characters leave %j to show', (length, limit, left) => {
  expect(leftOf('x'.repeat(length), limit)).toBe(left);
});
