/** The formats of the page. Times follow the locale everywhere, so that one moment is not written in two ways. */
const utc = { timeZone: 'UTC' } as const;

export const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const hour = new Intl.DateTimeFormat(undefined, { hour: 'numeric', ...utc });
const moment = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  hour: 'numeric',
  minute: '2-digit',
});
export const dayName = new Intl.DateTimeFormat(undefined, { weekday: 'short', ...utc });
export const dateName = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', ...utc });
export const fullName = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  ...utc,
});

export const monthName = new Intl.DateTimeFormat(undefined, { month: 'long', year: 'numeric' });

/** Formats a date such as `2030-01-02`. */
export function dateText(date: string): string {
  return dateName.format(new Date(`${date}T12:00:00Z`));
}

/** Formats minutes, such as `1 h 15 min`. */
export function durationText(minutes: number): string {
  return minutes >= 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes} min`;
}

/** Returns the label of a line of the grid, such as `8 AM`. */
export function hourText(value: number): string {
  return hour.format(new Date(Date.UTC(2030, 0, 1, value)));
}

/** Formats the value of a time input, such as `09:30`. */
export function inputTimeText(value: string): string {
  const time = new Date(`2030-01-01T${value}`);
  return Number.isNaN(time.getTime()) ? value : clock.format(time);
}

export function rangeText(start: Date, end: Date): string {
  return clock.formatRange(start, end);
}

/** Formats a start with its day of the week, such as `Tue 10:00 AM`. */
export function momentText(start: Date): string {
  return moment.format(start);
}
