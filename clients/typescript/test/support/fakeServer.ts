import type { FakeFetch } from './fakeEnvironment';

/** An open stream of a fake server. */
export class OpenStream {
  readonly url: URL;
  readonly headers: Headers;
  readonly #controller: ReadableStreamDefaultController<Uint8Array>;
  isClosed = false;

  constructor(url: URL, headers: Headers, controller: ReadableStreamDefaultController<Uint8Array>) {
    this.url = url;
    this.headers = headers;
    this.#controller = controller;
  }

  get lastEventId(): string | null {
    return this.headers.get('Last-Event-ID');
  }

  send(text: string): void {
    if (!this.isClosed) this.#controller.enqueue(new TextEncoder().encode(text));
  }

  event(
    id: string | undefined,
    type: string,
    data: unknown,
    topic?: string,
    also: readonly string[] = [],
  ): void {
    const fields = [
      id && `id: ${id}`,
      topic && `topic: ${topic}`,
      ...also.map((name) => `also: ${name}`),
      `event: ${type}`,
      `data: ${JSON.stringify(data)}`,
    ];
    this.send(`${fields.filter(Boolean).join('\n')}\n\n`);
  }

  /** Sends a control frame. */
  control(id: string | undefined, name: string, data: unknown): void {
    const fields = [
      id && `id: ${id}`,
      `event: dunlin.${name}`,
      `control: ${name}`,
      `data: ${JSON.stringify(data)}`,
    ];
    this.send(`${fields.filter(Boolean).join('\n')}\n\n`);
  }

  end(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#controller.close();
  }

  break(error: Error = new TypeError('terminated')): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#controller.error(error);
  }
}

/** Answers and records requests for streams. Without a planned answer it opens a stream. */
export class FakeStreams {
  readonly opened: OpenStream[] = [];
  readonly requests: { url: URL; headers: Headers }[] = [];
  readonly #planned: (() => Response | Promise<Response>)[] = [];
  onOpen: (stream: OpenStream) => void = () => {};

  get last(): OpenStream {
    return this.opened[this.opened.length - 1]!;
  }

  /** Answers the next request with this response instead of a stream. */
  plan(answer: () => Response | Promise<Response>): void {
    this.#planned.push(answer);
  }

  readonly fetch: FakeFetch = async (address, init) => {
    const url = new URL(address, 'http://server.test');
    const headers = new Headers(init.headers);
    this.requests.push({ url, headers });
    init.signal?.throwIfAborted();
    const planned = this.#planned.shift();
    if (planned) return planned();
    return this.#open(url, headers, init.signal ?? undefined);
  };

  #open(url: URL, headers: Headers, signal: AbortSignal | undefined): Response {
    let stream!: OpenStream;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        stream = new OpenStream(url, headers, controller);
        stream.send(':\n\n');
      },
    });
    signal?.addEventListener('abort', () => stream.break(new DOMException('aborted', 'AbortError')));
    this.opened.push(stream);
    const connection = `connection-${this.opened.length}`;
    this.onOpen(stream);
    return new Response(body, {
      headers: { 'Content-Type': 'text/event-stream; charset=utf-8', 'Dunlin-Connection': connection },
    });
  }
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(status === 204 ? null : JSON.stringify(body), {
    status,
    headers: { 'Content-Type': status >= 400 ? 'application/problem+json' : 'application/json', ...headers },
  });
}
