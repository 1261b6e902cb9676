import { describe, expect, it } from 'vitest';
import { age, bytes, lag, milliseconds, pretty, rate, time } from '../src/state/formats';
import { hashOf, routeOf } from '../src/state/views';
import { figures } from '../src/state/figures';
import type { ClusterSample, NodeSample } from '../src/api/types';

describe('formats', () => {
  it('shows small and large numbers with the digits they need', () => {
    expect([0, 0.04, 0.5, 9.96, 1234].map(rate)).toEqual(['0', '0.04', '0.5', '10.0', '1,234']);
    expect([12, 2048, 5 * 1024 * 1024].map(bytes)).toEqual(['12 B', '2.0 KiB', '5.0 MiB']);
    expect([undefined, 0.5, 42, 2500].map(milliseconds)).toEqual(['–', '0.50 ms', '42 ms', '2.5 s']);
  });

  it('shows ages in the largest fitting unit', () => {
    const now = Date.parse('2030-01-02T00:00:00Z');
    expect(age('2030-01-01T23:59:30Z', now)).toBe('30 s');
    expect(age('2030-01-01T22:00:00Z', now)).toBe('2 h');
    expect(age('2030-01-03T00:00:00Z', now)).toBe('0 s');
    expect(time(undefined)).toBe('–');
  });

  it('leaves text that is no JSON unchanged', () => {
    expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(pretty('<b>')).toBe('<b>');
    expect(lag(5, 9)).toBe(0);
  });
});

describe('routes', () => {
  it('keeps a detail with slashes and special characters', () => {
    const detail = 'teams/7/a b%';
    expect(routeOf(hashOf('leases', detail))).toEqual({ view: 'leases', detail });
  });

  it('opens the overview for an unknown address', () => {
    expect(routeOf('#/nothing/x')).toEqual({ view: 'overview', detail: '' });
    expect(routeOf('#/topics/%E0%A4%A')).toEqual({ view: 'topics', detail: '' });
  });
});

describe('figures', () => {
  it('adds streams of all nodes and takes the largest rate of events', () => {
    const nodes = [
      { connections: 2, events: 5, p99: 3, deliveryLag: 40 },
      { connections: 3, events: 4, deliveryLag: 90 },
    ] as NodeSample[];
    const sample = { at: '', nodes, silent: [] } satisfies ClusterSample;
    expect(figures.connections(sample)).toBe(5);
    expect(figures.events(sample)).toBe(5);
    expect(figures.p99(sample)).toBe(3);
    expect(figures.deliveryLag(sample)).toBe(90);
    expect(figures.p50(sample)).toBeNull();
  });
});
