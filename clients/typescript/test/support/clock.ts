import type { Cancel } from '../../src/environment';

/** Runs all pending promise jobs and streams, and what they start. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 5; round++) await new Promise<void>((resolve) => setImmediate(resolve));
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that advances only when a test calls `advance`. */
export class ManualClock {
  now = 1000;
  #order = 0;
  readonly #timers = new Set<Timer>();

  setTimer(milliseconds: number, callback: () => void): Cancel {
    const timer = { at: this.now + Math.max(0, milliseconds), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Milliseconds until each pending timer, soonest first. */
  get pending(): number[] {
    return [...this.#timers].map((timer) => timer.at - this.now).sort((one, other) => one - other);
  }

  /** Advances the clock. Runs each timer at its time, and everything that it starts, before the next timer. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= end);
      due.sort((one, other) => one.at - other.at || one.order - other.order);
      const next = due[0];
      if (!next) break;
      this.#timers.delete(next);
      this.now = Math.max(this.now, next.at);
      next.callback();
      await settle();
    }
    this.now = end;
    await settle();
  }
}
