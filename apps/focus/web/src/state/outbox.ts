import { isTemporary, problemOf, type Cancel, type Environment, type Problem } from '@dunlin/client';
import type { Mutation } from '../api/focus';

export type Fields = Readonly<Record<string, unknown>>;

/** A change that the server has not confirmed. */
export interface PendingMutation extends Mutation {
  readonly id: string;
  readonly kind: 'task' | 'entry';
  /** Previous values of the fields in `body`. */
  readonly before?: Fields | undefined;
  /** Values of another device that conflict with this change. The user has to choose. */
  readonly theirs?: Versioned | undefined;
}

/** The server's state of an object. */
export type Versioned = Fields & { readonly version: number };

export interface OutboxOptions {
  readonly environment: Environment;
  /** Storage for mutations that must outlive the page. Undefined where the browser blocks storage. */
  readonly storage?: Storage | undefined;
  readonly prefix: string;
  /** Sends a mutation. Resolves with the current object, or with undefined if it is deleted. */
  readonly send: (mutation: PendingMutation) => Promise<Versioned | undefined>;
  readonly onChange: (waiting: readonly PendingMutation[]) => void;
  readonly onRefused: (mutation: PendingMutation, problem: Problem) => void;
}

interface Slot {
  /** Its key in the storage, which also defines the order. */
  readonly key: string;
  readonly mutation: PendingMutation;
  /** `older`: the storage is full and holds an older state of the mutation. `nothing`: it is full or blocked, and holds none. */
  readonly stored: 'current' | 'older' | 'nothing';
}

const RETRY_MS = 10_000;

/**
 * A persistent queue of mutations. Mutations are sent in order, one at a time, and wait without network, also across a reload. Each
 * mutation has its own storage entry, so that tabs do not overwrite each other's. Tabs take turns in sending and remove mutations that
 * another tab has sent.
 *
 * An edit names the version that it is based on. If the server has a newer version without a conflicting change, the edit is rebased. A
 * conflicting edit stays with `theirs` until `resolve`. It blocks later mutations of the same object only.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #slots: readonly Slot[];
  #sending: Promise<void> | undefined;
  #stopRetry: Cancel | undefined;
  #last = 0;
  #isDisposed = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#slots = this.#stored();
  }

  get waiting(): readonly PendingMutation[] {
    return this.#slots.map(({ mutation }) => mutation);
  }

  add(mutation: PendingMutation): void {
    const key = `${this.#options.prefix} ${this.#nextOrder()} ${this.#options.environment.randomId()}`;
    this.#show([...this.#slots, this.#keep(key, mutation, 'nothing')]);
    void this.flush();
  }

  /** Sends pending mutations. Call it after a reconnect. */
  flush(): Promise<void> {
    if (this.#isDisposed) return Promise.resolve();
    this.#sending ??= this.#inTurn().finally(() => (this.#sending = undefined));
    return this.#sending;
  }

  /** Ends a conflict. `ours`: the edit is rebased on theirs. `theirs`: the edit and those based on it are dropped. */
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

  /** Stops sending. Pending mutations stay in the storage. */
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
      this.#show(this.#merged());
      const held = this.#slots.filter(({ mutation }) => mutation.theirs);
      const next = this.#slots.find(({ mutation }) => !held.some((slot) => isOf(slot.mutation, mutation)));
      if (!next) return;
      const problem = await this.#send(next);
      // Without a session no attempt can succeed. `flush` continues after the sign-in.
      if (problem?.kind === 'signedOut') return;
      if (problem && isTemporary(problem)) {
        if (this.#isDisposed) return;
        this.#stopRetry = this.#options.environment.setTimer(RETRY_MS, () => void this.flush());
        return;
      }
    }
  }

  /** Sends one mutation and returns its problem, if any. The mutation leaves the queue unless the problem is temporary or a conflict. */
  async #send(slot: Slot): Promise<Problem | undefined> {
    const { mutation } = slot;
    try {
      const now = await this.#options.send(mutation);
      // Rebase before dropping: a page that ends in between repeats a mutation that the server recognises.
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
      // Another device already deleted it: the goal is reached.
      if (mutation.method === 'DELETE' && problem.kind === 'notFound') return undefined;
      this.#options.onRefused(mutation, problem);
      return problem;
    }
  }

  #replace(mutation: PendingMutation, by: PendingMutation): void {
    this.#show(
      this.#slots.map((slot) => (slot.mutation === mutation ? this.#keep(slot.key, by, slot.stored) : slot)),
    );
  }

  #drop(slot: Slot): void {
    this.#options.storage?.removeItem(slot.key);
    this.#show(this.#slots.filter(({ key }) => key !== slot.key));
  }

  #show(slots: readonly Slot[]): void {
    this.#slots = slots;
    this.#options.onChange(this.waiting);
  }

  #keep(key: string, mutation: PendingMutation, before: Slot['stored']): Slot {
    const { storage } = this.#options;
    try {
      storage?.setItem(key, JSON.stringify(mutation));
      return { key, mutation, stored: storage ? 'current' : 'nothing' };
    } catch {
      // The storage is full and keeps the older state, if any: a reload continues with it, and the server recognises a repeated one.
      return { key, mutation, stored: before === 'nothing' ? 'nothing' : 'older' };
    }
  }

  /**
   * Joins the stored mutations of all tabs and those of this page's memory, each once and in order. A removed key was sent by another tab.
   * Sending makes room in a full storage, so what did not fit is stored now.
   */
  #merged(): readonly Slot[] {
    const stored = this.#stored();
    const keys = new Set(stored.map(({ key }) => key));
    const unstored = this.#slots.filter(
      ({ key, stored: state }) => state === 'nothing' || (state === 'older' && keys.has(key)),
    );
    const newer = new Set(unstored.map(({ key }) => key));
    return [
      ...stored.filter(({ key }) => !newer.has(key)),
      ...unstored.map((slot) => this.#keep(slot.key, slot.mutation, slot.stored)),
    ].sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  /** Returns an order after all pending mutations of this browser. A clock could be set back and repeat one. */
  #nextOrder(): string {
    const pending = [...this.#storedKeys(), ...this.#slots.map(({ key }) => key)];
    const orders = pending.map((key) => Number.parseInt(key.slice(this.#options.prefix.length + 1), 10));
    this.#last = Math.max(this.#last, ...orders) + 1;
    return String(this.#last).padStart(15, '0');
  }

  #storedKeys(): readonly string[] {
    const { storage, prefix } = this.#options;
    const keys = Array.from({ length: storage?.length ?? 0 }, (_, i) => storage?.key(i) ?? '');
    return keys.filter((each) => isPlaceOf(prefix, each)).sort();
  }

  #stored(): readonly Slot[] {
    const { storage } = this.#options;
    if (!storage) return [];
    const slots: Slot[] = [];
    for (const key of this.#storedKeys()) {
      try {
        const mutation = JSON.parse(storage.getItem(key) ?? '') as PendingMutation;
        slots.push({ key, mutation, stored: 'current' });
      } catch {
        storage.removeItem(key);
      }
    }
    return slots;
  }
}

/** Whether the key belongs to this prefix: the rest must be a number and an id. Otherwise it belongs to a user whose id has this prefix. */
function isPlaceOf(prefix: string, key: string): boolean {
  return key.startsWith(`${prefix} `) && /^\d\S* \S+$/.test(key.slice(prefix.length + 1));
}

function isOf(one: PendingMutation, other: PendingMutation): boolean {
  return one.id === other.id && one.kind === other.kind;
}

/** Rebases the mutation on the current server state, if the fields that it changes still have their previous values. */
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

/** Times are equal if their instants are equal: the server formats them differently. */
function isSame(name: string, one: unknown, other: unknown): boolean {
  const isTime = name === 'start' || name === 'end';
  return one === other || (isTime && Date.parse(String(one)) === Date.parse(String(other)));
}
