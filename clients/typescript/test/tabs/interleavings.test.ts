import { describe, expect, test } from 'vitest';
import { Random, testSeed } from '../support/random';
import { explore, report, walk } from './interleavings/explorer';
import type { Action } from './interleavings/members';
import { randomScenario } from './interleavings/randomScenario';
import type { Scenario } from './interleavings/run';

const open = (member: string, ...topics: string[]): Action => ({ do: 'open', member, topics });
const openAs = (user: string, member: string, ...topics: string[]): Action => ({
  do: 'open',
  member,
  user,
  topics,
});
const publish = (topic: string, user?: string): Action => ({ do: 'publish', topic, user });
const wait = (ms: number): Action => ({ do: 'wait', ms });
const tab = (
  what: 'close' | 'crash' | 'freeze' | 'thaw' | 'show' | 'store' | 'restore',
  name: string,
): Action => ({
  do: what,
  tab: name,
});
const call = (what: 'disconnect' | 'connect' | 'signOut' | 'dispose', member: string): Action => ({
  do: what,
  member,
});

const two = [open('A1', 'a'), open('B1', 'a', 'b')];
const three = [open('A1', 'a'), open('B1', 'b'), open('C1', 'c')];
/** Long enough to steal the lead of a leader that does not answer. */
const SILENCE = 21_000;

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'Two tabs open together',
    before: [],
    threads: [[open('A1', 'a')], [open('B1', 'a', 'b')], [publish('a'), publish('b')]],
  },
  {
    name: 'Three tabs open and the first closes',
    before: [],
    threads: [[open('A1', 'a'), tab('close', 'A')], [open('B1', 'b')], [open('C1', 'c')]],
  },
  {
    name: 'The leader closes while events arrive',
    before: three,
    threads: [[tab('close', 'A')], [publish('b'), publish('c'), publish('b')]],
  },
  {
    name: 'The leader crashes while events arrive',
    before: three,
    threads: [[tab('crash', 'A')], [publish('b'), publish('c')]],
  },
  {
    name: 'The leader crashes while a tab opens',
    before: two,
    threads: [[tab('crash', 'A')], [open('C1', 'c')], [publish('b')]],
  },
  {
    name: 'Two leaders close in a row',
    before: three,
    threads: [
      [tab('close', 'A'), tab('close', 'B')],
      [publish('c'), publish('c')],
    ],
  },
  {
    name: 'A frozen leader is replaced and wakes',
    before: two,
    threads: [[tab('freeze', 'A'), wait(SILENCE), tab('thaw', 'A'), publish('a')], [publish('b')]],
  },
  {
    name: 'A frozen leader of three wakes while its successor closes',
    before: three,
    threads: [[tab('freeze', 'A'), wait(SILENCE), tab('thaw', 'A'), tab('close', 'B')], [publish('c')]],
  },
  {
    name: 'The leader leaves and returns',
    before: three,
    threads: [
      [call('disconnect', 'A1'), call('connect', 'A1')],
      [publish('a'), publish('b')],
    ],
  },
  {
    name: 'Connections of one tab come and go',
    before: [open('A1', 'a'), open('B1', 'a')],
    threads: [
      [open('B2', 'c'), call('dispose', 'B1')],
      [open('A2', 'd'), call('dispose', 'A1')],
      [publish('c')],
    ],
  },
  {
    name: 'The leader visits the back/forward cache',
    before: two,
    threads: [
      [tab('store', 'A'), tab('restore', 'A')],
      [publish('a'), publish('b')],
    ],
  },
  {
    name: 'The server restarts while the leader closes',
    before: two,
    threads: [[{ do: 'break' }], [tab('close', 'A')], [publish('b')]],
  },
  {
    name: 'Retention removes events while the leader closes',
    before: two,
    threads: [
      [publish('a'), publish('b'), { do: 'trim' }, publish('b')],
      [tab('close', 'A')],
      [{ do: 'break' }],
    ],
  },
  {
    name: 'A topic is forbidden to one of three tabs',
    before: [open('A1', 'a'), open('B1', 'b')],
    threads: [[{ do: 'forbid', topic: 'x' }, open('C1', 'x')], [tab('close', 'A')], [publish('b')]],
  },
  {
    name: 'The stream has no room for a tab',
    maxTopics: 2,
    before: [open('A1', 'a'), open('B1', 'b')],
    threads: [[open('C1', 'c', 'd')], [tab('close', 'A')], [publish('b'), publish('c')]],
  },
  {
    name: 'One tab signs out while another opens',
    before: two,
    threads: [[call('signOut', 'B1')], [open('C1', 'c')], [publish('a')]],
  },
  {
    name: 'Tokens expire while the leader closes',
    before: two,
    threads: [[{ do: 'expire' }], [tab('close', 'A')], [publish('b')]],
  },
  {
    name: 'Tabs of two users, one of which signs in as the other',
    before: [openAs('u', 'A1', 'a'), openAs('v', 'B1', 'a')],
    threads: [
      [call('dispose', 'A1'), openAs('v', 'A2', 'a')],
      [publish('a', 'u'), publish('a', 'v')],
    ],
  },
  {
    name: 'A tab that led before returns to a newer leader',
    before: [...two, tab('close', 'A'), call('disconnect', 'B1')],
    threads: [[open('C1', 'c')], [call('connect', 'B1')], [publish('a'), publish('c')]],
  },
  {
    name: 'A deposed leader leads again when its successor closes',
    before: [...two, tab('freeze', 'A'), wait(SILENCE + 5_000), tab('thaw', 'A')],
    threads: [[tab('close', 'B')], [publish('a'), publish('a')]],
  },
  {
    name: 'A tab shows while the server restarts',
    before: three,
    threads: [[{ do: 'break' }, tab('show', 'B')], [publish('b')]],
  },
  {
    name: 'Without Web Locks, three tabs open together',
    isSecure: false,
    before: [],
    threads: [[open('A1', 'a')], [open('B1', 'b')], [open('C1', 'c'), publish('b')]],
  },
  {
    name: 'Without Web Locks, the leader closes',
    isSecure: false,
    before: three,
    threads: [[tab('close', 'A')], [publish('b'), publish('c')]],
  },
  {
    name: 'Without Web Locks, a frozen leader is replaced and wakes',
    isSecure: false,
    before: two,
    threads: [[tab('freeze', 'A'), wait(SILENCE), tab('thaw', 'A'), publish('a')], [publish('b')]],
  },
];

/** Departures from the default order in one schedule. Each further one multiplies the time by about thirty. */
const bound = Number(process.env['DUNLIN_TABS_BOUND'] ?? 1);
const timeout = 24 * 3600_000;

describe('All interleavings within the bound', () => {
  for (const scenario of SCENARIOS)
    test(scenario.name, { timeout }, async () => {
      const { schedules, states, steps, isComplete, failure } = await explore(scenario, bound);
      expect(failure && report(failure)).toBeUndefined();
      expect(isComplete).toBe(true);
      console.log(
        `${scenario.name}: ${schedules} schedules, ${states} states, ${steps} steps, bound ${bound}`,
      );
    });
});

test('A lost event is found with one deviation and shrunk to its cause', async () => {
  const scenario: Scenario = {
    name: 'A server that loses what it sent',
    before: two,
    threads: [
      [publish('a'), publish('b'), { do: 'lose' }],
      [tab('show', 'B'), publish('b')],
    ],
  };
  expect((await explore(scenario, 0)).failure).toBeUndefined();
  const { failure } = await explore(scenario, 1);
  expect(failure?.violation.invariant).toBe('once');
  expect(failure?.deviations).toHaveLength(1);
  const actions = failure!.scenario.threads.flat().map((action) => action.do);
  expect(actions).toEqual(['publish', 'lose', 'publish']);
  expect(report(failure!)).toContain('publish');
});

describe('Random walks beyond the bound', () => {
  const seed = testSeed();
  const walks = Number(process.env['DUNLIN_TABS_WALKS'] ?? 300);

  for (const rate of [0.02, 0.1, 0.3, 0.6])
    test(`hold the invariants at rate ${rate} (DUNLIN_SEED=${seed})`, { timeout }, async () => {
      let steps = 0;
      for (let index = 0; index < walks / 4; index++) {
        const random = new Random(seed + index);
        const { failure, steps: taken } = await walk(randomScenario(random), random, rate);
        expect(failure && `DUNLIN_SEED=${seed + index}\n${report(failure)}`).toBeUndefined();
        steps += taken;
      }
      expect(steps).toBeGreaterThan(walks);
    });
});
