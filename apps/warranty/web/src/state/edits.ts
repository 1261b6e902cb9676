import {
  DunlinError,
  problemOf,
  type Lease,
  type LeaseLost,
  type Leases,
  type Problem,
  type SaveAnswer,
  type SaveContext,
  type Store,
} from '@dunlin/client';
import type { Case, CaseApi, CaseUpdates } from '../api/cases';
import { fieldKey, partsOf, type FieldKey } from '../api/fieldLocks';
import { changeTo, fieldOf, type FieldName } from '../api/fields';
import {
  IDLE_FIELD,
  transition,
  type FieldEffect,
  type FieldInput,
  type FieldState,
  type Shown,
} from './fieldEdit';
import { FieldSaves } from './saves';
import type { OpenEdit } from './state';

/** Duration of one field lock in seconds. It is renewed while the field is edited. */
const LOCK_SECONDS = 30;

export interface FieldEditsOptions {
  readonly userId: string;
  readonly api: CaseApi;
  readonly store: () => Store<Case>;
  readonly leases: Leases;
  /** Called when typed text was not saved and will not be. */
  readonly onRefused: (key: FieldKey, problem: Problem, typed: string | undefined) => void;
  readonly onChange: () => void;
}

/**
 * The fields that this tab edits. `transition` decides about each field; this class carries out the effects.
 *
 * The store receives typed text at once and saves it through `FieldSaves`.
 */
export class FieldEdits {
  readonly #options: FieldEditsOptions;
  readonly #fields = new Map<FieldKey, FieldState>();
  readonly #held = new Map<FieldKey, Lease>();
  readonly #asking = new Map<FieldKey, Promise<Lease>>();
  /** Releases that the server has not answered. */
  readonly #returning = new Map<FieldKey, Promise<void>>();
  readonly #saves: FieldSaves;
  /** Aborted when the page unloads: a lock that is granted afterwards would have no page. */
  #asks = new AbortController();

  constructor(options: FieldEditsOptions) {
    this.#options = options;
    this.#saves = new FieldSaves({
      userId: options.userId,
      api: options.api,
      stateOf: (key) => this.#stateOf(key),
      lock: (key) => this.#lock(key),
      take: (key, input) => this.#take(key, input),
    });
  }

  get open(): ReadonlyMap<FieldKey, OpenEdit> {
    const open = new Map<FieldKey, OpenEdit>();
    for (const [key, { edit }] of this.#fields)
      if (edit) open.set(key, { phase: edit.phase, draft: edit.draft });
    return open;
  }

  /** Fields whose lock this tab holds or requests, or whose release is not announced yet. */
  get mine(): ReadonlySet<FieldKey> {
    const isMine = ({ lock, isReturned }: FieldState) => lock !== 'none' || isReturned;
    return new Set([...this.#fields].filter(([, state]) => isMine(state)).map(([key]) => key));
  }

  get bases(): ReadonlyMap<FieldKey, number> {
    const bases = new Map<FieldKey, number>();
    for (const [key, { base }] of this.#fields) if (base !== undefined) bases.set(key, base);
    return bases;
  }

  /** Starts editing a field. The user can type at once while the lock is requested. */
  begin(key: FieldKey): void {
    const shown = this.#shown(key);
    if (shown) this.#take(key, { type: 'begin', shown });
  }

  type(key: FieldKey, value: string): void {
    this.#take(key, { type: 'type', value });
  }

  /** Continues with the text of a refused edit, without saving it yet. */
  restore(key: FieldKey, value: string): void {
    this.#take(key, { type: 'restore', value });
  }

  /** Ends the edit and saves the typed text. */
  commit(key: FieldKey): void {
    this.#take(key, { type: 'commit' });
  }

  /** Ends the edit and restores the value from before it. */
  cancel(key: FieldKey): void {
    this.#take(key, { type: 'cancel' });
  }

  /** Continues unsaved edits of an earlier page. */
  adopt(id: string, updates: CaseUpdates, bases: Readonly<Record<string, number>>): void {
    for (const [field, value] of Object.entries(updates) as [FieldName, string][]) {
      const key = fieldKey(id, field);
      this.#take(key, { type: 'adopt', value, base: bases[key] ?? 0 });
    }
  }

  /** Repeats failed lock requests after a reconnect. */
  relock(): void {
    for (const key of [...this.#fields.keys()]) this.#take(key, { type: 'relock' });
  }

  /** An event reported that this user's lock of the field ended. */
  announcedReleased(key: FieldKey): void {
    this.#take(key, { type: 'announcedReleased' });
  }

  /** An event reported that another user holds the field. */
  announcedTaken(key: FieldKey): void {
    this.#take(key, { type: 'announcedTaken' });
  }

  /** All locks were loaded, so no announcement is outstanding. */
  announcedAll(): void {
    for (const key of [...this.#fields.keys()]) this.#take(key, { type: 'announcedReleased' });
  }

  /** The server refused a save, and the store shows the previous value again. */
  refused(id: string, changes: CaseUpdates, problem: Problem): void {
    for (const [field, value] of Object.entries(changes) as [FieldName, string][])
      this.#take(fieldKey(id, field), { type: 'saveRefused', problem, value });
  }

  /** Saves the changes of one case. */
  save(id: string, changes: Partial<Case>, context: SaveContext): Promise<SaveAnswer<Case>> {
    return this.#saves.save(id, changes, context);
  }

  /** The page unloads. Saves in flight are repeated with `keepalive`, and lock requests in flight are withdrawn. */
  leave(): void {
    this.#saves.leave();
    this.#asks.abort();
    this.#asks = new AbortController();
  }

  get #store(): Store<Case> {
    return this.#options.store();
  }

  #stateOf(key: FieldKey): FieldState {
    return this.#fields.get(key) ?? IDLE_FIELD;
  }

  #shown(key: FieldKey): Shown | undefined {
    const { id, field } = partsOf(key);
    const record = this.#store.record(id);
    return record && { value: record[field], version: record.version };
  }

  #unsaved(key: FieldKey): string | undefined {
    const { id, field } = partsOf(key);
    return this.#store.unsavedOf(id)?.[field];
  }

  #take(key: FieldKey, input: FieldInput): void {
    const before = this.#stateOf(key);
    const { kind } = fieldOf(partsOf(key).field);
    const { state, effects } = transition(before, input, { kind, unsaved: this.#unsaved(key) });
    if (isIdle(state)) this.#fields.delete(key);
    else this.#fields.set(key, state);
    for (const effect of effects) this.#run(key, effect);
    if (state !== before) this.#options.onChange();
  }

  #run(key: FieldKey, effect: FieldEffect): void {
    const store = this.#store;
    const { id, field } = partsOf(key);
    switch (effect.type) {
      case 'beginEdit':
        return store.beginEdit(id, field);
      case 'endEdit':
        return store.endEdit(id, field);
      case 'cancelEdit':
        return store.cancelEdit(id, field);
      case 'discard':
        store.cancelEdit(id, field);
        return store.beginEdit(id, field);
      case 'flush':
        return void store.flush(id);
      case 'write': {
        const saving = store.edit(id, changeTo(field, effect.value), { immediate: effect.immediate });
        void this.#held.get(key)?.hold(saving);
        return void saving.then(() => this.#take(key, { type: 'settled' }));
      }
      case 'take':
        return void this.#lock(key).then(
          () => this.#take(key, { type: 'taken', isFirst: effect.isFirst }),
          (error: unknown) => this.#take(key, { type: 'takeFailed', problem: problemOf(error) }),
        );
      case 'compare':
        return this.#take(key, { type: 'compared', shown: this.#shown(key), isRebased: effect.isRebased });
      case 'settle':
        return this.#take(key, { type: 'settled' });
      case 'giveBack':
        return this.#giveBack(key);
      case 'markTaken':
        return this.#held.get(key)?.markLost('taken');
      case 'refuse':
        if (!effect.ifSaved || this.#unsaved(key) === undefined)
          this.#options.onRefused(key, effect.problem, effect.typed);
    }
  }

  #lock(key: FieldKey): Promise<Lease> {
    const held = this.#held.get(key);
    if (held?.isHeld) return Promise.resolve(held);
    let asking = this.#asking.get(key);
    if (!asking) {
      asking = this.#ask(key).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
      this.#take(key, { type: 'asked' });
    }
    return asking;
  }

  async #ask(key: FieldKey): Promise<Lease> {
    try {
      // Wait for the release of the previous lock. An acquire request that overtakes it would be refused as held by this tab.
      await this.#returning.get(key);
      const result = await this.#options.leases.tryAcquire(key, {
        seconds: LOCK_SECONDS,
        signal: this.#asks.signal,
      });
      if (result.status === 'held') {
        const { holder } = result;
        throw new DunlinError({ kind: 'held', code: 'lease_held', title: 'Another holds the lock.', holder });
      }
      const { lease } = result;
      this.#held.set(key, lease);
      this.#take(key, { type: 'granted' });
      lease.lost.addEventListener('abort', () => this.#lost(key, lease), { once: true });
      return lease;
    } catch (error) {
      this.#take(key, { type: 'askFailed', problem: problemOf(error) });
      throw error;
    }
  }

  #lost(key: FieldKey, lease: Lease): void {
    // `#giveBack` released it.
    if (this.#held.get(key) !== lease) return;
    this.#held.delete(key);
    this.#take(key, { type: 'leaseLost', lost: lease.lost.reason as LeaseLost });
  }

  #giveBack(key: FieldKey): void {
    const lease = this.#held.get(key);
    if (!lease) return;
    this.#held.delete(key);
    this.#returning.set(
      key,
      lease.release().then(() => void this.#returning.delete(key)),
    );
  }
}

function isIdle(state: FieldState): boolean {
  return (Object.keys(IDLE_FIELD) as (keyof FieldState)[]).every((name) => state[name] === IDLE_FIELD[name]);
}
