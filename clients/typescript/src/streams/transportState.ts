/** How the events of a stream reach this page, from best to worst. */
export type TransportName = 'sse' | 'webSocket' | 'longPoll';

export const TRANSPORTS: readonly TransportName[] = ['sse', 'webSocket', 'longPoll'];

/** Milliseconds in which the first bytes of a stream must arrive. */
export const FIRST_BYTES_MS = 4000;
/** Milliseconds until the best transport is tried again, and the maximum after repeated attempts. */
export const RETRY_MS = 600_000;
export const MAX_RETRY_MS = 3_600_000;

/**
 * ```
 *            opened: webSocket, longPoll
 *   sse ---------------------------------> webSocket, longPoll
 *    ^                                          |
 *    +--- due: the best one is tried again <----+
 * ```
 * Only a transport that has delivered bytes replaces another one, so that an unreachable server changes nothing.
 */
export interface TransportState {
  /** The transport with which the next stream begins. */
  readonly transport: TransportName;
  /** Milliseconds until the best transport is tried again. Undefined while it is in use. */
  readonly retryMs?: number | undefined;
}

export type TransportInput =
  /** The first bytes of a stream arrived. */
  | { readonly type: 'opened'; readonly transport: TransportName }
  /** The time to try the best transport again has come. */
  | { readonly type: 'due' };

/** Returns the next state, or the same object when nothing changes. `best`: the first transport that the page may use. */
export function transition(
  state: TransportState,
  input: TransportInput,
  best: TransportName,
): TransportState {
  if (input.type === 'due') {
    // The delay is kept: it grows if the attempt fails.
    return state.transport === best ? state : { transport: best, retryMs: state.retryMs };
  }
  if (input.transport === best)
    return state.retryMs === undefined && state.transport === best ? state : { transport: best };
  if (input.transport === state.transport) return state;
  const retryMs = state.retryMs === undefined ? RETRY_MS : Math.min(state.retryMs * 2, MAX_RETRY_MS);
  return { transport: input.transport, retryMs };
}
