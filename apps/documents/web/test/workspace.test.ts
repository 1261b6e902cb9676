import { DunlinError, type Lease, type LeaseLost, type Leases, type Problem } from '@dunlin/client';
import { beforeEach, describe, expect, test } from 'vitest';
import type { DocumentsApi } from '../src/api/documents';
import type { FileList } from '../src/api/types';
import type { Draft } from '../src/state/drafts';
import { Library } from '../src/state/library';
import type { TabNews } from '../src/state/tabs';
import type { Notice } from '../src/state/words';
import { Workspace } from '../src/state/workspace';

const failure = (kind: string, more = {}) =>
  new DunlinError({ kind, code: kind, title: kind, ...more } as Problem);
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Returns a lock of the fake server. */
function leaseOf(): Lease {
  const lost = new AbortController();
  const lease = {
    fence: '7',
    lost: lost.signal,
    get isHeld() {
      return !lost.signal.aborted;
    },
    hold: <T>(work: Promise<T>) => work,
    release: async () => lease.markLost('released'),
    markLost: (reason: LeaseLost['reason']) => {
      if (!lost.signal.aborted) log.push(`lock ${reason}`);
      lost.abort({ reason });
    },
  };
  return lease as unknown as Lease;
}

let log: string[];
let notices: Notice[];
let drafts: Map<string, Draft>;
let isFree: boolean;
let isMaintained: boolean;
let lease: Lease;
let queue: { grant: (lease: Lease) => void; refuse: (error: unknown) => void } | undefined;
let text: string;
let rights: boolean;
let isOurs: boolean;
let turn: () => void;
let tellTabs: (news: TabNews) => void;
let onRead: () => Promise<{ text: string; etag: string }>;
let onSave: () => Promise<{ etag: string }>;
let library: Library;
let workspace: Workspace;

beforeEach(() => {
  [log, notices, drafts] = [[], [], new Map()];
  [isFree, isMaintained, rights, isOurs, text] = [true, false, true, true, ''];
  onRead = () => Promise.resolve({ text: 'as saved', etag: '"1"' });
  onSave = () => Promise.resolve({ etag: '"2"' });
  const list = (): FileList =>
    ({
      maintenance: { on: isMaintained, message: '' },
      documents: [
        {
          files: [
            {
              stable_id: 'f',
              etag: '"1"',
              locked_by: isFree ? null : { mine: false },
              can: { write: rights },
            },
          ],
        },
      ],
    }) as unknown as FileList;
  library = new Library(() => Promise.resolve(list()));
  workspace = new Workspace({
    api: {
      read: () => onRead(),
      save: (id: string, sent: string, fence: string, etag: string) => {
        log.push(`save ${id} ${sent} ${fence} ${etag}`);
        return onSave();
      },
    } as unknown as DocumentsApi,
    leases: {
      tryAcquire: async () => {
        if (isMaintained) throw failure('busy', { code: 'maintenance', status: 503 });
        if (!isFree) return { status: 'held' };
        lease = leaseOf();
        return { status: 'acquired', lease };
      },
      acquire: (_: string, { signal }: { signal: AbortSignal }) =>
        new Promise<Lease>((grant, refuse) => {
          queue = { grant, refuse };
          signal.addEventListener('abort', () => refuse(failure('aborted')));
        }),
      notify: () => {},
    } as unknown as Leases,
    library,
    drafts: {
      get: async (id) => drafts.get(id),
      put: async (draft) => void drafts.set(draft.fileId, draft),
      putNow: async (draft) => void drafts.set(draft.fileId, draft),
      remove: async (id) => void drafts.delete(id),
    },
    tabs: {
      claim: (_, __, onTurn) => ((turn = onTurn), Promise.resolve(isOurs)),
      tell: () => {},
      onNews: (handler) => (tellTabs = handler),
      close: () => {},
    },
    pane: {
      get text() {
        return text;
      },
      setText: (shown) => (text = shown),
      replaceText: (shown) => (text = shown),
      setEditable: (editable) => void log.push(editable ? 'editable' : 'read-only'),
      showFault: () => {},
      clear: () => (text = ''),
      load: async () => {},
      share: async () => {},
    },
    notify: (notice) => (notices.push(notice), () => {}),
    now: () => 1,
  });
});

const mode = () => workspace.file?.mode;
const type = (typed: string) => {
  text = typed;
  workspace.edited();
};

describe('Opening a file', () => {
  test('takes the lock, then shows the text to be edited', async () => {
    const modes: unknown[] = [];
    workspace.subscribe(() => modes.push(mode()));
    await workspace.open('f');
    expect(modes).toEqual(['loading', 'editing']);
    expect([mode(), text, workspace.lease]).toEqual(['editing', 'as saved', lease]);
    expect(log).toEqual(['editable']);
  });

  test.each([
    ['the server cannot be reached', failure('network')],
    ['unexpected', failure('unexpected', { status: 500 })],
  ])('that cannot be read says "%s", closes it and releases the lock', async (words, error) => {
    onRead = () => Promise.reject(error);
    await workspace.open('f');
    expect(workspace.file).toBeUndefined();
    expect(notices).toEqual([{ kind: 'error', text: expect.stringContaining(words) as string }]);
    expect(log).toContain('lock released');
  });

  test('that is closed while it loads shows nothing and releases a late lock', async () => {
    let answer!: (content: { text: string; etag: string }) => void;
    onRead = () => new Promise((resolve) => (answer = resolve));
    const opening = workspace.open('f');
    await settle();
    await workspace.close(true);
    answer({ text: 'late', etag: '"1"' });
    await opening;
    expect([text, workspace.file, lease.isHeld]).toEqual(['', undefined, false]);
  });

  test('without the right to write only shows it', async () => {
    rights = false;
    await workspace.open('f');
    expect([mode(), log]).toEqual(['reading', ['read-only']]);
  });

  test('during maintenance is only read, and edited after its end', async () => {
    isMaintained = true;
    await workspace.open('f');
    expect([mode(), text, log.at(-1), notices]).toEqual(['maintenance', 'as saved', 'read-only', []]);
    isMaintained = false;
    await library.reload();
    await settle();
    expect([mode(), notices.at(-1)?.text]).toEqual(['editing', 'You can now edit this document']);
  });

  test('that another tab edits waits until that tab is closed', async () => {
    isOurs = false;
    await workspace.open('f');
    expect(mode()).toBe('otherTab');
    turn();
    await settle();
    expect([mode(), notices.at(-1)?.text]).toEqual(['editing', 'You can now edit this document']);
  });
});

describe('A locked file', () => {
  beforeEach(async () => {
    isFree = false;
    await workspace.open('f');
  });

  test('is shown to be read, and read again before it is edited', async () => {
    expect([mode(), text]).toEqual(['locked', 'as saved']);
    onRead = () => Promise.resolve({ text: 'of the other', etag: '"5"' });
    isFree = true;
    workspace.lockReleased('f');
    await settle();
    expect([mode(), text, workspace.file?.etag]).toEqual(['editing', 'of the other', '"5"']);
  });

  test('stays locked when another reader is faster', async () => {
    workspace.lockReleased('f');
    await settle();
    expect([mode(), workspace.file?.race, notices]).toEqual([
      'locked',
      'none',
      [{ text: 'This document is being edited by another user' }],
    ]);
  });

  test('shows what the other saves', async () => {
    onRead = () => Promise.resolve({ text: 'of the other', etag: '"5"' });
    workspace.filesChanged('file_saved', ['f', 'g']);
    await settle();
    expect(text).toBe('of the other');
  });

  test('is edited when the turn in the queue comes', async () => {
    workspace.waitForTurn();
    expect(mode()).toBe('queued');
    queue!.grant(leaseOf());
    await settle();
    expect(mode()).toBe('editing');
  });

  test('leaves the queue silently on user request, with a notice on failure', async () => {
    workspace.waitForTurn();
    workspace.leaveQueue();
    await settle();
    expect([mode(), notices.length]).toEqual(['locked', 1]);
    workspace.waitForTurn();
    queue!.refuse(failure('network'));
    await settle();
    expect([mode(), notices.at(-1)?.text]).toEqual([
      'locked',
      'You left the queue: the server cannot be reached',
    ]);
  });

  test('that is released while offline becomes editable after the next list', async () => {
    isFree = true;
    await library.reload();
    await settle();
    expect(mode()).toBe('editing');
  });
});

describe('Saving', () => {
  beforeEach(async () => {
    await workspace.open('f');
    type('typed');
  });

  test('sends the text with the fencing token and the revision', async () => {
    drafts.set('f', { fileId: 'f', text: 'typed', etag: '"1"', at: 1 });
    await workspace.save();
    expect(log.at(-1)).toBe('save f typed 7 "1"');
    expect(workspace.file).toMatchObject({ etag: '"2"', isDirty: false, isSaving: false });
    expect([drafts.size, notices]).toEqual([0, [{ text: 'Saved' }]]);
  });

  test('leaves what is typed meanwhile unsaved, as a draft of the new revision', async () => {
    let answer!: (saved: { etag: string }) => void;
    onSave = () => new Promise((resolve) => (answer = resolve));
    const saving = workspace.save();
    type('typed on');
    answer({ etag: '"2"' });
    await saving;
    expect(workspace.file).toMatchObject({ isDirty: true, isSaving: false });
    expect(drafts.get('f')).toMatchObject({ text: 'typed on', etag: '"2"' });
  });

  test.each([
    ['the server cannot be reached', failure('network')],
    ['unexpected', failure('unexpected', { status: 500 })],
  ])('that fails with "%s" keeps the text as a draft', async (words, error) => {
    onSave = () => Promise.reject(error);
    await workspace.save();
    expect(workspace.file).toMatchObject({ mode: 'editing', isDirty: true, isSaving: false });
    expect(drafts.get('f')?.text).toBe('typed');
    expect(notices[0]?.text).toBe(`Not saved; your text is kept as a draft: ${words}`);
  });

  test('under a lost lock keeps the text, and the draft can be discarded', async () => {
    onSave = () => Promise.reject(failure('lost', { reason: 'taken' }));
    isFree = false;
    await workspace.save();
    expect([mode(), drafts.get('f')?.text, log.at(-1)]).toEqual(['lost', 'typed', 'read-only']);
    await workspace.discardDraft();
    await settle();
    expect([mode(), text, drafts.size]).toEqual(['locked', 'as saved', 0]);
  });

  test('an outdated revision (412) releases the lock and keeps the draft', async () => {
    onSave = () => Promise.reject(failure('conflict', { status: 412 }));
    await workspace.save();
    expect([mode(), lease.isHeld, drafts.get('f')?.text]).toEqual(['lost', false, 'typed']);
  });
});

describe('Unsaved text', () => {
  test('is kept as a draft when the session ends, without releasing the lock', async () => {
    await workspace.open('f');
    type('typed');
    await workspace.close(true);
    expect([drafts.get('f')?.text, lease.isHeld]).toEqual(['typed', true]);
  });

  test('of this revision comes back by itself; of another one the user decides', async () => {
    drafts.set('f', { fileId: 'f', text: 'typed', etag: '"1"', at: 1 });
    await workspace.open('f');
    expect([text, workspace.file?.isDirty]).toEqual(['typed', true]);
    await workspace.close();

    drafts.set('f', { fileId: 'f', text: 'older', etag: '"0"', at: 1 });
    await workspace.open('f');
    expect([text, workspace.file?.draft?.text, log.at(-1)]).toEqual(['as saved', 'older', 'read-only']);
    workspace.useDraft();
    expect([text, workspace.file?.isDirty, log.at(-1)]).toEqual(['older', true, 'editable']);
  });

  test('that came back by itself gives way to the stored text', async () => {
    drafts.set('f', { fileId: 'f', text: 'typed', etag: '"1"', at: 1 });
    await workspace.open('f');
    expect(workspace.file?.restored).toEqual({ at: 1, stored: 'as saved' });
    workspace.discardRestored();
    await settle();
    expect([text, workspace.file?.isDirty, drafts.size]).toEqual(['as saved', false, 0]);
  });

  test('of a lost lock becomes a draft and is merged under the next lock', async () => {
    await workspace.open('f');
    type('typed');
    isFree = false;
    lease.markLost('expired');
    onRead = () => Promise.resolve({ text: 'of the other', etag: '"5"' });
    await workspace.reopen();
    await settle();
    expect([mode(), text, workspace.file?.draft?.text]).toEqual(['locked', 'of the other', 'typed']);

    isFree = true;
    workspace.lockReleased('f');
    await settle();
    expect([mode(), workspace.file?.draft?.text]).toEqual(['editing', 'typed']);
    type('merged');
    expect(drafts.get('f')?.text).toBe('typed');
    workspace.draftMerged();
    await settle();
    expect([workspace.file?.draft, drafts.get('f')?.text, log.at(-1)]).toEqual([
      undefined,
      'merged',
      'editable',
    ]);
  });

  test('can be copied when the file is deleted after the lock was lost', async () => {
    await workspace.open('f');
    type('typed');
    lease.markLost('expired');
    tellTabs({ deleted: ['f'] });
    expect(workspace.file).toBeUndefined();
    expect(notices.at(-1)).toEqual({
      text: 'The document you were viewing was deleted in another tab',
      copy: 'typed',
    });
  });
});
