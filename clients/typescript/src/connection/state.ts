import type { Problem } from '../http/problem.js';
import { backoffMs, BACKOFF_MS } from './backoff.js';

export type SignedOutReason = 'unauthorized' | 'signedOut' | 'revoked';

interface Common {
  /** Number of streams opened so far. Inputs about an older stream are ignored. */
  readonly stream: number;
  /** Failed attempts since the connection was last steady. */
  readonly attempt: number;
}

/**
 * ```
 *            connect                headers of 200
 *  closed ------------> connecting ----------------> live
 *    ^ 400 403 404       |  ^  ^ due, visible, online  |
 *    +-------------------+  |  +------- waiting <------+ end, error, silence, goodbye
 *    | 401 after refresh    |              | network is gone
 *    v                      +---------- offline <------+
 *  signedOut <--- goodbye: signedOut, revoked
 * ```
 * Plain data: the leader tab sends it to the other tabs as it is.
 */
export type ConnectionState =
  | (Common & { readonly name: 'connecting'; readonly refresh: boolean })
  | (Common & { readonly name: 'live'; readonly connectionId?: string | undefined })
  | (Common & {
      readonly name: 'waiting';
      readonly delayMs: number;
      /** The server set the delay: a visible page does not shorten it. */
      readonly serverMandated: boolean;
      readonly refresh: boolean;
      readonly problem?: Problem | undefined;
    })
  | (Common & { readonly name: 'offline'; readonly delayMs: number })
  | (Common & { readonly name: 'signedOut'; readonly reason: SignedOutReason })
  | (Common & {
      readonly name: 'closed';
      /** Why the server permanently refused the stream. Undefined when the application closed it. */
      readonly problem?: Problem | undefined;
      /** Closed for the back/forward cache. */
      readonly suspended: boolean;
    });

export type ConnectionStateName = ConnectionState['name'];

export type ConnectionInput =
  | { readonly type: 'connect' }
  | { readonly type: 'disconnect' }
  /** The address changed: open a new stream from the current position. */
  | { readonly type: 'reconnect' }
  | { readonly type: 'opened'; readonly stream: number; readonly connectionId?: string | undefined }
  /** The stream could not be opened, ended, broke or was silent. */
  | { readonly type: 'failed'; readonly stream: number; readonly problem: Problem; readonly steady: boolean }
  | {
      readonly type: 'goodbye';
      readonly stream: number;
      readonly reason: string;
      readonly reconnectInMs?: number | undefined;
      readonly steady: boolean;
    }
  | { readonly type: 'signOut'; readonly reason: SignedOutReason }
  /** The delay is over. */
  | { readonly type: 'due' }
  | { readonly type: 'online' }
  | { readonly type: 'offline' }
  | { readonly type: 'visible' }
  | { readonly type: 'suspend' }
  | { readonly type: 'resume' };

/** What a transition depends on besides state and input. */
export interface TransitionContext {
  readonly random: number;
  readonly online: boolean;
  /** The server's last `retry:` in milliseconds, with the server's jitter. */
  readonly retryMs?: number | undefined;
}

export const INITIAL_STATE: ConnectionState = { name: 'closed', stream: 0, attempt: 0, suspended: false };

/** The delay between attempts while the browser reports that it is offline. That report can be wrong. */
export const OFFLINE_PROBE_MS = BACKOFF_MS[BACKOFF_MS.length - 1]!;

/** Returns the next state, or the same object when nothing changes. Invariant: no other code changes the state of a connection. */
export function transition(
  state: ConnectionState,
  input: ConnectionInput,
  context: TransitionContext,
): ConnectionState {
  const { stream, attempt } = state;
  switch (input.type) {
    case 'connect':
      return isTrying(state) ? state : connecting(stream, 0);
    case 'disconnect':
      if (state.name === 'signedOut' || (state.name === 'closed' && !state.suspended)) return state;
      return { name: 'closed', stream, attempt: 0, suspended: false };
    case 'reconnect':
      return isOpen(state) ? connecting(stream, attempt) : state;
    case 'opened':
      if (!isOpen(state) || input.stream !== stream) return state;
      if (state.name === 'live' && state.connectionId === input.connectionId) return state;
      return { name: 'live', stream, attempt, connectionId: input.connectionId };
    case 'failed':
      if (!isOpen(state) || input.stream !== stream) return state;
      return failed(stream, input.steady ? 0 : attempt, input.problem, context);
    case 'goodbye':
      if (!isOpen(state) || input.stream !== stream) return state;
      return goodbye(stream, attempt, input, context);
    case 'signOut':
      return { name: 'signedOut', stream, attempt: 0, reason: input.reason };
    case 'due':
      if (state.name === 'waiting') return connecting(stream, attempt, state.refresh);
      return state.name === 'offline' ? connecting(stream, attempt) : state;
    case 'online':
    case 'visible':
      if (state.name === 'waiting' && !state.serverMandated)
        return connecting(stream, attempt, state.refresh);
      return state.name === 'offline' && context.online ? connecting(stream, attempt) : state;
    case 'offline':
      return isTrying(state) && state.name !== 'offline' ? offline(stream, attempt) : state;
    case 'suspend':
      return isTrying(state) ? { name: 'closed', stream, attempt: 0, suspended: true } : state;
    case 'resume':
      return state.name === 'closed' && state.suspended ? connecting(stream, 0) : state;
  }
}

/** Whether a stream is open or being opened. */
export function isOpen(state: ConnectionState): boolean {
  return state.name === 'connecting' || state.name === 'live';
}

/** Whether the connection is live or tries to become live. */
export function isTrying(state: ConnectionState): boolean {
  return isOpen(state) || state.name === 'waiting' || state.name === 'offline';
}

function connecting(stream: number, attempt: number, refresh = false): ConnectionState {
  return { name: 'connecting', stream: stream + 1, attempt, refresh };
}

function offline(stream: number, attempt: number): ConnectionState {
  return { name: 'offline', stream, attempt, delayMs: OFFLINE_PROBE_MS };
}

function failed(
  stream: number,
  attempt: number,
  problem: Problem,
  context: TransitionContext,
): ConnectionState {
  switch (problem.kind) {
    case 'network':
    case 'aborted':
      if (!context.online) return offline(stream, attempt);
      return waiting(stream, attempt, context, { problem });
    case 'busy':
    case 'outcomeUnknown':
      return waiting(stream, attempt, context, { problem, serverMs: problem.retryAfterMs });
    case 'signedOut':
      return { name: 'signedOut', stream, attempt: 0, reason: 'unauthorized' };
    default:
      return { name: 'closed', stream, attempt: 0, suspended: false, problem };
  }
}

function goodbye(
  stream: number,
  attempt: number,
  input: ConnectionInput & { type: 'goodbye' },
  context: TransitionContext,
): ConnectionState {
  const { reason, steady, reconnectInMs } = input;
  if (reason === 'signedOut' || reason === 'revoked')
    return { name: 'signedOut', stream, attempt: 0, reason };
  const failures = steady ? 0 : attempt;
  if (reason !== 'tokenExpired') return waiting(stream, failures, context, { goodbyeMs: reconnectInMs });
  // Prevents a tight loop against a server whose tokens expire as soon as they are issued.
  if (steady) return connecting(stream, 0, true);
  return waiting(stream, failures, context, { refresh: true });
}

interface WaitReason {
  readonly problem?: Problem | undefined;
  readonly serverMs?: number | undefined;
  readonly goodbyeMs?: number | undefined;
  readonly refresh?: boolean | undefined;
}

function waiting(
  stream: number,
  attempt: number,
  context: TransitionContext,
  why: WaitReason,
): ConnectionState {
  const { random } = context;
  const common = { name: 'waiting' as const, stream, attempt: attempt + 1, problem: why.problem };
  const refresh = why.refresh ?? false;
  // `Retry-After` is the same for all clients, so the client adds jitter. The delay of a goodbye has the server's jitter.
  if (why.serverMs !== undefined) {
    return { ...common, refresh, serverMandated: true, delayMs: why.serverMs + Math.round(random * 1000) };
  }
  if (why.goodbyeMs !== undefined)
    return { ...common, refresh, serverMandated: true, delayMs: why.goodbyeMs };
  const first = attempt === 0 ? context.retryMs : undefined;
  return { ...common, refresh, serverMandated: false, delayMs: first ?? backoffMs(attempt, random) };
}
