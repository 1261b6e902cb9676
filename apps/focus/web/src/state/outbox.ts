import { isTemporary, problemOf, type Cancel, type Environment, type Problem } from '@dunlin/client';

/** Something to be sent once the server can be reached. Its id makes sending it twice the same as once. */
export interface Parcel {
  readonly id: string;
  readonly kind: 'task' | 'entry';
  readonly method: 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>> | undefined;
}

export interface OutboxOptions {
  readonly environment: Environment;
  /** Where parcels outlive the page; absent where storage is blocked. */
  readonly storage?: Storage | undefined;
  readonly prefix: string;
  readonly send: (parcel: Parcel) => Promise<void>;
  readonly onChange: (waiting: readonly Parcel[]) => void;
  readonly onRefused: (parcel: Parcel, problem: Problem) => void;
}

const RETRY_MS = 10_000;

/**
 * What was made or deleted, in order, until the server has it. Without network it waits, over a reload too; all is
 * sent in the order in which it was made, one at a time. Each parcel is an entry of its own in the storage, so that tabs do
 * not overwrite each other's; two tabs may both send one, which changes nothing.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #waiting: Parcel[] = [];
  #isSending = false;
  #stopRetry: Cancel | undefined;
  #sequence = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#waiting = this.#kept();
  }

  get waiting(): readonly Parcel[] {
    return this.#waiting;
  }

  add(parcel: Parcel): void {
    this.#waiting = [...this.#waiting, parcel];
    this.#keep(parcel);
    this.#options.onChange(this.#waiting);
    void this.flush();
  }

  /** Sends what waits; call it when the connection is live again. */
  async flush(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    this.#stopRetry?.();
    try {
      for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
        const problem = await this.#send(next);
        if (problem && (isTemporary(problem) || problem.kind === 'signedOut')) {
          this.#stopRetry = this.#options.environment.setTimer(RETRY_MS, () => void this.flush());
          return;
        }
        this.#drop(next);
        if (problem) this.#options.onRefused(next, problem);
      }
    } finally {
      this.#isSending = false;
    }
  }

  dispose(): void {
    this.#stopRetry?.();
  }

  async #send(parcel: Parcel): Promise<Problem | undefined> {
    try {
      await this.#options.send(parcel);
      return undefined;
    } catch (error) {
      const problem = problemOf(error);
      // Deleted by another device meanwhile: that is what was wanted.
      return parcel.method === 'DELETE' && problem.kind === 'notFound' ? undefined : problem;
    }
  }

  #drop(parcel: Parcel): void {
    this.#waiting = this.#waiting.filter((each) => each !== parcel);
    for (const [key, kept] of this.#entries()) {
      if (kept.id === parcel.id && kept.method === parcel.method) this.#options.storage?.removeItem(key);
    }
    this.#options.onChange(this.#waiting);
  }

  #keep(parcel: Parcel): void {
    const order = `${String(Date.now()).padStart(15, '0')}.${String(this.#sequence++).padStart(6, '0')}`;
    try {
      this.#options.storage?.setItem(`${this.#options.prefix} ${order} ${parcel.id}`, JSON.stringify(parcel));
    } catch {
      // Full: it waits as long as the page is open.
    }
  }

  #kept(): Parcel[] {
    return this.#entries().map(([, parcel]) => parcel);
  }

  #entries(): [string, Parcel][] {
    const { storage, prefix } = this.#options;
    if (!storage) return [];
    const keys = Array.from({ length: storage.length }, (_, i) => storage.key(i) ?? '');
    const entries: [string, Parcel][] = [];
    for (const key of keys.filter((each) => each.startsWith(`${prefix} `)).sort()) {
      try {
        entries.push([key, JSON.parse(storage.getItem(key) ?? '') as Parcel]);
      } catch {
        storage.removeItem(key);
      }
    }
    return entries;
  }
}
