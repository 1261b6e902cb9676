export interface DemultiplexerHandlers {
  /** Complete blocks of one stream. */
  onBytes(stream: string, bytes: Uint8Array<ArrayBuffer>): void;
  /** A block about a stream itself: opened, refused or ended. */
  onBlock(stream: string, fields: ReadonlyMap<string, string>): void;
}

const LINE_FEED = 10;
const MARK = new TextEncoder().encode('stream: ');
/** Larger than any event. Limits the memory that a response of another kind can use. In bytes. */
const MAX_BLOCK = 8 * 1024 * 1024;

/**
 * Splits a combined response (docs/spec/event-stream.md) into its streams. A block that begins with the field `stream` names the stream of
 * the blocks after it. The server ends lines with LF only.
 */
export class Demultiplexer {
  readonly #handlers: DemultiplexerHandlers;
  #rest = new Uint8Array(0);
  #stream: string | undefined;

  constructor(handlers: DemultiplexerHandlers) {
    this.#handlers = handlers;
  }

  push(chunk: Uint8Array): void {
    const bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    let taken = 0;
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, end + 1)) {
      if (bytes[end + 1] !== LINE_FEED) continue;
      const next = end + 2;
      if (MARK.every((byte, at) => bytes[start + at] === byte)) {
        this.#flush(bytes, taken, start);
        this.#block(bytes.subarray(start, end));
        taken = next;
      }
      start = next;
      end++;
    }
    this.#flush(bytes, taken, start);
    this.#rest = bytes.slice(start);
    if (this.#rest.length > MAX_BLOCK) throw new TypeError('network: a block of the stream has no end');
  }

  #flush(bytes: Uint8Array<ArrayBuffer>, from: number, to: number): void {
    if (to > from && this.#stream !== undefined) this.#handlers.onBytes(this.#stream, bytes.slice(from, to));
  }

  #block(bytes: Uint8Array): void {
    const fields = new Map<string, string>();
    for (const line of new TextDecoder().decode(bytes).split('\n')) {
      const colon = line.indexOf(':');
      if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trimStart());
    }
    this.#stream = fields.get('stream')!;
    if (fields.size > 1) this.#handlers.onBlock(this.#stream, fields);
  }
}
