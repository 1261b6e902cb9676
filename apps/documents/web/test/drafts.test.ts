import { expect, test } from 'vitest';
import { DraftKeeper } from '../src/state/draftKeeper';
import { browserDrafts, type Draft, type Drafts } from '../src/state/drafts';
import { openedFile, type TextPane } from '../src/state/openFile';

function keeperOf(text: { now: string }) {
  const kept = new Map<string, Draft>();
  const drafts: Drafts = {
    get: async (id) => kept.get(id),
    put: async (draft) => void kept.set(draft.fileId, draft),
    putNow: async (draft) => void kept.set(draft.fileId, draft),
    remove: async (id) => void kept.delete(id),
  };
  const pane = {
    get text() {
      return text.now;
    },
  } as TextPane;
  const opened = { ...openedFile('f'), mode: 'editing' as const, isDirty: true, etag: '"1"' };
  return { kept, opened, keeper: new DraftKeeper(drafts, pane, () => 7) };
}

test('text typed during a save stays a draft of the saved revision', async () => {
  const text = { now: 'sent' };
  const { kept, opened, keeper } = keeperOf(text);
  await keeper.keep(opened);
  text.now = 'typed after';
  await keeper.keep(opened);
  await keeper.saved('f', 'sent', '"2"');
  expect(kept.get('f')).toEqual({ fileId: 'f', text: 'typed after', etag: '"2"', at: 7 });
  await keeper.saved('f', 'typed after', '"3"');
  expect(kept.size).toBe(0);
});

test('an unchanged or read-only text has no draft', async () => {
  const { kept, opened, keeper } = keeperOf({ now: 'text' });
  await keeper.keep({ ...opened, isDirty: false });
  await keeper.keep({ ...opened, mode: 'locked' });
  expect(kept.size).toBe(0);
});

test('a draft of a closed page is read by the next page of that user only', async () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  };
  const draft = { fileId: 'f', text: 'last words', etag: '"1"', at: 7 };
  void browserDrafts('ann', storage).putNow(draft);
  expect(await browserDrafts('ann', storage).get('f')).toEqual(draft);
  expect(await browserDrafts('an', storage).get('f')).toBeUndefined();
  await browserDrafts('ann', storage).remove('f');
  expect(await browserDrafts('ann', storage).get('f')).toBeUndefined();
});

test('a draft that storage refuses lives as long as its page', async () => {
  const storage = {
    getItem: () => 'no JSON',
    setItem: () => {
      throw new DOMException('full', 'QuotaExceededError');
    },
    removeItem: () => {},
  };
  const drafts = browserDrafts('ann', storage);
  const draft = { fileId: 'f', text: 'last words', etag: '"1"', at: 7 };
  await drafts.putNow(draft);
  expect(await drafts.get('f')).toEqual(draft);
});
