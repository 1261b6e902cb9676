import { describe, expect, test } from 'vitest';
import { limits } from '../src/api/limits';
import { byOrder, keyBetween, keyForNew, keyOf, keysForMove, type Placed } from '../src/state/order';

const item = (id: string, order?: string, created_at = '2030-01-01T00:00:00Z'): Placed => ({
  id,
  order,
  created_at,
});
const ids = (items: readonly Placed[]) =>
  [...items]
    .sort(byOrder)
    .map(({ id }) => id)
    .join('');
const apply = (items: readonly Placed[], keys: ReadonlyMap<string, string>) =>
  items.map((each) => ({ ...each, order: keys.get(each.id) ?? each.order }));
const isKey = (key: string) => /^[0-9A-Za-z]*[1-9A-Za-z]$/.test(key) && key.length <= limits.order;

// A linear congruential generator: the same numbers in every run.
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
}

describe('A key between two keys', () => {
  test.each([
    [undefined, undefined],
    [undefined, '1'],
    [undefined, '01'],
    ['1', '2'],
    ['1', '11'],
    ['1', '1000V'],
    ['z', undefined],
    ['zzz', undefined],
    ['A', 'B'],
    ['AzzV', 'B'],
  ])('of %j and %j is between them', (low, high) => {
    for (const random of [() => 0, () => 0.999_999, () => 0.5]) {
      const key = keyBetween(low, high, random);
      expect(isKey(key)).toBe(true);
      if (low !== undefined) expect(key > low).toBe(true);
      if (high !== undefined) expect(key < high).toBe(true);
    }
  });
});

test('Items without a key sort by their creation, newest first', () => {
  const items = [
    item('a', undefined, '2030-01-01T00:00:00Z'),
    item('b', undefined, '2030-01-03T00:00:00Z'),
    item('c', undefined, '2030-01-02T00:00:00Z'),
  ];
  expect(ids(items)).toBe('bca');
});

test('A new item is the first, also after one that was moved to the top', () => {
  const now = Date.parse('2030-01-05T00:00:00Z');
  let items = [item('a'), item('b', undefined, '2030-01-02T00:00:00Z')].sort(byOrder);
  items = apply(items, keysForMove(items, 'a', 0)).sort(byOrder);
  expect(ids([...items, item('c', keyForNew(items, now))])).toBe('cab');
  expect(keyForNew([], now)).toHaveLength(10);
});

test('A move to every index gives that order, however often it is repeated', () => {
  const random = numbers(7);
  let items: Placed[] = [...'abcdefgh'].map((id, i) => item(id, undefined, `2030-01-0${9 - i}T00:00:00Z`));
  let expected = 'abcdefgh';
  for (let round = 0; round < 2000; round++) {
    // Alternating between few places makes keys grow as fast as possible.
    const index = round < 1000 ? 1 + (round % 2) : Math.floor(random() * 8);
    const id = expected[round < 1000 ? 7 : Math.floor(random() * 8)]!;
    const sorted = [...items].sort(byOrder);
    items = apply(items, keysForMove(sorted, id, index, random));
    const others = expected.replace(id, '');
    expected = others.slice(0, index) + id + others.slice(index);
    expect(ids(items)).toBe(expected);
    expect(items.every((each) => isKey(keyOf(each)))).toBe(true);
  }
});

test('A move between two equal keys gives all items new keys', () => {
  const items = [item('a', 'V'), item('b', 'V'), item('c', 'W')];
  const keys = keysForMove(items, 'c', 1);
  expect([...keys.keys()].join('')).toBe('acb');
  expect(ids(apply(items, keys))).toBe('acb');
});

test('Two devices that move items to the same place agree after a sync', () => {
  const random = numbers(3);
  const items = [...'abcd'].map((id, i) => item(id, `${i + 1}`));
  const [one, other] = [keysForMove(items, 'd', 1, random), keysForMove(items, 'c', 1, random)];
  const merged = ids(apply(apply(items, one), other));
  expect(ids(apply(apply(items, other), one))).toBe(merged);
  expect(merged).toMatch(/^a(cd|dc)b$/);
});
