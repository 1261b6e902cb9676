// @vitest-environment happy-dom
import { expect, test } from 'vitest';
import type { DocumentsApi } from '../src/api/documents';
import type { LockList, SessionInfo, SessionList } from '../src/api/types';
import type { Library } from '../src/state/library';
import { openAdministration } from '../src/ui/administration';

const session: SessionInfo = {
  session_id: 's1',
  username: 'bob',
  full_name: 'Bob Baker',
  created_at: '2030-01-02T09:00:00Z',
  description: 'Firefox',
  connections: 0,
  is_mine: false,
};

const now = '2030-01-04T10:00:00Z';
const ended: string[] = [];

async function open(
  answer: SessionList,
  locks: LockList['locks'] = [],
): Promise<{ missing: HTMLElement; row: string }> {
  document.body.replaceChildren();
  ended.length = 0;
  const api = {
    sessions: async () => answer,
    locks: async () => ({ locks, server_now: now }),
    endSession: async (id: string) => void ended.push(id),
    forceRelease: async (id: string) => void ended.push(id),
  } as unknown as DocumentsApi;
  const library = {
    find: (id: string) => ({ document: { title: `Title of ${id}` }, file: { version: 3 } }),
  } as unknown as Library;
  openAdministration(api, library);
  await new Promise((resolve) => setTimeout(resolve));
  return {
    missing: document.querySelector<HTMLElement>('.sessions-missing')!,
    row: document.querySelector('[data-session=bob]')!.textContent,
  };
}

test('unresponsive servers are reported, and their pages count as unknown', async () => {
  const { missing, row } = await open({ sessions: [session], silent_nodes: 1 });
  expect(missing.hidden).toBe(false);
  expect(missing.textContent).toMatch(/^One server has not answered/);
  expect(row).toContain('no open page known');
});

test('without unresponsive servers none are reported', async () => {
  const { missing, row } = await open({ sessions: [session] });
  expect(missing.hidden).toBe(true);
  expect(row).toContain('no page open');
});

test('30 sessions of one user are one entry, with their age', async () => {
  const stale = Array.from({ length: 30 }, (_, i) => ({ ...session, session_id: `old${i}` }));
  const live = { ...session, session_id: 'live', connections: 1, created_at: '2030-01-04T09:55:00Z' };
  const carol = { ...session, session_id: 'c', username: 'carol', full_name: 'Carol Carter', is_mine: true };
  const { row } = await open({ sessions: [...stale, carol, live] });
  expect(document.querySelectorAll('.sessions:not(.locks) > li')).toHaveLength(2);
  expect(row).toContain('31 sessions, 1 with an open page, the newest 5 minutes ago');
  expect(document.querySelector('[data-session=carol]')!.textContent).toContain(
    'this session, begun 2 days ago',
  );
  document.querySelector<HTMLButtonElement>('[aria-label^="End the 30 sessions of Bob Baker"]')!.click();
  await new Promise((resolve) => setTimeout(resolve));
  expect(ended).toEqual(stale.map(({ session_id: id }) => id));
});

test('locks are grouped by document, with holder, queue and age', async () => {
  const locked_by = {
    user_id: 'bob',
    name: 'Bob Baker',
    mine: false,
    since: '2030-01-04T08:00:00Z',
    expires_at: now,
    waiting: 1,
    queue: ['Carol Carter'],
  };
  await open({ sessions: [session] }, [{ file_id: 'f', locked_by }]);
  const group = document.querySelector('.locks > li')!;
  expect(group.querySelector('h4')!.textContent).toBe('Title of f');
  expect(group.textContent).toContain('Version 3: Bob Baker, then Carol Carter');
  expect(group.textContent).toContain('since 2 hours ago');
  group.querySelector<HTMLButtonElement>('button')!.click();
  await new Promise((resolve) => setTimeout(resolve));
  expect(ended).toEqual(['f']);
});
