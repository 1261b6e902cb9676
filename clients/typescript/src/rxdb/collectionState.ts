import type { Problem } from '../http/problem.js';
import type { CollectionStatus } from './state.js';

/** Where the next pull starts. It has this one key only, because RxDB merges checkpoints. */
export interface Checkpoint {
  readonly position: string;
}

export type Verb = 'pull' | 'push';

/**
 * The replication state of one collection. Immutable.
 *
 * - RxDB 17.6 skips a pulled document that has an unconfirmed local change, and moves its checkpoint past it. `again` records such
 * documents. When none of them is pending any more, the pull repeats from its position.
 * - RxDB stores no checkpoint without documents, so after a full pull it may still use the stale checkpoint. `fullPull` maps the stale
 * checkpoint to the fresh one.
 * - Pending documents are counted some time after a change, once for many changes. Until then the state is not `synced`.
 */
export interface CollectionState {
  readonly problems: { readonly [Each in Verb]?: Problem | undefined };
  /** Number of requests in progress. */
  readonly busy: number;
  readonly hasPulled: boolean;
  /** Documents with changes that the server has not confirmed. */
  readonly pending: number;
  readonly again:
    | { readonly from: string | undefined; readonly leftOut: readonly string[]; readonly isDue: boolean }
    | undefined;
  /** How often RxDB skipped a document that has no pending change, for example because it does not fit the schema. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Ids of the pushes in progress, and of the pushes since the last full pull. */
  readonly underWay: readonly (readonly string[])[];
  readonly pushedMeanwhile: readonly string[];
  readonly fullPull: { readonly stale: string; readonly fresh: Checkpoint } | undefined;
  /** Changes since the last count. */
  readonly uncounted: number;
  readonly isCounting: boolean;
}

export type CollectionInput =
  | { readonly type: 'requestStarted' }
  /** `problem`: why the request failed, or undefined. The end of the session is not a problem of one collection. */
  | { readonly type: 'requestEnded'; readonly verb: Verb; readonly problem?: Problem | undefined }
  /** The request was cancelled. The problem stays as it is. */
  | { readonly type: 'requestCancelled' }
  | { readonly type: 'pullStarted' | 'pulled' }
  /** RxDB processed a page, except the documents in `leftOut`. */
  | {
      readonly type: 'pageTaken';
      readonly from: string | undefined;
      readonly ids: readonly string[];
      readonly leftOut: readonly string[];
    }
  | { readonly type: 'pushStarted' | 'pushEnded'; readonly ids: readonly string[] }
  | { readonly type: 'fullPullStarted' }
  /** A full pull ended. `leftOut`: documents that were pushed meanwhile and may be missing from it. */
  | {
      readonly type: 'fullPullEnded';
      readonly stale: string | undefined;
      readonly fresh: Checkpoint;
      readonly leftOut: readonly string[];
    }
  /** Something may have changed the number of pending documents. */
  | { readonly type: 'changed' }
  | { readonly type: 'counted'; readonly pending: ReadonlySet<string> }
  | { readonly type: 'countEnded' };

/** `announce`: the status may have changed. `count`: count the pending documents soon. `resync`: make RxDB pull again. */
export type CollectionEffect = 'announce' | 'count' | 'resync';

/** Maximum of repeated pulls for a document that RxDB skips. */
export const MAX_REFUSALS = 5;

export const INITIAL_COLLECTION: CollectionState = {
  problems: {},
  busy: 0,
  hasPulled: false,
  pending: 0,
  again: undefined,
  refusals: {},
  underWay: [],
  pushedMeanwhile: [],
  fullPull: undefined,
  uncounted: 0,
  isCounting: false,
};

export function statusOf({
  problems,
  busy,
  uncounted,
  hasPulled,
  pending,
}: CollectionState): CollectionStatus {
  return { problem: problems.push ?? problems.pull, isBusy: busy > 0 || uncounted > 0, hasPulled, pending };
}

/** Returns the position to read from when RxDB pulls with this checkpoint. */
export function pullPosition(
  { again, fullPull }: CollectionState,
  checkpoint: Checkpoint | undefined,
): string | undefined {
  const from = again?.isDue ? again.from : checkpoint?.position;
  return fullPull && from === fullPull.stale ? fullPull.fresh.position : from;
}

/** Returns the next state and the effects, which the caller carries out in order. No other code changes the state of a collection. */
export function transition(
  state: CollectionState,
  input: CollectionInput,
): { readonly state: CollectionState; readonly effects: readonly CollectionEffect[] } {
  const after = (change: Partial<CollectionState>, ...effects: CollectionEffect[]) => ({
    state: { ...state, ...change },
    effects,
  });
  const { busy, again, uncounted, isCounting, underWay, pushedMeanwhile } = state;
  switch (input.type) {
    case 'requestStarted':
      return after({ busy: busy + 1 }, 'announce');
    case 'requestEnded':
      if (!busy) return after({});
      return after(
        { busy: busy - 1, problems: { ...state.problems, [input.verb]: input.problem } },
        'announce',
      );
    case 'requestCancelled':
      return busy ? after({ busy: busy - 1 }, 'announce') : after({});
    case 'pullStarted':
      return after(again?.isDue ? { again: undefined } : {});
    case 'pulled':
      return after({ hasPulled: true });
    case 'pageTaken': {
      const refusals = { ...state.refusals };
      for (const id of input.ids) if (!input.leftOut.includes(id)) delete refusals[id];
      return after({ refusals, again: leaveOut(state, input.from, input.leftOut) });
    }
    case 'pushStarted':
      return after({
        underWay: [...underWay, input.ids],
        pushedMeanwhile: [...new Set([...pushedMeanwhile, ...input.ids])],
      });
    case 'pushEnded':
      return after({ underWay: underWay.filter((ids) => ids !== input.ids) });
    case 'fullPullStarted':
      return after({ pushedMeanwhile: underWay.flat() });
    case 'fullPullEnded': {
      const { stale, fresh, leftOut } = input;
      return after({
        again: leaveOut(state, undefined, leftOut),
        fullPull: stale === undefined ? state.fullPull : { stale, fresh },
      });
    }
    case 'changed': {
      const effects: CollectionEffect[] = uncounted ? [] : ['announce'];
      if (!isCounting) effects.push('count');
      return after({ uncounted: uncounted + 1, isCounting: true }, ...effects);
    }
    case 'counted':
      return counted(state, input.pending);
    case 'countEnded':
      return after({ isCounting: false, uncounted: 0 }, 'announce');
  }
}

function leaveOut(
  { again }: CollectionState,
  from: string | undefined,
  ids: readonly string[],
): CollectionState['again'] {
  if (ids.length === 0) return again;
  const noted = again ?? { from, leftOut: [], isDue: false };
  return { ...noted, leftOut: [...new Set([...noted.leftOut, ...ids])] };
}

function counted(
  state: CollectionState,
  pending: ReadonlySet<string>,
): { state: CollectionState; effects: CollectionEffect[] } {
  const { again } = state;
  const next = { ...state, pending: pending.size };
  if (!again || again.isDue || again.leftOut.some((id) => pending.has(id)))
    return { state: next, effects: [] };
  const refusals = { ...state.refusals };
  for (const id of again.leftOut) refusals[id] = (refusals[id] ?? 0) + 1;
  const leftOut = again.leftOut.filter((id) => refusals[id]! <= MAX_REFUSALS);
  if (leftOut.length === 0) return { state: { ...next, refusals, again: undefined }, effects: [] };
  return { state: { ...next, refusals, again: { ...again, leftOut, isDue: true } }, effects: ['resync'] };
}
