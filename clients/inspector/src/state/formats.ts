const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});

/** 12,345 */
export const count = (value: number): string => whole.format(Math.round(value));

/** 12.3K */
export const compact = (value: number): string =>
  Math.abs(value) < 1000 ? rate(value) : short.format(value);

/** A rate with as many digits as it needs. */
export function rate(value: number): string {
  if (Number.isInteger(value)) return whole.format(value);
  if (value < 0.1) return value.toFixed(2);
  return value < 10 ? value.toFixed(1) : whole.format(Math.round(value));
}

export function bytes(value: number): string {
  let size = value;
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (size < 1024 || unit === 'GiB')
      return `${unit === 'B' || size >= 100 ? Math.round(size) : size.toFixed(1)} ${unit}`;
    size /= 1024;
  }
  return `${value} B`;
}

export function milliseconds(value: number | undefined): string {
  if (value === undefined) return '–';
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return value < 10 ? `${value.toFixed(2)} ms` : `${Math.round(value)} ms`;
}

/** The time of day; with the date if it is not within the last 20 hours. */
export function time(text: string | undefined, now = Date.now()): string {
  if (text === undefined) return '–';
  const at = new Date(text);
  return Math.abs(now - at.getTime()) < 20 * 3_600_000 ? clock.format(at) : day.format(at);
}

/** How long ago: 5 s, 3 min, 2 h, 4 d. */
export function age(text: string | undefined, now = Date.now()): string {
  if (text === undefined) return '–';
  const seconds = Math.max(0, Math.round((now - new Date(text).getTime()) / 1000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 129_600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** JSON with indents; other text unchanged. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** How many events a stream is behind the head. */
export const lag = (head: number, offset: number): number => Math.max(0, head - offset);
