/** The monotonic clock of the page. The wall clock of the computer is not used. */
export interface Monotonic {
  now(): number;
}

/** A measurement older than this is replaced by a less precise one, because clocks drift. In milliseconds. */
const STALE_MS = 10 * 60_000;

/**
 * An estimate of the server's time. An answer contains the server's time at some moment between request and arrival, so a shorter round
 * trip gives a better estimate. The monotonic clock advances it, so changes of the computer's clock have no effect.
 */
export class ServerClock {
  readonly #monotonic: Monotonic;
  #offset: number | undefined;
  #roundTrip = Infinity;
  #measuredAt = 0;

  constructor(monotonic: Monotonic) {
    this.#monotonic = monotonic;
  }

  /** Whether a measurement exists. */
  get isSet(): boolean {
    return this.#offset !== undefined;
  }

  /** Returns the server time in milliseconds since 1970. */
  now(): number {
    return this.#monotonic.now() + (this.#offset ?? 0);
  }

  /** Runs a request whose answer contains the server's time, and updates the estimate. */
  async measure<T extends { readonly serverNow: string }>(request: () => Promise<T>): Promise<T> {
    const sent = this.#monotonic.now();
    const answer = await request();
    const arrived = this.#monotonic.now();
    this.#learn(Date.parse(answer.serverNow), sent, arrived);
    return answer;
  }

  /** Raises the estimate to the time of an event at the server: the server's clock is at least that late. */
  atLeast(time: string | number | undefined): void {
    const at = typeof time === 'number' ? time : Date.parse(time ?? '');
    if (Number.isNaN(at)) return;
    if (this.#offset === undefined || at > this.now()) this.#offset = at - this.#monotonic.now();
  }

  #learn(serverNow: number, sent: number, arrived: number): void {
    const roundTrip = arrived - sent;
    const offset = serverNow - (sent + arrived) / 2;
    // Accept a better measurement, or any after a stale or contradicting one. A contradiction means that the server's clock was set.
    const isImpossible =
      this.#offset !== undefined && Math.abs(offset - this.#offset) > (roundTrip + this.#roundTrip) / 2 + 50;
    if (roundTrip <= this.#roundTrip || arrived - this.#measuredAt > STALE_MS || isImpossible) {
      this.#offset = offset;
      this.#roundTrip = roundTrip;
      this.#measuredAt = arrived;
    }
  }
}
