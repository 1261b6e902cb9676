import { browserEnvironment, type Environment } from '@dunlin/client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Removals, UNDO_MS, type Removal } from '../src/state/removals';

let stored: Map<string, string>;
let performed: [listId: string, isLeaving: boolean][];
let failed: unknown[];
let answer: () => Promise<void>;
let leave: () => void;
let channels: Set<{ post: (from: object) => void }>;
let opened: Removals[];

// Tabs of one browser: a storage and a broadcast.
function open(storage: Environment['storage'] | null = memory()): Removals {
  const environment: Environment = {
    ...browserEnvironment(),
    storage: storage ?? undefined,
    onSignal: (signal, handler) => {
      if (signal === 'pagehide') leave = () => handler({});
      return () => {};
    },
    openBroadcast: () => {
      const handlers: ((message: unknown) => void)[] = [];
      const channel = { post: (from: object) => from !== channel && handlers.forEach((each) => each('')) };
      channels.add(channel);
      return {
        post: () => channels.forEach((each) => each.post(channel)),
        onMessage: (handler) => handlers.push(handler),
        close: () => channels.delete(channel),
      };
    },
  };
  const removals = new Removals({
    environment,
    key: 'removals.alice',
    perform: ({ listId }: Removal, isLeaving) => {
      performed.push([listId, isLeaving]);
      return answer();
    },
    onFailed: (_, error) => failed.push(error),
  });
  opened.push(removals);
  return removals;
}

const memory = (): NonNullable<Environment['storage']> => ({
  getItem: (key) => stored.get(key) ?? null,
  setItem: (key, value) => void stored.set(key, value),
});

beforeEach(() => {
  vi.useFakeTimers();
  stored = new Map();
  channels = new Set();
  [performed, failed, opened] = [[], [], []];
  answer = () => Promise.resolve();
});

afterEach(() => {
  for (const removals of opened) removals.dispose();
  vi.useRealTimers();
});

test('A removal is carried out when it can no longer be undone', async () => {
  const removals = open();
  removals.add('list', 'a');
  expect(removals.has('list', 'a')).toBe(true);
  await vi.advanceTimersByTimeAsync(UNDO_MS - 1);
  expect(performed).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(performed).toEqual([['a', false]]);
  expect([removals.pending.value, stored.get('removals.alice')]).toEqual([[], '[]']);
});

test('An undone removal is not carried out, and the others are', async () => {
  const removals = open();
  removals.add('list', 'a');
  removals.add('member', 'a', 'bob');
  removals.add('list', 'b');
  removals.undo('list', 'a');
  await vi.advanceTimersByTimeAsync(UNDO_MS);
  expect(performed.map(([listId]) => listId)).toEqual(['a', 'b']);
});

test('Two tabs show the same removals and carry each out once', async () => {
  const [first, second] = [open(), open()];
  first.add('list', 'a');
  first.add('list', 'b');
  expect(second.has('list', 'a')).toBe(true);
  second.undo('list', 'a');
  expect(first.has('list', 'a')).toBe(false);
  await vi.advanceTimersByTimeAsync(UNDO_MS);
  expect(performed).toEqual([['b', false]]);
});

test('A closed page sends its removals, and the next visit checks them', async () => {
  const first = open();
  first.add('list', 'a');
  leave();
  expect(performed).toEqual([['a', true]]);
  first.dispose();
  await vi.advanceTimersByTimeAsync(UNDO_MS);
  expect(performed).toHaveLength(1);
  open();
  await vi.advanceTimersByTimeAsync(0);
  expect(performed).toEqual([
    ['a', true],
    ['a', false],
  ]);
});

test('A removal that fails is reported once and forgotten', async () => {
  answer = () => Promise.reject(new Error('refused'));
  const removals = open();
  removals.add('member', 'a', 'me');
  await vi.advanceTimersByTimeAsync(UNDO_MS * 3);
  expect([performed.length, failed.length, removals.pending.value]).toEqual([1, 1, []]);
});

test('Flushing carries all out at once', async () => {
  const removals = open();
  removals.add('list', 'a');
  removals.add('list', 'b');
  await removals.flush();
  expect(performed).toEqual([
    ['a', true],
    ['b', true],
  ]);
  expect(removals.pending.value).toEqual([]);
});

test.each([
  ['without a storage', null],
  [
    'with a full storage',
    {
      getItem: () => null,
      setItem: () => {
        throw new Error('The quota is exceeded.');
      },
    },
  ],
])('A removal %s is carried out', async (_, storage) => {
  const removals = open(storage);
  removals.add('list', 'a');
  await vi.advanceTimersByTimeAsync(UNDO_MS);
  expect([performed, removals.pending.value]).toEqual([[['a', false]], []]);
});
