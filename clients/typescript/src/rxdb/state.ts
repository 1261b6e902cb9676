import type { Problem } from '../http/problem.js';

/**
 * - `offline`: the server cannot be reached. Changes are kept and sent later.
 * - `signedOut`: the session ended and could not be renewed. Call `resume()` after a sign-in.
 * - `outdated`: the server needs a newer page. Reload the page; the data is kept.
 * - `error`: the server failed and the client retries, or it refused and the client retries after a hint or `pull()`.
 * - `syncing`: requests are in progress or changes are pending.
 * - `synced`: all changes are pulled and pushed.
 */
export type SyncName = 'offline' | 'signedOut' | 'outdated' | 'error' | 'syncing' | 'synced';

/** The synchronisation state of all collections. Immutable. */
export interface SyncState {
  readonly name: SyncName;
  /** Number of local changes that the server has not confirmed, including those of earlier visits. */
  readonly pending: number;
  /** The cause of `offline`, `signedOut`, `outdated` and `error`. */
  readonly problem?: Problem | undefined;
}

/** A local change that the server refused. The local document already has the server's state. */
export interface RefusedDocument {
  readonly collection: string;
  readonly id: string;
  /** Error code of the server, such as `lease_held` or `forbidden`. */
  readonly code: string;
  /** The refused document, so that the application can offer the user's input again. */
  readonly document?: unknown;
}

/** The part of the state that one collection contributes. */
export interface CollectionStatus {
  readonly problem?: Problem | undefined;
  readonly isBusy: boolean;
  readonly hasPulled: boolean;
  readonly pending: number;
}

export function deriveState(
  collections: readonly CollectionStatus[],
  stopped: Problem | undefined,
  isOnline: boolean,
): SyncState {
  const pending = collections.reduce((sum, collection) => sum + collection.pending, 0);
  if (stopped)
    return { name: stopped.kind === 'signedOut' ? 'signedOut' : 'outdated', pending, problem: stopped };
  const problems = collections.flatMap(({ problem }) => (problem ? [problem] : []));
  const network = problems.find(({ kind }) => kind === 'network');
  if (network || !isOnline) return { name: 'offline', pending, problem: network };
  if (problems[0]) return { name: 'error', pending, problem: problems[0] };
  const isSynced =
    pending === 0 && collections.every((collection) => collection.hasPulled && !collection.isBusy);
  return { name: isSynced ? 'synced' : 'syncing', pending };
}
