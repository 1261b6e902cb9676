import { problemOf, type Cancel, type Environment, type Problem } from '@dunlin/client';

export interface LoaderOptions {
  readonly environment: Environment;
  readonly load: (signal: AbortSignal) => Promise<void>;
  readonly onLoaded: () => void;
  readonly onFailed: (problem: Problem) => void;
}

/** An attempt without an answer fails after this. In milliseconds. */
export const ANSWER_MS = 15_000;
/** Delay until the next attempt after a failed one, in milliseconds. */
export const RETRY_MS = 10_000;

const TIMEOUT: Problem = {
  kind: 'network',
  code: 'timeout',
  title: 'The server does not answer',
};

/** Loads, and tries again after a failure. A new attempt ends the one before, whose requests would otherwise block connections. */
export class Loader {
  readonly #options: LoaderOptions;
  #attempt: AbortController | undefined;
  #stopRetry: Cancel | undefined;

  constructor(options: LoaderOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    this.stop();
    const { environment, load, onLoaded, onFailed } = this.#options;
    const attempt = (this.#attempt = new AbortController());
    let isLate = false;
    const stopTimeout = environment.setTimer(ANSWER_MS, () => {
      isLate = true;
      attempt.abort();
    });
    try {
      await Promise.race([load(attempt.signal), aborted(attempt.signal)]);
      onLoaded();
    } catch (error) {
      if (this.#attempt !== attempt) return;
      const problem = isLate ? TIMEOUT : problemOf(error);
      // The page closes.
      if (problem.kind === 'signedOut') return;
      // Other requests of the failed attempt may still be running.
      attempt.abort();
      this.#stopRetry = environment.setTimer(RETRY_MS, () => void this.run());
      onFailed(problem);
    } finally {
      stopTimeout();
    }
  }

  stop(): void {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    attempt?.abort();
    this.#stopRetry?.();
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new DOMException('Aborted', 'AbortError')));
  });
}
