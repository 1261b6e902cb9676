import type { Problem } from '@dunlin/client';
import { expect, test } from 'vitest';
import {
  isOnlyHere,
  isReading,
  isWriting,
  openedFile,
  transition,
  type OpenFile,
} from '../src/state/openFile';
import type { SharedState } from '../src/state/sharing';
import { personOf } from '../src/state/person';

const shared: SharedState = {
  name: 'synced',
  isSent: true,
  isDirty: false,
  hasEdits: false,
  mayEdit: true,
  canEdit: true,
  people: [],
};
const draft = { fileId: 'f', text: 'typed', etag: '"0"', at: 1 };

function joined(change: Partial<OpenFile> = {}): OpenFile {
  return { ...openedFile('f'), mode: 'together', etag: '"1"', sharedDraft: 'd', shared, ...change };
}

const types = (state: OpenFile, input: Parameters<typeof transition>[1]) =>
  transition(state, input).effects.map(({ type }) => type);

test('A file with a draft shows the stored text until the page has joined', () => {
  const input = { type: 'read', mode: 'together', lease: 'none', text: '<a/>', etag: '"1"' } as const;
  const { state, effects } = transition(openedFile('f'), { ...input, draft, sharedDraft: 'd' });
  expect(state).toMatchObject({ mode: 'together', sharedDraft: 'd', draft, isDirty: false });
  expect(effects.map(({ type }) => type)).toEqual(['setText', 'showFault', 'setEditable', 'join']);
});

test.each(['editing', 'locked', 'queued', 'otherTab', 'reading', 'maintenance'] as const)(
  'A file in mode %s is opened again when a draft starts',
  (mode) => {
    const state = { ...openedFile('f'), mode, etag: '"1"' };
    const file = { etag: '"1"', isFree: true, canWrite: true, sharedDraft: 'd' };
    expect(types(state, { type: 'listed', file })).toEqual(['openAgain']);
  },
);

test('A shared file is opened again when its draft ends or is replaced', () => {
  const file = { etag: '"1"', isFree: true, canWrite: true };
  expect(types(joined(), { type: 'listed', file })).toEqual(['openAgain']);
  expect(types(joined(), { type: 'listed', file: { ...file, sharedDraft: 'e' } })).toEqual(['openAgain']);
  expect(types(joined(), { type: 'listed', file: { ...file, sharedDraft: 'd' } })).toEqual([]);
});

test('The text of a lost lock stays when a draft starts', () => {
  const state = { ...openedFile('f'), mode: 'lost', etag: '"1"', isDirty: true } as const;
  const file = { etag: '"1"', isFree: true, canWrite: true, sharedDraft: 'd' };
  expect(types(state, { type: 'listed', file })).toEqual([]);
});

test('Unsent edits are a local draft until the server has them', () => {
  const { state, effects } = transition(joined(), {
    type: 'sharedChanged',
    shared: { ...shared, isSent: false, isDirty: true },
  });
  expect(effects).toEqual([{ type: 'keepDraftLater' }]);
  expect(state?.isDirty).toBe(true);
  expect(types(state!, { type: 'sharedChanged', shared })).toEqual(['forgetDraft']);
  // An older draft, about which the user has not decided, stays.
  expect(types({ ...state!, draft }, { type: 'sharedChanged', shared })).toEqual([]);
});

test('A save of another user updates the revision and leaves the shared text', () => {
  expect(types(joined(), { type: 'refresh' })).toEqual(['fetch']);
  const { state, effects } = transition(joined(), { type: 'refreshed', text: '<b/>', etag: '"2"' });
  expect([state?.etag, effects]).toEqual(['"2"', [{ type: 'compareShared', stored: '<b/>' }]]);
  // A local draft of this text may lack the saved edits, so it must not replace them without a decision.
  const again = transition(state!, { type: 'refreshed', text: '<c/>', etag: '"3"' }).state!;
  expect([again.etag, again.base]).toEqual(['"3"', '"1"']);
  const own = { ...again, isSaving: true, isDirty: true };
  expect(transition(own, { type: 'saved', etag: '"4"', isSame: true }).state).toMatchObject({ etag: '"4"' });
  expect(transition(own, { type: 'saved', etag: '"4"', isSame: true }).state?.base).toBeUndefined();
});

test('A save over an unknown revision loads it and asks the user to look', () => {
  const problem = { kind: 'conflict', code: 'version_mismatch', title: '', status: 412 } as Problem;
  const state = joined({ isDirty: true, isSaving: true });
  expect(types(state, { type: 'saveFailed', problem })).toEqual(['showFault', 'fetch', 'notify']);
});

test('Readers of a draft neither write nor save', () => {
  const reader = joined({ shared: { ...shared, canEdit: false }, isDirty: true });
  expect([isWriting(reader), isReading('together'), isWriting(joined())]).toEqual([false, false, true]);
  expect(types(reader, { type: 'save' })).toEqual([]);
});

test('A refused draft loads the list, which tells whether it has ended', () => {
  expect(types(joined(), { type: 'sharedChanged', shared: { ...shared, name: 'ended' } })).toEqual([
    'reloadList',
  ]);
});

test('A refused edit loads the list, which tells whether the right is lost', () => {
  const problem = { kind: 'forbidden', code: 'forbidden', title: 'No' } as Problem;
  const refused = { ...shared, isSent: false, problem };
  expect(types(joined(), { type: 'sharedChanged', shared: refused })).toEqual([
    'keepDraftLater',
    'reloadList',
  ]);
});

test('A shared file is opened again when the user gains or loses the right', () => {
  const file = { etag: '"1"', isFree: true, canWrite: false, sharedDraft: 'd' };
  const { state, effects } = transition(joined(), { type: 'listed', file });
  expect([effects, state?.sharedDraft]).toEqual([[{ type: 'openAgain' }], 'd']);
  const reader = joined({ shared: { ...shared, mayEdit: false, canEdit: false } });
  expect(types(reader, { type: 'listed', file })).toEqual([]);
  expect(types(reader, { type: 'listed', file: { ...file, canWrite: true } })).toEqual(['openAgain']);
});

test('Own edits that nobody saved stay here when the draft ends', () => {
  const ended = { type: 'listed', file: { etag: '"1"', isFree: true, canWrite: true } } as const;
  const typed = joined({ isDirty: true, shared: { ...shared, isDirty: true, hasEdits: true } });
  expect([isOnlyHere(typed), isOnlyHere(transition(typed, ended).state!)]).toEqual([false, true]);
  const others = joined({ isDirty: true, shared: { ...shared, isDirty: true } });
  expect(isOnlyHere(transition(others, ended).state!)).toBe(false);
  expect(isOnlyHere(joined({ shared: { ...shared, isSent: false } }))).toBe(true);
  // The file is gone: the toast offers the text.
  expect(transition(typed, { type: 'listed', file: undefined }).effects).toMatchObject([{ copyPane: true }]);
});

test('Typing pauses while the page starts a draft', () => {
  const editing = { ...openedFile('f'), mode: 'editing' } as const;
  expect(transition(editing, { type: 'share' }).effects).toEqual([
    { type: 'setEditable', isEditable: false },
  ]);
  expect(transition(editing, { type: 'shareFailed' }).effects).toEqual([
    { type: 'setEditable', isEditable: true },
  ]);
  expect(types(joined(), { type: 'shareFailed' })).toEqual([]);
});

test('A failed save of shared text names the reason and keeps no draft', () => {
  const state = joined({ isDirty: true, isSaving: true });
  const ended = { kind: 'conflict', code: 'shared_draft_ended', title: 'Over', status: 409 } as Problem;
  const { effects } = transition(state, { type: 'saveFailed', problem: ended });
  expect(effects.slice(1)).toEqual([
    { type: 'notify', notice: { kind: 'error', text: 'Not saved: Over' } },
    { type: 'reloadList' },
  ]);
});

test('Colours depend on the name alone and are colours of the style sheet', () => {
  expect(personOf('Bob')).toEqual(personOf('Bob'));
  expect(personOf('red;position:fixed').color).toMatch(/^var\(--person-[1-8]\)$/);
});
