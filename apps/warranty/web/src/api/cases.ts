import type { Requests } from '@dunlin/client';
import type { FieldName } from './fields';

/** A case on the wire. All editable fields are texts; an empty text means no value. */
export interface Case extends Record<FieldName, string> {
  readonly id: number;
  readonly branchId: number;
  readonly serviceNo: string;
  /** Of two states of a case, the one with the higher version is newer. */
  readonly version: number;
  readonly createdAt: number;
}

export type CaseUpdates = Partial<Record<FieldName, string>>;

export interface Branch {
  readonly id: number;
  readonly code: string;
  readonly name: string;
}

export interface CasePage {
  readonly items: readonly Case[];
  readonly page: number;
  readonly limit: number;
  readonly total: number;
}

export interface Query {
  readonly search: string;
  /** A field name; a leading `-` sorts descending. */
  readonly sort: string;
  readonly page: number;
  /** Cases with any of these statuses. Empty selects all. */
  readonly status: readonly string[];
  /** Cases with any of these names in the field `staff`; an empty name stands for nobody. An empty list selects all. */
  readonly staff: readonly string[];
}

/** Whether two queries differ at most in their page. */
export function isSameList(one: Query, other: Query): boolean {
  return JSON.stringify({ ...one, page: 1 }) === JSON.stringify({ ...other, page: 1 });
}

export interface HistoryEntry {
  readonly version: number;
  readonly field: FieldName;
  readonly oldValue: string;
  readonly newValue: string;
  readonly userId: string;
  readonly userName: string;
  readonly changedAt: number;
}

export interface LeaseProof {
  readonly leaseId: string;
  readonly fence: number;
}

/** A lock as all users of the branch see it. */
export interface FieldLock {
  readonly caseId: number;
  readonly field: FieldName;
  readonly userId: string;
  readonly userName: string;
}

/** The frames of `/api/sse/warranty-updates`. */
export interface WarrantyEvents {
  'connection-established': { connectionId: string; branchId: number };
  heartbeat: { timestamp: string };
  locks: readonly FieldLock[];
  'lock-acquired': FieldLock;
  'lock-released': Pick<FieldLock, 'caseId' | 'field' | 'userId'>;
  'case-created': { caseId: number; case: Case };
  'case-updated': { caseId: number; updates: CaseUpdates; version: number };
  'case-deleted': { caseId: number };
  'case-transferred-in': { caseId: number; fromBranchId: number; case: Case };
  'case-transferred-out': { caseId: number; toBranchId: number };
  'sync-required': { caseId: number };
}

/** Cases in one page of the server's list, and in one page of the address. */
export const PAGE_SIZE = 50;

/** Returns the topic of a branch. */
export function branchTopic(branchId: number): string {
  return `warranty/${branchId}`;
}

export function streamPath(branchId: number): string {
  return `/api/sse/warranty-updates?branchId=${branchId}&presence=true`;
}

/** The requests of the warranty system. Every refusal rejects with a `DunlinError`. */
export class CaseApi {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  async branches(): Promise<readonly Branch[]> {
    return (await this.#requests.send<Branch[]>('GET', '/api/warranty/branches')).body;
  }

  async page(
    branchId: number,
    { search, sort, page, status, staff }: Query,
    signal?: AbortSignal,
    limit = PAGE_SIZE,
  ): Promise<CasePage> {
    const query = new URLSearchParams({ search, sort, page: String(page), limit: String(limit) });
    for (const each of status) query.append('status', each);
    for (const each of staff) query.append('staff', each);
    const path = `/api/warranty/branches/${branchId}/cases?${query}`;
    return (await this.#requests.send<CasePage>('GET', path, { signal })).body;
  }

  async find(id: string): Promise<Case> {
    return (await this.#requests.send<Case>('GET', `/api/warranty/cases/${id}`)).body;
  }

  /** Loads the names in the field `staff` of a branch. */
  async staff(branchId: number): Promise<readonly string[]> {
    return (await this.#requests.send<string[]>('GET', `/api/warranty/branches/${branchId}/staff`)).body;
  }

  async create(branchId: number, values: CaseUpdates, signal?: AbortSignal): Promise<Case> {
    const path = `/api/warranty/branches/${branchId}/cases`;
    return (await this.#requests.send<Case>('POST', path, { body: values, signal })).body;
  }

  /** Writes fields of one case, all or none. `keepalive`: the page unloads, so the server also releases the leases. */
  async update(
    id: string,
    updates: CaseUpdates,
    leases: Readonly<Record<string, LeaseProof>>,
    options: { keepalive: boolean; signal?: AbortSignal },
  ): Promise<{ version: number; updates: CaseUpdates }> {
    const path = `/api/warranty/cases/${id}`;
    const body = { updates, leases, ...(options.keepalive && { release: true }) };
    return (
      await this.#requests.send<{ version: number; updates: CaseUpdates }>('PATCH', path, {
        body,
        ...options,
      })
    ).body;
  }

  async remove(id: number): Promise<void> {
    await this.#requests.send('DELETE', `/api/warranty/cases/${id}`);
  }

  async transfer(id: number, toBranchId: number): Promise<void> {
    await this.#requests.send('POST', `/api/warranty/cases/${id}/transfer`, { body: { toBranchId } });
  }

  async history(id: number | string): Promise<readonly HistoryEntry[]> {
    return (await this.#requests.send<HistoryEntry[]>('GET', `/api/warranty/cases/${id}/history`)).body;
  }

  /** Loads the current locks of a branch from the engine's list of leases. A tab that joins a shared stream receives no snapshot. */
  async locks(branchId: number, signal?: AbortSignal): Promise<readonly FieldLock[]> {
    const path = `/dunlin/v1/leases?prefix=${encodeURIComponent(branchTopic(branchId))}`;
    const locks: FieldLock[] = [];
    let next: string | undefined;
    do {
      const after = next === undefined ? '' : `&after=${encodeURIComponent(next)}`;
      const { body } = await this.#requests.send<LeaseList>('GET', path + after, { signal });
      locks.push(...locksOf(body, branchId));
      next = body.next;
    } while (next !== undefined);
    return locks;
  }
}

function locksOf(body: LeaseList, branchId: number): FieldLock[] {
  return body.leases.flatMap(({ resource, state, owner, expiresAt }) => {
    const [, branch, caseId, field] = resource.split('/');
    const isHeld = owner && state !== 'free' && Date.parse(expiresAt) > Date.parse(body.serverNow);
    if (!isHeld || Number(branch) !== branchId) return [];
    return [
      {
        caseId: Number(caseId),
        field: field as FieldName,
        userId: owner.userId,
        userName: owner.name ?? owner.userId,
      },
    ];
  });
}

interface LeaseList {
  readonly serverNow: string;
  readonly next?: string | undefined;
  readonly leases: readonly {
    readonly resource: string;
    readonly state: string;
    readonly expiresAt: string;
    readonly owner: { readonly userId: string; readonly name?: string | undefined } | null;
  }[];
}
