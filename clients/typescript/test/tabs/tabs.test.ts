import { beforeEach, describe, expect, test } from 'vitest';
import { Auth } from '../../src/http/auth';
import { BEAT_MS, SharedConnection } from '../../src/tabs/sharedConnection';
import { FakeBrowser, type FakeTab } from '../support/fakeBrowser';
import { FakeJournal } from '../support/fakeJournal';
import { Random, testSeed } from '../support/random';

const NAME = 'dunlin';

interface Member {
  readonly tab: FakeTab;
  readonly connection: SharedConnection;
  readonly topics: readonly string[];
  readonly seen: number[];
  readonly resets: string[];
  /** Offset at which the tab came aboard: it must see all of its topics from there on. */
  start: number | undefined;
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
  const member: Member = { tab, connection, topics, seen: [], resets: [], start: undefined };
  connection.on('changed', (offset: number) => member.seen.push(offset));
  connection.onReset((reset) => member.resets.push(reset.reason));
  connection.onState((state) => {
    if (state.name === 'live') member.start ??= Number(connection.position!.split('-')[1]);
  });
  connection.connect();
  return member;
}

const settled = () => browser.clock.advance(100);

async function openAll(count: number): Promise<Member[]> {
  const members: Member[] = [];
  for (let index = 0; index < count; index++) {
    members.push(open());
    await settled();
  }
  return members;
}

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
  test('When the leader dies the next tab resumes: nothing missed, nothing twice', async () => {
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

  test('A leader that goes into the back/forward cache passes the lead on, and comes back as a follower', async () => {
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

  test('A sleeping leader is replaced after missed beats, and sees once what it slept through', async () => {
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

  test('A leader whose term is over is not believed, though it does not know yet', async () => {
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

  test('Last words of a leader that is gone do not stop the one that holds the lock', async () => {
    const members = await openAll(2);
    const old = browser.openBroadcast(browser.open(), NAME);
    const state = { name: 'waiting', stream: 9, attempt: 1, delayMs: 1, firm: false, refresh: false };
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

describe('Topics', () => {
  test('The stream carries the topics of all tabs, and each tab sees its own only', async () => {
    const one = open(['a']);
    await settled();
    const two = open(['b', 'c']);
    await settled();
    for (const topic of ['a', 'b', 'c', 'd']) journal.publish(topic);
    await settled();
    expect(journal.readers.map((reader) => reader.topics)).toEqual([['a', 'b', 'c']]);
    expect([one.seen, two.seen]).toEqual([[1], [2, 3]]);
  });

  test('A tab that asks for a pattern sees the topics that it covers, and nothing that other tabs want', async () => {
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

  test('A pattern that the user may not read stops the tab that asked for it and no other', async () => {
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

  test('A new leader carries the topics of all tabs with the first stream it opens', async () => {
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

  test('A topic that the user may not read stops the tab that asked for it and no other', async () => {
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

describe('Whatever happens to the tabs', () => {
  const seed = testSeed();
  const runs = Number(process.env['DUNLIN_RUNS'] ?? 25);

  for (const [withTopics, isSecure] of [
    [false, true],
    [true, true],
    [true, false],
  ] as const) {
    const kind = `${withTopics ? 'with topics' : 'without topics'}${isSecure ? '' : ' and Web Locks'}`;
    test(
      `each sees each event exactly once and in order, ${kind} (DUNLIN_SEED=${seed})`,
      { timeout: 120_000 },
      async () => {
        for (let run = 0; run < runs; run++) await simulate(seed + run, withTopics, isSecure);
      },
    );
  }

  async function simulate(runSeed: number, withTopics: boolean, isSecure: boolean): Promise<void> {
    const random = new Random(runSeed);
    browser = new FakeBrowser();
    browser.isSecure = isSecure;
    journal = new FakeJournal();
    browser.delay = () => random.below(4);
    const topics = ['a', 'b', 'c'];
    const members: Member[] = [];
    const log: string[] = [];
    const alive = () => members.filter((member) => !member.tab.isDead);
    const some = () => random.pick(alive());
    const openOne = () => {
      const wanted = topics.filter(() => random.below(2) === 0);
      const member = open(withTopics ? (wanted.length > 0 ? wanted : ['a']) : []);
      member.tab.chance = random.next();
      members.push(member);
      return `opens ${member.tab.name} for [${member.topics.join()}]`;
    };
    const kill = (member: Member) => {
      member.tab.kill();
      return `kills ${member.tab.name}`;
    };
    const actions: [weight: number, act: () => string | undefined][] = [
      [20, () => `publishes ${journal.publish(random.pick(topics))}`],
      [2, () => (alive().length < 5 ? openOne() : undefined)],
      [1, () => (alive().length > 1 ? kill(some()) : undefined)],
      [
        1,
        () => {
          const member = alive().find(({ connection }) => connection.isLeading);
          return member && alive().length > 1 ? kill(member) : undefined;
        },
      ],
      [
        1,
        () => {
          const member = some();
          member.tab.sleep();
          return `${member.tab.name} falls asleep`;
        },
      ],
      [
        2,
        () => {
          const member = alive().find(({ tab }) => tab.isAsleep);
          member?.tab.wake();
          return member && `${member.tab.name} wakes`;
        },
      ],
      [
        1,
        () => {
          const { tab } = some();
          if (tab.isAsleep) return undefined;
          tab.signal('pagehide', { persisted: true });
          browser.clock.setTimer(random.below(8000), () =>
            tab.run(() => tab.signal('pageshow', { persisted: true })),
          );
          return `${tab.name} visits the back/forward cache`;
        },
      ],
      [1, () => (journal.break(), 'the server restarts')],
    ];
    const weights = actions.flatMap(([weight, act]) => Array.from({ length: weight }, () => act));
    openOne();
    for (let step = 0; step < 150; step++) {
      const what = random.pick(weights)();
      if (what) log.push(`${browser.clock.now}: ${what}`);
      await browser.clock.advance(random.below(random.below(10) === 0 ? 12_000 : 40));
    }
    for (const member of alive()) member.tab.wake();
    await browser.clock.advance(300_000);
    const last = topics.map((topic) => journal.publish(topic)).at(-1);
    await browser.clock.advance(1000);

    for (const member of alive()) {
      const who = `seed ${runSeed}, ${member.tab.name} [${member.topics.join()}]\n${log.join('\n')}`;
      expect(member.connection.isConnected(), who).toBe(true);
      expect(member.resets, who).toEqual([]);
      const isTheirs = ({ topic }: { topic: string }) => !withTopics || member.topics.includes(topic);
      const due = journal.entries.filter((entry) => entry.offset > member.start! && isTheirs(entry));
      expect(member.seen, who).toEqual(due.map((entry) => entry.offset));
    }
    expect(last).toBe(journal.head);
    expect(journal.readers, `seed ${runSeed}`).toHaveLength(1);
  }
});
