import { dateText } from './formats';

/** How an entry repeats, as the form shows it. `custom` is a rule that the form cannot express and keeps as it is. */
export interface Repeat {
  readonly kind: 'none' | 'daily' | 'weekdays' | 'weekly' | 'monthly' | 'yearly' | 'custom';
  readonly interval: number;
  /** The last date, or empty. */
  readonly until: string;
  /** The number of occurrences, or 0. */
  readonly count: number;
}

const WEEKDAYS = 'MO,TU,WE,TH,FR';
const NEVER: Repeat = { kind: 'none', interval: 1, until: '', count: 0 };
const units = { daily: 'day', weekly: 'week', monthly: 'month', yearly: 'year' } as const;

export function repeatOf(rule: string | null): Repeat {
  if (!rule) return NEVER;
  const parts = new Map(rule.split(';').map((part) => part.split('=') as [string, string]));
  const frequency = (parts.get('FREQ') ?? '').toLowerCase();
  const isKnown = [...parts.keys()].every((name) =>
    ['FREQ', 'INTERVAL', 'UNTIL', 'COUNT', 'BYDAY'].includes(name),
  );
  const isWeekdays = frequency === 'weekly' && parts.get('BYDAY') === WEEKDAYS;
  const isPlain = isKnown && !parts.has('BYDAY') && frequency in units;
  return {
    kind: isPlain ? (frequency as keyof typeof units) : isKnown && isWeekdays ? 'weekdays' : 'custom',
    interval: Number(parts.get('INTERVAL') ?? 1),
    until: (parts.get('UNTIL') ?? '').replace(/^(\d{4})(\d{2})(\d{2}).*$/, '$1-$2-$3'),
    count: Number(parts.get('COUNT') ?? 0),
  };
}

/** Returns the rule of the form, or null for none. */
export function ruleOf({ kind, interval, until, count }: Repeat, isAllDay: boolean): string | null {
  if (kind === 'none' || kind === 'custom') return null;
  const parts = [`FREQ=${kind === 'weekdays' ? 'WEEKLY' : kind.toUpperCase()}`];
  if (interval > 1) parts.push(`INTERVAL=${interval}`);
  if (until) parts.push(`UNTIL=${isAllDay ? compact(until) : endOf(until)}`);
  else if (count > 0) parts.push(`COUNT=${count}`);
  if (kind === 'weekdays') parts.push(`BYDAY=${WEEKDAYS}`);
  return parts.join(';');
}

/** Describes a rule, such as `every 2 weeks until 3 Feb`. */
export function repeatText(rule: string | null): string {
  const { kind, interval, until, count } = repeatOf(rule);
  if (kind === 'none') return '';
  const end = until ? ` until ${dateText(until)}` : count > 0 ? `, ${count} times` : '';
  if (kind === 'custom') return `by the rule ${rule}`;
  const unit = kind === 'weekdays' ? 'weekday' : units[kind];
  return `every ${interval > 1 ? `${interval} ${unit}s` : unit}${end}`;
}

function compact(date: string): string {
  return date.replaceAll('-', '');
}

/** The end of a local day in UTC, which RFC 5545 asks for. */
function endOf(date: string): string {
  return new Date(`${date}T23:59:59`).toISOString().slice(0, 19).replace(/[-:]/g, '') + 'Z';
}
