import type { Locks } from '../environment.js';

interface Candidacy {
  readonly abort: AbortController;
  release: (() => void) | undefined;
  isOver: boolean;
}

/** Who leads is who holds the Web Lock; the browser passes it on when a tab ends, however it ends. */
export class Election {
  readonly #locks: Locks;
  readonly #name: string;
  readonly #onElected: () => void;
  readonly #onDeposed: () => void;
  readonly #onUnavailable: () => void;
  #current: Candidacy | undefined;

  constructor(
    locks: Locks,
    name: string,
    onElected: () => void,
    onDeposed: () => void,
    onUnavailable: () => void,
  ) {
    this.#locks = locks;
    this.#name = name;
    this.#onElected = onElected;
    this.#onDeposed = onDeposed;
    this.#onUnavailable = onUnavailable;
  }

  /** Queues for the lead; already there, does nothing. */
  enter(): void {
    if (!this.#current) this.#request(false);
  }

  /** Takes the lead from a leader that does not answer. */
  steal(): void {
    this.leave();
    this.#request(true);
  }

  /** Gives the lead up, or the place in the queue. */
  leave(): void {
    const current = this.#current;
    if (!current) return;
    this.#current = undefined;
    current.isOver = true;
    if (current.release) current.release();
    else current.abort.abort();
  }

  #request(steal: boolean): void {
    const candidacy: Candidacy = { abort: new AbortController(), release: undefined, isOver: false };
    this.#current = candidacy;
    const whileHeld = () =>
      new Promise<void>((resolve) => {
        if (candidacy.isOver) return resolve();
        candidacy.release = resolve;
        this.#onElected();
      });
    this.#locks.request(this.#name, { signal: candidacy.abort.signal, steal }, whileHeld).catch(() => {
      // Withdrawn by `leave`; or stolen by another tab; or the browser knows locks and forbids them here.
      if (candidacy.isOver) return;
      candidacy.isOver = true;
      this.#current = undefined;
      if (candidacy.release) this.#onDeposed();
      else this.#onUnavailable();
    });
  }
}
