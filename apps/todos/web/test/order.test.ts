import { describe, expect, test } from 'vitest';
import { compareOrder, keyAt, orderOf, type Ordered } from '../src/state/order';

const entry = (id: string, createdAt: number, order?: string): Ordered => ({ id, createdAt, order });
const ids = (entries: readonly Ordered[]) => entries.toSorted(compareOrder).map(({ id }) => id);

/** Moves an entry as the page does: to an index among the other entries. */
function move(entries: readonly Ordered[], id: string, index: number): readonly Ordered[] {
  const others = entries.filter((each) => each.id !== id).toSorted(compareOrder);
  const order = keyAt(others, index);
  return entries.map((each) => (each.id === id ? { ...each, order } : each));
}

const NOW = 1_796_000_000_000;
const four = ['a', 'b', 'c', 'd'].map((id, i) => entry(id, NOW + i));

describe('The order of entries', () => {
  test('is the time of creation without moves', () => {
    expect(ids([entry('new', NOW), entry('old', 1), entry('first', 0)])).toEqual(['first', 'old', 'new']);
    expect(orderOf(entry('t', NOW))).toMatch(/^g[0-9A-Za-z]{7}$/);
  });

  test.each([
    ['c', 0, ['c', 'a', 'b', 'd']],
    ['a', 3, ['b', 'c', 'd', 'a']],
    ['d', 1, ['a', 'd', 'b', 'c']],
  ])('after a move of %s to place %d', (id, index, expected) => {
    expect(ids(move(four, id, index))).toEqual(expected);
  });

  test('has a new entry last, also after a move to the end', () => {
    const moved = move(four, 'a', 3);
    expect(ids([...moved, entry('e', NOW + 1000)])).toEqual(['b', 'c', 'd', 'a', 'e']);
  });

  test('is the same for two users who move entries at once', () => {
    const one = move(four, 'c', 0).find(({ id }) => id === 'c')!;
    const other = move(four, 'd', 0).find(({ id }) => id === 'd')!;
    expect(one.order).toBe(other.order);
    const merged = [four[0]!, four[1]!, one, other];
    expect(ids(merged)).toEqual(['c', 'd', 'a', 'b']);
    expect(ids(merged.toReversed())).toEqual(['c', 'd', 'a', 'b']);
    // There is no key between two equal keys, so the next place is used.
    expect(ids(move(merged, 'b', 1))).toEqual(['c', 'd', 'b', 'a']);
  });

  test('survives many moves to the same place with short keys', () => {
    let entries: readonly Ordered[] = four;
    for (let i = 0; i < 500; i++) {
      const last = ids(entries).at(-1)!;
      entries = move(entries, last, 1);
      expect(ids(entries)[1]).toBe(last);
    }
    expect(Math.max(...entries.map((each) => orderOf(each).length))).toBeLessThan(200);
  });
});
