/** What an entry of a document holds. */
export const SNAPSHOT = 2;
const UPDATE = 1;
const HEADER_BYTES = 5;

export interface Entry {
  readonly kind: number;
  readonly update: Uint8Array;
}

/** Thrown for bytes that are no entry. The document is then loaded again. */
export class BrokenEntry extends Error {}

/**
 * Splits bytes into entries: kind, length (4 bytes, big-endian), Yjs update. The server may send an entry in several pieces, as consecutive
 * events.
 */
export class EntryReader {
  #rest = new Uint8Array(0);

  /** Whether the beginning of an entry has arrived, and not its end. */
  get isPartial(): boolean {
    return this.#rest.length > 0;
  }

  push(bytes: Uint8Array): Entry[] {
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    const entries: Entry[] = [];
    let at = 0;
    while (all.length - at >= HEADER_BYTES) {
      const kind = all[at]!;
      if (kind !== UPDATE && kind !== SNAPSHOT) throw new BrokenEntry(`Unknown kind of entry: ${kind}.`);
      const length = new DataView(all.buffer, at + 1).getUint32(0);
      const end = at + HEADER_BYTES + length;
      if (end > all.length) break;
      entries.push({ kind, update: all.slice(at + HEADER_BYTES, end) });
      at = end;
    }
    this.#rest = all.slice(at);
    return entries;
  }

  clear(): void {
    this.#rest = new Uint8Array(0);
  }
}

export function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

/** Throws `BrokenEntry` for data that is no base64. */
export function fromBase64(data: unknown): Uint8Array {
  try {
    if (typeof data === 'string') return Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  } catch {
    // Not base64: the error below says so.
  }
  throw new BrokenEntry('The event holds no binary data.');
}
