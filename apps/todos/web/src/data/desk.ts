import { Client, type Connection, type ConnectionState } from '@dunlin/client';
import type { Session, User } from '@dunlin/kit';
import { Replicache } from 'replicache';
import { createMutators, type Mutators } from './mutators';

const BASE = '/api/v1/replicache';
const PING_SECONDS = 30;

/** What this browser has done and the server has not confirmed yet. */
export interface Pending {
  readonly count: number;
  /** Ids of the lists and entries concerned. */
  readonly ids: ReadonlySet<string>;
}

export interface DeskOptions {
  readonly user: User;
  readonly session: Session;
  /** Asks for a sign-in; resolves once there is one. */
  readonly signIn: () => Promise<User>;
}

/** The data of one user in this browser: in IndexedDB, so that it is there without a network too. */
export class Desk {
  readonly rep: Replicache<Mutators>;
  readonly connection: Connection;
  readonly #listeners = new Set<() => void>();
  #pending: Pending = { count: 0, ids: new Set() };
  #reading: Promise<void> | undefined;

  constructor({ user, session, signIn }: DeskOptions) {
    const { userId: id, name } = user;
    this.rep = new Replicache<Mutators>({
      name: `dunlin-todos-${id}`,
      schemaVersion: '1',
      pushURL: `${BASE}/push`,
      pullURL: `${BASE}/pull`,
      mutators: createMutators({ id, name }),
      logLevel: 'error',
      requestOptions: { minDelayMs: 30, maxDelayMs: 15_000 },
    });
    // The session cookie travels by itself; the text only says "try again".
    this.rep.getAuth = async () => {
      if (await session.refresh().catch(() => undefined)) return ' ';
      session.markSignedOut();
      if ((await signIn()).userId !== id) location.reload();
      this.connection.connect();
      return ' ';
    };
    const client = new Client({ user: id, refresh: () => session.refresh() });
    this.connection = client.connection({
      path: `${BASE}/stream`,
      format: 'word',
      heartbeatSeconds: PING_SECONDS,
    });
    const pull = () => void this.rep.pull().catch(() => {});
    this.connection.on('sync', pull);
    this.connection.onReset(pull);
    this.connection.onState((state) => this.#connected(state));
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

  // Pokes from before the stream was open are not repeated: whoever connects pulls; and what waits to be sent goes now.
  #connected(state: ConnectionState): void {
    if (state.name !== 'live') return;
    void this.rep.pull().catch(() => {});
    void this.rep.push().catch(() => {});
  }

  /** Looks at what is pending; never twice at a time, and again if something happened meanwhile. */
  #read(): void {
    this.#reading ??= this.#readOnce().finally(() => (this.#reading = undefined));
  }

  async #readOnce(): Promise<void> {
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
}
