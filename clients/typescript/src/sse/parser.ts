/** One event of an event stream, as the HTML standard dispatches it. */
export interface StreamFrame {
  /** `message` when the block has no `event:` field. */
  readonly type: string;
  readonly data: string;
  /** The stream's last event id once this block has ended; empty when there is none. */
  readonly lastEventId: string;
  /** Topic of the event, when the server names it in a `topic:` field (other readers ignore that field). */
  readonly topic?: string | undefined;
  /**
   * What the server says of the stream itself (`hello`, `reset`, ...), from a `control:` field, which no event of an
   * application can carry.
   */
  readonly control?: string | undefined;
}

export interface StreamParserHandlers {
  onFrame(frame: StreamFrame): void;
  /** A block ended that dispatched nothing but moved the last event id. */
  onPosition?: ((lastEventId: string) => void) | undefined;
  /** A comment line, which is what heartbeats are. */
  onComment?: ((text: string) => void) | undefined;
  /** A valid `retry:` field, in milliseconds. */
  onRetry?: ((milliseconds: number) => void) | undefined;
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/**
 * Turns the bytes of an event stream into frames, per "Interpreting an event stream" of the HTML standard
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html). Chunks may be cut anywhere, also inside a
 * character. A block that the end of the stream cuts off is never dispatched and its id is not kept, because
 * both happen only at the blank line that ends a block.
 */
export class StreamParser {
  readonly #handlers: StreamParserHandlers;
  // Strips one byte order mark at the start of the stream and nowhere else, as the standard asks.
  readonly #decoder = new TextDecoder('utf-8');
  #rest = '';
  #skipLineFeed = false;
  #type = '';
  #data: string | undefined;
  #topic: string | undefined;
  #control: string | undefined;
  #idBuffer = '';
  #lastEventId = '';

  constructor(handlers: StreamParserHandlers) {
    this.#handlers = handlers;
  }

  get lastEventId(): string {
    return this.#lastEventId;
  }

  push(chunk: Uint8Array): void {
    const text = this.#decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code !== LINE_FEED && code !== CARRIAGE_RETURN) {
        this.#skipLineFeed = false;
        continue;
      }
      if (code === LINE_FEED && this.#skipLineFeed) {
        this.#skipLineFeed = false;
        start = index + 1;
        continue;
      }
      // A CR ends its line at once: waiting to see whether an LF follows would hold the last event back.
      this.#skipLineFeed = code === CARRIAGE_RETURN;
      const line = this.#rest + text.slice(start, index);
      this.#rest = '';
      start = index + 1;
      this.#line(line);
    }
    this.#rest += text.slice(start);
  }

  #line(line: string): void {
    if (line === '') return this.#endBlock();
    const colon = line.indexOf(':');
    if (colon === 0) {
      this.#handlers.onComment?.(line.slice(1));
      return;
    }
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    this.#field(field, value);
  }

  #field(field: string, value: string): void {
    switch (field) {
      case 'data':
        this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
        break;
      case 'event':
        this.#type = value;
        break;
      case 'id':
        if (!value.includes('\0')) this.#idBuffer = value;
        break;
      case 'retry':
        if (/^[0-9]+$/.test(value)) this.#handlers.onRetry?.(Number.parseInt(value, 10));
        break;
      case 'topic':
        this.#topic = value;
        break;
      case 'control':
        this.#control = value;
        break;
    }
  }

  #endBlock(): void {
    const moved = this.#lastEventId !== this.#idBuffer;
    this.#lastEventId = this.#idBuffer;
    const { lastEventId } = this;
    const data = this.#data;
    const type = this.#type || 'message';
    const topic = this.#topic;
    const control = this.#control;
    this.#data = undefined;
    this.#type = '';
    this.#topic = undefined;
    this.#control = undefined;
    if (data !== undefined) this.#handlers.onFrame({ type, data, lastEventId, topic, control });
    else if (moved) this.#handlers.onPosition?.(lastEventId);
  }
}
