import type { Day } from './week';

export interface Span {
  readonly start: Date;
  readonly end: Date;
}

/** A position in the grid: a day, and local minutes since its midnight. */
export interface Spot {
  readonly day: Day;
  readonly minutes: number;
}

/** Times snap to multiples of this. In minutes. */
export const STEP = 15;

const MINUTE = 60_000;
const DAY = 86_400_000;

const snap = (minutes: number) => Math.round(minutes / STEP) * STEP;

/** Returns the instant of local minutes on a day. Minutes beyond the day continue on the next. */
export function instantAt({ day: { date }, minutes }: Spot): Date {
  return new Date(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), 0, minutes);
}

/** Returns the span between two positions, which may be in either order. It stays on the day of the first. */
export function createdSpan(from: Spot, to: Spot): Span {
  const first = Math.min(from.minutes, to.minutes);
  const last = Math.max(from.minutes, to.minutes);
  const start = Math.floor(first / STEP) * STEP;
  const end = Math.max(start + STEP, snap(last));
  return ordered({
    start: instantAt({ day: from.day, minutes: start }),
    end: instantAt({ day: from.day, minutes: end }),
  });
}

/** Moves a span that was grabbed at one position to another. It keeps its duration, and its start snaps. */
export function movedSpan(span: Span, grabbed: Spot, at: Spot): Span {
  const days = Math.round((at.day.date.getTime() - grabbed.day.date.getTime()) / DAY);
  const shift = at.minutes - grabbed.minutes;
  const { start } = span;
  const wall = start.getHours() * 60 + start.getMinutes();
  // Without a vertical move the minutes stay, so that moving to another day does not round them.
  const minutes = Math.abs(shift) < STEP / 2 ? wall : snap(wall + shift);
  const moved = new Date(start.getFullYear(), start.getMonth(), start.getDate() + days, 0, minutes);
  if (days === 0 && minutes === wall) return span;
  return { start: moved, end: new Date(moved.getTime() + span.end.getTime() - start.getTime()) };
}

/** Moves the end of a span to a position, at least one step after its start. */
export function resizedSpan(span: Span, at: Spot): Span {
  const end = instantAt({ day: at.day, minutes: snap(at.minutes) });
  const least = new Date(span.start.getTime() + STEP * MINUTE);
  return { start: span.start, end: end < least ? least : end };
}

/**
 * Moves a span by days or minutes. Days follow the local clock. Minutes are elapsed time, because a local time that the clocks skip
 * would move a span in the wrong direction.
 */
export function shiftedSpan({ start, end }: Span, days: number, minutes: number): Span {
  const moved = new Date(
    start.getFullYear(),
    start.getMonth(),
    start.getDate() + days,
    start.getHours(),
    start.getMinutes(),
    start.getSeconds(),
  );
  const first = days === 0 ? start.getTime() : moved.getTime();
  const from = first + minutes * MINUTE;
  return { start: new Date(from), end: new Date(from + end.getTime() - start.getTime()) };
}

/** Moves the end by minutes, at least one step after the start. */
export function lengthenedSpan({ start, end }: Span, minutes: number): Span {
  return {
    start,
    end: new Date(Math.max(start.getTime() + STEP * MINUTE, end.getTime() + minutes * MINUTE)),
  };
}

/** Where the clocks skip the end, the span takes its duration in elapsed time. */
function ordered({ start, end }: Span): Span {
  return end > start ? { start, end } : { start, end: new Date(start.getTime() + STEP * MINUTE) };
}
