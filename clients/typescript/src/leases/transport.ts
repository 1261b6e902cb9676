/** The public description of a lease's holder. */
export interface LeaseOwner {
  readonly userId?: string | undefined;
  readonly name?: string | undefined;
  readonly connectionId?: string | undefined;
  readonly device?: string | undefined;
}

export interface LeaseHolder {
  readonly owner?: LeaseOwner | undefined;
  readonly expiresAt?: string | undefined;
}

/** What the server grants. Both times are of the server's clock and are only compared with each other. */
export interface LeaseGrant {
  readonly leaseId: string;
  readonly fence: number | string;
  readonly seconds: number;
  readonly state?: string | undefined;
  readonly owner?: LeaseOwner | undefined;
  readonly acquiredAt?: string | undefined;
  readonly expiresAt?: string | undefined;
  readonly serverNow?: string | undefined;
  readonly queue?: unknown;
}

export type AcquireAnswer =
  | { readonly status: 'granted'; readonly grant: LeaseGrant }
  | { readonly status: 'queued'; readonly position: number }
  | { readonly status: 'held'; readonly holder: LeaseHolder | undefined };

export interface AcquireRequest {
  readonly resource: string;
  /** Created by the client. A repeated request with the same id is idempotent. */
  readonly leaseId: string;
  readonly seconds: number;
  readonly wait: boolean;
}

export interface PreemptRequest extends AcquireRequest {
  /** Why the holder loses the lease; the server includes it in the `lease.ending` event. */
  readonly reason: string;
  /** Seconds for which the holder keeps the lease to save; 0 ends it at once. */
  readonly graceSeconds: number;
}

export interface HeldLease {
  readonly resource: string;
  readonly leaseId: string;
  readonly fence: number | string;
  readonly seconds: number;
}

/**
 * Sends lease requests. Applications with their own endpoints supply their own transport. Every call rejects with a `DunlinError`.
 *
 * - `acquire` and `preempt` must be idempotent by `leaseId`. After a `preempt` with a grace period, `acquire` waits with the same id.
 * - `renew` rejects with the kind `lost`, `notFound`, `held`, `signedOut` or `forbidden` when the lease is lost, and with `network` or
 * `busy` when the outcome is unknown.
 */
export interface LeaseTransport {
  acquire(request: AcquireRequest, signal: AbortSignal): Promise<AcquireAnswer>;
  /** Takes the lease from its holder. Answers `queued` when the holder has a grace period. */
  preempt?(request: PreemptRequest, signal: AbortSignal): Promise<AcquireAnswer>;
  /** Renews a lease. An answer without a grant extends it by the full duration. */
  renew(lease: HeldLease, signal: AbortSignal): Promise<LeaseGrant | undefined>;
  /** `keepalive`: the page is unloading and nobody reads the answer. */
  release(lease: Pick<HeldLease, 'resource' | 'leaseId'>, options: { keepalive: boolean }): Promise<void>;
  handOff?(lease: HeldLease, to: string | undefined): Promise<void>;
}
