/** What is needed of the page: its monotonic clock. The wall clock of the computer plays no part. */
export interface Monotonic {
  now(): number;
}

/** A measurement older than this gives way to a worse one: two clocks never run at quite the same speed. */
const STALE_MS = 10 * 60_000;

/**
 * The server's time, measured: an answer tells the server's time somewhere between its request and its arrival, and
 * the shorter the way, the better it is known. Carried on by the monotonic clock, so that nothing the user or a time
 * server does to the computer's clock moves what the page shows.
 */
export class ServerClock {
  readonly #monotonic: Monotonic;
  #offset: number | undefined;
  #roundTrip = Infinity;
  #measuredAt = 0;

  constructor(monotonic: Monotonic) {
    this.#monotonic = monotonic;
  }

  /** Whether anything is known yet. */
  get isSet(): boolean {
    return this.#offset !== undefined;
  }

  /** Server time in milliseconds since 1970. */
  now(): number {
    return this.#monotonic.now() + (this.#offset ?? 0);
  }

  /** Runs a request whose answer carries the server's time, and learns from it. */
  async measure<T extends { readonly serverNow: string }>(request: () => Promise<T>): Promise<T> {
    const sent = this.#monotonic.now();
    const answer = await request();
    const arrived = this.#monotonic.now();
    this.#learn(Date.parse(answer.serverNow), sent, arrived);
    return answer;
  }

  /** Something happened at the server at this time: it is at least as late there. */
  atLeast(time: string | number | undefined): void {
    const at = typeof time === 'number' ? time : Date.parse(time ?? '');
    if (Number.isNaN(at)) return;
    if (this.#offset === undefined || at > this.now()) this.#offset = at - this.#monotonic.now();
  }

  #learn(serverNow: number, sent: number, arrived: number): void {
    const roundTrip = arrived - sent;
    const offset = serverNow - (sent + arrived) / 2;
    // A better measurement, an old one, or one that cannot be right any more: the server's clock was set.
    const isImpossible =
      this.#offset !== undefined && Math.abs(offset - this.#offset) > (roundTrip + this.#roundTrip) / 2 + 50;
    if (roundTrip <= this.#roundTrip || arrived - this.#measuredAt > STALE_MS || isImpossible) {
      this.#offset = offset;
      this.#roundTrip = roundTrip;
      this.#measuredAt = arrived;
    }
  }
}
