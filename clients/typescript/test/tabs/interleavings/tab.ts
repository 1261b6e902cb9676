import type { Cancel, Environment, PageSignal, PageSignalDetail } from '../../../src/environment';
import type { World } from './world';

export interface Timer {
  readonly at: number;
  readonly order: number;
  readonly milliseconds: number;
  readonly callback: () => void;
}

/** One tab. A frozen tab gets no input; its inputs wait. */
export class Tab {
  readonly name: string;
  readonly errors: unknown[] = [];
  isAlive = true;
  isFrozen = false;
  isHidden = false;
  /** Numbers of ports, lock requests and HTTP requests so far. */
  ports = 0;
  lockRequests = 0;
  requests = 0;
  readonly #world: World;
  readonly #timers = new Set<Timer>();
  readonly #signals = new Map<PageSignal, Set<(detail: PageSignalDetail) => void>>();
  #ids = 0;
  #order = 0;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
  }

  /** Returns the environment of one connection of this tab. */
  environment(owner: string): Environment {
    const world = this.#world;
    return {
      fetch: (url, init) => world.fetch(this, owner, url, init),
      now: () => world.clock,
      setTimer: (milliseconds, callback) => this.#setTimer(milliseconds, callback),
      // Jitter is not explored: with a half for all, tabs that wait for the same reason stay in step.
      random: () => 0.5,
      randomId: () => `${this.name}-${++this.#ids}`,
      isOnline: () => true,
      isHidden: () => this.isHidden,
      onSignal: (signal, handler) => this.#onSignal(signal, handler),
      reportError: (error) => void this.errors.push(error),
      storage: world.storage,
      locks: world.isSecure ? world.locksOf(this) : undefined,
      openBroadcast: (channel) => world.openBroadcast(this, channel, owner),
    };
  }

  #setTimer(milliseconds: number, callback: () => void): Cancel {
    const at = this.#world.clock + Math.max(0, milliseconds);
    const timer = { at, order: this.#order++, milliseconds, callback };
    if (this.isAlive) this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** The timer that is due first. Browsers run the timers of one page in the order of their times. */
  get nextTimer(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers)
      if (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    return next;
  }

  hasTimerWithin(milliseconds: number): boolean {
    return [...this.#timers].some((timer) => timer.milliseconds <= milliseconds);
  }

  fire(timer: Timer): void {
    this.#timers.delete(timer);
    timer.callback();
  }

  dropTimers(): void {
    this.#timers.clear();
  }

  #onSignal(signal: PageSignal, handler: (detail: PageSignalDetail) => void): Cancel {
    const handlers = this.#signals.get(signal) ?? new Set();
    this.#signals.set(signal, handlers.add(handler));
    return () => handlers.delete(handler);
  }

  signal(signal: PageSignal, detail: PageSignalDetail = {}): void {
    if (signal === 'visible' || signal === 'hidden') this.isHidden = signal === 'hidden';
    for (const handler of [...(this.#signals.get(signal) ?? [])]) handler(detail);
  }
}
