import type { Cancel, Environment } from '../environment.js';
import {
  DunlinError,
  isTemporary,
  problemOf,
  see,
  type LeaseLostReason,
  type Problem,
} from '../http/problem.js';
import type { HeldLease, LeaseGrant, LeaseOwner, LeaseTransport } from './transport.js';

/** `lost.reason` of a lease. */
export class LeaseLost extends Error {
  readonly reason: LeaseLostReason;
  readonly problem: Problem | undefined;

  constructor(reason: LeaseLostReason, problem?: Problem) {
    super(`lease_lost: You no longer hold the lease (reason: ${reason}).${see(problem?.link)}`);
    this.name = 'LeaseLost';
    this.reason = reason;
    this.problem = problem;
  }
}

/** The shortest delay between two renewals whose outcome is unknown, in milliseconds. */
const SHORTEST_RETRY_MS = 500;

/**
 * A lease that this tab holds. It is renewed after a third of its duration.
 *
 * The lease is valid for the granted duration less the duration of the request, by the local monotonic clock. A renewal whose outcome is
 * unknown does not extend it. So the lease expires here before it expires at the server.
 *
 * A computer that wakes from sleep may notice the expiry late. The fencing token protects the data: the server checks it with every guarded
 * write.
 */
export class Lease {
  readonly resource: string;
  readonly leaseId: string;
  readonly #transport: LeaseTransport;
  readonly #environment: Environment;
  readonly #seconds: number;
  readonly #lost = new AbortController();
  readonly #holds = new Set<Promise<unknown>>();
  #grant: LeaseGrant;
  #validUntil: number;
  #stopTimer: Cancel | undefined;
  #renewal: AbortController | undefined;
  #releasing: Promise<void> | undefined;

  /** @internal Created by `Leases`. `askedAt`: local time just before the request. */
  constructor(
    transport: LeaseTransport,
    environment: Environment,
    request: { readonly resource: string; readonly leaseId: string; readonly seconds: number },
    grant: LeaseGrant,
    askedAt: number,
  ) {
    this.resource = request.resource;
    this.leaseId = request.leaseId;
    this.#seconds = grant.seconds ?? request.seconds;
    this.#transport = transport;
    this.#environment = environment;
    this.#grant = grant;
    this.#validUntil = askedAt + this.#grantedMs(grant);
    this.#schedule(this.#renewEveryMs());
  }

  /** The fencing token. It increases with every grant of the resource. Send it with every guarded write. */
  get fence(): number | string {
    return this.#grant.fence;
  }

  get owner(): LeaseOwner | undefined {
    return this.#grant.owner;
  }

  /** Aborted with a `LeaseLost` as its reason when the lease ends, for any cause. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get isHeld(): boolean {
    return !this.#lost.signal.aborted && this.#environment.now() < this.#validUntil;
  }

  /** Milliseconds for which the lease is certainly held. */
  get validForMs(): number {
    return this.#lost.signal.aborted ? 0 : Math.max(0, this.#validUntil - this.#environment.now());
  }

  get hasHolds(): boolean {
    return this.#holds.size > 0;
  }

  /** Delays `release` until the promise has settled. Returns the promise. */
  hold<T>(pending: Promise<T>): Promise<T> {
    this.#holds.add(pending);
    const settled = () => void this.#holds.delete(pending);
    pending.then(settled, settled);
    return pending;
  }

  /** Releases the lease after all promises passed to `hold` have settled, and renews it until then. Never rejects. */
  release(): Promise<void> {
    this.#releasing ??= this.#release();
    return this.#releasing;
  }

  /** Passes the lease to the named user, or to the first waiter, after all promises passed to `hold` have settled. */
  async handOff(to?: string): Promise<void> {
    await this.#settleHolds();
    if (this.#lost.signal.aborted) return;
    if (!this.#transport.handOff) {
      const title = 'This transport does not support hand-off.';
      throw new DunlinError({ kind: 'unexpected', code: 'lease.noHandOff', title });
    }
    await this.#transport.handOff(this.#held(), to);
    this.#lose('handedOff');
  }

  /** Releases the lease while the page unloads, without waiting. Does nothing while saves are pending, because they need the lease. */
  releaseNow(): void {
    if (this.#lost.signal.aborted || this.hasHolds) return;
    this.#lose('released');
    void this.#transport.release(this, { keepalive: true }).catch(() => {});
  }

  /** Renews immediately, for example when the page is shown again. */
  check(): void {
    if (!this.#lost.signal.aborted) void this.#renew();
  }

  /** Ends the lease locally after the application learned, usually from an event, that it is lost. */
  markLost(reason: LeaseLostReason): void {
    this.#lose(reason);
  }

  #held(): HeldLease {
    return { resource: this.resource, leaseId: this.leaseId, fence: this.fence, seconds: this.#seconds };
  }

  #renewEveryMs(): number {
    return (this.#seconds * 1000) / 3;
  }

  // Both times are of the server's clock, so their difference is valid here. A repeated grant has less than its full duration left.
  #grantedMs(grant: LeaseGrant | undefined): number {
    const full = this.#seconds * 1000;
    const left = Date.parse(grant?.expiresAt ?? '') - Date.parse(grant?.serverNow ?? '');
    return Number.isNaN(left) ? full : Math.min(full, left);
  }

  #schedule(milliseconds: number): void {
    this.#stopTimer?.();
    const left = this.#validUntil - this.#environment.now();
    this.#stopTimer = this.#environment.setTimer(
      Math.max(0, Math.min(milliseconds, left)),
      () => void this.#renew(),
    );
  }

  async #renew(): Promise<void> {
    const askedAt = this.#environment.now();
    if (askedAt >= this.#validUntil) return this.#lose('expired');
    // One renewal at a time. A renewal without an answer is aborted when the lease expires.
    if (this.#renewal) return this.#schedule(this.#renewEveryMs());
    const renewal = (this.#renewal = new AbortController());
    this.#schedule(Infinity);
    try {
      const grant = await this.#transport.renew(this.#held(), renewal.signal);
      if (this.#lost.signal.aborted) return;
      if (grant) this.#grant = { ...this.#grant, ...grant };
      this.#validUntil = askedAt + this.#grantedMs(grant);
      this.#schedule(this.#renewEveryMs());
    } catch (error) {
      if (this.#lost.signal.aborted) return;
      const problem = problemOf(error);
      if (problem.kind === 'lost') this.#lose(problem.reason, problem);
      else if (isTemporary(problem) || problem.kind === 'aborted') this.#schedule(this.#retryMs());
      else this.#lose('unknown', problem);
    } finally {
      this.#renewal = undefined;
    }
  }

  #retryMs(): number {
    return Math.max(SHORTEST_RETRY_MS, this.#renewEveryMs() / 4);
  }

  async #release(): Promise<void> {
    await this.#settleHolds();
    if (this.#lost.signal.aborted) return;
    this.#lose('released');
    try {
      await this.#transport.release(this, { keepalive: false });
    } catch {
      // One retry for a brief network failure. After that the lease expires at the server.
      await this.#transport.release(this, { keepalive: true }).catch(() => {});
    }
  }

  async #settleHolds(): Promise<void> {
    while (this.#holds.size > 0 && !this.#lost.signal.aborted) {
      await Promise.race([Promise.allSettled([...this.#holds]), aborted(this.#lost.signal)]);
    }
  }

  #lose(reason: LeaseLostReason, problem?: Problem): void {
    if (this.#lost.signal.aborted) return;
    this.#stopTimer?.();
    this.#lost.abort(new LeaseLost(reason, problem));
    this.#renewal?.abort();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
