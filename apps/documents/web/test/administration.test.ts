// @vitest-environment happy-dom
import { expect, test } from 'vitest';
import type { DocumentsApi } from '../src/api/documents';
import type { SessionInfo, SessionList } from '../src/api/types';
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

async function open(answer: SessionList): Promise<{ missing: HTMLElement; row: string }> {
  document.body.replaceChildren();
  const api = { sessions: async () => answer } as unknown as DocumentsApi;
  openAdministration(api, { on: false, message: '' });
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
