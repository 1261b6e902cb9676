import { beforeEach, expect, test } from 'vitest';
import { json } from '../../../../clients/typescript/test/support/fakeServer';
import { settle } from '../../../../clients/typescript/test/support/clock';
import { firstQuery, holderOf } from '../src/state/state';
import {
  name,
  environment,
  branch,
  state,
  store,
  notices,
  openPage,
  signedOut,
  shown,
  passes,
  setUp,
} from './branchPage';

beforeEach(setUp);

test('Locks of others come by snapshot and by event, and go by event', async () => {
  branch.send('locks', [{ caseId: 2, field: 'cost', userId: 'carol', userName: 'Carol' }]);
  await settle();
  expect(holderOf(state.getState(), '2/cost')).toBe('Carol');
  branch.send('lock-acquired', { caseId: 2, field: 'staff', userId: 'bob', userName: 'Bob' });
  await settle();
  expect(holderOf(state.getState(), '2/staff')).toBe('you in another tab');
  branch.send('lock-released', { caseId: 2, field: 'cost', userId: 'carol' });
  await settle();
  expect(holderOf(state.getState(), '2/cost')).toBeUndefined();
});

test('Events of the own lock do not show it as held by another tab', async () => {
  const announced = { caseId: 1, field: 'customerName', userId: 'bob', userName: 'Bob' };
  store.edits.begin(name);
  branch.send('lock-acquired', announced);
  await settle();
  expect(holderOf(state.getState(), name)).toBeUndefined();
  store.edits.commit(name);
  await settle();
  expect(holderOf(state.getState(), name)).toBeUndefined();
  branch.send('lock-released', announced);
  branch.send('lock-acquired', announced);
  await settle();
  expect(holderOf(state.getState(), name)).toBe('you in another tab');
});

test('The cases are refetched every 60 s without changing edited fields', async () => {
  store.edits.begin(name);
  await settle();
  store.edits.type(name, 'Anna');
  branch.overrides.push({ match: /^PATCH/, answer: () => new Promise(() => {}) });
  branch.cases.set(1, { ...branch.cases.get(1)!, customerName: 'Someone', invoice: 'I-1', version: 500 });
  branch.requests.length = 0;
  await passes(59_000);
  expect(branch.requests.filter(({ path }) => path.includes('/branches/1/cases'))).toEqual([]);
  await passes(1000);
  expect(shown('1/invoice')).toBe('I-1');
  expect(shown(name)).toBe('Anna');
});

test('A sync never puts the values of its page over fresher ones', async () => {
  let answer!: () => void;
  const stale = branch.answer({
    method: 'GET',
    path: '/api/warranty/branches/1/cases',
    body: undefined,
    keepalive: false,
  });
  branch.overrides.push({
    match: /^GET .*branches\/1\/cases/,
    answer: () => new Promise<Response>((resolve) => (answer = () => resolve(stale))),
  });
  branch.send('sync-required', { caseId: 1 });
  await settle();
  branch.write(1, { customerName: 'Fresh' });
  await settle();
  answer();
  await settle();
  expect(shown(name)).toBe('Fresh');
});

test('A sync asked for while one runs is done after it', async () => {
  const answers: (() => void)[] = [];
  branch.overrides.push({
    match: /^GET .*branches\/1\/cases/,
    answer: (seen) => new Promise<Response>((resolve) => answers.push(() => resolve(branch.answer(seen)))),
  });
  branch.send('sync-required', { caseId: 1 });
  branch.send('sync-required', { caseId: 2 });
  branch.send('sync-required', { caseId: 1 });
  await settle();
  expect(answers).toHaveLength(1);
  answers[0]!();
  await settle();
  expect(answers).toHaveLength(2);
  answers[1]!();
  await settle();
  expect(answers).toHaveLength(2);
});

test('An offline edit is kept and saved under a new lock after reconnecting', async () => {
  branch.isReachable = false;
  environment.signal('offline');
  branch.streams.last.break();
  await settle();
  expect(state.getState().connection.name).toBe('offline');
  store.edits.begin(name);
  store.edits.type(name, 'Anna');
  await passes(4000);
  expect(state.getState().edits.get(name)?.phase).toBe('waiting');
  store.edits.commit(name);
  await passes(120_000);
  expect(shown(name)).toBe('Anna');
  expect(state.getState().pending.has(name)).toBe(true);
  branch.isReachable = true;
  environment.signal('online');
  await passes(1000);
  expect(branch.cases.get(1)!.customerName).toBe('Anna');
  expect(branch.locks.size).toBe(0);
  expect(notices).toEqual([]);
});

test('An offline edit does not overwrite a later save of another user', async () => {
  branch.isReachable = false;
  store.edits.begin(name);
  store.edits.type(name, 'Anna');
  await passes(4000);
  store.edits.commit(name);
  branch.write(1, { customerName: 'Carol was here' });
  branch.isReachable = true;
  environment.signal('online');
  await passes(1000);
  expect(branch.cases.get(1)!.customerName).toBe('Carol was here');
  expect(shown(name)).toBe('Carol was here');
  expect(notices[0]).toMatchObject({
    copy: 'Anna',
    text: expect.stringContaining('Carol changed it meanwhile'),
  });
});

test('A page restored from the back/forward cache reacquires its field lock', async () => {
  store.edits.begin(name);
  await settle();
  environment.signal('pagehide', { persisted: true });
  await settle();
  expect(branch.locks.has(name)).toBe(false);
  expect(state.getState().edits.get(name)?.phase).toBe('waiting');
  environment.signal('pageshow', { persisted: true });
  await settle();
  expect(branch.locks.has(name)).toBe(true);
  expect(state.getState().edits.get(name)?.phase).toBe('held');
});

test('An edit is kept when the session ends and saved after a sign-in', async () => {
  store.edits.begin(name);
  await settle();
  const refusal = {
    match: /./,
    answer: () => json(401, { code: 'not_signed_in', title: 'You are not signed in.' }),
  };
  branch.overrides.unshift(refusal);
  store.edits.type(name, 'Anna');
  await passes(1000);
  expect(signedOut).toBeGreaterThan(0);
  expect(shown(name)).toBe('Anna');
  store.edits.commit(name);
  branch.overrides.splice(branch.overrides.indexOf(refusal), 1);
  store.signedIn();
  await passes(2000);
  expect(branch.cases.get(1)!.customerName).toBe('Anna');
  expect(notices).toEqual([]);
});

test('A deleted case disappears, and what was typed in it can be copied', async () => {
  store.edits.begin(name);
  await settle();
  store.edits.type(name, 'Anna');
  branch.cases.delete(1);
  branch.send('case-deleted', { caseId: 1 });
  await settle();
  expect(state.getState().ids).toEqual(['2']);
  expect(state.getState().edits.size).toBe(0);
  expect(notices[0]).toMatchObject({
    copy: 'Anna',
    text: 'Customer name of WHQ1 was not saved: the case was deleted.',
  });
});

test('A case that arrives is in the list after the next sync', async () => {
  const added = branch.add({ id: 3, customerName: 'New' });
  branch.send('case-created', { caseId: 3, case: added });
  await passes(250);
  expect(state.getState().ids).toContain('3');
  expect(shown('3/customerName')).toBe('New');
});

test('An unknown branch sets a problem, opening a known branch clears it', async () => {
  branch.overrides.push({
    match: /branches\/9\/cases/,
    answer: () => json(404, { code: 'not_found', title: 'There is no such thing.' }),
  });
  store.open(9, firstQuery);
  await settle();
  expect(state.getState().problem?.kind).toBe('notFound');
  store.open(1, firstQuery);
  await settle();
  expect(state.getState().problem).toBeUndefined();
  expect(state.getState().ids).toEqual(['1', '2']);
});

test('The users who look at the branch are loaded and followed', async () => {
  branch.present.push({ userId: 'bob', name: 'Bob' });
  await openPage();
  expect(state.getState().present.map(({ userId }) => userId)).toEqual(['bob']);
  branch.send('presence.joined', { userId: 'carol', name: 'Carol' });
  await settle();
  expect(state.getState().present.map(({ userId }) => userId)).toEqual(['bob', 'carol']);
  branch.send('presence.left', { userId: 'bob', name: 'Bob' });
  await settle();
  expect(state.getState().present.map(({ userId }) => userId)).toEqual(['carol']);
});

test('Visible rows are loaded, and a sync loads those alone', async () => {
  for (let id = 3; id <= 300; id++) branch.add({ id, customerName: `Case ${id}` });
  await openPage();
  const pages = () => branch.requests.flatMap(({ path }) => /cases\?.*&page=([0-9]+)/.exec(path)?.[1] ?? []);
  expect(state.getState().ids).toHaveLength(300);
  expect(state.getState().ids[100]).toBeUndefined();
  store.view(95, 110);
  await settle();
  expect(pages()).toEqual(['2', '3']);
  expect(state.getState().ids[100]).toBe('101');
  branch.requests.length = 0;
  await passes(60_000);
  expect(pages()).toEqual(['2', '3']);
});

test('A page past the end is replaced by the last page', async () => {
  for (let id = 3; id <= 60; id++) branch.add({ id, customerName: `Case ${id}` });
  await openPage();
  store.show({ ...firstQuery, search: 'a', page: 9 });
  await settle();
  expect(state.getState().query.page).toBe(2);
  expect(state.getState().ids[55]).toBe('56');
});

test('A case that the address names is loaded for the panel', async () => {
  for (let id = 3; id <= 60; id++) branch.add({ id, customerName: `Case ${id}` });
  await openPage();
  store.openCase('60');
  await settle();
  expect(shown('60/customerName')).toBe('Case 60');
  store.openCase('999');
  await settle();
  expect(state.getState().openId).toBeUndefined();
  expect(notices.at(-1)?.text).toContain('The case could not be opened');
});

test('A disposed page sends no further request for the list', async () => {
  let answer!: () => void;
  branch.overrides.push({
    match: /^GET .*branches\/1\/cases/,
    answer: (seen) => new Promise<Response>((resolve) => (answer = () => resolve(branch.answer(seen)))),
  });
  branch.send('sync-required', { caseId: 1 });
  await settle();
  branch.send('sync-required', { caseId: 1 });
  await settle();
  store.dispose();
  branch.requests.length = 0;
  answer();
  await passes(120_000);
  expect(branch.requests.filter(({ method }) => method === 'GET')).toEqual([]);
});
