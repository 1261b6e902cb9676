import { describe, expect, test } from 'vitest';
import { Random, testSeed } from '../support/random';
import { type Member, browser, journal, open, setUp } from './setup';

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
      `each sees each event once in order, ${kind} (DUNLIN_SEED=${seed})`,
      { timeout: 120_000 },
      async () => {
        for (let run = 0; run < runs; run++) await simulate(seed + run, withTopics, isSecure);
      },
    );
  }

  async function simulate(runSeed: number, withTopics: boolean, isSecure: boolean): Promise<void> {
    const random = new Random(runSeed);
    setUp();
    browser.isSecure = isSecure;
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
