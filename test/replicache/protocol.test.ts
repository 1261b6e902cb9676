import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Faults } from '../support/faults';
import { until } from '../support/until';
import { Page, type ClientOptions } from './support/client';
import { Host } from './support/host';

let host: Host;
let faults: Faults;
let tokens: Record<string, string>;
const pages: Page[] = [];
let made = 0;

const newId = (what: string) => `${what}${++made}`;

function open(user: string, options: Partial<ClientOptions> = {}): Page {
  const page = new Page({ address: faults.address, user, token: tokens[user]!, ...options });
  pages.push(page);
  return page;
}

async function settled(page: Page): Promise<void> {
  await until('nothing pending', async () => (await page.pending()) === 0);
}

async function newList(page: Page, kind: 'tasks' | 'shopping' = 'tasks'): Promise<string> {
  const id = newId('list');
  await page.rep.mutate.createList({ id, name: id, kind });
  return id;
}

async function signInAll(): Promise<void> {
  tokens = {};
  for (const user of ['alice', 'bob', 'carol']) tokens[user] = await host.signIn(user);
}

beforeAll(async () => {
  host = await new Host().start();
  await signInAll();
});
afterAll(() => host.dispose());
beforeEach(async () => {
  faults = await new Faults(host).start();
});
afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.close()));
  await faults.stop();
});

test('a first pull returns readable data, and a poke confirms a push', async () => {
  const page = open('alice');
  await until('the demo lists', async () => (await page.all('list/')).size >= 3);
  const list = await newList(page);
  await settled(page);
  expect(page.words).toContain('sync');
  expect((await host.read(tokens['alice']!)).get(`list/${list}`)).toMatchObject({ owner: { id: 'alice' } });
});

test('a push with a lost answer is repeated and runs once', async () => {
  const page = open('alice');
  const list = await newList(page, 'shopping');
  await page.rep.mutate.createItem({ listId: list, id: 'i', name: 'Oats', quantity: 0 });
  await settled(page);
  let pushes = 0;
  // Blocks pulls, because a pull would confirm the mutations of the first push, and nothing would be sent again.
  faults.decide = (path) => {
    if (path === 'push') return pushes++ < 3 ? 'cutAfter' : undefined;
    return path === 'pull' && pushes <= 3 ? 503 : undefined;
  };
  await page.rep.mutate.adjustItem({ listId: list, id: 'i', by: 1 });
  await until('the push to go through', () => pushes > 3);
  await settled(page);
  expect((await host.read(tokens['alice']!)).get(`item/${list}/i`).quantity).toBe(1);
});

test('failing and unknown mutations are reverted and others stay', async () => {
  const page = open('alice');
  const list = await newList(page);
  await page.rep.mutate.createTask({ listId: list, id: 'a', title: 'kept' });
  await page.rep.mutate.createTask({ listId: list, id: 'b', title: 'x'.repeat(500) });
  await page.rep.mutate.createTask({ listId: 'not-mine', id: 'c', title: 'foreign' });
  await page.rep.mutate.createTask({ listId: list, id: 'd', title: 'kept too' });
  expect((await page.all('task/')).has(`task/${list}/b`)).toBe(true);
  await settled(page);
  const tasks = await page.all(`task/${list}/`);
  expect([...tasks.keys()].sort()).toEqual([`task/${list}/a`, `task/${list}/d`]);
  expect((await page.all('task/not-mine/')).size).toBe(0);
});

test('an unknown mutator does not block the queue', async () => {
  const { createMutators } = await import('../../apps/todos/web/src/state/mutators');
  const mutators = {
    ...createMutators({ id: 'alice', name: 'alice' }),
    future: async (tx: any) => void (await tx.set('future', 1)),
  };
  const page = open('alice', { more: { mutators } });
  await (page.rep.mutate as any).future();
  const list = await newList(page);
  await settled(page);
  expect((await page.all()).has('future')).toBe(false);
  expect((await page.all()).has(`list/${list}`)).toBe(true);
});

test('a gap in the mutation ids is an error', async () => {
  const mutation = (id: number) => ({
    clientID: 'gap-client',
    id,
    name: 'createList',
    args: { id: newId('gap'), name: 'x', kind: 'tasks' },
    timestamp: 1,
  });
  const push = (...ids: number[]) =>
    host.post<any>('push', tokens['alice']!, { clientGroupID: 'gap-group', mutations: ids.map(mutation) });
  expect((await push(1)).status).toBe(200);
  expect((await push(2, 4)).status).toBe(409);
  expect((await push(3)).status).toBe(200);
});

test('two clients of one group and a third of another user converge', async () => {
  const name = newId('shared-name');
  const [first, second, bob] = [open('alice', { name }), open('alice', { name }), open('bob')];
  expect(await first.rep.clientGroupID).toBe(await second.rep.clientGroupID);
  const list = await newList(first);
  await first.rep.mutate.shareList({ id: list, username: 'bob' });
  await until('the invitation', async () => (await bob.all()).has(`invitation/${list}`));
  await bob.rep.mutate.acceptInvitation({ id: list });
  await until('the list at the second', async () => (await second.all()).has(`list/${list}`));
  await until('the list at bob', async () => (await bob.all()).has(`list/${list}`));
  await Promise.all(
    [first, second, bob].map((page, i) =>
      page.rep.mutate.createTask({ listId: list, id: `t${i}`, title: `from ${i}` }),
    ),
  );
  for (const page of [first, second, bob])
    await until('three tasks', async () => (await page.all(`task/${list}/`)).size === 3);
  await first.rep.mutate.unshareList({ id: list, userId: 'bob' });
  await until(
    'nothing of it at bob',
    async () => ![...(await bob.all()).keys()].some((key) => key.includes(list)),
  );
  expect((await second.all(`task/${list}/`)).size).toBe(3);
});

test("another user's group is refused without details", async () => {
  const page = open('alice');
  await newList(page);
  await settled(page);
  const clientGroupID = await page.rep.clientGroupID;
  for (const [path, body] of [
    ['push', { clientGroupID, mutations: [] }],
    ['pull', { clientGroupID, cookie: null }],
  ] as const) {
    const answer = await host.post<{ code: string }>(path, tokens['bob']!, body);
    expect(answer.status).toBe(403);
    expect(JSON.stringify(answer.body)).not.toContain('alice');
  }
});

test('a fork continues from its old cookie', async () => {
  const name = newId('forked');
  const page = open('alice', { name });
  const list = await newList(page);
  await page.rep.mutate.createTask({ listId: list, id: 'a', title: 'before' });
  await settled(page);
  const group = await page.rep.clientGroupID;
  // Other mutators mean other code: the client starts a new group on the data of the old one.
  const { createMutators } = await import('../../apps/todos/web/src/state/mutators');
  await new Promise((resolve) => setTimeout(resolve, 1500)); // until the old one has persisted its data
  const mutators = { ...createMutators({ id: 'alice', name: 'alice' }), more: async () => {} };
  const fork = open('alice', { name, more: { mutators } });
  expect(await fork.rep.clientGroupID).not.toBe(group);
  await fork.rep.mutate.createTask({ listId: list, id: 'b', title: 'after' });
  await settled(fork);
  await until('both tasks', async () => (await fork.all(`task/${list}/`)).size === 2);
  await until('both tasks at the old one', async () => (await page.all(`task/${list}/`)).size === 2);
});

test('an unsupported schema is reported to the page', async () => {
  const page = open('alice', { more: { schemaVersion: '0' } });
  const needed = await new Promise((resolve) => {
    page.rep.onUpdateNeeded = resolve;
  });
  expect(needed).toEqual({ type: 'VersionNotSupported', versionType: 'schema' });
});

test('after a 401 the client gets a new token and continues', async () => {
  let asked = 0;
  const page = open('alice', { token: 'wrong' });
  page.rep.getAuth = () => {
    asked++;
    return `Bearer ${tokens['alice']!}`;
  };
  const list = await newList(page);
  await until('the push', async () => (await host.read(tokens['alice']!)).has(`list/${list}`));
  expect(asked).toBeGreaterThan(0);
});

test('500s and cut connections delay and lose nothing', async () => {
  const page = open('alice');
  const list = await newList(page);
  await settled(page);
  let failures = 0;
  faults.decide = (path) => {
    if (path === 'stream' || failures >= 10) return undefined;
    return ++failures % 2 === 0 ? 500 : 'cut';
  };
  for (let i = 0; i < 5; i++) await page.rep.mutate.createTask({ listId: list, id: `t${i}`, title: `${i}` });
  await settled(page);
  expect(failures).toBe(10);
  expect((await host.read(tokens['alice']!)).has(`task/${list}/t4`)).toBe(true);
});

test('concurrent pushes during pulls skip no commit', async () => {
  const writers = [open('alice'), open('alice'), open('alice')];
  const list = await newList(writers[0]!);
  for (const page of writers) await until('the list', async () => (await page.all()).has(`list/${list}`));
  const reader = open('alice');
  await Promise.all(
    writers.map(async (page, w) => {
      for (let i = 0; i < 40; i++) {
        await page.rep.mutate.createTask({ listId: list, id: `w${w}-${i}`, title: `${i}` });
        if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }),
  );
  for (const page of [...writers, reader])
    await until('all 120', async () => (await page.all(`task/${list}/`)).size === 120);
});

test('orders are numbers: 99 -> 100 and 999 -> 1000 continue', async () => {
  const [writer, reader] = [open('alice'), open('alice')];
  const list = await newList(writer);
  const order = async () => {
    const { body } = await host.post<{ cookie: { order: number } }>('pull', tokens['alice']!, {
      clientGroupID: 'order-looker',
      cookie: null,
    });
    return body.cookie.order;
  };
  const next = 10 ** String(await order()).length;
  let count = 0;
  // Large steps up to the boundary, small ones across it.
  while ((await order()) < next - 40) {
    for (let i = 0; i < Math.min(200, next - 30 - (await order())); i++)
      await writer.rep.mutate.createTask({ listId: list, id: `t${count++}`, title: 'x' });
    await settled(writer);
  }
  while ((await order()) < next + 5) {
    const id = `t${count++}`;
    await writer.rep.mutate.createTask({ listId: list, id, title: 'x' });
    await until(id, async () => (await reader.all()).has(`task/${list}/${id}`));
  }
});

test('a large first sync arrives completely', async () => {
  const list = newId('large');
  const mutations: object[] = [{ name: 'createList', args: { id: list, name: 'Large', kind: 'tasks' } }];
  for (let i = 0; i < 10_000; i++)
    mutations.push({ name: 'createTask', args: { listId: list, id: `t${i}`, title: `Task ${i}` } });
  const clientGroupID = newId('large-group');
  for (let from = 0; from < mutations.length; from += 1_000) {
    const part = mutations.slice(from, from + 1_000).map((mutation, i) => ({
      ...mutation,
      clientID: `${clientGroupID}-c`,
      id: from + i + 1,
      timestamp: 1,
    }));
    // A push over a limit is answered with 429. Its processed mutations are kept, and the rest is sent again.
    const push = () => host.post('push', tokens['carol']!, { clientGroupID, mutations: part });
    await until(`the mutations from ${from}`, async () => {
      const { status } = await push();
      expect([200, 429]).toContain(status);
      return status === 200;
    });
  }
  const page = open('carol');
  const began = performance.now();
  await until('10,000 tasks', async () => (await page.all(`task/${list}/`)).size === 10_000);
  console.log(`first sync of 10,000 tasks in the client: ${Math.round(performance.now() - began)} ms`);
});

test('a server with lost data resets a page with a later cookie once', async () => {
  const name = newId('reset');
  const page = open('alice', { name });
  const list = await newList(page);
  await settled(page);
  await until('the list', async () => (await page.all()).has(`list/${list}`));
  await host.reset();
  await signInAll();
  page.rep.auth = `Bearer ${tokens['alice']!}`;
  await page.rep.pull();
  await until('the new history', async () => !(await page.all()).has(`list/${list}`));
  // Its client is unknown now: the push is answered with that, and the next page has an old cookie.
  await page.rep.mutate.createList({ id: newId('late'), name: 'late', kind: 'tasks' });
  await until('being told', () => page.lost > 0);
  const again = open('alice', { name });
  const fresh = await newList(again);
  await settled(again);
  await until('the fresh list', async () => (await host.read(tokens['alice']!)).has(`list/${fresh}`));
  expect(again.lost).toBe(0);
});
