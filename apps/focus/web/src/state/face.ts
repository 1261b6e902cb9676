import type { Look } from './looks';
import type { Timer } from '../api/focus';

/** The content of the clock at one moment. */
export interface Face {
  readonly text: string;
  /** Remaining part of the phase, 0 to 1. */
  readonly left: number;
  readonly secondsLeft: number;
}

/** Returns how a timer is displayed on this device. */
export function lookOf(timer: Timer | null, deviceId: string): Look {
  if (!timer) return 'idle';
  if (timer.deviceId !== deviceId) return 'elsewhere';
  return timer.status;
}

/** Says what the timer does, for `The timer is …`. */
export function statusText(timer: Timer): string {
  return timer.status === 'break' ? 'on a break' : timer.status;
}

export function remainingMs(timer: Timer, serverNow: number): number {
  const passed = timer.status === 'paused' ? 0 : Math.max(0, serverNow - Date.parse(timer.asOf));
  return Math.max(0, timer.remainingMs - passed);
}

/** Returns the focus time so far in milliseconds, without pauses and breaks. */
export function focusedMs(timer: Timer, serverNow: number): number {
  return (
    timer.focusedMs + (timer.status === 'running' ? timer.remainingMs - remainingMs(timer, serverNow) : 0)
  );
}

export function faceOf(timer: Timer, serverNow: number): Face {
  const left = remainingMs(timer, serverNow);
  // Round up: a timer of 25 minutes begins with 25:00 and displays 00:00 only at its end.
  const secondsLeft = Math.ceil(left / 1000);
  return { text: clockText(secondsLeft), left: Math.min(1, left / phaseMs(timer)), secondsLeft };
}

export function clockText(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${two(minutes)}:${two(seconds % 60)}`;
}

export function phaseMs(timer: Timer): number {
  if (timer.pomodoroState) return timer.pomodoroState.phaseMs;
  return timer.remainingMs + timer.focusedMs;
}
