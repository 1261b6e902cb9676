/** When a value was last confirmed: the server's version of the record, and the local order of arrival. */
export interface Stamp {
  readonly version: number | undefined;
  readonly sequence: number;
}

/** What the server says about a record, live or in an answer to a request made at some earlier moment. */
export interface Arrival {
  readonly version: number | undefined;
  /** For answers: `Store.mark()` from before the request was made. What changed since is newer than the answer. */
  readonly since?: number | undefined;
}

/**
 * Versions decide where both sides have one; equal versions are the same state, repeated. Otherwise the moment the
 * request was made does.
 */
export function isFresher(arrival: Arrival, stamp: Stamp): boolean {
  if (arrival.version !== undefined && stamp.version !== undefined && arrival.version !== stamp.version) {
    return arrival.version > stamp.version;
  }
  return arrival.since === undefined || stamp.sequence <= arrival.since;
}

/**
 * A record as the server confirmed it, with a stamp per field. Fields are compared one by one because an update may
 * carry some fields only: the answer to a save of one field may arrive before an older update of another field,
 * which must still be taken.
 */
export class Confirmed<T extends object> {
  #record: T;
  #version: number | undefined;
  #whole: Stamp;
  /** Fields that were confirmed later than the whole. */
  readonly #fields = new Map<keyof T, Stamp>();

  constructor(record: T, stamp: Stamp) {
    this.#record = record;
    this.#whole = stamp;
    this.#version = stamp.version;
  }

  get record(): T {
    return this.#record;
  }

  /** The newest version heard of. */
  get version(): number | undefined {
    return this.#version;
  }

  /** The latest arrival that was taken. */
  get sequence(): number {
    let latest = this.#whole.sequence;
    for (const stamp of this.#fields.values()) latest = Math.max(latest, stamp.sequence);
    return latest;
  }

  /** Takes every field that is fresher than what is here. */
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
