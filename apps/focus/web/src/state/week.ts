import type { CalendarEntry } from '../api';

export interface Day {
  readonly key: string;
  readonly start: Date;
  readonly end: Date;
}

/** The Monday on or before a day, at midnight here. */
export function mondayOf(date: Date): Date {
  const monday = new Date(date.getFullYear(), date.getMonth(), date.getDate());
  monday.setDate(monday.getDate() - ((monday.getDay() + 6) % 7));
  return monday;
}

/** Seven days from a Monday. Days are counted by the calendar: with a change of the clocks one has 23 or 25 hours. */
export function weekOf(monday: Date): readonly Day[] {
  return Array.from({ length: 7 }, (_, i) => {
    const start = new Date(monday.getFullYear(), monday.getMonth(), monday.getDate() + i);
    const end = new Date(monday.getFullYear(), monday.getMonth(), monday.getDate() + i + 1);
    return { key: dayKey(start), start, end };
  });
}

export function addWeeks(monday: Date, weeks: number): Date {
  return new Date(monday.getFullYear(), monday.getMonth(), monday.getDate() + 7 * weeks);
}

/** `2026-03-01`, as date inputs have it. */
export function dayKey(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `09:30`, as time inputs have it. */
export function timeKey(date: Date): string {
  return `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`;
}

/** ISO 8601 with the offset of this place at that time, from what date and time inputs hold. */
export function withOffset(day: string, time: string): string {
  const minutes = -new Date(`${day}T${time}`).getTimezoneOffset();
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const size = Math.abs(minutes);
  return `${day}T${time}:00${minutes < 0 ? '-' : '+'}${two(size / 60)}:${two(size % 60)}`;
}

/** An entry as part of one day: where it lies, in minutes from midnight, and in which of how many columns. */
export interface Placed {
  readonly entry: CalendarEntry;
  readonly from: number;
  readonly to: number;
  readonly column: number;
  readonly columns: number;
}

/** Shortest height of an entry, in minutes: a title must fit. */
const LEAST = 30;

/** The entries of a day side by side where they overlap. */
export function placeDay(entries: readonly CalendarEntry[], day: Day): readonly Placed[] {
  const length = (day.end.getTime() - day.start.getTime()) / 60_000;
  const within = entries
    .map((entry) => {
      const from = Math.max(0, (Date.parse(entry.start) - day.start.getTime()) / 60_000);
      const to = Math.min(length, (Date.parse(entry.end) - day.start.getTime()) / 60_000);
      return { entry, from, to };
    })
    .filter(({ from, to }) => from < length && to > 0)
    .sort((one, other) => one.from - other.from || other.to - one.to);
  const placed: Placed[] = [];
  let group: { entry: CalendarEntry; from: number; to: number; column: number }[] = [];
  let groupEnd = 0;
  const close = () => {
    const columns = Math.max(0, ...group.map((each) => each.column)) + 1;
    placed.push(...group.map((each) => ({ ...each, columns })));
    group = [];
  };
  for (const each of within) {
    if (each.from >= groupEnd) close();
    const isFree = (column: number) =>
      !group.some((other) => other.column === column && Math.max(other.to, other.from + LEAST) > each.from);
    let column = 0;
    while (!isFree(column)) column++;
    group.push({ ...each, column });
    groupEnd = Math.max(groupEnd, each.to, each.from + LEAST);
  }
  close();
  return placed;
}
