import type { FakeTab } from './fakeBrowser';
import type { FakeJournal } from './fakeJournal';
import { json, OpenStream } from './fakeServer';

interface Wish {
  readonly id: string;
  readonly path: string;
  readonly lastEventId?: string;
}

/** One open response and its streams. */
class CombinedResponse {
  readonly id: string;
  readonly tab: FakeTab;
  readonly streams = new Map<string, OpenStream>();
  /** The response is open, but written bytes do not arrive. */
  isDead = false;
  isClosed = false;
  #last = '';
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  readonly body = new ReadableStream<Uint8Array>({
    start: (controller) => void (this.#controller = controller),
  });

  constructor(id: string, tab: FakeTab) {
    this.id = id;
    this.tab = tab;
  }

  write(stream: string, text: string): void {
    if (this.isDead || this.isClosed) return;
    const marker = this.#last === stream || text.startsWith('stream: ') ? '' : `stream: ${stream}\n\n`;
    this.#last = stream;
    this.#controller.enqueue(new TextEncoder().encode(marker + text));
  }

  remove(stream: string): void {
    this.streams.delete(stream);
    if (this.streams.size > 0 || this.isClosed) return;
    this.isClosed = true;
    this.#controller.close();
  }

  break(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#controller.error(new TypeError('terminated'));
    for (const stream of [...this.streams.values()]) stream.break();
  }
}

/** A server with combined streams in front of a journal. */
export class FakeCombined {
  readonly posts: { readonly path: string; readonly body: any }[] = [];
  readonly #journal: FakeJournal;
  readonly #responses: CombinedResponse[] = [];
  isSupported = true;
  /** Replaces the answer to the next request with a matching path. */
  plan: { path: RegExp; answer: () => Response | Promise<Response> } | undefined;
  #count = 0;

  constructor(journal: FakeJournal) {
    this.#journal = journal;
  }

  /** The open responses. */
  get open(): CombinedResponse[] {
    return this.#responses.filter((response) => !response.isClosed);
  }

  serve(tab: FakeTab): void {
    this.#journal.serve(tab);
    const single = tab.fetchWith;
    tab.fetchWith = async (address, init) => {
      const { pathname } = new URL(address, 'http://server.test');
      if (init.method !== 'POST') return single(address, init);
      const body = JSON.parse(init.body as string);
      this.posts.push({ path: pathname, body });
      init.signal?.throwIfAborted();
      if (!this.isSupported) return json(404, { code: 'not_found', title: 'No.' });
      if (this.plan?.path.test(pathname)) {
        const { answer } = this.plan;
        this.plan = undefined;
        return answer();
      }
      const id = pathname.split('/')[4];
      return id === undefined ? this.#start(tab, body.streams, init.signal!) : this.#change(id, body);
    };
  }

  #start(tab: FakeTab, wishes: readonly Wish[], signal: AbortSignal): Response {
    const response = new CombinedResponse(`combined-${++this.#count}`, tab);
    this.#responses.push(response);
    signal.addEventListener('abort', () => response.break());
    for (const wish of wishes) this.#add(response, wish);
    return new Response(response.body, {
      headers: { 'Content-Type': 'text/event-stream; charset=utf-8', 'Dunlin-Connection': response.id },
    });
  }

  #change(id: string, { open = [], close = [] }: { open?: Wish[]; close?: string[] }): Response {
    const response = this.open.find((each) => each.id === id);
    if (!response) return json(404, { code: 'not_found', title: 'Unknown.' });
    response.tab.run(() => response.write('', ':\n\n'));
    for (const wish of open) this.#add(response, wish);
    for (const stream of close) response.streams.get(stream)?.end();
    return json(204, undefined);
  }

  #add(response: CombinedResponse, { id, path, lastEventId }: Wish): void {
    const url = new URL(path, 'http://server.test');
    const refused = url.searchParams.getAll('topic').find((topic) => this.#journal.forbidden.has(topic));
    if (refused !== undefined) {
      const problem = JSON.stringify({ code: 'topic.forbidden', title: 'Not yours.', topic: refused });
      response.streams.set(id, undefined!);
      response.write(id, `stream: ${id}\nstatus: 403\nproblem: ${problem}\n\n`);
      return response.remove(id);
    }
    const controller = {
      enqueue: (bytes: Uint8Array) => response.write(id, new TextDecoder().decode(bytes)),
      close: () => {
        response.write(id, `stream: ${id}\nend:\n\n`);
        response.remove(id);
      },
      error: () => {},
    } as unknown as ReadableStreamDefaultController<Uint8Array>;
    const headers = new Headers(lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId });
    const stream = new OpenStream(url, headers, controller);
    response.streams.set(id, stream);
    response.write(id, `stream: ${id}\nstatus: 200\nconnection: ${response.id}-${id}\n\n`);
    this.#journal.attach(stream, response.tab);
  }
}
