import type { Lease, Leases } from '@dunlin/client';
import type { DocumentsApi } from '../api/documents';
import { LOCK_SECONDS } from '../api/fileLocks';

/**
 * Deletes files, all or none: takes the lock of each that is not held already, and shows all of them to the server.
 * Returns who holds one of them, where nothing was deleted for that.
 */
export async function deleteFiles(
  api: DocumentsApi,
  leases: Leases,
  fileIds: readonly string[],
  held: ReadonlyMap<string, Lease>,
): Promise<string | undefined> {
  const fences = new Map<string, number | string>();
  const taken: Lease[] = [];
  try {
    for (const id of fileIds) {
      const own = held.get(id);
      if (own) {
        fences.set(id, own.fence);
        continue;
      }
      const result = await leases.tryAcquire(id, { seconds: LOCK_SECONDS });
      if (result.status === 'held') return result.holder?.owner?.name ?? 'Another user';
      taken.push(result.lease);
      fences.set(id, result.lease.fence);
    }
    await api.delete(fences);
    return undefined;
  } finally {
    // Deleted files have no lock to give back any more; giving it back is no error.
    for (const lease of taken) void lease.release();
  }
}
