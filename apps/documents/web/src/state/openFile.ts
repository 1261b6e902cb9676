import type { LeaseLostReason, Problem } from '@dunlin/client';
import type { Draft } from './drafts';
import type { FileEffect, FileInput } from './fileInputs';
import type { SharedText } from './sharedText';
import type { SharedState } from './sharing';
import { faultOf, LOST, problemWords, WORDS, type Fault } from './words';

export type { FileEffect, FileInput } from './fileInputs';

/** The part of the editor that the workspace uses. */
export interface TextPane {
  readonly text: string;
  setText(text: string): void;
  /** Replaces the text as an edit of the user, which can be undone. */
  replaceText(text: string): void;
  setEditable(editable: boolean): void;
  showFault(fault: Fault | undefined): void;
  clear(): void;
  /** Shows a shared text in place of the own one, or ends that. */
  share(shared: SharedText | undefined): Promise<void>;
  /** Loads the editor. Resolves at once when it is loaded. */
  load(): Promise<void>;
}

/**
 * ```
 *   loading --> editing    this tab has the lock
 *           --> locked     another session has it; races when the lock is released
 *           --> otherTab   another tab of this browser edits; continues when that tab is closed
 *           --> reading    no right to write
 *           --> together   several users edit the shared draft of the file, or this user reads along
 *           --> maintenance  nobody but administrators gets a lock; continues as `locked` when the maintenance ends
 *   locked  --> queued     waits for its turn --> editing
 *   editing --> lost       the lock ended with changes unsaved: they are a draft now
 *   locked, otherTab, queued --> editing, after the text has been read again
 *   A draft that starts or ends: the file is opened again.
 * ```
 */
export type Mode =
  'loading' | 'editing' | 'locked' | 'queued' | 'otherTab' | 'reading' | 'together' | 'maintenance' | 'lost';

/** A draft that was put into the editor by itself, and the stored text that it replaced there. */
export interface Restored {
  readonly at: number;
  readonly stored: string;
}

/** The open file. Immutable. */
export interface OpenFile {
  readonly id: string;
  readonly mode: Mode;
  /** Revision of the displayed text. */
  readonly etag: string;
  /** In mode `together`: the revision from before the saves of others, which the text may lack. Undefined: `etag`. */
  readonly base: string | undefined;
  readonly isDirty: boolean;
  readonly isSaving: boolean;
  /** An unsaved text of another revision than the displayed one. The user has to choose. */
  readonly draft: Draft | undefined;
  readonly restored: Restored | undefined;
  /** The shared draft, in mode `together`. */
  readonly sharedDraft: string | undefined;
  readonly shared: SharedState | undefined;
  /** A request for the released lock. `again`: the lock was released again during the request. */
  readonly race: 'none' | 'running' | 'again';
}

export interface FileTransition {
  /** Undefined: the file is closed. */
  readonly state: OpenFile | undefined;
  readonly effects: readonly FileEffect[];
}

export function openedFile(id: string): OpenFile {
  return {
    id,
    mode: 'loading',
    etag: '',
    base: undefined,
    isDirty: false,
    isSaving: false,
    draft: undefined,
    restored: undefined,
    sharedDraft: undefined,
    shared: undefined,
    race: 'none',
  };
}

/** Whether the user reads without the lock. The page then displays every save of other users at once. */
export function isReading(mode: Mode): boolean {
  return mode !== 'loading' && mode !== 'editing' && mode !== 'lost' && mode !== 'together';
}

/** Whether the user can type into the text. */
export function isWriting({ mode, shared }: OpenFile): boolean {
  return mode === 'editing' || (mode === 'together' && shared?.canEdit === true);
}

/** Whether edits of this page in a shared draft are nowhere else: the server does not have them, or the draft has ended. */
export function isOnlyHere({ mode, shared, sharedDraft }: OpenFile): boolean {
  if (mode !== 'together' || !shared) return false;
  return !shared.isSent || (sharedDraft === undefined && shared.isDirty && shared.hasEdits);
}

/** Returns the next state, or the same one when nothing changes. No other code changes the state of an open file. */
export function transition(state: OpenFile, input: FileInput): FileTransition {
  const { mode, draft } = state;
  const isEditing = mode === 'editing';
  switch (input.type) {
    case 'read':
      return read(state, input);
    case 'edited':
      if (!isEditing) return same(state);
      return {
        state: state.isDirty ? state : { ...state, isDirty: true },
        effects: [{ type: 'keepDraftLater' }],
      };
    case 'save':
      if (!isWriting(state) || state.isSaving || !state.isDirty) return same(state);
      return { state: { ...state, isSaving: true }, effects: [{ type: 'keepDraft' }, { type: 'send' }] };
    case 'saved':
      if (!state.isSaving) return same(state);
      return {
        state: { ...state, etag: input.etag, base: undefined, isDirty: !input.isSame, restored: undefined },
        effects: [{ type: 'showFault', fault: undefined }],
      };
    case 'saveFailed':
      if (!state.isSaving) return same(state);
      return {
        state,
        effects: [{ type: 'showFault', fault: faultOf(input.problem) }, ...failed(input.problem, mode)],
      };
    case 'saveEnded':
      return state.isSaving ? { state: { ...state, isSaving: false }, effects: [] } : same(state);
    case 'leaseLost':
      return isEditing ? lost(state, input.reason) : same(state);
    case 'race':
      return race(state);
    case 'raceLost':
    case 'raceEnded':
      if (state.race === 'none') return same(state);
      if (input.type === 'raceLost' && state.race === 'again')
        return { state: { ...state, race: 'running' }, effects: [{ type: 'tryLock' }] };
      return { state: { ...state, race: 'none' }, effects: [] };
    case 'takeFailed':
      if (mode !== 'locked' && mode !== 'queued') return same(state);
      return {
        state: { ...state, mode: 'locked' },
        effects: notifyProblem(input.problem, 'The document could not be read'),
      };
    case 'otherTabClosed':
      return mode === 'otherTab' ? race({ ...state, mode: 'locked' }) : same(state);
    case 'queue':
      if (mode !== 'locked') return same(state);
      return { state: { ...state, mode: 'queued' }, effects: [{ type: 'enterQueue' }] };
    case 'leaveQueue':
      return { state, effects: mode === 'queued' ? [{ type: 'leaveQueue' }] : [] };
    case 'queueFailed':
      if (mode !== 'queued') return same(state);
      return {
        state: { ...state, mode: 'locked' },
        effects: input.hasLeft ? [] : notifyProblem(input.problem, 'You left the queue'),
      };
    case 'refresh':
      return {
        state,
        effects: isReading(mode) || mode === 'together' ? [{ type: 'fetch', thenRace: false }] : [],
      };
    case 'refreshed':
      if (mode === 'together')
        return {
          state: { ...state, etag: input.etag, base: state.base ?? state.etag },
          effects: [{ type: 'compareShared', stored: input.text }],
        };
      if (!isReading(mode)) return same(state);
      return { state: { ...state, etag: input.etag }, effects: [{ type: 'setText', text: input.text }] };
    case 'useDraft':
      if (!draft || !isEditing) return same(state);
      return {
        state: { ...state, draft: undefined, isDirty: true },
        effects: [
          { type: 'setText', text: draft.text },
          { type: 'setEditable', isEditable: true },
          { type: 'keepDraft' },
        ],
      };
    case 'settled':
      return { state: { ...state, isDirty: false, draft: undefined, restored: undefined }, effects: [] };
    case 'draftDiscarded':
      return draftDiscarded(state);
    case 'restoredDiscarded':
      return restoredDiscarded(state);
    case 'draftMerged':
      if (!draft || !isEditing) return same(state);
      return {
        state: { ...state, draft: undefined },
        effects: [
          { type: 'forgetDraft' },
          { type: 'setEditable', isEditable: true },
          ...(state.isDirty ? [{ type: 'keepDraft' } as const] : []),
        ],
      };
    case 'reopen':
      if (mode !== 'lost') return same(state);
      return {
        state: { ...state, mode: 'locked', isDirty: false, draft: input.draft },
        effects: [
          { type: 'showFault', fault: undefined },
          { type: 'fetch', thenRace: true },
        ],
      };
    case 'maintenanceBegan':
      if (mode !== 'locked') return same(state);
      return { state: { ...state, mode: 'maintenance' }, effects: [{ type: 'reloadList' }] };
    case 'maintenanceEnded':
      return mode === 'maintenance' ? race({ ...state, mode: 'locked' }) : same(state);
    case 'share':
      return { state, effects: isEditing ? [{ type: 'setEditable', isEditable: false }] : [] };
    case 'shareFailed':
      return { state, effects: isEditing ? [{ type: 'setEditable', isEditable: true }] : [] };
    case 'sharedChanged':
      return sharedChanged(state, input.shared);
    case 'listed':
      return listed(state, input.file);
    case 'deleted':
      return clear(state, input.words);
  }
}

function same(state: OpenFile): FileTransition {
  return { state, effects: [] };
}

function read(
  state: OpenFile,
  { lease, text, etag, draft, ...input }: FileInput & { type: 'read' },
): FileTransition {
  // Invariant: only a text that was loaded under the lock is editable.
  const mode = lease === 'lost' ? 'locked' : input.mode;
  const isEditing = mode === 'editing';
  const effects: FileEffect[] = [
    { type: 'setText', text },
    { type: 'showFault', fault: undefined },
  ];
  if (lease === 'held' && isEditing) effects.push({ type: 'holdLease' });
  const next = {
    ...state,
    mode,
    etag,
    base: undefined,
    isDirty: false,
    draft: undefined,
    restored: undefined,
  };
  if (mode === 'together') {
    const { sharedDraft } = input;
    effects.push({ type: 'setEditable', isEditable: false }, { type: 'join', stored: text });
    return { state: { ...next, sharedDraft, draft: draft?.text === text ? undefined : draft }, effects };
  }
  if (!draft || draft.text === text) {
    if (draft) effects.push({ type: 'forgetDraft' });
    effects.push({ type: 'setEditable', isEditable: isEditing });
    return { state: next, effects };
  }
  if (draft.etag === etag && isEditing) {
    effects.push({ type: 'setText', text: draft.text }, { type: 'notify', notice: { text: WORDS.restored } });
    effects.push({ type: 'setEditable', isEditable: true });
    return { state: { ...next, isDirty: true, restored: { at: draft.at, stored: text } }, effects };
  }
  // The user decides about the draft first, because typing would replace it.
  effects.push({ type: 'setEditable', isEditable: false });
  return { state: { ...next, draft }, effects };
}

/** Edits that the server does not have yet are a local draft as well: the page may be closed without a network. */
function sharedChanged(state: OpenFile, shared: SharedState): FileTransition {
  if (state.mode !== 'together') return same(state);
  const effects: FileEffect[] = [];
  if (!shared.isSent) effects.push({ type: 'keepDraftLater' });
  else if (state.shared?.isSent === false && !state.draft) effects.push({ type: 'forgetDraft' });
  // The list tells whether the draft has ended, or the user has lost the right to write.
  if (shared.name === 'ended' || shared.problem) effects.push({ type: 'reloadList' });
  return { state: { ...state, shared, isDirty: shared.isDirty }, effects };
}

function failed(problem: Problem, mode: Mode): FileEffect[] {
  if (problem.kind === 'lost') return [{ type: 'markLeaseLost', reason: problem.reason }];
  if (mode === 'together') return failedTogether(problem);
  // Another client of the same session saved under this lock, so the text is not based on the current revision.
  if (problem.status === 412) return [{ type: 'releaseLease' }];
  return [{ type: 'keepDraft' }, ...notifyProblem(problem, 'Not saved; your text is kept as a draft')];
}

// The text is in the shared draft, unless that has ended.
function failedTogether(problem: Problem): FileEffect[] {
  if (problem.status === 412)
    return [
      { type: 'fetch', thenRace: false },
      { type: 'notify', notice: { kind: 'error', text: WORDS.savedMeanwhile } },
    ];
  const effects = notifyProblem(problem, 'Not saved');
  return problem.code === 'shared_draft_ended' ? [...effects, { type: 'reloadList' }] : effects;
}

function lost(state: OpenFile, reason: LeaseLostReason): FileTransition {
  const effects: FileEffect[] = [{ type: 'setEditable', isEditable: false }, { type: 'reloadList' }];
  // Without unsaved text this tab becomes a reader.
  if (!state.isDirty)
    return { state: { ...state, mode: 'locked' }, effects: [...effects, { type: 'raceLater' }] };
  const text = `${LOST[reason]}. Your text is kept as a draft.`;
  return {
    state: { ...state, mode: 'lost', restored: undefined },
    effects: [...effects, { type: 'keepDraft' }, { type: 'notify', notice: { kind: 'error', text } }],
  };
}

function race(state: OpenFile): FileTransition {
  if (state.race !== 'none') return { state: { ...state, race: 'again' }, effects: [] };
  if (state.mode !== 'locked') return same(state);
  return { state: { ...state, race: 'running' }, effects: [{ type: 'tryLock' }] };
}

function draftDiscarded(state: OpenFile): FileTransition {
  if (state.mode === 'editing') return { state, effects: [{ type: 'setEditable', isEditable: true }] };
  if (state.mode !== 'lost') return same(state);
  return {
    state: { ...state, mode: 'locked' },
    effects: [
      { type: 'showFault', fault: undefined },
      { type: 'fetch', thenRace: true },
    ],
  };
}

function restoredDiscarded(state: OpenFile): FileTransition {
  if (!state.restored || state.mode !== 'editing') return same(state);
  return {
    state: { ...state, isDirty: false, restored: undefined },
    effects: [
      { type: 'forgetDraft' },
      { type: 'setText', text: state.restored.stored },
      { type: 'showFault', fault: undefined },
    ],
  };
}

/** Applies changes whose events were lost while the connection was down. */
function listed(state: OpenFile, file: (FileInput & { type: 'listed' })['file']): FileTransition {
  const { mode, shared } = state;
  if (mode === 'loading') return same(state);
  if (!file) return clear(state, WORDS.gone);
  const isOther = file.sharedDraft !== state.sharedDraft && mode !== 'lost';
  if (isOther || (shared && shared.mayEdit !== file.canWrite))
    return {
      state: isOther ? { ...state, sharedDraft: undefined } : state,
      effects: [{ type: 'openAgain' }],
    };
  const raced = mode === 'locked' && file.isFree ? race(state) : same(state);
  if ((!isReading(mode) && mode !== 'together') || file.etag === state.etag) return raced;
  return { state: raced.state, effects: [...raced.effects, { type: 'fetch', thenRace: false }] };
}

function clear(state: OpenFile, words: string): FileTransition {
  const isOver = { ...state, sharedDraft: undefined };
  const copyPane = state.mode === 'lost' || isOnlyHere(isOver);
  return { state: undefined, effects: [{ type: 'clear', words, copy: state.draft?.text, copyPane }] };
}

function notifyProblem(problem: Problem, what: string): FileEffect[] {
  const text = problemWords(problem, what);
  return text === undefined ? [] : [{ type: 'notify', notice: { kind: 'error', text } }];
}
