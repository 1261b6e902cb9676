import { describe, expect, test } from 'vitest';
import type { ConnectionState } from '../../src/connection/state';
import type { Problem } from '../../src/http/problem';
import type { LeaderNews, TabMessage } from '../../src/tabs/messages';
import {
  CONNECTING,
  INITIAL_TAB,
  SUSPENDED,
  transition,
  type TabContext,
  type TabEffect,
  type TabInput,
  type TabState,
} from '../../src/tabs/state';

const context: TabContext = { tab: 'me', topics: ['a'], now: 1_000_000 };
const live: ConnectionState = { name: 'live', stream: 1, attempt: 0, connectionId: 'c' };
const forbidden: Problem = { kind: 'forbidden', code: 'forbidden', title: '' };

const working = { connection: CONNECTING, term: 3, leaderTab: 'them', position: 'e-5' } as const;
const attached = { connection: live, isAttached: true } as const;

const states = {
  off: INITIAL_TAB,
  suspended: { ...INITIAL_TAB, connection: SUSPENDED },
  follower: { ...INITIAL_TAB, ...working, role: 'follower' },
  attached: { ...INITIAL_TAB, ...working, ...attached, role: 'follower' },
  leader: { ...INITIAL_TAB, ...working, ...attached, role: 'leader', leaderTab: 'me' },
  alone: { ...INITIAL_TAB, ...working, ...attached, role: 'alone', leaderTab: 'me' },
} satisfies Record<string, TabState>;

const from = (news: LeaderNews, term = 3, leader = 'them'): TabInput => ({
  type: 'message',
  message: { kind: 'leader', term, leader, news },
});
const frame = (position: string, previous: string, topic = 'a'): LeaderNews => ({
  kind: 'frame',
  frame: { type: 't', data: '1', topic, position, previous },
});
const news = (told: LeaderNews): TabInput => ({ type: 'news', news: told });
const message = (sent: TabMessage): TabInput => ({ type: 'message', message: sent });
const stateNews = (state: ConnectionState, position = 'e-5', topics = ['a', 'b']): LeaderNews => ({
  kind: 'state',
  state,
  position,
  topics,
});

const inputs = {
  connect: { type: 'connect' },
  disconnect: { type: 'disconnect' },
  pagehide: { type: 'pagehide' },
  visible: { type: 'visible' },
  'pageshow, new': { type: 'pageshow', persisted: false },
  'pageshow, restored': { type: 'pageshow', persisted: true },
  signOut: { type: 'signOut', reason: 'signedOut' },
  elected: { type: 'elected' },
  deposed: { type: 'deposed' },
  unavailable: { type: 'unavailable' },
  beat: { type: 'beat' },
  'outdo, due': { type: 'outdo', term: 3 },
  'outdo, late': { type: 'outdo', term: 2 },
  'message here': message({ kind: 'here', tab: 'other', topics: ['b'] }),
  'message here of a higher term': message({ kind: 'here', tab: 'other', topics: ['b'], term: 4 }),
  'message here of the same term': message({ kind: 'here', tab: 'other', topics: ['b'], term: 3 }),
  'message bye': message({ kind: 'bye', tab: 'other' }),
  'message wake': message({ kind: 'wake' }),
  'message signOut': message({ kind: 'signOut', reason: 'revoked' }),
  'next frame of another leader': from(frame('e-6', 'e-5')),
  'known frame of another leader': from(frame('e-5', 'e-4')),
  'frame after a gap of another leader': from(frame('e-8', 'e-7')),
  'frame of another epoch of another leader': from(frame('f-2', 'f-1')),
  'frame of another topic of another leader': from(frame('e-6', 'e-5', 'b')),
  'frame of a former leader': from(frame('e-6', 'e-5'), 2),
  'frame of a new leader': from(frame('e-6', 'e-5'), 4, 'third'),
  'position of another leader': from({ kind: 'position', position: 'e-6', previous: 'e-5' }),
  'reset of another leader': from({ kind: 'reset', reset: { reason: 'trimmed', position: 'e-9' } }),
  'live of another leader': from(stateNews(live)),
  'live, further on': from(stateNews(live, 'e-9')),
  'live, another epoch': from(stateNews(live, 'f-1')),
  'live without our topics': from(stateNews(live, 'e-5', ['b'])),
  'closed of another leader': from(stateNews(states.off.connection)),
  'closed with a problem': from(
    stateNews({ ...SUSPENDED, suspended: false, problem: forbidden } as ConnectionState),
  ),
  'refused topic of ours': from({ kind: 'refused', topic: 'a', problem: forbidden }),
  'refused topic of others': from({ kind: 'refused', topic: 'b', problem: forbidden }),
  'full for us': from({ kind: 'full', tab: 'me' }),
  'full for others': from({ kind: 'full', tab: 'other' }),
  'next frame of the own stream': news(frame('e-6', 'e-5')),
  'signedOut of the own stream': news(
    stateNews({ name: 'signedOut', stream: 1, attempt: 0, reason: 'revoked' }),
  ),
} satisfies Record<string, TabInput>;

/** Returns one word for an effect. */
function wordOf(effect: TabEffect): string {
  switch (effect.type) {
    case 'post':
      return `post ${effect.message.kind}${'behind' in effect.message && effect.message.behind ? ' behind' : ''}`;
    case 'election':
    case 'leader':
    case 'receiver':
      return effect.call;
    case 'announce':
      return `-> ${effect.state.name}`;
    case 'lead':
      return `lead ${effect.tabs.map(({ tab }) => tab).join('+')} from ${effect.position}`;
    default:
      return effect.type;
  }
}

function outcome(state: TabState, input: TabInput): string {
  const before = structuredClone(state);
  const next = transition(state, input, context);
  expect(state).toEqual(before);
  return [unchanged(next.state), ...next.effects.map(wordOf)].join(', ');
}

function unchanged({ role, term, position }: TabState): string {
  return role === 'off' ? role : `${role} ${term} ${position}`;
}

type StateKey = keyof typeof states;
type InputKey = keyof typeof inputs;

/** Role, term and position after the input, then the effects. A state that is not listed stays unchanged, without effects. */
const table: Record<InputKey, Partial<Record<StateKey, string>>> = {
  connect: {
    off: 'follower 0 undefined, enter, post here, beat, -> connecting',
    suspended: 'follower 0 undefined, enter, post here, beat, -> connecting',
  },
  disconnect: {
    suspended: 'off, -> closed',
    follower: 'off, post bye, leave, -> closed',
    attached: 'off, post bye, leave, -> closed',
    leader: 'off, post bye, leave, -> closed',
    alone: 'off, leave, -> closed',
  },
  pagehide: {
    follower: 'off, post bye, leave, -> closed',
    attached: 'off, post bye, leave, -> closed',
    leader: 'off, post bye, leave, -> closed',
    alone: 'off, leave, -> closed',
  },
  visible: {
    follower: 'follower 3 e-5, post wake',
    attached: 'follower 3 e-5, post wake',
    leader: 'leader 3 e-5, post wake',
  },
  'pageshow, new': {},
  'pageshow, restored': { suspended: 'follower 0 undefined, enter, post here, beat, -> connecting' },
  signOut: {
    off: 'off, signOut, leave, -> signedOut',
    suspended: 'off, signOut, leave, -> signedOut',
    follower: 'off, signOut, post bye, leave, -> signedOut',
    attached: 'off, signOut, post bye, leave, -> signedOut',
    leader: 'off, signOut, post bye, leave, -> signedOut',
    alone: 'off, signOut, leave, -> signedOut',
  },
  elected: { follower: 'leader 4 e-5, lead me from e-5', attached: 'leader 4 e-5, lead me from e-5' },
  deposed: { leader: 'follower 3 e-5, stop, enter, post here' },
  unavailable: {
    follower: 'alone 3 e-5, leave, lead me from e-5',
    attached: 'alone 3 e-5, leave, lead me from e-5',
  },
  beat: {
    follower: 'follower 3 e-5, beat, post here',
    attached: 'follower 3 e-5, beat, post here',
    leader: 'leader 3 e-5, beat, prune',
    alone: 'alone 3 e-5, beat, prune',
  },
  'outdo, due': { leader: 'leader 4 e-5, tellState' },
  'outdo, late': {},
  'message here': { leader: 'leader 3 e-5, heard, tellState' },
  'message here of a higher term': { leader: 'leader 3 e-5, heard, tellState, outdo' },
  'message here of the same term': { leader: 'leader 3 e-5, heard, tellState' },
  'message bye': { leader: 'leader 3 e-5, forget' },
  'message wake': { leader: 'leader 3 e-5, wake', alone: 'alone 3 e-5, wake' },
  'message signOut': {
    follower: 'off, post bye, leave, -> signedOut',
    attached: 'off, post bye, leave, -> signedOut',
    leader: 'off, post bye, leave, -> signedOut',
    alone: 'off, leave, -> signedOut',
  },
  'next frame of another leader': { attached: 'follower 3 e-6, receive', leader: 'leader 3 e-5, outdo' },
  'known frame of another leader': { leader: 'leader 3 e-5, outdo' },
  'frame after a gap of another leader': {
    attached: 'follower 3 e-5, post here behind',
    leader: 'leader 3 e-5, outdo',
  },
  'frame of another epoch of another leader': {
    attached: 'follower 3 f-2, reset, receive',
    leader: 'leader 3 e-5, outdo',
  },
  'frame of another topic of another leader': { attached: 'follower 3 e-6', leader: 'leader 3 e-5, outdo' },
  'frame of a former leader': {},
  'frame of a new leader': {
    follower: 'follower 4 e-5, post here',
    attached: 'follower 4 e-5, post here',
    leader: 'leader 3 e-5, outdo',
  },
  'position of another leader': { attached: 'follower 3 e-6', leader: 'leader 3 e-5, outdo' },
  'reset of another leader': { attached: 'follower 3 e-9, reset', leader: 'leader 3 e-5, outdo' },
  'live of another leader': { follower: 'follower 3 e-5, -> live', leader: 'leader 3 e-5, outdo' },
  'live, further on': {
    follower: 'follower 3 e-5, post here behind, -> live',
    attached: 'follower 3 e-5, post here behind',
    leader: 'leader 3 e-5, outdo',
  },
  'live, another epoch': {
    follower: 'follower 3 f-1, reset, -> live',
    attached: 'follower 3 f-1, reset',
    leader: 'leader 3 e-5, outdo',
  },
  'live without our topics': {
    attached: 'follower 3 e-5, post here, -> connecting',
    leader: 'leader 3 e-5, outdo',
  },
  'closed of another leader': { leader: 'leader 3 e-5, outdo' },
  'closed with a problem': {
    follower: 'off, post bye, leave, -> closed',
    attached: 'off, post bye, leave, -> closed',
    leader: 'leader 3 e-5, outdo',
  },
  'refused topic of ours': {
    follower: 'off, post bye, leave, -> closed',
    attached: 'off, post bye, leave, -> closed',
    leader: 'leader 3 e-5, outdo',
  },
  'refused topic of others': { leader: 'leader 3 e-5, outdo' },
  'full for us': {
    follower: 'alone 3 e-5, leave, lead me from e-5',
    attached: 'alone 3 e-5, leave, lead me from e-5',
    leader: 'leader 3 e-5, outdo',
  },
  'full for others': { leader: 'leader 3 e-5, outdo' },
  'next frame of the own stream': {
    leader: 'leader 3 e-6, post leader, receive',
    alone: 'alone 3 e-6, receive',
  },
  'signedOut of the own stream': {
    leader: 'off, post leader, post signOut, post bye, leave, -> signedOut',
    alone: 'off, leave, -> signedOut',
  },
};

describe('The transition table of a tab', () => {
  for (const input of Object.keys(table) as InputKey[]) {
    for (const state of Object.keys(states) as StateKey[]) {
      const expected = table[input][state];
      test(`${state} + ${input} -> ${expected ?? 'nothing'}`, () =>
        expect(outcome(states[state], inputs[input])).toBe(expected ?? unchanged(states[state])));
    }
  }
});

describe('A tab', () => {
  test('leads for all known tabs except closed ones and the former leader', () => {
    const heardAt = { fresh: context.now - 1000, old: context.now - 180_001, them: context.now };
    const others = Object.fromEntries(
      Object.entries(heardAt).map(([tab, at]) => [tab, { topics: [tab], heardAt: at }]),
    );
    const { state, effects } = transition({ ...states.follower, others }, { type: 'elected' }, context);
    expect(effects.map(wordOf)).toEqual(['lead me+fresh from e-5']);
    expect(state).toMatchObject({ role: 'leader', term: 4, leaderTab: 'me' });
  });

  test('leads in a term that exceeds those of all other tabs', () => {
    const others = { other: { topics: ['b'], term: 7, heardAt: context.now } };
    const { state } = transition({ ...states.follower, others }, { type: 'elected' }, context);
    expect(state).toMatchObject({ role: 'leader', term: 8 });
  });

  test('that returns forgets the tabs that may have left meanwhile', () => {
    const others = { other: { topics: ['b'], heardAt: context.now } };
    const { state } = transition({ ...states.suspended, others }, inputs['pageshow, restored'], context);
    expect(state).toMatchObject({ role: 'follower', others: {} });
    expect(state.others).toEqual({});
  });

  test('requests one replay per position and beat', () => {
    const gap = from(frame('e-8', 'e-7'));
    const first = transition(states.attached, gap, context);
    const second = transition(first.state, gap, context);
    const third = transition(transition(second.state, { type: 'beat' }, context).state, gap, context);
    expect([first, second, third].map(({ effects }) => effects.map(wordOf))).toEqual([
      ['post here behind'],
      [],
      ['post here behind'],
    ]);
  });

  test('takes the lead after four beats of silence', () => {
    let state: TabState = states.attached;
    const words: string[][] = [];
    for (let beat = 0; beat < 4; beat++) {
      const next = transition(state, { type: 'beat' }, context);
      state = next.state;
      words.push(next.effects.map(wordOf));
    }
    expect(words).toEqual([
      ['beat', 'post here'],
      ['beat', 'post here'],
      ['beat', 'post here'],
      ['beat', 'steal'],
    ]);
  });

  test('takes the position of the leader when it has none', () => {
    const { state } = transition(
      { ...states.follower, position: undefined },
      from(stateNews(live, 'e-7')),
      context,
    );
    expect(state).toMatchObject({ position: 'e-7', isAttached: true, connection: live });
  });
});
