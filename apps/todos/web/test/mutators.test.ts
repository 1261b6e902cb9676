import type { ReadonlyJSONValue, WriteTransaction } from 'replicache';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  createMutators,
  invitationKey,
  itemKey,
  listKey,
  taskKey,
  type TodoList,
} from '../src/state/mutators';

const anna = { id: 'anna', name: 'Anna' };
const bob = { id: 'bob', name: 'Bob' };

let data: Map<string, ReadonlyJSONValue>;
let now: number;

/** The local data of one browser. */
const tx = {
  get: async (key: string) => data.get(key),
  set: async (key: string, value: ReadonlyJSONValue) => void data.set(key, value),
  del: async (key: string) => data.delete(key),
  scan: ({ prefix }: { prefix: string }) => ({
    keys: () => ({ toArray: async () => [...data.keys()].filter((key) => key.startsWith(prefix)) }),
  }),
} as unknown as WriteTransaction;

const mutate = createMutators(anna, () => now);
const list = () => data.get(listKey('l')) as unknown as TodoList;

beforeEach(async () => {
  [data, now] = [new Map(), 7];
  await mutate.createList(tx, { id: 'l', name: 'Home', kind: 'tasks' });
});

describe('A list', () => {
  test('belongs to the user who created it', () => {
    expect(list()).toEqual({
      id: 'l',
      name: 'Home',
      kind: 'tasks',
      owner: anna,
      members: [anna],
      createdAt: 7,
    });
  });

  test('is deleted with its tasks and items only', async () => {
    await mutate.createTask(tx, { listId: 'l', id: 't', title: 'Sweep' });
    await mutate.createItem(tx, { listId: 'l', id: 'i', name: 'Tea', quantity: 1 });
    await mutate.createTask(tx, { listId: 'l2', id: 't', title: 'Other' });
    await mutate.deleteList(tx, { id: 'l' });
    expect([...data.keys()]).toEqual([taskKey('l2', 't')]);
  });

  test('has an invitation once, and none for a member', async () => {
    await mutate.shareList(tx, { id: 'l', username: 'bob' });
    now = 9;
    await mutate.shareList(tx, { id: 'l', username: 'bob' });
    await mutate.shareList(tx, { id: 'l', username: 'anna' });
    expect(list().invited).toEqual([{ username: 'bob', createdAt: 7 }]);
    await mutate.withdrawInvitation(tx, { id: 'l', username: 'bob' });
    expect(list().invited).toEqual([]);
  });

  test('loses a member who leaves', async () => {
    data.set(listKey('l'), { ...list(), members: [anna, bob] });
    await mutate.unshareList(tx, { id: 'l', userId: 'bob' });
    expect(list().members).toEqual([anna]);
  });

  test.each(['acceptInvitation', 'declineInvitation'] as const)('%s removes the invitation', async (name) => {
    data.set(invitationKey('l2'), {});
    await mutate[name](tx, { id: 'l2' });
    expect(data.has(invitationKey('l2'))).toBe(false);
  });
});

describe('A change of a deleted object', () => {
  test.each([
    ['a list', () => mutate.renameList(tx, { id: 'gone', name: 'New' })],
    ['a task', () => mutate.updateTask(tx, { listId: 'l', id: 'gone', done: true })],
    ['an item', () => mutate.adjustItem(tx, { listId: 'l', id: 'gone', by: 1 })],
    ['an invitation', () => mutate.shareList(tx, { id: 'gone', username: 'bob' })],
  ])('does not bring %s back', async (_, change) => {
    await change();
    expect([...data.keys()]).toEqual([listKey('l')]);
  });
});

test('a task keeps fields that a change does not name', async () => {
  await mutate.createTask(tx, { listId: 'l', id: 't', title: 'Sweep' });
  await mutate.updateTask(tx, { listId: 'l', id: 't', done: true });
  expect(data.get(taskKey('l', 't'))).toMatchObject({
    title: 'Sweep',
    note: '',
    done: true,
    createdBy: anna,
  });
});

describe('The due date of a task', () => {
  test('is set, kept by other changes, and removed by an empty one', async () => {
    await mutate.createTask(tx, { listId: 'l', id: 't', title: 'Sweep' });
    await mutate.updateTask(tx, { listId: 'l', id: 't', due: '2026-11-30' });
    await mutate.updateTask(tx, { listId: 'l', id: 't', done: true });
    expect(data.get(taskKey('l', 't'))).toMatchObject({ due: '2026-11-30', done: true });
    await mutate.updateTask(tx, { listId: 'l', id: 't', due: '' });
    expect(data.get(taskKey('l', 't'))).not.toHaveProperty('due');
  });
});

test('a move keeps the other fields of an entry', async () => {
  await mutate.createItem(tx, { listId: 'l', id: 'i', name: 'Tea', quantity: 2 });
  await mutate.updateItem(tx, { listId: 'l', id: 'i', order: 'a0' });
  expect(data.get(itemKey('l', 'i'))).toMatchObject({ name: 'Tea', quantity: 2, order: 'a0' });
});

test('quantity changes of two devices add up and stay at zero or above', async () => {
  await mutate.createItem(tx, { listId: 'l', id: 'i', name: 'Tea', quantity: 1 });
  for (const by of [2, -1, -5]) await mutate.adjustItem(tx, { listId: 'l', id: 'i', by });
  expect(data.get(itemKey('l', 'i'))).toMatchObject({ quantity: 0, bought: false });
});
