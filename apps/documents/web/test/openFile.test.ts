import type { Problem } from '@dunlin/client';
import { describe, expect, test } from 'vitest';
import type { Draft } from '../src/state/drafts';
import {
  openedFile,
  transition,
  type FileEffect,
  type FileInput,
  type OpenFile,
} from '../src/state/openFile';

const file = (more: Partial<OpenFile>): OpenFile => ({ ...openedFile('f'), etag: '1', ...more });
const draft: Draft = { fileId: 'f', text: 'typed', etag: '0', at: 1 };

const states = {
  loading: openedFile('f'),
  editing: file({ mode: 'editing' }),
  dirty: file({ mode: 'editing', isDirty: true }),
  saving: file({ mode: 'editing', isDirty: true, isSaving: true }),
  deciding: file({ mode: 'editing', draft }),
  locked: file({ mode: 'locked' }),
  racing: file({ mode: 'locked', race: 'running' }),
  'racing again': file({ mode: 'locked', race: 'again' }),
  queued: file({ mode: 'queued' }),
  otherTab: file({ mode: 'otherTab' }),
  reading: file({ mode: 'reading' }),
  lost: file({ mode: 'lost', isDirty: true }),
  maintenance: file({ mode: 'maintenance' }),
  restored: file({ mode: 'editing', isDirty: true, restored: { at: 1, stored: 'stored' } }),
} satisfies Record<string, OpenFile>;

const problem = (kind: string, more = {}) => ({ kind, code: kind, title: kind, ...more }) as Problem;
const read = (more: Partial<FileInput & { type: 'read' }>): FileInput => ({
  type: 'read',
  mode: 'editing',
  lease: 'held',
  text: 'text',
  etag: '2',
  draft: undefined,
  ...more,
});

const inputs = {
  'read with the lock': read({}),
  'read, lock lost meanwhile': read({ lease: 'lost' }),
  'read without the lock': read({ mode: 'locked', lease: 'none' }),
  'read, draft of this text': read({ draft: { ...draft, text: 'text' } }),
  'read, draft of this revision': read({ draft: { ...draft, etag: '2' } }),
  'read, draft of another revision': read({ draft }),
  'read without the lock, draft': read({ mode: 'locked', lease: 'none', draft: { ...draft, etag: '2' } }),
  edited: { type: 'edited' },
  save: { type: 'save' },
  saved: { type: 'saved', etag: '2', isSame: true },
  'saved, typed on': { type: 'saved', etag: '2', isSame: false },
  'saveFailed, lock lost': { type: 'saveFailed', problem: problem('lost', { reason: 'expired' }) },
  'saveFailed, changed': { type: 'saveFailed', problem: problem('conflict', { status: 412 }) },
  'saveFailed, no network': { type: 'saveFailed', problem: problem('network') },
  'saveFailed, 500': { type: 'saveFailed', problem: problem('unexpected', { status: 500 }) },
  'saveFailed, signed out': { type: 'saveFailed', problem: problem('signedOut') },
  saveEnded: { type: 'saveEnded' },
  leaseLost: { type: 'leaseLost', reason: 'expired' },
  race: { type: 'race' },
  raceLost: { type: 'raceLost' },
  raceEnded: { type: 'raceEnded' },
  takeFailed: { type: 'takeFailed', problem: problem('network') },
  otherTabClosed: { type: 'otherTabClosed' },
  queue: { type: 'queue' },
  leaveQueue: { type: 'leaveQueue' },
  'queueFailed, left': { type: 'queueFailed', problem: problem('aborted'), hasLeft: true },
  'queueFailed, no network': { type: 'queueFailed', problem: problem('network'), hasLeft: false },
  refresh: { type: 'refresh' },
  refreshed: { type: 'refreshed', text: 'new', etag: '2' },
  useDraft: { type: 'useDraft' },
  settled: { type: 'settled' },
  draftDiscarded: { type: 'draftDiscarded' },
  restoredDiscarded: { type: 'restoredDiscarded' },
  draftMerged: { type: 'draftMerged' },
  reopen: { type: 'reopen', draft },
  maintenanceBegan: { type: 'maintenanceBegan' },
  maintenanceEnded: { type: 'maintenanceEnded' },
  'listed, free': { type: 'listed', file: { etag: '1', isFree: true, canWrite: true } },
  'listed, held': { type: 'listed', file: { etag: '1', isFree: false, canWrite: true } },
  'listed, changed and held': { type: 'listed', file: { etag: '2', isFree: false, canWrite: true } },
  'listed, gone': { type: 'listed', file: undefined },
  deleted: { type: 'deleted', words: 'gone' },
} satisfies Record<string, FileInput>;

function wordOf(effect: FileEffect): string {
  switch (effect.type) {
    case 'setText':
      return `show ${effect.text}`;
    case 'setEditable':
      return effect.isEditable ? 'editable' : 'read-only';
    case 'fetch':
      return effect.thenRace ? 'fetch then race' : 'fetch';
    case 'clear':
      return `clear${effect.copyPane ? ' offering the pane' : effect.copy ? ' offering the draft' : ''}`;
    case 'notify':
      return `notify ${effect.notice.kind ?? 'info'}`;
    default:
      return effect.type;
  }
}

function wordsOf(state: OpenFile | undefined): string {
  if (!state) return 'closed';
  const { mode, etag, isDirty, isSaving, race } = state;
  const marks = [
    etag && `r${etag}`,
    isDirty && 'dirty',
    isSaving && 'saving',
    state.draft && 'draft',
    state.restored && 'restored',
    race !== 'none' && race,
  ];
  return [mode, ...marks.filter(Boolean)].join(' ');
}

function outcome(state: OpenFile, input: FileInput): string {
  const before = structuredClone(state);
  const next = transition(state, input);
  expect(state).toEqual(before);
  return [wordsOf(next.state), ...next.effects.map(wordOf)].join(', ');
}

type StateKey = keyof typeof states;
type InputKey = keyof typeof inputs;

/** State and effects after the input. A state that is not listed stays unchanged, without effects. */
const table: Record<InputKey, Partial<Record<StateKey, string>>> = {
  'read with the lock': {
    loading: 'editing r2, show text, showFault, holdLease, editable',
    editing: 'editing r2, show text, showFault, holdLease, editable',
    dirty: 'editing r2, show text, showFault, holdLease, editable',
    saving: 'editing r2 saving, show text, showFault, holdLease, editable',
    deciding: 'editing r2, show text, showFault, holdLease, editable',
    locked: 'editing r2, show text, showFault, holdLease, editable',
    racing: 'editing r2 running, show text, showFault, holdLease, editable',
    'racing again': 'editing r2 again, show text, showFault, holdLease, editable',
    queued: 'editing r2, show text, showFault, holdLease, editable',
    otherTab: 'editing r2, show text, showFault, holdLease, editable',
    reading: 'editing r2, show text, showFault, holdLease, editable',
    lost: 'editing r2, show text, showFault, holdLease, editable',
    maintenance: 'editing r2, show text, showFault, holdLease, editable',
    restored: 'editing r2, show text, showFault, holdLease, editable',
  },
  'read, lock lost meanwhile': {
    loading: 'locked r2, show text, showFault, read-only',
    editing: 'locked r2, show text, showFault, read-only',
    dirty: 'locked r2, show text, showFault, read-only',
    saving: 'locked r2 saving, show text, showFault, read-only',
    deciding: 'locked r2, show text, showFault, read-only',
    locked: 'locked r2, show text, showFault, read-only',
    racing: 'locked r2 running, show text, showFault, read-only',
    'racing again': 'locked r2 again, show text, showFault, read-only',
    queued: 'locked r2, show text, showFault, read-only',
    otherTab: 'locked r2, show text, showFault, read-only',
    reading: 'locked r2, show text, showFault, read-only',
    lost: 'locked r2, show text, showFault, read-only',
    maintenance: 'locked r2, show text, showFault, read-only',
    restored: 'locked r2, show text, showFault, read-only',
  },
  'read without the lock': {
    loading: 'locked r2, show text, showFault, read-only',
    editing: 'locked r2, show text, showFault, read-only',
    dirty: 'locked r2, show text, showFault, read-only',
    saving: 'locked r2 saving, show text, showFault, read-only',
    deciding: 'locked r2, show text, showFault, read-only',
    locked: 'locked r2, show text, showFault, read-only',
    racing: 'locked r2 running, show text, showFault, read-only',
    'racing again': 'locked r2 again, show text, showFault, read-only',
    queued: 'locked r2, show text, showFault, read-only',
    otherTab: 'locked r2, show text, showFault, read-only',
    reading: 'locked r2, show text, showFault, read-only',
    lost: 'locked r2, show text, showFault, read-only',
    maintenance: 'locked r2, show text, showFault, read-only',
    restored: 'locked r2, show text, showFault, read-only',
  },
  'read, draft of this text': {
    loading: 'editing r2, show text, showFault, holdLease, forgetDraft, editable',
    editing: 'editing r2, show text, showFault, holdLease, forgetDraft, editable',
    dirty: 'editing r2, show text, showFault, holdLease, forgetDraft, editable',
    saving: 'editing r2 saving, show text, showFault, holdLease, forgetDraft, editable',
    deciding: 'editing r2, show text, showFault, holdLease, forgetDraft, editable',
    locked: 'editing r2, show text, showFault, holdLease, forgetDraft, editable',
    racing: 'editing r2 running, show text, showFault, holdLease, forgetDraft, editable',
    'racing again': 'editing r2 again, show text, showFault, holdLease, forgetDraft, editable',
    queued: 'editing r2, show text, showFault, holdLease, forgetDraft, editable',
    otherTab: 'editing r2, show text, showFault, holdLease, forgetDraft, editable',
    reading: 'editing r2, show text, showFault, holdLease, forgetDraft, editable',
    lost: 'editing r2, show text, showFault, holdLease, forgetDraft, editable',
    maintenance: 'editing r2, show text, showFault, holdLease, forgetDraft, editable',
    restored: 'editing r2, show text, showFault, holdLease, forgetDraft, editable',
  },
  'read, draft of this revision': {
    loading: 'editing r2 dirty restored, show text, showFault, holdLease, show typed, notify info, editable',
    editing: 'editing r2 dirty restored, show text, showFault, holdLease, show typed, notify info, editable',
    dirty: 'editing r2 dirty restored, show text, showFault, holdLease, show typed, notify info, editable',
    saving:
      'editing r2 dirty saving restored, show text, showFault, holdLease, show typed, notify info, editable',
    deciding: 'editing r2 dirty restored, show text, showFault, holdLease, show typed, notify info, editable',
    locked: 'editing r2 dirty restored, show text, showFault, holdLease, show typed, notify info, editable',
    racing:
      'editing r2 dirty restored running, show text, showFault, holdLease, show typed, notify info, editable',
    'racing again':
      'editing r2 dirty restored again, show text, showFault, holdLease, show typed, notify info, editable',
    queued: 'editing r2 dirty restored, show text, showFault, holdLease, show typed, notify info, editable',
    otherTab: 'editing r2 dirty restored, show text, showFault, holdLease, show typed, notify info, editable',
    reading: 'editing r2 dirty restored, show text, showFault, holdLease, show typed, notify info, editable',
    lost: 'editing r2 dirty restored, show text, showFault, holdLease, show typed, notify info, editable',
    maintenance:
      'editing r2 dirty restored, show text, showFault, holdLease, show typed, notify info, editable',
    restored: 'editing r2 dirty restored, show text, showFault, holdLease, show typed, notify info, editable',
  },
  'read, draft of another revision': {
    loading: 'editing r2 draft, show text, showFault, holdLease, read-only',
    editing: 'editing r2 draft, show text, showFault, holdLease, read-only',
    dirty: 'editing r2 draft, show text, showFault, holdLease, read-only',
    saving: 'editing r2 saving draft, show text, showFault, holdLease, read-only',
    deciding: 'editing r2 draft, show text, showFault, holdLease, read-only',
    locked: 'editing r2 draft, show text, showFault, holdLease, read-only',
    racing: 'editing r2 draft running, show text, showFault, holdLease, read-only',
    'racing again': 'editing r2 draft again, show text, showFault, holdLease, read-only',
    queued: 'editing r2 draft, show text, showFault, holdLease, read-only',
    otherTab: 'editing r2 draft, show text, showFault, holdLease, read-only',
    reading: 'editing r2 draft, show text, showFault, holdLease, read-only',
    lost: 'editing r2 draft, show text, showFault, holdLease, read-only',
    maintenance: 'editing r2 draft, show text, showFault, holdLease, read-only',
    restored: 'editing r2 draft, show text, showFault, holdLease, read-only',
  },
  'read without the lock, draft': {
    loading: 'locked r2 draft, show text, showFault, read-only',
    editing: 'locked r2 draft, show text, showFault, read-only',
    dirty: 'locked r2 draft, show text, showFault, read-only',
    saving: 'locked r2 saving draft, show text, showFault, read-only',
    deciding: 'locked r2 draft, show text, showFault, read-only',
    locked: 'locked r2 draft, show text, showFault, read-only',
    racing: 'locked r2 draft running, show text, showFault, read-only',
    'racing again': 'locked r2 draft again, show text, showFault, read-only',
    queued: 'locked r2 draft, show text, showFault, read-only',
    otherTab: 'locked r2 draft, show text, showFault, read-only',
    reading: 'locked r2 draft, show text, showFault, read-only',
    lost: 'locked r2 draft, show text, showFault, read-only',
    maintenance: 'locked r2 draft, show text, showFault, read-only',
    restored: 'locked r2 draft, show text, showFault, read-only',
  },
  edited: {
    editing: 'editing r1 dirty, keepDraftLater',
    dirty: 'editing r1 dirty, keepDraftLater',
    saving: 'editing r1 dirty saving, keepDraftLater',
    deciding: 'editing r1 dirty draft, keepDraftLater',
    restored: 'editing r1 dirty restored, keepDraftLater',
  },
  save: {
    dirty: 'editing r1 dirty saving, keepDraft, send',
    restored: 'editing r1 dirty saving restored, keepDraft, send',
  },
  saved: { saving: 'editing r2 saving, showFault' },
  'saved, typed on': { saving: 'editing r2 dirty saving, showFault' },
  'saveFailed, lock lost': { saving: 'editing r1 dirty saving, showFault, markLeaseLost' },
  'saveFailed, changed': { saving: 'editing r1 dirty saving, showFault, releaseLease' },
  'saveFailed, no network': { saving: 'editing r1 dirty saving, showFault, keepDraft, notify error' },
  'saveFailed, 500': { saving: 'editing r1 dirty saving, showFault, keepDraft, notify error' },
  'saveFailed, signed out': { saving: 'editing r1 dirty saving, showFault, keepDraft' },
  saveEnded: { saving: 'editing r1 dirty' },
  leaseLost: {
    editing: 'locked r1, read-only, reloadList, raceLater',
    dirty: 'lost r1 dirty, read-only, reloadList, keepDraft, notify error',
    saving: 'lost r1 dirty saving, read-only, reloadList, keepDraft, notify error',
    deciding: 'locked r1 draft, read-only, reloadList, raceLater',
    restored: 'lost r1 dirty, read-only, reloadList, keepDraft, notify error',
  },
  race: { locked: 'locked r1 running, tryLock', racing: 'locked r1 again' },
  raceLost: { racing: 'locked r1', 'racing again': 'locked r1 running, tryLock' },
  raceEnded: { racing: 'locked r1', 'racing again': 'locked r1' },
  takeFailed: {
    locked: 'locked r1, notify error',
    racing: 'locked r1 running, notify error',
    'racing again': 'locked r1 again, notify error',
    queued: 'locked r1, notify error',
  },
  otherTabClosed: { otherTab: 'locked r1 running, tryLock' },
  queue: {
    locked: 'queued r1, enterQueue',
    racing: 'queued r1 running, enterQueue',
    'racing again': 'queued r1 again, enterQueue',
  },
  leaveQueue: { queued: 'queued r1, leaveQueue' },
  'queueFailed, left': { queued: 'locked r1' },
  'queueFailed, no network': { queued: 'locked r1, notify error' },
  refresh: {
    locked: 'locked r1, fetch',
    racing: 'locked r1 running, fetch',
    'racing again': 'locked r1 again, fetch',
    queued: 'queued r1, fetch',
    otherTab: 'otherTab r1, fetch',
    reading: 'reading r1, fetch',
    maintenance: 'maintenance r1, fetch',
  },
  refreshed: {
    locked: 'locked r2, show new',
    racing: 'locked r2 running, show new',
    'racing again': 'locked r2 again, show new',
    queued: 'queued r2, show new',
    otherTab: 'otherTab r2, show new',
    reading: 'reading r2, show new',
    maintenance: 'maintenance r2, show new',
  },
  useDraft: { deciding: 'editing r1 dirty, show typed, editable, keepDraft' },
  settled: {
    dirty: 'editing r1',
    saving: 'editing r1 saving',
    deciding: 'editing r1',
    lost: 'lost r1',
    restored: 'editing r1',
  },
  draftDiscarded: {
    editing: 'editing r1, editable',
    dirty: 'editing r1 dirty, editable',
    saving: 'editing r1 dirty saving, editable',
    deciding: 'editing r1 draft, editable',
    lost: 'locked r1 dirty, showFault, fetch then race',
    restored: 'editing r1 dirty restored, editable',
  },
  restoredDiscarded: { restored: 'editing r1, forgetDraft, show stored, showFault' },
  draftMerged: { deciding: 'editing r1, forgetDraft, editable' },
  reopen: { lost: 'locked r1 draft, showFault, fetch then race' },
  maintenanceBegan: {
    locked: 'maintenance r1, reloadList',
    racing: 'maintenance r1 running, reloadList',
    'racing again': 'maintenance r1 again, reloadList',
  },
  maintenanceEnded: { maintenance: 'locked r1 running, tryLock' },
  'listed, free': { locked: 'locked r1 running, tryLock', racing: 'locked r1 again' },
  'listed, held': {},
  'listed, changed and held': {
    locked: 'locked r1, fetch',
    racing: 'locked r1 running, fetch',
    'racing again': 'locked r1 again, fetch',
    queued: 'queued r1, fetch',
    otherTab: 'otherTab r1, fetch',
    reading: 'reading r1, fetch',
    maintenance: 'maintenance r1, fetch',
  },
  'listed, gone': {
    editing: 'closed, clear',
    dirty: 'closed, clear',
    saving: 'closed, clear',
    deciding: 'closed, clear offering the draft',
    locked: 'closed, clear',
    racing: 'closed, clear',
    'racing again': 'closed, clear',
    queued: 'closed, clear',
    otherTab: 'closed, clear',
    reading: 'closed, clear',
    lost: 'closed, clear offering the pane',
    maintenance: 'closed, clear',
    restored: 'closed, clear',
  },
  deleted: {
    loading: 'closed, clear',
    editing: 'closed, clear',
    dirty: 'closed, clear',
    saving: 'closed, clear',
    deciding: 'closed, clear offering the draft',
    locked: 'closed, clear',
    racing: 'closed, clear',
    'racing again': 'closed, clear',
    queued: 'closed, clear',
    otherTab: 'closed, clear',
    reading: 'closed, clear',
    lost: 'closed, clear offering the pane',
    maintenance: 'closed, clear',
    restored: 'closed, clear',
  },
};

describe('The transition table of an open file', () => {
  for (const input of Object.keys(inputs) as InputKey[]) {
    for (const state of Object.keys(states) as StateKey[]) {
      const expected = table[input][state];
      test(`${state} + ${input} -> ${expected ?? 'nothing'}`, () =>
        expect(outcome(states[state], inputs[input])).toBe(expected ?? wordsOf(states[state])));
    }
  }
});
