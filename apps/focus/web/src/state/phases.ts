import type { Session, Timer } from '../api/focus';

/** The end of a phase, for an alert. */
export interface PhaseEnd {
  /** Identifies the end: the page's own clock and the server report the same one. */
  readonly key: string;
  readonly title: string;
  readonly text: string;
}

/** Returns the end that leads to the current phase of a timer. */
export function endBefore(timer: Timer): PhaseEnd {
  const { phase, cycle } = timer.pomodoroState ?? { phase: 'focus', cycle: 0 };
  return endOf(timer, phase, cycle);
}

/** Returns the end of the current phase, which the page's clock has reached. */
export function endAfter(timer: Timer): PhaseEnd {
  const { pomodoroState: state } = timer;
  if (!state) return endOfTimer(timer);
  return state.phase === 'focus'
    ? endOf(timer, 'break', state.cycle)
    : endOf(timer, 'focus', state.cycle + 1);
}

/** Returns the planned end of a timer. */
export function endOfTimer({ id, taskTitle }: Pick<Timer | Session, 'id' | 'taskTitle'>): PhaseEnd {
  return { key: `${id} end`, title: 'Time is up', text: `“${taskTitle}” is done.` };
}

function endOf({ id, taskTitle }: Timer, next: 'focus' | 'break', cycle: number): PhaseEnd {
  const key = `${id} ${next} ${cycle}`;
  return next === 'break'
    ? { key, title: 'Time for a break', text: `Focus ${cycle} on “${taskTitle}” is over.` }
    : { key, title: 'Back to focus', text: `The break is over. Next: “${taskTitle}”.` };
}
