import type {
  Broadcast,
  Cancel,
  Environment,
  KeyValueStorage,
  Locks,
  PageSignal,
  PageSignalDetail,
} from '../../src/environment';
import { ManualClock } from './clock';

export type FakeFetch = (url: string, init: RequestInit) => Promise<Response>;

/** An environment in which a test controls clock, network and visibility. */
export class FakeEnvironment implements Environment {
  readonly clock: ManualClock;
  readonly errors: unknown[] = [];
  online = true;
  hidden = false;
  /** The result of `random`. 1 gives every jittered delay its maximum. */
  chance = 1;
  locks: Locks | undefined;
  openBroadcast: ((name: string) => Broadcast) | undefined;
  storage: KeyValueStorage | undefined;
  fetchWith: FakeFetch = () => Promise.reject(new TypeError('fetch failed'));
  #ids = 0;
  readonly #name: string;
  readonly #signals = new Map<PageSignal, Set<(detail: PageSignalDetail) => void>>();

  constructor(clock = new ManualClock(), name = 'id') {
    this.clock = clock;
    this.#name = name;
  }

  fetch(url: string, init: RequestInit): Promise<Response> {
    return this.fetchWith(url, init);
  }

  now(): number {
    return this.clock.now;
  }

  setTimer(milliseconds: number, callback: () => void): Cancel {
    return this.clock.setTimer(milliseconds, callback);
  }

  random(): number {
    return this.chance;
  }

  randomId(): string {
    return `${this.#name}-${++this.#ids}`;
  }

  isOnline(): boolean {
    return this.online;
  }

  isHidden(): boolean {
    return this.hidden;
  }

  onSignal(signal: PageSignal, handler: (detail: PageSignalDetail) => void): Cancel {
    const handlers = this.#signals.get(signal) ?? new Set();
    this.#signals.set(signal, handlers.add(handler));
    return () => handlers.delete(handler);
  }

  reportError(error: unknown): void {
    this.errors.push(error);
  }

  signal(signal: PageSignal, detail: PageSignalDetail = {}): void {
    if (signal === 'online') this.online = true;
    if (signal === 'offline') this.online = false;
    if (signal === 'hidden') this.hidden = true;
    if (signal === 'visible') this.hidden = false;
    for (const handler of [...(this.#signals.get(signal) ?? [])]) handler(detail);
  }
}
