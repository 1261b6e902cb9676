import type { Cancel } from '../environment.js';
import type { Problem } from '../http/problem.js';
import { Confirmed, isFresher, type Arrival, type Stamp } from './confirmed.js';
import type { MergeOptions, Refusal, SaveAnswer, StoreOptions, StoreState } from './options.js';
import { Saver, type Refusals, type SaveOutcome } from './saver.js';

/** Number of removals to remember, so that an answer from before a removal does not restore the record. */
const MAX_REMEMBERED_REMOVALS = 1000;

/**
 * Records by id, in three layers: the state that the server confirmed, the values of fields that are being edited, and unsaved edits.
 * Remote changes update the lowest layer only, so they never overwrite what a person is typing. The answer to a save moves the edit to the
 * lowest layer, with the version of the answer.
 */
export class Store<T extends object> {
  readonly #options: StoreOptions<T>;
  readonly #versionField: keyof T;
  readonly #confirmed = new Map<string, Confirmed<T>>();
  readonly #removed = new Map<string, Stamp>();
  readonly #editing = new Map<string, Map<keyof T, T[keyof T]>>();
  readonly #saver: Saver<Partial<T>, SaveAnswer<T> | void>;
  readonly #listeners = new Set<() => void>();
  readonly #refusalListeners = new Set<(refusal: Refusal<T>) => void>();
  #state: StoreState<T> = { records: new Map(), unsaved: new Set() };
  #changed = new Set<string>();
  #batch = 0;
  #sequence = 0;

  constructor(options: StoreOptions<T>) {
    this.#options = options;
    this.#versionField = options.versionField ?? ('version' as keyof T);
    this.#saver = new Saver({
      environment: options.environment,
      debounceMs: options.debounceMs ?? 1000,
      saveTimeoutMs: options.saveTimeoutMs ?? 30_000,
      save: (id, changes, context) =>
        options.save(id, changes, { ...context, version: this.#confirmed.get(id)?.version }),
      onSaved: (id, changes, answer) => this.#saved(id, changes, answer ?? {}),
      onRefused: (id, changes, problem) => this.#refused(id, changes, problem),
      onChange: (id) => this.#update(id),
    });
    for (const [id, changes] of Object.entries(options.persistence?.load() ?? {}))
      void this.edit(id, changes);
  }

  get(): StoreState<T> {
    return this.#state;
  }

  record(id: string): T | undefined {
    return this.#state.records.get(id);
  }

  subscribe(listener: () => void): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Adds a listener for edits that the server refused and the store reverted. */
  onRefused(listener: (refusal: Refusal<T>) => void): Cancel {
    this.#refusalListeners.add(listener);
    return () => this.#refusalListeners.delete(listener);
  }

  /**
   * Shows the edit at once and saves it after the debounce delay, or now when `immediate`. Resolves when the server accepted or refused it.
   */
  edit(
    id: string,
    changes: Partial<T>,
    options: { immediate?: boolean | undefined } = {},
  ): Promise<SaveOutcome> {
    return this.#saver.add(id, changes, options.immediate ?? false);
  }

  /** Returns the edits of a record that the server has not confirmed. */
  unsavedOf(id: string): Partial<T> | undefined {
    return this.#saver.unsaved(id);
  }

  /** Freezes the displayed value of the field: until `endEdit` only `edit` changes it. */
  beginEdit(id: string, field: keyof T): void {
    const record = this.record(id);
    if (!record) return;
    const fields = this.#editing.get(id) ?? new Map<keyof T, T[keyof T]>();
    if (!fields.has(field)) fields.set(field, record[field]);
    this.#editing.set(id, fields);
  }

  /** Displays the server's value again, or the edit while it is not saved. */
  endEdit(id: string, field: keyof T): void {
    const fields = this.#editing.get(id);
    fields?.delete(field);
    if (fields?.size === 0) this.#editing.delete(id);
    this.#update(id);
  }

  /** Ends the edit and reverts what is not sent yet. */
  cancelEdit(id: string, field: keyof T): void {
    this.#group(() => {
      this.#saver.discard(id, field);
      this.endEdit(id, field);
    });
  }

  /** Sends unsaved edits now. Resolves when none is left. */
  flush(id?: string): Promise<void> {
    return this.#saver.flush(id);
  }

  /** Retries failed saves immediately, for example after a sign-in or a reconnect. */
  resume(): void {
    this.#saver.resume();
  }

  /** Applies a whole record from an event. */
  put(record: T): void {
    this.#take(this.#idOf(record), record, { version: this.#versionOf(record) }, true);
  }

  /** Applies some fields of a record from an event. Returns `false` when the record is unknown: fetch it. */
  update(id: string, changes: Partial<T>, version: number | undefined = this.#versionOf(changes)): boolean {
    if (!this.#confirmed.has(id)) return false;
    this.#take(id, changes, { version }, false);
    return true;
  }

  /** Removes a record because of an event. Its unsaved edits are refused. */
  remove(id: string, version?: number): void {
    const known = this.#confirmed.get(id);
    if (version !== undefined && known?.version !== undefined && version < known.version) return;
    this.#confirmed.delete(id);
    this.#editing.delete(id);
    this.#removed.set(id, { version: version ?? known?.version, sequence: ++this.#sequence });
    for (const oldest of this.#removed.keys()) {
      if (this.#removed.size <= MAX_REMEMBERED_REMOVALS) break;
      this.#removed.delete(oldest);
    }
    this.#group(() => {
      this.#saver.drop(id, {
        kind: 'notFound',
        code: 'removed',
        title: 'The record was removed.',
        status: 404,
      });
      this.#update(id);
    });
  }

  /** Returns a mark for `merge`. Call it before requesting a snapshot. */
  mark(): number {
    return this.#sequence;
  }

  /** Applies a requested snapshot. It never replaces fresher data. */
  merge(records: Iterable<T>, { since, complete = false }: MergeOptions = {}): void {
    this.#group(() => {
      const present = new Set<string>();
      for (const record of records) {
        const id = this.#idOf(record);
        present.add(id);
        this.#take(id, record, { version: this.#versionOf(record), since }, true);
      }
      if (!complete) return;
      for (const [id, confirmed] of [...this.#confirmed]) {
        if (!present.has(id) && confirmed.sequence <= (since ?? Infinity)) this.remove(id);
      }
    });
  }

  dispose(): void {
    this.#saver.dispose();
    this.#listeners.clear();
    this.#options.onDispose?.();
  }

  #idOf(record: T): string {
    return this.#options.id ? this.#options.id(record) : String((record as { id?: unknown }).id);
  }

  #versionOf(record: Partial<T>): number | undefined {
    const version: unknown = record[this.#versionField];
    return typeof version === 'number' ? version : undefined;
  }

  #take(id: string, changes: Partial<T>, arrival: Arrival, isWhole: boolean): void {
    const known = this.#confirmed.get(id);
    if (known) {
      known.take(changes, arrival, ++this.#sequence, isWhole);
    } else {
      const removed = this.#removed.get(id);
      if (removed && !bringsBack(arrival, removed)) return;
      this.#removed.delete(id);
      const stamp = { version: arrival.version, sequence: ++this.#sequence };
      this.#confirmed.set(id, new Confirmed(changes as T, stamp));
    }
    this.#update(id);
  }

  #saved(id: string, sent: Partial<T>, { version, record, refused }: SaveAnswer<T>): Refusals<T> {
    const refusals = Object.entries(refused ?? {}) as [keyof T, Problem][];
    const changes = { ...sent };
    for (const [field] of refusals) delete changes[field];
    this.#group(() => {
      if (!this.#confirmed.has(id)) return;
      // The edit becomes confirmed with the version of the answer. Its echo has the same version and changes nothing, and older updates in
      // flight cannot undo it. An echo that came first stays, because the server may have normalised the value.
      const answered = version ?? (record && this.#versionOf(record));
      const comparable = answered !== undefined && this.#confirmed.get(id)?.version !== undefined;
      this.#take(id, changes, { version: answered, since: comparable ? -1 : undefined }, false);
      if (record) this.#take(id, record, { version: this.#versionOf(record) ?? version }, true);
      this.#thaw(id, changes);
    });
    for (const [field, problem] of refusals) {
      this.#refused(id, { [field]: sent[field] } as Partial<T>, problem);
    }
    return refused ?? ({} as Refusals<T>);
  }

  #refused(id: string, changes: Partial<T>, problem: Problem): void {
    this.#group(() => {
      this.#thaw(id, changes);
      this.#update(id);
    });
    for (const listener of [...this.#refusalListeners]) listener({ id, changes, problem });
  }

  // A field that is still being edited continues from the saved value, not from the value before the edit.
  #thaw(id: string, changes: Partial<T>): void {
    const fields = this.#editing.get(id);
    const confirmed = this.#confirmed.get(id);
    if (!fields || !confirmed) return;
    for (const field of Object.keys(changes) as (keyof T)[]) {
      if (fields.has(field)) fields.set(field, confirmed.record[field]);
    }
  }

  #update(id: string): void {
    this.#changed.add(id);
    if (this.#batch === 0) this.#publish();
  }

  #group(code: () => void): void {
    this.#batch++;
    try {
      code();
    } finally {
      if (--this.#batch === 0) this.#publish();
    }
  }

  #publish(): void {
    if (this.#changed.size === 0) return;
    const changed = this.#changed;
    this.#changed = new Set();
    const records = new Map(this.#state.records);
    const unsaved = new Set(this.#saver.ids);
    let differs = !sameSet(unsaved, this.#state.unsaved);
    for (const id of changed) {
      const before = records.get(id);
      const after = this.#view(id);
      if (after === undefined) {
        differs = records.delete(id) || differs;
      } else if (before === undefined || !sameRecord(before, after)) {
        records.set(id, after);
        differs = true;
      }
    }
    if (this.#options.persistence) this.#persist();
    if (!differs) return;
    this.#state = { records, unsaved };
    for (const listener of [...this.#listeners]) listener();
  }

  #view(id: string): T | undefined {
    const confirmed = this.#confirmed.get(id);
    if (!confirmed) return undefined;
    const frozen = this.#editing.get(id);
    const view = {
      ...confirmed.record,
      ...(frozen && Object.fromEntries(frozen)),
      ...this.#saver.unsaved(id),
    };
    if (confirmed.version !== undefined) view[this.#versionField] = confirmed.version as T[keyof T];
    return view;
  }

  #persist(): void {
    const unsaved: Record<string, Partial<T>> = {};
    for (const id of this.#saver.ids) unsaved[id] = this.#saver.unsaved(id)!;
    this.#options.persistence?.store(unsaved);
  }
}

// A newer version restores a removed record. Without comparable versions, an event restores it, or an answer to a request that was made
// after the removal.
function bringsBack(arrival: Arrival, removed: Stamp): boolean {
  if (arrival.version !== undefined && removed.version !== undefined && arrival.version === removed.version) {
    return arrival.since !== undefined && removed.sequence <= arrival.since;
  }
  return isFresher(arrival, removed);
}

function sameSet(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((each) => other.has(each));
}

function sameRecord(one: object, other: object): boolean {
  const fields = Object.keys(one);
  if (fields.length !== Object.keys(other).length) return false;
  return fields.every((field) => Object.is(one[field as never], other[field as never]));
}
