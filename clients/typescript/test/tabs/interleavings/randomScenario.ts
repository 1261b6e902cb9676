import type { Random } from '../../support/random';
import type { Action } from './members';
import type { Scenario } from './run';

const TABS = ['A', 'B', 'C', 'D'];
const TOPICS = ['a', 'b', 'c'];

/** Draws tabs, users and actions. Impossible actions are passed over, so any draw is a scenario. */
export function randomScenario(random: Random): Scenario {
  const users = random.below(4) === 0 ? ['u', 'v'] : ['u'];
  const user = () => random.pick(users);
  const topics = () => {
    const some = TOPICS.filter(() => random.below(2) === 0);
    return some.length > 0 ? some : [random.pick(TOPICS)];
  };
  const counts = new Map<string, number>();
  const open = (tab: string): Action => {
    const count = (counts.get(tab) ?? 0) + 1;
    counts.set(tab, count);
    return { do: 'open', member: `${tab}${count}`, user: user(), topics: topics() };
  };
  const member = () => {
    const tab = random.pick(TABS);
    return `${tab}${1 + random.below(Math.max(1, counts.get(tab) ?? 1))}`;
  };
  const before = TABS.slice(0, random.below(4)).map(open);
  const kinds: [weight: number, draw: () => Action[]][] = [
    [8, () => [{ do: 'publish', topic: random.pick(TOPICS), user: user() }]],
    [3, () => [open(random.pick(TABS))]],
    [2, () => [{ do: 'close', tab: random.pick(TABS) }]],
    [1, () => [{ do: 'crash', tab: random.pick(TABS) }]],
    [1, () => [{ do: 'disconnect', member: member() }]],
    [1, () => [{ do: 'connect', member: member() }]],
    [1, () => [{ do: 'dispose', member: member() }]],
    [1, () => [{ do: 'break' }]],
    [1, () => [{ do: 'expire' }]],
    [1, () => [{ do: 'show', tab: random.pick(TABS) }]],
    [1, () => (random.below(4) === 0 ? [{ do: 'trim' }] : [])],
    [1, () => (random.below(8) === 0 ? [{ do: 'signOut', member: member() }] : [])],
    [
      2,
      () => {
        const tab = random.pick(TABS);
        return [
          { do: 'freeze', tab },
          { do: 'wait', ms: random.pick([10, 6_000, 21_000]) },
          { do: 'thaw', tab },
        ];
      },
    ],
    [
      1,
      () => {
        const tab = random.pick(TABS);
        return [
          { do: 'store', tab },
          { do: 'wait', ms: random.pick([10, 6_000]) },
          { do: 'restore', tab },
        ];
      },
    ],
  ];
  const weights = kinds.flatMap(([weight, draw]) => Array.from({ length: weight }, () => draw));
  const threads = Array.from({ length: 1 + random.below(3) }, () =>
    Array.from({ length: 2 + random.below(5) }, () => random.pick(weights)()).flat(),
  );
  return { name: 'Random', isSecure: random.below(3) > 0, before, threads };
}
