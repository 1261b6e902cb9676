import { describe, expect, test } from 'vitest';
import { backoffMs } from '../../src/connection/backoff';
import { transition, type ConnectionInput, type ConnectionState } from '../../src/connection/state';
import type { Problem } from '../../src/http/problem';

const states = {
  closed: { name: 'closed', stream: 0, attempt: 0, suspended: false },
  suspended: { name: 'closed', stream: 3, attempt: 0, suspended: true },
  connecting: { name: 'connecting', stream: 3, attempt: 2, refresh: false },
  live: { name: 'live', stream: 3, attempt: 2, connectionId: 'c' },
  waiting: { name: 'waiting', stream: 3, attempt: 2, delayMs: 900, serverMandated: false, refresh: false },
  serverMandated: {
    name: 'waiting',
    stream: 3,
    attempt: 2,
    delayMs: 900,
    serverMandated: true,
    refresh: false,
  },
  offline: { name: 'offline', stream: 3, attempt: 2, delayMs: 30000 },
  signedOut: { name: 'signedOut', stream: 3, attempt: 0, reason: 'unauthorized' },
} satisfies Record<string, ConnectionState>;

type StateKey = keyof typeof states;

const network: Problem = { kind: 'network', code: 'network', title: '' };
const busy: Problem = { kind: 'busy', code: 'busy', title: '', retryAfterMs: 7000 };
const signedOut: Problem = { kind: 'signedOut', code: 'signedOut', title: '' };
const forbidden: Problem = { kind: 'forbidden', code: 'forbidden', title: '' };

const failed = (problem: Problem, steady = false, stream = 3): ConnectionInput => ({
  type: 'failed',
  stream,
  problem,
  steady,
});
const goodbye = (reason: string, reconnectInMs?: number, steady = true): ConnectionInput => ({
  type: 'goodbye',
  stream: 3,
  reason,
  reconnectInMs,
  steady,
});

/** Expected next state. `same`: the identical object. */
const table: [StateKey, ConnectionInput, 'same' | (Partial<ConnectionState> & Record<string, unknown>)][] = [
  ['closed', { type: 'connect' }, { name: 'connecting', stream: 1, attempt: 0 }],
  ['suspended', { type: 'connect' }, { name: 'connecting', stream: 4 }],
  ['signedOut', { type: 'connect' }, { name: 'connecting', stream: 4 }],
  ['connecting', { type: 'connect' }, 'same'],
  ['live', { type: 'connect' }, 'same'],
  ['waiting', { type: 'connect' }, 'same'],
  ['offline', { type: 'connect' }, 'same'],

  ['connecting', { type: 'disconnect' }, { name: 'closed', suspended: false }],
  ['live', { type: 'disconnect' }, { name: 'closed', suspended: false }],
  ['waiting', { type: 'disconnect' }, { name: 'closed' }],
  ['offline', { type: 'disconnect' }, { name: 'closed' }],
  ['suspended', { type: 'disconnect' }, { name: 'closed', suspended: false }],
  ['signedOut', { type: 'disconnect' }, 'same'],
  ['closed', { type: 'disconnect' }, 'same'],

  [
    'connecting',
    { type: 'opened', stream: 3, connectionId: 'd' },
    { name: 'live', stream: 3, attempt: 2, connectionId: 'd' },
  ],
  ['connecting', { type: 'opened', stream: 2 }, 'same'],
  ['live', { type: 'opened', stream: 3, connectionId: 'c' }, 'same'],
  ['live', { type: 'opened', stream: 3, connectionId: 'e' }, { name: 'live', stream: 3, connectionId: 'e' }],
  ['waiting', { type: 'opened', stream: 3 }, 'same'],

  ['live', { type: 'reconnect' }, { name: 'connecting', stream: 4, attempt: 2 }],
  ['connecting', { type: 'reconnect' }, { name: 'connecting', stream: 4 }],
  ['waiting', { type: 'reconnect' }, 'same'],
  ['signedOut', { type: 'reconnect' }, 'same'],

  ['connecting', failed(network), { name: 'waiting', attempt: 3, delayMs: 4000, serverMandated: false }],
  ['live', failed(network, true), { name: 'waiting', attempt: 1, delayMs: 1000 }],
  ['live', failed(network, false, 2), 'same'],
  ['waiting', failed(network), 'same'],
  ['closed', failed(network), 'same'],
  ['connecting', failed(busy), { name: 'waiting', delayMs: 8000, serverMandated: true }],
  ['connecting', failed(signedOut), { name: 'signedOut', reason: 'unauthorized' }],
  ['connecting', failed(forbidden), { name: 'closed', suspended: false, problem: forbidden }],

  ['live', goodbye('draining', 1234), { name: 'waiting', delayMs: 1234, serverMandated: true }],
  ['live', goodbye('slow', 0), { name: 'waiting', delayMs: 0 }],
  ['live', goodbye('draining'), { name: 'waiting', delayMs: 1000, serverMandated: false }],
  ['live', goodbye('a reason of a later version', 5), { name: 'waiting', delayMs: 5 }],
  ['live', goodbye('signedOut'), { name: 'signedOut', reason: 'signedOut' }],
  ['live', goodbye('revoked'), { name: 'signedOut', reason: 'revoked' }],
  ['live', goodbye('tokenExpired'), { name: 'connecting', stream: 4, refresh: true }],
  ['live', goodbye('tokenExpired', undefined, false), { name: 'waiting', refresh: true, delayMs: 4000 }],
  ['waiting', goodbye('revoked'), 'same'],

  ['waiting', { type: 'due' }, { name: 'connecting', stream: 4, attempt: 2 }],
  ['serverMandated', { type: 'due' }, { name: 'connecting', stream: 4 }],
  ['offline', { type: 'due' }, { name: 'connecting', stream: 4 }],
  ['live', { type: 'due' }, 'same'],

  ['waiting', { type: 'visible' }, { name: 'connecting', stream: 4 }],
  ['waiting', { type: 'online' }, { name: 'connecting', stream: 4 }],
  ['serverMandated', { type: 'visible' }, 'same'],
  ['serverMandated', { type: 'online' }, 'same'],
  ['offline', { type: 'online' }, { name: 'connecting', stream: 4 }],
  ['live', { type: 'visible' }, 'same'],
  ['signedOut', { type: 'visible' }, 'same'],
  ['signedOut', { type: 'online' }, 'same'],
  ['closed', { type: 'online' }, 'same'],
  ['suspended', { type: 'online' }, 'same'],

  ['live', { type: 'offline' }, { name: 'offline' }],
  ['connecting', { type: 'offline' }, { name: 'offline' }],
  ['waiting', { type: 'offline' }, { name: 'offline' }],
  ['offline', { type: 'offline' }, 'same'],
  ['closed', { type: 'offline' }, 'same'],
  ['signedOut', { type: 'offline' }, 'same'],

  ['live', { type: 'suspend' }, { name: 'closed', suspended: true }],
  ['waiting', { type: 'suspend' }, { name: 'closed', suspended: true }],
  ['closed', { type: 'suspend' }, 'same'],
  ['signedOut', { type: 'suspend' }, 'same'],
  ['suspended', { type: 'resume' }, { name: 'connecting', stream: 4 }],
  ['closed', { type: 'resume' }, 'same'],
  ['signedOut', { type: 'resume' }, 'same'],

  ['live', { type: 'signOut', reason: 'signedOut' }, { name: 'signedOut', reason: 'signedOut' }],
  ['waiting', { type: 'signOut', reason: 'revoked' }, { name: 'signedOut', reason: 'revoked' }],
];

describe('The transition table', () => {
  for (const [from, input, expected] of table) {
    const detail =
      'reason' in input ? ` ${input.reason}` : 'problem' in input ? ` ${input.problem.kind}` : '';
    const to = expected === 'same' ? 'nothing' : JSON.stringify(expected);
    test(`${from} + ${input.type}${detail} -> ${to}`, () => {
      const state = states[from];
      const next = transition(state, input, { random: 1, online: true });
      if (expected === 'same') expect(next).toBe(state);
      else expect(next).toMatchObject(expected);
    });
  }

  test('a network failure means offline when the browser reports it', () => {
    const next = transition(states.connecting, failed(network), { random: 1, online: false });
    expect(next).toMatchObject({ name: 'offline', delayMs: 30000 });
  });

  test('a visible page does not leave offline without a network', () => {
    expect(transition(states.offline, { type: 'visible' }, { random: 1, online: false })).toBe(
      states.offline,
    );
  });

  test('retry: applies after a steady stream, and the backoff afterwards', () => {
    const context = { random: 1, online: true, retryMs: 2718 };
    const first = transition(states.live, failed(network, true), context);
    expect(first).toMatchObject({ delayMs: 2718, attempt: 1 });
    const again = transition({ ...states.connecting, attempt: 1 }, failed(network), context);
    expect(again).toMatchObject({ delayMs: 2000, attempt: 2 });
  });

  test('a connection retries for ever', () => {
    let state: ConnectionState = states.connecting;
    for (let round = 0; round < 1000; round++) {
      state = transition(state, failed(network, false, state.stream), { random: 1, online: true });
      expect(state.name).toBe('waiting');
      state = transition(state, { type: 'due' }, { random: 1, online: true });
      expect(state.name).toBe('connecting');
    }
  });
});

describe('Backoff', () => {
  test('the upper bounds are 1, 2, 4, 8, 16 and then always 30 seconds', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 500].map((attempt) => backoffMs(attempt, 1))).toEqual([
      1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000,
    ]);
  });

  test('the jitter is full: uniform between 0 and the upper bound', () => {
    expect([0, 0.25, 0.5, 1].map((random) => backoffMs(3, random))).toEqual([0, 2000, 4000, 8000]);
  });
});
