import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Faults } from '../support/faults';
import { until } from '../support/until';
import { Device, keepChangedFields, type DeviceOptions } from './support/device';
import { Shelves } from './support/shelves';

let server: Shelves;
let faults: Faults;
const devices: Device[] = [];
let made = 0;

const newId = (what: string) => `${what}${++made}`;

async function open(user: string, options: Partial<DeviceOptions> = {}): Promise<Device> {
  const device = await Device.open({ address: faults.address, user, ...options });
  devices.push(device);
  return device;
}

async function newShelf(device: Device, ...readers: string[]): Promise<string> {
  const id = newId('shelf');
  await device.shelves.insert({ id, name: id });
  await device.settled();
  for (const reader of readers) await server.share(id, reader);
  return id;
}

async function newThing(device: Device, shelf: string, more: object = {}): Promise<string> {
  const id = newId('thing');
  await device.things.insert({ id, shelf, text: id, ...more });
  await device.settled();
  return id;
}

async function seen(device: Device, id: string, text?: string): Promise<void> {
  await until(`${id} ${text ?? 'there'}`, async () => {
    const thing = await device.get(id);
    return thing && (text === undefined || thing.text === text);
  });
}

const gone = (device: Device, id: string) => until(`${id} gone`, async () => !(await device.get(id)));

beforeAll(async () => {
  server = await new Shelves().start();
});
afterAll(() => server.dispose());
beforeEach(async () => {
  faults = await new Faults(server).start();
});
afterEach(async () => {
  const open = devices.splice(0);
  await Promise.all(open.map((device) => device.close()));
  await faults.stop();
  // Errors inside RxDB, such as a document that does not fit its schema, are always reported.
  expect(open.flatMap((device) => device.problems)).toEqual([]);
});

test('250 documents of one transaction arrive in pages of 100', async () => {
  const writer = await open('alice');
  const shelf = await newShelf(writer);
  await server.fill(shelf, `${shelf}-`, 250);
  const reader = await open('alice');
  await until('all 250', async () => (await reader.all()).size >= 250 && (await writer.all()).size >= 250);
  expect(reader.pulls.count).toBeGreaterThanOrEqual(3);
});

test('a count that is a multiple of the page size ends', async () => {
  const writer = await open('bert');
  const shelf = await newShelf(writer);
  await server.fill(shelf, `${shelf}-`, 200);
  const reader = await open('bert');
  await reader.settled();
  expect((await reader.all()).size).toBe(200);
});

test('pages are filled with visible documents, others are never sent', async () => {
  const writer = await open('carla');
  const shelf = await newShelf(writer, 'cecil');
  await server.fill(shelf, `${shelf}-`, 250, 'carla');
  const reader = await open('cecil', { batchSize: 25 });
  await until('all 250 at their reader', async () => (await writer.all()).size === 250);
  await until('125 at the other', async () => (await reader.all()).size === 125);
  await reader.settled();
  expect((await reader.all()).size).toBe(125);
});

test('default handler: the first of two offline edits wins, each pushed once', async () => {
  const [a, b] = [await open('dora'), await open('dora')];
  const id = await newThing(a, await newShelf(a));
  await seen(b, id);
  a.goOffline();
  b.goOffline();
  await a.edit(id, { text: 'from a' });
  await b.edit(id, { text: 'from b' });
  const [pushesA, pushesB] = [a.pushesOf(id), b.pushesOf(id)];
  a.goOnline();
  await a.settled();
  b.goOnline();
  await b.settled();
  for (const device of [a, b]) await seen(device, id, 'from a');
  // RxDB does not push a conflict that it resolved to the server's state.
  expect([a.pushesOf(id) - pushesA, b.pushesOf(id) - pushesB, b.conflicts]).toEqual([1, 1, 1]);
  expect((await server.truth('dora', 'things')).get(id)).toMatchObject({ text: 'from a', rev: 2 });
});

test('two offline edits with kept fields: both survive', async () => {
  const options = { conflicts: keepChangedFields<any>() };
  const [a, b] = [await open('emil', options), await open('emil', options)];
  const id = await newThing(a, await newShelf(a));
  await seen(b, id);
  a.goOffline();
  b.goOffline();
  await a.edit(id, { text: 'new text' });
  await b.edit(id, { count: 7 });
  const before = b.pushesOf(id);
  a.goOnline();
  await a.settled();
  b.goOnline();
  await b.settled();
  for (const device of [a, b])
    await until('both edits', async () => {
      const thing = await device.get(id);
      return thing.text === 'new text' && thing.count === 7;
    });
  expect([b.pushesOf(id) - before, b.conflicts]).toEqual([2, 1]);
});

test('a handler that keeps the local state wins with its second push', async () => {
  const insisting = { ...keepChangedFields<any>(), resolve: async (input: any) => input.newDocumentState };
  const [a, b] = [await open('fred'), await open('fred', { conflicts: insisting })];
  const id = await newThing(a, await newShelf(a));
  await seen(b, id);
  b.goOffline();
  await b.edit(id, { text: 'from b' });
  await a.edit(id, { text: 'from a' });
  await a.settled();
  const before = b.pushesOf(id);
  b.goOnline();
  for (const device of [a, b]) await seen(device, id, 'from b');
  await b.settled();
  expect(b.pushesOf(id) - before).toBe(2);
});

test('server fields cause no conflict between two quick edits', async () => {
  const device = await open('gina');
  const id = await newThing(device, await newShelf(device));
  await device.edit(id, { text: 'one' });
  await device.edit(id, { text: '  two  ' });
  await until('the fields of the server', async () => {
    const thing = await device.get(id);
    return thing.text === 'two' && thing.by === 'gina' && thing.rev >= 2;
  });
  await device.settled();
  expect(device.conflicts).toBe(0);
  const truth = (await server.truth('gina', 'things')).get(id);
  expect(await device.get(id)).toEqual(truth);
});

test('a push with a lost answer is repeated and written once', async () => {
  const device = await open('iris');
  const id = await newThing(device, await newShelf(device));
  let cuts = 0;
  faults.decide = (_, url) => (url.includes('/push/') && cuts++ < 3 ? 'cutAfter' : undefined);
  await device.edit(id, { text: 'once' });
  await until('pushes that were cut', () => cuts > 3);
  await device.settled();
  expect(device.conflicts).toBe(0);
  expect((await server.truth('iris', 'things')).get(id)).toMatchObject({ text: 'once', rev: 2 });
});

test('a write to a locked document is reverted with the holder', async () => {
  const lease = 'lease-of-the-holder';
  const [a, b] = [await open('jane', { leases: () => ['another-lease', lease] }), await open('jack')];
  const shelf = await newShelf(a, 'jack');
  const id = await newThing(a, shelf);
  await seen(b, id);
  await server.lease(id, lease, 'jane');
  await b.edit(id, { text: 'from b' });
  await until('the refusal', () => b.refused.length > 0);
  await b.settled();
  // With the refused content, so that the page can offer it again.
  expect(b.refused).toEqual([
    {
      collection: 'things',
      id,
      code: 'lease_held',
      document: expect.objectContaining({ id, text: 'from b' }),
    },
  ]);
  expect((await b.get(id)).text).toBe(id);
  await a.edit(id, { text: 'from its holder' });
  await seen(b, id, 'from its holder');
  await server.release(id, lease, 'jane');
  await b.edit(id, { text: 'from b at last' });
  await seen(a, id, 'from b at last');
});

test('deletion, repeated deletion and restore converge', async () => {
  const [a, b] = [await open('karl'), await open('karl')];
  const shelf = await newShelf(a);
  const [once, both, back, edited] = [
    await newThing(a, shelf),
    await newThing(a, shelf),
    await newThing(a, shelf),
    await newThing(a, shelf),
  ];
  await seen(b, edited);
  await a.remove(once);
  await gone(b, once);
  a.goOffline();
  b.goOffline();
  await a.remove(both);
  await b.remove(both);
  await a.remove(edited);
  await b.edit(edited, { text: 'too late' });
  await a.remove(back);
  await a.things.insert({ id: back, shelf, text: 'again' });
  a.goOnline();
  await a.settled();
  b.goOnline();
  await b.settled();
  for (const device of [a, b]) {
    await gone(device, both);
    await gone(device, edited);
    await seen(device, back, 'again');
  }
  await b.remove(back);
  await gone(a, back);
  await a.things.insert({ id: back, shelf, text: 'and again' });
  await seen(b, back, 'and again');
});

test('revoked access removes local documents and never changes the originals', async () => {
  const [alice, bob] = [await open('lisa'), await open('luke')];
  const shelf = await newShelf(alice, 'luke');
  const [kept, edited] = [await newThing(alice, shelf), await newThing(alice, shelf)];
  await seen(bob, edited);
  bob.goOffline();
  await bob.edit(edited, { text: 'from one who may no longer' });
  await server.unshare(shelf, 'luke');
  await alice.edit(edited, { text: 'not for luke' });
  await alice.settled();
  bob.goOnline();
  await gone(bob, kept);
  await gone(bob, edited);
  await bob.settled();
  expect((await bob.all('shelves')).size).toBe(0);
  expect((await server.truth('lisa', 'things')).get(kept)).toMatchObject({ text: kept });
  await seen(alice, edited, 'not for luke');
  expect((await alice.all()).size).toBe(2);
  await server.share(shelf, 'luke');
  await seen(bob, edited, 'not for luke');
  await seen(bob, kept);
});

test('nothing is missed while the stream is cut repeatedly', async () => {
  const [writer, reader] = [await open('mona'), await open('mona', { pollMs: 600_000 })];
  const shelf = await newShelf(writer);
  for (let i = 0; i < 60; i++) {
    await writer.things.insert({ id: `${shelf}-${i}`, shelf, text: `${i}` });
    if (i % 7 === 0) reader.cut();
    if (i % 11 === 0) faults.cut();
  }
  await until('all 60', async () => (await reader.all()).size === 60);
});

test('an invalid row is reverted alone', async () => {
  const device = await open('nora');
  const shelf = await newShelf(device);
  const texts = ['a', 'poison', 'b', 'forbidden', 'c', 'x'.repeat(300), 'd'];
  await device.things.bulkInsert(texts.map((text, i) => ({ id: `${shelf}-${i}`, shelf, text })));
  await until('the refusals', () => device.refused.length >= 3);
  await device.settled();
  const expected = [0, 2, 4, 6].map((i) => `${shelf}-${i}`);
  expect([...(await device.all()).keys()].sort()).toEqual(expected);
  expect([...(await server.truth('nora', 'things')).keys()].sort()).toEqual(expected);
  const codes = new Map(device.refused.map(({ id, code }) => [id.split('-').at(-1), code]));
  expect(Object.fromEntries(codes)).toEqual({ 1: 'internal', 3: 'forbidden', 5: 'invalid_field' });
  // Each once: a reverted change is not sent again.
  expect(device.pushed.filter(({ row }) => row.newDocumentState.shelf === shelf).length).toBe(7);
});

test("another user's id cannot be used, and nothing is revealed", async () => {
  const [alice, mallory] = [await open('olga'), await open('mallory')];
  const id = await newThing(alice, await newShelf(alice), { text: 'private' });
  const shelf = await newShelf(mallory);
  await mallory.things.insert({ id, shelf, text: 'taken over' });
  await gone(mallory, id);
  await mallory.settled();
  expect(mallory.refused).toEqual([
    {
      collection: 'things',
      id,
      code: 'forbidden',
      document: expect.objectContaining({ id, shelf, text: 'taken over' }),
    },
  ]);
  expect((await server.truth('olga', 'things')).get(id)).toMatchObject({ text: 'private' });
  expect(
    JSON.stringify(await server.push('mallory', 'things', [{ newDocumentState: { id, shelf, text: 'x' } }])),
  ).not.toContain('private');
});

test('a 401 causes a refresh and the replication continues', async () => {
  let token = 'paul';
  let renewed = 0;
  const device = await open('paul', {
    token: () => token,
    refresh: async () => {
      renewed++;
      token = 'paul';
      return true;
    },
  });
  const shelf = await newShelf(device);
  token = 'stale';
  await device.things.bulkInsert([1, 2, 3].map((i) => ({ id: `${shelf}-${i}`, shelf, text: `${i}` })));
  await device.settled();
  expect(renewed).toBeGreaterThan(0);
  expect((await server.truth('paul', 'things')).size).toBe(3);
});

test('parallel batches of several devices write every document once', async () => {
  const all = [
    await open('quin', { batchSize: 10 }),
    await open('quin', { batchSize: 10 }),
    await open('quin', { batchSize: 10 }),
  ];
  const shelf = await newShelf(all[0]!);
  await Promise.all(
    all.map((device, d) =>
      device.things.bulkInsert(
        Array.from({ length: 95 }, (_, i) => ({ id: `${shelf}-${d}-${i}`, shelf, text: `${i}` })),
      ),
    ),
  );
  for (const device of all) await until('all 285', async () => (await device.all()).size === 285);
  const truth = await server.truth('quin', 'things');
  expect([...truth.values()].every((thing) => thing.rev === 1)).toBe(true);
});
