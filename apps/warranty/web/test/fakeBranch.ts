import { json } from '../../../../clients/typescript/test/support/fakeServer';
import { FakeStreams } from '../../../../clients/typescript/test/support/fakeServer';
import type { FakeFetch } from '../../../../clients/typescript/test/support/fakeEnvironment';
import type { Case, CaseUpdates, HistoryEntry } from '../src/api/cases';
import type { FieldKey } from '../src/api/fieldLocks';
import type { FieldName } from '../src/api/fields';

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown> | undefined;
  readonly keepalive: boolean;
}

interface Held {
  readonly leaseId: string;
  readonly fence: number;
  readonly userId: string;
  readonly userName: string;
}

const blank: Record<FieldName, string> = {
  status: 'IN_QUEUE',
  customerName: '',
  customerContact: '',
  customerEmail: '',
  address: '',
  purchaseDate: '',
  invoice: '',
  receivedItems: '',
  issues: '',
  solutions: '',
  remarks: '',
  cost: '',
  staff: '',
};

/** An in-memory warranty server with one branch. A test can delay, block or fail its answers. */
export class FakeBranch {
  readonly streams = new FakeStreams();
  readonly requests: Seen[] = [];
  readonly cases = new Map<number, Case>();
  readonly locks = new Map<FieldKey, Held>();
  readonly history: HistoryEntry[] = [];
  readonly present: { userId: string; name: string }[] = [];
  /** Answers that replace those of the branch, by method and path. */
  readonly overrides: { match: RegExp; answer: (seen: Seen) => Response | Promise<Response> }[] = [];
  isReachable = true;
  #version = 100;
  #fence = 0;

  constructor(...names: string[]) {
    names.forEach((customerName, index) => this.add({ ...blank, id: index + 1, customerName }));
  }

  add(values: Partial<Case> & { id: number }): Case {
    const version = ++this.#version;
    const added = {
      ...blank,
      branchId: 1,
      serviceNo: `WHQ${values.id}`,
      createdAt: 0,
      ...values,
      version,
    } as Case;
    this.cases.set(added.id, added);
    return added;
  }

  /** Saves a field as another user. */
  write(id: number, updates: CaseUpdates, userName = 'Carol'): void {
    const before = this.cases.get(id)!;
    const version = ++this.#version;
    this.cases.set(id, { ...before, ...updates, version });
    for (const [field, newValue] of Object.entries(updates) as [FieldName, string][]) {
      const oldValue = before[field];
      this.history.unshift({ version, field, oldValue, newValue, userId: userName, userName, changedAt: 0 });
    }
    this.send('case-updated', { caseId: id, updates, version });
  }

  lock(key: FieldKey, userName: string, leaseId = 'other'): void {
    this.locks.set(key, { leaseId, fence: ++this.#fence, userId: userName, userName });
  }

  send(type: string, data: unknown): void {
    if (this.streams.opened.length > 0) this.streams.last.send(`data: ${JSON.stringify({ type, data })}\n\n`);
  }

  /** The methods of the requests about cases, in order. */
  get writes(): string[] {
    return this.requests
      .filter(({ path }) => path.startsWith('/api/warranty/cases/'))
      .map(({ method }) => method);
  }

  readonly fetch: FakeFetch = async (address, init) => {
    if (!this.isReachable) throw new TypeError('fetch failed');
    const url = new URL(address, 'http://server.test');
    if (url.pathname === '/api/sse/warranty-updates') return this.streams.fetch(address, init);
    const body =
      typeof init.body === 'string' ? (JSON.parse(init.body) as Record<string, unknown>) : undefined;
    const path = url.pathname + url.search;
    const seen: Seen = { method: init.method ?? 'GET', path, body, keepalive: init.keepalive ?? false };
    this.requests.push(seen);
    const override = this.overrides.find(({ match }) => match.test(`${seen.method} ${seen.path}`));
    return override ? override.answer(seen) : this.answer(seen, new Headers(init.headers));
  };

  answer({ method, path, body }: Seen, headers = new Headers()): Response {
    if (path === '/api/warranty/branches') return json(200, [{ id: 1, code: 'HQ', name: 'Harbour Quay' }]);
    if (path.startsWith('/dunlin/v1/leases')) return this.#listLocks();
    if (/^\/api\/warranty\/branches\/1\/cases/.test(path))
      return this.#list(new URL(path, 'http://server.test').searchParams);
    if (path === '/api/warranty/branches/1/staff') return json(200, ['Mira']);
    if (path.startsWith('/dunlin/v1/presence')) return json(200, { present: this.present });
    const [, id, rest] = /^\/api\/warranty\/cases\/([0-9]+)(?:\/(.*))?$/.exec(path) ?? [];
    if (rest === 'history') return json(200, this.history);
    if (rest?.startsWith('locks/')) {
      const key = `${id}/${rest.slice('locks/'.length)}` as FieldKey;
      return this.#lockRequest(method, key, body, headers);
    }
    if (method === 'GET' && rest === undefined && this.cases.has(Number(id)))
      return json(200, this.cases.get(Number(id)));
    if (method === 'PATCH') return this.#patch(Number(id), body as never);
    return json(404, { code: 'not_found', title: 'The resource was not found.' });
  }

  #list(query: URLSearchParams): Response {
    const all = [...this.cases.values()];
    const [page, limit] = [Number(query.get('page') ?? 1), Number(query.get('limit') ?? 25)];
    const items = all.slice((page - 1) * limit, page * limit);
    return json(200, { items, page, limit, total: all.length, position: 'e-1' });
  }

  #listLocks(): Response {
    const leases = [...this.locks].map(([key, { userId, userName }]) => ({
      resource: `warranty/1/${key}`,
      state: 'held',
      owner: { userId, name: userName },
      expiresAt: '2026-01-01T00:00:30Z',
    }));
    return json(200, { leases, position: 'e-1', serverNow: '2026-01-01T00:00:00Z' });
  }

  #lockRequest(
    method: string,
    key: FieldKey,
    body: Record<string, unknown> | undefined,
    headers: Headers,
  ): Response {
    const held = this.locks.get(key);
    const leaseId = method === 'DELETE' ? headers.get('Dunlin-Lease') : body?.['leaseId'];
    const isOurs = held !== undefined && held.leaseId === leaseId;
    if (method === 'DELETE') {
      if (isOurs) this.locks.delete(key);
      return json(204, undefined);
    }
    if (method === 'PUT') {
      if (held && !isOurs) return this.#held(held);
      if (!held) {
        this.locks.set(key, {
          leaseId: String(leaseId),
          fence: ++this.#fence,
          userId: 'bob',
          userName: 'Bob',
        });
      }
    } else if (!isOurs) {
      return json(409, { code: 'lease_lost', title: 'You no longer hold the lease.', reason: 'expired' });
    }
    return json(200, { leaseId, fence: this.locks.get(key)!.fence, seconds: 30, state: 'held' });
  }

  #held(held: Held): Response {
    const holder = { userId: held.userId, name: held.userName };
    return json(423, { code: 'lease_held', title: 'The lease is held by another holder.', holder });
  }

  #patch(
    id: number,
    {
      updates,
      leases,
      release,
    }: {
      updates: CaseUpdates;
      leases: Record<string, { leaseId: string; fence: number }>;
      release?: boolean;
    },
  ): Response {
    for (const field of Object.keys(updates) as FieldName[]) {
      const held = this.locks.get(`${id}/${field}`);
      const proof = leases[field];
      if (!held || proof?.leaseId !== held.leaseId || proof.fence !== held.fence) {
        return json(409, { code: 'lease_lost', title: 'You no longer hold the lease.', reason: 'expired' });
      }
      if (updates[field] === 'refuse me') {
        return json(400, {
          code: 'invalid_field',
          title: 'Wrong.',
          detail: `'${field}' must be better.`,
          field,
        });
      }
    }
    const version = ++this.#version;
    const before = this.cases.get(id)!;
    this.cases.set(id, { ...before, ...updates, version });
    for (const [field, newValue] of Object.entries(updates) as [FieldName, string][]) {
      const oldValue = before[field];
      this.history.unshift({
        version,
        field,
        oldValue,
        newValue,
        userId: 'bob',
        userName: 'Bob',
        changedAt: 0,
      });
      if (release) this.locks.delete(`${id}/${field}`);
    }
    this.send('case-updated', { caseId: id, updates, version });
    return json(200, { caseId: id, updates, version });
  }
}
