import type { RxCollection } from 'rxdb';
import type { RxReplicationState } from 'rxdb/plugins/replication';
import type { Client } from '../client.js';
import type { Connection } from '../connection/connection.js';
import type { Broadcast, Cancel, Environment } from '../environment.js';
import type { Problem } from '../http/problem.js';
import { CollectionReplication, disposed } from './collectionReplication.js';
import type { Checkpoint } from './collectionState.js';
import { deriveState, type RefusedDocument, type SyncState } from './state.js';

export interface ReplicateOptions<Name extends string = string> {
  readonly client: Client;
  /** Id of the signed-in user. The replication of another user with the same database starts from the beginning. */
  readonly user: string;
  /** Path of `pull/{collection}` and `push/{collection}`, such as `/api/v1/sync`. */
  readonly path: string;
  /** The collections by their names on the server. */
  readonly collections: Readonly<Record<Name, RxCollection<any, any, any, any>>>;
  /** The stream of hints. Without it, or while it is not live, the client polls every `pollMs`. */
  readonly connection?: Connection | undefined;
  /** Poll interval in milliseconds; default 30,000. */
  readonly pollMs?: number | undefined;
  /** Maximum of documents in one request; default 100. */
  readonly batchSize?: number | undefined;
  /** Returns the ids of the leases that this page holds. They are sent with every push. */
  readonly leases?: (() => readonly string[]) | undefined;
  /** Called with changes that the server refused. */
  readonly onRefused?: ((refused: readonly RefusedDocument[]) => void) | undefined;
}

/** Poll interval while the stream is live. It is a safeguard: a live stream should deliver every hint. */
const LIVE_POLL_MS = 5 * 60_000;
const POLL_MS = 30_000;
/** Collects the hints of one commit for one pull, in milliseconds. */
const GATHER_MS = 20;
/** Delay of a second pull after the last hint of a burst. RxDB can lose a pull that is requested while another is queued. */
const REPEAT_MS = 1500;

/** Messages between the tabs of a browser. The one that replicates sends its state; the others send requests. */
type TabMessage =
  | { readonly kind: 'state'; readonly state: SyncState }
  | { readonly kind: 'refused'; readonly refused: readonly RefusedDocument[] }
  | { readonly kind: 'ask' | 'pull' | 'resume' };

/** Replicates collections with the server. It installs the RxDB handlers; the application needs no other setup. */
export function replicate<Name extends string>(options: ReplicateOptions<Name>): Replication<Name> {
  return new Replication(options);
}

/**
 * The replication of several collections, and an observable `SyncState` for adapters such as `useStore`. RxDB elects one tab of a browser
 * to replicate. The other tabs mirror its state and send it their requests.
 */
export class Replication<Name extends string = string> {
  readonly #environment: Environment;
  readonly #options: ReplicateOptions<Name>;
  readonly #collections = new Map<string, CollectionReplication>();
  readonly #listeners = new Set<() => void>();
  readonly #cancels: Cancel[] = [];
  readonly #timers = new Map<string, Cancel>();
  readonly #tabs: Broadcast | undefined;
  #state: SyncState = { name: 'syncing', pending: 0 };
  #isLeading = false;
  #stopped: Problem | undefined;
  #reopen: { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } | undefined;
  #isDisposed = false;

  constructor(options: ReplicateOptions<Name>) {
    this.#options = options;
    const { client, connection, collections } = options;
    this.#environment = client.environment;
    const { database } = Object.values<RxCollection<any, any, any, any>>(collections)[0]!;
    if (database.multiInstance) {
      this.#tabs = this.#environment.openBroadcast?.(
        `dunlin rxdb ${options.user} ${options.path} ${database.name}`,
      );
      this.#tabs?.onMessage((message) => this.#receive(message as TabMessage));
    }
    for (const [name, collection] of Object.entries<RxCollection<any, any, any, any>>(collections)) {
      const replication = this.#replication(name, collection);
      this.#collections.set(name, replication);
      void replication.replication.startPromise.then(() => this.#lead());
    }
    this.#post({ kind: 'ask' });
    if (connection) {
      this.#cancels.push(
        connection.on('*', (_, event) => this.#hint(event.type)),
        connection.onReset(() => this.pull()),
        // Hints are not replayed, so every new connection starts a pull.
        connection.onState((state, previous) => {
          if (state.name === 'live' && (previous.name !== 'live' || previous.stream !== state.stream))
            this.pull();
        }),
      );
    }
    this.#cancels.push(
      this.#environment.onSignal('online', () => this.pull()),
      this.#environment.onSignal('offline', () => this.#changed()),
      this.#environment.onSignal('visible', () => this.pull()),
    );
    this.#poll();
    this.#changed();
  }

  get(): SyncState {
    return this.#state;
  }

  subscribe(listener: () => void): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Returns RxDB's own replication of a collection, for features that this class does not expose. */
  of(name: Name): RxReplicationState<any, Checkpoint> {
    return this.#collections.get(name)!.replication;
  }

  /** Pulls all collections now. */
  pull(): void {
    if (!this.#isLeading) this.#post({ kind: 'pull' });
    for (const collection of this.#collections.values()) {
      collection.wake();
      collection.resync();
    }
  }

  /** Continues after a sign-in. */
  resume(): void {
    if (!this.#isLeading) this.#post({ kind: 'resume' });
    if (this.#stopped?.kind !== 'signedOut') return;
    this.#stopped = undefined;
    this.#reopen?.resolve();
    this.#reopen = undefined;
    this.#options.connection?.connect();
    this.#changed();
    this.pull();
  }

  /** Resolves when all changes are pulled and pushed. */
  synced(): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (this.#state.name !== 'synced') return;
        cancel();
        resolve();
      };
      const cancel = this.subscribe(look);
      look();
    });
  }

  /** Ends the replication and keeps the data. Resolves when RxDB has stopped. */
  async dispose(): Promise<void> {
    this.#isDisposed = true;
    for (const cancel of [...this.#cancels.splice(0), ...this.#timers.values()]) cancel();
    this.#reopen?.reject(disposed());
    this.#tabs?.close();
    await Promise.all([...this.#collections.values()].map((collection) => collection.dispose()));
  }

  #replication(name: string, collection: RxCollection<any, any, any, any>): CollectionReplication {
    const { client, user, path, batchSize, leases } = this.#options;
    return new CollectionReplication({
      name,
      collection,
      environment: this.#environment,
      requests: client.requests,
      path,
      identifier: `dunlin ${user} ${path}/${name}`,
      batchSize: batchSize ?? 100,
      leases,
      onChange: () => this.#changed(),
      onRefused: (refused) => {
        this.#post({ kind: 'refused', refused });
        this.#options.onRefused?.(refused);
      },
      open: () => this.#open(),
      onStop: (problem) => this.#stop(problem),
    });
  }

  async #open(): Promise<void> {
    if (this.#isDisposed) throw disposed();
    if (!this.#stopped) return;
    if (!this.#reopen) {
      let resolve!: () => void;
      let reject!: (error: unknown) => void;
      const promise = new Promise<void>((yes, no) => ([resolve, reject] = [yes, no]));
      // Nobody may wait for this promise when the replication ends: prevent an unhandled rejection.
      promise.catch(() => {});
      this.#reopen = { promise, resolve, reject };
    }
    await this.#reopen.promise;
  }

  #stop(problem: Problem): void {
    // Signing in does not make an outdated page newer.
    if (this.#stopped?.code !== 'schema_outdated') this.#stopped = problem;
    this.#changed();
  }

  // `items:updated` names the collection `items`. A hint that names no known collection concerns all.
  #hint(type: string): void {
    if (type === 'sync:ping') return;
    const name = type.split(':')[0]!;
    const names = this.#collections.has(name) ? [name] : [...this.#collections.keys()];
    for (const each of names) this.#gather(each);
  }

  #gather(name: string): void {
    const collection = this.#collections.get(name)!;
    if (!this.#timers.has(name)) {
      this.#timer(name, GATHER_MS, () => {
        collection.wake();
        collection.resync();
        this.#timer(`${name} again`, REPEAT_MS, () => collection.resync());
      });
    }
  }

  #timer(key: string, milliseconds: number, callback: () => void): void {
    this.#timers.get(key)?.();
    this.#timers.set(
      key,
      this.#environment.setTimer(milliseconds, () => {
        this.#timers.delete(key);
        callback();
      }),
    );
  }

  // One timer for both poll intervals. It notices a broken stream at its next tick.
  #poll(silentMs = 0): void {
    const { connection, pollMs = POLL_MS } = this.#options;
    // 10 % jitter, so that all pages do not poll together after a server restart.
    const wait = pollMs * (0.9 + 0.2 * this.#environment.random());
    this.#timer('poll', wait, () => {
      const silent = silentMs + pollMs;
      const isDue = !connection?.isConnected() || silent >= LIVE_POLL_MS;
      if (isDue) for (const collection of this.#collections.values()) collection.resync();
      this.#poll(isDue ? 0 : silent);
    });
  }

  #lead(): void {
    this.#isLeading = true;
    this.#changed();
  }

  #receive(message: TabMessage): void {
    switch (message.kind) {
      case 'state':
        return this.#isLeading ? undefined : this.#become(message.state);
      case 'refused':
        return this.#isLeading ? undefined : this.#options.onRefused?.(message.refused);
      case 'ask':
        return this.#isLeading ? this.#post({ kind: 'state', state: this.#state }) : undefined;
      case 'pull':
        return this.#isLeading ? this.pull() : undefined;
      case 'resume':
        return this.#isLeading ? this.resume() : undefined;
    }
  }

  #post(message: TabMessage): void {
    if (!this.#isDisposed) this.#tabs?.post(message);
  }

  #changed(): void {
    // Until the leader has sent its state, a tab can derive only whether it is online.
    if (!this.#isLeading && this.#environment.isOnline() && this.#state.name !== 'offline') return;
    const collections = [...this.#collections.values()].map((collection) => collection.status);
    const next = deriveState(collections, this.#stopped, this.#environment.isOnline());
    this.#become(this.#isLeading ? next : { ...next, pending: this.#state.pending });
  }

  #become(next: SyncState): void {
    const { name, pending, problem } = this.#state;
    if (next.name === name && next.pending === pending && next.problem?.code === problem?.code) return;
    this.#state = next;
    if (this.#isLeading) this.#post({ kind: 'state', state: next });
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        this.#environment.reportError(error);
      }
    }
  }
}
