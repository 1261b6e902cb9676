import type { Locks } from '@dunlin/client';
import type { CaseUpdates } from '../api/cases';
import type { FieldKey } from '../api/fieldLocks';

export interface Unsaved {
  readonly edits: Readonly<Record<string, CaseUpdates>>;
  readonly bases: Readonly<Record<FieldKey, number>>;
}

/** The part of `localStorage` that unsaved edits use. */
export type UnsavedStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;

/**
 * Keeps unsaved edits across a reload or crash of the tab. Every tab has its own storage key and holds a Web Lock with the same name. A
 * free lock means that its tab ended; the tab that acquires it adopts the edits. So two tabs never save the same edit twice.
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
      // The storage is full or blocked: the edits live as long as the page.
    }
  }

  /** Passes on the edits of tabs that ended, now and while this page lives. */
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
      // The rest of the key is the id of a tab. A rest with a further point belongs to a user whose id has this prefix.
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
      // Invalid content is removed.
    }
    if (unsaved?.edits) take(unsaved);
    // Remove it only after adoption stored the edits under this tab's key.
    this.#storage.removeItem(place);
  }
}
