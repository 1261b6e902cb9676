import { describe, expect, test } from 'vitest';
import { Confirmed } from '../../src/store/confirmed';

describe('An answer without a version', () => {
  test('is taken if nothing arrived since its request', () => {
    const confirmed = new Confirmed({ title: 'old' }, { version: undefined, sequence: 5 });
    confirmed.take({ title: 'answer' }, { version: undefined, since: 5 }, 6, false);
    expect(confirmed.record).toEqual({ title: 'answer' });
  });

  test('is dropped if an event arrived after its request', () => {
    const confirmed = new Confirmed({ title: 'event' }, { version: undefined, sequence: 5 });
    confirmed.take({ title: 'answer' }, { version: undefined, since: 4 }, 6, false);
    expect(confirmed.record).toEqual({ title: 'event' });
  });
});
