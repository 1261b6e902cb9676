import type { Environment } from '../environment.js';
import type { Problem } from '../http/problem.js';
import type { Refusals, SaveContext } from './saver.js';

/** The server's answer to a save. */
export interface SaveAnswer<T> {
  /** The record's version after the save. */
  readonly version?: number | undefined;
  /** The record after the save, if the server sends it. */
  readonly record?: T | undefined;
  /** Fields of the request that the server refused, each with its reason. The store reverts them; the other fields are saved. */
  readonly refused?: Refusals<T> | undefined;
}

/** Keeps unsaved edits across a reload, for example in localStorage. */
export interface UnsavedPersistence<T> {
  load(): Readonly<Record<string, Partial<T>>> | undefined;
  store(unsaved: Readonly<Record<string, Partial<T>>>): void;
}

export interface StoreOptions<T extends object> {
  readonly environment: Environment;
  /** Returns the id of a record. Default: the field `id`, as text. */
  readonly id?: ((record: T) => string) | undefined;
  /** The field with the server's version, which grows with every change of the record; default `version`. */
  readonly versionField?: keyof T | undefined;
  /**
   * Saves the changed fields of one record. Reject with a `DunlinError`: `network`, `busy` and `signedOut` keep the edit for another
   * attempt, every other kind reverts it.
   */
  readonly save: (
    id: string,
    changes: Partial<T>,
    context: SaveContext & { readonly version: number | undefined },
  ) => Promise<SaveAnswer<T> | void>;
  /** Delay from the last keystroke to the save, in milliseconds; default 1000. */
  readonly debounceMs?: number | undefined;
  /** A save that takes longer is aborted and retried, in milliseconds; default 30,000. */
  readonly saveTimeoutMs?: number | undefined;
  readonly persistence?: UnsavedPersistence<T> | undefined;
  /** Called when the store is disposed. */
  readonly onDispose?: (() => void) | undefined;
}

/** An immutable snapshot of the store. The same object until something changes. */
export interface StoreState<T> {
  /** The displayed records: confirmed by the server, with unsaved edits on top. */
  readonly records: ReadonlyMap<string, T>;
  /** Ids of records with edits that the server has not confirmed. */
  readonly unsaved: ReadonlySet<string>;
}

export interface Refusal<T> {
  readonly id: string;
  readonly changes: Partial<T>;
  readonly problem: Problem;
}

export interface MergeOptions {
  /** The result of `store.mark()` before the snapshot was requested. Changes after it are newer than the snapshot. */
  readonly since?: number | undefined;
  /** Whether the snapshot is complete: records that are missing from it and did not change since are removed. */
  readonly complete?: boolean | undefined;
}
