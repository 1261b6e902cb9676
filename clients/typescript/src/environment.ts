/** Cancels a timer or removes a listener. Idempotent. */
export type Cancel = () => void;

export type PageSignal = 'online' | 'offline' | 'visible' | 'hidden' | 'pagehide' | 'pageshow';

export interface PageSignalDetail {
  /** Whether the page enters, or comes from, the back/forward cache. */
  readonly persisted?: boolean | undefined;
}

/** The part of `BroadcastChannel` that the client uses. */
export interface Broadcast {
  post(message: unknown): void;
  onMessage(handler: (message: unknown) => void): void;
  close(): void;
}

export interface LockRequest {
  readonly signal?: AbortSignal | undefined;
  /** Takes the lock from its holder, whose request then rejects. */
  readonly steal?: boolean | undefined;
}

/** An open WebSocket. */
export interface Socket {
  close(): void;
}

export interface SocketHandlers {
  onMessage(text: string): void;
  /** Called once, also when the socket could not be opened. */
  onClose(): void;
}

/** The part of the Web Locks API that the client uses: an exclusive lock, held until the promise of the callback settles. */
export interface Locks {
  request(name: string, options: LockRequest, whileHeld: () => Promise<void>): Promise<void>;
}

export interface KeyValueStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/**
 * The external dependencies of the client. Invariant: the package uses time, randomness, network and page only through this interface, so
 * that tests control them.
 */
export interface Environment {
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Returns the monotonic time in milliseconds. */
  now(): number;
  setTimer(milliseconds: number, callback: () => void): Cancel;
  /** Returns a number, uniform in [0, 1). */
  random(): number;
  /** Returns a new unguessable id of the characters `[A-Za-z0-9-]`. */
  randomId(): string;
  isOnline(): boolean;
  /** Whether the page is hidden. Undefined where there is no page. */
  isHidden?(): boolean;
  onSignal(signal: PageSignal, handler: (detail: PageSignalDetail) => void): Cancel;
  /** Reports an error of application code, which must not stop the client. */
  reportError(error: unknown): void;
  readonly storage?: KeyValueStorage | undefined;
  /** Opens a WebSocket. `url` may be relative to the page. Undefined where there are none. */
  readonly openSocket?: ((url: string, protocol: string, handlers: SocketHandlers) => Socket) | undefined;
  /** Returns the kind of the current network, such as `wifi`. */
  networkType?(): string | undefined;
  /** Returns the Unix time in milliseconds, for what is remembered across pages. */
  wallClock?(): number;
  /** Undefined in insecure contexts and old browsers, which have no Web Locks. Tabs then elect their leader by messages. */
  readonly locks?: Locks | undefined;
  /** Undefined without BroadcastChannel. */
  readonly openBroadcast?: ((name: string) => Broadcast) | undefined;
}
