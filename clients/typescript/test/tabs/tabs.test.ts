import { beforeEach, describe, expect, test } from 'vitest';
import { BEAT_MS } from '../../src/tabs/sharedConnection';
import { NAME, browser, journal, open, settled, openAll, setUp } from './setup';

beforeEach(setUp);

describe('One stream per browser', () => {
  test('Three tabs share one stream, and each sees every event', async () => {
    const members = await openAll(3);
    journal.publish('a');
    journal.publish('a');
    await settled();
    expect(journal.opened).toBe(1);
    expect(members.map((member) => member.seen)).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
  });

  test('Every tab knows state, connection id and position', async () => {
    const members = await openAll(2);
    journal.publish('a');
    await settled();
    for (const { connection } of members) {
      expect([connection.isConnected(), connection.connectionId, connection.position]).toEqual([
        true,
        'connection-1',
        'e1-1',
      ]);
    }
    expect(members.map(({ connection }) => connection.isLeading)).toEqual([true, false]);
  });

  test('Transient events reach every tab', async () => {
    const members = await openAll(2);
    const typing: unknown[] = [];
    for (const { connection } of members) connection.on('typing', (who) => typing.push(who));
    journal.announce('typing', 'Bob');
    await settled();
    expect(typing).toEqual(['Bob', 'Bob']);
  });

  test('A reset reaches every tab', async () => {
    const members = await openAll(2);
    journal.publish('a');
    await settled();
    journal.epoch = 'e2';
    journal.break();
    await browser.clock.advance(1000);
    journal.publish('a');
    await settled();
    expect(members.map((member) => member.resets)).toEqual([['trimmed'], ['trimmed']]);
    expect(members.map((member) => member.seen)).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test('The leader’s reconnect shows in every tab', async () => {
    const [, follower] = await openAll(2);
    journal.break();
    await settled();
    expect(follower!.connection.state.name).toBe('waiting');
    await browser.clock.advance(1000);
    expect(follower!.connection.isConnected()).toBe(true);
  });

  test('A tab that becomes visible has the waiting leader try at once', async () => {
    const [, follower] = await openAll(2);
    journal.break();
    await settled();
    follower!.tab.signal('visible');
    await settled();
    expect(follower!.connection.isConnected()).toBe(true);
  });
});

describe('Taking over', () => {
  test('When the leader crashes, the next tab resumes without gap or duplicate', async () => {
    const [leader, second, third] = await openAll(3);
    journal.publish('a');
    await settled();
    leader!.tab.kill();
    journal.publish('a');
    await settled();
    journal.publish('a');
    await settled();
    expect(second!.connection.isLeading).toBe(true);
    expect([second!.seen, third!.seen]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(journal.readers).toHaveLength(1);
  });

  test('A leader in the back/forward cache hands over and returns as follower', async () => {
    const [first, second] = await openAll(2);
    first!.tab.signal('pagehide', { persisted: true });
    await settled();
    expect(second!.connection.isLeading).toBe(true);
    journal.publish('a');
    await settled();
    first!.tab.signal('pageshow', { persisted: true });
    await settled();
    expect(first!.connection.isLeading).toBe(false);
    expect([first!.seen, second!.seen]).toEqual([[1], [1]]);
    expect(journal.readers).toHaveLength(1);
  });

  // The new leader never received the terms that the returning tab knows.
  test('A tab that led before follows a newer leader at once', async () => {
    const [first, second] = await openAll(2);
    first!.tab.kill();
    await settled();
    second!.connection.disconnect();
    const third = open();
    await settled();
    second!.connection.connect();
    await settled();
    expect([second, third].map((member) => member!.connection.state.name)).toEqual(['live', 'live']);
    expect([second, third].map((member) => member!.connection.isLeading)).toEqual([false, true]);
    journal.publish('a');
    await settled();
    expect([second!.seen, third.seen]).toEqual([[1], [1]]);
  });

  test('A sleeping leader is replaced and receives missed events once', async () => {
    const [first, second] = await openAll(2);
    journal.publish('a');
    await settled();
    const typing: unknown[] = [];
    second!.connection.on('typing', (who) => typing.push(who));
    first!.tab.sleep();
    journal.publish('a');
    await browser.clock.advance(BEAT_MS * 5);
    expect(second!.connection.isLeading).toBe(true);
    expect(second!.seen).toEqual([1, 2]);
    journal.publish('a');
    journal.announce('typing', 'Bob');
    await settled();
    first!.tab.wake();
    await settled();
    journal.publish('a');
    await settled();
    expect(first!.connection.isLeading).toBe(false);
    expect([first!.seen, second!.seen]).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ]);
    expect(typing).toEqual(['Bob']);
    expect(journal.readers).toHaveLength(1);
  });

  test('A leader that is merely idle is not replaced', async () => {
    const [first] = await openAll(3);
    await browser.clock.advance(600_000);
    expect(first!.connection.isLeading).toBe(true);
    expect(journal.opened).toBe(1);
  });

  test('Messages from a leader of an earlier term are ignored', async () => {
    const [, follower] = await openAll(2);
    const typing: unknown[] = [];
    follower!.connection.on('typing', (who) => typing.push(who));
    const old = browser.openBroadcast(browser.open(), NAME);
    const say = (term: number) => {
      const news = { kind: 'frame', frame: { type: 'typing', data: `"in term ${term}"` } };
      old.post({ kind: 'leader', term, leader: 'old', news });
    };
    say(0);
    await settled();
    expect(typing).toEqual([]);
    expect(follower!.connection.isConnected()).toBe(true);
  });

  test('A late message of a former leader does not stop the lock holder', async () => {
    const members = await openAll(2);
    const old = browser.openBroadcast(browser.open(), NAME);
    const state = {
      name: 'waiting',
      stream: 9,
      attempt: 1,
      delayMs: 1,
      serverMandated: false,
      refresh: false,
    };
    old.post({
      kind: 'leader',
      term: 7,
      leader: 'old',
      news: { kind: 'state', state, position: 'e1-0', topics: [] },
    });
    await settled();
    journal.publish('a');
    await settled();
    expect(members.map(({ connection }) => connection.state.name)).toEqual(['live', 'live']);
    expect(members.map(({ connection }) => connection.isLeading)).toEqual([true, false]);
    expect(members.map((member) => member.seen)).toEqual([[1], [1]]);
  });

  test('A tab that hears of a leader too late does not lead beside it', async () => {
    browser.delay = () => 50;
    await openAll(4);
    await browser.clock.advance(10_000);
    expect(journal.readers).toHaveLength(1);
  });
});
