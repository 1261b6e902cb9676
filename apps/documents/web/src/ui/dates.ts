export function shortDate(at: string | number): string {
  return new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** Returns how long ago a time was, such as "3 days ago". Both times are of the server's clock, in milliseconds. */
export function age(at: number, now: number): string {
  const passed = Math.max(0, now - at);
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  const unit = UNITS.find(([, length]) => passed >= length);
  return unit ? format.format(-Math.floor(passed / unit[1]), unit[0]) : 'just now';
}
