import type { Environment } from '../environment.js';
import type { Problem } from '../http/problem.js';
import type { Refusals, SaveContext } from './saver.js';

/** What a save was answered with. */
export interface SaveAnswer<T> {
  /** The record's version after the save. */
  readonly version?: number | undefined;
  /** The record after the save, where the server sends it. */
  readonly record?: T | undefined;
  /** Fields of the request that were not saved, each with its reason; the others were. They are taken back. */
  readonly refused?: Refusals<T> | undefined;
}

/** Keeps unsaved edits over a reload, for example in localStorage. */
export interface UnsavedPersistence<T> {
  load(): Readonly<Record<string, Partial<T>>> | undefined;
  store(unsaved: Readonly<Record<string, Partial<T>>>): void;
}

export interface StoreOptions<T extends object> {
  readonly environment: Environment;
  /** Default: the field `id`, as text. */
  readonly id?: ((record: T) => string) | undefined;
  /** The field that holds the server's version, which grows with every change of the record; default `version`. */
  readonly versionField?: keyof T | undefined;
  /**
   * Saves the changed fields of one record. Reject with a `DunlinError`: `network`, `busy` and `signedOut` keep the
   * edit for another attempt, everything else refuses it.
   */
  readonly save: (
    id: string,
    changes: Partial<T>,
    context: SaveContext & { readonly version: number | undefined },
  ) => Promise<SaveAnswer<T> | void>;
  /** From the last keystroke to the save, in milliseconds; default 1000. */
  readonly debounceMs?: number | undefined;
  /** A save that takes longer is aborted and tried again; default 30,000. */
  readonly saveTimeoutMs?: number | undefined;
  readonly persistence?: UnsavedPersistence<T> | undefined;
  /** The store was disposed of. */
  readonly onDispose?: (() => void) | undefined;
}

/** An immutable picture of the store; the same object until something changes. */
export interface StoreState<T> {
  /** As shown: confirmed by the server, with unsaved edits on top. */
  readonly records: ReadonlyMap<string, T>;
  /** Records with edits that the server has not taken yet. */
  readonly unsaved: ReadonlySet<string>;
}

export interface Refusal<T> {
  readonly id: string;
  readonly changes: Partial<T>;
  readonly problem: Problem;
}

export interface MergeOptions {
  /** `store.mark()` from before the snapshot was asked for: what changed since then is newer than the snapshot. */
  readonly since?: number | undefined;
  /** The snapshot is everything there is: records that are not in it and did not change since are gone. */
  readonly complete?: boolean | undefined;
}
