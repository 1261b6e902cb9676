/** When a value was last confirmed: the server's version of the record, and the local sequence number of the arrival. */
export interface Stamp {
  readonly version: number | undefined;
  readonly sequence: number;
}

/** Describes data of the server, from an event or from the answer to an earlier request. */
export interface Arrival {
  readonly version: number | undefined;
  /** For answers: the result of `Store.mark()` before the request. Changes after it are newer than the answer. */
  readonly since?: number | undefined;
}

/**
 * Compares versions where both sides have one. Otherwise, and for equal versions, an answer is fresh if nothing arrived after its request
 * was made.
 */
export function isFresher(arrival: Arrival, stamp: Stamp): boolean {
  if (arrival.version !== undefined && stamp.version !== undefined && arrival.version !== stamp.version) {
    return arrival.version > stamp.version;
  }
  return arrival.since === undefined || stamp.sequence <= arrival.since;
}

/**
 * A record as the server confirmed it, with a stamp per field. An update may contain some fields only. The answer to a save of one field
 * may arrive before an older update of another field, and that update must still be applied.
 */
export class Confirmed<T extends object> {
  #record: T;
  #version: number | undefined;
  #whole: Stamp;
  /** Stamps of fields that were confirmed later than the whole record. */
  readonly #fields = new Map<keyof T, Stamp>();

  constructor(record: T, stamp: Stamp) {
    this.#record = record;
    this.#whole = stamp;
    this.#version = stamp.version;
  }

  get record(): T {
    return this.#record;
  }

  /** The newest known version. */
  get version(): number | undefined {
    return this.#version;
  }

  /** Sequence number of the latest arrival that was applied. */
  get sequence(): number {
    let latest = this.#whole.sequence;
    for (const stamp of this.#fields.values()) latest = Math.max(latest, stamp.sequence);
    return latest;
  }

  /** Applies every field that is fresher than the current one. */
  take(changes: Partial<T>, arrival: Arrival, sequence: number, isWhole: boolean): void {
    const taken: Partial<T> = {};
    for (const field of Object.keys(changes) as (keyof T)[]) {
      if (isFresher(arrival, this.#fields.get(field) ?? this.#whole)) taken[field] = changes[field]!;
    }
    const stamp: Stamp = { version: arrival.version ?? this.#whole.version, sequence };
    const replaces = isWhole && isFresher(arrival, this.#whole);
    if (replaces) this.#whole = stamp;
    for (const field of Object.keys(taken) as (keyof T)[]) {
      if (replaces) this.#fields.delete(field);
      else this.#fields.set(field, stamp);
    }
    if (arrival.version !== undefined)
      this.#version = Math.max(arrival.version, this.#version ?? arrival.version);
    if ((Object.keys(taken) as (keyof T)[]).some((field) => !Object.is(taken[field], this.#record[field]))) {
      this.#record = { ...this.#record, ...taken };
    }
  }
}
