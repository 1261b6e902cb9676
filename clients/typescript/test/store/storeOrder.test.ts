import { describe, expect, test } from 'vitest';
import { DunlinError } from '../../src/http/problem';
import { Store } from '../../src/store/store';
import { FakeEnvironment } from '../support/fakeEnvironment';
import { Random, testSeed } from '../support/random';

interface Case {
  id: number;
  version: number;
  name: string;
  cost: number;
}

const record = (version: number): Case => ({ id: 1, version, name: 'Ann', cost: 5 });

describe('Any order of events, answers and snapshots converges to the server’s state', () => {
  const seed = testSeed();

  test(`500 random runs (DUNLIN_SEED=${seed})`, async () => {
    for (let run = 0; run < 500; run++) await simulate(seed + run);
  });

  // A server that increments the version of one record with every change. Its events (some twice), answers to saves and snapshots of any
  // age arrive after random delays and in random order.
  async function simulate(runSeed: number): Promise<void> {
    const random = new Random(runSeed);
    let truth = record(0);
    const underWay: (() => void)[] = [];
    const log: string[] = [];
    const change = (changes: Partial<Case>, isAnnounced = true) => {
      truth = { ...truth, ...changes, version: truth.version + 1 };
      const { version } = truth;
      if (isAnnounced) underWay.push(() => subject.update('1', changes, version));
      if (isAnnounced && random.below(4) === 0) underWay.push(() => subject.update('1', changes, version));
    };
    const subject = new Store<Case>({
      environment: new FakeEnvironment(),
      save: (_id, changes) =>
        new Promise((resolve, reject) => {
          const fate = random.below(6);
          log.push(`save ${JSON.stringify(changes)}, fate ${fate}`);
          if (fate === 0) {
            underWay.push(() => reject(new DunlinError({ kind: 'held', code: 'held', title: 'held' })));
            return;
          }
          // Accepted, but the answer may be lost, and the connection that made the change may receive no echo.
          change(changes, random.below(2) === 0 || fate === 1);
          const { version } = truth;
          const whole = { ...truth };
          if (fate === 1) {
            underWay.push(() =>
              reject(new DunlinError({ kind: 'network', code: 'network', title: 'network' })),
            );
          } else {
            underWay.push(() => resolve(fate === 2 ? { record: whole } : { version }));
          }
        }),
    });
    const field = (value: number): Partial<Case> =>
      random.below(2) === 0 ? { name: `name ${value}` } : { cost: value };
    const deliver = async () => {
      underWay.splice(random.below(underWay.length), 1)[0]?.();
      for (let turn = 0; turn < 6; turn++) await Promise.resolve();
    };
    subject.put(truth);
    for (let step = 1; step <= 30; step++) {
      const choice = random.below(8);
      log.push(`step ${step}: ${choice}`);
      if (choice < 2) change(field(step));
      else if (choice === 2) void subject.edit('1', field(step), { immediate: true });
      else if (choice === 3) void subject.edit('1', field(step));
      else if (choice === 4) {
        const [since, snapshot] = [subject.mark(), { ...truth }];
        underWay.push(() => subject.merge([snapshot], { since, complete: true }));
      } else await deliver();
    }
    void subject.flush();
    while (underWay.length > 0 || subject.get().unsaved.size > 0) {
      if (underWay.length > 0) await deliver();
      else subject.resume();
    }
    subject.dispose();
    expect(subject.record('1'), `seed ${runSeed}\n${log.join('\n')}`).toEqual(truth);
  }
});
