import type { RxCollection, RxDocument } from 'rxdb';
import { replicateRxCollection, type RxReplicationState } from 'rxdb/plugins/replication';
import { backoffMs } from '../connection/backoff.js';
import type { Cancel, Environment } from '../environment.js';
import { DunlinError, isTemporary, problemOf, type Problem } from '../http/problem.js';
import type { Requests } from '../http/requests.js';
import { findConfirmed, findLeftOut, findPending } from './pending.js';
import {
  INITIAL_COLLECTION,
  pullPosition,
  statusOf,
  transition,
  type Checkpoint,
  type CollectionInput,
  type Verb,
} from './collectionState.js';
import type { CollectionStatus, RefusedDocument } from './state.js';

interface Page {
  readonly documents: any[];
  readonly checkpoint: Checkpoint;
}

interface Row {
  readonly assumedMasterState?: any;
  readonly newDocumentState: any;
}

export interface CollectionOptions {
  readonly name: string;
  readonly collection: RxCollection<any, any, any, any>;
  readonly environment: Environment;
  readonly requests: Requests;
  /** Path of `pull/{name}` and `push/{name}`. */
  readonly path: string;
  readonly identifier: string;
  readonly batchSize: number;
  readonly leases?: (() => readonly string[]) | undefined;
  readonly onChange: () => void;
  readonly onRefused: (refused: readonly RefusedDocument[]) => void;
  /** Resolves when requests are possible: immediately, or after a sign-in. Rejects when the replication ends. */
  readonly open: () => Promise<void>;
  /** The session ended, or the page is outdated. */
  readonly onStop: (problem: Problem) => void;
}

// The handlers below retry and throw only when the replication ends, so RxDB's own retry delay can be short.
const RETRY_MS = 50;
const RECOUNT_MS = 20;

/**
 * Replicates one collection. Its handlers retry until the network, the server or the session is back; a hint or a visible page ends their
 * wait. `transition` decides; this class carries out requests and effects.
 *
 * RxDB 17.6 pushes documents as it read them, which may be long ago after an outage, with the current assumed master state. If a document
 * was pulled in between, that would push its old state, or restore a deleted document. So `#push` skips documents that have no unsent
 * change any more.
 */
export class CollectionReplication {
  readonly replication: RxReplicationState<any, Checkpoint>;
  readonly #options: CollectionOptions;
  readonly #abort = new AbortController();
  readonly #cancels: Cancel[] = [];
  readonly #waits = new Set<() => void>();
  #state = INITIAL_COLLECTION;

  constructor(options: CollectionOptions) {
    this.#options = options;
    const { collection, batchSize, identifier } = options;
    this.replication = replicateRxCollection<any, Checkpoint>({
      collection,
      replicationIdentifier: identifier,
      live: true,
      retryTime: RETRY_MS,
      // One tab replicates for all tabs, even when it is hidden. Two would send everything twice.
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

  get status(): CollectionStatus {
    return statusOf(this.#state);
  }

  /** Makes RxDB pull what is new and push what is unsent. */
  resync(): void {
    this.replication.reSync();
  }

  /** Ends all waits before a retry. */
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
    const from = pullPosition(this.#state, checkpoint);
    this.#take({ type: 'pullStarted' });
    const page = await this.#try('pull', async () => {
      try {
        // A pull from the beginning contains no deletions. Local documents, of a repeated pull or of one whose checkpoint was not stored,
        // may be deleted at the server.
        if (from === undefined && (await this.#options.collection.findOne().exec()))
          return await this.#startAnew(from, limit);
        return await this.#fetch(from, limit);
      } catch (error) {
        if (problemOf(error).code !== 'checkpoint_expired') throw error;
        return await this.#startAnew(from, limit);
      }
    });
    this.#take({ type: 'pulled' });
    const state = this.replication.internalReplicationState!;
    // When this queue is done, RxDB has processed the page.
    void state.streamQueue.down.then(async () => {
      try {
        const leftOut = await findLeftOut(state, page.documents);
        const ids = page.documents.map((document) => document[state.primaryPath] as string);
        this.#take({ type: 'pageTaken', from, ids, leftOut });
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
    // RxDB treats these answers as conflicts that are already resolved, and leaves the documents unchanged.
    const answers = rows.filter((row) => confirmed.has(idOf(row))).map((row) => confirmed.get(idOf(row)));
    const current = rows.filter((row) => !confirmed.has(idOf(row)));
    if (current.length === 0) return answers;
    const ids = current.map(idOf);
    this.#take({ type: 'pushStarted', ids });
    try {
      return [...answers, ...(await this.#try('push', () => this.#send(current)))];
    } finally {
      this.#take({ type: 'pushEnded', ids });
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

  /** Pulls everything from the beginning and deletes local documents that the server did not send. RxDB keeps those with unsent changes. */
  async #startAnew(stale: string | undefined, limit: number): Promise<Page> {
    const { collection } = this.#options;
    const { primaryPath } = collection.schema;
    const documents = new Map<string, any>();
    const before = await collection.find().exec();
    this.#take({ type: 'fullPullStarted' });
    let page: Page;
    let position: string | undefined;
    do {
      page = await this.#fetch(position, limit);
      for (const document of page.documents) documents.set(document[primaryPath], document);
      position = page.checkpoint.position;
    } while (page.documents.length >= limit);
    const untold = before.filter((document: RxDocument) => !documents.has(document.primary));
    // A document that was pushed meanwhile may be missing from the pages. It is left out, so that a repeated pull decides about it.
    const pushed = new Set(this.#state.pushedMeanwhile);
    const leftOut: string[] = [];
    for (const document of untold) {
      if (pushed.has(document.primary)) leftOut.push(document.primary);
      else documents.set(document.primary, { ...document.toJSON(), _deleted: true });
    }
    this.#take({ type: 'fullPullEnded', stale, fresh: page.checkpoint, leftOut });
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
      // Splits a refused request, so that one invalid row does not block the others.
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

  /** Repeats a request until it succeeds or the replication ends. */
  async #try<T>(verb: Verb, work: () => Promise<T>): Promise<T> {
    const { environment, open, onStop } = this.#options;
    for (let attempt = 0; ; attempt++) {
      await open();
      let problem: Problem;
      this.#take({ type: 'requestStarted' });
      try {
        const result = await work();
        this.#take({ type: 'requestEnded', verb });
        return result;
      } catch (error) {
        if (this.#abort.signal.aborted) {
          this.#take({ type: 'requestCancelled' });
          throw error;
        }
        problem = problemOf(error);
      }
      const isOver = problem.kind === 'signedOut' || problem.code === 'schema_outdated';
      if (isOver) onStop(problem);
      this.#take({ type: 'requestEnded', verb, problem: isOver ? undefined : problem });
      if (isOver) continue;
      const asked = 'retryAfterMs' in problem ? (problem.retryAfterMs ?? 0) : 0;
      // Retrying a final refusal does not help. The next hint, or a visible page, ends the wait.
      const isWorthIt = isTemporary(problem) || problem.kind === 'aborted';
      await this.#wait(isWorthIt ? asked + backoffMs(attempt, environment.random()) : undefined);
    }
  }

  /** Waits for the time or for `wake`. Without a time, waits for `wake` alone. */
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
    this.#take({ type: 'changed' });
  }

  #take(input: CollectionInput): void {
    const { state, effects } = transition(this.#state, input);
    this.#state = state;
    for (const effect of effects) {
      if (effect === 'announce') this.#options.onChange();
      else if (effect === 'resync') this.resync();
      else this.#options.environment.setTimer(RECOUNT_MS, () => void this.#count());
    }
  }

  async #count(): Promise<void> {
    // Before its start the replication has no state to count from. It counts at the start.
    const state = this.replication.internalReplicationState;
    try {
      for (let seen = -1; state && seen !== this.#state.uncounted && !this.#abort.signal.aborted;) {
        seen = this.#state.uncounted;
        this.#take({ type: 'counted', pending: await findPending(state) });
      }
    } catch (error) {
      // The collection closed during the count: the number is not needed any more.
      this.#internal(error);
    }
    if (!this.#abort.signal.aborted) this.#take({ type: 'countEnded' });
  }

  // Reports an error inside RxDB, such as a document that does not fit the schema. It is no network problem and must not be hidden.
  #internal(error: unknown): void {
    if (!this.#abort.signal.aborted && !this.#options.collection.closed)
      this.#options.environment.reportError(error);
  }
}

export function disposed(): DunlinError {
  return new DunlinError({ kind: 'aborted', code: 'aborted', title: 'The replication was ended.' });
}
