import { beforeEach, describe, expect, test } from 'vitest';
import { BEAT_MS } from '../../src/tabs/timing';
import { json } from '../support/fakeServer';
import {
  browser,
  journal,
  server,
  open,
  TOPICS,
  settled,
  openEight,
  publishAll,
  expectAllLive,
  setUp,
} from './setup';

beforeEach(setUp);

for (const isSecure of [true, false]) {
  describe(isSecure ? 'With Web Locks' : 'Without Web Locks', () => {
    beforeEach(() => {
      browser.isSecure = isSecure;
    });

    test('Eight tabs of five systems have one response, and each sees its events', async () => {
      const pages = await openEight();
      publishAll();
      await settled();
      expect(server.open).toHaveLength(1);
      expect(server.open[0]!.streams.size).toBe(5);
      expect(pages.filter(({ transport }) => transport.isHolding)).toHaveLength(1);
      expectAllLive(pages);
    });

    test('Tabs that open together have one response too', async () => {
      browser.delay = () => 20;
      const pages = Array.from({ length: 8 }, (_, index) => open(TOPICS[index % 5]!));
      await browser.clock.advance(30_000);
      publishAll();
      await settled();
      expect(server.open).toHaveLength(1);
      expectAllLive(pages);
    });

    test('When the holder closes its tab, the others continue without a gap', async () => {
      const pages = await openEight();
      publishAll();
      await settled();
      const holder = pages.find(({ transport }) => transport.isHolding)!;
      holder.tab.signal('pagehide', { persisted: false });
      publishAll();
      holder.tab.kill();
      await settled();
      publishAll();
      await browser.clock.advance(5_000);
      expect(server.open).toHaveLength(1);
      expectAllLive(pages.filter((page) => page !== holder));
    });

    test('When the holder crashes, the others continue without a gap', async () => {
      const pages = await openEight();
      const holder = pages.find(({ transport }) => transport.isHolding)!;
      holder.tab.kill();
      publishAll();
      await browser.clock.advance(isSecure ? 5_000 : 60_000);
      publishAll();
      await settled();
      expect(server.open).toHaveLength(1);
      expectAllLive(pages.filter((page) => page !== holder));
    });

    test('A holder that sleeps is replaced, and misses nothing when it wakes', async () => {
      const pages = await openEight();
      const holder = pages.find(({ transport }) => transport.isHolding)!;
      holder.tab.sleep();
      publishAll();
      await browser.clock.advance(BEAT_MS * 12);
      expectAllLive(pages.filter((page) => page !== holder && page.topic !== holder.topic));
      holder.tab.wake();
      await browser.clock.advance(60_000);
      publishAll();
      await settled();
      expect(server.open).toHaveLength(1);
      expect(holder.transport.isHolding).toBe(false);
      expectAllLive(pages);
    });

    test('A holder in the back/forward cache hands over and rejoins on return', async () => {
      const pages = await openEight();
      const holder = pages.find(({ transport }) => transport.isHolding)!;
      holder.tab.signal('pagehide', { persisted: true });
      publishAll();
      await browser.clock.advance(5_000);
      expectAllLive(pages.filter((page) => page !== holder));
      holder.tab.signal('pageshow', { persisted: true });
      await browser.clock.advance(5_000);
      publishAll();
      await settled();
      expect(server.open).toHaveLength(1);
      expectAllLive(pages);
    });
  });
}

test('Only the requesting tab receives a refusal, with status and problem', async () => {
  const pages = await openEight();
  journal.forbidden.add('secret');
  const refused = open('secret');
  await settled();
  publishAll();
  await settled();
  expect(refused.connection.state).toMatchObject({
    name: 'closed',
    problem: { kind: 'forbidden', status: 403, topic: 'secret', code: 'topic.forbidden' },
  });
  expectAllLive(pages);
});

test('All streams reopen in few requests when the response is unknown (404)', async () => {
  const pages = await openEight();
  publishAll();
  await settled();
  const before = server.posts.length;
  server.plan = { path: /combined/, answer: () => json(404, { code: 'not_found', title: 'Unknown.' }) };
  pages.push(open('more'));
  publishAll();
  await browser.clock.advance(2_000);
  expect(server.open).toHaveLength(1);
  expect(server.open[0]!.streams.size).toBe(6);
  expect(server.posts.length - before).toBeLessThanOrEqual(3);
  expectAllLive(pages);
});

test('When the line breaks, every stream resumes', async () => {
  const pages = await openEight();
  publishAll();
  await settled();
  server.open[0]!.break();
  publishAll();
  await browser.clock.advance(10_000);
  expect(server.open).toHaveLength(1);
  expectAllLive(pages);
});

test('A line that is dead is found out when a stream is to be opened on it', async () => {
  const pages = await openEight();
  server.open[0]!.isDead = true;
  publishAll();
  pages.push(open('more'));
  await browser.clock.advance(30_000);
  publishAll();
  await settled();
  expect(server.open.filter((response) => !response.isDead)).toHaveLength(1);
  expectAllLive(pages);
});

test('A failed change is retried after a delay, not at once', async () => {
  const pages = await openEight();
  const before = server.posts.length;
  server.plan = { path: /combined/, answer: () => Promise.reject(new TypeError('fetch failed')) };
  pages[3]!.connection.disconnect();
  await browser.clock.advance(1000);
  expect(server.posts.length - before).toBe(1);
  await browser.clock.advance(2000);
  expect(server.posts.length - before).toBe(2);
  expect(server.open[0]!.streams.size).toBe(4);
});

test('With a server that knows no combined streams, each system has a stream', async () => {
  server.isSupported = false;
  const pages = await openEight();
  publishAll();
  await settled();
  expect(journal.readers).toHaveLength(5);
  expectAllLive(pages);
});

test.each([
  [401, { name: 'signedOut', reason: 'unauthorized' }],
  [429, { name: 'waiting', serverMandated: true, problem: { status: 429, retryAfterMs: 7000 } }],
  [503, { name: 'waiting', serverMandated: true, problem: { status: 503, retryAfterMs: 7000 } }],
])('A refusal of the whole with %d is that of each of its streams', async (status, state) => {
  server.plan = {
    path: /streams$/,
    answer: () => json(status, { code: 'no', title: 'No.' }, { 'Retry-After': '7' }),
  };
  const page = open('documents');
  await settled();
  expect(page.connection.state).toMatchObject(state);
});

test('A stream that the response cannot take has one of its own', async () => {
  const pages = await openEight();
  server.plan = {
    path: /combined/,
    answer: () => json(429, { code: 'too_many_connections', title: 'Full.' }),
  };
  pages.push(open('more'));
  await settled();
  journal.publish('more');
  publishAll();
  await settled();
  expect(server.open[0]!.streams.size).toBe(5);
  expect(journal.readers).toHaveLength(6);
  expectAllLive(pages);
});

test('A tab that stops reading is cut off and resumes without a gap', async () => {
  const [first, second, third] = [open('documents'), open('todos'), open('warranty')];
  await settled();
  expect(first.transport.isHolding).toBe(true);
  second.tab.sleep();
  const text = 'x'.repeat(300_000);
  for (let count = 0; count < 10; count++) {
    for (const reader of journal.readers) {
      if (reader.topics[0] === 'todos') reader.stream.event(undefined, 'typing', text);
    }
    await browser.clock.advance(10);
  }
  journal.publish('todos');
  journal.publish('warranty');
  await browser.clock.advance(10_000);
  expectAllLive([first, third]);
  expect([...server.open[0]!.streams.keys()].some((id) => id.startsWith('tab2'))).toBe(false);
  second.tab.wake();
  await browser.clock.advance(10_000);
  journal.publish('todos');
  await settled();
  expectAllLive([first, second, third]);
  expect(server.open).toHaveLength(1);
});

test('Hidden tabs, whose timers run once a minute, keep their streams', async () => {
  const pages = await openEight();
  for (const { tab } of pages) {
    const { setTimer } = tab;
    tab.setTimer = (milliseconds, callback) =>
      setTimer.call(tab, milliseconds < 1000 ? 1000 : Math.max(milliseconds, 60_000), callback);
  }
  const before = server.posts.length;
  for (let passed = 0; passed < 900; passed += 10) {
    publishAll();
    await browser.clock.advance(10_000);
  }
  expect(server.posts.length).toBe(before);
  expectAllLive(pages);
});

test('A new page does not wait for the throttled timers of a hidden holder', async () => {
  const pages = await openEight();
  const { tab } = pages.find(({ transport }) => transport.isHolding)!;
  const { setTimer } = tab;
  tab.setTimer = (milliseconds, callback) => setTimer.call(tab, Math.max(milliseconds, 1000), callback);
  pages.push(open('more'));
  await browser.clock.advance(100);
  expectAllLive(pages);
});

test('The last disconnect closes the response and releases the lock', async () => {
  const pages = await openEight();
  for (const { connection } of pages) connection.disconnect();
  await browser.clock.advance(100);
  expect(server.open).toEqual([]);
  await browser.clock.advance(2000);
  expect(browser.holder('streams')).toBeUndefined();
  pages[3]!.connection.connect();
  await settled();
  publishAll();
  await settled();
  expect(server.open).toHaveLength(1);
  expect(pages[3]!.connection.isConnected()).toBe(true);
});

test('A tab that died without a word is forgotten with its streams', async () => {
  const [first, second] = [open('documents'), open('todos')];
  await settled();
  expect(server.open[0]!.streams.size).toBe(2);
  second.tab.kill();
  await browser.clock.advance(200_000);
  expect(server.open[0]!.streams.size).toBe(1);
  expect(first.connection.isConnected()).toBe(true);
});
