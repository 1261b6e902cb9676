import { describe, expect, test } from 'vitest';
import { json } from '../support/fakeServer';
import { Random, testSeed } from '../support/random';
import { type Page, browser, journal, server, open, TOPICS, publishAll, due, setUp } from './setup';

describe('Whatever happens to the tabs', () => {
  const seed = testSeed();
  const runs = Number(process.env['DUNLIN_RUNS'] ?? 12);

  for (const isSecure of [true, false]) {
    const kind = isSecure ? 'with Web Locks' : 'without';
    test(
      `each sees its events once in order, ${kind} (DUNLIN_SEED=${seed})`,
      { timeout: 180_000 },
      async () => {
        for (let run = 0; run < runs; run++) await simulate(seed + run, isSecure);
      },
    );
  }

  async function simulate(runSeed: number, isSecure: boolean): Promise<void> {
    const random = new Random(runSeed);
    setUp();
    browser.isSecure = isSecure;
    browser.delay = () => random.below(4);
    const pages: Page[] = [];
    const log: string[] = [];
    const alive = () => pages.filter(({ tab }) => !tab.isDead);
    const some = () => random.pick(alive());
    const openOne = () => {
      const page = open(random.pick(TOPICS));
      page.tab.chance = random.next();
      pages.push(page);
      return `opens ${page.tab.name} of ${page.topic}`;
    };
    const kill = (page: Page | undefined) => {
      if (!page || alive().length < 2) return undefined;
      if (random.below(2) === 0) page.tab.signal('pagehide', { persisted: false });
      page.tab.kill();
      return `kills ${page.tab.name}`;
    };
    const actions: [weight: number, act: () => string | undefined][] = [
      [20, () => `publishes ${journal.publish(random.pick(TOPICS))}`],
      [3, () => (alive().length < 7 ? openOne() : undefined)],
      [1, () => kill(some())],
      [1, () => kill(alive().find(({ transport }) => transport.isHolding))],
      [1, () => (some().tab.sleep(), 'one sleeps')],
      [2, () => (alive().forEach(({ tab }) => tab.isAsleep && tab.wake()), 'all wake')],
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
      [1, () => (server.open.forEach((response) => response.break()), 'the line breaks')],
      [
        1,
        () => {
          const unknown = () => json(404, { code: 'not_found', title: 'Unknown.' });
          server.plan = { path: /combined/, answer: unknown };
          return 'another node answers';
        },
      ],
    ];
    const weights = actions.flatMap(([weight, act]) => Array.from({ length: weight }, () => act));
    openOne();
    for (let step = 0; step < 120; step++) {
      const what = random.pick(weights)();
      if (what) log.push(`${browser.clock.now}: ${what}`);
      await browser.clock.advance(random.below(random.below(10) === 0 ? 12_000 : 60));
    }
    for (const { tab } of alive()) tab.wake();
    await browser.clock.advance(400_000);
    publishAll();
    await browser.clock.advance(2000);
    const why = `seed ${runSeed}\n${log.join('\n')}`;
    for (const page of alive()) {
      expect(page.connection.state.name, `${page.tab.name}, ${why}`).toBe('live');
      expect(page.resets, why).toEqual([]);
      expect(page.seen, `${page.tab.name} of ${page.topic}, ${why}`).toEqual(due(page));
    }
    expect(server.open, why).toHaveLength(1);
  }
});
