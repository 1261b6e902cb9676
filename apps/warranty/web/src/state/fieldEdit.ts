import { isTemporary, type LeaseLost, type Problem } from '@dunlin/client';
import { isMenu, isUnfinished, type FieldKind } from '../api/fields';
import type { OpenEdit } from './state';

/** An edit that the user has not left yet. */
export interface Edit extends OpenEdit {
  readonly before: string;
  /** Whether the server may have received a value of this edit. Then a cancellation has to write the previous value. */
  readonly isSent: boolean;
}

/**
 * One field that this tab edits, from taking the lock to giving it back. Immutable.
 *
 * ```
 *  open --> taking --granted--> held ---commit, cancel---> closed --nothing unsaved--> lock given back
 *             |  \                |  lock not renewed in time                ^
 *             |   no answer       v                                          |
 *             |    +---------> waiting --commit------------------------------+
 *             +--held by another, lock lost--> refused: the value goes back
 * ```
 * The lock outlives the edit until the store has nothing unsaved of the field.
 */
export interface FieldState {
  readonly edit: Edit | undefined;
  readonly lock: 'none' | 'asking' | 'held';
  /** The lock was released, but the announcement has not arrived. */
  readonly isReturned: boolean;
  /** Version of the case that an unsaved edit is based on. */
  readonly base: number | undefined;
  /** Whether the lock was missing at some time since the edit began, so that another user may have saved the field. */
  readonly isUnguarded: boolean;
  /** The unsaved value is of an earlier page, which may have saved it. */
  readonly isAdopted: boolean;
}

/** The field of a case as the store displays it. */
export interface Shown {
  readonly value: string;
  readonly version: number;
}

export type FieldInput =
  | { readonly type: 'begin'; readonly shown: Shown }
  | { readonly type: 'type'; readonly value: string }
  /** Continue with the text of a refused edit. It is not sent before the user leaves the edit or types. */
  | { readonly type: 'restore'; readonly value: string }
  | { readonly type: 'commit' | 'cancel' | 'relock' }
  /** Continue an unsaved edit of an earlier page. */
  | { readonly type: 'adopt'; readonly value: string; readonly base: number }
  /** A lock request was sent, answered or failed. */
  | { readonly type: 'asked' | 'granted' }
  | { readonly type: 'askFailed'; readonly problem: Problem }
  /** The edit acquired its lock. `isFirst`: it never held the lock before. */
  | { readonly type: 'taken'; readonly isFirst: boolean }
  | { readonly type: 'takeFailed'; readonly problem: Problem }
  /** The displayed value after `taken`. `isRebased`: the edit continues from it. */
  | { readonly type: 'compared'; readonly shown: Shown | undefined; readonly isRebased: boolean }
  | { readonly type: 'leaseLost'; readonly lost: LeaseLost }
  /** A save is about to be sent under the lock. */
  | { readonly type: 'sent' }
  /** No other user saved the field since `base`. */
  | { readonly type: 'guarded' }
  /** The server refused the value, and the store shows the previous one again. */
  | { readonly type: 'saveRefused'; readonly problem: Problem; readonly value: string }
  /** A value was saved or discarded, so the lock may be unnecessary now. */
  | { readonly type: 'settled' }
  | { readonly type: 'announcedReleased' | 'announcedTaken' };

export type FieldEffect =
  /** Calls of the store. `discard` drops the typed text and continues the edit. */
  | { readonly type: 'beginEdit' | 'endEdit' | 'cancelEdit' | 'discard' | 'flush' }
  | { readonly type: 'write'; readonly value: string; readonly immediate: boolean }
  | { readonly type: 'take'; readonly isFirst: boolean }
  | { readonly type: 'compare'; readonly isRebased: boolean }
  | { readonly type: 'giveBack' }
  | { readonly type: 'markTaken' }
  /** Send the input `settled`. The preceding effects determine whether something is unsaved. */
  | { readonly type: 'settle' }
  /** Report a refusal. `ifSaved`: only if no save of the field is in flight, because the server decides about that one. */
  | {
      readonly type: 'refuse';
      readonly problem: Problem;
      readonly typed: string | undefined;
      readonly ifSaved: boolean;
    };

export interface FieldContext {
  readonly kind: FieldKind;
  /** The unsaved value of the field in the store. */
  readonly unsaved: string | undefined;
}

export interface FieldTransition {
  readonly state: FieldState;
  readonly effects: readonly FieldEffect[];
}

export const IDLE_FIELD: FieldState = {
  edit: undefined,
  lock: 'none',
  isReturned: false,
  base: undefined,
  isUnguarded: false,
  isAdopted: false,
};

/** Whether the outcome is unknown: the edit is kept and retried. */
export function isUncertain(problem: Problem): boolean {
  return isTemporary(problem) || problem.kind === 'aborted' || problem.kind === 'signedOut';
}

/** Returns the next state, or the same one when nothing changes. No other code changes the state of a field. */
export function transition(state: FieldState, input: FieldInput, context: FieldContext): FieldTransition {
  const { edit, lock } = state;
  const { kind, unsaved } = context;
  const same: FieldTransition = { state, effects: [] };
  switch (input.type) {
    case 'begin':
      return edit ? same : begin(state, input.shown);
    case 'type': {
      const { value } = input;
      if (!edit || value === edit.draft) return same;
      const isNothing = isUnfinished(kind, value) || (value === edit.before && !edit.isSent);
      return {
        state: { ...state, edit: { ...edit, draft: value } },
        effects: [isNothing ? { type: 'discard' } : { type: 'write', value, immediate: isMenu(kind) }],
      };
    }
    case 'restore':
      return edit ? { state: { ...state, edit: { ...edit, draft: input.value } }, effects: [] } : same;
    case 'commit': {
      if (!edit) return same;
      const { draft, before } = edit;
      const effects: FieldEffect[] = [{ type: 'endEdit' }, { type: 'flush' }, { type: 'settle' }];
      // The server validates an unfinished value. A restored text was not written yet.
      const isWritten = unsaved !== undefined || edit.isSent;
      if (draft !== before && (!isWritten || isUnfinished(kind, draft)))
        effects.unshift({ type: 'write', value: draft, immediate: true });
      return { state: { ...state, edit: undefined }, effects };
    }
    case 'cancel': {
      if (!edit) return same;
      const effects: FieldEffect[] = [{ type: 'cancelEdit' }];
      if (edit.isSent) effects.push({ type: 'write', value: edit.before, immediate: true });
      return { state: { ...state, edit: undefined }, effects: [...effects, { type: 'settle' }] };
    }
    case 'adopt':
      return {
        state: { ...state, base: input.base, isUnguarded: true, isAdopted: true },
        effects: [{ type: 'write', value: input.value, immediate: false }],
      };
    case 'relock':
      return edit?.phase === 'waiting' ? { state, effects: [{ type: 'take', isFirst: false }] } : same;
    case 'asked':
      return lock === 'none' ? { state: { ...state, lock: 'asking' }, effects: [] } : same;
    case 'granted':
      if (lock !== 'asking') return same;
      return { state: { ...state, lock: 'held', isReturned: false }, effects: [] };
    case 'askFailed': {
      if (lock !== 'asking') return same;
      const isUnguarded = state.isUnguarded || isUncertain(input.problem);
      return { state: { ...state, lock: 'none', isUnguarded }, effects: [] };
    }
    case 'taken':
      return lock === 'held' ? taken(state, input.isFirst, unsaved) : same;
    case 'takeFailed':
      // The user left the edit: the save decides.
      if (!edit || lock === 'held') return same;
      if (!isUncertain(input.problem)) return refuse(state, input.problem, unsaved);
      return { state: { ...state, edit: { ...edit, phase: 'waiting' } }, effects: [] };
    case 'compared':
      return compared(state, input);
    case 'leaseLost':
      return lock === 'held' ? leaseLost(state, input.lost, unsaved) : same;
    case 'sent':
      if (!edit || edit.isSent) return same;
      return { state: { ...state, edit: { ...edit, isSent: true } }, effects: [] };
    case 'guarded':
      if (!state.isUnguarded && !state.isAdopted) return same;
      return { state: { ...state, isUnguarded: false, isAdopted: false }, effects: [] };
    case 'saveRefused': {
      const typed = edit?.draft ?? input.value;
      return close(state, { type: 'refuse', problem: input.problem, typed, ifSaved: false });
    }
    case 'settled': {
      if (edit || unsaved !== undefined) return same;
      if (lock !== 'held' && state.base === undefined && !state.isUnguarded) return same;
      const next = { ...state, base: undefined, isUnguarded: false, isAdopted: false };
      if (lock !== 'held') return { state: next, effects: [] };
      return { state: { ...next, lock: 'none', isReturned: true }, effects: [{ type: 'giveBack' }] };
    }
    case 'announcedReleased':
      return state.isReturned ? { state: { ...state, isReturned: false }, effects: [] } : same;
    case 'announcedTaken':
      return {
        state: state.isReturned ? { ...state, isReturned: false } : state,
        effects: lock === 'held' ? [{ type: 'markTaken' }] : [],
      };
  }
}

function begin(state: FieldState, { value, version }: Shown): FieldTransition {
  const isHeld = state.lock === 'held';
  const edit: Edit = { before: value, draft: value, phase: isHeld ? 'held' : 'taking', isSent: false };
  const base = state.base ?? version;
  if (isHeld) return { state: { ...state, edit, base }, effects: [{ type: 'beginEdit' }] };
  return {
    state: { ...state, edit, base, isUnguarded: true },
    effects: [{ type: 'beginEdit' }, { type: 'take', isFirst: true }],
  };
}

// Another user may have saved the field during the lock request. If nothing was typed yet, the edit starts from that value. Otherwise the
// save compares versions.
function taken(state: FieldState, isFirst: boolean, unsaved: string | undefined): FieldTransition {
  const { edit } = state;
  const isRebased = edit !== undefined && edit.draft === edit.before && unsaved === undefined;
  const effects: FieldEffect[] = [];
  if (isFirst && isRebased) effects.push({ type: 'discard' });
  if (isFirst) effects.push({ type: 'compare', isRebased });
  // The user may have left the edit without a change.
  effects.push({ type: 'settle' });
  return { state: edit ? { ...state, edit: { ...edit, phase: 'held' } } : state, effects };
}

function compared(
  state: FieldState,
  { shown, isRebased }: FieldInput & { type: 'compared' },
): FieldTransition {
  const { edit } = state;
  let next = state;
  if (shown && isRebased && edit) {
    const { value, version } = shown;
    next = { ...state, edit: { ...edit, before: value, draft: value }, base: version };
  }
  if (shown && shown.version === next.base && next.isUnguarded) next = { ...next, isUnguarded: false };
  return { state: next, effects: [] };
}

function leaseLost(state: FieldState, lost: LeaseLost, unsaved: string | undefined): FieldTransition {
  const { reason, problem } = lost;
  const { edit } = state;
  const isOwnRelease = reason === 'released' && !problem;
  const next: FieldState = { ...state, lock: 'none', isReturned: state.isReturned || isOwnRelease };
  if (problem?.kind === 'lost' || reason === 'taken') {
    const why: Problem = problem ?? {
      kind: 'lost',
      code: 'lease_lost',
      title: 'The lock was taken.',
      reason,
    };
    return refuse(next, why, unsaved);
  }
  if (!edit && unsaved === undefined) return { state: next, effects: [] };
  // The lease was not renewed in time, the session ended, or an unloaded page that came back had released it. The save acquires it again.
  return {
    state: { ...next, isUnguarded: true, edit: edit && { ...edit, phase: 'waiting' } },
    effects: [],
  };
}

/** Another user holds the lock: drop the unsent text. The server decides about a save in flight. */
function refuse(state: FieldState, problem: Problem, unsaved: string | undefined): FieldTransition {
  const { edit } = state;
  if (!edit && unsaved === undefined) return { state, effects: [] };
  const typed = edit && edit.draft !== edit.before ? edit.draft : unsaved;
  return close(state, { type: 'refuse', problem, typed, ifSaved: true });
}

function close(state: FieldState, refusal: FieldEffect): FieldTransition {
  const effects: FieldEffect[] = [{ type: 'cancelEdit' }, { type: 'settle' }, refusal];
  return { state: { ...state, edit: undefined }, effects };
}
