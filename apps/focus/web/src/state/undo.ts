import type { Cancel, Environment } from '@dunlin/client';

/** Shows a notice with a button that calls `undo`. Returns a function that removes the notice. */
export type ShowUndo = (text: string, undo: () => void) => (() => void) | void;

/** How long a notice offers to undo. In milliseconds. */
const OFFERED_MS = 20_000;

/** The last change that can be undone. A new offer replaces it. */
export class Undo {
  readonly #environment: Environment;
  readonly #show: ShowUndo;
  #offer: { readonly revert: () => void; readonly remove: Cancel | void; readonly stop: Cancel } | undefined;

  constructor(environment: Environment, show: ShowUndo) {
    this.#environment = environment;
    this.#show = show;
  }

  offer(text: string, revert: () => void): void {
    this.close();
    const remove = this.#show(text, () => this.run());
    const stop = this.#environment.setTimer(OFFERED_MS, () => this.close());
    this.#offer = { revert, remove, stop };
  }

  /** Reverts the change. Returns false if there is none. */
  run(): boolean {
    const offer = this.#offer;
    this.close();
    offer?.revert();
    return offer !== undefined;
  }

  close(): void {
    this.#offer?.stop();
    this.#offer?.remove?.();
    this.#offer = undefined;
  }
}
