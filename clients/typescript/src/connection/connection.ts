import type { Cancel, Environment } from '../environment.js';
import type { Auth } from '../http/auth.js';
import type { Reset } from './control.js';
import type { WireFormat } from './decode.js';
import { Feed } from './feed.js';
import { Receiver, type EventMap, type Handler } from './receiver.js';
import type { ConnectionState, SignedOutReason } from './state.js';

export type StateListener = (state: ConnectionState, previous: ConnectionState) => void;

/**
 * A subscription to a stream of events. This tab or another tab of the browser holds the HTTP stream. `Events` maps event types to their
 * data; for envelopes it maps channels to `Envelope<Payload>`.
 */
export interface Connection<Events extends EventMap = EventMap> {
  readonly state: ConnectionState;
  /** The server's id of the open stream. Changes with every reconnect. */
  readonly connectionId: string | undefined;
  /** Journal position of the last event that the handlers received. */
  readonly position: string | undefined;
  isConnected(): boolean;
  /** Opens the stream; also after a sign-in. Idempotent. */
  connect(): void;
  disconnect(): void;
  /** Ends the session of this connection, in the browser's other tabs too. */
  signOut(reason?: SignedOutReason): void;
  /** Adds a handler and returns a function that removes it. Handlers run in journal order. `*` receives every event. */
  on<Type extends keyof Events & string>(type: Type, handler: Handler<Events[Type]>): Cancel;
  on(type: '*', handler: Handler): Cancel;
  /** Removes a handler. Without one, removes all handlers of the type. */
  off<Type extends keyof Events & string>(type: Type, handler?: Handler<Events[Type]>): void;
  off(type: '*', handler?: Handler): void;
  onState(listener: StateListener): Cancel;
  /** Adds a handler for resets. A reset means that events are lost: fetch the displayed state again. */
  onReset(handler: (reset: Reset) => void): Cancel;
  /** Disconnects and removes the listeners for page events. */
  dispose(): void;
}

export interface ConnectionOptions {
  readonly environment: Environment;
  readonly auth: Auth;
  readonly deviceId: string;
  readonly url: string | (() => string);
  readonly format?: WireFormat | undefined;
  /** Heartbeat interval in seconds until the server's hello names another one; default 15. */
  readonly heartbeatSeconds?: number | undefined;
  /** Whether the stream becomes live only at its hello, as streams of the engine do. */
  readonly awaitsHello?: boolean | undefined;
  /** Opens streams; default: `fetch` of the environment. */
  readonly fetch?: Environment['fetch'] | undefined;
  /**
   * Returns whether the stream may be closed until the page is shown again. Called after the page was hidden for `HIDDEN_MS`. Default: the
   * stream stays open. Over HTTP/1.1 a browser allows six connections to a host, so unshared streams of hidden tabs use them up.
   */
  readonly mayLetGo?: (() => boolean) | undefined;
  /** Called when the connection is disposed. */
  readonly onDispose?: (() => void) | undefined;
}

/** Milliseconds for which a page is hidden before its stream may be closed. */
export const HIDDEN_MS = 10_000;

/** The part that both kinds of connection share: handlers, listeners and the current state. */
export abstract class ConnectionBase<Events extends EventMap> implements Connection<Events> {
  protected readonly receiver: Receiver;
  readonly #listeners = new Set<StateListener>();

  constructor(environment: Environment, format: WireFormat = 'named') {
    this.receiver = new Receiver(environment, format);
  }

  abstract readonly state: ConnectionState;
  abstract readonly position: string | undefined;
  abstract connect(): void;
  abstract disconnect(): void;
  abstract signOut(reason?: SignedOutReason): void;
  abstract dispose(): void;

  get connectionId(): string | undefined {
    return this.state.name === 'live' ? this.state.connectionId : undefined;
  }

  isConnected(): boolean {
    return this.state.name === 'live';
  }

  on<Type extends keyof Events & string>(type: Type, handler: Handler<Events[Type]>): Cancel;
  on(type: '*', handler: Handler): Cancel;
  on(type: string, handler: Handler<never>): Cancel {
    this.receiver.on(type, handler as Handler);
    return () => this.receiver.off(type, handler as Handler);
  }

  off<Type extends keyof Events & string>(type: Type, handler?: Handler<Events[Type]>): void;
  off(type: '*', handler?: Handler): void;
  off(type: string, handler?: Handler<never>): void {
    this.receiver.off(type, handler as Handler | undefined);
  }

  onState(listener: StateListener): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onReset(handler: (reset: Reset) => void): Cancel {
    return this.receiver.onReset(handler);
  }

  protected announce(state: ConnectionState, previous: ConnectionState): void {
    for (const listener of [...this.#listeners]) this.receiver.call(() => listener(state, previous));
  }
}

/** A connection that holds its own stream. */
export class OwnConnection<Events extends EventMap = EventMap> extends ConnectionBase<Events> {
  readonly #feed: Feed;
  readonly #cancels: Cancel[];
  readonly #options: ConnectionOptions;
  #stopHiding: Cancel | undefined;

  constructor(options: ConnectionOptions) {
    super(options.environment, options.format);
    const { url, environment } = options;
    this.#options = options;
    this.#feed = new Feed(
      { ...options, url: typeof url === 'string' ? () => url : url },
      {
        onFrame: (frame) => this.receiver.receive(frame),
        onPosition: () => {},
        onReset: (reset) => this.receiver.reset(reset),
        onState: (state, previous) => this.announce(state, previous),
      },
    );
    this.#cancels = [
      environment.onSignal('pagehide', () => this.#feed.suspend()),
      environment.onSignal('pageshow', ({ persisted }) => persisted && this.#feed.resume()),
      environment.onSignal('hidden', () => this.#hide()),
      environment.onSignal('visible', () => this.#show()),
    ];
  }

  get state(): ConnectionState {
    return this.#feed.state;
  }

  get position(): string | undefined {
    return this.#feed.position;
  }

  connect(): void {
    this.#feed.connect();
    if (this.#options.environment.isHidden?.()) this.#hide();
  }

  disconnect(): void {
    this.#feed.disconnect();
  }

  signOut(reason: SignedOutReason = 'signedOut'): void {
    this.#feed.signOut(reason);
  }

  dispose(): void {
    this.#stopHiding?.();
    this.#feed.dispose();
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#options.onDispose?.();
  }

  #hide(): void {
    const { environment, mayLetGo } = this.#options;
    if (!mayLetGo) return;
    this.#stopHiding?.();
    this.#stopHiding = environment.setTimer(HIDDEN_MS, () => {
      if (mayLetGo()) this.#feed.suspend();
      else this.#hide();
    });
  }

  #show(): void {
    if (!this.#options.mayLetGo) return;
    this.#stopHiding?.();
    this.#feed.resume();
  }
}
