import {
  addRxPlugin,
  createRxDatabase,
  type RxCollection,
  type RxConflictHandler,
  type RxDatabase,
} from 'rxdb/plugins/core';
import { RxDBMigrationSchemaPlugin } from 'rxdb/plugins/migration-schema';
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory';
import { wrappedValidateAjvStorage } from 'rxdb/plugins/validate-ajv';
import { browserEnvironment, Client, type Connection, type Environment } from '@dunlin/client';
import { keepChangedFields, replicate, type RefusedDocument, type Replication } from '@dunlin/client/rxdb';
import { until } from '../../support/until';

addRxPlugin(RxDBMigrationSchemaPlugin);

export interface DeviceOptions {
  readonly address: string;
  readonly user: string;
  /** Returns the bearer token. Default: the user's name. */
  readonly token?: () => string;
  readonly refresh?: () => Promise<boolean>;
  readonly conflicts?: RxConflictHandler<any>;
  readonly batchSize?: number;
  /** `false`: without the stream of hints. */
  readonly stream?: boolean;
  readonly pollMs?: number;
  readonly schemaVersion?: number;
  readonly leases?: () => readonly string[];
  /** Databases with the same name share their data, as after a reload. */
  readonly storage?: ReturnType<typeof getRxStorageMemory>;
  readonly database?: string;
}

const text = (maxLength = 300) => ({ type: 'string', maxLength }) as const;
const shelfSchema = {
  version: 0,
  primaryKey: 'id',
  type: 'object',
  properties: { id: text(60), name: text(), owner: text() },
  required: ['id', 'name'],
} as const;
const thingSchema = (version: number) => ({
  version,
  primaryKey: 'id',
  type: 'object',
  properties: {
    id: text(60),
    shelf: text(60),
    text: text(1_000),
    count: { type: 'number' },
    own: { type: 'boolean' },
    rev: { type: 'number' },
    by: text(),
  },
  required: ['id', 'shelf', 'text'],
  indexes: ['shelf'],
});

let made = 0;

/** One browser of one user: a real RxDB database with schema validation, and its replication. */
export class Device {
  /** The delays of all timers that the client set, in milliseconds. */
  readonly waits: number[] = [];
  readonly client: Client;
  readonly refused: RefusedDocument[] = [];
  /** Pushed rows by document, in the order of sending. */
  readonly pushed: { id: string; row: any }[] = [];
  readonly pulls = { count: 0 };
  conflicts = 0;
  database!: RxDatabase;
  shelves!: RxCollection<any>;
  things!: RxCollection<any>;
  sync!: Replication<'shelves' | 'things'>;
  connection: Connection | undefined;
  readonly problems: unknown[] = [];
  readonly #options: DeviceOptions;
  readonly #listeners = new Map<string, Set<(detail: object) => void>>();
  #isOnline = true;
  #net = new AbortController();

  private constructor(options: DeviceOptions) {
    this.#options = options;
    this.client = new Client({
      base: options.address,
      environment: this.#environment(),
      token: options.token ?? (() => options.user),
      ...(options.refresh ? { refresh: options.refresh } : {}),
    });
  }

  static async open(options: DeviceOptions): Promise<Device> {
    const device = await Device.closed(options);
    device.start();
    return device;
  }

  /** Creates a device with its database, without replication. */
  static async closed(options: DeviceOptions): Promise<Device> {
    const device = new Device(options);
    await device.#openDatabase();
    return device;
  }

  /** Starts the replication; `open` has done so. */
  start(): void {
    const { user, stream = true, pollMs, batchSize, leases } = this.#options;
    this.connection = stream ? this.client.connection({ path: '/api/v1/events/stream' }) : undefined;
    this.sync = replicate({
      client: this.client,
      user,
      path: '/api/v1/sync',
      collections: { shelves: this.shelves, things: this.things },
      connection: this.connection,
      pollMs,
      batchSize,
      leases,
      onRefused: (refused) => this.refused.push(...refused),
    });
    for (const name of ['shelves', 'things'] as const)
      this.sync.of(name).conflict$.subscribe(() => this.conflicts++);
    this.connection?.connect();
  }

  goOffline(): void {
    this.#isOnline = false;
    this.#net.abort();
    this.#signal('offline');
  }

  goOnline(): void {
    this.#isOnline = true;
    this.#net = new AbortController();
    this.#signal('online');
  }

  /** Aborts requests in flight, as a bad network does. */
  cut(): void {
    this.#net.abort();
    this.#net = new AbortController();
  }

  async all(collection: 'shelves' | 'things' = 'things'): Promise<Map<string, any>> {
    const documents = await this[collection].find().exec();
    return new Map(documents.map((document) => [document.primary, document.toJSON()]));
  }

  async get(id: string): Promise<any> {
    return (await this.things.findOne(id).exec())?.toJSON();
  }

  /** Resolves with `false` if the document no longer exists. */
  async edit(id: string, change: object): Promise<boolean> {
    const document = await this.things.findOne(id).exec();
    await document?.incrementalPatch(change);
    return document !== null;
  }

  async remove(id: string): Promise<boolean> {
    const document = await this.things.findOne(id).exec();
    await document?.incrementalRemove();
    return document !== null;
  }

  pushesOf(id: string): number {
    return this.pushed.filter((pushed) => pushed.id === id).length;
  }

  async settled(what = 'everything sent and received'): Promise<void> {
    await until(`${this.#options.user}: ${what}`, () => this.sync.get().name === 'synced');
  }

  async close(): Promise<void> {
    await this.sync.dispose();
    this.client.dispose();
    await this.database.close();
  }

  async #openDatabase(): Promise<void> {
    const { storage = getRxStorageMemory(), conflicts, schemaVersion = 2, database } = this.#options;
    this.database = await createRxDatabase({
      name: database ?? `device${++made}`,
      storage: wrappedValidateAjvStorage({ storage }),
      multiInstance: false,
    });
    const migrationStrategies = Object.fromEntries(
      Array.from({ length: schemaVersion }, (_, version) => [version + 1, (document: object) => document]),
    );
    const handler = conflicts ? { conflictHandler: conflicts } : {};
    const collections = await this.database.addCollections({
      shelves: { schema: shelfSchema, ...handler },
      things: { schema: thingSchema(schemaVersion) as never, migrationStrategies, ...handler },
    });
    this.shelves = collections['shelves']!;
    this.things = collections['things']!;
  }

  // Shorter delays than in a browser, except between polls, so that polling cannot cause a result.
  #environment(): Environment {
    const real = browserEnvironment();
    return {
      ...real,
      locks: undefined,
      openBroadcast: undefined,
      random: () => 0.4,
      setTimer: (milliseconds, callback) => {
        this.waits.push(milliseconds);
        return real.setTimer(milliseconds > 8_000 ? milliseconds : milliseconds / 8, callback);
      },
      isOnline: () => this.#isOnline,
      onSignal: (signal, handler) => {
        const listeners = this.#listeners.get(signal) ?? new Set();
        this.#listeners.set(signal, listeners.add(handler));
        return () => listeners.delete(handler);
      },
      reportError: (error) => this.problems.push(error),
      fetch: (url, init) => this.#fetch(url, init),
    };
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    if (!this.#isOnline) throw new TypeError('fetch failed: offline');
    if (url.includes('/push/'))
      for (const row of JSON.parse(init.body as string))
        this.pushed.push({ id: row.newDocumentState.id, row });
    if (url.includes('/pull/')) this.pulls.count++;
    const net = this.#net.signal;
    try {
      return await fetch(url, { ...init, signal: init.signal ? AbortSignal.any([init.signal, net]) : net });
    } catch (error) {
      if (net.aborted && !init.signal?.aborted)
        throw new TypeError('fetch failed: the network went away', { cause: error });
      throw error;
    }
  }

  #signal(name: string): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener({});
  }
}

export { keepChangedFields };
