/** A text that was typed and not saved. */
export interface Draft {
  readonly fileId: string;
  readonly text: string;
  /** The entity tag of the text that it was made from. */
  readonly etag: string;
  readonly at: number;
}

/** Drafts of one user in this browser. Each call resolves when the draft is kept; none rejects. */
export interface Drafts {
  get(fileId: string): Promise<Draft | undefined>;
  put(draft: Draft): Promise<void>;
  /** Keeps the draft before it returns, for a page that may end right after it; then does what `put` does. */
  putNow(draft: Draft): Promise<void>;
  remove(fileId: string): Promise<void>;
}

const STORE = 'drafts';

/** What `localStorage` is for this. */
export type DraftStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/**
 * In IndexedDB, because a document may be larger than what localStorage takes. A browser aborts the transactions of a
 * page that ends, so `putNow` writes to localStorage as well, until IndexedDB has the draft. Where the browser keeps
 * nothing (private windows, full disk) drafts live as long as the page.
 */
export function browserDrafts(
  userId: string,
  storage: DraftStorage | undefined = localStorageIfAny(),
): Drafts {
  const memory = new Map<string, Draft>();
  const key = (fileId: string) => `${userId} ${fileId}`; // ids of files hold no space
  const storageKey = (fileId: string) => `dunlin.documents.draft ${key(fileId)}`;
  let opening: Promise<IDBDatabase | undefined> | undefined;
  const database = () => (opening ??= open().catch(() => undefined));

  async function run<T>(
    mode: IDBTransactionMode,
    work: (store: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T | undefined> {
    try {
      const opened = await database();
      return opened && (await settled(work(opened.transaction(STORE, mode).objectStore(STORE))));
    } catch {
      return undefined;
    }
  }

  function storedNow(fileId: string): Draft | undefined {
    try {
      const text = storage?.getItem(storageKey(fileId));
      return text ? (JSON.parse(text) as Draft) : undefined;
    } catch {
      return undefined;
    }
  }

  async function put(draft: Draft): Promise<void> {
    memory.set(draft.fileId, draft);
    const storedKey = await run('readwrite', (s) => s.put(draft, key(draft.fileId)));
    // Only once IndexedDB has it, and unless a newer one came meanwhile.
    if (storedKey !== undefined && (storedNow(draft.fileId)?.at ?? Infinity) <= draft.at)
      storage?.removeItem(storageKey(draft.fileId));
  }

  return {
    async get(fileId) {
      const draft =
        memory.get(fileId) ??
        (await run('readonly', (s) => s.get(key(fileId)) as IDBRequest<Draft | undefined>));
      const last = storedNow(fileId);
      return last && (!draft || last.at > draft.at) ? last : draft;
    },
    put,
    putNow(draft) {
      try {
        storage?.setItem(storageKey(draft.fileId), JSON.stringify(draft));
      } catch {
        // Too large or blocked: IndexedDB may still take it.
      }
      return put(draft);
    },
    async remove(fileId) {
      memory.delete(fileId);
      storage?.removeItem(storageKey(fileId));
      await run('readwrite', (s) => s.delete(key(fileId)));
    },
  };
}

// Reading localStorage throws where storage is blocked.
function localStorageIfAny(): DraftStorage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open('dunlin.documents', 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The request failed.'));
  });
}
