import { beforeEach, describe, expect, test } from 'vitest';
import { Auth } from '../../src/http/auth';
import { BEAT_MS, SharedConnection } from '../../src/tabs/sharedConnection';
import { FakeBrowser, type FakeTab } from '../support/fakeBrowser';
import { FakeJournal } from '../support/fakeJournal';

const NAME = 'dunlin';

interface Member {
  readonly tab: FakeTab;
  readonly connection: SharedConnection;
  readonly topics: readonly string[];
  readonly seen: number[];
}

let browser: FakeBrowser;
let journal: FakeJournal;

beforeEach(() => {
  browser = new FakeBrowser();
  journal = new FakeJournal();
});

function open(topics: readonly string[] = [], maxTopics = 64): Member {
  const tab = browser.open();
  journal.serve(tab);
  const connection = new SharedConnection({
    environment: tab,
    auth: new Auth(),
    deviceId: 'device-1',
    name: NAME,
    topics,
    maxTopics,
    awaitsHello: true,
    url: (wanted) => `/events?${wanted.map((topic) => `topic=${topic}`).join('&')}`,
  });
  const member: Member = { tab, connection, topics, seen: [] };
  connection.on('changed', (offset: number) => member.seen.push(offset));
  connection.connect();
  return member;
}

const settled = () => browser.clock.advance(100);

describe('A refusal that only the newcomer causes', () => {
  test('leaves the stream of the others and refuses the newcomer alone', async () => {
    journal.maxTopics = 3;
    const one = open(['a', 'b']);
    await settled();
    const two = open(['c', 'd', 'e', 'f']);
    const three = open(['b']);
    await settled();
    journal.publish('a');
    await settled();
    expect(two.connection.state).toMatchObject({ name: 'closed', problem: { code: 'too_many_topics' } });
    expect([one, three].map(({ connection }) => connection.state.name)).toEqual(['live', 'live']);
    expect(one.seen).toEqual([1]);
  });

  test('gives a newcomer that succeeds alone its own stream', async () => {
    journal.maxTopics = 3;
    const one = open(['a', 'b']);
    await settled();
    const two = open(['c', 'd']);
    await settled();
    journal.publish('a');
    journal.publish('d');
    await settled();
    expect(journal.readers.map((reader) => reader.topics)).toEqual(
      expect.arrayContaining([
        ['a', 'b'],
        ['c', 'd'],
      ]),
    );
    expect([one.seen, two.seen]).toEqual([[1], [2]]);
  });

  test('keeps all tabs live when a new leader cannot serve all with one stream', async () => {
    const members = [open(['a', 'b']), open(['c', 'd']), open(['e', 'f'])];
    await settled();
    journal.maxTopics = 3;
    members[0]!.tab.kill();
    await browser.clock.advance(2_000);
    for (const topic of ['c', 'f']) journal.publish(topic);
    await settled();
    expect(members.slice(1).map(({ connection }) => connection.state.name)).toEqual(['live', 'live']);
    expect(members.map(({ seen }) => seen)).toEqual([[], [1], [2]]);
  });
});

describe('Without Web Locks', () => {
  beforeEach(() => {
    browser.isSecure = false;
  });

  const leaders = (members: readonly Member[]) =>
    members.filter(({ tab, connection }) => !tab.isDead && connection.isLeading);

  test('tabs that open together elect one leader', async () => {
    browser.delay = () => 30;
    const members = Array.from({ length: 6 }, () => open());
    await browser.clock.advance(5_000);
    journal.publish('a');
    await settled();
    expect(leaders(members)).toHaveLength(1);
    expect(journal.readers).toHaveLength(1);
    expect(members.map(({ seen }) => seen)).toEqual(members.map(() => [1]));
  });

  test('a leader that closes its tab is replaced at once', async () => {
    const members = [open()];
    await browser.clock.advance(1_000);
    members.push(open(), open());
    await browser.clock.advance(1_000);
    members[0]!.tab.signal('pagehide', { persisted: false });
    members[0]!.tab.kill();
    journal.publish('a');
    await browser.clock.advance(1_500);
    expect(leaders(members)).toHaveLength(1);
    expect(members.slice(1).map(({ seen }) => seen)).toEqual([[1], [1]]);
  });

  test('a sleeping leader is replaced and becomes a follower when it wakes', async () => {
    const members = [open()];
    await browser.clock.advance(1_000);
    members.push(open());
    await browser.clock.advance(1_000);
    members[0]!.tab.sleep();
    journal.publish('a');
    await browser.clock.advance(BEAT_MS * 5);
    expect(members[1]!.connection.isLeading).toBe(true);
    members[0]!.tab.wake();
    await browser.clock.advance(5_000);
    journal.publish('a');
    await settled();
    expect(leaders(members)).toHaveLength(1);
    expect(journal.readers).toHaveLength(1);
    expect(members.map(({ seen }) => seen)).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });
});

test('a connection that its own handler disconnected stays disconnected', async () => {
  const one = open();
  await settled();
  const told: string[] = [];
  one.connection.onState(({ name }) => told.push(name));
  one.connection.disconnect();
  one.connection.onState(({ name }) => name === 'connecting' && one.connection.disconnect());
  one.connection.connect();
  await settled();
  expect(told).toEqual(['closed', 'connecting', 'closed']);
  expect([one.connection.state.name, one.connection.isLeading]).toEqual(['closed', false]);
});
