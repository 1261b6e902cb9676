import { isTemporary, problemOf, type Cancel, type Environment, type Problem } from '@dunlin/client';
import type { Mutation } from '../api/focus';

export type Fields = Readonly<Record<string, unknown>>;

/** A change that the server has not confirmed. */
export interface PendingMutation extends Mutation {
  readonly id: string;
  readonly kind: 'task' | 'entry';
  /** Former values of the fields in `body`. */
  readonly before?: Fields | undefined;
  /** Values of another device that conflict with this change: the user has to choose. */
  readonly theirs?: Versioned | undefined;
}

/** What the server has of a thing. */
export type Versioned = Fields & { readonly version: number };

export interface OutboxOptions {
  readonly environment: Environment;
  /** Where mutations outlive the page; absent where storage is blocked. */
  readonly storage?: Storage | undefined;
  readonly prefix: string;
  /** Resolves with the thing as it is now, or nothing where it is gone. */
  readonly send: (mutation: PendingMutation) => Promise<Versioned | undefined>;
  readonly onChange: (waiting: readonly PendingMutation[]) => void;
  readonly onRefused: (mutation: PendingMutation, problem: Problem) => void;
}

interface Slot {
  /** Its place in the storage, which is its place in the order. */
  readonly key: string;
  readonly mutation: PendingMutation;
  /** Only in this page's memory, because the storage is blocked or full. */
  readonly memoryOnly: boolean;
}

const RETRY_MS = 10_000;

/**
 * What was made, changed or deleted, in order, until the server has it. Without network it waits, over a reload too; all is
 * sent in the order in which it was made, one at a time. Each mutation is an entry of its own in the storage, so that tabs do
 * not overwrite each other's; the tabs take turns in sending, and each looks into the storage for what others have sent.
 *
 * An edit names the version that it was made on. When the server has a newer one and what the edit writes has stayed the
 * same, it is made again on that; when another device changed that too, the edit stays, with `theirs`, until `resolve`.
 * Whatever concerns the same thing waits behind it; everything else goes on.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #slots: readonly Slot[];
  #sending: Promise<void> | undefined;
  #stopRetry: Cancel | undefined;
  #sequence = 0;
  #isDisposed = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#slots = this.#stored();
  }

  get waiting(): readonly PendingMutation[] {
    return this.#slots.map(({ mutation }) => mutation);
  }

  add(mutation: PendingMutation): void {
    const order = `${String(Date.now()).padStart(15, '0')}.${String(this.#sequence++).padStart(6, '0')}`;
    const key = `${this.#options.prefix} ${order} ${this.#options.environment.randomId()}`;
    this.#show([...this.#slots, this.#keep(key, mutation)]);
    void this.flush();
  }

  /** Sends what waits; call it when the connection is live again. */
  flush(): Promise<void> {
    if (this.#isDisposed) return Promise.resolve();
    this.#sending ??= this.#inTurn().finally(() => (this.#sending = undefined));
    return this.#sending;
  }

  /** Ends a conflict: ours is made on top of theirs, or given up together with what was built on it. */
  resolve(mutation: PendingMutation, choice: 'ours' | 'theirs'): void {
    const { theirs } = mutation;
    if (!theirs) return;
    if (choice === 'ours')
      this.#replace(mutation, {
        ...mutation,
        version: theirs.version,
        before: onlyOf(mutation.before, theirs),
        theirs: undefined,
      });
    else for (const each of this.#slots.filter((slot) => isOf(mutation, slot.mutation))) this.#drop(each);
    void this.flush();
  }

  /** Sends nothing any more; what waits is in the storage. */
  dispose(): void {
    this.#isDisposed = true;
    this.#stopRetry?.();
  }

  async #inTurn(): Promise<void> {
    this.#stopRetry?.();
    const { locks } = this.#options.environment;
    if (locks) await locks.request(this.#options.prefix, {}, () => this.#sendAll());
    else await this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    while (!this.#isDisposed) {
      this.#show([...this.#stored(), ...this.#slots.filter((slot) => slot.memoryOnly)]);
      const held = this.#slots.filter(({ mutation }) => mutation.theirs);
      const next = this.#slots.find(({ mutation }) => !held.some((slot) => isOf(slot.mutation, mutation)));
      if (!next) return;
      const problem = await this.#send(next);
      // Without a session no attempt can succeed: `flush` goes on after the sign-in.
      if (problem?.kind === 'signedOut') return;
      if (problem && isTemporary(problem)) {
        if (this.#isDisposed) return;
        this.#stopRetry = this.#options.environment.setTimer(RETRY_MS, () => void this.flush());
        return;
      }
    }
  }

  /** Returns why it could not be sent; it is settled, in one way or the other, unless that is temporary. */
  async #send(slot: Slot): Promise<Problem | undefined> {
    const { mutation } = slot;
    try {
      const now = await this.#options.send(mutation);
      // Before it is dropped: a page that ends between the two repeats what the server recognises.
      const next = this.#slots.find((other) => other !== slot && isOf(mutation, other.mutation));
      if (next && now) this.#replace(next.mutation, onTopOf(next.mutation, now));
      this.#drop(slot);
      return undefined;
    } catch (error) {
      const problem = problemOf(error);
      if (isTemporary(problem) || problem.kind === 'signedOut') return problem;
      const current = problem.status === 412 ? problem.detail?.['current'] : undefined;
      if (current) {
        this.#replace(mutation, onTopOf(mutation, current as Versioned));
        return undefined;
      }
      this.#drop(slot);
      // Deleted by another device meanwhile: that is what was wanted.
      if (mutation.method === 'DELETE' && problem.kind === 'notFound') return undefined;
      this.#options.onRefused(mutation, problem);
      return problem;
    }
  }

  #replace(mutation: PendingMutation, by: PendingMutation): void {
    this.#show(this.#slots.map((slot) => (slot.mutation === mutation ? this.#keep(slot.key, by) : slot)));
  }

  #drop(slot: Slot): void {
    this.#options.storage?.removeItem(slot.key);
    this.#show(this.#slots.filter(({ key }) => key !== slot.key));
  }

  #show(slots: readonly Slot[]): void {
    this.#slots = slots;
    this.#options.onChange(this.waiting);
  }

  #keep(key: string, mutation: PendingMutation): Slot {
    try {
      this.#options.storage?.setItem(key, JSON.stringify(mutation));
      return { key, mutation, memoryOnly: !this.#options.storage };
    } catch {
      // Full: it waits as long as the page is open.
      return { key, mutation, memoryOnly: true };
    }
  }

  #stored(): readonly Slot[] {
    const { storage, prefix } = this.#options;
    if (!storage) return [];
    const keys = Array.from({ length: storage.length }, (_, i) => storage.key(i) ?? '');
    const slots: Slot[] = [];
    for (const key of keys.filter((each) => isPlaceOf(prefix, each)).sort()) {
      try {
        const mutation = JSON.parse(storage.getItem(key) ?? '') as PendingMutation;
        slots.push({ key, mutation, memoryOnly: false });
      } catch {
        storage.removeItem(key);
      }
    }
    return slots;
  }
}

/** The rest of a place is its order and an id. Anything else belongs to a user whose id begins like this one's. */
function isPlaceOf(prefix: string, key: string): boolean {
  return key.startsWith(`${prefix} `) && /^\S+ \S+$/.test(key.slice(prefix.length + 1));
}

function isOf(one: PendingMutation, other: PendingMutation): boolean {
  return one.id === other.id && one.kind === other.kind;
}

/** Rebases the mutation on the current server state, if the state that it was made on is unchanged. */
function onTopOf(mutation: PendingMutation, now: Versioned): PendingMutation {
  const isUntouched = Object.entries(mutation.before ?? {}).every(([name, value]) =>
    isSame(name, value, now[name]),
  );
  return isUntouched
    ? { ...mutation, version: now.version, theirs: undefined }
    : { ...mutation, theirs: now };
}

function onlyOf(names: Fields | undefined, values: Fields): Fields {
  return Object.fromEntries(Object.keys(names ?? {}).map((name) => [name, values[name]]));
}

/** Times are the same where the instants are: the server writes them in its own way. */
function isSame(name: string, one: unknown, other: unknown): boolean {
  const isTime = name === 'start' || name === 'end';
  return one === other || (isTime && Date.parse(String(one)) === Date.parse(String(other)));
}
