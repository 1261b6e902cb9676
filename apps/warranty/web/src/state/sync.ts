import type { Cancel, Environment } from '@dunlin/client';

/** Between two full syncs, in milliseconds. */
export const SYNC_INTERVAL_MS = 60_000;
/** Events that change the list within this time cost one sync. */
const SOON_MS = 250;

/**
 * Runs the full sync: every 60 s, soon after an event that asks for it, and now. Never two at a time, and a request that
 * comes while one runs is not dropped: that one began too early to answer it, so another follows.
 */
export class SyncLoop {
  readonly #environment: Environment;
  readonly #run: () => Promise<void>;
  #running: Promise<void> | undefined;
  #again: Promise<void> | undefined;
  #stopInterval: Cancel | undefined;
  #stopSoon: Cancel | undefined;

  constructor(environment: Environment, run: () => Promise<void>) {
    this.#environment = environment;
    this.#run = run;
  }

  start(): void {
    this.#stopInterval = this.#environment.setTimer(SYNC_INTERVAL_MS, () => {
      this.start();
      void this.now();
    });
  }

  stop(): void {
    this.#stopInterval?.();
    this.#stopSoon?.();
  }

  soon(): void {
    this.#stopSoon ??= this.#environment.setTimer(SOON_MS, () => {
      this.#stopSoon = undefined;
      void this.now();
    });
  }

  /** Resolves after a sync that began now or later. */
  now(): Promise<void> {
    if (!this.#running) return this.#begin();
    this.#again ??= this.#running.then(() => {
      this.#again = undefined;
      return this.#begin();
    });
    return this.#again;
  }

  #begin(): Promise<void> {
    this.#running = this.#run().finally(() => (this.#running = undefined));
    return this.#running;
  }
}
