import type { FieldLock } from '../api/cases';
import { fieldKey, type FieldKey } from '../api/fieldLocks';

/**
 * The locks of the branch, from events and snapshots. A requested snapshot is older than events that arrived during the request, so it does
 * not change the fields of those events.
 */
export class LockBook {
  readonly #onChange: () => void;
  readonly #changedAt = new Map<FieldKey, number>();
  #locks: ReadonlyMap<FieldKey, FieldLock> = new Map();
  #sequence = 0;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get locks(): ReadonlyMap<FieldKey, FieldLock> {
    return this.#locks;
  }

  /** Returns a mark for `replace`. Call it before requesting a snapshot. */
  mark(): number {
    return this.#sequence;
  }

  acquired(lock: FieldLock): void {
    this.#change(fieldKey(lock.caseId, lock.field), lock);
  }

  released(key: FieldKey): void {
    this.#change(key, undefined);
  }

  /** Applies all locks of the branch, as of now or as of the mark `since`. */
  replace(locks: readonly FieldLock[], since = Infinity): void {
    const next = new Map(locks.map((lock) => [fieldKey(lock.caseId, lock.field), lock]));
    for (const [key, at] of this.#changedAt) {
      if (at <= since) continue;
      const known = this.#locks.get(key);
      if (known) next.set(key, known);
      else next.delete(key);
    }
    this.#changedAt.clear();
    this.#locks = next;
    this.#onChange();
  }

  #change(key: FieldKey, lock: FieldLock | undefined): void {
    const next = new Map(this.#locks);
    if (lock) next.set(key, lock);
    else next.delete(key);
    this.#changedAt.set(key, ++this.#sequence);
    this.#locks = next;
    this.#onChange();
  }
}
