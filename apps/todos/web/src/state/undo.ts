import type { Environment } from '@dunlin/client';
import type { Toast } from '@dunlin/kit';

/** How long a toast offers to undo a change, in milliseconds. Ctrl+Z works until the next change. */
const SHOWN_MS = 10_000;

interface Offer {
  readonly run: () => Promise<unknown>;
  readonly remove: () => void;
}

export interface UndoOptions {
  readonly show: (toast: Toast) => () => void;
  readonly environment: Pick<Environment, 'setTimer'>;
}

/** Offers to undo the last change of this page. */
export class Undo {
  readonly #options: UndoOptions;
  #last: Offer | undefined;

  constructor(options: UndoOptions) {
    this.#options = options;
  }

  /** Shows what was done, with a button that takes it back. Replaces the former offer. */
  offer(text: string, run: () => Promise<unknown>): void {
    this.#last?.remove();
    const close = this.#options.show({ text, action: { label: 'Undo', run: () => this.undo() } });
    const stopTimer = this.#options.environment.setTimer(SHOWN_MS, close);
    const remove = () => {
      stopTimer();
      close();
    };
    this.#last = { run, remove };
  }

  /** Takes the last change back, at most once. */
  async undo(): Promise<void> {
    const last = this.#last;
    this.#last = undefined;
    last?.remove();
    await last?.run();
  }

  /** Removes the offer. */
  dispose(): void {
    this.#last?.remove();
    this.#last = undefined;
  }
}
