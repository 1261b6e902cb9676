import {
  browserEnvironment,
  Client,
  type Connection,
  type ConnectionState,
  type Environment,
  type Problem,
} from '@dunlin/client';
import type { User } from '@dunlin/kit';
import type { Puller, ReadonlyJSONValue } from 'replicache';
// The implementation class of Replicache. Only it exposes `persist`.
import { ReplicacheImpl } from 'replicache/impl';
import { createMutators, type Mutators } from './mutators';
import { PeopleApi } from '../api/people';
import { Transport } from '../api/transport';

const STREAM = '/api/v1/replicache/stream';
const PING_SECONDS = 30;
/** Time limit for Replicache to write pending changes to the disk, in milliseconds. */
const PERSIST_MS = 3000;

/** Time without data after which the first load counts as failed, in milliseconds. */
const LOAD_PATIENCE_MS = 8000;

/**
 * Whether this browser has the data of the user. After `failed` the store continues to try; `reason` is undefined when the server does not
 * answer.
 */
export type LoadState =
  { readonly name: 'loading' | 'loaded' } | { readonly name: 'failed'; readonly reason: string | undefined };

/** Changes of this browser that the server has not confirmed. */
export interface Pending {
  readonly count: number;
  /** Ids of the changed lists and entries. */
  readonly ids: ReadonlySet<string>;
}

export interface TodosStoreOptions {
  readonly user: User;
  readonly refresh: () => Promise<boolean>;
  /** The session of this user has ended. */
  readonly onSignedOut: () => void;
  /** Called for a change that the server permanently refused, with the user's input. */
  readonly onGivenUp: (text: string, problem: Problem) => void;
  /** Called when the server refuses all changes of this page. */
  readonly onRefused: (problem: Problem) => void;
  readonly environment?: Environment | undefined;
  /** Default: IndexedDB. `mem` keeps the data as long as the page lives. */
  readonly kvStore?: 'idb' | 'mem' | undefined;
}

/** The data of one user in this browser. IndexedDB stores it, so that it is available without a network. */
export class TodosStore {
  readonly rep: ReplicacheImpl<Mutators>;
  readonly connection: Connection;
  readonly people: PeopleApi;
  readonly #client: Client;
  readonly #transport: Transport;
  readonly #listeners = new Set<() => void>();
  readonly #environment: Environment;
  #pending: Pending = { count: 0, ids: new Set() };
  #load: LoadState = { name: 'loading' };
  #stopLoadTimer: () => void = () => {};
  #isSignedOut = false;
  #reading: Promise<void> | undefined;
  #isClosing = false;
  #goOn: () => void = () => {};

  constructor(options: TodosStoreOptions) {
    const { user, refresh, onSignedOut, onGivenUp, onRefused, kvStore = 'idb' } = options;
    const { userId: id, name } = user;
    const environment = (this.#environment = options.environment ?? browserEnvironment());
    this.#client = new Client({ user: id, refresh, environment });
    this.people = new PeopleApi(this.#client.requests);
    this.#transport = new Transport({
      client: this.#client,
      setTimer: (milliseconds, callback) => environment.setTimer(milliseconds, callback),
      onGivenUp: (args, problem) => onGivenUp(textOf(args), problem),
      onRefused: (problem) => {
        onRefused(problem);
        return new Promise((resolve) => (this.#goOn = resolve));
      },
    });
    this.rep = new ReplicacheImpl<Mutators>({
      name: `dunlin-todos-${id}`,
      schemaVersion: '1',
      kvStore,
      pusher: this.#transport.push,
      puller: this.#pull,
      mutators: createMutators({ id, name }),
      logLevel: 'error',
      logSinks: [{ log: (_, context, ...args: unknown[]) => this.#log(context, args) }],
      requestOptions: { minDelayMs: 30, maxDelayMs: 15_000 },
    });
    this.connection = this.#client.connection({
      path: STREAM,
      format: 'word',
      heartbeatSeconds: PING_SECONDS,
    });
    const pull = () => void this.rep.pull().catch(() => {});
    this.connection.on('sync', pull);
    this.connection.onReset(pull);
    this.connection.onState((state) => {
      // A request and the stream can both be refused.
      if (state.name === 'signedOut' && !this.#isSignedOut) {
        this.#isSignedOut = true;
        onSignedOut();
      }
      this.#connected(state);
    });
    this.rep.onSync = () => this.#read();
    this.rep.experimentalWatch(() => this.#read());
    this.#waitForData();
    this.connection.connect();
    this.#read();
  }

  get pending(): Pending {
    return this.#pending;
  }

  get load(): LoadState {
    return this.#load;
  }

  /** Tries the first load again at once. */
  retryLoad(): void {
    if (this.#load.name !== 'failed') return;
    this.#setLoad({ name: 'loading' });
    this.#waitForData();
    this.#transport.abortPull();
    void this.rep.pull({ now: true }).catch(() => {});
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stops sending. Resolves when pending changes are on the disk. */
  async dispose(): Promise<void> {
    this.#isClosing = true;
    this.#stopLoadTimer();
    this.#transport.close();
    this.#goOn();
    this.#client.dispose();
    this.#listeners.clear();
    await this.#persist();
    await this.rep.close();
  }

  readonly #pull: Puller = async (request, requestId) => {
    // A cookie proves that an earlier pull has been applied.
    if ('cookie' in request && request.cookie !== null) this.#setLoad({ name: 'loaded' });
    const result = await this.#transport.pull(request, requestId);
    if (this.#load.name === 'loaded') return result;
    const { httpStatusCode: status, errorMessage: title } = result.httpRequestInfo;
    // The answer is applied after this function. Another pull then carries its cookie.
    if (status === 200) void this.rep.pull().catch(() => {});
    else if (status !== 401 && status !== 409) this.#failLoad(status === 0 ? undefined : title);
    return result;
  };

  #waitForData(): void {
    this.#stopLoadTimer();
    this.#stopLoadTimer = this.#environment.setTimer(LOAD_PATIENCE_MS, () => this.#failLoad());
  }

  #failLoad(reason?: string): void {
    if (this.#load.name === 'loading') this.#setLoad({ name: 'failed', reason });
  }

  #setLoad(load: LoadState): void {
    if (this.#isClosing || load.name === this.#load.name) return;
    this.#load = load;
    if (load.name !== 'loading') this.#stopLoadTimer();
    this.#notify();
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  // Pokes are not replayed, so every new connection starts a pull. It also sends pending changes.
  #connected(state: ConnectionState): void {
    if (state.name !== 'live') return;
    this.#goOn();
    void this.rep.pull().catch(() => {});
    void this.rep.push().catch(() => {});
  }

  /** Reads the pending changes. At most one read runs; a change during a read starts another. */
  #read(): void {
    this.#reading ??= this.#readOnce()
      .catch((error: unknown) => {
        // The query was interrupted because the store closed.
        if (!this.rep.closed) throw error;
      })
      .finally(() => (this.#reading = undefined));
  }

  async #readOnce(): Promise<void> {
    // Unlike other calls, `experimentalPendingMutations` does not wait until the database is open.
    await this.rep.query(async () => {});
    // Delays the read, so that a burst of changes costs one read.
    await new Promise((resolve) => setTimeout(resolve, 40));
    if (this.rep.closed) return;
    const list = await this.rep.experimentalPendingMutations();
    const ids = new Set<string>();
    for (const { args } of list as readonly { args: { id?: string; listId?: string } | null }[]) {
      if (args?.id) ids.add(args.id);
    }
    if (list.length === this.#pending.count && [...ids].every((id) => this.#pending.ids.has(id))) return;
    this.#pending = { count: list.length, ids };
    this.#notify();
  }

  #log(context: unknown, args: readonly unknown[]): void {
    const text = String(args[0]);
    // Without a network every attempt fails. The page displays that state, so it does not belong in the console.
    if (text.startsWith('Got a non 200 response')) return;
    // A background persist of Replicache may collide with the one in `dispose`. Only one may run.
    if (this.#isClosing && text.startsWith('Error during persist')) return;
    console.error(context, ...args);
  }

  async #persist(): Promise<void> {
    const end = performance.now() + PERSIST_MS;
    while (performance.now() < end) {
      try {
        return await this.rep.persist();
      } catch {
        // A background persist is running, and Replicache refuses a second one. Wait and retry.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}

/** Returns the user's input in the arguments of a mutation. */
function textOf(args: ReadonlyJSONValue): string {
  const { title, name, note, username } = (args ?? {}) as Record<string, ReadonlyJSONValue | undefined>;
  return [title, name, note, username]
    .filter((text): text is string => typeof text === 'string' && text !== '')
    .join('\n');
}
