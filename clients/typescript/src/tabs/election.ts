import type { Environment, Locks } from '../environment.js';
import { ChannelElection } from './channelElection.js';

/** Elects the tab that leads. At most one tab leads, except for a moment after a leader that did not answer was replaced. */
export interface Election {
  /** Queues for the lead. Idempotent. */
  enter(): void;
  /** Takes the lead from a leader that does not answer. */
  steal(): void;
  /** Gives up the lead, or the place in the queue. */
  leave(): void;
}

export interface ElectionHandlers {
  onElected(): void;
  /** Another tab leads now, because this one did not answer. Not called after `leave`. */
  onDeposed(): void;
  /** Elections are impossible here. */
  onUnavailable(): void;
}

/** Uses Web Locks where they exist, and messages in insecure contexts, which have none. */
export function createElection(environment: Environment, name: string, handlers: ElectionHandlers): Election {
  return environment.locks
    ? new LockElection(environment.locks, name, handlers)
    : new ChannelElection(environment, name, handlers);
}

interface Candidacy {
  readonly abort: AbortController;
  release: (() => void) | undefined;
  isOver: boolean;
}

/** The holder of the Web Lock leads. The browser passes the lock on when a tab ends for any reason. */
class LockElection implements Election {
  readonly #locks: Locks;
  readonly #name: string;
  readonly #handlers: ElectionHandlers;
  #current: Candidacy | undefined;

  constructor(locks: Locks, name: string, handlers: ElectionHandlers) {
    this.#locks = locks;
    this.#name = name;
    this.#handlers = handlers;
  }

  enter(): void {
    if (!this.#current) this.#request(false);
  }

  steal(): void {
    this.leave();
    this.#request(true);
  }

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
        this.#handlers.onElected();
      });
    this.#locks.request(this.#name, { signal: candidacy.abort.signal, steal }, whileHeld).catch(() => {
      // Rejected for one of three reasons: `leave` withdrew the request, another tab stole the lock, or the browser forbids locks here.
      if (candidacy.isOver) return;
      candidacy.isOver = true;
      this.#current = undefined;
      if (candidacy.release) this.#handlers.onDeposed();
      else this.#handlers.onUnavailable();
    });
  }
}
