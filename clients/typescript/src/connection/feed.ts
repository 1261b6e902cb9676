import type { Cancel, Environment } from '../environment.js';
import type { Auth } from '../http/auth.js';
import { problemOf, type Problem } from '../http/problem.js';
import { StreamMoved } from '../streams/moved.js';
import { StreamParser, type StreamFrame } from '../sse/parser.js';
import { isReserved, readControl, type Hello, type Reset } from './control.js';
import { openFeed } from './openFeed.js';
import {
  INITIAL_STATE,
  isOpen,
  transition,
  type ConnectionInput,
  type ConnectionState,
  type SignedOutReason,
} from './state.js';

/** A stream that receives no byte for this many heartbeat intervals counts as dead. */
const SILENT_HEARTBEATS = 2.5;
/** A stream that was live for this many milliseconds resets the backoff. */
const STEADY_MS = 5000;

export interface FeedFrame {
  readonly type: string;
  readonly data: string;
  readonly topic?: string | undefined;
  readonly also?: readonly string[] | undefined;
  readonly position?: string | undefined;
  /** The position before this frame. Equal to `position` when the frame has no id. */
  readonly previous?: string | undefined;
}

export interface FeedHandlers {
  onFrame(frame: FeedFrame): void;
  /** The position moved without an event. */
  onPosition(position: string | undefined, previous: string | undefined): void;
  onReset(reset: Reset): void;
  onState(state: ConnectionState, previous: ConnectionState): void;
  onHello?: ((hello: Hello) => void) | undefined;
}

export interface FeedOptions {
  readonly environment: Environment;
  readonly auth: Auth;
  /** Called for every attempt. */
  readonly url: () => string;
  readonly deviceId: string;
  /** Heartbeat interval in seconds until the server's hello names another one. */
  readonly heartbeatSeconds?: number | undefined;
  /**
   * Whether the stream becomes live only at its hello. State that is fetched after the hello and the events of the stream together have no
   * gap.
   */
  readonly awaitsHello?: boolean | undefined;
  /** Opens streams; default: `fetch` of the environment. */
  readonly fetch?: Environment['fetch'] | undefined;
}

/**
 * Keeps one HTTP event stream open: opens it with fetch, detects silence and resumes it. It handles frames and control events; the owner
 * interprets the other events.
 *
 * Invariant: only `#follow` opens and closes streams. After every `transition` it compares the open stream with the state:
 * it closes a stream that is not in the state, opens the stream of the state, and arms the timer of a wait.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #handlers: FeedHandlers;
  readonly #signals: Cancel[];
  #state = INITIAL_STATE;
  #position: string | undefined;
  #helloPosition: string | undefined;
  #connectionId: string | undefined;
  #retryMs: number | undefined;
  #heartbeatMs: number;
  #open: { stream: number; abort: AbortController } | undefined;
  #openedAt = 0;
  #lastActivity = 0;
  #stopWait: Cancel | undefined;
  #waitUntil = 0;
  #stopWatch: Cancel | undefined;

  constructor(options: FeedOptions, handlers: FeedHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#heartbeatMs = (options.heartbeatSeconds ?? 15) * 1000;
    const { environment } = options;
    this.#signals = [
      environment.onSignal('online', () => this.#apply({ type: 'online' })),
      environment.onSignal('offline', () => this.#apply({ type: 'offline' })),
      environment.onSignal('visible', () => this.wake()),
    ];
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get position(): string | undefined {
    return this.#position;
  }

  connect(): void {
    this.#apply({ type: 'connect' });
  }

  disconnect(): void {
    this.#apply({ type: 'disconnect' });
  }

  /** Reopens an open stream. With a position, resumes from it. */
  reconnect(position = this.#position): void {
    this.#position = position;
    this.#apply({ type: 'reconnect' });
  }

  signOut(reason: SignedOutReason): void {
    this.#apply({ type: 'signOut', reason });
  }

  /** Closes the stream for the back/forward cache. Only `resume` or `connect` opens it again. */
  suspend(): void {
    this.#apply({ type: 'suspend' });
  }

  resume(): void {
    this.#apply({ type: 'resume' });
  }

  /** The page became visible: handles overdue timers and ends a wait that the server did not mandate. */
  wake(): void {
    this.check();
    this.#apply({ type: 'visible' });
  }

  /** Handles overdue timers. Browsers throttle timers in hidden pages. */
  check(): void {
    this.#watch();
    if (this.#stopWait && this.#options.environment.now() >= this.#waitUntil) this.#apply({ type: 'due' });
  }

  /** Closes the stream permanently and removes the listeners for page events. */
  dispose(): void {
    this.disconnect();
    for (const cancel of this.#signals.splice(0)) cancel();
  }

  #apply(input: ConnectionInput): void {
    const { environment } = this.#options;
    const previous = this.#state;
    const context = { random: environment.random(), online: environment.isOnline(), retryMs: this.#retryMs };
    const next = transition(previous, input, context);
    if (next === previous) return;
    this.#state = next;
    this.#follow(next);
    this.#handlers.onState(next, previous);
  }

  #follow(state: ConnectionState): void {
    this.#stopWait?.();
    this.#stopWait = undefined;
    const wanted = isOpen(state) ? state.stream : undefined;
    if (this.#open && this.#open.stream !== wanted) {
      const { abort } = this.#open;
      this.#open = undefined;
      this.#stopWatch?.();
      abort.abort();
    }
    if (wanted !== undefined && !this.#open) {
      const abort = new AbortController();
      this.#open = { stream: wanted, abort };
      void this.#run(wanted, abort.signal, state.name === 'connecting' && state.refresh);
    }
    if (state.name === 'waiting' || state.name === 'offline') {
      const { environment } = this.#options;
      this.#waitUntil = environment.now() + state.delayMs;
      this.#stopWait = environment.setTimer(state.delayMs, () => this.#apply({ type: 'due' }));
    }
  }

  async #run(stream: number, signal: AbortSignal, refreshFirst: boolean): Promise<void> {
    const { environment } = this.#options;
    this.#openedAt = this.#lastActivity = environment.now();
    this.#watch();
    let problem: Problem = { kind: 'network', code: 'network', title: 'The stream ended.' };
    try {
      const opened = await openFeed(
        { ...this.#options, url: this.#options.url() },
        this.#position,
        signal,
        refreshFirst,
      );
      if ('problem' in opened) {
        problem = opened.problem;
      } else {
        this.#openedAt = this.#lastActivity = environment.now();
        this.#connectionId = opened.connectionId;
        if (!this.#options.awaitsHello)
          this.#apply({ type: 'opened', stream, connectionId: this.#connectionId });
        await this.#read(stream, opened.body);
      }
    } catch (error) {
      if (error instanceof StreamMoved) {
        if (this.#open?.stream === stream) this.reconnect();
        return;
      }
      problem = problemOf(error);
      if (problem.kind === 'unexpected') problem = { ...problem, kind: 'network' };
    }
    this.#fail(stream, problem);
  }

  async #read(stream: number, body: ReadableStream<Uint8Array>): Promise<void> {
    const current = () => this.#open?.stream === stream;
    let lastId = '';
    // Returns whether the id changed; then the position changed too.
    const takeId = (id: string): boolean => {
      if (id === lastId) return false;
      lastId = id;
      this.#position = id || undefined;
      return true;
    };
    const parser = new StreamParser({
      onRetry: (milliseconds) => (this.#retryMs = milliseconds),
      onPosition: (id) => {
        const previous = this.#position;
        if (current() && takeId(id)) this.#handlers.onPosition(this.#position, previous);
      },
      onFrame: (frame) => {
        // One chunk may contain frames after a goodbye, or after an event whose handler disconnected.
        if (!current()) return;
        const previous = this.#position;
        const moved = takeId(frame.lastEventId);
        this.#frame(stream, frame, previous, moved);
      },
    });
    const reader = body.getReader();
    while (current()) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#lastActivity = this.#options.environment.now();
      parser.push(value);
    }
  }

  #frame(stream: number, frame: StreamFrame, previous: string | undefined, moved: boolean): void {
    const { type, data, topic, also } = frame;
    if (frame.control === undefined && isReserved(type)) {
      if (moved) this.#handlers.onPosition(this.#position, previous);
      return;
    }
    const control = frame.control === undefined ? undefined : readControl(frame.control, data);
    switch (control?.type) {
      case undefined:
        return this.#handlers.onFrame({ type, data, topic, also, position: this.#position, previous });
      case 'hello':
        return this.#hello(stream, control.hello);
      case 'reset':
        // Positions before the reset are invalid: continue from a position of the server.
        if (!moved) this.#position = control.reset.position ?? this.#helloPosition;
        return this.#handlers.onReset({ ...control.reset, position: this.#position });
      case 'goodbye': {
        const { reason, reconnectInMs } = control;
        return this.#apply({ type: 'goodbye', stream, reason, reconnectInMs, steady: this.#isSteady() });
      }
    }
  }

  #hello(stream: number, hello: Hello): void {
    if (hello.heartbeatSeconds) this.#heartbeatMs = hello.heartbeatSeconds * 1000;
    this.#watch();
    this.#helloPosition = hello.position;
    // A resumed stream starts at the position of the request, before that of the hello. Only a fresh stream adopts the hello's position.
    if (this.#position === undefined && hello.position !== undefined) {
      this.#position = hello.position;
      this.#handlers.onPosition(hello.position, undefined);
    }
    this.#connectionId = hello.connectionId ?? this.#connectionId;
    this.#apply({ type: 'opened', stream, connectionId: this.#connectionId });
    this.#handlers.onHello?.(hello);
  }

  #fail(stream: number, problem: Problem): void {
    this.#apply({ type: 'failed', stream, problem, steady: this.#isSteady() });
  }

  #isSteady(): boolean {
    return this.#state.name === 'live' && this.#options.environment.now() - this.#openedAt >= STEADY_MS;
  }

  // One timer per stream, re-armed for the remaining time when it fires early. Re-arming for every received byte would cost more than
  // reading the byte.
  #watch(): void {
    this.#stopWatch?.();
    this.#stopWatch = undefined;
    const open = this.#open;
    if (!open) return;
    const { environment } = this.#options;
    const left = this.#lastActivity + this.#heartbeatMs * SILENT_HEARTBEATS - environment.now();
    if (left > 0) {
      this.#stopWatch = environment.setTimer(left, () => this.#watch());
      return;
    }
    this.#fail(open.stream, { kind: 'network', code: 'silent', title: 'The stream fell silent.' });
  }
}
