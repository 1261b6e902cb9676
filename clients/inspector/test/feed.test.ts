import { describe, expect, it, vi } from 'vitest';
import { ApiError } from '../src/api/api';
import { Feed } from '../src/state/feed.svelte';

type Open = ConstructorParameters<typeof Feed>[0];
const frame = (type: string, data: unknown) => ({ type, data: JSON.stringify(data), lastEventId: '' });
const sample = (at: string) => ({ at, nodes: [], silent: [] });
const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

describe('Feed', () => {
  it('opens the stream again at once when the server ends it', async () => {
    let opened = 0;
    const open: Open = async (onFrame, signal) => {
      opened++;
      onFrame(frame('sample', sample(String(opened))));
      if (opened === 2) await untilAborted(signal);
    };
    const feed = new Feed(open, () => {});
    feed.start();
    await vi.waitFor(() => expect(feed.samples.map(({ at }) => at)).toEqual(['1', '2']));
    expect(feed.state).toBe('live');
    feed.stop();
  });

  it('reports a refusal once and does not try again', async () => {
    const refused = vi.fn();
    let opened = 0;
    const feed = new Feed(() => {
      opened++;
      return Promise.reject(new ApiError(403, 'no'));
    }, refused);
    feed.start();
    await vi.waitFor(() => expect(feed.state).toBe('refused'));
    expect(refused).toHaveBeenCalledOnce();
    expect(opened).toBe(1);
  });

  it('keeps its samples while the server is away and retries on request', async () => {
    let opened = 0;
    const open: Open = async (onFrame, signal) => {
      opened++;
      if (opened === 2) throw new ApiError(0, 'away');
      onFrame(frame('history', [sample('a')]));
      if (opened > 2) await untilAborted(signal);
    };
    const feed = new Feed(open, () => {});
    feed.start();
    await vi.waitFor(() => expect(feed.state).toBe('lost'));
    expect(feed.latest?.at).toBe('a');
    expect(feed.error?.message).toBe('away');
    feed.retry();
    await vi.waitFor(() => expect(opened).toBe(3));
    expect(feed.state).toBe('live');
    feed.stop();
  });
});
