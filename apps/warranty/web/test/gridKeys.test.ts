import { expect, test } from 'vitest';
import { beside, isTyping, moved } from '../src/ui/gridKeys';

const size = { rows: 100, columns: 5, shownRows: 10 };
const at = (row: number, column: number) => ({ row, column });
const key = (text: string) => {
  const [name, modifier] = text.split('+').reverse() as [string, string | undefined];
  return { key: name, ctrlKey: modifier === 'Ctrl' };
};

test.each([
  ['ArrowRight', at(3, 2), at(3, 3)],
  ['ArrowRight', at(3, 4), at(3, 4)],
  ['ArrowLeft', at(3, 0), at(3, 0)],
  ['ArrowUp', at(3, 2), at(2, 2)],
  ['ArrowUp', at(0, 2), at(-1, 2)],
  ['ArrowUp', at(-1, 2), at(-1, 2)],
  ['ArrowDown', at(-1, 2), at(0, 2)],
  ['ArrowDown', at(99, 2), at(99, 2)],
  ['Home', at(3, 2), at(3, 0)],
  ['End', at(3, 2), at(3, 4)],
  ['Ctrl+Home', at(50, 2), at(0, 0)],
  ['Ctrl+End', at(50, 2), at(99, 4)],
  ['Ctrl+ArrowUp', at(50, 2), at(0, 2)],
  ['Ctrl+ArrowDown', at(50, 2), at(99, 2)],
  ['Ctrl+ArrowRight', at(50, 2), at(50, 4)],
  ['PageDown', at(50, 2), at(59, 2)],
  ['PageDown', at(95, 2), at(99, 2)],
  ['PageUp', at(50, 2), at(41, 2)],
  ['PageUp', at(4, 2), at(0, 2)],
])('%s moves from %o to %o', (name, from, to) => {
  expect(moved(from, key(name), size)).toEqual(to);
});

test.each(['a', 'Enter', 'Tab', 'Escape', ' '])('%s moves nothing', (name) => {
  expect(moved(at(3, 2), key(name), size)).toBeUndefined();
});

test.each([
  [at(3, 2), 1, at(3, 3)],
  [at(3, 4), 1, at(4, 1)],
  [at(99, 4), 1, undefined],
  [at(3, 2), -1, at(3, 1)],
  [at(3, 1), -1, at(2, 4)],
  [at(0, 1), -1, undefined],
] as const)('The field beside %o, %i step away, is %o', (from, step, to) => {
  expect(beside(from, step, size)).toEqual(to);
});

test('Characters type, and shortcuts and the space bar do not', () => {
  const typed = (name: string, more = {}) =>
    isTyping({ key: name, ctrlKey: false, metaKey: false, altKey: false, ...more });
  expect(['a', 'Ж', '7', '-', '😀'].map((name) => typed(name))).toEqual(Array(5).fill(true));
  expect(['Enter', 'F2', ' ', 'Dead'].map((name) => typed(name))).toEqual(Array(4).fill(false));
  expect([typed('c', { ctrlKey: true }), typed('v', { metaKey: true })]).toEqual([false, false]);
});
