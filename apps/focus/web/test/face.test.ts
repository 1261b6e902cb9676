import { describe, expect, test } from 'vitest';
import type { Timer } from '../src/api/focus';
import { clockText, faceOf, focusedMs, lookOf } from '../src/state/face';

const asOf = '2030-01-01T10:00:00+00:00';
const at = (seconds: number) => Date.parse(asOf) + seconds * 1000;

function timer(changes: Partial<Timer> = {}): Timer {
  return {
    id: 't',
    version: 1,
    status: 'running',
    mode: 'pomodoro',
    taskId: null,
    taskTitle: 'Write',
    deviceId: 'laptop',
    deviceName: 'Laptop',
    startedAt: asOf,
    plannedEndTime: null,
    pomodoroState: { phase: 'focus', cycle: 1, phaseMs: 25 * 60_000, isLongBreak: false },
    remainingMs: 25 * 60_000,
    focusedMs: 0,
    pauses: 0,
    asOf,
    ...changes,
  };
}

describe('The face of the timer', () => {
  test('counts down in whole seconds from its instant and stops at zero', () => {
    expect(faceOf(timer(), at(0)).text).toBe('25:00');
    expect(faceOf(timer(), at(0.4)).text).toBe('25:00');
    expect(faceOf(timer(), at(1)).text).toBe('24:59');
    expect(faceOf(timer(), at(1499.5)).text).toBe('00:01');
    expect(faceOf(timer(), at(1600))).toEqual({ text: '00:00', left: 0, secondsLeft: 0 });
    expect(faceOf(timer(), at(750)).left).toBe(0.5);
  });

  test('stays constant while paused and ignores a clock before its instant', () => {
    expect(faceOf(timer({ status: 'paused', remainingMs: 61_000 }), at(500)).text).toBe('01:01');
    expect(faceOf(timer(), at(-30)).text).toBe('25:00');
  });

  test('counts focus time without breaks and pauses', () => {
    expect(focusedMs(timer({ focusedMs: 60_000 }), at(30))).toBe(90_000);
    expect(focusedMs(timer({ focusedMs: 60_000 }), at(5000))).toBe(60_000 + 25 * 60_000);
    expect(focusedMs(timer({ status: 'break', focusedMs: 60_000 }), at(30))).toBe(60_000);
    expect(focusedMs(timer({ status: 'paused', focusedMs: 60_000 }), at(30))).toBe(60_000);
  });

  test('shows hours only when there are any', () => {
    expect([clockText(0), clockText(3599), clockText(3600), clockText(86_400)]).toEqual([
      '00:00',
      '59:59',
      '1:00:00',
      '24:00:00',
    ]);
  });

  test('is elsewhere on every device except one', () => {
    expect(lookOf(null, 'laptop')).toBe('idle');
    expect(lookOf(timer({ status: 'paused' }), 'laptop')).toBe('paused');
    expect(lookOf(timer({ status: 'break' }), 'laptop')).toBe('break');
    expect(lookOf(timer({ status: 'paused' }), 'phone')).toBe('elsewhere');
  });
});
