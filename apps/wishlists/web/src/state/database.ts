import { keepChangedFields } from '@dunlin/client/rxdb';
import { addRxPlugin, createRxDatabase, type RxDatabase, type RxStorage } from 'rxdb/plugins/core';
import { RxDBMigrationSchemaPlugin } from 'rxdb/plugins/migration-schema';
import { getRxStorageDexie } from 'rxdb/plugins/storage-dexie';
import {
  itemSchema,
  markSchema,
  wishlistSchema,
  type Collections,
  type Item,
  type Mark,
  type Wishlist,
} from '../api/documents';
import { sha256 } from './sha256';

addRxPlugin(RxDBMigrationSchemaPlugin);

export type WishlistsDatabase = RxDatabase<Collections>;

/** Opens the database of a user. Data in the browser does not pass to the next user, because each user has one. */
export async function openDatabase(
  userId: string,
  storage: RxStorage<unknown, unknown> = getRxStorageDexie(),
): Promise<WishlistsDatabase> {
  const database = await createRxDatabase<Collections>({
    name: `wishlists-${userId}`,
    storage,
    // Without `hashFunction` RxDB needs `crypto.subtle`, which insecure contexts lack. It hashes schemas only, because there are no
    // attachments.
    ...(globalThis.crypto.subtle ? {} : { hashFunction: (schema) => sha256(schema as string) }),
  });
  await database.addCollections({
    wishlists: { schema: wishlistSchema, conflictHandler: keepChangedFields<Wishlist>() },
    items: {
      schema: itemSchema,
      conflictHandler: keepChangedFields<Item>(),
      migrationStrategies: { 1: (item: Item) => item },
    },
    marks: { schema: markSchema, conflictHandler: keepChangedFields<Mark>() },
  });
  performance.mark('wishlists:database');
  return database;
}

const LAST_USER = 'dunlin.wishlists.user';

/**
 * Opens the database of the last user while the session is still being asked for, which saves the time of that request. Nothing of it is
 * shown before the session names the same user.
 */
export class EarlyDatabase {
  readonly #storage: Storage | undefined;
  #opening: { readonly userId: string; readonly database: Promise<WishlistsDatabase> } | undefined;

  constructor(storage: Storage | undefined, open: typeof openDatabase = openDatabase) {
    this.#storage = storage;
    const userId = storage?.getItem(LAST_USER);
    if (!userId) return;
    const database = open(userId);
    // The caller of `take` handles the failure.
    database.catch(() => {});
    this.#opening = { userId, database };
  }

  /** Returns the database of the signed-in user if it is being opened, and closes that of another. */
  take(userId: string): Promise<WishlistsDatabase> | undefined {
    const opening = this.#opening;
    this.#opening = undefined;
    try {
      this.#storage?.setItem(LAST_USER, userId);
    } catch {
      // The storage is full: the next start is slower.
    }
    if (opening?.userId === userId) return opening.database;
    close(opening?.database);
    return undefined;
  }

  /** Closes a database that nobody has taken, and forgets the user, who has signed out. */
  drop(): void {
    close(this.#opening?.database);
    this.#opening = undefined;
    this.#storage?.removeItem(LAST_USER);
  }
}

function close(database: Promise<WishlistsDatabase> | undefined): void {
  void database?.then((opened) => opened.close()).catch(() => {});
}
