import { describe, expect, test } from 'vitest';
import { Client } from '../src/client';
import { OwnConnection } from '../src/connection/connection';
import { englishStatusWords, statusWord, type StatusWords } from '../src/connection/words';
import { INITIAL_STATE } from '../src/connection/state';
import { SharedConnection } from '../src/tabs/sharedConnection';
import { settle } from './support/clock';
import { FakeBrowser } from './support/fakeBrowser';
import { FakeEnvironment } from './support/fakeEnvironment';
import { FakeStreams, json } from './support/fakeServer';

describe('A client', () => {
  test('asks the engine for its topics, and the application for its path', async () => {
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

  test('asks for states, and for being seen, by streams of their own', async () => {
    const browser = new FakeBrowser();
    const tab = browser.open();
    const streams = new FakeStreams();
    tab.fetchWith = streams.fetch;
    const client = new Client({ environment: tab, user: 'ann' });
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

  test('shares a stream between tabs when it knows the user and the browser can, and otherwise not', () => {
    const browser = new FakeBrowser();
    const kind = (environment: FakeEnvironment, user?: string, share?: boolean) =>
      new Client({ environment, user }).connection({ topics: ['a'], share });
    expect(kind(browser.open(), 'ann')).toBeInstanceOf(SharedConnection);
    expect(kind(browser.open())).toBeInstanceOf(OwnConnection);
    expect(kind(browser.open(), 'ann', false)).toBeInstanceOf(OwnConnection);
    expect(kind(new FakeEnvironment(), 'ann')).toBeInstanceOf(OwnConnection);
  });

  test('Two users of one browser never share a stream', async () => {
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

  test('names the open connection in its requests, and stops everything when a request finds the session gone', async () => {
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

  test('forgets what is disposed of: neither sign-out nor a connection that is back reaches it any more', async () => {
    const browser = new FakeBrowser();
    const tab = browser.open();
    const streams = new FakeStreams();
    tab.fetchWith = streams.fetch;
    const client = new Client({ environment: tab, user: 'ann' });
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

describe('When the connection is back', () => {
  test('leases are renewed, naming the new connection, and unsaved edits are saved', async () => {
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
  test('There is a word for every state, and a translation replaces them', () => {
    expect(statusWord(INITIAL_STATE)).toBe('Disconnected');
    const russian: StatusWords = { ...englishStatusWords, closed: 'Отключено' };
    expect(statusWord(INITIAL_STATE, russian)).toBe('Отключено');
  });
});
