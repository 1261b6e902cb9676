import { putLease, type LeaseGrant, type LeaseTransport, type Requests } from '@dunlin/client';
import type { FieldName } from './fields';

/** `{caseId}/{field}`: one field of one case. It is the resource of its lock and the key of its cell. */
export type FieldKey = `${string}/${FieldName}`;

export function fieldKey(id: string | number, field: FieldName): FieldKey {
  return `${id}/${field}`;
}

export function partsOf(key: FieldKey): { id: string; field: FieldName } {
  const [id, field] = key.split('/') as [string, FieldName];
  return { id, field };
}

/** Returns the lease transport for field locks at the warranty system's endpoints. */
export function fieldLocks(requests: Requests): LeaseTransport {
  const path = (resource: string) => {
    const { id, field } = partsOf(resource as FieldKey);
    return `/api/warranty/cases/${id}/locks/${field}`;
  };
  return {
    acquire: ({ resource, leaseId, seconds }, signal) =>
      putLease(requests, path(resource), { leaseId, seconds }, signal),
    renew: async ({ resource, leaseId, fence }, signal) => {
      const body = { leaseId, fence };
      return (await requests.send<LeaseGrant>('POST', path(resource), { body, signal })).body;
    },
    release: async ({ resource, leaseId }, { keepalive }) => {
      await requests.send('DELETE', path(resource), { headers: { 'Dunlin-Lease': leaseId }, keepalive });
    },
  };
}
