import {
  DunlinError,
  problemOf,
  type Lease,
  type LeaseHolder,
  type Problem,
  type SaveAnswer,
  type SaveContext,
} from '@dunlin/client';
import type { Case, CaseApi, CaseUpdates, HistoryEntry, LeaseProof } from '../api/cases';
import { fieldKey, type FieldKey } from '../api/fieldLocks';
import type { FieldName } from '../api/fields';
import { isUncertain, type FieldInput, type FieldState } from './fieldEdit';

/** Answers with status 500 after which a save is refused. The first retries last about 3 s. */
const MAX_SERVER_ERRORS = 3;
/** Delay before a lock that this user holds elsewhere is requested again, in milliseconds. */
const OWN_LOCK_RETRY_MS = 1000;

export interface FieldSavesOptions {
  readonly userId: string;
  readonly api: CaseApi;
  readonly stateOf: (key: FieldKey) => FieldState;
  readonly lock: (key: FieldKey) => Promise<Lease>;
  readonly take: (key: FieldKey, input: FieldInput) => void;
}

/** The fields of one request under their locks. */
interface Request {
  readonly id: string;
  readonly updates: CaseUpdates;
  readonly proofs: Readonly<Record<string, LeaseProof>>;
}

/** Sends the saves of a tab. Invariant: no request leaves without the lock of each of its fields. */
export class FieldSaves {
  readonly #options: FieldSavesOptions;
  /** Requests without an answer, except those that outlive the page. */
  readonly #sending = new Set<Request>();
  readonly #serverErrors = new Map<string, { readonly saveId: string; readonly count: number }>();

  constructor(options: FieldSavesOptions) {
    this.#options = options;
  }

  /** Saves those fields of one case whose lock this tab holds or can acquire now. The others are refused. */
  async save(id: string, updates: CaseUpdates, context: SaveContext): Promise<SaveAnswer<Case>> {
    const refused: Partial<Record<FieldName, Problem>> = {};
    const proofs: Record<string, LeaseProof> = {};
    const leases: Lease[] = [];
    let version: number | undefined;
    await Promise.all(
      (Object.entries(updates) as [FieldName, string][]).map(async ([field, value]) => {
        const key = fieldKey(id, field);
        try {
          const saved = await this.#savedVersion(key, id, field, value, context.keepalive);
          if (saved !== undefined) {
            version = Math.max(version ?? 0, saved);
            return;
          }
          const lease = await this.#guard(key, id, field, context.keepalive);
          leases.push(lease);
          proofs[field] = { leaseId: lease.leaseId, fence: Number(lease.fence) };
          this.#options.take(key, { type: 'sent' });
        } catch (error) {
          if (isUncertain(problemOf(error))) throw error;
          refused[field] = problemOf(error);
        }
      }),
    );
    const names = Object.keys(proofs) as FieldName[];
    if (names.length === 0) return { version, refused };
    try {
      const request = { id, updates: pick(updates as Record<string, string>, names), proofs };
      const sending = this.#send(request, context);
      // The server releases these leases with the save. A page that comes back from the back/forward cache acquires them again.
      if (context.keepalive) for (const lease of leases) lease.markLost('released');
      version = (await sending).version;
    } catch (error) {
      const problem = this.#judge(id, context, problemOf(error));
      if (isUncertain(problem)) throw error;
      if (names.length === 1) refused[names[0]!] = problem;
      else version = await this.#sendEach(id, names, updates, proofs, context, refused);
    }
    return { version, refused };
  }

  /**
   * Repeats requests without an answer in a form that outlives the page and releases the leases. Whichever arrives second changes nothing:
   * it has the same values, or no lease.
   */
  leave(): void {
    for (const { id, updates, proofs } of this.#sending)
      void this.#options.api.update(id, updates, proofs, { keepalive: true }).catch(() => {});
  }

  async #send(request: Request, context: SaveContext): Promise<{ version: number }> {
    if (!context.keepalive) this.#sending.add(request);
    try {
      const answer = await this.#options.api.update(request.id, request.updates, request.proofs, context);
      this.#serverErrors.delete(request.id);
      return answer;
    } finally {
      this.#sending.delete(request);
    }
  }

  // The server accepts all fields of a request or none. Send each field alone, so that a refused one does not block the others.
  async #sendEach(
    id: string,
    names: readonly FieldName[],
    updates: CaseUpdates,
    proofs: Readonly<Record<string, LeaseProof>>,
    context: SaveContext,
    refused: Partial<Record<FieldName, Problem>>,
  ): Promise<number | undefined> {
    let version: number | undefined;
    for (const name of names) {
      try {
        const one = pick(updates as Record<string, string>, [name]);
        version = (await this.#send({ id, updates: one, proofs: pick(proofs, [name]) }, context)).version;
      } catch (error) {
        const problem = this.#judge(id, context, problemOf(error));
        if (isUncertain(problem)) throw error;
        refused[name] = problem;
      }
    }
    return version;
  }

  // A server that answers 500 again and again will not accept this value: refuse it, so that the page does not show it as if it were saved.
  #judge(id: string, { saveId }: SaveContext, problem: Problem): Problem {
    if (problem.kind !== 'busy' || problem.status !== 500) return problem;
    const before = this.#serverErrors.get(id);
    const count = before?.saveId === saveId ? before.count + 1 : 1;
    this.#serverErrors.set(id, { saveId, count });
    if (count < MAX_SERVER_ERRORS) return problem;
    this.#serverErrors.delete(id);
    return { ...problem, kind: 'unexpected' };
  }

  /** Returns the version with which an earlier page of this user saved an adopted value; undefined if it did not. */
  async #savedVersion(
    key: FieldKey,
    id: string,
    field: FieldName,
    value: string,
    isLeaving: boolean,
  ): Promise<number | undefined> {
    if (isLeaving || !this.#options.stateOf(key).isAdopted) return undefined;
    const { userId } = this.#options;
    const isThisSave = (entry: HistoryEntry) => entry.userId === userId && entry.newValue === value;
    return (await this.#changeOf(key, id, field, isThisSave))?.version;
  }

  // Acquires the lock of a field before its save. If this tab did not hold the lock all the time, a value that another user saved meanwhile
  // wins, because it is newer than the value on which this edit is based.
  async #guard(key: FieldKey, id: string, field: FieldName, isLeaving: boolean): Promise<Lease> {
    const { stateOf, lock, take } = this.#options;
    const isSafe = stateOf(key).lock === 'held' && !stateOf(key).isUnguarded;
    if (isLeaving && !isSafe) {
      throw new DunlinError({
        kind: 'network',
        code: 'leaving',
        title: 'There is no time to take the lock.',
      });
    }
    const lease = await lock(key).catch((error: unknown) => {
      throw this.#isOwnLock(key, problemOf(error)) ? ownLock() : error;
    });
    if (!stateOf(key).isUnguarded) return lease;
    const other = await this.#changeOf(key, id, field, ({ userId }) => userId !== this.#options.userId);
    if (other) {
      throw new DunlinError({
        kind: 'conflict',
        code: 'changed',
        title: `${other.userName} changed it meanwhile.`,
      });
    }
    take(key, { type: 'guarded' });
    return lease;
  }

  // The earlier page still holds the lock of an adopted value, until its last save arrives or the lease expires.
  #isOwnLock(key: FieldKey, problem: Problem): boolean {
    if (problem.kind !== 'held' || !this.#options.stateOf(key).isAdopted) return false;
    const holder = problem.holder as LeaseHolder | undefined;
    const owner = holder?.owner ?? (holder as LeaseHolder['owner']);
    return owner?.userId === this.#options.userId;
  }

  /** Returns the newest matching change of a field since the version that its unsaved value is based on. */
  async #changeOf(
    key: FieldKey,
    id: string,
    field: FieldName,
    matches: (entry: HistoryEntry) => boolean,
  ): Promise<HistoryEntry | undefined> {
    const history = await this.#options.api.history(id);
    const { base = 0 } = this.#options.stateOf(key);
    return history.find((entry) => entry.field === field && entry.version > base && matches(entry));
  }
}

function ownLock(): DunlinError {
  return new DunlinError({
    kind: 'busy',
    code: 'own_lock',
    title: 'Another page of this user holds the lock.',
    retryAfterMs: OWN_LOCK_RETRY_MS,
  });
}

function pick<Value>(from: Readonly<Record<string, Value>>, names: readonly string[]): Record<string, Value> {
  return Object.fromEntries(names.map((name) => [name, from[name]!]));
}
