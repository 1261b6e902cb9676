import type { CalendarEntry } from '../api/focus';
import { dayKey, type Day } from './week';

const DAY = 86_400_000;

/** Returns the dates of an entry, first and last. All-day entries have dates without a zone, others those of the local clock. */
export function datesOf({ start, end, isAllDay }: CalendarEntry): { first: string; last: string } {
  if (isAllDay) return { first: dateOf(Date.parse(start)), last: dateOf(Date.parse(end) - 1) };
  return { first: dayKey(new Date(start)), last: dayKey(new Date(Date.parse(end) - 1)) };
}

/** Returns the instants of an all-day entry from its first to its last date. */
export function wholeDays(first: string, last: string): { start: string; end: string } {
  const time = 'T00:00:00+00:00';
  return { start: `${first}${time}`, end: `${dateOf(Date.parse(`${last}T00:00:00Z`) + DAY)}${time}` };
}

/** Moves the dates of an all-day entry, or only its last one. */
export function shiftedDates(
  entry: CalendarEntry,
  days: number,
  isLastOnly = false,
): ReturnType<typeof wholeDays> {
  const { first, last } = datesOf(entry);
  const shifted = (date: string) => dateOf(Date.parse(`${date}T00:00:00Z`) + days * DAY);
  if (!isLastOnly) return wholeDays(shifted(first), shifted(last));
  return wholeDays(first, shifted(last) < first ? first : shifted(last));
}

export function isOnDay(entry: CalendarEntry, { key }: Pick<Day, 'key'>): boolean {
  const { first, last } = datesOf(entry);
  return first <= key && key <= last;
}

/** Sorts all-day entries first, then by start. */
export function byStart(one: CalendarEntry, other: CalendarEntry): number {
  return (
    Number(other.isAllDay) - Number(one.isAllDay) ||
    Date.parse(one.start) - Date.parse(other.start) ||
    (one.id < other.id ? -1 : 1)
  );
}

/** An all-day entry in the row above the grid: its first and last column, and its line. */
export interface Banner {
  readonly entry: CalendarEntry;
  readonly from: number;
  readonly to: number;
  readonly line: number;
}

/** Places all-day entries on lines, so that none overlap. */
export function placeAllDay(entries: readonly CalendarEntry[], days: readonly Day[]): readonly Banner[] {
  const placed: Banner[] = [];
  for (const entry of entries.filter((each) => each.isAllDay).sort(byStart)) {
    const from = days.findIndex((day) => isOnDay(entry, day));
    const to = days.findLastIndex((day) => isOnDay(entry, day));
    if (from === -1) continue;
    let line = 0;
    while (placed.some((each) => each.line === line && each.from <= to && from <= each.to)) line++;
    placed.push({ entry, from, to, line });
  }
  return placed;
}

function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
