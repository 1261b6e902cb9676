import type { Problem } from '../http/problem.js';

/**
 * The state of a document on this page:
 *
 * ```
 * connecting ── live ──▶ loading ── loaded ──▶ synced
 *      ▲                  │  ▲ reset             │
 *      └───── lost ───────┴──┼───────────────────┘     any ── ended or refused ──▶ refused
 *                            └── after a loss with missing events
 * ```
 *
 * Edits are possible in every state. They are kept and sent when the document is synced.
 */
export interface DocumentState {
  readonly name: 'connecting' | 'loading' | 'synced' | 'refused';
  /** Whether the server has not confirmed all edits of this page. */
  readonly hasUnsent: boolean;
  /** Whether the server refused an edit, because the user may only read. */
  readonly isReadOnly: boolean;
  /** Why the state is `refused`, or why edits cannot be sent. */
  readonly problem?: Problem | undefined;
  /** Whether the document has all that the server had at one time. It stays so without a connection. */
  readonly isLoaded: boolean;
}

export type DocumentInput =
  | { readonly type: 'live' | 'lost' | 'reset' | 'loaded' | 'edited' | 'sent' }
  | { readonly type: 'ended' | 'loadRefused' | 'editRefused'; readonly problem: Problem | undefined };

export const INITIAL: DocumentState = {
  name: 'connecting',
  hasUnsent: false,
  isReadOnly: false,
  isLoaded: false,
};

/** The only function that decides about states. */
export function transition(state: DocumentState, input: DocumentInput): DocumentState {
  switch (input.type) {
    case 'live':
      if (state.name !== 'connecting' && state.name !== 'refused') return state;
      return { ...state, name: state.isLoaded ? 'synced' : 'loading', problem: undefined };
    case 'lost':
      return state.name === 'refused' || state.name === 'connecting'
        ? state
        : { ...state, name: 'connecting' };
    case 'reset':
      return { ...state, name: state.name === 'synced' ? 'loading' : state.name, isLoaded: false };
    case 'loaded':
      return state.name === 'loading' ? { ...state, name: 'synced', isLoaded: true } : state;
    case 'edited':
      return state.hasUnsent ? state : { ...state, hasUnsent: true };
    case 'sent':
      return { ...state, hasUnsent: false, problem: undefined };
    case 'ended':
    case 'loadRefused':
      return { ...state, name: 'refused', isLoaded: false, problem: input.problem };
    case 'editRefused':
      return {
        ...state,
        isReadOnly: state.isReadOnly || input.problem?.kind === 'forbidden',
        problem: input.problem,
      };
  }
}
