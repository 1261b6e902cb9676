import { beforeEach, expect, test } from 'vitest';
import { json } from '../../../../clients/typescript/test/support/fakeServer';
import { settle } from '../../../../clients/typescript/test/support/clock';
import { holderOf } from '../src/state/state';
import { name, status, branch, state, store, notices, shown, passes, setUp } from './branchPage';

beforeEach(setUp);

test('The state contains the cases, the branches and the connection', () => {
  const { ids, total, branches, connection } = state.getState();
  expect({ ids, total, branches: branches.length }).toEqual({ ids: ['1', '2'], total: 2, branches: 1 });
  expect(connection.name).toBe('live');
  expect(shown(name)).toBe('Ann');
});

test('An edit acquires the lock and is saved once, 1 s after the last key', async () => {
  store.edits.begin(name);
  expect(state.getState().edits.get(name)?.phase).toBe('taking');
  await settle();
  expect(state.getState().edits.get(name)?.phase).toBe('held');
  for (const typed of ['Anna', 'Annab', 'Annabel']) {
    store.edits.type(name, typed);
    expect(shown(name)).toBe(typed);
    await passes(900);
  }
  expect(branch.writes).toEqual(['PUT']);
  expect(state.getState().pending.has(name)).toBe(true);
  await passes(100);
  expect(branch.writes).toEqual(['PUT', 'PATCH']);
  expect(branch.cases.get(1)!.customerName).toBe('Annabel');
  expect(state.getState().pending.size).toBe(0);
});

test('Nothing is saved before the lock is granted', async () => {
  let grant!: () => void;
  const granted = new Promise<void>((resolve) => (grant = resolve));
  branch.overrides.push({
    match: /^PUT/,
    answer: async (seen) => {
      await granted;
      return branch.answer(seen);
    },
  });
  store.edits.begin(name);
  store.edits.type(name, 'Anna');
  store.edits.commit(name);
  await passes(5000);
  expect(shown(name)).toBe('Anna');
  expect(branch.writes).toEqual(['PUT']);
  grant();
  await settle();
  expect(branch.writes).toEqual(['PUT', 'PATCH', 'DELETE']);
});

test('The lock is given back only after the save', async () => {
  let answer!: () => void;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  branch.overrides.push({
    match: /^PATCH/,
    answer: async (seen) => {
      await answered;
      return branch.answer(seen);
    },
  });
  store.edits.begin(name);
  await settle();
  store.edits.type(name, 'Anna');
  store.edits.commit(name);
  await passes(15_000);
  expect(state.getState().edits.size).toBe(0);
  expect(branch.locks.has(name)).toBe(true);
  expect(branch.writes).toEqual(['PUT', 'PATCH', 'POST']);
  answer();
  await settle();
  expect(branch.locks.has(name)).toBe(false);
  expect(branch.cases.get(1)!.customerName).toBe('Anna');
});

test('An edit that is open keeps its lock', async () => {
  store.edits.begin(name);
  await passes(300_000);
  expect(branch.locks.has(name)).toBe(true);
  store.edits.commit(name);
  await settle();
  expect(branch.locks.has(name)).toBe(false);
  expect(branch.writes).not.toContain('PATCH');
});

test('A field that is opened again at once waits until its lock is back', async () => {
  let answer!: () => void;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  branch.overrides.push({
    match: /^DELETE/,
    answer: async (seen) => {
      await answered;
      branch.locks.clear();
      return branch.answer(seen);
    },
  });
  store.edits.begin(name);
  await settle();
  store.edits.cancel(name);
  store.edits.begin(name);
  await settle();
  expect(branch.writes).toEqual(['PUT', 'DELETE']);
  expect(state.getState().edits.get(name)?.phase).toBe('taking');
  answer();
  await settle();
  expect(state.getState().edits.get(name)?.phase).toBe('held');
  expect(notices).toEqual([]);
});

test('A menu is saved at once', async () => {
  store.edits.begin(status);
  await settle();
  store.edits.type(status, 'COMPLETED');
  store.edits.commit(status);
  await settle();
  expect(branch.writes).toEqual(['PUT', 'PATCH', 'DELETE']);
});

test('Escape before the save sends nothing', async () => {
  store.edits.begin(name);
  await settle();
  store.edits.type(name, 'Anna');
  store.edits.cancel(name);
  await passes(2000);
  expect(shown(name)).toBe('Ann');
  expect(branch.writes).toEqual(['PUT', 'DELETE']);
});

test('Escape after the save writes the value from before the edit', async () => {
  store.edits.begin(name);
  await settle();
  store.edits.type(name, 'Anna');
  await passes(1000);
  expect(branch.cases.get(1)!.customerName).toBe('Anna');
  store.edits.cancel(name);
  await settle();
  expect(branch.cases.get(1)!.customerName).toBe('Ann');
  expect(shown(name)).toBe('Ann');
  expect(branch.locks.size).toBe(0);
});

test('An incomplete value is saved on blur and shows the validation error', async () => {
  branch.overrides.push({
    match: /^PATCH/,
    answer: () =>
      json(400, {
        code: 'invalid_field',
        title: 'Wrong.',
        detail: "'customerEmail' must be an e-mail address.",
      }),
  });
  store.edits.begin('1/customerEmail');
  await settle();
  store.edits.type('1/customerEmail', 'ann@');
  await passes(5000);
  expect(branch.writes).toEqual(['PUT']);
  store.edits.commit('1/customerEmail');
  await settle();
  expect(notices).toEqual([
    { kind: 'error', text: 'E-mail of WHQ1 was not saved: E-mail must be an e-mail address.', copy: 'ann@' },
  ]);
  expect(shown('1/customerEmail')).toBe('');
  expect(branch.locks.size).toBe(0);
});

test('A field that another holds is not edited, and the page says by whom', async () => {
  branch.lock(name, 'Carol');
  store.edits.begin(name);
  store.edits.type(name, 'Anna');
  await settle();
  expect(state.getState().edits.size).toBe(0);
  expect(shown(name)).toBe('Ann');
  expect(notices).toEqual([
    {
      kind: 'error',
      text: 'Customer name of WHQ1 is locked by Carol. Your change was not saved.',
      copy: 'Anna',
    },
  ]);
  expect(branch.writes).toEqual(['PUT']);
});

test('A save without its lock restores the value and offers the typed text', async () => {
  store.edits.begin(name);
  await settle();
  branch.lock(name, 'Carol');
  store.edits.type(name, 'Anna');
  await passes(1000);
  expect(shown(name)).toBe('Ann');
  expect(state.getState().edits.size).toBe(0);
  expect(notices).toEqual([
    {
      kind: 'error',
      text: 'Your lock on Customer name of WHQ1 had ended, so your change was not saved.',
      copy: 'Anna',
    },
  ]);
});

test('A lock that another takes over ends the edit at once', async () => {
  store.edits.begin(name);
  await settle();
  store.edits.type(name, 'Anna');
  branch.send('lock-acquired', { caseId: 1, field: 'customerName', userId: 'alice', userName: 'Alice' });
  await settle();
  expect(shown(name)).toBe('Ann');
  expect(holderOf(state.getState(), name)).toBe('Alice');
  expect(notices[0]!.copy).toBe('Anna');
});

test('One refused field does not take the others of its request with it', async () => {
  store.edits.begin(name);
  store.edits.begin('1/invoice');
  await settle();
  store.edits.type(name, 'Anna');
  store.edits.type('1/invoice', 'refuse me');
  await passes(1000);
  expect(branch.cases.get(1)).toMatchObject({ customerName: 'Anna', invoice: '' });
  expect(shown('1/invoice')).toBe('');
  expect(notices.map(({ copy }) => copy)).toEqual(['refuse me']);
});

test('The text of a refused edit stays in its cell and begins the next edit', async () => {
  const key = '1/invoice';
  store.beginEdit(key);
  await settle();
  store.edits.type(key, 'refuse me');
  store.edits.commit(key);
  await settle();
  expect(shown(key)).toBe('');
  expect(state.getState().errors.get(key)).toMatchObject({ typed: 'refuse me' });

  branch.requests.length = 0;
  store.beginEdit(key);
  await passes(5000);
  expect(state.getState().edits.get(key)?.draft).toBe('refuse me');
  expect(state.getState().errors.size).toBe(0);
  expect(branch.writes).toEqual(['PUT']);
  store.edits.type(key, 'accept me');
  store.edits.commit(key);
  await settle();
  expect(branch.cases.get(1)!.invoice).toBe('accept me');
  expect(state.getState().errors.size).toBe(0);
});

test('A restored text is saved on leaving and dropped by Escape', async () => {
  const refusals = [() => json(500, { code: 'internal', title: 'Oops.' })];
  branch.overrides.push({ match: /^PATCH/, answer: (seen) => refusals[0]?.() ?? branch.answer(seen) });
  store.beginEdit(name, 'A');
  await settle();
  store.edits.commit(name);
  await passes(10_000);
  expect(state.getState().errors.get(name)?.typed).toBe('A');
  refusals.length = 0;
  store.beginEdit(name);
  await settle();
  store.edits.cancel(name);
  await settle();
  expect(shown(name)).toBe('Ann');
  expect(branch.locks.size).toBe(0);

  store.beginEdit(name);
  store.edits.restore(name, 'A');
  await settle();
  store.edits.commit(name);
  await settle();
  expect(branch.cases.get(1)!.customerName).toBe('A');
  expect(branch.locks.size).toBe(0);
});
