import type { Lease, Leases } from '@dunlin/client';
import type { DocumentsApi } from '../api/documents';
import { LOCK_SECONDS } from '../api/fileLocks';

/**
 * Deletes files, all or none. Acquires the locks that this tab does not hold and sends all of them. Returns the holder of one of the files
 * if nothing was deleted because of that lock.
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
    // Deleted files have no locks. Releasing them is no error.
    for (const lease of taken) void lease.release();
  }
}
