import { generateKeyBetween } from 'fractional-indexing';

/** An entry with a position: the key `order` of a moved entry, or the time at which it was created. */
export interface Ordered {
  readonly id: string;
  readonly createdAt: number;
  readonly order?: string | undefined;
}

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** A key whose integer part has 7 digits, enough for milliseconds until the year 2081. */
const TIME_HEAD = 'g';
const TIME_DIGITS = 7;

/**
 * Returns the key of an entry. The time of its creation is itself a key, so entries that were never moved, also those of earlier versions,
 * stay in that order, and a new entry comes last.
 */
export function orderOf({ order, createdAt }: Ordered): string {
  if (order !== undefined) return order;
  let rest = Math.max(0, Math.floor(createdAt));
  let digits = '';
  for (let i = 0; i < TIME_DIGITS; i++) {
    digits = DIGITS[rest % DIGITS.length]! + digits;
    rest = Math.floor(rest / DIGITS.length);
  }
  return TIME_HEAD + digits;
}

/** Compares entries by key. Entries that two users moved to the same place at once have equal keys, and are ordered by id. */
export function compareOrder(a: Ordered, b: Ordered): number {
  const [one, other] = [orderOf(a), orderOf(b)];
  if (one !== other) return one < other ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** Returns a key for the place `index` among sorted entries, which do not include the moved one. */
export function keyAt(entries: readonly Ordered[], index: number): string {
  const before = index > 0 ? orderOf(entries[index - 1]!) : null;
  // There is no key between equal keys: take the next greater one.
  const after = entries.slice(index).find((entry) => before === null || orderOf(entry) > before);
  return generateKeyBetween(before, after ? orderOf(after) : null);
}
