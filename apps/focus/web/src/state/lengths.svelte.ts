import type { FocusApi, Lengths } from '../api/focus';

const DEFAULT: Lengths = {
  focusMinutes: 25,
  breakMinutes: 5,
  longBreakMinutes: 15,
  longBreakEvery: 0,
  version: -1,
};

/** The user's phase lengths, the newest version on every device. */
export class PhaseLengths {
  readonly #api: FocusApi;
  current = $state.raw<Lengths>(DEFAULT);

  constructor(api: FocusApi) {
    this.#api = api;
  }

  take(lengths: Lengths): void {
    if (lengths.version >= this.current.version) this.current = lengths;
  }

  async load(signal?: AbortSignal): Promise<void> {
    this.take(await this.#api.lengths(signal));
  }

  async save(lengths: Omit<Lengths, 'version'>): Promise<void> {
    this.take(await this.#api.saveLengths(lengths));
  }
}
