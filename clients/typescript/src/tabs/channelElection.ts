import type { Broadcast, Cancel, Environment } from '../environment.js';
import type { Election, ElectionHandlers } from './election.js';

/** Milliseconds that a candidate waits for an answer before it leads. A leader answers at once, also when it is hidden. */
const ANSWER_MS = 300;

type Vote =
  | { readonly kind: 'ask'; readonly id: string }
  | { readonly kind: 'lead'; readonly id: string; readonly term: number }
  | { readonly kind: 'gone' };

/**
 * An election by messages, for pages with BroadcastChannel but without Web Locks (`http://` on a host other than localhost).
 *
 * ```
 *            enter            no answer
 *    out ------------> asking ---------> leading
 *     ^ leave           |  ^ gone         | a lead that outranks it: deposed
 *     |            lead v  |              v
 *     +------------- following <----------+
 *                       | steal --> leading, in the next term
 * ```
 * The higher term outranks the lower; in one term the lower id outranks the higher. So of two leaders that reach each other one remains. A
 * tab that ends without `gone` is detected by missing answers and replaced by `steal`.
 */
export class ChannelElection implements Election {
  readonly #environment: Environment;
  readonly #name: string;
  readonly #handlers: ElectionHandlers;
  readonly #id: string;
  #channel: Broadcast | undefined;
  #state: 'asking' | 'following' | 'leading' = 'asking';
  #term = 0;
  #stopAsking: Cancel | undefined;

  constructor(environment: Environment, name: string, handlers: ElectionHandlers) {
    this.#environment = environment;
    this.#name = `${name} election`;
    this.#handlers = handlers;
    this.#id = environment.randomId();
  }

  enter(): void {
    if (this.#channel) return;
    this.#channel = this.#environment.openBroadcast!(this.#name);
    this.#channel.onMessage((vote) => this.#receive(vote as Vote));
    this.#ask(ANSWER_MS);
  }

  steal(): void {
    this.enter();
    if (this.#state !== 'leading') this.#lead();
  }

  leave(): void {
    if (!this.#channel) return;
    this.#stopAsking?.();
    if (this.#state === 'leading') this.#post({ kind: 'gone' });
    this.#channel.close();
    this.#channel = undefined;
  }

  #ask(waitMs: number): void {
    this.#state = 'asking';
    this.#stopAsking?.();
    this.#post({ kind: 'ask', id: this.#id });
    this.#stopAsking = this.#environment.setTimer(waitMs, () => this.#lead());
  }

  #lead(): void {
    this.#stopAsking?.();
    this.#state = 'leading';
    this.#term++;
    this.#announce();
    this.#handlers.onElected();
  }

  #announce(): void {
    this.#post({ kind: 'lead', id: this.#id, term: this.#term });
  }

  #receive(vote: Vote): void {
    if (!this.#channel) return;
    switch (vote.kind) {
      case 'ask':
        if (this.#state === 'leading') return this.#announce();
        if (this.#state !== 'asking') return;
        // Both are candidates: the lower id goes first. The other may have started later and not received the first message.
        if (this.#id < vote.id) return this.#post({ kind: 'ask', id: this.#id });
        this.#stopAsking?.();
        this.#stopAsking = this.#environment.setTimer(ANSWER_MS * 2, () => this.#lead());
        return;
      case 'gone':
        if (this.#state === 'following') this.#ask(ANSWER_MS);
        return;
      case 'lead':
        return this.#hearLeader(vote.id, vote.term);
    }
  }

  #hearLeader(id: string, term: number): void {
    if (this.#state === 'leading') {
      if (term < this.#term || (term === this.#term && this.#id < id)) return this.#announce();
      this.#term = term;
      this.#state = 'following';
      return this.#handlers.onDeposed();
    }
    this.#stopAsking?.();
    this.#state = 'following';
    this.#term = Math.max(this.#term, term);
  }

  #post(vote: Vote): void {
    this.#channel?.post(vote);
  }
}
