import type { Environment } from '../environment.js';
import { MAX_RETRY_MS, TRANSPORTS, type TransportName, type TransportState } from './transportState.js';

interface Remembered {
  readonly transport: TransportName;
  /** Unix time in milliseconds. */
  readonly until: number;
}

/** Remembers for each network which transport worked, so that the next page need not find out again. Needs storage and a wall clock. */
export class TransportMemory {
  readonly #environment: Environment;
  readonly #key: string;

  constructor(environment: Environment, base: string) {
    this.#environment = environment;
    this.#key = `dunlin transport ${base}`;
  }

  read(allowed: readonly TransportName[]): TransportName | undefined {
    const found = this.#all()[this.#network];
    const now = this.#environment.wallClock?.();
    return found && now !== undefined && found.until > now && allowed.includes(found.transport)
      ? found.transport
      : undefined;
  }

  write({ transport, retryMs = MAX_RETRY_MS }: TransportState): void {
    const now = this.#environment.wallClock?.();
    if (now === undefined) return;
    const all = Object.entries(this.#all()).filter(([, { until }]) => until > now);
    const next = { ...Object.fromEntries(all), [this.#network]: { transport, until: now + retryMs } };
    try {
      this.#environment.storage?.setItem(this.#key, JSON.stringify(next));
    } catch {
      // The storage is full or blocked: the next page finds out again.
    }
  }

  get #network(): string {
    return this.#environment.networkType?.() ?? 'unknown';
  }

  #all(): Record<string, Remembered> {
    try {
      const all = JSON.parse(this.#environment.storage?.getItem(this.#key) ?? '{}') as Record<
        string,
        Remembered
      >;
      const isValid = ([, one]: [string, Remembered]) => TRANSPORTS.includes(one?.transport) && one.until > 0;
      return Object.fromEntries(Object.entries(all).filter(isValid));
    } catch {
      return {};
    }
  }
}
