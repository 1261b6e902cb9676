import type { CalendarEntry } from '../api/focus';

export interface Day {
  readonly key: string;
  /** Noon of the date in UTC, for formatting: local midnight may not exist. */
  readonly date: Date;
  /** The first instant of the day. If the clocks skip midnight, the first instant after it. */
  readonly start: Date;
  readonly end: Date;
}

const DAY = 86_400_000;
const MINUTE = 60_000;
const MINUTES_PER_DAY = 1_440;

/** Returns the Monday on or before a day, at its first local instant. */
export function mondayOf(date: Date): Date {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - ((date.getDay() + 6) % 7));
}

/**
 * Returns seven days from a Monday. Days follow the calendar: with a clock change a day has 23 or 25 hours, and a date that a zone skipped
 * (Pacific/Apia, 30 December 2011) has none.
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

/** `2026-03-01`, the format of date inputs. */
export function dayKey(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `09:30`, the format of time inputs. */
export function timeKey(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/**
 * Returns the local instant of date and time inputs. A time that a clock change skips uses the offset before the change, so it moves later
 * by the skipped duration. A repeated time is the first one, or the second if only that is after `after`. Returns an invalid date if the
 * inputs contain no time.
 */
export function instantOf(day: string, time: string, after?: Date): Date {
  const first = new Date(`${day}T${time}`);
  if (!after || !(first.getTime() <= after.getTime())) return first;
  const back = new Date(first.getTime() + DAY).getTimezoneOffset() - first.getTimezoneOffset();
  const second = new Date(first.getTime() + back * MINUTE);
  return back > 0 && second > after && timeKey(second) === time && dayKey(second) === day ? second : first;
}

/** Formats as ISO 8601 with the local offset at that time. */
export function withOffset(instant: Date): string {
  // Historical offsets contain seconds, which ISO 8601 cannot express: keep the instant and round the offset.
  const minutes = -Math.round(instant.getTimezoneOffset());
  const size = Math.abs(minutes);
  const wall = new Date(instant.getTime() + minutes * MINUTE).toISOString().slice(0, 19);
  return `${wall}${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** Returns local minutes since midnight, the unit of the grid's lines. */
function wallMinutes(instant: Date, { start, end }: Day): number {
  if (instant < start) return 0;
  return instant >= end ? MINUTES_PER_DAY : minutesOf(instant);
}

const minutesOf = (date: Date) => date.getHours() * 60 + date.getMinutes() + date.getSeconds() / 60;

/** An entry within one day: its local start and end in minutes, its column and the number of columns. */
export interface Placed {
  readonly entry: CalendarEntry;
  readonly from: number;
  readonly to: number;
  readonly column: number;
  readonly columns: number;
}

/** Minimum height of an entry in minutes, so that a title fits. */
const LEAST = 30;

/** Places the entries of a day side by side where they overlap. */
export function placeDay(entries: readonly CalendarEntry[], day: Day): readonly Placed[] {
  const within = entries
    .filter((entry) => !entry.isAllDay)
    .map((entry) => ({ entry, start: new Date(entry.start), end: new Date(entry.end) }))
    .filter(({ start, end }) => day.start < day.end && start < day.end && end > day.start)
    .map(({ entry, start, end }) => {
      const from = wallMinutes(start, day);
      // When the clocks go back, an entry may end at an earlier local time than it starts. Then its duration counts.
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
