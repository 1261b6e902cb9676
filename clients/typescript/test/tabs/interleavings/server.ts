import { meansTopic } from '../../../src/topics';

interface Entry {
  readonly offset: number;
  readonly user: string;
  readonly topic: string;
}

/** A request of a tab, from `fetch` to the last chunk of its response. */
export interface Exchange {
  readonly id: string;
  readonly tab: string;
  /** The connection that sent it. */
  readonly owner: string;
  readonly url: URL;
  readonly headers: Headers;
  /** Settles `fetch`. Undefined after the headers were delivered. */
  respond: ((response: Response) => void) | undefined;
  /** Texts that the server sent and the tab has not received. */
  readonly chunks: string[];
  body: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** The stream, once the server accepted it. */
  stream: { readonly user: string; readonly topics: readonly string[] } | undefined;
}

export const REFRESH = '/refresh';
const EPOCH = 'e';
/** Stands for the end of a connection among the chunks. */
const BROKEN = 'broken';
const bytes = new TextEncoder();

/** A server with one journal. It acts only when the world runs the step of a request, so its order against all else is explored. */
export class Server {
  readonly entries: Entry[] = [];
  readonly forbidden = new Set<string>();
  /** Generation of the valid tokens. Tokens of an older one are refused. */
  generation = 1;
  /** Highest offset that retention removed. */
  trimmed = 0;
  maxTopics = 64;
  #connections = 0;

  get head(): number {
    return this.entries.length;
  }

  /** Answers the request of an exchange. */
  answer(exchange: Exchange): void {
    const { url, headers } = exchange;
    if (url.pathname === REFRESH) return refuse(exchange, 204, {});
    const [user = '', generation] = (headers.get('Authorization') ?? '').replace('Bearer ', '').split('.');
    if (Number(generation) < this.generation) return refuse(exchange, 401, { code: 'unauthorized' });
    const topics = url.searchParams.getAll('topic');
    const topic = topics.find((name) => this.forbidden.has(name));
    if (topic !== undefined) return refuse(exchange, 403, { code: 'topic.forbidden', topic });
    if (topics.length > this.maxTopics) return refuse(exchange, 400, { code: 'too_many_topics' });
    exchange.stream = { user, topics };
    const connection = `c${++this.#connections}`;
    // The transport waits for the first bytes, so the headers alone change nothing in the tab.
    const hello = control('hello', {
      connectionId: connection,
      position: at(this.head),
      heartbeatSeconds: 3600,
    });
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        exchange.body = controller;
        controller.enqueue(bytes.encode(hello));
      },
    });
    const from = headers.get('Last-Event-ID');
    const after = from === null ? this.head : Number(from.split('-')[1]);
    if (after < this.trimmed) {
      exchange.chunks.push(`id: ${at(this.head)}\n${control('reset', { reason: 'trimmed' })}`);
    } else {
      for (const entry of this.entries.slice(after)) send(exchange, entry);
    }
    const answered = { 'Content-Type': 'text/event-stream', 'Dunlin-Connection': connection };
    settle(exchange, new Response(body, { headers: answered }));
  }

  publish(user: string, topic: string, exchanges: Iterable<Exchange>): number {
    const entry = { offset: this.head + 1, user, topic };
    this.entries.push(entry);
    for (const exchange of exchanges) send(exchange, entry);
    return entry.offset;
  }

  /** Ends the validity of all tokens, and the streams that were opened with them. */
  expireTokens(exchanges: Iterable<Exchange>): void {
    this.generation++;
    for (const exchange of exchanges)
      if (exchange.stream && exchange.chunks[0] !== BROKEN)
        exchange.chunks.push(control('goodbye', { reason: 'tokenExpired' }));
  }

  /** Everything that the answers depend on. */
  get state(): string {
    const { entries, forbidden, generation, trimmed, maxTopics } = this;
    return `${entries.map(({ user, topic }) => user + topic).join()} ${[...forbidden].join()} ${generation} ${trimmed} ${maxTopics}`;
  }
}

export function at(offset: number): string {
  return `${EPOCH}-${offset}`;
}

/** Delivers the next chunk of a response. Returns false if the connection broke instead. */
export function deliverChunk(exchange: Exchange): boolean {
  const chunk = exchange.chunks.shift()!;
  if (chunk === BROKEN) exchange.body!.error(new TypeError('terminated'));
  else exchange.body!.enqueue(bytes.encode(chunk));
  return chunk !== BROKEN;
}

/** Breaks a stream. The tab learns of it in a step of its own; undelivered chunks are lost. */
export function breakStream(exchange: Exchange): void {
  exchange.chunks.splice(0, Infinity, BROKEN);
}

/** Whether a subscription to `topics` receives events of `topic`. */
export function isWanted(topics: readonly string[], topic: string): boolean {
  return topics.some((wanted) => meansTopic(wanted, topic));
}

function send(exchange: Exchange, { offset, user, topic }: Entry): void {
  const { stream } = exchange;
  if (stream?.user !== user || !isWanted(stream.topics, topic) || exchange.chunks[0] === BROKEN) return;
  exchange.chunks.push(`id: ${at(offset)}\ntopic: ${topic}\nevent: changed\ndata: ${offset}\n\n`);
}

function control(name: string, data: unknown): string {
  return `event: dunlin.${name}\ncontrol: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

function refuse(exchange: Exchange, status: number, problem: object): void {
  const headers = { 'Content-Type': 'application/problem+json' };
  settle(exchange, new Response(status === 204 ? null : JSON.stringify(problem), { status, headers }));
}

function settle(exchange: Exchange, response: Response): void {
  exchange.respond!(response);
  exchange.respond = undefined;
}
