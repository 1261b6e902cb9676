/** Cancels a timer or removes a listener; calling it again does nothing. */
export type Cancel = () => void;

export type PageSignal = 'online' | 'offline' | 'visible' | 'hidden' | 'pagehide' | 'pageshow';

export interface PageSignalDetail {
  /** The page goes to, or comes from, the back/forward cache. */
  readonly persisted?: boolean | undefined;
}

/** What the client needs of `BroadcastChannel`. */
export interface Broadcast {
  post(message: unknown): void;
  onMessage(handler: (message: unknown) => void): void;
  close(): void;
}

export interface LockRequest {
  readonly signal?: AbortSignal | undefined;
  /** Take the lock from whoever holds it; the holder's request rejects. */
  readonly steal?: boolean | undefined;
}

/** What the client needs of the Web Locks API: an exclusive lock, held until the callback's promise settles. */
export interface Locks {
  request(name: string, options: LockRequest, whileHeld: () => Promise<void>): Promise<void>;
}

export interface KeyValueStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/**
 * Everything the client takes from the outside, so that tests decide about time, chance and the network. Nothing
 * else in this package touches a global.
 */
export interface Environment {
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Monotonic time in milliseconds. */
  now(): number;
  setTimer(milliseconds: number, callback: () => void): Cancel;
  /** Uniform in [0, 1). */
  random(): number;
  /** A new id that nobody can guess, of the characters `[A-Za-z0-9-]`. */
  randomId(): string;
  isOnline(): boolean;
  /** Nobody sees the page. Absent where there is no page. */
  isHidden?(): boolean;
  onSignal(signal: PageSignal, handler: (detail: PageSignalDetail) => void): Cancel;
  /** An error in code of the application that must not stop the client. */
  reportError(error: unknown): void;
  readonly storage?: KeyValueStorage | undefined;
  /** Absent where there are no Web Locks (old browsers, insecure contexts): tabs then elect their leader by messages. */
  readonly locks?: Locks | undefined;
  /** Absent where there is no BroadcastChannel. */
  readonly openBroadcast?: ((name: string) => Broadcast) | undefined;
}
