import { browserEnvironment, Client, problemOf, type Connection, type Environment } from '@dunlin/client';
import { replicate, type RefusedDocument, type Replication } from '@dunlin/client/rxdb';
import type { RxDocument, RxQuery, RxStorage } from 'rxdb/plugins/core';
import { openDatabase, type WishlistsDatabase } from './database';
import { byOrder, keyForNew } from './order';
import { computed, shallowRef, type ComputedRef, type ShallowRef } from 'vue';
import type { User } from '@dunlin/kit';
import { Removals, type Removal } from './removals';
import { loadStateOf, withTimeLimit, type LoadState } from './loading';
import type { Collections, Item, Mark, Wishlist } from '../api/documents';
import { WishlistsApi } from '../api/wishlists';

const SYNC_PATH = '/api/v1/sync';

export interface WishlistsStoreOptions {
  readonly user: User;
  readonly refresh: () => Promise<boolean>;
  /** The session of this user has ended. */
  readonly onSignedOut: () => void;
  readonly onRefused: (refused: readonly RefusedDocument[]) => void;
  /** A removal that the user did not undo could not be carried out. */
  readonly onRemovalFailed?: ((removal: Removal, error: unknown) => void) | undefined;
  readonly environment?: Environment | undefined;
  /** The database of the user, if it is being opened already. */
  readonly database?: Promise<WishlistsDatabase> | undefined;
  /** Of a database that is not open yet. Default: IndexedDB. */
  readonly storage?: RxStorage<unknown, unknown> | undefined;
}

/** The data of one user in this browser. It is read and changed locally, and replicated. */
export class WishlistsStore {
  readonly user: User;
  readonly client: Client;
  readonly api: WishlistsApi;
  readonly connection: Connection;
  readonly sync: Replication<'wishlists' | 'items' | 'marks'>;
  /** Undefined until the lists are loaded. */
  readonly lists: ComputedRef<readonly Wishlist[] | undefined>;
  /** Removals that can still be undone. Lists of removals are not among `lists`. */
  readonly removals: Removals;
  readonly items: ShallowRef<readonly Item[]> = shallowRef([]);
  readonly marks: ShallowRef<readonly Mark[]> = shallowRef([]);
  /** What to say while there is no data. */
  readonly loading: ComputedRef<LoadState>;
  readonly #collections: Collections;
  readonly #database: WishlistsDatabase;
  /** Ids of documents that this tab has inserted. */
  readonly #inserted = new Set<string>();

  private constructor(client: Client, database: WishlistsDatabase, options: WishlistsStoreOptions) {
    const { user } = options;
    this.user = user;
    this.client = client;
    this.api = new WishlistsApi(client.requests);
    this.#database = database;
    this.#collections = database.collections;
    // Asked for before the replication starts, which reads and writes the same database.
    const stored: ShallowRef<readonly Wishlist[] | undefined> = shallowRef();
    const { wishlists, items, marks } = this.#collections;
    wishlists.find().$.subscribe((all) => (stored.value = all.map((list) => list.toJSON() as Wishlist)));
    items.find().$.subscribe((all) => (this.items.value = all.map((item) => item.toJSON() as Item)));
    marks.find().$.subscribe((all) => (this.marks.value = all.map((mark) => mark.toJSON() as Mark)));
    this.connection = client.connection({ path: '/api/v1/events/stream', heartbeatSeconds: 30 });
    this.sync = replicate({
      client,
      user: user.userId,
      path: SYNC_PATH,
      collections: this.#collections,
      connection: this.connection,
      onRefused: options.onRefused,
    });
    const { onSignedOut } = options;
    const { storage } = client.environment;
    const loadedKey = `dunlin.wishlists.loaded.${user.userId}`;
    const hasLoaded = shallowRef(storage?.getItem(loadedKey) !== null && storage !== undefined);
    const syncName = shallowRef(this.sync.get().name);
    this.loading = computed(() => loadStateOf(hasLoaded.value, syncName.value));
    this.sync.subscribe(() => {
      const { name } = this.sync.get();
      syncName.value = name;
      if (name === 'signedOut') onSignedOut();
      if (name !== 'synced' || hasLoaded.value) return;
      hasLoaded.value = true;
      try {
        storage?.setItem(loadedKey, '1');
      } catch {
        // The storage is full: the next visit finds out again.
      }
    });
    this.connection.onState((state) => state.name === 'signedOut' && onSignedOut());
    this.removals = new Removals({
      environment: client.environment,
      key: `dunlin.wishlists.removals.${user.userId}`,
      perform: (removal, isLeaving) => this.#remove(removal, isLeaving),
      onFailed: (removal, error) => options.onRemovalFailed?.(removal, error),
    });
    this.lists = computed(() =>
      stored.value?.filter(
        ({ id }) => !this.removals.has('list', id) && !this.removals.has('member', id, user.userId),
      ),
    );
    this.connection.connect();
  }

  static async open(options: WishlistsStoreOptions): Promise<WishlistsStore> {
    const { user, refresh, environment } = options;
    const database = await (options.database ?? openDatabase(user.userId, options.storage));
    const timed = withTimeLimit(environment ?? browserEnvironment(), SYNC_PATH);
    const client = new Client({ user: user.userId, refresh, environment: timed });
    return new WishlistsStore(client, database, options);
  }

  /** Stops sending. All changes are already on the disk. */
  async dispose(): Promise<void> {
    this.removals.dispose();
    this.client.dispose();
    await this.sync.dispose();
    await this.#database.close();
  }

  async addList(name: string): Promise<string> {
    const id = this.#newId();
    const { userId, name: owner_name } = this.user;
    await this.#collections.wishlists.insert({
      id,
      name,
      owner_id: userId,
      owner_name,
      members: [],
      ...stamps(),
    });
    return id;
  }

  /** Resolves with `true` when a refused document was inserted by this tab and has been removed, and with `false` when it stays. */
  async wasTakenBack({ collection, id, document }: RefusedDocument): Promise<boolean> {
    if (!this.#inserted.has(id)) return false;
    const { $ } = this.#collections[collection as keyof Collections].findOne(id) as RxQuery;
    return new Promise((resolve) => {
      const subscription = $.subscribe({
        next: (now: RxDocument | null) => {
          // The document is still as it was refused: RxDB has not reverted it yet.
          if (now && isSame(now.toJSON(), document as object)) return;
          resolve(!now);
          queueMicrotask(() => subscription.unsubscribe());
        },
        complete: () => resolve(false),
      });
    });
  }

  async changeList(id: string, change: Partial<Pick<Wishlist, 'name' | 'description'>>): Promise<void> {
    await (await this.#collections.wishlists.findOne(id).exec())?.incrementalPatch(change);
  }

  /** Deletes a list locally; its items disappear with it. The server deletes the items. */
  async deleteList(id: string): Promise<void> {
    await (await this.#collections.wishlists.findOne(id).exec())?.incrementalRemove();
  }

  /** Number of changes that the server has not confirmed, removals included that can still be undone. */
  get unsent(): number {
    return this.sync.get().pending + this.removals.pending.value.length;
  }

  /** Carries out all removals and sends all changes. */
  async flush(): Promise<void> {
    await this.removals.flush();
    // Without a server the wait would only delay the question about the changes.
    if (this.sync.get().name === 'syncing') await this.sync.synced();
  }

  async #remove({ kind, listId, userId }: Removal, isLeaving: boolean): Promise<void> {
    try {
      if (kind === 'member') await this.api.removeMember(listId, userId, isLeaving);
      else if (isLeaving) await this.api.deleteList(listId).catch(() => this.deleteList(listId));
      else await this.deleteList(listId);
    } catch (error) {
      // An earlier visit or another device has done it.
      if (problemOf(error).kind !== 'notFound') throw error;
    }
    if (kind === 'member') this.sync.pull();
  }

  async addItem(
    wishlist_id: string,
    item: { title: string; source_url?: string | undefined; quantity?: number | undefined },
  ): Promise<string> {
    const id = this.#newId();
    const { title, source_url, quantity = 1 } = item;
    await this.#collections.items.insert({
      id,
      wishlist_id,
      title,
      ...(source_url === undefined ? {} : { source_url }),
      quantity,
      status: source_url === undefined ? 'manual' : 'pending',
      title_edited: false,
      order: keyForNew(this.itemsOf(wishlist_id), Date.now()),
      ...stamps(),
    });
    return id;
  }

  async changeItem(
    id: string,
    change: Partial<Omit<Item, 'id' | 'wishlist_id' | 'status' | 'created_at' | 'updated_at'>>,
  ): Promise<void> {
    const item = await this.#collections.items.findOne(id).exec();
    // A missing value removes the field instead of storing null.
    await item?.incrementalModify((data) => {
      const next = { ...data, ...change } as Record<string, unknown>;
      for (const name of Object.keys(change)) if (next[name] === undefined) delete next[name];
      return next as never;
    });
  }

  /** Returns the items of a list in their order. */
  itemsOf(listId: string): Item[] {
    return this.items.value.filter(({ wishlist_id: id }) => id === listId).sort(byOrder);
  }

  /** Writes sort keys, by the ids of their items. */
  async reorder(keys: ReadonlyMap<string, string>): Promise<void> {
    await Promise.all([...keys].map(([id, order]) => this.changeItem(id, { order })));
  }

  async deleteItem(id: string): Promise<void> {
    await (await this.#collections.items.findOne(id).exec())?.incrementalRemove();
  }

  /** Restores an item that was just deleted. */
  async restoreItem(item: Item): Promise<void> {
    await this.#collections.items.insert(item);
  }

  /** Sets the quantity of an item that this user gives. 0 removes the mark. */
  async mark(item: Item, quantity: number): Promise<void> {
    const { userId, name } = this.user;
    const id = `${item.id}~${userId}`;
    const known = await this.#collections.marks.findOne(id).exec();
    if (quantity === 0) await known?.incrementalRemove();
    else if (known) await known.incrementalPatch({ quantity });
    else
      await this.#collections.marks.insert({
        id,
        item_id: item.id,
        quantity,
        wishlist_id: item.wishlist_id,
        user_id: userId,
        user_name: name,
        ...stamps(),
      });
  }

  #newId(): string {
    const id = newId();
    this.#inserted.add(id);
    return id;
  }

  /** Joins the list of a link. Resolves with the list's id. */
  async join(token: string): Promise<string> {
    const listId = await this.api.join(token);
    this.sync.pull();
    return listId;
  }
}

function isSame(document: object, other: object): boolean {
  const fields = (of: object) =>
    JSON.stringify(
      Object.entries(of)
        .filter(([name]) => name[0] !== '_')
        .sort(),
    );
  return fields(document) === fields(other);
}

function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}

function stamps(): { created_at: string; updated_at: string } {
  const now = new Date().toISOString();
  return { created_at: now, updated_at: now };
}
