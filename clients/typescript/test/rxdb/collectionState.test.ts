import { describe, expect, test } from 'vitest';
import type { Problem } from '../../src/http/problem';
import {
  INITIAL_COLLECTION,
  MAX_REFUSALS,
  pullPosition,
  statusOf,
  transition,
  type CollectionInput,
  type CollectionState,
} from '../../src/rxdb/collectionState';

const problem: Problem = { kind: 'network', code: 'network', title: '' };
const pushed = ['a'];
const again = { from: 'e-1', leftOut: ['a'], isDue: false };

const states = {
  initial: INITIAL_COLLECTION,
  busy: { ...INITIAL_COLLECTION, busy: 1, problems: { push: problem } },
  pulled: { ...INITIAL_COLLECTION, hasPulled: true, pending: 2 },
  pushing: { ...INITIAL_COLLECTION, busy: 1, underWay: [pushed], pushedMeanwhile: ['a', 'b'] },
  'left out': { ...INITIAL_COLLECTION, again, refusals: { a: 1 } },
  'refused too often': { ...INITIAL_COLLECTION, again, refusals: { a: MAX_REFUSALS } },
  due: { ...INITIAL_COLLECTION, again: { ...again, isDue: true } },
  fullPull: { ...INITIAL_COLLECTION, fullPull: { stale: 'e-1', fresh: { position: 'e-9' } } },
  counting: { ...INITIAL_COLLECTION, uncounted: 1, isCounting: true },
} satisfies Record<string, CollectionState>;

const inputs = {
  requestStarted: { type: 'requestStarted' },
  'requestEnded, push': { type: 'requestEnded', verb: 'push' },
  'requestEnded, pull failed': { type: 'requestEnded', verb: 'pull', problem },
  requestCancelled: { type: 'requestCancelled' },
  pullStarted: { type: 'pullStarted' },
  pulled: { type: 'pulled' },
  'pageTaken, all': { type: 'pageTaken', from: 'e-5', ids: ['a'], leftOut: [] },
  'pageTaken, without a': { type: 'pageTaken', from: 'e-5', ids: ['a', 'b'], leftOut: ['a'] },
  'pageTaken, without c': { type: 'pageTaken', from: 'e-5', ids: ['c'], leftOut: ['c'] },
  pushStarted: { type: 'pushStarted', ids: ['b', 'c'] },
  pushEnded: { type: 'pushEnded', ids: pushed },
  'pushEnded, another one': { type: 'pushEnded', ids: ['a'] },
  fullPullStarted: { type: 'fullPullStarted' },
  'fullPullEnded, stale': { type: 'fullPullEnded', stale: 'e-2', fresh: { position: 'e-8' }, leftOut: [] },
  'fullPullEnded, first': {
    type: 'fullPullEnded',
    stale: undefined,
    fresh: { position: 'e-8' },
    leftOut: ['d'],
  },
  changed: { type: 'changed' },
  'counted, a waits': { type: 'counted', pending: new Set(['a']) },
  'counted, nothing waits': { type: 'counted', pending: new Set() },
  countEnded: { type: 'countEnded' },
} satisfies Record<string, CollectionInput>;

function wordsOf(state: CollectionState): string {
  const {
    problems,
    busy,
    hasPulled,
    pending,
    again: repeat,
    underWay,
    fullPull,
    uncounted,
    isCounting,
  } = state;
  const refusals = Object.entries(state.refusals).map(([id, count]) => `${id}:${count}`);
  const words = [
    problems.pull && 'pull failed',
    problems.push && 'push failed',
    busy && `busy ${busy}`,
    hasPulled && 'pulled',
    pending && `pending ${pending}`,
    repeat && `again ${repeat.isDue ? 'due ' : ''}from ${repeat.from} for ${repeat.leftOut.join('+')}`,
    refusals.length > 0 && `refusals ${refusals.join('+')}`,
    underWay.length > 0 && `pushing ${underWay.map((ids) => ids.join('+')).join(' ')}`,
    state.pushedMeanwhile.length > 0 && `pushed ${state.pushedMeanwhile.join('+')}`,
    fullPull && `full pull ${fullPull.stale}>${fullPull.fresh.position}`,
    uncounted && `uncounted ${uncounted}`,
    isCounting && 'counting',
  ];
  return words.filter(Boolean).join('; ') || 'nothing';
}

function outcome(state: CollectionState, input: CollectionInput): string {
  const before = structuredClone(state);
  const next = transition(state, input);
  expect(state).toEqual(before);
  return [wordsOf(next.state), ...next.effects].join(', ');
}

type StateKey = keyof typeof states;
type InputKey = keyof typeof inputs;

/** State and effects after the input. A state that is not listed stays unchanged, without effects. */
const table: Record<InputKey, Partial<Record<StateKey, string>>> = {
  requestStarted: {
    initial: 'busy 1, announce',
    busy: 'push failed; busy 2, announce',
    pulled: 'busy 1; pulled; pending 2, announce',
    pushing: 'busy 2; pushing a; pushed a+b, announce',
    'left out': 'busy 1; again from e-1 for a; refusals a:1, announce',
    'refused too often': 'busy 1; again from e-1 for a; refusals a:5, announce',
    due: 'busy 1; again due from e-1 for a, announce',
    fullPull: 'busy 1; full pull e-1>e-9, announce',
    counting: 'busy 1; uncounted 1; counting, announce',
  },
  'requestEnded, push': { busy: 'nothing, announce', pushing: 'pushing a; pushed a+b, announce' },
  'requestEnded, pull failed': {
    busy: 'pull failed; push failed, announce',
    pushing: 'pull failed; pushing a; pushed a+b, announce',
  },
  requestCancelled: { busy: 'push failed, announce', pushing: 'pushing a; pushed a+b, announce' },
  pullStarted: { due: 'nothing' },
  pulled: {
    initial: 'pulled',
    busy: 'push failed; busy 1; pulled',
    pushing: 'busy 1; pulled; pushing a; pushed a+b',
    'left out': 'pulled; again from e-1 for a; refusals a:1',
    'refused too often': 'pulled; again from e-1 for a; refusals a:5',
    due: 'pulled; again due from e-1 for a',
    fullPull: 'pulled; full pull e-1>e-9',
    counting: 'pulled; uncounted 1; counting',
  },
  'pageTaken, all': { 'left out': 'again from e-1 for a', 'refused too often': 'again from e-1 for a' },
  'pageTaken, without a': {
    initial: 'again from e-5 for a',
    busy: 'push failed; busy 1; again from e-5 for a',
    pulled: 'pulled; pending 2; again from e-5 for a',
    pushing: 'busy 1; again from e-5 for a; pushing a; pushed a+b',
    fullPull: 'again from e-5 for a; full pull e-1>e-9',
    counting: 'again from e-5 for a; uncounted 1; counting',
  },
  'pageTaken, without c': {
    initial: 'again from e-5 for c',
    busy: 'push failed; busy 1; again from e-5 for c',
    pulled: 'pulled; pending 2; again from e-5 for c',
    pushing: 'busy 1; again from e-5 for c; pushing a; pushed a+b',
    'left out': 'again from e-1 for a+c; refusals a:1',
    'refused too often': 'again from e-1 for a+c; refusals a:5',
    due: 'again due from e-1 for a+c',
    fullPull: 'again from e-5 for c; full pull e-1>e-9',
    counting: 'again from e-5 for c; uncounted 1; counting',
  },
  pushStarted: {
    initial: 'pushing b+c; pushed b+c',
    busy: 'push failed; busy 1; pushing b+c; pushed b+c',
    pulled: 'pulled; pending 2; pushing b+c; pushed b+c',
    pushing: 'busy 1; pushing a b+c; pushed a+b+c',
    'left out': 'again from e-1 for a; refusals a:1; pushing b+c; pushed b+c',
    'refused too often': 'again from e-1 for a; refusals a:5; pushing b+c; pushed b+c',
    due: 'again due from e-1 for a; pushing b+c; pushed b+c',
    fullPull: 'pushing b+c; pushed b+c; full pull e-1>e-9',
    counting: 'pushing b+c; pushed b+c; uncounted 1; counting',
  },
  pushEnded: { pushing: 'busy 1; pushed a+b' },
  'pushEnded, another one': {},
  fullPullStarted: { pushing: 'busy 1; pushing a; pushed a' },
  'fullPullEnded, stale': {
    initial: 'full pull e-2>e-8',
    busy: 'push failed; busy 1; full pull e-2>e-8',
    pulled: 'pulled; pending 2; full pull e-2>e-8',
    pushing: 'busy 1; pushing a; pushed a+b; full pull e-2>e-8',
    'left out': 'again from e-1 for a; refusals a:1; full pull e-2>e-8',
    'refused too often': 'again from e-1 for a; refusals a:5; full pull e-2>e-8',
    due: 'again due from e-1 for a; full pull e-2>e-8',
    fullPull: 'full pull e-2>e-8',
    counting: 'full pull e-2>e-8; uncounted 1; counting',
  },
  'fullPullEnded, first': {
    initial: 'again from undefined for d',
    busy: 'push failed; busy 1; again from undefined for d',
    pulled: 'pulled; pending 2; again from undefined for d',
    pushing: 'busy 1; again from undefined for d; pushing a; pushed a+b',
    'left out': 'again from e-1 for a+d; refusals a:1',
    'refused too often': 'again from e-1 for a+d; refusals a:5',
    due: 'again due from e-1 for a+d',
    fullPull: 'again from undefined for d; full pull e-1>e-9',
    counting: 'again from undefined for d; uncounted 1; counting',
  },
  changed: {
    initial: 'uncounted 1; counting, announce, count',
    busy: 'push failed; busy 1; uncounted 1; counting, announce, count',
    pulled: 'pulled; pending 2; uncounted 1; counting, announce, count',
    pushing: 'busy 1; pushing a; pushed a+b; uncounted 1; counting, announce, count',
    'left out': 'again from e-1 for a; refusals a:1; uncounted 1; counting, announce, count',
    'refused too often': 'again from e-1 for a; refusals a:5; uncounted 1; counting, announce, count',
    due: 'again due from e-1 for a; uncounted 1; counting, announce, count',
    fullPull: 'full pull e-1>e-9; uncounted 1; counting, announce, count',
    counting: 'uncounted 2; counting',
  },
  'counted, a waits': {
    initial: 'pending 1',
    busy: 'push failed; busy 1; pending 1',
    pulled: 'pulled; pending 1',
    pushing: 'busy 1; pending 1; pushing a; pushed a+b',
    'left out': 'pending 1; again from e-1 for a; refusals a:1',
    'refused too often': 'pending 1; again from e-1 for a; refusals a:5',
    due: 'pending 1; again due from e-1 for a',
    fullPull: 'pending 1; full pull e-1>e-9',
    counting: 'pending 1; uncounted 1; counting',
  },
  'counted, nothing waits': {
    pulled: 'pulled',
    'left out': 'again due from e-1 for a; refusals a:2, resync',
    'refused too often': 'refusals a:6',
  },
  countEnded: {
    initial: 'nothing, announce',
    busy: 'push failed; busy 1, announce',
    pulled: 'pulled; pending 2, announce',
    pushing: 'busy 1; pushing a; pushed a+b, announce',
    'left out': 'again from e-1 for a; refusals a:1, announce',
    'refused too often': 'again from e-1 for a; refusals a:5, announce',
    due: 'again due from e-1 for a, announce',
    fullPull: 'full pull e-1>e-9, announce',
    counting: 'nothing, announce',
  },
};

describe('The transition table of a collection', () => {
  for (const input of Object.keys(inputs) as InputKey[]) {
    for (const state of Object.keys(states) as StateKey[]) {
      const expected = table[input][state];
      test(`${state} + ${input} -> ${expected ?? 'unchanged'}`, () =>
        expect(outcome(states[state], inputs[input])).toBe(expected ?? wordsOf(states[state])));
    }
  }
});

test('a repeated pull starts once from the position of the skipped document', () => {
  expect(pullPosition(states.due, { position: 'e-7' })).toBe('e-1');
  expect(pullPosition(states['left out'], { position: 'e-7' })).toBe('e-7');
  expect(pullPosition(transition(states.due, { type: 'pullStarted' }).state, { position: 'e-7' })).toBe(
    'e-7',
  );
});

test('a stale checkpoint that RxDB kept maps to the fresh one', () => {
  expect(pullPosition(states.fullPull, { position: 'e-1' })).toBe('e-9');
  expect(pullPosition(states.fullPull, { position: 'e-2' })).toBe('e-2');
  expect(pullPosition(INITIAL_COLLECTION, undefined)).toBeUndefined();
});

test('the status prefers push problems and is busy until the count ends', () => {
  expect(
    statusOf({ ...states.busy, problems: { push: problem, pull: { ...problem, title: 'other' } } }),
  ).toEqual({
    problem,
    isBusy: true,
    hasPulled: false,
    pending: 0,
  });
  expect(statusOf(states.counting).isBusy).toBe(true);
  expect(statusOf(states.pulled)).toEqual({ problem: undefined, isBusy: false, hasPulled: true, pending: 2 });
});
