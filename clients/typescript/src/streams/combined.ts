import type { Cancel, Environment } from '../environment.js';
import type { Auth } from '../http/auth.js';
import { Demultiplexer } from './demultiplexer.js';

/** A stream to open. */
export interface StreamWish {
  readonly id: string;
  /** Path and query under `base`. */
  readonly path: string;
  readonly lastEventId?: string | undefined;
}

/** The status and headers that a separate request would have received, with the body if it is a refusal. */
export interface StreamAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
}

/** What happened to a stream. Plain data, so that tabs can send it to each other. */
export type StreamNews =
  | { readonly kind: 'answer'; readonly id: string; readonly answer: StreamAnswer }
  | { readonly kind: 'bytes'; readonly id: string; readonly bytes: Uint8Array<ArrayBuffer> }
  /** `moved`: not a network error; reopen the stream immediately. */
  | { readonly kind: 'end'; readonly id: string; readonly moved: boolean }
  /** The stream cannot be combined and needs its own request. */
  | { readonly kind: 'own'; readonly id: string };

export interface CombinedOptions {
  readonly environment: Environment;
  readonly auth: Auth;
  readonly base: string;
  readonly deviceId: string;
}

export interface CombinedHandlers {
  onNews(news: StreamNews): void;
  /** The server does not support combined streams. */
  onUnsupported(): void;
  /** Returns a promise that settles when the tabs have read enough, or undefined when they have. */
  whenRead(): Promise<void> | undefined;
}

interface Entry {
  readonly wish: StreamWish;
  isAsked: boolean;
}

interface Line {
  /** Set when the headers have arrived. */
  id: string | undefined;
  readonly abort: AbortController;
  /** Number of chunks read. */
  heard: number;
  isPaused: boolean;
  isMoved: boolean;
}

const PATH = '/dunlin/v1/streams';
/** A closed stream is often reopened at once; within this time both changes need one request. In milliseconds. */
const CLOSE_MS = 10;
/**
 * Delay after a change that the server rejected as unknown, so that all streams reopen with one request. Doubles from the first to the last
 * value, in milliseconds.
 */
const SETTLE_MS = [200, 5000] as const;
/** Delay before streams that could not be closed are closed again, in milliseconds. */
const RETRY_MS = 2000;
/** The server writes immediately after a change. A response that stays silent for so long is dead. */
const DEAF_MS = 10_000;

/**
 * One HTTP response that carries several event streams. The first stream opens it, further requests change it, and the last stream closes
 * it. If the server does not know the response any more, because another node answers or it restarted, all streams end as moved. Their
 * owners reopen them from their positions.
 */
export class CombinedStream {
  readonly #options: CombinedOptions;
  readonly #handlers: CombinedHandlers;
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new Set<string>();
  #line: Line | undefined;
  #isChanging = false;
  /** Delay before the next stream is opened, in milliseconds; 0 without errors. */
  #waitMs = 0;
  #stopWaiting: Cancel | undefined;
  #isStopped = false;

  constructor(options: CombinedOptions, handlers: CombinedHandlers) {
    this.#options = options;
    this.#handlers = handlers;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Opens a stream. Idempotent by id. */
  open(wish: StreamWish): void {
    if (this.#entries.has(wish.id)) return;
    this.#entries.set(wish.id, { wish, isAsked: false });
    this.#advance();
  }

  close(id: string): void {
    if (this.#entries.get(id)?.isAsked) this.#closing.add(id);
    if (this.#entries.delete(id)) this.#schedule(CLOSE_MS);
  }

  /** Ends all streams without notifying their owners. */
  stop(): void {
    this.#isStopped = true;
    this.#stopWaiting?.();
    this.#entries.clear();
    this.#line?.abort.abort();
    this.#line = undefined;
  }

  // Uses a microtask instead of a timer where possible. Browsers run timers of hidden pages once a second, and the holder is hidden
  // whenever the user opens another tab. While a request is in flight, all changes wait for the next one.
  #advance(): void {
    if (this.#waitMs > 0) this.#schedule(this.#waitMs);
    else void Promise.resolve().then(() => this.#flush());
  }

  #schedule(milliseconds: number): void {
    if (this.#isStopped) return;
    this.#stopWaiting ??= this.#options.environment.setTimer(milliseconds, () => {
      this.#stopWaiting = undefined;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isStopped) return;
    const line = this.#line;
    const queued = [...this.#entries.values()].filter((entry) => !entry.isAsked);
    if (!line) {
      this.#closing.clear();
      if (queued.length > 0) void this.#run(queued);
    } else if (this.#entries.size === 0) {
      this.#line = undefined;
      line.abort.abort();
    } else if (line.id !== undefined && !this.#isChanging && queued.length + this.#closing.size > 0) {
      void this.#change(line, queued);
    }
  }

  async #run(entries: readonly Entry[]): Promise<void> {
    const abort = new AbortController();
    const line: Line = { id: undefined, abort, heard: 0, isPaused: false, isMoved: false };
    this.#line = line;
    try {
      const response = await this.#post('', { streams: this.#ask(entries) }, abort.signal);
      if (this.#line !== line) return;
      const type = response.headers.get('Content-Type') ?? '';
      if (!response.ok) {
        await this.#refuse(response, entries, true);
      } else if (response.body && type.startsWith('text/event-stream')) {
        line.id = response.headers.get('Dunlin-Connection') ?? '';
        this.#flush();
        await this.#read(line, response.body);
      } else {
        // A temporary page of an intermediary, such as a captive portal or a proxy's error page: retry.
        void response.body?.cancel();
      }
    } catch {
      // The response was aborted or broke: the remaining streams are notified below.
    }
    if (this.#line !== line) return;
    this.#line = undefined;
    for (const entry of [...this.#entries.values()]) if (entry.isAsked) this.#end(entry, line.isMoved);
    this.#advance();
  }

  async #read(line: Line, body: ReadableStream<Uint8Array>): Promise<void> {
    const demultiplexer = new Demultiplexer({
      onBytes: (id, bytes) => this.#tell({ kind: 'bytes', id, bytes }),
      onBlock: (id, fields) => this.#block(id, fields),
    });
    const reader = body.getReader();
    while (this.#line === line) {
      const { done, value } = await reader.read();
      if (done) return;
      line.heard++;
      if (this.#line === line) demultiplexer.push(value);
      line.isPaused = true;
      await this.#handlers.whenRead();
      line.isPaused = false;
    }
  }

  #block(id: string, fields: ReadonlyMap<string, string>): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    if (fields.has('end')) return this.#end(entry, false);
    const status = Number(fields.get('status'));
    const connection = fields.get('connection');
    if (connection !== undefined) {
      const headers = { 'Content-Type': 'text/event-stream', 'Dunlin-Connection': connection };
      return this.#tell({ kind: 'answer', id, answer: { status, headers, body: undefined } });
    }
    const retryAfter = fields.get('retry-after');
    const headers: Record<string, string> = { 'Content-Type': 'application/problem+json' };
    if (retryAfter !== undefined) headers['Retry-After'] = retryAfter;
    this.#answer(entry, { status, headers, body: fields.get('problem') ?? '' });
  }

  async #change(line: Line, entries: readonly Entry[]): Promise<void> {
    this.#isChanging = true;
    let hasFailed = false;
    const close = [...this.#closing];
    this.#closing.clear();
    const { heard } = line;
    try {
      const response = await this.#post(
        `/${line.id}`,
        { open: this.#ask(entries), close },
        line.abort.signal,
      );
      if (this.#line !== line) return;
      if (response.ok) {
        this.#waitMs = 0;
        this.#options.environment.setTimer(DEAF_MS, () => {
          if (this.#line === line && line.heard === heard && !line.isPaused) this.#lose(line);
        });
      } else if (response.status === 404) {
        for (const entry of entries) entry.isAsked = false;
        this.#waitMs = Math.min(Math.max(SETTLE_MS[0], this.#waitMs * 2), SETTLE_MS[1]);
        this.#lose(line);
      } else {
        hasFailed = true;
        await this.#refuse(response, entries, false);
      }
    } catch {
      hasFailed = true;
      if (this.#line === line) for (const entry of entries) this.#end(entry, false);
    } finally {
      this.#isChanging = false;
      if (hasFailed) {
        for (const id of close) this.#closing.add(id);
        this.#schedule(RETRY_MS);
      } else {
        this.#advance();
      }
    }
  }

  #lose(line: Line): void {
    line.isMoved = true;
    line.abort.abort();
  }

  /** The whole request was refused. Streams that may succeed alone get their own requests. */
  async #refuse(response: Response, entries: readonly Entry[], isFirst: boolean): Promise<void> {
    const { status } = response;
    const body = await response.text();
    if (isFirst && (status === 404 || status === 405)) return this.#handlers.onUnsupported();
    const headers = Object.fromEntries(
      ['Content-Type', 'Retry-After', 'Date'].flatMap((name) => {
        const value = response.headers.get(name);
        return value === null ? [] : [[name, value]];
      }),
    );
    for (const entry of entries) {
      if (status === 401 || status >= 500 || (isFirst && status === 429))
        this.#answer(entry, { status, headers, body });
      else if (this.#entries.delete(entry.wish.id)) this.#tell({ kind: 'own', id: entry.wish.id });
    }
  }

  #ask(entries: readonly Entry[]): StreamWish[] {
    return entries.map((entry) => {
      entry.isAsked = true;
      return entry.wish;
    });
  }

  #answer(entry: Entry, answer: StreamAnswer): void {
    const { id } = entry.wish;
    if (this.#entries.delete(id)) this.#tell({ kind: 'answer', id, answer });
  }

  #end(entry: Entry, moved: boolean): void {
    const { id } = entry.wish;
    if (this.#entries.delete(id)) this.#tell({ kind: 'end', id, moved });
  }

  #tell(news: StreamNews): void {
    if (!this.#isStopped) this.#handlers.onNews(news);
  }

  async #post(path: string, body: object, signal: AbortSignal): Promise<Response> {
    const { environment, auth, base, deviceId } = this.#options;
    const headers = {
      Accept: 'text/event-stream, application/problem+json',
      'Content-Type': 'application/json',
      'Dunlin-Device': deviceId,
      ...(await auth.headers()),
    };
    return environment.fetch(`${base}${PATH}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      signal,
      cache: 'no-store',
      credentials: auth.credentials,
    });
  }
}
