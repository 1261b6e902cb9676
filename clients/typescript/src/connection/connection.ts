import type { Cancel, Environment } from '../environment.js';
import type { Auth } from '../http/auth.js';
import type { Reset } from './control.js';
import type { WireFormat } from './decode.js';
import { Feed } from './feed.js';
import { Receiver, type EventMap, type Handler } from './receiver.js';
import type { ConnectionState, SignedOutReason } from './state.js';

export type StateListener = (state: ConnectionState, previous: ConnectionState) => void;

/**
 * A live flow of events, whether this tab holds the stream itself or another tab of the browser does. `Events` maps
 * event types to their data; for envelopes it maps channels to `Envelope<Payload>`.
 */
export interface Connection<Events extends EventMap = EventMap> {
  readonly state: ConnectionState;
  /** The server's id of the open stream; changes with every reconnect. */
  readonly connectionId: string | undefined;
  /** Place in the journal up to which every event has been handed to the handlers. */
  readonly position: string | undefined;
  isConnected(): boolean;
  /** Idempotent; also starts again after sign-in. */
  connect(): void;
  disconnect(): void;
  /** Tells the connection that the session ended, here and in the browser's other tabs. */
  signOut(reason?: SignedOutReason): void;
  /** Handlers run in the order of the journal. `*` receives every event. Returns what removes the handler. */
  on<Type extends keyof Events & string>(type: Type, handler: Handler<Events[Type]>): Cancel;
  on(type: '*', handler: Handler): Cancel;
  /** Without a handler, removes all of that type. */
  off<Type extends keyof Events & string>(type: Type, handler?: Handler<Events[Type]>): void;
  off(type: '*', handler?: Handler): void;
  onState(listener: StateListener): Cancel;
  /** Events were lost for good: fetch anew what is shown. */
  onReset(handler: (reset: Reset) => void): Cancel;
  /** Disconnects and stops listening to the page. */
  dispose(): void;
}

export interface ConnectionOptions {
  readonly environment: Environment;
  readonly auth: Auth;
  readonly deviceId: string;
  readonly url: string | (() => string);
  readonly format?: WireFormat | undefined;
  /** How often the server sends a sign of life when idle, until its hello says otherwise; default 15. */
  readonly heartbeatSeconds?: number | undefined;
  /** The stream is live only after its hello, as streams of the engine are. */
  readonly awaitsHello?: boolean | undefined;
  /** How streams are opened; default the environment's own `fetch`. */
  readonly fetch?: Environment['fetch'] | undefined;
  /**
   * Asked when the page has been hidden for some seconds: whether the stream may be closed until it is shown again. Default: it is
   * kept. Streams that no other tab can share take up connections, of which a browser has six to a host.
   */
  readonly mayLetGo?: (() => boolean) | undefined;
  /** The connection was disposed of. */
  readonly onDispose?: (() => void) | undefined;
}

/** How long a page is hidden before its stream is let go of. */
export const HIDDEN_MS = 10_000;

/** What both kinds of connection share: handlers, listeners and the current state. */
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
