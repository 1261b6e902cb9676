import { beforeEach, describe, expect, test } from 'vitest';
import { NAME, browser, journal, open, settled, openAll, setUp } from './setup';

beforeEach(setUp);

describe('Topics', () => {
  test('The stream carries the topics of all tabs, each tab sees only its own', async () => {
    const one = open(['a']);
    await settled();
    const two = open(['b', 'c']);
    await settled();
    for (const topic of ['a', 'b', 'c', 'd']) journal.publish(topic);
    await settled();
    expect(journal.readers.map((reader) => reader.topics)).toEqual([['a', 'b', 'c']]);
    expect([one.seen, two.seen]).toEqual([[1], [2, 3]]);
  });

  test('A tab receives an event that has one of its topics as a further topic', async () => {
    const one = open(['a']);
    await settled();
    const two = open(['b']);
    await settled();
    const three = open(['teams/*']);
    await settled();
    journal.publish('a', ['b']);
    journal.publish('other', ['x', 'teams/7']);
    journal.publish('a', ['teams/7', 'a']);
    await settled();
    expect([one.seen, two.seen, three.seen]).toEqual([[1, 3], [1], [2, 3]]);
  });

  test('A tab with a pattern receives only the topics that the pattern matches', async () => {
    const one = open(['teams/7/**']);
    await settled();
    const two = open(['teams/*/alerts', 'other']);
    await settled();
    const three = open(['teams/7/chat']);
    await settled();
    for (const topic of ['teams/7/chat', 'teams/8/alerts', 'other', 'teams/7/alerts', 'teams/70/chat'])
      journal.publish(topic);
    await settled();
    expect(journal.readers.map((reader) => reader.topics)).toEqual([
      ['other', 'teams/*/alerts', 'teams/7/**', 'teams/7/chat'],
    ]);
    expect([one.seen, two.seen, three.seen]).toEqual([[1, 4], [2, 3, 4], [1]]);
  });

  test('A forbidden pattern closes only the tab that requested it', async () => {
    const one = open(['teams/7/chat']);
    await settled();
    journal.forbidden.add('teams/**');
    const two = open(['teams/**']);
    await settled();
    journal.publish('teams/7/chat');
    await settled();
    expect(two.connection.state).toMatchObject({ name: 'closed', problem: { kind: 'forbidden' } });
    expect(one.seen).toEqual([1]);
    expect(two.seen).toEqual([]);
  });

  test('A tab is live only when the stream carries its topics', async () => {
    open(['a']);
    await settled();
    const two = open(['b']);
    await browser.clock.advance(10);
    expect(two.connection.state.name).toBe('connecting');
    await settled();
    expect(two.connection.isConnected()).toBe(true);
  });

  test('The first stream of a new leader carries the topics of all tabs', async () => {
    const one = open(['a']);
    await settled();
    open(['b']);
    await settled();
    open(['c']);
    await settled();
    const before = journal.opened;
    one.tab.kill();
    await settled();
    expect(journal.readers.map((reader) => reader.topics)).toEqual([['b', 'c']]);
    expect(journal.opened - before).toBe(1);
  });

  test('When a tab goes, its topics go', async () => {
    open(['a']);
    const two = open(['b']);
    await settled();
    two.connection.disconnect();
    await settled();
    expect(journal.readers.map((reader) => reader.topics)).toEqual([['a']]);
  });

  test('When a tab dies without a word, its topics go after a while', async () => {
    open(['a']);
    const two = open(['b']);
    await settled();
    two.tab.kill();
    await browser.clock.advance(200_000);
    expect(journal.readers.map((reader) => reader.topics)).toEqual([['a']]);
  });

  test('A tab that only listens keeps its topics', async () => {
    open(['a']);
    open(['b']);
    for (let second = 0; second < 400; second++) {
      journal.publish('a');
      await browser.clock.advance(1000);
    }
    expect(journal.readers.map((reader) => reader.topics)).toEqual([['a', 'b']]);
  });

  test('A forbidden topic closes only the tab that requested it', async () => {
    const one = open(['a']);
    await settled();
    journal.forbidden.add('secret');
    const two = open(['secret']);
    await settled();
    journal.publish('a');
    await settled();
    expect(two.connection.state).toMatchObject({ name: 'closed', problem: { kind: 'forbidden' } });
    expect(one.connection.isConnected()).toBe(true);
    expect(one.seen).toEqual([1]);
  });

  test('A tab whose topics do not fit any more has a stream of its own', async () => {
    const one = open(['a', 'b'], 3);
    await settled();
    const two = open(['c', 'd'], 3);
    await settled();
    journal.publish('a');
    journal.publish('d');
    await settled();
    expect(journal.readers.map((reader) => reader.topics)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect([one.seen, two.seen]).toEqual([[1], [2]]);
  });
});

describe('Signing out', () => {
  test('Signing out in one tab signs out all, and closes the stream', async () => {
    const members = await openAll(3);
    members[1]!.connection.signOut();
    await settled();
    expect(members.map(({ connection }) => connection.state.name)).toEqual([
      'signedOut',
      'signedOut',
      'signedOut',
    ]);
    expect(journal.readers).toEqual([]);
    expect(browser.holder(NAME)).toBeUndefined();
  });

  test('A session that the server ended ends in every tab', async () => {
    const members = await openAll(3);
    journal.control('goodbye', { reason: 'revoked' });
    await settled();
    for (const { connection } of members)
      expect(connection.state).toMatchObject({ name: 'signedOut', reason: 'revoked' });
  });

  test('After signing in again a tab connects', async () => {
    const members = await openAll(2);
    members[0]!.connection.signOut();
    await settled();
    members[1]!.connection.connect();
    await settled();
    expect(members.map(({ connection }) => connection.state.name)).toEqual(['signedOut', 'live']);
  });
});
