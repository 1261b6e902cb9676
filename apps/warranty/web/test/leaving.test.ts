import { beforeEach, expect, test } from 'vitest';
import { json } from '../../../../clients/typescript/test/support/fakeServer';
import { settle } from '../../../../clients/typescript/test/support/clock';
import { environment, branch, fakeStorage, name, notices, openPage, passes } from './branchPage';
import { setUp, shown, state, store } from './branchPage';
import type { Seen } from './fakeBranch';

beforeEach(setUp);

const sent = (method: string) => branch.requests.filter((request) => request.method === method);

test('Unsaved edits are kept over a reload, and saved by the next page', async () => {
  const { kept, storage } = fakeStorage();
  await openPage(storage);
  branch.isReachable = false;
  store.edits.begin(name);
  store.edits.type(name, 'Anna');
  environment.signal('pagehide');
  await settle();
  expect(kept.size).toBe(1);

  branch.isReachable = true;
  await openPage(storage);
  expect(shown(name)).toBe('Anna');
  await passes(1000);
  expect(branch.cases.get(1)!.customerName).toBe('Anna');
  expect(branch.locks.size).toBe(0);
  expect(kept.size).toBe(0);
});

test('Leaving the page sends what is pending, so that it outlives the page', async () => {
  store.edits.begin(name);
  await settle();
  store.edits.type(name, 'Anna');
  environment.signal('pagehide');
  await settle();
  const [save] = branch.requests.filter(({ method }) => method === 'PATCH');
  expect(save?.keepalive).toBe(true);
  expect(branch.cases.get(1)!.customerName).toBe('Anna');
});

test('A save that left with the page is not sent again by the next page', async () => {
  const { kept, storage } = fakeStorage();
  await openPage(storage);
  store.edits.begin(name);
  await settle();
  store.edits.type(name, 'Anna');
  // The former page stores its edit, leaves, and gets no answer.
  const unsaved = [...kept];
  environment.signal('pagehide');
  await settle();
  expect(branch.locks.size).toBe(0);
  kept.clear();
  for (const [key, value] of unsaved) kept.set(key, value);

  await openPage(storage);
  expect(shown(name)).toBe('Anna');
  await passes(2000);
  expect(sent('PATCH')).toEqual([]);
  expect(sent('PUT')).toEqual([]);
  expect(state.getState().pending.size).toBe(0);
  expect(kept.size).toBe(0);
  expect(notices).toEqual([]);
});

test('The next page waits for the lock of the former page without a notice', async () => {
  const { kept, storage } = fakeStorage();
  await openPage(storage);
  store.edits.begin(name);
  await settle();
  const lost: Seen[] = [];
  const delay = {
    match: /^PATCH/,
    answer: (seen: Seen) => (lost.push(seen), new Promise<Response>(() => {})),
  };
  branch.overrides.push(delay);
  store.edits.type(name, 'Anna');
  environment.signal('pagehide');
  await settle();
  expect(lost).toHaveLength(1);
  const unsaved = [...kept];
  branch.overrides.length = 0;

  kept.clear();
  for (const [key, value] of unsaved) kept.set(key, value);
  await openPage(storage);
  await passes(1500);
  expect(state.getState().pending.size).toBe(1);
  branch.answer(lost[0]!);
  await passes(3000);
  expect(sent('PATCH')).toEqual([]);
  expect(state.getState().pending.size).toBe(0);
  expect(branch.locks.size).toBe(0);
  expect(notices).toEqual([]);
});

test('Leaving the page repeats a save in flight, which releases its lock', async () => {
  let isFirst = true;
  branch.overrides.push({
    match: /^PATCH/,
    answer: (seen) => {
      if (!isFirst) return branch.answer(seen);
      isFirst = false;
      return new Promise<Response>(() => {});
    },
  });
  store.edits.begin(name);
  await settle();
  store.edits.type(name, 'Anna');
  await passes(1000);
  environment.signal('pagehide');
  await settle();
  expect(sent('PATCH').map(({ keepalive }) => keepalive)).toEqual([false, true]);
  expect(branch.cases.get(1)!.customerName).toBe('Anna');
  expect(branch.locks.size).toBe(0);
});

test('Leaving the page withdraws a lock request in flight', async () => {
  let grant!: () => void;
  branch.overrides.push({
    match: /^PUT/,
    answer: (seen) => new Promise((resolve) => (grant = () => resolve(branch.answer(seen)))),
  });
  store.edits.begin(name);
  await settle();
  environment.signal('pagehide');
  grant();
  await settle();
  expect(branch.locks.size).toBe(0);
});

test('An edit is reverted after repeated answers with status 500', async () => {
  branch.overrides.push({ match: /^PATCH/, answer: () => json(500, { code: 'internal', title: 'Oops.' }) });
  store.edits.begin(name);
  await settle();
  store.edits.type(name, 'Anna');
  store.edits.commit(name);
  await passes(1000);
  expect(shown(name)).toBe('Anna');
  await passes(10_000);
  expect(shown(name)).toBe('Ann');
  expect(sent('PATCH')).toHaveLength(3);
  expect(branch.locks.size).toBe(0);
  expect(notices).toEqual([
    {
      kind: 'error',
      text: 'Customer name of WHQ1 was not saved: the server reported an error.',
      copy: 'Anna',
    },
  ]);
});
