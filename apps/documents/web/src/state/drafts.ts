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
  remove(fileId: string): Promise<void>;
}

const STORE = 'drafts';

/**
 * In IndexedDB, because a document may be larger than what localStorage takes. Where the browser keeps nothing
 * (private windows, full disk) drafts live as long as the page.
 */
export function browserDrafts(userId: string): Drafts {
  const memory = new Map<string, Draft>();
  const key = (fileId: string) => `${userId} ${fileId}`; // ids of files hold no space
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

  return {
    async get(fileId) {
      return (
        memory.get(fileId) ??
        (await run('readonly', (s) => s.get(key(fileId)) as IDBRequest<Draft | undefined>))
      );
    },
    async put(draft) {
      memory.set(draft.fileId, draft);
      await run('readwrite', (s) => s.put(draft, key(draft.fileId)));
    },
    async remove(fileId) {
      memory.delete(fileId);
      await run('readwrite', (s) => s.delete(key(fileId)));
    },
  };
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
