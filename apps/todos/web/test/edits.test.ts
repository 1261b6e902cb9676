import { describe, expect, test } from 'vitest';
import { oneLine, outcomeOf } from '../src/state/edits';

describe('The end of an edit', () => {
  test.each([
    ['without a change', 'a', 'a', 'a', 'nothing'],
    ['without a change, of a text that changed meanwhile', 'a', 'a', 'b', 'nothing'],
    ['with a change', 'a', 'mine', 'a', 'save'],
    ['with a change, of a text that changed meanwhile', 'a', 'mine', 'theirs', 'conflict'],
    ['with the change that another user made too', 'a', 'mine', 'mine', 'nothing'],
    ['with an empty text', 'a', '  ', 'a', 'nothing'],
    ['with blanks around the same text', 'a', ' a ', 'a', 'nothing'],
  ])('%s', (_, base, typed, current, outcome) => {
    expect(outcomeOf({ base, typed, current })).toBe(outcome);
  });
});

test('a text of several lines becomes one line', () => {
  expect(oneLine(' Buy \r\n milk\nand bread ')).toBe('Buy milk and bread');
});
