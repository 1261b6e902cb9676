import { describe, expect, test } from 'vitest';
import { isUnfinished, wireValue } from '../src/api/fields';

describe('An amount', () => {
  test.each([
    ['12,50', '12.50'],
    ['12.5', '12.50'],
    ['12,', '12.00'],
    ['0', '0.00'],
    ['007', '7.00'],
    ['1.234,50', '1234.50'],
    ['1,234.50', '1234.50'],
    ['1.234.567', '1234567.00'],
    ['1 234,5', '1234.50'],
    ['1\u202f234,50', '1234.50'],
    ["12'345'678.90", '12345678.90'],
  ])('%s is sent as %s', (typed, sent) => {
    expect(wireValue('money', typed)).toBe(sent);
    expect(isUnfinished('money', typed)).toBe(false);
  });

  test.each([
    '1,234',
    '1.234',
    '1,234,50',
    '12,345.678',
    '1.2.3',
    '-1',
    'twelve',
    '1234.567',
    '123456789',
    '.5',
  ])('%s is sent unchanged when the user leaves the field', (typed) => {
    expect(wireValue('money', typed)).toBe(typed);
    expect(isUnfinished('money', typed)).toBe(true);
  });
});
