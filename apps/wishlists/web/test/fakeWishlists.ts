import { browserEnvironment, type Environment } from '@dunlin/client';
import { FakeStreams, json } from '../../../../clients/typescript/test/support/fakeServer';

type Collection = 'wishlists' | 'items' | 'marks';
type Document = { readonly id: string; readonly _deleted?: boolean };

interface Row {
  readonly newDocumentState: Document;
}

/** A wishlists server in memory, which a test can take off the network or make refuse. */
export class FakeWishlists {
  readonly streams = new FakeStreams();
  /** Documents that were taken, in order. */
  readonly taken: [collection: string, document: Document][] = [];
  readonly joined: string[] = [];
  requests = 0;
  isReachable = true;
  /** Lets requests wait until they are aborted. */
  hangs = false;
  storage: Environment['storage'];
  /** The code with which a document is refused; undefined takes it. */
  refuse: (document: Document) => string | undefined = () => undefined;
  /** Answers every push and pull instead of the server. */
  override: (() => Response) | undefined;
  readonly #documents = new Map<string, { readonly version: number; readonly document: Document }>();
  #version = 0;

  /** Writes a document, as another device does. */
  write(collection: Collection, document: object & { readonly id: string }): void {
    this.#documents.set(`${collection}/${document.id}`, { version: ++this.#version, document });
  }

  /** Tells the open streams that a collection has changed. */
  hint(collection: Collection): void {
    for (const stream of this.streams.opened) stream.event(`e-${this.#version}`, collection, {});
  }

  read(collection: Collection, id: string): Document | undefined {
    return this.#documents.get(`${collection}/${id}`)?.document;
  }

  /** A page of this server; waits are a twentieth of those of a browser. */
  environment(): Environment {
    const real = browserEnvironment();
    return {
      ...real,
      storage: this.storage,
      locks: undefined,
      openBroadcast: undefined,
      setTimer: (milliseconds, callback) => real.setTimer(milliseconds / 20, callback),
      fetch: (url, init) => this.#fetch(url, init),
    };
  }

  async #fetch(address: string, init: RequestInit): Promise<Response> {
    this.requests++;
    if (!this.isReachable) throw new TypeError('fetch failed');
    const url = new URL(address, 'http://server.test');
    if (url.pathname.endsWith('/stream')) return this.streams.fetch(address, init);
    if (this.hangs) return aborted(init.signal!);
    if (this.override) return this.override();
    const [, verb, collection] = /\/sync\/(pull|push)\/(\w+)$/.exec(url.pathname) ?? [];
    if (verb === 'pull') return this.#pull(collection!, url.searchParams);
    if (verb === 'push') return this.#push(collection!, JSON.parse(init.body as string) as Row[]);
    const [, token] = /\/share\/(\w+)\/join$/.exec(url.pathname) ?? [];
    if (token === undefined) return json(404, { code: 'not_found', title: `Nothing at ${url.pathname}.` });
    this.joined.push(token);
    return json(200, { wishlist_id: 'joined', role: 'view' });
  }

  #pull(collection: string, query: URLSearchParams): Response {
    const from = Number(query.get('position') ?? 0);
    const changed = [...this.#documents]
      .filter(([key, { version }]) => key.startsWith(`${collection}/`) && version > from)
      // A pull from the beginning returns only documents that are not deleted.
      .filter(([, { document }]) => from > 0 || !document._deleted)
      .sort(([, a], [, b]) => a.version - b.version);
    const documents = changed.map(([, { document }]) => ({ _deleted: false, ...document }));
    return json(200, { documents, checkpoint: { position: String(this.#version) } });
  }

  #push(collection: string, rows: readonly Row[]): Response {
    const refused: string[] = [];
    const conflicts: Document[] = [];
    for (const { newDocumentState: document } of rows) {
      const code = this.refuse(document);
      if (code === undefined) {
        this.taken.push([collection, document]);
        this.write(collection as Collection, document);
      } else {
        refused.push(`${document.id};${code}`);
        const master = this.read(collection as Collection, document.id);
        conflicts.push(master ? { _deleted: false, ...master } : { ...document, _deleted: true });
      }
    }
    return json(200, conflicts, refused.length > 0 ? { 'Dunlin-Refused': refused.join(', ') } : {});
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () =>
      reject(new DOMException('The request was aborted.', 'AbortError')),
    ),
  );
}
