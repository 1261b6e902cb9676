import {
  DunlinError,
  isTemporary,
  problemOf,
  type Lease,
  type LeaseLost,
  type Leases,
  type Problem,
  type SaveAnswer,
  type SaveContext,
  type Store,
} from '@dunlin/client';
import type { Case, CaseApi, CaseUpdates, LeaseProof } from '../api/cases';
import { fieldKey, partsOf, type FieldKey } from '../api/fieldLocks';
import { changeTo, fieldOf, isMenu, isUnfinished, type FieldName } from '../api/fields';
import type { OpenEdit } from './state';

/** The server's time for one field lock, in seconds; renewed while the field is edited. */
const LOCK_SECONDS = 30;

interface Edit {
  before: string;
  draft: string;
  phase: OpenEdit['phase'];
  /** Something of this edit may have reached the server: cancelling has to write the value before. */
  isSent: boolean;
}

export interface FieldEditsOptions {
  readonly userId: string;
  readonly api: CaseApi;
  readonly store: () => Store<Case>;
  readonly leases: Leases;
  /** What was typed is not, and will not be, saved. */
  readonly onRefused: (key: FieldKey, problem: Problem, typed: string | undefined) => void;
  readonly onChange: () => void;
}

/**
 * The fields that this tab edits, from taking the lock to giving it back:
 *
 * ```
 *  open --> taking --granted--> held ---commit, cancel---> closed --nothing unsaved--> lock given back
 *             |  \                |  lock not renewed in time                ^
 *             |   no answer       v                                          |
 *             |    +---------> waiting --commit------------------------------+
 *             +--held by another, lock lost--> refused: the value goes back
 * ```
 * What is typed goes to the store at once and is saved by it; `save` is where no request leaves without the lock. The
 * lock outlives the edit until the store has nothing unsaved of the field.
 */
export class FieldEdits {
  readonly #options: FieldEditsOptions;
  readonly #open = new Map<FieldKey, Edit>();
  readonly #held = new Map<FieldKey, Lease>();
  readonly #asking = new Map<FieldKey, Promise<Lease>>();
  /** Locks whose return has not been answered yet. */
  readonly #returning = new Map<FieldKey, Promise<void>>();
  readonly #returned = new Set<FieldKey>();
  /** Version of the case that an unsaved edit began from. */
  readonly #bases = new Map<FieldKey, number>();
  /** Fields whose lock was not ours at some time since their edit began: somebody else may have written them. */
  readonly #unguarded = new Set<FieldKey>();

  constructor(options: FieldEditsOptions) {
    this.#options = options;
  }

  get open(): ReadonlyMap<FieldKey, OpenEdit> {
    return new Map([...this.#open].map(([key, { phase, draft }]) => [key, { phase, draft }]));
  }

  /** Held here, asked for, or given back with the announcement still under way. */
  get mine(): ReadonlySet<FieldKey> {
    return new Set([...this.#held.keys(), ...this.#asking.keys(), ...this.#returned]);
  }

  get bases(): ReadonlyMap<FieldKey, number> {
    return this.#bases;
  }

  /** Begins to edit a field: it can be typed in at once, and the lock is asked for. */
  begin(key: FieldKey): void {
    const { id, field } = partsOf(key);
    const record = this.#store.record(id);
    if (this.#open.has(key) || !record) return;
    const isHeld = this.#held.get(key)?.isHeld ?? false;
    const phase = isHeld ? 'held' : 'taking';
    const edit: Edit = { before: record[field], draft: record[field], phase, isSent: false };
    this.#open.set(key, edit);
    if (!this.#bases.has(key)) this.#bases.set(key, record.version);
    this.#store.beginEdit(id, field);
    if (!isHeld) {
      this.#unguarded.add(key);
      void this.#take(key, edit);
    }
    this.#options.onChange();
  }

  type(key: FieldKey, value: string): void {
    const edit = this.#open.get(key);
    if (!edit || value === edit.draft) return;
    edit.draft = value;
    const { field } = partsOf(key);
    const { kind } = fieldOf(field);
    if (isUnfinished(kind, value) || (value === edit.before && !edit.isSent)) this.#discard(key);
    else this.#write(key, value, isMenu(kind));
    this.#options.onChange();
  }

  /** Ends the edit and saves what was typed. */
  commit(key: FieldKey): void {
    const edit = this.#open.get(key);
    if (!edit) return;
    const { id, field } = partsOf(key);
    this.#open.delete(key);
    // Whether it is right after all, the server says.
    if (edit.draft !== edit.before && isUnfinished(fieldOf(field).kind, edit.draft))
      this.#write(key, edit.draft, true);
    this.#store.endEdit(id, field);
    void this.#store.flush(id);
    this.#giveBack(key);
    this.#options.onChange();
  }

  /** Ends the edit with the value from before it. */
  cancel(key: FieldKey): void {
    const edit = this.#open.get(key);
    if (!edit) return;
    const { id, field } = partsOf(key);
    this.#open.delete(key);
    this.#store.cancelEdit(id, field);
    if (edit.isSent) this.#write(key, edit.before, true);
    this.#giveBack(key);
    this.#options.onChange();
  }

  /** Goes on with edits of an earlier page that were not saved. */
  adopt(id: string, updates: CaseUpdates, bases: Readonly<Record<string, number>>): void {
    for (const [field, value] of Object.entries(updates) as [FieldName, string][]) {
      const key = fieldKey(id, field);
      this.#bases.set(key, bases[key] ?? 0);
      this.#unguarded.add(key);
      this.#write(key, value, false);
    }
  }

  /** The connection is back: asks again for locks that could not be had. */
  relock(): void {
    for (const [key, edit] of this.#open) if (edit.phase === 'waiting') void this.#take(key, edit);
  }

  /** An event told that this user's lock of the field ended. */
  announcedReleased(key: FieldKey): void {
    if (this.#returned.delete(key)) this.#options.onChange();
  }

  /** An event told that another user holds the field. */
  announcedTaken(key: FieldKey): void {
    this.#held.get(key)?.markLost('taken');
    this.announcedReleased(key);
  }

  /** The locks were told as a whole: no announcement is under way any more. */
  announcedAll(): void {
    this.#returned.clear();
    this.#options.onChange();
  }

  /** The store's refusals end here: the value is back already. */
  refused(id: string, changes: CaseUpdates, problem: Problem): void {
    for (const [field, value] of Object.entries(changes) as [FieldName, string][]) {
      const key = fieldKey(id, field);
      const typed = this.#open.get(key)?.draft ?? value;
      this.#close(key);
      this.#options.onRefused(key, problem, typed);
    }
  }

  /** Saves fields of one case: the ones whose lock is ours, or can be had now; the others are refused. */
  async save(id: string, changes: Partial<Case>, context: SaveContext): Promise<SaveAnswer<Case>> {
    const updates = changes as CaseUpdates;
    const refused: Partial<Record<FieldName, Problem>> = {};
    const proofs: Record<string, LeaseProof> = {};
    await Promise.all(
      (Object.keys(updates) as FieldName[]).map(async (field) => {
        const key = fieldKey(id, field);
        try {
          const { leaseId, fence } = await this.#guard(key, context.keepalive);
          proofs[field] = { leaseId, fence: Number(fence) };
          const edit = this.#open.get(key);
          if (edit) edit.isSent = true;
        } catch (error) {
          if (isUncertain(problemOf(error))) throw error;
          refused[field] = problemOf(error);
        }
      }),
    );
    const names = Object.keys(proofs) as FieldName[];
    let version: number | undefined;
    try {
      if (names.length > 0) version = (await this.#send(id, names, updates, proofs, context)).version;
    } catch (error) {
      const problem = problemOf(error);
      if (isUncertain(problem)) throw error;
      if (names.length === 1) refused[names[0]!] = problem;
      else version = await this.#sendEach(id, names, updates, proofs, context, refused);
    }
    return { version, refused };
  }

  get #store(): Store<Case> {
    return this.#options.store();
  }

  #send(
    id: string,
    names: readonly FieldName[],
    updates: CaseUpdates,
    proofs: Readonly<Record<string, LeaseProof>>,
    context: SaveContext,
  ): Promise<{ version: number }> {
    const pick = <Value>(from: Readonly<Record<string, Value>>) =>
      Object.fromEntries(names.map((name) => [name, from[name]!]));
    return this.#options.api.update(id, pick(updates as Record<string, string>), pick(proofs), context);
  }

  // The server takes all fields of a request or none; one that is refused must not take the others with it.
  async #sendEach(
    id: string,
    names: readonly FieldName[],
    updates: CaseUpdates,
    proofs: Readonly<Record<string, LeaseProof>>,
    context: SaveContext,
    refused: Partial<Record<FieldName, Problem>>,
  ): Promise<number | undefined> {
    let version: number | undefined;
    for (const name of names) {
      try {
        version = (await this.#send(id, [name], updates, proofs, context)).version;
      } catch (error) {
        if (isUncertain(problemOf(error))) throw error;
        refused[name] = problemOf(error);
      }
    }
    return version;
  }

  // The lock of a field that is about to be saved. Where it was not ours all the time, what others wrote meanwhile
  // stands: their value is newer than the one this edit began from.
  async #guard(key: FieldKey, isLeaving: boolean): Promise<Lease> {
    const held = this.#held.get(key);
    if (isLeaving && !(held?.isHeld && !this.#unguarded.has(key))) {
      throw new DunlinError({
        kind: 'network',
        code: 'leaving',
        title: 'There is no time to take the lock.',
      });
    }
    const lease = await this.#lock(key);
    if (this.#unguarded.has(key)) {
      const { id, field } = partsOf(key);
      const base = this.#bases.get(key) ?? 0;
      const history = await this.#options.api.history(id);
      const other = history.find(
        (entry) => entry.field === field && entry.version > base && entry.userId !== this.#options.userId,
      );
      if (other) {
        throw new DunlinError({
          kind: 'conflict',
          code: 'changed',
          title: `${other.userName} changed it meanwhile.`,
        });
      }
      this.#unguarded.delete(key);
    }
    return lease;
  }

  async #take(key: FieldKey, edit: Edit): Promise<void> {
    try {
      await this.#lock(key);
      if (edit.phase === 'taking') this.#locked(key, edit);
      edit.phase = 'held';
      // Left meanwhile, with nothing to save.
      this.#giveBack(key);
    } catch (error) {
      // Left meanwhile: the save decides.
      if (this.#open.get(key) !== edit) return;
      if (isUncertain(problemOf(error))) edit.phase = 'waiting';
      else this.#refuse(key, problemOf(error));
    }
    this.#options.onChange();
  }

  // While the lock was asked for, somebody may still have saved the field. Where nothing was typed yet, the edit begins
  // from their value; where something was, `save` looks.
  #locked(key: FieldKey, edit: Edit): void {
    const { id, field } = partsOf(key);
    if (this.#open.get(key) === edit && edit.draft === edit.before && !this.#isUnsaved(key)) {
      this.#discard(key);
      const record = this.#store.record(id);
      if (!record) return;
      edit.before = edit.draft = record[field];
      this.#bases.set(key, record.version);
    }
    if (this.#store.record(id)?.version === this.#bases.get(key)) this.#unguarded.delete(key);
  }

  #lock(key: FieldKey): Promise<Lease> {
    const held = this.#held.get(key);
    if (held?.isHeld) return Promise.resolve(held);
    let asking = this.#asking.get(key);
    if (!asking) {
      asking = this.#ask(key).finally(() => {
        this.#asking.delete(key);
        this.#options.onChange();
      });
      this.#asking.set(key, asking);
      this.#options.onChange();
    }
    return asking;
  }

  async #ask(key: FieldKey): Promise<Lease> {
    // Overtaking the return of the lock before, this would be refused: held, by ourselves.
    await this.#returning.get(key);
    const result = await this.#options.leases
      .tryAcquire(key, { seconds: LOCK_SECONDS })
      .catch((error: unknown) => {
        if (isUncertain(problemOf(error))) this.#unguarded.add(key);
        throw error;
      });
    if (result.status === 'held') {
      const { holder } = result;
      throw new DunlinError({ kind: 'held', code: 'lease_held', title: 'Another holds the lock.', holder });
    }
    const { lease } = result;
    this.#returned.delete(key);
    this.#held.set(key, lease);
    lease.lost.addEventListener('abort', () => this.#lost(key, lease), { once: true });
    return lease;
  }

  #lost(key: FieldKey, lease: Lease): void {
    // Given back by `#giveBack`.
    if (this.#held.get(key) !== lease) return;
    this.#held.delete(key);
    const { reason, problem } = lease.lost.reason as LeaseLost;
    const edit = this.#open.get(key);
    const isOurDoing = reason === 'released' && !problem;
    if (isOurDoing) this.#returned.add(key);
    if (problem?.kind === 'lost' || reason === 'taken') {
      this.#refuse(
        key,
        problem ?? { kind: 'lost', code: 'lease_lost', title: 'The lock was taken.', reason },
      );
    } else if (edit || this.#isUnsaved(key)) {
      // No answer in time, signed out, or given back by a page that was left and came back. The save asks for it again.
      this.#unguarded.add(key);
      if (edit) edit.phase = 'waiting';
    }
    this.#options.onChange();
  }

  /** The lock is not to be had: what was not sent is taken back; about what was sent the server decides. */
  #refuse(key: FieldKey, problem: Problem): void {
    const { id, field } = partsOf(key);
    const edit = this.#open.get(key);
    const unsaved = this.#store.unsavedOf(id)?.[field];
    if (!edit && unsaved === undefined) return;
    const typed = edit && edit.draft !== edit.before ? edit.draft : unsaved;
    this.#close(key);
    if (!this.#isUnsaved(key)) this.#options.onRefused(key, problem, typed);
  }

  #close(key: FieldKey): void {
    const { id, field } = partsOf(key);
    this.#open.delete(key);
    this.#store.cancelEdit(id, field);
    this.#giveBack(key);
    this.#options.onChange();
  }

  #write(key: FieldKey, typed: string, immediate: boolean): void {
    const { id, field } = partsOf(key);
    const saving = this.#store.edit(id, changeTo(field, typed), { immediate });
    void this.#held.get(key)?.hold(saving);
    void saving.then(() => this.#giveBack(key));
  }

  #discard(key: FieldKey): void {
    const { id, field } = partsOf(key);
    this.#store.cancelEdit(id, field);
    this.#store.beginEdit(id, field);
  }

  /** Gives the lock back, unless it is still needed. */
  #giveBack(key: FieldKey): void {
    if (this.#open.has(key) || this.#isUnsaved(key)) return;
    this.#bases.delete(key);
    this.#unguarded.delete(key);
    const lease = this.#held.get(key);
    if (!lease) return;
    this.#held.delete(key);
    this.#returned.add(key);
    const returning = lease.release().then(() => void this.#returning.delete(key));
    this.#returning.set(key, returning);
    this.#options.onChange();
  }

  #isUnsaved(key: FieldKey): boolean {
    const { id, field } = partsOf(key);
    return this.#store.unsavedOf(id)?.[field] !== undefined;
  }
}

/** The server has not said no: the edit is kept and tried again. */
function isUncertain(problem: Problem): boolean {
  return isTemporary(problem) || problem.kind === 'aborted' || problem.kind === 'signedOut';
}
