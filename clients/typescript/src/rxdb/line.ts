import type { RxCollection, RxDocument } from 'rxdb';
import { replicateRxCollection, type RxReplicationState } from 'rxdb/plugins/replication';
import { backoffMs } from '../connection/backoff.js';
import type { Cancel, Environment } from '../environment.js';
import { DunlinError, isTemporary, problemOf, type Problem } from '../http/problem.js';
import type { Requests } from '../http/requests.js';
import { findConfirmed, findLeftOut, findPending } from './pending.js';
import type { LineState, RefusedDocument } from './state.js';

/** Where a pull goes on. Always this one key: RxDB merges checkpoints. */
export interface Checkpoint {
  readonly position: string;
}

interface Page {
  readonly documents: any[];
  readonly checkpoint: Checkpoint;
}

interface Row {
  readonly assumedMasterState?: any;
  readonly newDocumentState: any;
}

export interface LineOptions {
  readonly name: string;
  readonly collection: RxCollection<any, any, any, any>;
  readonly environment: Environment;
  readonly requests: Requests;
  /** Path under which `pull/{name}` and `push/{name}` are. */
  readonly path: string;
  readonly identifier: string;
  readonly batchSize: number;
  readonly leases?: (() => readonly string[]) | undefined;
  readonly onChange: () => void;
  readonly onRefused: (refused: readonly RefusedDocument[]) => void;
  /** Resolves when requests may be made: at once, or after signing in. Rejects when all is over. */
  readonly open: () => Promise<void>;
  /** The session ended, or the page is outdated. */
  readonly onStop: (problem: Problem) => void;
}

// The handlers below try again by themselves and throw only when all is over: RxDB needs no patience of its own.
const RETRY_MS = 50;
const RECOUNT_MS = 20;
const MAX_REFUSALS = 5;

/**
 * The replication of one collection. Its handlers never give up: they wait for the network, the server or a sign-in, and
 * what wakes them is more than a timer. Two things they make good that RxDB 17.6 does not:
 *
 * - It leaves out a pulled document that has an unconfirmed change here, and moves its checkpoint past it. If that was the
 *   result of that very change, with what the server has set in it, it would never arrive. So what was left out is noted,
 *   and when nothing of it waits any more the pull is done again from where it was.
 * - It sends documents as it read them, which may be long ago when the network was away, with what it knows of the server
 *   now. A document that was taken over from the server in between would be sent in its old state, and one that was
 *   deleted brought back. So what has nothing to send any more is not sent.
 */
export class Line {
  readonly replication: RxReplicationState<any, Checkpoint>;
  readonly #options: LineOptions;
  readonly #abort = new AbortController();
  readonly #cancels: Cancel[] = [];
  readonly #waits = new Set<() => void>();
  readonly #problems: { pull?: Problem | undefined; push?: Problem | undefined } = {};
  #busy = 0;
  #hasPulled = false;
  #pending = 0;
  /** A pull that is to be done again because these were left out of it: due when none of them waits to be sent. */
  #again: { readonly from: string | undefined; readonly leftOut: Set<string>; isDue: boolean } | undefined;
  /** How often a document that does not wait was left out all the same, as one is that does not fit the schema. */
  readonly #refusals = new Map<string, number>();
  /** Ids of the pushes under way, and of those since everything was last asked for anew. */
  readonly #underWay = new Set<readonly string[]>();
  #pushedMeanwhile = new Set<string>();
  #anew: { readonly stale: string; readonly fresh: Checkpoint } | undefined;
  /** Changes since the last count was begun. */
  #uncounted = 0;
  #isCounting = false;

  constructor(options: LineOptions) {
    this.#options = options;
    const { collection, batchSize, identifier } = options;
    this.replication = replicateRxCollection<any, Checkpoint>({
      collection,
      replicationIdentifier: identifier,
      live: true,
      retryTime: RETRY_MS,
      // One tab replicates for all, seen or not: two would send everything twice.
      toggleOnDocumentVisible: false,
      pull: { handler: (checkpoint, limit) => this.#pull(checkpoint, limit), batchSize },
      push: { handler: (rows) => this.#push(rows as Row[]), batchSize },
    });
    const changes = collection.$.subscribe(() => this.#recount());
    const errors = this.replication.error$.subscribe((error) => this.#internal(error));
    this.#cancels.push(
      () => changes.unsubscribe(),
      () => errors.unsubscribe(),
    );
    void this.replication.startPromise.then(() => this.#recount());
  }

  get state(): LineState {
    return {
      problem: this.#problems.push ?? this.#problems.pull,
      // What has just changed here is not counted yet, and not synced either.
      isBusy: this.#busy > 0 || this.#uncounted > 0,
      hasPulled: this.#hasPulled,
      pending: this.#pending,
    };
  }

  /** Has RxDB pull what is new, and send what it has not. */
  resync(): void {
    this.replication.reSync();
  }

  /** Ends the wait of what was to be tried again later. */
  wake(): void {
    for (const end of [...this.#waits]) end();
  }

  async dispose(): Promise<void> {
    this.#abort.abort();
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.wake();
    await this.replication.cancel();
  }

  async #pull(checkpoint: Checkpoint | undefined, limit: number): Promise<Page> {
    const again = this.#again?.isDue ? this.#again : undefined;
    if (again) this.#again = undefined;
    let from = again ? again.from : checkpoint?.position;
    if (this.#anew && from === this.#anew.stale) from = this.#anew.fresh.position;
    const page = await this.#try('pull', async () => {
      try {
        // From the beginning only what lives is told. What is here already, of a pull that is done again or whose
        // checkpoint was not stored before the page was closed, may be gone.
        if (from === undefined && (await this.#options.collection.findOne().exec()))
          return await this.#startAnew(from, limit);
        return await this.#fetch(from, limit);
      } catch (error) {
        if (problemOf(error).code !== 'checkpoint_expired') throw error;
        return await this.#startAnew(from, limit);
      }
    });
    this.#hasPulled = true;
    const state = this.replication.internalReplicationState!;
    // RxDB has taken the page over when this queue is done.
    void state.streamQueue.down.then(async () => {
      try {
        const leftOut = await findLeftOut(state, page.documents);
        for (const document of page.documents) {
          const id = document[state.primaryPath];
          if (!leftOut.includes(id)) this.#refusals.delete(id);
        }
        this.#leaveOut(from, leftOut);
      } catch (error) {
        this.#internal(error);
      }
      this.#recount();
    });
    return page;
  }

  async #push(rows: readonly Row[]): Promise<any[]> {
    const idOf = (row: Row) => this.#idOf(row);
    const confirmed = await findConfirmed(this.replication.internalReplicationState!, rows.map(idOf));
    // To RxDB they are conflicts whose resolution comes too late: it leaves what is here as it is.
    const answers = rows.filter((row) => confirmed.has(idOf(row))).map((row) => confirmed.get(idOf(row)));
    const current = rows.filter((row) => !confirmed.has(idOf(row)));
    if (current.length === 0) return answers;
    const ids = current.map(idOf);
    for (const id of ids) this.#pushedMeanwhile.add(id);
    this.#underWay.add(ids);
    try {
      return [...answers, ...(await this.#try('push', () => this.#send(current)))];
    } finally {
      this.#underWay.delete(ids);
      void this.replication.internalReplicationState?.streamQueue.up.then(() => this.#recount());
      this.#recount();
    }
  }

  async #fetch(position: string | undefined, limit: number): Promise<Page> {
    const { requests } = this.#options;
    const query = `&limit=${limit}${position === undefined ? '' : `&position=${encodeURIComponent(position)}`}`;
    return (await requests.send<Page>('GET', this.#path('pull') + query, { signal: this.#abort.signal }))
      .body;
  }

  /** Everything from the beginning; what is here and was not told again is gone. RxDB keeps what has unsent changes. */
  async #startAnew(stale: string | undefined, limit: number): Promise<Page> {
    const { collection } = this.#options;
    const { primaryPath } = collection.schema;
    const documents = new Map<string, any>();
    const before = await collection.find().exec();
    const pushed = (this.#pushedMeanwhile = new Set([...this.#underWay].flat()));
    let page: Page;
    let position: string | undefined;
    do {
      page = await this.#fetch(position, limit);
      for (const document of page.documents) documents.set(document[primaryPath], document);
      position = page.checkpoint.position;
    } while (page.documents.length >= limit);
    const untold = before.filter((document: RxDocument) => !documents.has(document.primary));
    for (const document of untold) {
      // What was sent meanwhile may have come too late to be told: that is seen when all is asked for again.
      if (pushed.has(document.primary)) this.#leaveOut(undefined, [document.primary]);
      else documents.set(document.primary, { ...document.toJSON(), _deleted: true });
    }
    // RxDB stores no checkpoint without documents, and comes with the stale one again.
    if (stale !== undefined) this.#anew = { stale, fresh: page.checkpoint };
    return { documents: [...documents.values()], checkpoint: page.checkpoint };
  }

  async #send(rows: readonly Row[]): Promise<any[]> {
    const { requests, leases } = this.#options;
    const held = leases?.() ?? [];
    try {
      const answer = await requests.send<any[]>('POST', this.#path('push'), {
        body: rows,
        signal: this.#abort.signal,
        headers: held.length > 0 ? { 'Dunlin-Lease': held.join(',') } : undefined,
      });
      this.#readRefused(answer.headers, rows);
      return answer.body;
    } catch (error) {
      // A request that is refused as a whole is tried in halves, so that one row cannot keep the others here for ever.
      const problem = problemOf(error);
      if (problem.kind !== 'invalid') throw error;
      if (rows.length > 1) {
        const half = rows.length >> 1;
        return [...(await this.#send(rows.slice(0, half))), ...(await this.#send(rows.slice(half)))];
      }
      const { assumedMasterState, newDocumentState } = rows[0]!;
      this.#refuse([{ id: this.#idOf(rows[0]!), code: problem.code, document: newDocumentState }]);
      return [assumedMasterState ?? { ...newDocumentState, _deleted: true }];
    }
  }

  /** Makes a request, again and again, until it succeeds. */
  async #try<T>(verb: 'pull' | 'push', work: () => Promise<T>): Promise<T> {
    const { environment, open, onStop, onChange } = this.#options;
    for (let attempt = 0; ; attempt++) {
      await open();
      let problem: Problem;
      this.#busy++;
      onChange();
      try {
        const result = await work();
        this.#problems[verb] = undefined;
        return result;
      } catch (error) {
        if (this.#abort.signal.aborted) throw error;
        problem = problemOf(error);
        const isOver = problem.kind === 'signedOut' || problem.code === 'schema_outdated';
        this.#problems[verb] = isOver ? undefined : problem;
        if (isOver) {
          onStop(problem);
          continue;
        }
      } finally {
        this.#busy--;
        onChange();
      }
      const asked = 'retryAfterMs' in problem ? (problem.retryAfterMs ?? 0) : 0;
      // What the server refuses for good it refuses again: the next hint, or somebody who looks at the page, is reason to ask.
      const isWorthIt = isTemporary(problem) || problem.kind === 'aborted';
      await this.#wait(isWorthIt ? asked + backoffMs(attempt, environment.random()) : undefined);
    }
  }

  /** Waits, without a time until `wake`. */
  #wait(milliseconds: number | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        cancel?.();
        this.#waits.delete(end);
        if (this.#abort.signal.aborted) reject(disposed());
        else resolve();
      };
      const cancel =
        milliseconds === undefined ? undefined : this.#options.environment.setTimer(milliseconds, end);
      this.#waits.add(end);
    });
  }

  #leaveOut(from: string | undefined, ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.#again ??= { from, leftOut: new Set(), isDue: false };
    for (const id of ids) this.#again.leftOut.add(id);
  }

  #pullAgain(pending: ReadonlySet<string>): void {
    const again = this.#again;
    if (!again || again.isDue || [...again.leftOut].some((id) => pending.has(id))) return;
    for (const id of again.leftOut) {
      const count = (this.#refusals.get(id) ?? 0) + 1;
      this.#refusals.set(id, count);
      if (count > MAX_REFUSALS) again.leftOut.delete(id);
    }
    again.isDue = again.leftOut.size > 0;
    if (again.isDue) this.resync();
    else this.#again = undefined;
  }

  #path(verb: 'pull' | 'push'): string {
    const { path, name, collection } = this.#options;
    return `${path}/${verb}/${name}?schema=${collection.schema.version}`;
  }

  #idOf(row: Row): string {
    return row.newDocumentState[this.#options.collection.schema.primaryPath] as string;
  }

  #readRefused(headers: Headers, rows: readonly Row[]): void {
    const refused = (headers.get('Dunlin-Refused') ?? '')
      .split(', ')
      .filter((entry) => entry.includes(';'))
      .map((entry) => entry.split(';') as [string, string]);
    const documents = new Map(rows.map((row) => [this.#idOf(row), row.newDocumentState]));
    this.#refuse(
      refused.map(([encoded, code]) => {
        const id = decodeURIComponent(encoded);
        return { id, code, document: documents.get(id) };
      }),
    );
  }

  #refuse(refused: readonly Omit<RefusedDocument, 'collection'>[]): void {
    if (refused.length === 0) return;
    const { onRefused, name } = this.#options;
    onRefused(refused.map((each) => ({ collection: name, ...each })));
  }

  #recount(): void {
    this.#uncounted++;
    if (this.#uncounted === 1) this.#options.onChange();
    if (this.#isCounting) return;
    this.#isCounting = true;
    this.#options.environment.setTimer(RECOUNT_MS, () => void this.#count());
  }

  async #count(): Promise<void> {
    // Until it has started the replication knows nothing; it counts then.
    const state = this.replication.internalReplicationState;
    try {
      for (let seen = -1; state && seen !== this.#uncounted && !this.#abort.signal.aborted;) {
        seen = this.#uncounted;
        const pending = await findPending(state);
        this.#pending = pending.size;
        this.#pullAgain(pending);
      }
    } catch (error) {
      // The collection closes while it is read: nobody needs the number any more.
      this.#internal(error);
    }
    this.#isCounting = false;
    this.#uncounted = 0;
    if (!this.#abort.signal.aborted) this.#options.onChange();
  }

  // Trouble inside RxDB, such as a document that does not fit the schema: not the network's, and not to be silent about.
  #internal(error: unknown): void {
    if (!this.#abort.signal.aborted && !this.#options.collection.closed)
      this.#options.environment.reportError(error);
  }
}

export function disposed(): DunlinError {
  return new DunlinError({ kind: 'aborted', code: 'aborted', title: 'The replication was ended.' });
}
