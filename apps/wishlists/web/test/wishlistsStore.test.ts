import type { RefusedDocument } from '@dunlin/client/rxdb';
import { createRxDatabase } from 'rxdb/plugins/core';
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { json } from '../../../../clients/typescript/test/support/fakeServer';
import { until } from '../../../../test/support/until';
import { itemSchema, type Item, type Wishlist } from '../src/api/documents';
import { WishlistsStore } from '../src/state/wishlistsStore';
import { FakeWishlists } from './fakeWishlists';

let users = 0;
let userId: string;
let server: FakeWishlists;
let storage: ReturnType<typeof getRxStorageMemory>;
let opened: WishlistsStore[];
let refused: RefusedDocument[];
let signedOut: string[];

async function open(user = userId): Promise<WishlistsStore> {
  const store = await WishlistsStore.open({
    user: { userId: user, name: user, roles: [] },
    refresh: () => Promise.resolve(false),
    onSignedOut: () => signedOut.push(user),
    onRefused: (documents) => refused.push(...documents),
    environment: server.environment(),
    storage,
  });
  opened.push(store);
  return store;
}

async function openSynced(): Promise<WishlistsStore> {
  const store = await open();
  await synced(store);
  await until('a live stream', () => store.connection.state.name === 'live');
  return store;
}

async function close(store: WishlistsStore): Promise<void> {
  opened = opened.filter((each) => each !== store);
  await store.dispose();
}

const stamps = { created_at: '2030-01-01T00:00:00Z', updated_at: '2030-01-01T00:00:00Z' };
const wishlist = (id: string, name: string): Wishlist => ({
  id,
  name,
  owner_id: 'bob',
  owner_name: 'Bob',
  members: [],
  ...stamps,
});
const item = (id: string, title: string): Item => ({
  id,
  wishlist_id: 'w',
  title,
  description: 'blue',
  quantity: 3,
  status: 'manual',
  title_edited: false,
  ...stamps,
});

const synced = (store: WishlistsStore) => until('synced', () => store.sync.get().name === 'synced');
const names = (store: WishlistsStore) => store.lists.value?.map(({ name }) => name);
const shown = (store: WishlistsStore, ...expected: string[]) =>
  until(`lists ${expected.join()}`, () => names(store)?.join() === expected.join());
const titled = (store: WishlistsStore, ...expected: string[]) =>
  until(
    `items ${expected.join()}`,
    () => store.items.value.map(({ title }) => title).join() === expected.join(),
  );
const promised = (store: WishlistsStore, ...expected: number[]) =>
  until(
    `marks ${expected.join()}`,
    () => store.marks.value.map(({ quantity }) => quantity).join() === expected.join(),
  );

beforeEach(() => {
  userId = `user${++users}`;
  server = new FakeWishlists();
  storage = getRxStorageMemory();
  [opened, refused, signedOut] = [[], [], []];
});

afterEach(async () => {
  for (const store of opened) await store.dispose();
});

describe('Loading', () => {
  test('shows the lists and items of the server', async () => {
    server.write('wishlists', wishlist('w', 'Birthday'));
    server.write('items', item('i', 'Kite'));
    const store = await openSynced();
    await shown(store, 'Birthday');
    await titled(store, 'Kite');
  });

  test('tells an empty list from one that was not read yet', async () => {
    const store = await open();
    await until('the lists', () => store.lists.value !== undefined);
    expect(store.lists.value).toEqual([]);
  });

  test('is repeated when the server could not be reached', async () => {
    server.isReachable = false;
    server.write('wishlists', wishlist('w', 'Birthday'));
    const store = await open();
    await until('offline', () => store.sync.get().name === 'offline');
    server.isReachable = true;
    await shown(store, 'Birthday');
    await synced(store);
  });

  test('is repeated when the server failed', async () => {
    server.override = () => json(500, { code: 'unexpected', title: 'Something failed.' });
    server.write('wishlists', wishlist('w', 'Birthday'));
    const store = await open();
    await until('the error', () => store.sync.get().name === 'error');
    server.override = undefined;
    await shown(store, 'Birthday');
    await synced(store);
  });

  test('says that it fails, and that nothing is there only when it has ended', async () => {
    server.override = () => json(500, { code: 'unexpected', title: 'Something failed.' });
    const store = await open();
    expect(store.loading.value).toBe('loading');
    await until('the failure', () => store.loading.value === 'failed');
    server.override = undefined;
    store.sync.pull();
    await until('the end', () => store.loading.value === 'loaded');
    expect(store.lists.value).toEqual([]);
  });

  test('that hangs ends at its time limit, and can be repeated', async () => {
    server.hangs = true;
    server.write('wishlists', wishlist('w', 'Birthday'));
    const store = await open();
    expect(store.loading.value).toBe('loading');
    await until('the limit', () => store.loading.value === 'offline');
    server.hangs = false;
    store.sync.pull();
    await shown(store, 'Birthday');
    await until('the end', () => store.loading.value === 'loaded');
  });

  test('that ended once is remembered for the next visit of its user only', async () => {
    const kept = new Map<string, string>();
    server.storage = {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => kept.set(key, value),
    };
    await close(await openSynced());
    server.isReachable = false;
    expect((await open()).loading.value).toBe('loaded');
    expect((await open(`${userId}-next`)).loading.value).toBe('loading');
  });

  test('is repeated after a hint', async () => {
    const store = await openSynced();
    server.write('wishlists', wishlist('w', 'Birthday'));
    server.hint('wishlists');
    await shown(store, 'Birthday');
  });
});

describe('A change', () => {
  test('is shown at once, counted as pending and sent when the server is back', async () => {
    const store = await openSynced();
    server.isReachable = false;
    const id = await store.addList('Birthday');
    await shown(store, 'Birthday');
    await until('one pending', () => store.sync.get().pending === 1);
    await store.changeList(id, { description: 'in May' });
    server.isReachable = true;
    await until('nothing pending', () => store.sync.get().pending === 0);
    expect(server.read('wishlists', id)).toMatchObject({
      name: 'Birthday',
      description: 'in May',
      owner_id: userId,
    });
  });

  test('of a list deletes it here and on the server', async () => {
    server.write('wishlists', wishlist('w', 'Birthday'));
    const store = await openSynced();
    await shown(store, 'Birthday');
    await store.deleteList('w');
    await shown(store);
    await until('the deletion', () => server.read('wishlists', 'w')?._deleted);
  });

  test('that the server refuses is undone and reported with what was typed', async () => {
    server.write('wishlists', wishlist('w', 'Birthday'));
    const store = await openSynced();
    server.refuse = () => 'forbidden';
    await store.changeList('w', { name: 'Mine' });
    await until('the refusal', () => refused.length === 1);
    expect(refused[0]).toMatchObject({ collection: 'wishlists', id: 'w', code: 'forbidden' });
    expect(refused[0]!.document).toMatchObject({ name: 'Mine' });
    await shown(store, 'Birthday');
    await until('nothing pending', () => store.sync.get().pending === 0);
  });

  test('that adds what the server refuses is taken back', async () => {
    const store = await openSynced();
    server.refuse = () => 'limit_reached';
    await store.addList('One too many');
    await until('the refusal', () => refused.length === 1);
    await shown(store);
  });
});

describe('A refused document', () => {
  test('is known as taken back when this tab had inserted it', async () => {
    const store = await openSynced();
    server.refuse = () => 'too_large';
    await store.addList('One too many');
    await until('the refusal', () => refused.length === 1);
    expect(await store.wasTakenBack(refused[0]!)).toBe(true);
  });

  test('is known to stay when it was changed', async () => {
    const store = await openSynced();
    const id = await store.addList('Birthday');
    await until('the list', () => server.read('wishlists', id));
    await synced(store);
    server.refuse = () => 'invalid_field';
    await store.changeList(id, { name: 'Name day' });
    await until('the refusal', () => refused.length === 1);
    expect(await store.wasTakenBack(refused[0]!)).toBe(false);
    await shown(store, 'Birthday');
  });
});

describe('An item', () => {
  test('with an address waits for its page, and one without does not', async () => {
    const store = await openSynced();
    const page = await store.addItem('w', { title: 'Kite', source_url: 'https://shop.test/kite' });
    const plain = await store.addItem('w', { title: 'Socks', quantity: 2 });
    await until('both items', () => server.taken.length === 2);
    expect(server.read('items', page)).toMatchObject({ status: 'pending', quantity: 1 });
    expect(server.read('items', plain)).toMatchObject({ status: 'manual', quantity: 2 });
    expect(server.read('items', plain)).not.toHaveProperty('source_url');
  });

  test('loses a field that is set to undefined', async () => {
    server.write('items', item('i', 'Kite'));
    const store = await openSynced();
    await store.changeItem('i', { title: 'Red kite', description: undefined });
    await until('the change', () => server.taken.length === 1);
    expect(server.read('items', 'i')).toMatchObject({ title: 'Red kite', quantity: 3 });
    expect(server.read('items', 'i')).not.toHaveProperty('description');
  });

  test('that was deleted can be brought back', async () => {
    server.write('items', item('i', 'Kite'));
    const store = await openSynced();
    await titled(store, 'Kite');
    const [before] = store.items.value;
    await store.deleteItem('i');
    await titled(store);
    await until('the deletion', () => server.read('items', 'i')?._deleted);
    await store.restoreItem(before!);
    await titled(store, 'Kite');
    await until('the item', () => server.read('items', 'i')?._deleted !== true);
  });

  test('has one mark of a user, which changes and goes', async () => {
    const store = await openSynced();
    const wish = item('i', 'Kite');
    await store.mark(wish, 2);
    await promised(store, 2);
    await store.mark(wish, 1);
    await promised(store, 1);
    await until('the mark', () => server.read('marks', `i~${userId}`));
    await store.mark(wish, 0);
    await promised(store);
    await until('the deletion', () => server.read('marks', `i~${userId}`)?._deleted);
  });
});

test('Joining a list pulls it', async () => {
  const store = await openSynced();
  server.write('wishlists', wishlist('joined', 'Of a friend'));
  expect(await store.join('token')).toBe('joined');
  await shown(store, 'Of a friend');
  expect(server.joined).toEqual(['token']);
});

describe('The end of a session', () => {
  test.each([
    ['that was signed out', 401, 'sign_in_required'],
    ['of which the user has changed', 409, 'user_changed'],
  ])('%s is reported and keeps what was not sent', async (_, status, code) => {
    const store = await openSynced();
    server.override = () => json(status, { code, title: code });
    await store.addList('Birthday');
    await until('the end', () => signedOut.length > 0);
    expect(new Set(signedOut)).toEqual(new Set([userId]));
    await until('signed out', () => store.sync.get().name === 'signedOut');
    expect([names(store), refused]).toEqual([['Birthday'], []]);
  });

  test('shows nothing of one user to the next', async () => {
    server.isReachable = false;
    const before = await open();
    await before.addList('Secret');
    await close(before);
    server.isReachable = true;
    const next = await open(`${userId}-next`);
    await synced(next);
    expect([names(next), server.taken]).toEqual([[], []]);
  });
});

describe('Closing', () => {
  test('sends nothing more', async () => {
    const store = await openSynced();
    await close(store);
    const { requests } = server;
    server.hint('wishlists');
    expect([server.requests, store.connection.state.name]).toEqual([requests, 'closed']);
    await expect(store.addList('Too late')).rejects.toThrow();
  });

  test('keeps what was not sent for the next visit, which sends it', async () => {
    server.isReachable = false;
    const first = await open();
    const id = await first.addList('Birthday');
    await close(first);
    const second = await open();
    await shown(second, 'Birthday');
    server.isReachable = true;
    await until('the list', () => server.read('wishlists', id));
    await synced(second);
  });
});

test('A database of the former schema is migrated with its unsent changes', async () => {
  const { price_edited, image_edited, priority, order, ...properties } = itemSchema.properties;
  expect([price_edited, image_edited, priority, order].every(Boolean)).toBe(true);
  const database = await createRxDatabase({ name: `wishlists-${userId}`, storage });
  await database.addCollections({
    items: { schema: { ...itemSchema, version: 0, properties } as typeof itemSchema },
  });
  await database.collections['items']!.insert({ ...item('i', 'Kite'), price: 12.5, currency: 'EUR' });
  await database.close();

  const store = await openSynced();
  await titled(store, 'Kite');
  await until('the item on the server', () => server.read('items', 'i'));
  expect(store.items.value[0]).toMatchObject({ price: 12.5, currency: 'EUR' });
  await store.changeItem('i', { priority: 'high', order: 'V' });
  await until('the change', () => server.taken.length === 2);
  expect(server.read('items', 'i')).toMatchObject({ title: 'Kite', priority: 'high', order: 'V' });
});
