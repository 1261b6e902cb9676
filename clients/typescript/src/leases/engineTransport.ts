import { DunlinError } from '../http/problem.js';
import type { Requests } from '../http/requests.js';
import type { AcquireAnswer, LeaseGrant, LeaseHolder, LeaseTransport } from './transport.js';

/** Returns the lease transport of the engine, `/dunlin/v1/leases/{resource}`. */
export function engineLeases(requests: Requests): LeaseTransport {
  const path = (resource: string) => `/dunlin/v1/leases/${encodeURIComponent(resource)}`;
  return {
    acquire: ({ resource, ...body }, signal) => putLease(requests, path(resource), body, signal),
    preempt: ({ resource, leaseId, seconds, reason, graceSeconds }, signal) =>
      sendAcquire(
        requests,
        'POST',
        `${path(resource)}/take`,
        { leaseId, seconds, reason, graceSeconds },
        signal,
      ),
    renew: async ({ resource, leaseId, fence }, signal) => {
      const answer = await requests.send<LeaseGrant | undefined>('POST', `${path(resource)}/renew`, {
        body: { leaseId, fence },
        signal,
      });
      return answer.body;
    },
    release: async ({ resource, leaseId }, { keepalive }) => {
      await requests.send('DELETE', path(resource), { headers: { 'Dunlin-Lease': leaseId }, keepalive });
    },
    handOff: async ({ resource, leaseId, fence }, to) => {
      await requests.send('POST', `${path(resource)}/handoff`, { body: { leaseId, fence, to } });
    },
  };
}

/** Sends an acquire request and reads its answer, which has the same form at endpoints of applications. */
export function putLease(
  requests: Requests,
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<AcquireAnswer> {
  return sendAcquire(requests, 'PUT', path, body, signal);
}

async function sendAcquire(
  requests: Requests,
  method: 'PUT' | 'POST',
  path: string,
  body: unknown,
  signal: AbortSignal | undefined,
): Promise<AcquireAnswer> {
  try {
    const answer = await requests.send<LeaseGrant & { position?: number }>(method, path, { body, signal });
    if (answer.status === 202) return { status: 'queued', position: answer.body?.position ?? 0 };
    return { status: 'granted', grant: answer.body };
  } catch (error) {
    if (error instanceof DunlinError && error.problem.kind === 'held') {
      return { status: 'held', holder: readHolder(error.problem.holder, error.problem.detail) };
    }
    throw error;
  }
}

// Accepts `{holder: {owner, expiresAt}}` and `{holder: owner, expiresAt}`.
function readHolder(
  holder: unknown,
  detail: Readonly<Record<string, unknown>> = {},
): LeaseHolder | undefined {
  if (typeof holder !== 'object' || holder === null) return undefined;
  if ('owner' in holder) return holder as LeaseHolder;
  const { expiresAt = (holder as LeaseHolder).expiresAt } = detail;
  return { owner: holder, expiresAt: expiresAt as string | undefined };
}
