import type { Session } from '../api/focus';
import { dayKey, type Day } from './week';

/** Focus time of one day. */
export interface DayTotal {
  readonly day: Day;
  readonly minutes: number;
  readonly sessions: number;
}

export interface TaskTotal {
  readonly title: string;
  readonly minutes: number;
}

const MINUTE = 60_000;

/** Returns the focus time of each day. A timer counts on the day on which it started; a cancelled one does not count. */
export function dayTotals(sessions: readonly Session[], days: readonly Day[]): readonly DayTotal[] {
  return days.map((day) => {
    const found = sessionsOf(sessions, day);
    return { day, minutes: minutesOf(found), sessions: found.length };
  });
}

/** Returns the focus time of a day by task, longest first. */
export function taskTotals(sessions: readonly Session[], day: Day): readonly TaskTotal[] {
  const found = sessionsOf(sessions, day);
  const titles = [...new Set(found.map(({ taskTitle }) => taskTitle))];
  return titles
    .map((title) => ({ title, minutes: minutesOf(found.filter(({ taskTitle }) => taskTitle === title)) }))
    .sort((one, other) => other.minutes - one.minutes || (one.title < other.title ? -1 : 1));
}

function sessionsOf(sessions: readonly Session[], { key }: Day): readonly Session[] {
  return sessions.filter(
    ({ outcome, startedAt }) => outcome !== 'cancelled' && dayKey(new Date(startedAt)) === key,
  );
}

/** Adds up before rounding, so that short sessions count. */
function minutesOf(sessions: readonly Session[]): number {
  return Math.floor(sessions.reduce((sum, { focusedMs }) => sum + focusedMs, 0) / MINUTE);
}
