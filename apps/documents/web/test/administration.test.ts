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

test('Administration says when a server has not answered, and then takes no page for closed', async () => {
  const { missing, row } = await open({ sessions: [session], silent_nodes: 1 });
  expect(missing.hidden).toBe(false);
  expect(missing.textContent).toMatch(/^One server has not answered/);
  expect(row).toContain('no open page known');
});

test('Where all servers have answered, administration speaks of none', async () => {
  const { missing, row } = await open({ sessions: [session] });
  expect(missing.hidden).toBe(true);
  expect(row).toContain('no page open');
});
