import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory';
import { Faults } from '../support/faults';
import { until } from '../support/until';
import { Device, type DeviceOptions } from './support/device';
import { Shelves } from './support/shelves';

let server: Shelves;
let faults: Faults;
const devices: Device[] = [];

async function open(user: string, options: Partial<DeviceOptions> = {}): Promise<Device> {
  const device = await Device.open({ address: faults.address, user, ...options });
  devices.push(device);
  return device;
}

/** Opens a device with a shelf that contains a thing. */
async function stocked(user: string, options: Partial<DeviceOptions> = {}): Promise<Device> {
  const device = await open(user, options);
  await device.shelves.insert({ id: user, name: user });
  await device.settled();
  await device.things.insert({ id: `${user}-0`, shelf: user, text: 'first' });
  await device.settled();
  return device;
}

const name = (device: Device) => device.sync.get().name;

beforeAll(async () => {
  server = await new Shelves().start();
});
afterAll(() => server.dispose());
beforeEach(async () => {
  faults = await new Faults(server).start();
});
afterEach(async () => {
  await Promise.all(devices.splice(0).map((device) => device.close()));
  await faults.stop();
});

test('offline state and pending count are displayed until all is sent', async () => {
  const device = await stocked('ann');
  device.goOffline();
  expect(name(device)).toBe('offline');
  for (let i = 1; i <= 3; i++) await device.things.insert({ id: `ann-${i}`, shelf: 'ann', text: `${i}` });
  await device.edit('ann-0', { text: 'changed' });
  await until('four that wait', () => device.sync.get().pending === 4);
  device.goOnline();
  await device.settled();
  expect(device.sync.get()).toEqual({ name: 'synced', pending: 0, problem: undefined });
});

test('pending changes are counted after an offline reload', async () => {
  const storage = getRxStorageMemory();
  const first = await stocked('bea', { storage, database: 'bea' });
  first.goOffline();
  await first.things.insert({ id: 'bea-1', shelf: 'bea', text: 'made offline' });
  await until('one that waits', () => first.sync.get().pending === 1);
  await first.sync.dispose();
  // The same data under a new replication, as after a reload.
  first.start();
  await until('one that waits, again', () => first.sync.get().pending === 1);
  expect(name(first)).toBe('offline');
  first.goOnline();
  await first.settled();
  expect((await server.truth('bea', 'things')).size).toBe(2);
});

test('a server fault is displayed until the server answers', async () => {
  const device = await stocked('cat');
  faults.decide = (_, url) => (url.includes('/push/') ? 503 : undefined);
  await device.edit('cat-0', { text: 'changed' });
  await until('the error', () => name(device) === 'error');
  expect(device.sync.get()).toMatchObject({ pending: 1, problem: { kind: 'busy', status: 503 } });
  faults.decide = () => undefined;
  await device.settled();
});

test('a finally refused push is repeated only on request', async () => {
  const device = await stocked('flo');
  let pushes = 0;
  faults.decide = (_, url) => (url.includes('/push/') ? (pushes++, 403) : undefined);
  device.waits.length = 0;
  await device.edit('flo-0', { text: 'changed' });
  await until('the error', () => name(device) === 'error');
  expect(device.sync.get()).toMatchObject({ pending: 1, problem: { kind: 'forbidden' } });
  // Retry delays are 400 ms and more; no other timers have these lengths.
  expect(device.waits.filter((milliseconds) => milliseconds >= 400 && milliseconds <= 1000)).toEqual([]);
  faults.decide = () => undefined;
  device.sync.pull();
  await device.settled();
  expect(pushes).toBe(1);
});

test('polling works with a blocked stream', async () => {
  faults.decide = (path) => (path === 'stream' ? 503 : undefined);
  // Tests polling, with a shorter interval than in a browser.
  const [a, b] = [await stocked('dan', { pollMs: 300 }), await open('dan', { pollMs: 300 })];
  await until('the thing', async () => await b.get('dan-0'));
  await a.edit('dan-0', { text: 'changed' });
  await until('the change', async () => (await b.get('dan-0')).text === 'changed');
  expect(b.connection!.isConnected()).toBe(false);
});

test('with the stream changes arrive without polling', async () => {
  const [a, b] = [await stocked('eva', { pollMs: 3_600_000 }), await open('eva', { pollMs: 3_600_000 })];
  await until('both live', () => a.connection!.isConnected() && b.connection!.isConnected());
  await a.edit('eva-0', { text: 'changed' });
  await until('the change', async () => (await b.get('eva-0'))?.text === 'changed');
});

test('an outdated page is reported, keeps its changes and stops polling', async () => {
  await stocked('fay');
  const old = await open('fay', { schemaVersion: 0 });
  await old.things.insert({ id: 'fay-1', shelf: 'fay', text: 'from an old page' });
  await until('being told', () => name(old) === 'outdated');
  expect(old.sync.get().problem).toMatchObject({ code: 'schema_outdated', status: 426 });
  await until('what waits', () => old.sync.get().pending === 1);
  const asked = old.pulls.count + old.pushed.length;
  old.sync.pull();
  old.sync.pull();
  await until('RxDB at rest', () => old.sync.of('shelves').internalReplicationState !== undefined);
  expect(old.pulls.count + old.pushed.length).toBe(asked);
});

test('a session end is displayed, pending changes are sent after a sign-in', async () => {
  let token = 'gus';
  const device = await stocked('gus', { token: () => token });
  token = 'stale';
  await device.edit('gus-0', { text: 'while signed out' });
  await until('being signed out', () => name(device) === 'signedOut');
  await until('what waits', () => device.sync.get().pending === 1);
  token = 'gus';
  device.sync.resume();
  await device.settled();
  expect((await server.truth('gus', 'things')).get('gus-0').text).toBe('while signed out');
});

test('a device away past deletion retention resyncs and keeps its changes', async () => {
  const [a, b] = [await stocked('hal'), await open('hal')];
  for (let i = 1; i <= 4; i++) await a.things.insert({ id: `hal-${i}`, shelf: 'hal', text: `${i}` });
  await until('all five', async () => (await b.all()).size === 5);
  await b.settled();
  b.goOffline();
  await b.things.insert({ id: 'hal-own', shelf: 'hal', text: 'made while away' });
  await b.edit('hal-2', { text: 'edited while away' });
  await b.edit('hal-3', { text: 'edited while away, and deleted by another' });
  await a.remove('hal-1');
  await a.remove('hal-3');
  await a.settled();
  await server.forget();
  b.goOnline();
  await until('as the server has it', async () => {
    const [mine, truth] = [await b.all(), await server.truth('hal', 'things')];
    expect(Object.fromEntries(mine)).toEqual(Object.fromEntries(truth));
    return true;
  });
  expect([...(await b.all()).keys()].sort()).toEqual(['hal-0', 'hal-2', 'hal-4', 'hal-own']);
  expect((await b.get('hal-2')).text).toBe('edited while away');
  await b.settled();
});

test('a first pull overlapping a push is repeated, drops deleted documents', async () => {
  const other = await stocked('joe');
  const device = await Device.closed({ address: faults.address, user: 'joe' });
  devices.push(device);
  await device.things.insert({ id: 'joe-1', shelf: 'joe', text: 'made before the first pull' });
  let pushed!: () => void;
  const isPushed = new Promise<void>((resolve) => (pushed = resolve));
  let pulls = 0;
  faults.decide = async (path, url) => {
    if (path !== 'things') return;
    if (url.includes('/push/')) return pushed();
    pulls++;
    if (pulls === 1) await isPushed;
    if (pulls !== 2) return;
    const thing = (await server.truth('joe', 'things')).get('joe-0');
    await server.push('joe', 'things', [
      { newDocumentState: { ...thing, _deleted: true }, assumedMasterState: { ...thing, _deleted: false } },
    ]);
  };
  other.goOffline();
  device.start();
  await until('what was deleted gone', async () => pulls > 1 && !(await device.get('joe-0')));
  await device.settled();
  expect([...(await device.all()).keys()]).toEqual(['joe-1']);
  expect((await device.get('joe-1')).by).toBe('joe');
});

test('a pull that overlaps the push of its result is repeated', async () => {
  const device = await stocked('kim');
  device.goOffline();
  await device.sync.dispose();
  await device.edit('kim-0', { text: '  changed  ' });
  device.goOnline();
  // Push and pull start together: the push succeeds and its answer is lost. The pull returns its result, which RxDB skips because the push
  // is not confirmed yet.
  let pushes = 0;
  const stats = () => (device.sync.of('things').internalReplicationState as any).stats.down;
  faults.decide = async (path, url) => {
    if (path !== 'things') return;
    if (url.includes('/push/')) {
      if (++pushes === 1) return 'cutAfter';
      if (pushes === 2) await until('the pull', () => stats().persistFromMaster > 0);
    } else await until('the push', async () => (await server.truth('kim', 'things')).get('kim-0').rev === 2);
  };
  device.start();
  await until('what the server has', async () => (await device.get('kim-0')).rev === 2);
  await device.settled();
  expect(await device.get('kim-0')).toMatchObject({ text: 'changed', rev: 2 });
  expect(device.conflicts).toBe(0);
});

test('a document deleted during a waiting push is not restored', async () => {
  const device = await stocked('lea', { batchSize: 5 });
  const ids = [0, 1, 2, 3, 4, 5].map((i) => `lea-${i}`);
  for (const id of ids.slice(1)) await device.things.insert({ id, shelf: 'lea', text: 'first' });
  await device.settled();
  device.goOffline();
  await device.sync.dispose();
  for (const id of ids.slice(0, 5)) await device.edit(id, { text: 'changed' });
  // Looks changed to RxDB, but equals the server's state.
  await device.edit('lea-5', { text: 'changed' });
  await device.edit('lea-5', { text: 'first' });
  const thing = (await server.truth('lea', 'things')).get('lea-5');
  await server.push('lea', 'things', [
    { newDocumentState: { ...thing, _deleted: true }, assumedMasterState: { ...thing, _deleted: false } },
  ]);
  device.goOnline();
  // Holds the first five until the deletion of the sixth has arrived, which was already read behind them.
  const gone = async () => !(await device.get('lea-5'));
  faults.decide = (_, url) => (url.includes('/push/things') ? until('the deletion', gone) : undefined);
  const sent = device.pushesOf('lea-5');
  device.start();
  await until('the deletion', gone);
  await device.settled();
  expect(device.pushesOf('lea-5') - sent).toBe(0);
  expect([...(await server.truth('lea', 'things')).keys()].sort()).toEqual(ids.slice(0, 5));
  expect((await device.all()).size).toBe(5);
});

test('a device follows a server whose data was lost', async () => {
  const device = await stocked('ida');
  await server.reset();
  device.sync.pull();
  await until(
    'nothing here',
    async () => (await device.all()).size === 0 && (await device.all('shelves')).size === 0,
  );
  await device.shelves.insert({ id: 'ida-again', name: 'again' });
  await until('the new one', async () => (await server.truth('ida', 'shelves')).has('ida-again'));
  await device.settled();
});
