import type { Broadcast, Cancel, Environment } from '@dunlin/client';
import { shallowRef, type ShallowRef } from 'vue';

/** A removal that has no way back once it is carried out, so it waits until the user can no longer undo it. */
export interface Removal {
  /** `list`: deletes an own list. `member`: ends a membership, that of this user or of another. */
  readonly kind: 'list' | 'member';
  readonly listId: string;
  /** The member; empty for `list`. */
  readonly userId: string;
  /** Milliseconds since 1970. */
  readonly dueAt: number;
}

export interface RemovalsOptions {
  readonly environment: Environment;
  /** Key of the storage and name of the broadcast: one for each user. */
  readonly key: string;
  /** Carries a removal out. `isLeaving`: the page is closing, so only a request at once arrives, and one that outlives the page. */
  readonly perform: (removal: Removal, isLeaving: boolean) => Promise<void>;
  readonly onFailed: (removal: Removal, error: unknown) => void;
}

/** Milliseconds in which a deletion can be undone. */
export const UNDO_MS = 10_000;

/**
 * The removals of one user that can still be undone. They are kept in the storage, so that a closed page carries them out at its next
 * visit. All tabs of the user show the same ones.
 */
export class Removals {
  readonly pending: ShallowRef<readonly Removal[]> = shallowRef([]);
  readonly #options: RemovalsOptions;
  readonly #tabs: Broadcast | undefined;
  readonly #cancels: Cancel[] = [];
  readonly #running = new Set<Removal>();
  #timer: Cancel | undefined;
  /** The storage took no write, so it does not know the removals of this tab. */
  #memoryOnly = false;

  constructor(options: RemovalsOptions) {
    const { environment, key } = options;
    this.#options = options;
    this.pending.value = this.#read();
    this.#tabs = environment.openBroadcast?.(key);
    this.#tabs?.onMessage(() => this.#set(this.#read()));
    this.#cancels.push(
      environment.onSignal('pagehide', () => {
        for (const removal of this.pending.value) void this.#options.perform(removal, true).catch(() => {});
      }),
    );
    this.#arm();
  }

  has(kind: Removal['kind'], listId: string, userId = ''): boolean {
    return this.pending.value.some((each) => isSame(each, { kind, listId, userId }));
  }

  add(kind: Removal['kind'], listId: string, userId = ''): void {
    const removal = { kind, listId, userId, dueAt: Date.now() + UNDO_MS };
    this.#write([...this.#others(removal), removal]);
  }

  undo(kind: Removal['kind'], listId: string, userId = ''): void {
    this.#write(this.#others({ kind, listId, userId }));
  }

  /** Carries out all removals now, because the user is leaving. */
  async flush(): Promise<void> {
    await Promise.all(this.pending.value.map((removal) => this.#perform(removal, true)));
  }

  /** Stops the timer. Pending removals stay in the storage. */
  dispose(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#timer?.();
    this.#tabs?.close();
  }

  // Waits for the next due removal.
  #arm(): void {
    this.#timer?.();
    this.#timer = undefined;
    const waiting = this.pending.value.filter((removal) => !this.#running.has(removal));
    if (waiting.length === 0) return;
    const dueAt = Math.min(...waiting.map((removal) => removal.dueAt));
    this.#timer = this.#options.environment.setTimer(Math.max(0, dueAt - Date.now()), () => {
      const now = Date.now();
      for (const removal of this.pending.value) if (removal.dueAt <= now) void this.#perform(removal);
      this.#arm();
    });
  }

  async #perform(removal: Removal, isLeaving = false): Promise<void> {
    // Another tab may have carried it out, or undone it.
    if (!this.#read().some((each) => isSame(each, removal))) return this.#set(this.#read());
    if (this.#running.has(removal)) return;
    this.#running.add(removal);
    let failure: unknown;
    try {
      await this.#options.perform(removal, isLeaving);
    } catch (error) {
      failure = error;
    }
    this.#running.delete(removal);
    this.#write(this.#others(removal));
    if (failure !== undefined) this.#options.onFailed(removal, failure);
  }

  #others(removal: Omit<Removal, 'dueAt'>): readonly Removal[] {
    return this.pending.value.filter((each) => !isSame(each, removal));
  }

  #read(): readonly Removal[] {
    const { storage } = this.#options.environment;
    if (!storage || this.#memoryOnly) return this.pending.value;
    try {
      return JSON.parse(storage.getItem(this.#options.key) ?? '[]') as Removal[];
    } catch {
      return [];
    }
  }

  #write(pending: readonly Removal[]): void {
    try {
      this.#options.environment.storage?.setItem(this.#options.key, JSON.stringify(pending));
    } catch {
      this.#memoryOnly = true;
    }
    this.#set(pending);
    this.#tabs?.post('changed');
  }

  #set(pending: readonly Removal[]): void {
    this.pending.value = pending;
    this.#arm();
  }
}

function isSame(a: Omit<Removal, 'dueAt'>, b: Omit<Removal, 'dueAt'>): boolean {
  return a.kind === b.kind && a.listId === b.listId && a.userId === b.userId;
}
