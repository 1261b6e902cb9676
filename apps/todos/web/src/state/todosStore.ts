import {
  Client,
  type Connection,
  type ConnectionState,
  type Environment,
  type Problem,
} from '@dunlin/client';
import type { User } from '@dunlin/kit';
import type { ReadonlyJSONValue } from 'replicache';
// The same class as Replicache, with the one method that the other hides: `persist`.
import { ReplicacheImpl } from 'replicache/impl';
import { createMutators, type Mutators } from './mutators';
import { Transport } from '../api/transport';

const STREAM = '/api/v1/replicache/stream';
const PING_SECONDS = 30;
/** What Replicache may take to write what was done to the disk. */
const PERSIST_MS = 3000;

/** What this browser has done and the server has not confirmed yet. */
export interface Pending {
  readonly count: number;
  /** Ids of the lists and entries concerned. */
  readonly ids: ReadonlySet<string>;
}

export interface TodosStoreOptions {
  readonly user: User;
  readonly refresh: () => Promise<boolean>;
  /** The session of this user has ended. */
  readonly onSignedOut: () => void;
  /** A change that the server will never take, with the text that was typed. */
  readonly onGivenUp: (text: string, problem: Problem) => void;
  /** The server takes no change of this page. */
  readonly onRefused: (problem: Problem) => void;
  readonly environment?: Environment | undefined;
  /** Default: IndexedDB. `mem` keeps the data as long as the page lives. */
  readonly kvStore?: 'idb' | 'mem' | undefined;
}

/** The data of one user in this browser: in IndexedDB, so that it is there without a network too. */
export class TodosStore {
  readonly rep: ReplicacheImpl<Mutators>;
  readonly connection: Connection;
  readonly #client: Client;
  readonly #transport: Transport;
  readonly #listeners = new Set<() => void>();
  #pending: Pending = { count: 0, ids: new Set() };
  #reading: Promise<void> | undefined;
  #isClosing = false;
  #goOn: () => void = () => {};

  constructor(options: TodosStoreOptions) {
    const { user, refresh, onSignedOut, onGivenUp, onRefused, environment, kvStore = 'idb' } = options;
    const { userId: id, name } = user;
    this.#client = new Client({ user: id, refresh, environment });
    this.#transport = new Transport({
      client: this.#client,
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
      puller: this.#transport.pull,
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
      if (state.name === 'signedOut') onSignedOut();
      this.#connected(state);
    });
    this.rep.onSync = () => this.#read();
    this.rep.experimentalWatch(() => this.#read());
    this.connection.connect();
    this.#read();
  }

  get pending(): Pending {
    return this.#pending;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sends nothing any more, and resolves when what was done is on the disk. */
  async dispose(): Promise<void> {
    this.#isClosing = true;
    this.#transport.close();
    this.#goOn();
    this.#client.dispose();
    this.#listeners.clear();
    await this.#persist();
    await this.rep.close();
  }

  // Pokes from before the stream was open are not repeated: whoever connects pulls; and what waits to be sent goes now.
  #connected(state: ConnectionState): void {
    if (state.name !== 'live') return;
    this.#goOn();
    void this.rep.pull().catch(() => {});
    void this.rep.push().catch(() => {});
  }

  /** Looks at what is pending; never twice at a time, and again if something happened meanwhile. */
  #read(): void {
    this.#reading ??= this.#readOnce()
      .catch((error: unknown) => {
        // A query that the closing of the page cut short.
        if (!this.rep.closed) throw error;
      })
      .finally(() => (this.#reading = undefined));
  }

  async #readOnce(): Promise<void> {
    // Unlike other calls, `experimentalPendingMutations` does not wait for the database to be there.
    await this.rep.query(async () => {});
    // After what is going on in this turn, so that a burst costs one look.
    await new Promise((resolve) => setTimeout(resolve, 40));
    if (this.rep.closed) return;
    const list = await this.rep.experimentalPendingMutations();
    const ids = new Set<string>();
    for (const { args } of list as readonly { args: { id?: string; listId?: string } | null }[]) {
      if (args?.id) ids.add(args.id);
    }
    if (list.length === this.#pending.count && [...ids].every((id) => this.#pending.ids.has(id))) return;
    this.#pending = { count: list.length, ids };
    for (const listener of [...this.#listeners]) listener();
  }

  #log(context: unknown, args: readonly unknown[]): void {
    const text = String(args[0]);
    // Without a network every attempt fails, which the page shows: that is nothing for the console.
    if (text.startsWith('Got a non 200 response')) return;
    // Replicache persists of its own accord while `dispose` does, and may not do both.
    if (this.#isClosing && text.startsWith('Error during persist')) return;
    console.error(context, ...args);
  }

  async #persist(): Promise<void> {
    const end = performance.now() + PERSIST_MS;
    while (performance.now() < end) {
      try {
        return await this.rep.persist();
      } catch {
        // It runs already, of its own accord, and refuses to run twice at a time.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}

/** What a person typed, of the arguments of a mutation. */
function textOf(args: ReadonlyJSONValue): string {
  const { title, name, note, username } = (args ?? {}) as Record<string, ReadonlyJSONValue | undefined>;
  return [title, name, note, username]
    .filter((text): text is string => typeof text === 'string' && text !== '')
    .join('\n');
}
