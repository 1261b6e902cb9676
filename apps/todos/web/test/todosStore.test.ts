import type { Problem } from '@dunlin/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { json } from '../../../../clients/typescript/test/support/fakeServer';
import { until } from '../../../../test/support/until';
import { listKey, type TodoList } from '../src/state/mutators';
import { TodosStore } from '../src/state/todosStore';
import { FakeTodos } from './fakeTodos';

let users = 0;
let userId: string;
let server: FakeTodos;
let opened: TodosStore[];
let givenUp: [text: string, problem: Problem][];
let refused: Problem[];
let signedOut: string[];

function open(user = userId): TodosStore {
  const store = new TodosStore({
    user: { userId: user, name: user, roles: [] },
    refresh: () => Promise.resolve(false),
    onSignedOut: () => signedOut.push(user),
    onGivenUp: (...given) => givenUp.push(given),
    onRefused: (problem) => refused.push(problem),
    environment: server.environment(),
    kvStore: 'mem',
  });
  opened.push(store);
  return store;
}

async function openLive(): Promise<TodosStore> {
  const store = open();
  await until('a live stream', () => store.connection.state.name === 'live');
  return store;
}

async function close(store: TodosStore): Promise<void> {
  opened = opened.filter((each) => each !== store);
  await store.dispose();
}

const addList = (store: TodosStore, id: string, name: string) =>
  store.rep.mutate.createList({ id, name, kind: 'tasks' });
const nameOf = (store: TodosStore, id: string) =>
  store.rep.query(async (tx) => ((await tx.get(listKey(id))) as TodoList | undefined)?.name);
const shown = (store: TodosStore, id: string, name: string | undefined) =>
  until(`list ${id} is called ${name}`, async () => (await nameOf(store, id)) === name);
const pending = (store: TodosStore, count: number) =>
  until(`${count} pending`, () => store.pending.count === count);
const listOf = (name: string) =>
  ({
    id: 'l',
    name,
    kind: 'tasks',
    owner: { id: 'bob', name: 'Bob' },
    members: [],
    createdAt: 1,
  }) as TodoList;

beforeEach(() => {
  userId = `user${++users}`;
  server = new FakeTodos();
  [opened, givenUp, refused, signedOut] = [[], [], [], []];
});

afterEach(async () => {
  for (const store of opened) await store.dispose();
});

describe('Loading', () => {
  test('shows the lists of the server', async () => {
    server.data.set(listKey('l'), listOf('Home'));
    await shown(open(), 'l', 'Home');
  });

  test('is repeated when the server could not be reached', async () => {
    server.isReachable = false;
    server.data.set(listKey('l'), listOf('Home'));
    const store = open();
    await until('a failed request', () => server.requests > 0);
    expect(await nameOf(store, 'l')).toBeUndefined();
    server.isReachable = true;
    await shown(store, 'l', 'Home');
  });

  test('is repeated after a poke', async () => {
    const store = await openLive();
    server.data.set(listKey('l'), listOf('Home'));
    server.poke();
    await shown(store, 'l', 'Home');
  });
});

describe('The first load', () => {
  test('ends with the first answer, also when there is nothing', async () => {
    const store = open();
    expect(store.load.name).toBe('loading');
    await until('the load', () => store.load.name === 'loaded');
  });

  test('shows its data no later than its end', async () => {
    server.data.set(listKey('l'), listOf('Home'));
    const store = open();
    let name: Promise<string | undefined> | undefined;
    store.subscribe(() => {
      if (store.load.name === 'loaded') name ??= nameOf(store, 'l');
    });
    await until('the load', () => name !== undefined);
    expect(await name).toBe('Home');
  });

  test('fails with a server error, and succeeds by itself later', async () => {
    server.pullStatus = 500;
    const store = open();
    await until('the failure', () => store.load.name === 'failed');
    expect(store.load).toEqual({ name: 'failed', reason: 'Broken.' });
    server.pullStatus = 200;
    await until('the load', () => store.load.name === 'loaded');
  });

  test('fails when the server does not answer, and starts again on request', async () => {
    server.isHanging = true;
    const store = open();
    await until('the failure', () => store.load.name === 'failed');
    expect(store.load).toEqual({ name: 'failed', reason: undefined });
    server.isHanging = false;
    store.retryLoad();
    expect(store.load.name).toBe('loading');
    await until('the load', () => store.load.name === 'loaded');
  });

  test('is not repeated in a browser that has data', async () => {
    const first = open();
    await until('the load', () => first.load.name === 'loaded');
    await close(first);
    server.isReachable = false;
    const second = open();
    await until('the load', () => second.load.name === 'loaded');
  });
});

describe('A change', () => {
  test('is shown and pending at once, and confirmed by the server', async () => {
    const store = await openLive();
    await until('the load', () => store.load.name === 'loaded');
    const counts: number[] = [];
    store.subscribe(() => counts.push(store.pending.count));
    server.isReachable = false;
    await addList(store, 'l', 'Home');
    expect(await nameOf(store, 'l')).toBe('Home');
    await pending(store, 1);
    expect([...store.pending.ids]).toEqual(['l']);
    server.isReachable = true;
    await until('a confirmation', async () => {
      await store.rep.pull();
      return store.pending.count === 0;
    });
    expect(counts).toEqual([1, 0]);
    expect((server.data.get(listKey('l')) as TodoList).name).toBe('Home');
  });

  test('is undone when the server does something else', async () => {
    const store = await openLive();
    server.decide = () => 'nothing';
    await addList(store, 'l', 'Home');
    await until('the mutation', () => server.taken.length === 1);
    server.poke();
    await shown(store, 'l', undefined);
    await pending(store, 0);
  });

  test('with an invalid argument is dropped and reported, later ones are sent', async () => {
    const store = await openLive();
    server.decide = ({ args }) =>
      JSON.stringify(args).includes('poison')
        ? json(400, { code: 'invalid_field', title: 'The name is wrong.' })
        : undefined;
    await addList(store, 'a', 'poison');
    await addList(store, 'b', 'Home');
    await until('both mutations', () => server.taken.length === 2);
    server.poke();
    await shown(store, 'a', undefined);
    await shown(store, 'b', 'Home');
    expect(givenUp.map(([text, { kind }]) => [text, kind])).toEqual([['poison', 'invalid']]);
    expect(server.taken).toEqual(['givenUp', 'createList']);
  });

  test('in a rejected push is kept and sent again after the stream reconnects', async () => {
    const store = await openLive();
    server.decide = () => json(403, { code: 'forbidden', title: 'Not now.' });
    await addList(store, 'l', 'Home');
    await until('the refusal', () => refused.length === 1);
    await pending(store, 1);
    expect(await nameOf(store, 'l')).toBe('Home');
    server.decide = () => undefined;
    server.streams.last.end();
    await until('the mutation', () => server.taken.length === 1);
    server.poke();
    await pending(store, 0);
    expect([await nameOf(store, 'l'), givenUp.length]).toEqual(['Home', 0]);
  });
});

describe('The end of a session', () => {
  test.each([
    ['that was signed out', 401, 'sign_in_required'],
    ['of which the user has changed', 409, 'user_changed'],
  ])('%s is reported and keeps what was not sent', async (_, status, code) => {
    const store = await openLive();
    server.decide = () => json(status, { code, title: code });
    await addList(store, 'l', 'Home');
    await pending(store, 1);
    server.streams.plan(() => json(status, { code, title: code }));
    server.streams.last.end();
    await until('the end', () => signedOut.length > 0);
    // The stream and the push were refused, one after the other.
    await store.rep.push({ now: true }).catch(() => {});
    expect(signedOut).toEqual([userId]);
    expect([store.connection.state.name, store.pending.count, givenUp.length]).toEqual(['signedOut', 1, 0]);
  });

  test('shows nothing of one user to the next', async () => {
    server.isReachable = false;
    const before = open();
    await addList(before, 'l', 'Secret');
    await pending(before, 1);
    await close(before);
    const next = open(`${userId}-next`);
    expect(await nameOf(next, 'l')).toBeUndefined();
    server.isReachable = true;
    await until('a pull', () => server.pulls > 0);
    expect([next.pending.count, server.taken]).toEqual([0, []]);
  });
});

describe('Closing', () => {
  test('sends nothing more and tells nobody', async () => {
    const store = await openLive();
    let calls = 0;
    store.subscribe(() => calls++);
    const closing = close(store);
    const { requests } = server;
    server.poke();
    await closing;
    expect([server.requests, calls, store.rep.closed]).toEqual([requests, 0, true]);
    expect(store.connection.state.name).toBe('closed');
  });

  test('keeps what was not sent for the next visit, which sends it', async () => {
    server.isReachable = false;
    const first = open();
    await addList(first, 'l', 'Home');
    await close(first);
    const second = open();
    await shown(second, 'l', 'Home');
    server.isReachable = true;
    await until('the mutation', () => server.taken.length === 1);
    server.poke();
    await pending(second, 0);
  });

  test('ends a push that was refused and waits', async () => {
    const store = await openLive();
    server.decide = () => json(403, { code: 'forbidden', title: 'Not now.' });
    await addList(store, 'l', 'Home');
    await until('the refusal', () => refused.length === 1);
    await close(store);
    expect(store.rep.closed).toBe(true);
  });
});
