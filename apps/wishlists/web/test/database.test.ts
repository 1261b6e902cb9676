// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from 'vitest';
import { EarlyDatabase, type WishlistsDatabase } from '../src/state/database';

let opened: string[];
let closed: string[];
const open = (userId: string) => {
  opened.push(userId);
  return Promise.resolve({ name: userId, close: () => closed.push(userId) } as unknown as WishlistsDatabase);
};

beforeEach(() => {
  localStorage.clear();
  [opened, closed] = [[], []];
});

test('Only a later visit opens the database of its user early', async () => {
  const first = new EarlyDatabase(localStorage, open);
  expect([first.take('alice'), opened]).toEqual([undefined, []]);
  const next = new EarlyDatabase(localStorage, open);
  expect(opened).toEqual(['alice']);
  expect((await next.take('alice'))!.name).toBe('alice');
  // A second page of the same document opens its own.
  expect(next.take('alice')).toBeUndefined();
  expect(closed).toEqual([]);
});

test('The database of another user is closed, and never given out', async () => {
  void new EarlyDatabase(localStorage, open).take('alice');
  const next = new EarlyDatabase(localStorage, open);
  expect(next.take('bob')).toBeUndefined();
  await vi.waitFor(() => expect(closed).toEqual(['alice']));
});

test('After a sign-out nothing is opened early', async () => {
  const page = new EarlyDatabase(localStorage, open);
  void page.take('alice');
  const visit = new EarlyDatabase(localStorage, open);
  visit.drop();
  await vi.waitFor(() => expect(closed).toEqual(['alice']));
  new EarlyDatabase(localStorage, open);
  expect(opened).toEqual(['alice']);
});

test('Without a storage nothing is opened early', () => {
  expect(new EarlyDatabase(undefined, open).take('alice')).toBeUndefined();
});
