import type { LeaseLost, Problem } from '@dunlin/client';
import { describe, expect, test } from 'vitest';
import {
  IDLE_FIELD,
  transition,
  type Edit,
  type FieldEffect,
  type FieldInput,
  type FieldState,
} from '../src/state/fieldEdit';

const edit = (more: Partial<Edit> = {}): Edit => ({
  before: 'old',
  draft: 'old',
  phase: 'held',
  isSent: false,
  ...more,
});
const field = (more: Partial<FieldState>): FieldState => ({ ...IDLE_FIELD, base: 1, ...more });

/** States of a field, each with the unsaved value in the store. */
const states = {
  idle: [IDLE_FIELD, undefined],
  taking: [field({ edit: edit({ phase: 'taking' }), lock: 'asking', isUnguarded: true }), undefined],
  'taking, typed': [
    field({ edit: edit({ phase: 'taking', draft: 'new' }), lock: 'asking', isUnguarded: true }),
    'new',
  ],
  granted: [field({ edit: edit({ phase: 'taking' }), lock: 'held', isUnguarded: true }), undefined],
  'granted, typed': [
    field({ edit: edit({ phase: 'taking', draft: 'new' }), lock: 'held', isUnguarded: true }),
    'new',
  ],
  held: [field({ edit: edit(), lock: 'held' }), undefined],
  'held, typed': [field({ edit: edit({ draft: 'new' }), lock: 'held' }), 'new'],
  'held, sent': [field({ edit: edit({ draft: 'new', isSent: true }), lock: 'held' }), undefined],
  waiting: [field({ edit: edit({ phase: 'waiting', draft: 'new' }), isUnguarded: true }), 'new'],
  'left, unsaved': [field({ lock: 'held' }), 'new'],
  'left, lock lost': [field({ isUnguarded: true }), 'new'],
  'left, saved': [field({ lock: 'held' }), undefined],
  returned: [{ ...IDLE_FIELD, isReturned: true }, undefined],
} satisfies Record<string, [FieldState, string | undefined]>;

const network: Problem = { kind: 'network', code: 'network', title: '' };
const held: Problem = { kind: 'held', code: 'lease_held', title: '' };
const lostProblem = { kind: 'lost', code: 'lease_lost', title: '', reason: 'expired' } as Problem;
const lost = (reason: LeaseLost['reason'], problem?: Problem): FieldInput => ({
  type: 'leaseLost',
  lost: { reason, problem } as LeaseLost,
});

const inputs = {
  begin: { type: 'begin', shown: { value: 'old', version: 4 } },
  'type new': { type: 'type', value: 'new' },
  'type the value before': { type: 'type', value: 'old' },
  'type more': { type: 'type', value: 'newer' },
  commit: { type: 'commit' },
  cancel: { type: 'cancel' },
  relock: { type: 'relock' },
  adopt: { type: 'adopt', value: 'kept', base: 2 },
  asked: { type: 'asked' },
  granted: { type: 'granted' },
  'askFailed, no network': { type: 'askFailed', problem: network },
  'askFailed, held': { type: 'askFailed', problem: held },
  'taken for the first time': { type: 'taken', isFirst: true },
  'taken again': { type: 'taken', isFirst: false },
  'takeFailed, no network': { type: 'takeFailed', problem: network },
  'takeFailed, held': { type: 'takeFailed', problem: held },
  'compared, same version': { type: 'compared', shown: { value: 'old', version: 1 }, isRebased: false },
  'compared, newer version': { type: 'compared', shown: { value: 'theirs', version: 2 }, isRebased: false },
  'compared, rebased': { type: 'compared', shown: { value: 'theirs', version: 2 }, isRebased: true },
  'compared, case gone': { type: 'compared', shown: undefined, isRebased: true },
  'leaseLost, taken over': lost('taken'),
  'leaseLost, refused': lost('expired', lostProblem),
  'leaseLost, no answer in time': lost('expired'),
  'leaseLost, given back by the page': lost('released'),
  sent: { type: 'sent' },
  guarded: { type: 'guarded' },
  saveRefused: { type: 'saveRefused', problem: held, value: 'sent' },
  settled: { type: 'settled' },
  announcedReleased: { type: 'announcedReleased' },
  announcedTaken: { type: 'announcedTaken' },
} satisfies Record<string, FieldInput>;

function wordOf(effect: FieldEffect): string {
  switch (effect.type) {
    case 'write':
      return `write ${effect.value}${effect.immediate ? ' now' : ''}`;
    case 'take':
      return effect.isFirst ? 'take' : 'take again';
    case 'compare':
      return effect.isRebased ? 'compare and rebase' : 'compare';
    case 'refuse':
      return `refuse ${effect.typed}${effect.ifSaved ? ' if saved' : ''}`;
    default:
      return effect.type;
  }
}

function wordsOf([{ edit: open, lock, isReturned, base, isUnguarded }]: readonly [
  FieldState,
  unknown,
]): string {
  const words = open && [open.phase, `${open.before}>${open.draft}`, open.isSent && 'sent'];
  const marks = [
    lock !== 'none' && `lock ${lock}`,
    isReturned && 'returned',
    base !== undefined && `v${base}`,
    isUnguarded && 'unguarded',
  ];
  return [...(words ?? ['closed']), ...marks].filter(Boolean).join(' ');
}

function outcome([state, unsaved]: readonly [FieldState, string | undefined], input: FieldInput): string {
  const before = structuredClone(state);
  const next = transition(state, input, { kind: 'line', unsaved });
  expect(state).toEqual(before);
  return [wordsOf([next.state, unsaved]), ...next.effects.map(wordOf)].join(', ');
}

type StateKey = keyof typeof states;
type InputKey = keyof typeof inputs;

/** State and effects after the input. A state that is not listed stays unchanged, without effects. */
const table: Record<InputKey, Partial<Record<StateKey, string>>> = {
  begin: {
    idle: 'taking old>old v4 unguarded, beginEdit, take',
    'left, unsaved': 'held old>old lock held v1, beginEdit',
    'left, lock lost': 'taking old>old v1 unguarded, beginEdit, take',
    'left, saved': 'held old>old lock held v1, beginEdit',
    returned: 'taking old>old returned v4 unguarded, beginEdit, take',
  },
  'type new': {
    taking: 'taking old>new lock asking v1 unguarded, write new',
    granted: 'taking old>new lock held v1 unguarded, write new',
    held: 'held old>new lock held v1, write new',
  },
  'type the value before': {
    'taking, typed': 'taking old>old lock asking v1 unguarded, discard',
    'granted, typed': 'taking old>old lock held v1 unguarded, discard',
    'held, typed': 'held old>old lock held v1, discard',
    'held, sent': 'held old>old sent lock held v1, write old',
    waiting: 'waiting old>old v1 unguarded, discard',
  },
  'type more': {
    taking: 'taking old>newer lock asking v1 unguarded, write newer',
    'taking, typed': 'taking old>newer lock asking v1 unguarded, write newer',
    granted: 'taking old>newer lock held v1 unguarded, write newer',
    'granted, typed': 'taking old>newer lock held v1 unguarded, write newer',
    held: 'held old>newer lock held v1, write newer',
    'held, typed': 'held old>newer lock held v1, write newer',
    'held, sent': 'held old>newer sent lock held v1, write newer',
    waiting: 'waiting old>newer v1 unguarded, write newer',
  },
  commit: {
    taking: 'closed lock asking v1 unguarded, endEdit, flush, settle',
    'taking, typed': 'closed lock asking v1 unguarded, endEdit, flush, settle',
    granted: 'closed lock held v1 unguarded, endEdit, flush, settle',
    'granted, typed': 'closed lock held v1 unguarded, endEdit, flush, settle',
    held: 'closed lock held v1, endEdit, flush, settle',
    'held, typed': 'closed lock held v1, endEdit, flush, settle',
    'held, sent': 'closed lock held v1, endEdit, flush, settle',
    waiting: 'closed v1 unguarded, endEdit, flush, settle',
  },
  cancel: {
    taking: 'closed lock asking v1 unguarded, cancelEdit, settle',
    'taking, typed': 'closed lock asking v1 unguarded, cancelEdit, settle',
    granted: 'closed lock held v1 unguarded, cancelEdit, settle',
    'granted, typed': 'closed lock held v1 unguarded, cancelEdit, settle',
    held: 'closed lock held v1, cancelEdit, settle',
    'held, typed': 'closed lock held v1, cancelEdit, settle',
    'held, sent': 'closed lock held v1, cancelEdit, write old now, settle',
    waiting: 'closed v1 unguarded, cancelEdit, settle',
  },
  relock: { waiting: 'waiting old>new v1 unguarded, take again' },
  adopt: {
    idle: 'closed v2 unguarded, write kept',
    taking: 'taking old>old lock asking v2 unguarded, write kept',
    'taking, typed': 'taking old>new lock asking v2 unguarded, write kept',
    granted: 'taking old>old lock held v2 unguarded, write kept',
    'granted, typed': 'taking old>new lock held v2 unguarded, write kept',
    held: 'held old>old lock held v2 unguarded, write kept',
    'held, typed': 'held old>new lock held v2 unguarded, write kept',
    'held, sent': 'held old>new sent lock held v2 unguarded, write kept',
    waiting: 'waiting old>new v2 unguarded, write kept',
    'left, unsaved': 'closed lock held v2 unguarded, write kept',
    'left, lock lost': 'closed v2 unguarded, write kept',
    'left, saved': 'closed lock held v2 unguarded, write kept',
    returned: 'closed returned v2 unguarded, write kept',
  },
  asked: {
    idle: 'closed lock asking',
    waiting: 'waiting old>new lock asking v1 unguarded',
    'left, lock lost': 'closed lock asking v1 unguarded',
    returned: 'closed lock asking returned',
  },
  granted: {
    taking: 'taking old>old lock held v1 unguarded',
    'taking, typed': 'taking old>new lock held v1 unguarded',
  },
  'askFailed, no network': {
    taking: 'taking old>old v1 unguarded',
    'taking, typed': 'taking old>new v1 unguarded',
  },
  'askFailed, held': {
    taking: 'taking old>old v1 unguarded',
    'taking, typed': 'taking old>new v1 unguarded',
  },
  'taken for the first time': {
    granted: 'held old>old lock held v1 unguarded, discard, compare and rebase, settle',
    'granted, typed': 'held old>new lock held v1 unguarded, compare, settle',
    held: 'held old>old lock held v1, discard, compare and rebase, settle',
    'held, typed': 'held old>new lock held v1, compare, settle',
    'held, sent': 'held old>new sent lock held v1, compare, settle',
    'left, unsaved': 'closed lock held v1, compare, settle',
    'left, saved': 'closed lock held v1, compare, settle',
  },
  'taken again': {
    granted: 'held old>old lock held v1 unguarded, settle',
    'granted, typed': 'held old>new lock held v1 unguarded, settle',
    held: 'held old>old lock held v1, settle',
    'held, typed': 'held old>new lock held v1, settle',
    'held, sent': 'held old>new sent lock held v1, settle',
    'left, unsaved': 'closed lock held v1, settle',
    'left, saved': 'closed lock held v1, settle',
  },
  'takeFailed, no network': {
    taking: 'waiting old>old lock asking v1 unguarded',
    'taking, typed': 'waiting old>new lock asking v1 unguarded',
  },
  'takeFailed, held': {
    taking: 'closed lock asking v1 unguarded, cancelEdit, settle, refuse undefined if saved',
    'taking, typed': 'closed lock asking v1 unguarded, cancelEdit, settle, refuse new if saved',
    waiting: 'closed v1 unguarded, cancelEdit, settle, refuse new if saved',
  },
  'compared, same version': {
    taking: 'taking old>old lock asking v1',
    'taking, typed': 'taking old>new lock asking v1',
    granted: 'taking old>old lock held v1',
    'granted, typed': 'taking old>new lock held v1',
    waiting: 'waiting old>new v1',
    'left, lock lost': 'closed v1',
  },
  'compared, newer version': {},
  'compared, rebased': {
    taking: 'taking theirs>theirs lock asking v2',
    'taking, typed': 'taking theirs>theirs lock asking v2',
    granted: 'taking theirs>theirs lock held v2',
    'granted, typed': 'taking theirs>theirs lock held v2',
    held: 'held theirs>theirs lock held v2',
    'held, typed': 'held theirs>theirs lock held v2',
    'held, sent': 'held theirs>theirs sent lock held v2',
    waiting: 'waiting theirs>theirs v2',
  },
  'compared, case gone': {},
  'leaseLost, taken over': {
    granted: 'closed v1 unguarded, cancelEdit, settle, refuse undefined if saved',
    'granted, typed': 'closed v1 unguarded, cancelEdit, settle, refuse new if saved',
    held: 'closed v1, cancelEdit, settle, refuse undefined if saved',
    'held, typed': 'closed v1, cancelEdit, settle, refuse new if saved',
    'held, sent': 'closed v1, cancelEdit, settle, refuse new if saved',
    'left, unsaved': 'closed v1, cancelEdit, settle, refuse new if saved',
    'left, saved': 'closed v1',
  },
  'leaseLost, refused': {
    granted: 'closed v1 unguarded, cancelEdit, settle, refuse undefined if saved',
    'granted, typed': 'closed v1 unguarded, cancelEdit, settle, refuse new if saved',
    held: 'closed v1, cancelEdit, settle, refuse undefined if saved',
    'held, typed': 'closed v1, cancelEdit, settle, refuse new if saved',
    'held, sent': 'closed v1, cancelEdit, settle, refuse new if saved',
    'left, unsaved': 'closed v1, cancelEdit, settle, refuse new if saved',
    'left, saved': 'closed v1',
  },
  'leaseLost, no answer in time': {
    granted: 'waiting old>old v1 unguarded',
    'granted, typed': 'waiting old>new v1 unguarded',
    held: 'waiting old>old v1 unguarded',
    'held, typed': 'waiting old>new v1 unguarded',
    'held, sent': 'waiting old>new sent v1 unguarded',
    'left, unsaved': 'closed v1 unguarded',
    'left, saved': 'closed v1',
  },
  'leaseLost, given back by the page': {
    granted: 'waiting old>old returned v1 unguarded',
    'granted, typed': 'waiting old>new returned v1 unguarded',
    held: 'waiting old>old returned v1 unguarded',
    'held, typed': 'waiting old>new returned v1 unguarded',
    'held, sent': 'waiting old>new sent returned v1 unguarded',
    'left, unsaved': 'closed returned v1 unguarded',
    'left, saved': 'closed returned v1',
  },
  sent: {
    taking: 'taking old>old sent lock asking v1 unguarded',
    'taking, typed': 'taking old>new sent lock asking v1 unguarded',
    granted: 'taking old>old sent lock held v1 unguarded',
    'granted, typed': 'taking old>new sent lock held v1 unguarded',
    held: 'held old>old sent lock held v1',
    'held, typed': 'held old>new sent lock held v1',
    waiting: 'waiting old>new sent v1 unguarded',
  },
  guarded: {
    taking: 'taking old>old lock asking v1',
    'taking, typed': 'taking old>new lock asking v1',
    granted: 'taking old>old lock held v1',
    'granted, typed': 'taking old>new lock held v1',
    waiting: 'waiting old>new v1',
    'left, lock lost': 'closed v1',
  },
  saveRefused: {
    idle: 'closed, cancelEdit, settle, refuse sent',
    taking: 'closed lock asking v1 unguarded, cancelEdit, settle, refuse old',
    'taking, typed': 'closed lock asking v1 unguarded, cancelEdit, settle, refuse new',
    granted: 'closed lock held v1 unguarded, cancelEdit, settle, refuse old',
    'granted, typed': 'closed lock held v1 unguarded, cancelEdit, settle, refuse new',
    held: 'closed lock held v1, cancelEdit, settle, refuse old',
    'held, typed': 'closed lock held v1, cancelEdit, settle, refuse new',
    'held, sent': 'closed lock held v1, cancelEdit, settle, refuse new',
    waiting: 'closed v1 unguarded, cancelEdit, settle, refuse new',
    'left, unsaved': 'closed lock held v1, cancelEdit, settle, refuse sent',
    'left, lock lost': 'closed v1 unguarded, cancelEdit, settle, refuse sent',
    'left, saved': 'closed lock held v1, cancelEdit, settle, refuse sent',
    returned: 'closed returned, cancelEdit, settle, refuse sent',
  },
  settled: { 'left, saved': 'closed returned, giveBack' },
  announcedReleased: { returned: 'closed' },
  announcedTaken: {
    granted: 'taking old>old lock held v1 unguarded, markTaken',
    'granted, typed': 'taking old>new lock held v1 unguarded, markTaken',
    held: 'held old>old lock held v1, markTaken',
    'held, typed': 'held old>new lock held v1, markTaken',
    'held, sent': 'held old>new sent lock held v1, markTaken',
    'left, unsaved': 'closed lock held v1, markTaken',
    'left, saved': 'closed lock held v1, markTaken',
    returned: 'closed',
  },
};

describe('The transition table of a field', () => {
  for (const input of Object.keys(inputs) as InputKey[]) {
    for (const state of Object.keys(states) as StateKey[]) {
      const expected = table[input][state];
      test(`${state} + ${input} -> ${expected ?? 'nothing'}`, () =>
        expect(outcome(states[state], inputs[input])).toBe(expected ?? wordsOf(states[state])));
    }
  }
});

describe('A field', () => {
  const context = { kind: 'email', unsaved: undefined } as const;

  test('with an unfinished value sends nothing until the user leaves it', () => {
    const typed = transition(field({ edit: edit(), lock: 'held' }), { type: 'type', value: 'ann@' }, context);
    expect(typed.effects).toEqual([{ type: 'discard' }]);
    const left = transition(typed.state, { type: 'commit' }, context);
    expect(left.effects.map(wordOf)).toEqual(['write ann@ now', 'endEdit', 'flush', 'settle']);
  });

  test('of a menu is saved at once', () => {
    const { effects } = transition(
      field({ edit: edit(), lock: 'held' }),
      { type: 'type', value: 'COMPLETED' },
      { kind: 'status', unsaved: undefined },
    );
    expect(effects.map(wordOf)).toEqual(['write COMPLETED now']);
  });
});
