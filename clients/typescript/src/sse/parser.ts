/** One event of an event stream, as the HTML standard dispatches it. */
export interface StreamFrame {
  /** `message` when the block has no `event:` field. */
  readonly type: string;
  readonly data: string;
  /** The last event id of the stream at the end of this block; empty when there is none. */
  readonly lastEventId: string;
  /** Topic of the event, from a `topic:` field. Other clients ignore that field. */
  readonly topic?: string | undefined;
  /** Further topics of the event, from `also:` fields. */
  readonly also?: readonly string[] | undefined;
  /**
   * Type of a control frame (`hello`, `reset`, ...), from a `control:` field. Only the server can write that field; events of applications
   * cannot.
   */
  readonly control?: string | undefined;
}

export interface StreamParserHandlers {
  onFrame(frame: StreamFrame): void;
  /** Called when a block dispatched no event but changed the last event id. */
  onPosition?: ((lastEventId: string) => void) | undefined;
  /** Called for a comment line. Heartbeats are comments. */
  onComment?: ((text: string) => void) | undefined;
  /** Called for a valid `retry:` field, in milliseconds. */
  onRetry?: ((milliseconds: number) => void) | undefined;
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/**
 * Parses the bytes of an event stream into frames (HTML Living Standard, 9.2.6 "Interpreting an event stream",
 * https://html.spec.whatwg.org/multipage/server-sent-events.html). Chunks may be split anywhere, also inside a character. A block that the
 * end of the stream cuts off is not dispatched and its id is dropped, because both happen only at the blank line that ends a block.
 */
export class StreamParser {
  readonly #handlers: StreamParserHandlers;
  // Strips one byte order mark at the start of the stream and nowhere else, as the standard requires.
  readonly #decoder = new TextDecoder('utf-8');
  #rest = '';
  #skipLineFeed = false;
  #type = '';
  #data: string | undefined;
  #topic: string | undefined;
  #also: string[] | undefined;
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
      // A CR ends its line immediately. Waiting for a possible LF would delay the last event.
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
      case 'also':
        this.#also = [...(this.#also ?? []), value];
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
    const also = this.#also;
    const control = this.#control;
    this.#data = undefined;
    this.#type = '';
    this.#topic = undefined;
    this.#also = undefined;
    this.#control = undefined;
    if (data !== undefined) this.#handlers.onFrame({ type, data, lastEventId, topic, also, control });
    else if (moved) this.#handlers.onPosition?.(lastEventId);
  }
}
