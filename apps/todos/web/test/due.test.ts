import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dateOf, daysBetween, dueWord, untilTomorrow } from '../src/state/due';

const zone = process.env['TZ'];
const HOUR_MS = 3_600_000;

describe('Today', () => {
  beforeEach(() => {
    process.env['TZ'] = 'Europe/Berlin';
  });
  afterEach(() => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });

  test('is the date in the time zone of the user', () => {
    expect(dateOf(new Date('2026-11-29T22:59:59Z'))).toBe('2026-11-29');
    expect(dateOf(new Date('2026-11-29T23:00:00Z'))).toBe('2026-11-30');
  });

  test.each([
    ['2026-11-29T10:00:00Z', 13],
    ['2026-03-28T23:00:00Z', 23],
    ['2026-10-24T22:00:00Z', 25],
  ])('ends at midnight, also on days with a clock change: %s', (time, hours) => {
    expect(untilTomorrow(new Date(time))).toBe(hours * HOUR_MS);
  });
});

describe('A due date', () => {
  test.each([
    ['2026-11-29', 'Today'],
    ['2026-11-30', 'Tomorrow'],
    ['2026-11-28', 'Yesterday'],
    ['2027-01-02', '2 Jan 2027'],
  ])('%s is shown as %s', (due, word) => {
    expect(dueWord(due, '2026-11-29')).toBe(word);
  });

  test('of another week is shown with its weekday', () => {
    // Versions of the Unicode data differ in the comma.
    expect(dueWord('2026-12-01', '2026-11-29')).toMatch(/^Tue,? 1 Dec$/);
  });

  test('is counted in days across a clock change', () => {
    expect(daysBetween('2026-03-28', '2026-03-30')).toBe(2);
  });
});
