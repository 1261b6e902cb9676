// @vitest-environment happy-dom
import type { Requests } from '@dunlin/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FactApi } from '../src/api/facts';
import { systems } from '../src/state/systems';
import { clock, createTile } from '../src/ui/tile';

/** Answers by path. Each value is the body of the next answer. */
function api(answers: Record<string, unknown[]>) {
  const sent: unknown[] = [];
  const send = (_method: string, path: string, options?: { body?: unknown }) => {
    sent.push(options?.body);
    return Promise.resolve({ body: answers[path]!.shift() });
  };
  return { api: new FactApi({ send } as unknown as Requests, 'group'), sent };
}

const put = (key: string, value: object) => ({ op: 'put', key, value });

describe('The facts', () => {
  test('of todos count open entries from the changes since the last pull', async () => {
    const { api: facts, sent } = api({
      '/api/v1/replicache/pull': [
        {
          cookie: 1,
          patch: [
            put('list/a', {}),
            put('task/a/1', { done: false }),
            put('task/a/2', { done: true }),
            put('item/b/1', { bought: false }),
          ],
        },
        { cookie: 2, patch: [{ op: 'del', key: 'item/b/1' }, put('invitation/c', {})] },
        { cookie: 3, patch: [{ op: 'clear' }] },
      ],
    });
    expect((await facts.todos()).text).toBe('2 open entries');
    expect((await facts.todos()).text).toBe('1 open entry, 1 invitation');
    expect((await facts.todos()).text).toBe('0 open entries');
    expect(sent.map((body) => (body as { cookie: unknown }).cookie)).toEqual([null, 1, 2]);
  });

  test('of focus name the running timer or the open tasks', async () => {
    const timer = { taskTitle: 'Plan', plannedEndTime: null, remainingMs: 5000 };
    const { api: facts } = api({
      '/api/timer': [
        { timer: { ...timer, status: 'running' } },
        { timer: { ...timer, status: 'paused' } },
        { timer: { ...timer, status: 'break' } },
        { timer: null },
      ],
      '/api/tasks': [{ items: [{ isDone: true }, { isDone: false }] }],
    });
    expect(await facts.focus()).toEqual({ text: 'Plan', leftMs: 5000 });
    expect(await facts.focus()).toEqual({ text: 'Plan: paused' });
    expect(await facts.focus()).toEqual({ text: 'Break', leftMs: 5000 });
    expect(await facts.focus()).toEqual({ text: 'No timer runs, 1 open task' });
  });
});

describe('A tile', () => {
  beforeEach(() => {
    vi.stubGlobal('__SYSTEMS__', ['warranty', 'focus']);
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });
  const tileOf = (name: string) => createTile(systems.find((system) => system.name === name)!);
  const href = (tile: ReturnType<typeof tileOf>) =>
    tile.element.querySelector<HTMLAnchorElement>('a')?.getAttribute('href');
  const fact = (tile: ReturnType<typeof tileOf>) => {
    const said = tile.element.querySelector<HTMLElement>('.card-fact')!;
    return said.hidden ? undefined : said.textContent;
  };

  test('leads to the part of the user, or nowhere', () => {
    const tile = tileOf('warranty');
    expect([href(tile), fact(tile)]).toEqual(['/branch', undefined]);
    tile.show({ text: 'Third branch: 20 cases', address: '/branch/3' });
    expect([href(tile), fact(tile)]).toEqual(['/branch/3', 'Third branch: 20 cases']);
    tile.show({ text: 'You belong to no branch', address: null });
    expect([href(tile), fact(tile)]).toEqual([undefined, 'You belong to no branch']);
    tile.show(undefined);
    expect([href(tile), fact(tile)]).toEqual(['/branch', undefined]);
  });

  test('counts a running timer down until another fact comes', () => {
    const tile = tileOf('focus');
    tile.show({ text: 'Plan', leftMs: 65_000 });
    expect(fact(tile)).toBe('Plan: 1:05 left');
    vi.advanceTimersByTime(6000);
    expect(fact(tile)).toBe('Plan: 0:59 left');
    tile.show({ text: 'Plan: paused' });
    vi.advanceTimersByTime(6000);
    expect([fact(tile), vi.getTimerCount()]).toEqual(['Plan: paused', 0]);
  });

  test('shows hours, and zero when the time is over', () => {
    expect([clock(3_723_000), clock(59_001), clock(-5)]).toEqual(['1:02:03', '1:00', '0:00']);
  });
});
