import { describe, expect, test } from 'vitest';
import { Client } from '../src/client';
import { OwnConnection } from '../src/connection/connection';
import { englishStatusWords, statusWord, type StatusWords } from '../src/connection/words';
import { INITIAL_STATE } from '../src/connection/state';
import { SharedConnection } from '../src/tabs/sharedConnection';
import { settle } from './support/clock';
import { FakeBrowser } from './support/fakeBrowser';
import { FakeCombined } from './support/fakeCombined';
import { FakeEnvironment } from './support/fakeEnvironment';
import { FakeJournal } from './support/fakeJournal';
import { FakeStreams, json } from './support/fakeServer';

describe('A client', () => {
  test('requests topics from the engine and paths from the application', async () => {
    const environment = new FakeEnvironment();
    const streams = new FakeStreams();
    environment.fetchWith = streams.fetch;
    const client = new Client({ environment, base: 'http://server.test/' });
    client.connection({ topics: ['branches/1', 'a b'] }).connect();
    client.connection({ path: '/api/sse?branchId=1', format: 'typed' }).connect();
    await settle();
    expect(streams.requests.map(({ url }) => url.href)).toEqual([
      `http://server.test/dunlin/v1/events?topic=branches%2F1&topic=a%20b&device=${client.deviceId}`,
      'http://server.test/api/sse?branchId=1',
    ]);
  });

  test('uses separate streams for conflation and presence', async () => {
    const browser = new FakeBrowser();
    const tab = browser.open();
    const streams = new FakeStreams();
    tab.fetchWith = streams.fetch;
    const client = new Client({ environment: tab, user: 'ann', combine: false });
    for (const more of [{}, { conflated: true }, { conflated: true, present: true }])
      client.connection({ topics: ['a'], ...more }).connect();
    await browser.clock.advance(100);
    const device = `/dunlin/v1/events?topic=a&device=${client.deviceId}`;
    expect(streams.requests.map(({ url }) => url.pathname + url.search).sort()).toEqual([
      device,
      `${device}&conflate=true`,
      `${device}&presence=true&conflate=true`,
    ]);
  });

  test('shares a stream between tabs only with a user and BroadcastChannel', () => {
    const browser = new FakeBrowser();
    const kind = (environment: FakeEnvironment, user?: string, share?: boolean) =>
      new Client({ environment, user }).connection({ topics: ['a'], share });
    expect(kind(browser.open(), 'ann')).toBeInstanceOf(SharedConnection);
    expect(kind(browser.open())).toBeInstanceOf(OwnConnection);
    expect(kind(browser.open(), 'ann', false)).toBeInstanceOf(OwnConnection);
    expect(kind(new FakeEnvironment(), 'ann')).toBeInstanceOf(OwnConnection);
  });

  test('combines all streams of a user across clients unless disabled', async () => {
    const browser = new FakeBrowser();
    const [tab, other] = [browser.open(), browser.open()];
    const journal = new FakeJournal();
    const server = new FakeCombined(journal);
    for (const each of [tab, other]) server.serve(each);
    const client = new Client({ environment: tab, user: 'ann' });
    const connections = [
      { topics: ['a'] },
      { topics: ['a'], conflated: true },
      { path: '/stream?topic=b' },
      { path: '/stream?topic=c', share: false },
    ].map((options) => client.connection(options));
    for (const connection of connections) connection.connect();
    new Client({ environment: other, user: 'ann' }).connection({ topics: ['d'] }).connect();
    await browser.clock.advance(200);
    expect(connections.map(({ state }) => state.name)).toEqual(['live', 'live', 'live', 'live']);
    expect(server.open.map(({ streams }) => streams.size)).toEqual([4]);
    expect(journal.readers.map(({ topics }) => topics.join())).toEqual(
      expect.arrayContaining(['a', 'b', 'c', 'a,d']),
    );
    client.dispose();
    await browser.clock.advance(200);
    expect(server.open.map(({ streams }) => streams.size)).toEqual([1]);
    const alone = new Client({ environment: tab, user: 'ann', combine: false });
    alone.connection({ path: '/stream?topic=b' }).connect();
    await browser.clock.advance(200);
    expect(server.open.map(({ streams }) => streams.size)).toEqual([1]);
    expect(journal.readers).toHaveLength(2);
  });

  test.each([true, false])('takes 64 topics of 200 characters, shared: %s', async (share) => {
    const browser = new FakeBrowser();
    const journal = new FakeJournal();
    const server = new FakeCombined(journal);
    const topics = Array.from({ length: 64 }, (_, index) => `${index}/`.padEnd(200, '@'));
    const live: string[] = [];
    for (const part of [topics.slice(0, 32), topics.slice(32)]) {
      const tab = browser.open();
      server.serve(tab);
      const connection = new Client({ environment: tab, user: 'ann' }).connection({ topics: part, share });
      connection.onState(({ name }) => live.push(name));
      connection.connect();
      await browser.clock.advance(200);
    }
    expect(live.filter((name) => name === 'closed')).toEqual([]);
    const carried = journal.readers.flatMap((reader) => reader.topics);
    expect(carried.sort()).toEqual([...topics].sort());
    expect(server.open).toHaveLength(1);
  });

  test('sends topics that exceed a URL in a form, without a shared stream', async () => {
    const environment = new FakeEnvironment();
    const streams = new FakeStreams();
    const sent: RequestInit[] = [];
    environment.fetchWith = (url, init) => {
      sent.push(init);
      return streams.fetch(url, init);
    };
    const client = new Client({ environment, base: 'http://server.test' });
    const topics = Array.from({ length: 64 }, (_, index) => `${index}/`.padEnd(200, '@'));
    client.connection({ topics, conflated: true }).connect();
    const few = client.connection({ topics: topics.slice(0, 2) });
    few.connect();
    await settle();
    expect(streams.requests.map(({ url }) => url.pathname)).toEqual([
      '/dunlin/v1/events/subscribe',
      '/dunlin/v1/events',
    ]);
    expect(sent[0]).toMatchObject({
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'Dunlin-Device': client.deviceId },
    });
    expect(new URLSearchParams(sent[0]!.body as string).getAll('topic')).toEqual(topics);
    expect(streams.requests[0]!.url.search).toBe(`?device=${client.deviceId}&conflate=true`);
    expect(sent[1]!.method).toBeUndefined();
    expect(few.state.name).toBe('connecting');
  });

  test('keeps an unshared hidden stream only while a lease is held or awaited', async () => {
    const environment = new FakeEnvironment();
    const streams = new FakeStreams();
    environment.fetchWith = (url, init) => {
      if (url === '/stream') return streams.fetch(url, init);
      return Promise.resolve(json(200, { leaseId: 'x', fence: 1, seconds: 3600 }));
    };
    const client = new Client({ environment, user: 'ann' });
    const connection = client.connection({ path: '/stream' });
    connection.connect();
    await settle();
    const result = await client.leases().tryAcquire('a', { seconds: 3600 });
    environment.signal('hidden');
    await environment.clock.advance(60_000);
    expect(connection.isConnected()).toBe(true);
    if (result.status === 'acquired') await result.lease.release();
    await environment.clock.advance(10_000);
    expect(streams.last.isClosed).toBe(true);
    expect(connection.state).toMatchObject({ name: 'closed', suspended: true });
    environment.signal('visible');
    await settle();
    expect(connection.isConnected()).toBe(true);
  });

  test('never shares a stream between two users of one browser', async () => {
    const browser = new FakeBrowser();
    const opened: string[] = [];
    for (const user of ['ann', 'bob', 'ann']) {
      const tab = browser.open();
      const streams = new FakeStreams();
      streams.onOpen = () => opened.push(user);
      tab.fetchWith = streams.fetch;
      new Client({ environment: tab, user }).connection({ path: '/stream' }).connect();
      await browser.clock.advance(100);
    }
    expect(opened).toEqual(['ann', 'bob']);
  });

  test('names its connection in requests and stops when the session ended', async () => {
    const environment = new FakeEnvironment();
    const streams = new FakeStreams();
    environment.fetchWith = streams.fetch;
    const client = new Client({ environment });
    const connection = client.connection({ path: '/stream' });
    connection.connect();
    await settle();
    streams.plan(() => json(200, { positions: ['e-1'] }));
    expect(await client.publish('a', 'changed', {})).toEqual({ positions: ['e-1'] });
    expect(streams.requests[1]!.headers.get('Dunlin-Connection')).toBe('connection-1');
    streams.plan(() => json(401, {}));
    await expect(client.publish('a', 'changed', {})).rejects.toMatchObject({ kind: 'signedOut' });
    expect(connection.state.name).toBe('signedOut');
    expect(streams.last.isClosed).toBe(true);
  });

  test('releases disposed connections, leases and stores', async () => {
    const browser = new FakeBrowser();
    const tab = browser.open();
    const streams = new FakeStreams();
    tab.fetchWith = streams.fetch;
    const client = new Client({ environment: tab, user: 'ann', combine: false });
    const leases = client.leases();
    const store = client.store<{ id: number }>({ save: async () => {} });
    const resumed: string[] = [];
    store.resume = () => void resumed.push('store');
    leases.check = () => void resumed.push('leases');
    const gone = [
      client.connection({ path: '/stream-a', share: false }),
      client.connection({ path: '/stream-b' }),
    ];
    for (const each of [leases, store, ...gone]) each.dispose();
    const kept = client.connection({ path: '/stream-c', share: false });
    kept.connect();
    await settle();
    expect(kept.state.name).toBe('live');
    expect(resumed).toEqual([]);
    client.signOut();
    expect([kept, ...gone].map(({ state }) => state.name)).toEqual(['signedOut', 'closed', 'closed']);
  });
});

describe('After a reconnect', () => {
  test('leases are renewed with the new connection and unsaved edits are saved', async () => {
    const environment = new FakeEnvironment();
    const streams = new FakeStreams();
    const sent: [string, string | null][] = [];
    let isDown = false;
    environment.fetchWith = async (url, init) => {
      if (url === '/stream') return streams.fetch(url, init);
      sent.push([`${init.method} ${url}`, new Headers(init.headers).get('Dunlin-Connection')]);
      if (isDown) throw new TypeError('fetch failed');
      return json(200, { leaseId: 'x', fence: 1, seconds: 30 });
    };
    const client = new Client({ environment });
    const connection = client.connection({ path: '/stream' });
    connection.connect();
    await settle();
    await client.leases().tryAcquire('a');
    const store = client.store<{ id: number; version: number; name: string }>({
      save: async (id, body) => void (await client.requests.send('PATCH', `/items/${id}`, { body })),
    });
    isDown = true;
    void store.edit('1', { name: 'x' }, { immediate: true });
    await settle();
    isDown = false;
    sent.length = 0;
    streams.last.break();
    await settle();
    environment.signal('visible');
    await settle();
    expect(sent).toEqual([
      ['POST /dunlin/v1/leases/a/renew', 'connection-2'],
      ['PATCH /items/1', 'connection-2'],
    ]);
    expect(store.get().unsaved.size).toBe(0);
  });
});

describe('Status words', () => {
  test('every state has a text, and a translation replaces them', () => {
    expect(statusWord(INITIAL_STATE)).toBe('Disconnected');
    const russian: StatusWords = { ...englishStatusWords, closed: 'Отключено' };
    expect(statusWord(INITIAL_STATE, russian)).toBe('Отключено');
  });
});
