/** An unsaved text. */
export interface Draft {
  readonly fileId: string;
  readonly text: string;
  /** Entity tag of the revision that the draft is based on. */
  readonly etag: string;
  readonly at: number;
}

/** The drafts of one user in this browser. Each call resolves when the draft is stored; none rejects. */
export interface Drafts {
  get(fileId: string): Promise<Draft | undefined>;
  put(draft: Draft): Promise<void>;
  /** Stores the draft synchronously, for a page that may unload, and then does the same as `put`. */
  putNow(draft: Draft): Promise<void>;
  remove(fileId: string): Promise<void>;
}

const STORE = 'drafts';

/** The part of `localStorage` that drafts use. */
export type DraftStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/**
 * Stores drafts in IndexedDB, because a document may exceed the quota of localStorage. Browsers abort the transactions of an unloading
 * page, so `putNow` also writes to localStorage until IndexedDB has the draft. If the browser blocks storage or the disk is full, drafts
 * live as long as the page.
 */
export function browserDrafts(
  userId: string,
  storage: DraftStorage | undefined = localStorageIfAny(),
): Drafts {
  const memory = new Map<string, Draft>();
  const key = (fileId: string) => `${userId} ${fileId}`; // file ids contain no space
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
    // Remove the copy only after IndexedDB has the draft, and not if a newer copy was written meanwhile.
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
        // Too large or blocked. IndexedDB may still accept it.
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

// Reading `localStorage` throws where the browser blocks storage.
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
