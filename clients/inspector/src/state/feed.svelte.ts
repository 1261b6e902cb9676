import type { StreamFrame } from '@dunlin/client';
import { ApiError } from '../api/api';
import type { ClusterSample } from '../api/types';

/** Samples that the plots show. */
const SHOWN = 300;
/** Pause before the next attempt, in milliseconds. It doubles up to the second value. */
const PAUSE_MS = 500;
const MAX_PAUSE_MS = 8000;

export type FeedState = 'connecting' | 'live' | 'lost' | 'refused';

type Open = (onFrame: (frame: StreamFrame) => void, signal: AbortSignal) => Promise<void>;

/** The live samples. Opens the stream again when it ends, and pauses while the page is hidden. */
export class Feed {
  samples = $state.raw<readonly ClusterSample[]>([]);
  state = $state<FeedState>('connecting');
  error = $state.raw<ApiError | undefined>(undefined);
  readonly #open: Open;
  readonly #onRefused: (error: ApiError) => void;
  #end: AbortController | undefined;
  #wake: (() => void) | undefined;

  constructor(open: Open, onRefused: (error: ApiError) => void) {
    this.#open = open;
    this.#onRefused = onRefused;
  }

  get latest(): ClusterSample | undefined {
    return this.samples.at(-1);
  }

  start(): void {
    if (this.#end) return;
    this.#end = new AbortController();
    void this.#run(this.#end.signal);
  }

  /** Closes the stream. The server stops to measure when the last viewer has left. */
  stop(): void {
    this.#end?.abort();
    this.#end = undefined;
    this.#wake?.();
  }

  /** Tries again now. */
  retry(): void {
    this.#wake?.();
  }

  async #run(signal: AbortSignal): Promise<void> {
    let pause = PAUSE_MS;
    while (!signal.aborted) {
      try {
        await this.#open((frame) => {
          pause = PAUSE_MS;
          this.#take(frame);
        }, signal);
        // The server ends each stream after a minute: open the next one at once.
        continue;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
          this.state = 'refused';
          this.error = error;
          this.#onRefused(error);
          return;
        }
        this.state = 'lost';
        this.error = error instanceof ApiError ? error : new ApiError(0, 'The connection was lost.');
      }
      await this.#sleep(pause);
      pause = Math.min(pause * 2, MAX_PAUSE_MS);
    }
  }

  #take({ type, data }: StreamFrame): void {
    if (type === 'history') {
      const history = JSON.parse(data) as ClusterSample[];
      // A stream that continues brings the samples that this page already has.
      if (history.length > 0) this.samples = history.slice(-SHOWN);
    } else if (type === 'sample') {
      this.samples = [...this.samples, JSON.parse(data) as ClusterSample].slice(-SHOWN);
    }
    this.state = 'live';
    this.error = undefined;
  }

  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
