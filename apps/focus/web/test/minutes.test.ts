import { expect, test } from 'vitest';
import type { Session } from '../src/api/focus';
import { dayTotals, taskTotals } from '../src/state/minutes';
import { weekOf } from '../src/state/week';

const days = weekOf(new Date(2030, 0, 7));
const session = (day: number, hour: number, seconds: number, more: Partial<Session> = {}): Session => ({
  id: `${day} ${hour}`,
  version: 1,
  outcome: 'completed',
  taskId: null,
  taskTitle: 'Write',
  minutes: Math.floor(seconds / 60),
  focusedMs: seconds * 1000,
  loggedMs: 0,
  startedAt: new Date(2030, 0, day, hour).toISOString(),
  endedAt: new Date(2030, 0, day, hour + 1).toISOString(),
  ...more,
});

test('Focus time counts on the local day of its start, if not cancelled', () => {
  const sessions = [
    session(7, 9, 1500),
    session(7, 23, 1530),
    session(8, 9, 600, { outcome: 'cancelled' }),
    session(14, 0, 6000),
  ];
  expect(dayTotals(sessions, days).map(({ minutes, sessions: count }) => [minutes, count])).toEqual([
    [50, 2],
    ...Array.from({ length: 6 }, () => [0, 0]),
  ]);
});

test('Short sessions of a task add up before rounding', () => {
  const sessions = [
    session(7, 9, 40),
    session(7, 10, 40),
    session(7, 11, 300, { taskTitle: 'Plan' }),
    session(8, 9, 999),
  ];
  expect(taskTotals(sessions, days[0]!)).toEqual([
    { title: 'Plan', minutes: 5 },
    { title: 'Write', minutes: 1 },
  ]);
});
