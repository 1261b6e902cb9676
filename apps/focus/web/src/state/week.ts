import type { CalendarEntry } from '../api/focus';

export interface Day {
  readonly key: string;
  /** Noon of the date in UTC, for its name: the date itself need not exist here. */
  readonly date: Date;
  /** The first instant of the day; where the clocks skip midnight, the one after. */
  readonly start: Date;
  readonly end: Date;
}

const DAY = 86_400_000;
const MINUTE = 60_000;
const MINUTES_PER_DAY = 1_440;

/** The Monday on or before a day, at the first instant of the day here. */
export function mondayOf(date: Date): Date {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - ((date.getDay() + 6) % 7));
}

/**
 * Seven days from a Monday. Days are counted by the calendar: with a change of the clocks one has 23 or 25 hours, and where a
 * zone has skipped a date (Pacific/Apia, 30 December 2011) one has none.
 */
export function weekOf(monday: Date): readonly Day[] {
  const [year, month, first] = [monday.getFullYear(), monday.getMonth(), monday.getDate()];
  return Array.from({ length: 7 }, (_, i) => {
    const date = new Date(Date.UTC(year, month, first + i, 12));
    return {
      key: date.toISOString().slice(0, 10),
      date,
      start: new Date(year, month, first + i),
      end: new Date(year, month, first + i + 1),
    };
  });
}

export function addWeeks(monday: Date, weeks: number): Date {
  return new Date(monday.getFullYear(), monday.getMonth(), monday.getDate() + 7 * weeks);
}

const two = (value: number) => String(value).padStart(2, '0');

/** `2026-03-01`, as date inputs have it. */
export function dayKey(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `09:30`, as time inputs have it. */
export function timeKey(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/**
 * The instant that date and time inputs mean here. A time that the clocks skip is taken by the offset before the change, so it is as
 * much later as they skip. Of a time that comes twice it is the first, or the second where only that is after `after`. An invalid
 * date where the inputs hold no time.
 */
export function instantOf(day: string, time: string, after?: Date): Date {
  const first = new Date(`${day}T${time}`);
  if (!after || !(first.getTime() <= after.getTime())) return first;
  const back = new Date(first.getTime() + DAY).getTimezoneOffset() - first.getTimezoneOffset();
  const second = new Date(first.getTime() + back * MINUTE);
  return back > 0 && second > after && timeKey(second) === time && dayKey(second) === day ? second : first;
}

/** ISO 8601 with the offset of this place at that time. */
export function withOffset(instant: Date): string {
  // Offsets of the past have seconds, which ISO 8601 has no room for: the instant stays, and the offset is rounded.
  const minutes = -Math.round(instant.getTimezoneOffset());
  const size = Math.abs(minutes);
  const wall = new Date(instant.getTime() + minutes * MINUTE).toISOString().slice(0, 19);
  return `${wall}${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** Minutes from midnight to an instant of a day, by the clock on the wall: what the lines of the grid say. */
function wallMinutes(instant: Date, { start, end }: Day): number {
  if (instant < start) return 0;
  return instant >= end ? MINUTES_PER_DAY : minutesOf(instant);
}

const minutesOf = (date: Date) => date.getHours() * 60 + date.getMinutes() + date.getSeconds() / 60;

/** An entry as part of one day: where it lies, in minutes by the clock on the wall, and in which of how many columns. */
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
  const within = entries
    .map((entry) => ({ entry, start: new Date(entry.start), end: new Date(entry.end) }))
    .filter(({ start, end }) => day.start < day.end && start < day.end && end > day.start)
    .map(({ entry, start, end }) => {
      const from = wallMinutes(start, day);
      // Where the clocks go back, an entry can end at an earlier time than it begins at: then its length counts.
      const length =
        (Math.min(end.getTime(), day.end.getTime()) - Math.max(start.getTime(), day.start.getTime())) /
        MINUTE;
      const wall = wallMinutes(end, day);
      return { entry, from, to: wall > from ? wall : Math.min(MINUTES_PER_DAY, from + length) };
    })
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
