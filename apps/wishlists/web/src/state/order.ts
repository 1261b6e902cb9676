import { limits } from '../api/limits';

/** The part of an item that decides on its place. */
export interface Placed {
  readonly id: string;
  readonly order?: string | undefined;
  readonly created_at: string;
}

// Base 62 in ASCII order, so that keys compare as strings, here and on the server.
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE = DIGITS.length;
const TIME_DIGITS = 8;

/**
 * Returns the sort key of an item. Keys are fractions: between two of them there is always another. Items without a key sort by their
 * creation, newest first.
 */
export function keyOf({ order, created_at }: Placed): string {
  return order ?? `${timeKey(Date.parse(created_at) || 0)}V`;
}

/** Compares items by their keys. The id decides between equal keys, so that all devices show the same order. */
export function byOrder(a: Placed, b: Placed): number {
  const [keyA, keyB] = [keyOf(a), keyOf(b)];
  if (keyA !== keyB) return keyA < keyB ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

/** Returns the key of a new item, before all others. */
export function keyForNew(sorted: readonly Placed[], now: number, random = Math.random): string {
  const first = sorted[0] && keyOf(sorted[0]);
  const key = timeKey(now) + suffix(random);
  return first === undefined || key < first ? key : keyBetween(undefined, first, random);
}

/** Returns the keys to write so that an item moves to an index: one, or those of all items where no short key fits. */
export function keysForMove(
  sorted: readonly Placed[],
  id: string,
  index: number,
  random = Math.random,
): ReadonlyMap<string, string> {
  const moved = sorted.find((item) => item.id === id)!;
  const others = sorted.filter((item) => item.id !== id);
  const [before, after] = [others[index - 1], others[index]];
  const [low, high] = [before && keyOf(before), after && keyOf(after)];
  if (low === undefined || high === undefined || low < high) {
    const key = keyBetween(low, high, random);
    if (key.length <= limits.order) return new Map([[id, key]]);
  }
  const all = [...others.slice(0, index), moved, ...others.slice(index)];
  const step = Math.floor(BASE ** 4 / (all.length + 1));
  return new Map(all.map((item, i) => [item.id, digits(step * (i + 1), 4) + suffix(random)]));
}

/** Returns a key between two keys. Two devices that ask for the same place get different keys, because the end is random. */
export function keyBetween(low: string | undefined, high: string | undefined, random = Math.random): string {
  let middle = midpoint(low ?? '', high);
  let key = middle + suffix(random);
  // The middle may be a prefix of the upper key.
  while (high !== undefined && key >= high) {
    middle = midpoint(middle, high);
    key = middle + suffix(random);
  }
  return key;
}

// Returns the shortest string between two strings. No string ends with the lowest digit, so there is always one.
function midpoint(low: string, high: string | undefined): string {
  if (high !== undefined) {
    let common = 0;
    while ((low[common] ?? '0') === high[common]) common++;
    if (common > 0) return high.slice(0, common) + midpoint(low.slice(common), high.slice(common));
  }
  const from = low === '' ? 0 : DIGITS.indexOf(low[0]!);
  const to = high === undefined ? BASE : DIGITS.indexOf(high[0]!);
  if (to - from > 1) return DIGITS[Math.round((from + to) / 2)]!;
  return high !== undefined && high.length > 1 ? high[0]! : DIGITS[from]! + midpoint(low.slice(1), undefined);
}

function suffix(random: () => number): string {
  const digit = (lowest: number) => DIGITS[lowest + Math.floor(random() * (BASE - lowest))]!;
  return digit(0) + digit(1);
}

/** Returns a key that is lower for a later time. */
function timeKey(milliseconds: number): string {
  return digits(BASE ** TIME_DIGITS - 1 - milliseconds, TIME_DIGITS);
}

function digits(value: number, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest = Math.floor(rest / BASE))
    text = DIGITS[rest % BASE]! + text;
  return text;
}
