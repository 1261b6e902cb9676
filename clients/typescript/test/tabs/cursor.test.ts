import { describe, expect, test } from 'vitest';
import { comparePlace, comparePositions, judgeStep, type Decision } from '../../src/tabs/cursor';

describe('Positions', () => {
  test('Offsets are compared as numbers', () => {
    expect(comparePositions('e-9', 'e-10')).toBeLessThan(0);
    expect(comparePositions('e-10', 'e-9')).toBeGreaterThan(0);
    expect(comparePositions('e-10', 'e-10')).toBe(0);
  });

  test('An epoch may contain the separator', () => {
    expect(comparePositions('a-b-9', 'a-b-10')).toBeLessThan(0);
  });

  test('positions of two epochs, and other ids, cannot be compared', () => {
    expect(comparePositions('a-1', 'b-2')).toBeUndefined();
    expect(comparePositions('abc', 'abd')).toBeUndefined();
  });
});

describe('The cursor of a tab', () => {
  const table: [
    own: string | undefined,
    previous: string | undefined,
    position: string | undefined,
    Decision,
  ][] = [
    ['e-5', 'e-5', 'e-6', 'take'],
    ['e-5', 'e-5', 'e-9', 'take'],
    ['e-5', 'e-3', 'e-6', 'take'],
    ['e-5', 'e-3', 'e-4', 'drop'],
    ['e-5', 'e-4', 'e-5', 'drop'],
    ['e-5', 'e-6', 'e-7', 'gap'],
    ['e-5', undefined, 'e-7', 'gap'],
    ['e-5', 'f-1', 'f-2', 'lost'],
    ['e-5', 'e-5', 'f-1', 'take'],
    ['e-5', 'e-9', 'e-9', 'take'],
    [undefined, 'e-9', 'e-10', 'take'],
    [undefined, undefined, undefined, 'take'],
    ['abc', 'abc', 'abd', 'take'],
    ['abc', 'abx', 'aby', 'lost'],
  ];
  for (const [own, previous, position, decision] of table) {
    test(`at ${own}, a frame from ${previous} to ${position}: ${decision}`, () => {
      expect(judgeStep(own, { previous, position })).toBe(decision);
    });
  }

  test('a leader at a later or unknown position is ahead of this tab', () => {
    expect(comparePlace(undefined, 'e-9')).toBe('level');
    expect(['e-5', 'e-4', 'e-6', undefined, 'f-1'].map((position) => comparePlace('e-5', position))).toEqual([
      'level',
      'level',
      'behind',
      'behind',
      'lost',
    ]);
  });
});
