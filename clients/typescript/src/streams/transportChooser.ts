import type { Cancel, Environment } from '../environment.js';
import { StreamMoved } from './moved.js';
import { isStream, type Fetch } from './streamResponse.js';
import { TransportMemory } from './transportMemory.js';
import {
  FIRST_BYTES_MS,
  TRANSPORTS,
  transition,
  type TransportInput,
  type TransportName,
  type TransportState,
} from './transportState.js';

export interface TransportChooserOptions {
  readonly environment: Environment;
  readonly base: string;
  /** Opens streams of server-sent events. */
  readonly sse: Fetch;
  /** Sends other requests. */
  readonly fetch: Fetch;
  /** The transports that may be used, in any order. */
  readonly allowed: readonly TransportName[];
}

/** A stream that does not use the best transport. */
type Ending = () => void;

const DEFAULT_HEARTBEAT = 15;

/**
 * Opens event streams over the best transport that delivers bytes. `fetch` has the signature of the browser's, and feeds do not know which
 * transport carries their bytes.
 *
 * A stream without a first byte after `FIRST_BYTES_MS` is opened over the next transport. What worked is remembered for the network. After
 * `retryMs` all streams move to the best transport again, and fall back if it still fails.
 */
export class TransportChooser {
  readonly #options: TransportChooserOptions;
  readonly #memory: TransportMemory;
  readonly #allowed: readonly TransportName[];
  readonly #listeners = new Set<(transport: TransportName) => void>();
  readonly #fallen = new Set<Ending>();
  #state: TransportState;
  #stopRetry: Cancel | undefined;

  constructor(options: TransportChooserOptions) {
    this.#options = options;
    const { environment, base, allowed } = options;
    this.#memory = new TransportMemory(environment, base);
    this.#allowed = TRANSPORTS.filter(
      (name) => allowed.includes(name) && (name !== 'webSocket' || environment.openSocket),
    );
    this.#state = { transport: this.#best };
    const remembered = this.#memory.read(this.#allowed);
    if (remembered) this.#apply({ type: 'opened', transport: remembered });
  }

  /** The transport of the streams that were opened last. */
  get transport(): TransportName {
    return this.#state.transport;
  }

  onChange(listener: (transport: TransportName) => void): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  readonly fetch = async (
    url: string,
    init: RequestInit,
    heartbeatSeconds = DEFAULT_HEARTBEAT,
  ): Promise<Response> => {
    const from = Math.max(0, this.#allowed.indexOf(this.#state.transport));
    for (const name of this.#allowed.slice(from, -1)) {
      const opened = await this.#open(name, url, init, heartbeatSeconds);
      if (opened) return opened;
    }
    const last = this.#allowed[this.#allowed.length - 1]!;
    return (await this.#open(last, url, init, heartbeatSeconds, true))!;
  };

  dispose(): void {
    this.#stopRetry?.();
    this.#listeners.clear();
  }

  get #best(): TransportName {
    return this.#allowed[0] ?? 'sse';
  }

  /** Returns undefined if the transport delivers nothing here. The last transport has no time limit: the feed has its own. */
  async #open(
    name: TransportName,
    url: string,
    init: RequestInit,
    heartbeatSeconds: number,
    isLast = false,
  ): Promise<Response | undefined> {
    const abort = new AbortController();
    const outer = init.signal ?? undefined;
    const onAbort = () => abort.abort(outer?.reason);
    outer?.throwIfAborted();
    outer?.addEventListener('abort', onAbort);
    let isLate = false;
    const stopTimer = isLast
      ? () => {}
      : this.#options.environment.setTimer(FIRST_BYTES_MS, () => {
          isLate = true;
          abort.abort(new TypeError('network: no bytes arrived'));
        });
    try {
      const response = await this.#request(name, url, { ...init, signal: abort.signal }, heartbeatSeconds);
      if (!isStream(response) || !response.body) return response;
      const reader = response.body.getReader();
      const first = await reader.read();
      this.#apply({ type: 'opened', transport: name });
      return new Response(this.#body(name, first, reader, abort), { headers: response.headers });
    } catch (error) {
      if (!isLast && !outer?.aborted && (isLate || name === 'webSocket')) return undefined;
      throw error;
    } finally {
      stopTimer();
    }
  }

  async #request(name: TransportName, url: string, init: RequestInit, heartbeat: number): Promise<Response> {
    const { environment, sse, fetch, base } = this.#options;
    if (name === 'sse') return sse(url, init);
    const { pollStream, socketStream } = await import('./fallbacks.js');
    return name === 'webSocket'
      ? socketStream(environment, fetch, base, url, init)
      : pollStream(fetch, url, init, heartbeat);
  }

  #body(
    name: TransportName,
    first: ReadableStreamReadResult<Uint8Array>,
    reader: ReadableStreamDefaultReader<Uint8Array>,
    abort: AbortController,
  ): ReadableStream<Uint8Array> {
    let next: ReadableStreamReadResult<Uint8Array> | undefined = first;
    let ending: Ending | undefined;
    const forget = () => void (ending && this.#fallen.delete(ending));
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          if (name === this.#best) return;
          this.#fallen.add(
            (ending = () => {
              forget();
              controller.error(new StreamMoved());
              abort.abort();
            }),
          );
        },
        pull: async (controller) => {
          try {
            const { done, value } = next ?? (await reader.read());
            next = undefined;
            if (!done) return controller.enqueue(value);
            forget();
            controller.close();
          } catch (error) {
            forget();
            controller.error(error);
          }
        },
        cancel: (reason) => {
          forget();
          abort.abort();
          return reader.cancel(reason);
        },
      },
      { highWaterMark: 0 },
    );
  }

  #apply(input: TransportInput): void {
    const previous = this.#state;
    const next = transition(previous, input, this.#best);
    if (next === previous) return;
    this.#state = next;
    if (input.type === 'opened') {
      this.#memory.write(next);
      this.#stopRetry?.();
      this.#stopRetry =
        next.retryMs === undefined
          ? undefined
          : this.#options.environment.setTimer(next.retryMs, () => this.#retry());
    }
    if (next.transport !== previous.transport) {
      for (const listener of [...this.#listeners]) listener(next.transport);
    }
  }

  #retry(): void {
    this.#apply({ type: 'due' });
    for (const end of [...this.#fallen]) end();
  }
}
