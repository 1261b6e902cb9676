import { describe, expect, it } from 'vitest';
import { faultOf, stateOf, toneOf } from '../src/state/webhooks';
import type { Webhook } from '../src/api/types';

const base: Webhook = {
  id: 'w',
  url: 'https://example.com/hook',
  patterns: ['orders/**'],
  types: [],
  description: null,
  state: 'active',
  reason: null,
  owner: 'ann',
  maxPerSecond: 0,
  maxConcurrent: 4,
  createdAt: '2030-01-01T00:00:00Z',
  failingSince: null,
  fault: null,
  waiting: 0,
  dead: 0,
  position: null,
  lag: 0,
};

describe('state of a webhook', () => {
  it('is failing while an active webhook has no success', () => {
    const failing = { ...base, failingSince: '2030-01-01T00:00:00Z', fault: 'status 503' };
    expect([base, failing].map(stateOf)).toEqual(['active', 'failing']);
    expect([base, failing].map(toneOf)).toEqual(['good', 'warn']);
    expect([base, failing].map(faultOf)).toEqual(['', 'status 503']);
  });

  it('stays paused or disabled with a failure before', () => {
    const since = { failingSince: '2030-01-01T00:00:00Z', reason: 'The receiver answered 410 Gone.' };
    const [paused, disabled] = [
      { ...base, ...since, state: 'paused' } as const,
      { ...base, ...since, state: 'disabled' } as const,
    ];
    expect([stateOf(paused), stateOf(disabled)]).toEqual(['paused', 'disabled']);
    expect([toneOf(paused), toneOf(disabled)]).toEqual(['muted', 'bad']);
    expect(faultOf(disabled)).toBe('The receiver answered 410 Gone.');
  });
});
