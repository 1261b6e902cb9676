import {
  DunlinError,
  type Client,
  type Connection,
  type ConnectionState,
  type ReceivedEvent,
} from '../../src/index';
import { toBase64 } from '../../src/yjs/entries';

type Handler = (data: unknown, event: ReceivedEvent) => void;

const PIECE = 64;

function entryOf(kind: number, update: Uint8Array): Uint8Array {
  const entry = new Uint8Array(5 + update.length);
  entry[0] = kind;
  new DataView(entry.buffer).setUint32(1, update.length);
  entry.set(update, 5);
  return entry;
}

/** One document of a server, in memory: entries with offsets, trimming by snapshots, events in pieces. */
export class FakeDocument {
  readonly topic = 'notes/1';
  readonly entries: { offset: number; bytes: Uint8Array }[] = [];
  readonly pages = new Set<FakePage>();
  trimmedThrough = 0;
  snapshots = 0;
  head = 0;
  mayWrite = true;

  append(kind: number, update: Uint8Array): number {
    const entry = entryOf(kind, update);
    for (let at = 0; at < entry.length; at += PIECE) {
      const bytes = entry.slice(at, at + PIECE);
      this.entries.push({ offset: ++this.head, bytes });
    }
    for (const page of this.pages) page.deliver();
    return this.head;
  }

  compact(through: number, update: Uint8Array): number {
    if (through <= this.trimmedThrough) return this.head;
    this.append(2, update);
    this.trimmedThrough = through;
    this.entries.splice(
      0,
      this.entries.findIndex(({ offset }) => offset > through),
    );
    this.snapshots++;
    return this.head;
  }

  publish(data: unknown): void {
    for (const page of this.pages) page.emit('yjs.awareness', data, undefined);
  }
}

/** What one page has of a client: a connection and requests, both of which a test can cut. */
export class FakePage {
  readonly client: Client;
  readonly connection: Connection;
  readonly timers: (() => void)[] = [];
  readonly errors: unknown[] = [];
  /** Called for each request: `lost` fails it after the server carried it out, `refused` before. */
  network: () => 'works' | 'lost' | 'refused' = () => 'works';
  requests = 0;
  readonly #document: FakeDocument;
  readonly #handlers = new Map<string, Set<Handler>>();
  readonly #stateListeners = new Set<(state: ConnectionState) => void>();
  readonly #resetListeners = new Set<(reset: { reason: string }) => void>();
  #state: ConnectionState = { name: 'waiting' } as ConnectionState;
  #position = -1;

  constructor(document: FakeDocument) {
    this.#document = document;
    document.pages.add(this);
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the getters of the objects below have another `this`
    const page = this;
    this.connection = {
      get state() {
        return page.#state;
      },
      isConnected: () => page.#state.name === 'live',
      connect: () => {},
      dispose: () => page.close(),
      on: (type: string, handler: Handler) => {
        page.#handlers.set(type, (page.#handlers.get(type) ?? new Set()).add(handler));
        return () => page.#handlers.get(type)?.delete(handler);
      },
      onState: (listener: (state: ConnectionState) => void) => {
        page.#stateListeners.add(listener);
        return () => page.#stateListeners.delete(listener);
      },
      onReset: (listener: (reset: { reason: string }) => void) => {
        page.#resetListeners.add(listener);
        return () => page.#resetListeners.delete(listener);
      },
    } as unknown as Connection;
    this.client = {
      environment: {
        setTimer: (_: number, callback: () => void) => {
          page.timers.push(callback);
          return () => void page.timers.splice(page.timers.indexOf(callback) >>> 0, 1);
        },
        onSignal: () => () => {},
        reportError: (error: unknown) => page.errors.push(error),
      },
      requests: {
        send: (method: string, path: string, options: { body?: unknown }) =>
          page.#send(method, path, options.body),
      },
      connection: () => page.connection,
    } as unknown as Client;
  }

  live(): void {
    if (this.#state.name === 'live') return;
    this.#state = { name: 'live' } as ConnectionState;
    if (this.#position < 0) this.#position = this.#document.head;
    const isBehind = this.#position < this.#document.trimmedThrough;
    if (isBehind) this.#position = this.#document.head;
    for (const listener of this.#stateListeners) listener(this.#state);
    if (isBehind) for (const listener of this.#resetListeners) listener({ reason: 'trimmed' });
    this.deliver();
  }

  cut(): void {
    if (this.#state.name !== 'live') return;
    this.#state = { name: 'waiting' } as ConnectionState;
    for (const listener of this.#stateListeners) listener(this.#state);
  }

  close(): void {
    this.#document.pages.delete(this);
  }

  reset(reason: string): void {
    for (const listener of this.#resetListeners) listener({ reason });
  }

  deliver(): void {
    if (this.#state.name !== 'live') return;
    for (const { offset, bytes } of this.#document.entries) {
      if (offset <= this.#position) continue;
      this.#position = offset;
      this.emit('stream.append', toBase64(bytes), `00000001-${offset}`);
    }
  }

  emit(type: string, data: unknown, position: string | undefined): void {
    if (this.#state.name !== 'live') return;
    const event: ReceivedEvent = { type, data, position, topic: this.#document.topic };
    for (const handler of this.#handlers.get(type) ?? []) handler(data, event);
  }

  /** Runs the timers that are set now. */
  tick(): void {
    for (const callback of this.timers.splice(0)) callback();
  }

  async #send(method: string, path: string, body: unknown): Promise<unknown> {
    this.requests++;
    const network = this.network();
    await Promise.resolve();
    if (network === 'refused')
      throw new DunlinError({ kind: 'network', code: 'network', title: 'No network' });
    if (method !== 'GET' && !this.#document.mayWrite)
      throw new DunlinError({ kind: 'forbidden', code: 'forbidden', title: 'No', status: 403 });
    const answer = this.#carryOut(method, path, body);
    if (network === 'lost') throw new DunlinError({ kind: 'network', code: 'network', title: 'No answer' });
    return answer;
  }

  #carryOut(method: string, path: string, body: unknown): unknown {
    const document = this.#document;
    const [address, query = ''] = path.split('?');
    if (address === '/dunlin/v1/events') {
      document.publish((body as { data: unknown }).data);
      return {};
    }
    const number = Number(query.split('=')[1]);
    if (method === 'GET') {
      const after = query === '' || number < document.trimmedThrough ? -1 : number;
      const parts = document.entries
        .filter(({ offset }) => offset > after)
        .flatMap(({ bytes }) => [...bytes]);
      return {
        headers: new Headers({ 'Dunlin-Offset': String(document.head) }),
        body: Uint8Array.from(parts),
      };
    }
    const update = body as Uint8Array;
    return {
      headers: new Headers(),
      offset: method === 'PUT' ? document.compact(number, update) : document.append(1, update),
    };
  }
}
