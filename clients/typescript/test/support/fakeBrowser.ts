import type { Broadcast, Cancel, Locks } from '../../src/environment';
import { ManualClock } from './clock';
import { FakeEnvironment } from './fakeEnvironment';

interface Request {
  readonly tab: FakeTab;
  readonly whileHeld: () => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  isOver: boolean;
}

interface Port {
  readonly tab: FakeTab;
  handler: ((message: unknown) => void) | undefined;
}

/**
 * Several tabs of one browser in one process, with shared Web Locks and BroadcastChannel. Each tab can crash or freeze at any moment,
 * without notifying the others.
 */
export class FakeBrowser {
  readonly clock = new ManualClock();
  /** Returns the delay of a message in milliseconds. Messages between two tabs stay in order; messages of different pairs do not. */
  delay: () => number = () => 0;
  readonly #queues = new Map<string, Request[]>();
  readonly #ports = new Map<string, Set<Port>>();
  readonly #arrivals = new Map<string, number>();
  #count = 0;
  /** `false`: an insecure context, as on `http://` of a host other than localhost. */
  isSecure = true;

  open(): FakeTab {
    return new FakeTab(this, `tab${++this.#count}`);
  }

  /** Returns the holder of a lock. */
  holder(name: string): FakeTab | undefined {
    return this.#queues.get(name)?.[0]?.tab;
  }

  locksOf(tab: FakeTab): Locks {
    return {
      request: (name, { signal, steal }, whileHeld) =>
        new Promise<void>((resolve, reject) => {
          const queue = this.#queues.get(name) ?? [];
          this.#queues.set(name, queue);
          const request: Request = { tab, whileHeld, resolve, reject, isOver: false };
          signal?.addEventListener('abort', () => {
            if (queue[0] === request || request.isOver) return;
            this.#leave(name, request);
            reject(signal.reason as Error);
          });
          if (!steal) {
            queue.push(request);
            if (queue.length === 1) this.#grant(name);
            return;
          }
          const robbed = queue.shift();
          queue.unshift(request);
          if (robbed) {
            robbed.isOver = true;
            robbed.tab.run(() => robbed.reject(new DOMException('stolen', 'AbortError')));
          }
          this.#grant(name);
        }),
    };
  }

  openBroadcast(tab: FakeTab, name: string): Broadcast {
    const ports = this.#ports.get(name) ?? new Set<Port>();
    this.#ports.set(name, ports);
    const port: Port = { tab, handler: undefined };
    ports.add(port);
    return {
      post: (message) => {
        if (tab.isDead) return;
        const copy = structuredClone(message);
        for (const other of ports) if (other !== port) this.#deliver(port, other, ports, copy);
      },
      onMessage: (handler) => (port.handler = handler),
      close: () => void ports.delete(port),
    };
  }

  /** Ends a tab: its locks pass to the next tab, and its sent messages still arrive. */
  forget(tab: FakeTab): void {
    for (const [name, queue] of this.#queues) {
      for (const request of queue.filter((each) => each.tab === tab)) this.#leave(name, request);
    }
    for (const ports of this.#ports.values()) {
      for (const port of [...ports]) if (port.tab === tab) ports.delete(port);
    }
  }

  #deliver(from: Port, to: Port, ports: Set<Port>, message: unknown): void {
    const pair = `${from.tab.name} ${to.tab.name}`;
    const at = Math.max(this.clock.now + this.delay(), this.#arrivals.get(pair) ?? 0);
    this.#arrivals.set(pair, at);
    this.clock.setTimer(at - this.clock.now, () => {
      to.tab.run(() => {
        if (ports.has(to)) to.handler?.(message);
      });
    });
  }

  #grant(name: string): void {
    const request = this.#queues.get(name)?.[0];
    if (!request) return;
    request.tab.run(() => {
      void request.whileHeld().then(() => {
        if (request.isOver) return;
        this.#leave(name, request);
        request.resolve();
      });
    });
  }

  #leave(name: string, request: Request): void {
    const queue = this.#queues.get(name)!;
    request.isOver = true;
    const held = queue[0] === request;
    queue.splice(queue.indexOf(request), 1);
    if (held) this.#grant(name);
  }
}

/** One tab. While it is asleep nothing runs in it, and its inputs wait. After its death nothing runs again. */
export class FakeTab extends FakeEnvironment {
  readonly name: string;
  isDead = false;
  #isAsleep = false;
  readonly #waiting: (() => void)[] = [];
  readonly #onDeath: (() => void)[] = [];
  readonly #browser: FakeBrowser;

  constructor(browser: FakeBrowser, name: string) {
    super(browser.clock, name);
    this.name = name;
    this.#browser = browser;
    if (browser.isSecure) this.locks = browser.locksOf(this);
    this.openBroadcast = (channel) => browser.openBroadcast(this, channel);
  }

  get isAsleep(): boolean {
    return this.#isAsleep;
  }

  /** Runs code in this tab, or when it wakes. */
  run(code: () => void): void {
    if (this.isDead) return;
    if (this.#isAsleep) this.#waiting.push(code);
    else code();
  }

  override setTimer(milliseconds: number, callback: () => void): Cancel {
    let isCancelled = false;
    const cancel = super.setTimer(milliseconds, () => this.run(() => !isCancelled && callback()));
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  override fetch(url: string, init: RequestInit): Promise<Response> {
    const death = new AbortController();
    this.#onDeath.push(() => death.abort());
    const signal = init.signal ? AbortSignal.any([init.signal, death.signal]) : death.signal;
    return super.fetch(url, { ...init, signal });
  }

  sleep(): void {
    this.#isAsleep = true;
  }

  wake(): void {
    this.#isAsleep = false;
    for (const code of this.#waiting.splice(0)) this.run(code);
  }

  kill(): void {
    this.isDead = true;
    for (const code of this.#onDeath.splice(0)) code();
    this.#browser.forget(this);
  }
}
