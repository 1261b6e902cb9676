import { ApiError } from '../api/api';

/** Data of one view: loaded again after each pause, while `run` is active. The last data stays while a request fails. */
export class Loader<T> {
  value = $state.raw<T | undefined>(undefined);
  error = $state.raw<ApiError | undefined>(undefined);
  isLoading = $state(false);
  readonly #load: () => Promise<T>;
  readonly #pauseMs: number;
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isRunning = false;

  constructor(load: () => Promise<T>, pauseMs: number) {
    this.#load = load;
    this.#pauseMs = pauseMs;
  }

  /** Starts. Returns a function that stops. */
  run(): () => void {
    this.#isRunning = true;
    void this.refresh();
    return () => {
      this.#isRunning = false;
      this.#turn++;
      clearTimeout(this.#timer);
    };
  }

  /** Loads now. An answer to an earlier request no longer counts. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    const turn = ++this.#turn;
    this.isLoading = true;
    try {
      const value = await this.#load();
      if (turn !== this.#turn) return;
      this.value = value;
      this.error = undefined;
    } catch (error) {
      if (turn !== this.#turn) return;
      this.error = error instanceof ApiError ? error : new ApiError(0, String(error));
    }
    this.isLoading = false;
    if (this.#isRunning && this.#pauseMs > 0)
      this.#timer = setTimeout(() => void this.refresh(), this.#pauseMs);
  }
}
