import type { Problem } from '../http/problem.js';

/**
 * - `offline`: the server cannot be reached; changes are kept and sent later.
 * - `signedOut`: the session ended and could not be renewed; `resume()` after signing in.
 * - `outdated`: the server needs a newer page; load it anew, nothing is lost.
 * - `error`: the server fails, and is tried again by itself; or it refuses, and is asked again after a hint or `pull()`.
 * - `syncing`: something is on its way.
 * - `synced`: everything is here and everything is there.
 */
export type SyncName = 'offline' | 'signedOut' | 'outdated' | 'error' | 'syncing' | 'synced';

/** How far this browser and the server are apart, over all collections. Immutable. */
export interface SyncState {
  readonly name: SyncName;
  /** Local changes that the server has not confirmed, of this and of earlier visits. */
  readonly pending: number;
  /** Why, for `offline`, `signedOut`, `outdated` and `error`. */
  readonly problem?: Problem | undefined;
}

/** A local change that the server did not take; the document is already as the server has it. */
export interface RefusedDocument {
  readonly collection: string;
  readonly id: string;
  /** Code of the server's error, such as `lease_held` or `forbidden`. */
  readonly code: string;
  /** What was to be written, so that nothing that was typed is lost with it. */
  readonly document?: unknown;
}

/** What one collection contributes to the state. */
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
