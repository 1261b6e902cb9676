/** Who holds a lease, as everybody may see it. */
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

/** What the server grants. Times are the server's; they are only compared with each other. */
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
  /** Made by the client: asking again with the same id is the same question. */
  readonly leaseId: string;
  readonly seconds: number;
  readonly wait: boolean;
}

export interface HeldLease {
  readonly resource: string;
  readonly leaseId: string;
  readonly fence: number | string;
  readonly seconds: number;
}

/**
 * How leases are asked for. Applications with addresses of their own supply another. Every call rejects with a
 * `DunlinError`; `acquire` must be idempotent by `leaseId`, and `renew` rejects with the kind `lost` (or `notFound`,
 * `held`, `signedOut`, `forbidden`) when the lease is gone and with `network` or `busy` when that is unknown.
 */
export interface LeaseTransport {
  acquire(request: AcquireRequest, signal: AbortSignal): Promise<AcquireAnswer>;
  /** An answer without a grant extends by the full time. */
  renew(lease: HeldLease, signal: AbortSignal): Promise<LeaseGrant | undefined>;
  /** `keepalive`: the page is being left and the answer will not be seen. */
  release(lease: Pick<HeldLease, 'resource' | 'leaseId'>, options: { keepalive: boolean }): Promise<void>;
  handOff?(lease: HeldLease, to: string | undefined): Promise<void>;
}
