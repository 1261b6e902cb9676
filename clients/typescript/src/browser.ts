import type {
  Broadcast,
  Cancel,
  Environment,
  KeyValueStorage,
  Locks,
  Socket,
  SocketHandlers,
} from './environment.js';

/** Returns the environment of the page. In Node, which has no page, the environment is always online and visible. */
export function browserEnvironment(): Environment {
  const page = typeof document === 'undefined' ? undefined : document;
  const view = typeof window === 'undefined' ? undefined : window;
  const locks = webLocks();
  return {
    fetch: (url, init) => globalThis.fetch(url, init),
    now: () => performance.now(),
    setTimer: (milliseconds, callback) => {
      const timer = setTimeout(callback, milliseconds);
      return () => clearTimeout(timer);
    },
    random: Math.random,
    randomId,
    isOnline: () => globalThis.navigator?.onLine ?? true,
    isHidden: () => page?.visibilityState === 'hidden',
    onSignal: (signal, handler) => {
      if (signal === 'visible' || signal === 'hidden') {
        return listen(page, 'visibilitychange', () => {
          if (page?.visibilityState === signal) handler({});
        });
      }
      return listen(view, signal, (event) =>
        handler({ persisted: (event as PageTransitionEvent).persisted }),
      );
    },
    reportError: (error) => {
      if (typeof reportError === 'function') reportError(error);
      else console.error(error);
    },
    storage: storageOrNothing(),
    openSocket: view && typeof WebSocket !== 'undefined' ? openSocket : undefined,
    networkType: () =>
      (globalThis.navigator as { connection?: { type?: string } } | undefined)?.connection?.type,
    wallClock: () => Date.now(),
    locks,
    // Node has BroadcastChannel but no tabs.
    openBroadcast: typeof BroadcastChannel === 'undefined' || !(page || locks) ? undefined : openBroadcast,
  };
}

function openSocket(url: string, protocol: string, handlers: SocketHandlers): Socket {
  const address = new URL(url, location.href);
  address.protocol = address.protocol.replace('http', 'ws');
  const socket = new WebSocket(address, protocol);
  socket.onmessage = ({ data }) => handlers.onMessage(String(data));
  socket.onclose = () => handlers.onClose();
  return { close: () => socket.close() };
}

function listen(target: EventTarget | undefined, type: string, handler: (event: Event) => void): Cancel {
  target?.addEventListener(type, handler);
  return () => target?.removeEventListener(type, handler);
}

// `crypto.randomUUID` needs a secure context; `getRandomValues` does not.
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// Reading `localStorage` throws where the browser blocks storage.
function storageOrNothing(): KeyValueStorage | undefined {
  try {
    return globalThis.localStorage ?? undefined;
  } catch {
    return undefined;
  }
}

function webLocks(): Locks | undefined {
  const locks = globalThis.navigator?.locks;
  if (!locks) return undefined;
  return {
    request: async (name, { signal, steal }, whileHeld) => {
      // The Web Locks API rejects `steal` together with `signal`.
      await locks.request(name, steal ? { steal } : { signal }, whileHeld);
    },
  };
}

function openBroadcast(name: string): Broadcast {
  const channel = new BroadcastChannel(name);
  return {
    post: (message) => channel.postMessage(message),
    onMessage: (handler) => (channel.onmessage = (event) => handler(event.data)),
    close: () => channel.close(),
  };
}
