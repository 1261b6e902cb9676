import type { Cancel, Environment } from '@dunlin/client';

/** Interval between two full syncs, in milliseconds. */
export const SYNC_INTERVAL_MS = 60_000;
/** Events that change the list within this many milliseconds cost one sync. */
const SOON_MS = 250;

/**
 * Runs the full sync: every 60 s, shortly after an event that requires it, and on request. At most one runs at a time. A request during a
 * run starts another run, because the current one may miss the change.
 */
export class SyncLoop {
  readonly #environment: Environment;
  readonly #run: () => Promise<void>;
  #running: Promise<void> | undefined;
  #again: Promise<void> | undefined;
  #stopInterval: Cancel | undefined;
  #stopSoon: Cancel | undefined;
  #isStopped = false;

  constructor(environment: Environment, run: () => Promise<void>) {
    this.#environment = environment;
    this.#run = run;
  }

  start(): void {
    this.#isStopped = false;
    this.#stopInterval = this.#environment.setTimer(SYNC_INTERVAL_MS, () => {
      this.start();
      void this.now();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopInterval?.();
    this.#stopSoon?.();
    this.#stopSoon = undefined;
  }

  soon(): void {
    if (this.#isStopped) return;
    this.#stopSoon ??= this.#environment.setTimer(SOON_MS, () => {
      this.#stopSoon = undefined;
      void this.now();
    });
  }

  /** Resolves after a sync that started at or after this call. */
  now(): Promise<void> {
    if (!this.#running) return this.#begin();
    this.#again ??= this.#running.then(() => {
      this.#again = undefined;
      return this.#isStopped ? undefined : this.#begin();
    });
    return this.#again;
  }

  #begin(): Promise<void> {
    this.#running = this.#run().finally(() => (this.#running = undefined));
    return this.#running;
  }
}
