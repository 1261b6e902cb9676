import type { Broadcast, KeyValueStorage, Locks } from '../../../src/environment';
import { breakStream, deliverChunk, Server, type Exchange } from './server';
import { Tab, type Timer } from './tab';

/** One source of non-determinism. `key` names its queue: the steps of one queue happen in order. */
export interface Step {
  readonly key: string;
  /** Lower levels go first in the default order. */
  readonly level: number;
  /** When a timer is due; 0 for all else. */
  readonly time: number;
  /** Returns what the step does and hands to its tab. Equal inputs in equal order give equal tabs. */
  readonly label: () => string;
  /** The tab that gets the input. Undefined if the step concerns the server alone. */
  readonly tab: string | undefined;
  run(): void;
}

export const LEVEL = { delivery: 0, soon: 1, action: 2, held: 3, idle: 4 } as const;

/** Timers with a longer delay belong to the idle system: beats, silence, and long waits. */
const SOON_MS = 4_000;

interface Port {
  readonly tab: Tab;
  /** The connection that opened it. */
  readonly owner: string;
  readonly id: string;
  readonly name: string;
  handler: ((message: unknown) => void) | undefined;
  /** Undelivered messages of each sender. They arrive in the order in which that tab sent them. */
  readonly inbox: Map<string, { readonly from: string; readonly json: string }[]>;
}

interface LockRequest {
  readonly tab: Tab;
  readonly id: string;
  readonly name: string;
  readonly signal: AbortSignal | undefined;
  readonly whileHeld: () => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  isOver: boolean;
}

/** What the checks learn while a step runs. */
export interface Observer {
  onPost(owner: string, channel: string, message: unknown): void;
  onDelivery(owner: string, from: string, message: unknown): void;
  onFetch(exchange: Exchange): void;
  onSteal(): void;
}

/**
 * One browser and one server. It owns everything that real tabs cannot decide: the delivery of messages, locks, timers, requests and
 * chunks. Nothing happens in it until `run` is called with one of its `steps`.
 */
export class World {
  readonly server = new Server();
  readonly tabs = new Map<string, Tab>();
  readonly exchanges = new Map<string, Exchange>();
  readonly isSecure: boolean;
  readonly tokens = new Map<string, number>();
  observer: Observer | undefined;
  clock = 1000;
  #ports: Port[] = [];
  readonly #locks = new Map<string, LockRequest[]>();
  readonly #lockSteps = new Map<Tab, { label: string; run: () => void }[]>();
  readonly #stored = new Map<string, string>();

  constructor(isSecure: boolean) {
    this.isSecure = isSecure;
  }

  get storage(): KeyValueStorage {
    return {
      getItem: (key) => this.#stored.get(key) ?? null,
      setItem: (key, value) => void this.#stored.set(key, value),
    };
  }

  open(name: string): Tab {
    const tab = new Tab(this, name);
    this.tabs.set(name, tab);
    return tab;
  }

  /** Returns the steps that can run now, in the default order, which depends on the state alone. */
  steps(): Step[] {
    const steps: Step[] = [];
    for (const port of this.#ports) {
      if (port.tab.isFrozen) continue;
      for (const [from, messages] of port.inbox) {
        if (messages.length === 0) continue;
        const run = () => this.#deliver(port, messages);
        const key = `message ${from}>${port.id}`;
        steps.push({
          key,
          level: LEVEL.delivery,
          time: 0,
          label: () => `${key} ${messages[0]!.json}`,
          tab: port.tab.name,
          run,
        });
      }
    }
    for (const [tab, queue] of this.#lockSteps) {
      const [next] = queue;
      if (!next || tab.isFrozen) continue;
      const run = () => queue.shift()!.run();
      const key = `lock ${tab.name}`;
      steps.push({
        key,
        level: LEVEL.delivery,
        time: 0,
        label: () => `${key} ${next.label}`,
        tab: tab.name,
        run,
      });
    }
    for (const exchange of this.exchanges.values()) {
      const tab = this.tabs.get(exchange.tab)!;
      if (tab.isFrozen) continue;
      const key = `network ${exchange.id}`;
      if (exchange.respond) {
        // The answer depends on the state of the server at this moment.
        const label = () =>
          `${key} answers ${exchange.url.pathname}${exchange.url.search} at ${this.server.state}`;
        const run = () => this.server.answer(exchange);
        steps.push({ key, level: LEVEL.delivery, time: 0, label, tab: exchange.tab, run });
      } else if (exchange.chunks.length > 0) {
        const label = () => `${key} ${exchange.chunks[0]!.trim().replaceAll('\n', ', ')}`;
        const run = () => {
          if (!deliverChunk(exchange)) this.exchanges.delete(exchange.id);
        };
        steps.push({ key, level: LEVEL.delivery, time: 0, label, tab: exchange.tab, run });
      }
    }
    for (const tab of this.tabs.values()) {
      const timer = tab.isFrozen ? undefined : tab.nextTimer;
      if (timer) steps.push(this.#timerStep(tab, timer));
    }
    return steps;
  }

  #timerStep(tab: Tab, timer: Timer): Step {
    const isSoon = timer.at <= this.clock || tab.hasTimerWithin(SOON_MS);
    const label = () => `timer ${tab.name} of ${timer.milliseconds} ms, at ${timer.at}`;
    const run = () => {
      this.clock = Math.max(this.clock, timer.at);
      tab.fire(timer);
    };
    return {
      key: `timer ${tab.name}`,
      level: isSoon ? LEVEL.soon : LEVEL.idle,
      time: timer.at,
      label,
      tab: tab.name,
      run,
    };
  }

  // --- channels --------------------------------------------------------------------------------------------------------------------

  openBroadcast(tab: Tab, name: string, owner: string): Broadcast {
    const port: Port = {
      tab,
      owner,
      id: `${tab.name}.${++tab.ports}`,
      name,
      handler: undefined,
      inbox: new Map(),
    };
    this.#ports.push(port);
    return {
      post: (message) => {
        if (!tab.isAlive) return;
        this.observer?.onPost(owner, name, message);
        const json = JSON.stringify(message);
        for (const other of this.#ports) {
          if (other === port || other.name !== name) continue;
          const queue = other.inbox.get(tab.name) ?? [];
          other.inbox.set(tab.name, queue);
          queue.push({ from: owner, json });
        }
      },
      onMessage: (handler) => (port.handler = handler),
      close: () => (this.#ports = this.#ports.filter((each) => each !== port)),
    };
  }

  portsOf(owner: string): string[] {
    return this.#ports.filter((port) => port.owner === owner).map(({ name }) => name);
  }

  #deliver(port: Port, messages: { readonly from: string; readonly json: string }[]): void {
    const { from, json } = messages.shift()!;
    const message: unknown = JSON.parse(json);
    this.observer?.onDelivery(port.owner, from, message);
    port.handler?.(message);
  }

  // --- locks -----------------------------------------------------------------------------------------------------------------------

  locksOf(tab: Tab): Locks {
    return {
      request: (name, { signal, steal }, whileHeld) =>
        new Promise<void>((resolve, reject) => {
          const queue = this.#locks.get(name) ?? [];
          this.#locks.set(name, queue);
          const id = `${tab.name}.${++tab.lockRequests}`;
          // The browser accepts no signal for a theft: `webLocks` leaves it out.
          const request: LockRequest = {
            tab,
            id,
            name,
            signal: steal ? undefined : signal,
            whileHeld,
            resolve,
            reject,
            isOver: false,
          };
          request.signal?.addEventListener('abort', () => {
            // A request that the browser has granted stays granted until its callback would run.
            if (request.isOver || queue[0] === request) return;
            this.#release(request);
            reject(request.signal!.reason as Error);
          });
          if (!steal) {
            queue.push(request);
            if (queue.length === 1) this.#grant(request);
            return;
          }
          this.observer?.onSteal();
          const robbed = queue.shift();
          queue.unshift(request);
          if (robbed) {
            robbed.isOver = true;
            const run = () => robbed.reject(new DOMException('stolen', 'AbortError'));
            this.#queueLockStep(robbed, `loses ${robbed.id} to ${id}`, run);
          }
          this.#grant(request);
        }),
    };
  }

  /** Returns the locks that a tab holds or waits for, unless the browser is about to call it about one. */
  locksHeldOrAwaited(tab: Tab): string[] {
    if ((this.#lockSteps.get(tab)?.length ?? 0) > 0) return [];
    return [...this.#locks]
      .filter(([, queue]) => queue.some((request) => request.tab === tab))
      .map(([name]) => name);
  }

  #queueLockStep({ tab }: LockRequest, label: string, run: () => void): void {
    const queue = this.#lockSteps.get(tab) ?? [];
    this.#lockSteps.set(tab, queue);
    if (tab.isAlive) queue.push({ label, run });
  }

  #grant(request: LockRequest): void {
    this.#queueLockStep(request, `grants ${request.id}`, () => {
      if (request.signal?.aborted) {
        this.#release(request);
        return request.reject(request.signal.reason as Error);
      }
      void request.whileHeld().then(() => {
        if (request.isOver) return;
        this.#release(request);
        request.resolve();
      });
    });
  }

  #release(request: LockRequest): void {
    const queue = this.#locks.get(request.name)!;
    request.isOver = true;
    const held = queue[0] === request;
    queue.splice(queue.indexOf(request), 1);
    if (held && queue[0]) this.#grant(queue[0]);
  }

  // --- network ---------------------------------------------------------------------------------------------------------------------

  fetch(tab: Tab, owner: string, address: string, init: RequestInit): Promise<Response> {
    return new Promise((resolve, reject) => {
      init.signal?.throwIfAborted();
      const id = `${tab.name}.${++tab.requests}`;
      const url = new URL(address, 'http://server.test');
      const headers = new Headers(init.headers);
      const exchange: Exchange = {
        id,
        tab: tab.name,
        owner,
        url,
        headers,
        respond: resolve,
        chunks: [],
        body: undefined,
        stream: undefined,
      };
      if (!tab.isAlive) return;
      this.exchanges.set(id, exchange);
      init.signal?.addEventListener('abort', () => this.#fail(exchange, init.signal!.reason, reject));
      exchange.respond = (response) => {
        resolve(response);
        if (!exchange.stream) this.exchanges.delete(id);
      };
      this.observer?.onFetch(exchange);
    });
  }

  /** Breaks all streams, as a restart of the server does. */
  breakStreams(): void {
    for (const exchange of this.exchanges.values()) if (exchange.stream) breakStream(exchange);
  }

  #fail(exchange: Exchange, error: unknown, reject: (error: unknown) => void): void {
    if (!this.exchanges.delete(exchange.id)) return;
    exchange.body?.error(error);
    if (exchange.respond) reject(error);
  }

  // --- tabs ------------------------------------------------------------------------------------------------------------------------

  /** Ends a tab without notifying it. Messages that it sent still arrive. */
  end(tab: Tab): void {
    tab.isAlive = false;
    tab.dropTimers();
    this.#ports = this.#ports.filter((port) => port.tab !== tab);
    this.#lockSteps.delete(tab);
    for (const queue of this.#locks.values())
      for (const request of queue.filter((each) => each.tab === tab)) this.#release(request);
    for (const exchange of [...this.exchanges.values()])
      if (exchange.tab === tab.name) this.exchanges.delete(exchange.id);
    this.tabs.delete(tab.name);
  }

  /** Everything that decides which steps can run and what they do, apart from the code in the tabs. */
  get state(): string {
    const parts = [this.server.state, [...this.#stored.keys()].join(), [...this.tokens].join()];
    for (const port of this.#ports) {
      parts.push(port.id);
      for (const [from, queue] of port.inbox)
        if (queue.length > 0) parts.push(from, ...queue.map(({ json }) => json));
    }
    for (const [name, queue] of this.#locks) parts.push(name, ...queue.map(({ id }) => id));
    for (const [tab, queue] of this.#lockSteps) parts.push(tab.name, ...queue.map(({ label }) => label));
    for (const exchange of this.exchanges.values())
      parts.push(
        exchange.id,
        String(exchange.respond === undefined),
        exchange.headers.get('Authorization') ?? '',
        ...exchange.chunks,
      );
    for (const tab of this.tabs.values()) parts.push(tab.name, String(tab.isFrozen), String(tab.isHidden));
    return parts.join('|');
  }
}
