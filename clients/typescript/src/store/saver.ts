import type { Cancel, Environment } from '../environment.js';
import { backoffMs } from '../connection/backoff.js';
import { isTemporary, problemOf, type Problem } from '../http/problem.js';

export type SaveOutcome =
  | { readonly status: 'saved' }
  | { readonly status: 'refused'; readonly problem: Problem }
  /** The edit was reverted before it was sent. */
  | { readonly status: 'discarded' };

export interface SaveContext {
  /** The same for every attempt to save the same changes: an idempotency key. */
  readonly saveId: string;
  /** Aborted when the save takes longer than `saveTimeoutMs`. A save must end when this aborts. */
  readonly signal: AbortSignal;
  /** The page is unloading: pass it to fetch. */
  readonly keepalive: boolean;
}

export interface SaverOptions<Changes extends object, Result> {
  readonly environment: Environment;
  readonly save: (id: string, changes: Changes, context: SaveContext) => Promise<Result>;
  readonly debounceMs: number;
  readonly saveTimeoutMs: number;
  /** Returns the fields that the server refused, with the reason. */
  onSaved(id: string, changes: Changes, result: Result): Refusals<Changes>;
  onRefused(id: string, changes: Changes, problem: Problem): void;
  /** The unsaved edits of a record changed. */
  onChange(id: string): void;
}

export type Refusals<Changes> = Readonly<Partial<Record<keyof Changes, Problem>>>;

/** A caller that waits for the outcome of an edit of these fields. */
interface Waiter {
  readonly fields: readonly string[];
  readonly resolve: (outcome: SaveOutcome) => void;
}

interface Attempt<Changes> {
  readonly changes: Changes;
  readonly saveId: string;
  readonly waiters: Waiter[];
}

interface Entry<Changes> {
  /** Edits that are not sent yet. */
  dirty: Changes;
  waiters: Waiter[];
  inFlight: Attempt<Changes> | undefined;
  /** The last attempt, if its outcome is unknown. The same changes are sent again with the same id. */
  unknown: Attempt<Changes> | undefined;
  /** The debounce delay ended while a save was in flight. */
  due: boolean;
  failures: number;
  notBefore: number;
  stopTimer: Cancel | undefined;
}

/**
 * Sends edits: one request per burst and record. Invariant: at most one request per record is in flight. An edit is kept until the server
 * accepted or refused it. After any other failure it is sent again, together with later edits.
 */
export class Saver<Changes extends object, Result> {
  readonly #options: SaverOptions<Changes, Result>;
  readonly #entries = new Map<string, Entry<Changes>>();
  readonly #idle = new Map<string, (() => void)[]>();
  readonly #signals: Cancel[];
  #isDisposed = false;

  constructor(options: SaverOptions<Changes, Result>) {
    this.#options = options;
    const { environment } = options;
    this.#signals = [
      environment.onSignal('online', () => this.resume()),
      environment.onSignal('pageshow', () => this.resume()),
      environment.onSignal('pagehide', () => {
        for (const [id, entry] of this.#entries) this.#send(id, entry, true);
      }),
    ];
  }

  /** Ids of records with unsaved edits. */
  get ids(): Iterable<string> {
    return this.#entries.keys();
  }

  /** Returns the unsaved edits of a record: the newest value of each field. */
  unsaved(id: string): Changes | undefined {
    const entry = this.#entries.get(id);
    return entry && { ...entry.inFlight?.changes, ...entry.dirty };
  }

  /** Resolves when the server accepted or refused these changes. Never rejects. */
  add(id: string, changes: Changes, immediate: boolean): Promise<SaveOutcome> {
    const entry = this.#entry(id);
    entry.dirty = { ...entry.dirty, ...changes };
    const outcome = new Promise<SaveOutcome>((resolve) =>
      entry.waiters.push({ fields: Object.keys(changes), resolve }),
    );
    this.#options.onChange(id);
    if (immediate) this.#sendAfter(id, entry, 0);
    else this.#sendAfter(id, entry, this.#options.debounceMs);
    return outcome;
  }

  /** Reverts the unsent edit of one field. */
  discard(id: string, field: keyof Changes): void {
    const entry = this.#entries.get(id);
    if (!entry || !(field in entry.dirty)) return;
    const { [field]: _discarded, ...rest } = entry.dirty;
    entry.dirty = rest as Changes;
    if (isEmpty(rest)) {
      settle(entry.waiters, { status: 'discarded' });
      entry.stopTimer?.();
      entry.due = false;
    }
    this.#tidy(id, entry);
  }

  /** Refuses the edits of a record that was removed. */
  drop(id: string, problem: Problem): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    const changes = this.unsaved(id)!;
    entry.stopTimer?.();
    this.#entries.delete(id);
    settle(entry.inFlight?.waiters ?? [], { status: 'refused', problem });
    settle(entry.waiters, { status: 'refused', problem });
    this.#wakeIdle(id);
    this.#options.onRefused(id, changes, problem);
    this.#options.onChange(id);
  }

  /** Sends waiting edits now. Resolves when the record, or without an id any record, has no unsaved edits. */
  async flush(id?: string): Promise<void> {
    const ids = id === undefined ? [...this.#entries.keys()] : [id];
    await Promise.all(
      ids.map((each) => {
        const entry = this.#entries.get(each);
        if (!entry) return Promise.resolve();
        const idle = new Promise<void>((resolve) => {
          this.#idle.set(each, [...(this.#idle.get(each) ?? []), resolve]);
        });
        this.#sendAfter(each, entry, 0);
        return idle;
      }),
    );
  }

  /** Retries failed saves immediately: the network or the session is back. */
  resume(): void {
    for (const [id, entry] of this.#entries) {
      if (entry.failures > 0) this.#sendAfter(id, entry, 0);
    }
  }

  /** Stops sending. Unsaved edits are kept, and new edits are still accepted. */
  dispose(): void {
    this.#isDisposed = true;
    for (const cancel of this.#signals.splice(0)) cancel();
    for (const entry of this.#entries.values()) entry.stopTimer?.();
  }

  #entry(id: string): Entry<Changes> {
    let entry = this.#entries.get(id);
    if (!entry) {
      entry = {
        dirty: {} as Changes,
        waiters: [],
        inFlight: undefined,
        unknown: undefined,
        due: false,
        failures: 0,
        notBefore: 0,
        stopTimer: undefined,
      };
      this.#entries.set(id, entry);
    }
    return entry;
  }

  #sendAfter(id: string, entry: Entry<Changes>, milliseconds: number): void {
    entry.stopTimer?.();
    entry.due = false;
    if (this.#isDisposed) return;
    const { environment } = this.#options;
    const wait = Math.max(milliseconds, entry.notBefore - environment.now());
    if (wait <= 0) this.#send(id, entry, false);
    else entry.stopTimer = environment.setTimer(wait, () => this.#send(id, entry, false));
  }

  #send(id: string, entry: Entry<Changes>, keepalive: boolean): void {
    if (isEmpty(entry.dirty)) return;
    entry.stopTimer?.();
    if (entry.inFlight) {
      entry.due = true;
      return;
    }
    const { environment } = this.#options;
    const repeats = entry.unknown && sameChanges(entry.unknown.changes, entry.dirty);
    const saveId = repeats ? entry.unknown!.saveId : environment.randomId();
    const attempt: Attempt<Changes> = { changes: entry.dirty, saveId, waiters: entry.waiters };
    entry.inFlight = attempt;
    entry.dirty = {} as Changes;
    entry.waiters = [];
    entry.due = false;
    void this.#attempt(id, entry, attempt, keepalive);
  }

  async #attempt(
    id: string,
    entry: Entry<Changes>,
    attempt: Attempt<Changes>,
    keepalive: boolean,
  ): Promise<void> {
    const { environment, save, saveTimeoutMs } = this.#options;
    const timeout = new AbortController();
    const stopTimeout = environment.setTimer(saveTimeoutMs, () => timeout.abort());
    try {
      const context = { saveId: attempt.saveId, signal: timeout.signal, keepalive };
      const result = await save(id, attempt.changes, context);
      if (this.#entries.get(id) !== entry) return;
      entry.inFlight = entry.unknown = undefined;
      entry.failures = entry.notBefore = 0;
      const refusals = this.#options.onSaved(id, attempt.changes, result);
      settle(attempt.waiters, { status: 'saved' }, refusals);
    } catch (error) {
      if (this.#entries.get(id) !== entry) return;
      entry.inFlight = undefined;
      this.#failed(id, entry, attempt, problemOf(error));
    } finally {
      stopTimeout();
    }
    if (entry.due) this.#sendAfter(id, entry, 0);
    this.#tidy(id, entry);
  }

  #failed(id: string, entry: Entry<Changes>, attempt: Attempt<Changes>, problem: Problem): void {
    const { environment } = this.#options;
    if (!isTemporary(problem) && problem.kind !== 'aborted' && problem.kind !== 'signedOut') {
      entry.unknown = undefined;
      this.#giveUp(id, entry, attempt, problem);
      return;
    }
    entry.dirty = { ...attempt.changes, ...entry.dirty };
    entry.waiters = [...attempt.waiters, ...entry.waiters];
    entry.unknown = attempt;
    const retryAfter = 'retryAfterMs' in problem ? problem.retryAfterMs : undefined;
    if (retryAfter !== undefined) entry.notBefore = environment.now() + retryAfter;
    const wait = backoffMs(entry.failures++, environment.random());
    entry.due = false;
    // Without a session no attempt can succeed. `resume` continues after a sign-in.
    if (problem.kind !== 'signedOut') this.#sendAfter(id, entry, Math.max(wait, 1));
  }

  /** The refusal is final. If the server named one field, the other fields are sent again without it. */
  #giveUp(id: string, entry: Entry<Changes>, attempt: Attempt<Changes>, problem: Problem): void {
    const named = problem.kind === 'invalid' ? problem.field?.split('.').at(-1) : undefined;
    const { [named as keyof Changes]: value, ...rest } = attempt.changes;
    if (named === undefined || !(named in attempt.changes) || isEmpty(rest)) {
      this.#options.onRefused(id, attempt.changes, problem);
      return settle(attempt.waiters, { status: 'refused', problem });
    }
    entry.dirty = { ...(rest as Changes), ...entry.dirty };
    const isConcerned = ({ fields }: Waiter) => fields.includes(named);
    entry.waiters = [...attempt.waiters.filter((waiter) => !isConcerned(waiter)), ...entry.waiters];
    this.#options.onRefused(id, { [named]: value } as Changes, problem);
    settle(attempt.waiters.filter(isConcerned), { status: 'refused', problem });
    this.#sendAfter(id, entry, 0);
  }

  #tidy(id: string, entry: Entry<Changes>): void {
    if (!entry.inFlight && isEmpty(entry.dirty)) {
      this.#entries.delete(id);
      this.#wakeIdle(id);
    }
    this.#options.onChange(id);
  }

  #wakeIdle(id: string): void {
    const idle = this.#idle.get(id);
    this.#idle.delete(id);
    idle?.forEach((resolve) => resolve());
  }
}

function settle(
  waiters: Waiter[],
  outcome: SaveOutcome,
  refusals: Readonly<Record<string, Problem | undefined>> = {},
): void {
  for (const { fields, resolve } of waiters.splice(0)) {
    const problem = fields.map((field) => refusals[field]).find(Boolean);
    resolve(problem ? { status: 'refused', problem } : outcome);
  }
}

function isEmpty(changes: object): boolean {
  return Object.keys(changes).length === 0;
}

function sameChanges(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
