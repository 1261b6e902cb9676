import type { Cancel, Environment } from '../environment.js';
import { DunlinError, isTemporary, problemOf } from '../http/problem.js';
import { Lease } from './lease.js';
import type {
  AcquireAnswer,
  AcquireRequest,
  HeldLease,
  LeaseGrant,
  LeaseHolder,
  LeaseTransport,
} from './transport.js';

export interface AcquireOptions {
  /** Seconds for which the server keeps the lease without a renewal; default 30. */
  readonly seconds?: number | undefined;
  /** Stops waiting. A lease that was granted meanwhile is released. */
  readonly signal?: AbortSignal | undefined;
}

export interface PreemptOptions extends AcquireOptions {
  /** Why the holder loses the lease. The holder's page receives it in the `lease.ending` event. */
  readonly reason: string;
  /** Seconds for which the holder keeps the lease to save; default 0. Never longer than the lease would last anyway. */
  readonly graceSeconds?: number | undefined;
}

type Send = (request: AcquireRequest, signal: AbortSignal) => Promise<AcquireAnswer>;

export type TryAcquireResult =
  | { readonly status: 'acquired'; readonly lease: Lease }
  | { readonly status: 'held'; readonly holder: LeaseHolder | undefined };

/** Delays before an acquire request without an answer is sent again with the same lease id, in milliseconds. */
const LOST_REPLY_RETRY_MS: readonly number[] = [250, 1000, 2000];
/** Interval in which a waiter repeats its acquire request. A repeated request keeps the place in the queue. */
const WAITER_POLL_MS = 2000;

/** The leases of this tab. */
export class Leases {
  readonly #transport: LeaseTransport;
  readonly #environment: Environment;
  readonly #held = new Set<Lease>();
  readonly #waiters = new Map<string, Set<() => void>>();
  readonly #signals: Cancel[];
  readonly #onDispose: (() => void) | undefined;

  constructor(transport: LeaseTransport, environment: Environment, onDispose?: () => void) {
    this.#transport = transport;
    this.#environment = environment;
    this.#onDispose = onDispose;
    const check = () => this.check();
    this.#signals = [
      environment.onSignal('pagehide', () => [...this.#held].forEach((lease) => lease.releaseNow())),
      environment.onSignal('pageshow', ({ persisted }) => persisted && check()),
      environment.onSignal('online', check),
    ];
  }

  /** The leases that are held now. */
  get held(): ReadonlySet<Lease> {
    return this.#held;
  }

  /** Whether a lease is held or waited for. The server ends both some time after the stream closed. */
  get isInUse(): boolean {
    return this.#held.size + this.#waiters.size > 0;
  }

  /** Tries once to acquire the lease. Resolves with the lease, or with its current holder. */
  async tryAcquire(resource: string, options: AcquireOptions = {}): Promise<TryAcquireResult> {
    const leaseId = this.#environment.randomId();
    const result = await this.#ask(resource, leaseId, false, options, this.#acquire);
    if (result instanceof Lease) return { status: 'acquired', lease: result };
    return { status: 'held', holder: result.status === 'held' ? result.holder : undefined };
  }

  /** Waits in the queue until the lease is granted. Rejects when the signal aborts. */
  acquire(resource: string, options: AcquireOptions = {}): Promise<Lease> {
    return this.#wait(resource, options, this.#acquire);
  }

  /**
   * Takes the lease from its holder, and waits until the holder's grace period has passed. Needs the right to preempt: rejects with
   * `forbidden` without it.
   */
  preempt(resource: string, options: PreemptOptions): Promise<Lease> {
    const transport = this.#transport;
    const { reason, graceSeconds = 0 } = options;
    return this.#wait(resource, options, (request, signal) => {
      if (transport.preempt) return transport.preempt({ ...request, reason, graceSeconds }, signal);
      const title = 'This transport does not support preemption.';
      throw new DunlinError({ kind: 'unexpected', code: 'lease.noPreempt', title });
    });
  }

  readonly #acquire: Send = (request, signal) => this.#transport.acquire(request, signal);

  // After the first answer the server has queued this lease id. Repeated acquire requests keep its place.
  async #wait(resource: string, options: AcquireOptions, first: Send): Promise<Lease> {
    const leaseId = this.#environment.randomId();
    let send = first;
    for (;;) {
      const result = await this.#ask(resource, leaseId, true, options, send).catch((error: unknown) => {
        if (isTemporary(problemOf(error))) return undefined;
        throw error;
      });
      if (result instanceof Lease) return result;
      if (result) send = this.#acquire;
      try {
        await this.#turn(resource, options.signal);
      } catch (error) {
        this.#abandon(resource, leaseId);
        throw error;
      }
    }
  }

  /** Lets waiters repeat their request, usually because an event reported that the resource is free. */
  notify(resource: string): void {
    this.#waiters.get(resource)?.forEach((wake) => wake());
  }

  /** Renews all leases immediately: the page or the connection is back. */
  check(): void {
    for (const lease of this.#held) lease.check();
  }

  /**
   * Releases a lease by its id, such as one of a page that has ended; it must be of the same user. Repeated calls do nothing. A lease of
   * this tab is released after its pending saves.
   */
  async release(resource: string, leaseId: string): Promise<void> {
    for (const lease of this.#held) if (lease.leaseId === leaseId) return lease.release();
    await this.#transport.release({ resource, leaseId }, { keepalive: false });
  }

  /** Renews a lease by its id and fencing token, such as one of another page. Rejects with the kind `lost` if it is lost. */
  renew(lease: HeldLease, signal = new AbortController().signal): Promise<LeaseGrant | undefined> {
    return this.#transport.renew(lease, signal);
  }

  /** Releases all leases after their pending saves. */
  async releaseAll(): Promise<void> {
    await Promise.all([...this.#held].map((lease) => lease.release()));
  }

  dispose(): void {
    for (const cancel of this.#signals.splice(0)) cancel();
    void this.releaseAll();
    this.#onDispose?.();
  }

  async #ask(
    resource: string,
    leaseId: string,
    wait: boolean,
    { seconds = 30, signal }: AcquireOptions,
    send: Send,
  ): Promise<Lease | Exclude<AcquireAnswer, { status: 'granted' }>> {
    const request = { resource, leaseId, seconds, wait };
    for (let attempt = 0; ; attempt++) {
      const askedAt = this.#environment.now();
      try {
        signal?.throwIfAborted();
        const answer = await send(request, signal ?? new AbortController().signal);
        if (answer.status !== 'granted') return answer;
        const lease = new Lease(this.#transport, this.#environment, request, answer.grant, askedAt);
        if (signal?.aborted) void lease.release();
        signal?.throwIfAborted();
        this.#held.add(lease);
        lease.lost.addEventListener('abort', () => this.#held.delete(lease), { once: true });
        return lease;
      } catch (error) {
        const problem = problemOf(error);
        const pause = LOST_REPLY_RETRY_MS[attempt];
        if (!signal?.aborted && problem.kind === 'network' && pause !== undefined) {
          await this.#pause(pause, signal).catch(() => {});
          continue;
        }
        // The server may have granted the lease without an answer: release it.
        const unknown = problem.kind === 'network' || problem.kind === 'aborted' || signal?.aborted;
        if (unknown && !(wait && !signal?.aborted)) this.#abandon(resource, leaseId);
        throw error instanceof DunlinError ? error : new DunlinError(problem, { cause: error });
      }
    }
  }

  #abandon(resource: string, leaseId: string): void {
    void this.#transport.release({ resource, leaseId }, { keepalive: true }).catch(() => {});
  }

  async #turn(resource: string, signal: AbortSignal | undefined): Promise<void> {
    const waiters = this.#waiters.get(resource) ?? new Set();
    this.#waiters.set(resource, waiters);
    let wake!: () => void;
    const notified = new Promise<void>((resolve) => waiters.add((wake = resolve)));
    try {
      await this.#pause(WAITER_POLL_MS, signal, notified);
    } finally {
      waiters.delete(wake);
      if (waiters.size === 0) this.#waiters.delete(resource);
    }
  }

  #pause(milliseconds: number, signal: AbortSignal | undefined, sooner?: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => finish(() => reject(new DunlinError(problemOf(signal?.reason))));
      const stop = this.#environment.setTimer(milliseconds, () => finish(resolve));
      const finish = (settle: () => void) => {
        stop();
        signal?.removeEventListener('abort', abort);
        settle();
      };
      signal?.addEventListener('abort', abort);
      if (signal?.aborted) abort();
      void sooner?.then(() => finish(resolve));
    });
  }
}
