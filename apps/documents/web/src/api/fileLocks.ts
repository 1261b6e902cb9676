import { DunlinError, type LeaseGrant, type LeaseTransport, type Requests } from '@dunlin/client';
import type { LockGrant, LockHolder } from './types';

const FILES = '/api/v1/files';

/** Seconds until a lock without a heartbeat expires. The client sends one every 30 s. */
export const LOCK_SECONDS = 90;

/**
 * Adapts the lock requests of the documents to leases of the client. The server derives its lease id from the session. The client's lease
 * id only links the calls of this tab; requests carry the fencing token.
 */
export function fileLocks(requests: Requests): LeaseTransport {
  const fences = new Map<string, number>();
  const post = (call: string, body: object, options: { signal?: AbortSignal; keepalive?: boolean } = {}) =>
    requests.send<LockGrant>('POST', `${FILES}/${call}`, { body, ...options });
  return {
    async acquire({ resource, leaseId, wait }, signal) {
      try {
        const ask = () => post('acquire_lock', { file_id: resource, wait }, { signal });
        let { body } = await ask();
        // The session already had the lock, perhaps from a closed page whose release is still in flight. That release would also end this
        // grant. Release it and acquire a new grant with a higher fencing token. A waiting request keeps the grant, because it received it
        // in the queue.
        if (body.lease !== null && !body.is_new && !wait) {
          await post('release_lock', { file_id: resource, lease: body.lease }, { signal });
          ({ body } = await ask());
        }
        if (body.lease === null) return { status: 'queued', position: body.position ?? 0 };
        fences.set(leaseId, body.lease);
        return { status: 'granted', grant: grantOf(leaseId, body.lease, body) };
      } catch (error) {
        if (!(error instanceof DunlinError)) throw error;
        // The next list has the shared draft, which the page then joins.
        if (error.problem.code === 'edited_together') return { status: 'held', holder: undefined };
        if (error.problem.kind !== 'held') throw error;
        const owner = error.problem.holder as LockHolder | undefined;
        return { status: 'held', holder: owner && { owner: { name: owner.name } } };
      }
    },
    async renew({ resource, leaseId, fence }, signal) {
      const { body } = await post('heartbeat', { file_id: resource, lease: fence }, { signal });
      return grantOf(leaseId, Number(fence), body);
    },
    async release({ resource, leaseId }, { keepalive }) {
      const lease = fences.get(leaseId);
      fences.delete(leaseId);
      await post('release_lock', { file_id: resource, lease }, { keepalive });
    },
  };
}

function grantOf(leaseId: string, fence: number, grant: LockGrant): LeaseGrant {
  const { seconds, expires_at: expiresAt, server_now: serverNow } = grant;
  return { leaseId, fence, seconds, expiresAt, serverNow };
}
