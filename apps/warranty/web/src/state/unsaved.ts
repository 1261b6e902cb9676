import type { Locks } from '@dunlin/client';
import type { CaseUpdates } from '../api/cases';
import type { FieldKey } from '../api/fieldLocks';

export interface Unsaved {
  readonly edits: Readonly<Record<string, CaseUpdates>>;
  readonly bases: Readonly<Record<FieldKey, number>>;
}

/** What `localStorage` is for this. */
export type UnsavedStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;

/**
 * Keeps unsaved edits over a reload or crash of the tab. Every tab has a place of its own and holds a Web Lock of the
 * same name: a place whose lock comes free belongs to a tab that ended, and whoever gets the lock goes on with its
 * edits. Two tabs can so never save the same edit twice.
 */
export class UnsavedEdits {
  readonly #storage: UnsavedStorage;
  readonly #prefix: string;
  readonly #place: string;
  readonly #ended: Promise<void>;
  #end!: () => void;

  constructor(storage: UnsavedStorage, locks: Locks | undefined, userId: string, tab: string) {
    this.#storage = storage;
    this.#prefix = `dunlin.warranty.unsaved.${userId}.`;
    this.#place = this.#prefix + tab;
    this.#ended = new Promise((resolve) => (this.#end = resolve));
    void locks?.request(this.#place, {}, () => this.#ended).catch(() => {});
  }

  store({ edits, bases }: Unsaved): void {
    try {
      if (Object.keys(edits).length === 0) this.#storage.removeItem(this.#place);
      else this.#storage.setItem(this.#place, JSON.stringify({ edits, bases }));
    } catch {
      // Full or blocked: the edits live as long as the page.
    }
  }

  /** Hands over the edits of tabs that ended, now and as long as this page lives. */
  adopt(locks: Locks | undefined, take: (unsaved: Unsaved) => void): void {
    for (const place of this.#others()) {
      if (!locks) this.#take(place, take);
      else void locks.request(place, {}, async () => this.#take(place, take)).catch(() => {});
    }
  }

  dispose(): void {
    this.#end();
  }

  #others(): string[] {
    const places: string[] = [];
    for (let index = 0; index < this.#storage.length; index++) {
      const place = this.#storage.key(index);
      if (!place?.startsWith(this.#prefix) || place === this.#place) continue;
      // The rest is the id of a tab. With more points it is the place of another user, whose id begins like this one's.
      if (!place.slice(this.#prefix.length).includes('.')) places.push(place);
    }
    return places;
  }

  #take(place: string, take: (unsaved: Unsaved) => void): void {
    const text = this.#storage.getItem(place);
    if (text === null) return;
    let unsaved: Unsaved | undefined;
    try {
      unsaved = JSON.parse(text) as Unsaved;
    } catch {
      // Not ours to understand; removed all the same.
    }
    if (unsaved?.edits) take(unsaved);
    // After it was taken over, and so stored in this tab's own place.
    this.#storage.removeItem(place);
  }
}
