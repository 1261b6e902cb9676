const DAY_MS = 86_400_000;
/** Dates have no time zone, so they are formatted as dates of UTC. */
const weekday = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  timeZone: 'UTC',
});
const withYear = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});

const two = (number: number) => String(number).padStart(2, '0');

/** Returns the date in the user's time zone, as `yyyy-MM-dd`. Such dates compare as texts. */
export function dateOf(time: Date): string {
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

/** Returns the milliseconds until the date changes in the user's time zone. A day may have 23 or 25 hours. */
export function untilTomorrow(time: Date): number {
  return new Date(time.getFullYear(), time.getMonth(), time.getDate() + 1).getTime() - time.getTime();
}

/** Returns the number of days from one date to another. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
}

/** Returns a date in words: `Today`, `Tomorrow`, `Yesterday`, or the day. */
export function dueWord(due: string, today: string): string {
  const days = daysBetween(today, due);
  if (days === 0) return 'Today';
  if (days === 1) return 'Tomorrow';
  if (days === -1) return 'Yesterday';
  const format = due.slice(0, 4) === today.slice(0, 4) ? weekday : withYear;
  return format.format(Date.parse(due));
}
