import type { FocusApi, Session } from '../api/focus';
import { addWeeks } from './week';

/** The finished timers of the displayed week. */
export class Summary {
  readonly #api: FocusApi;
  sessions = $state.raw<readonly Session[]>([]);
  #week = 0;

  constructor(api: FocusApi) {
    this.#api = api;
  }

  /** Loads a week. Another week first shows nothing. Without network the loaded one stays until the connection is back. */
  async load(monday: Date): Promise<void> {
    if (this.#week !== monday.getTime()) this.sessions = [];
    this.#week = monday.getTime();
    try {
      const sessions = await this.#api.sessions(monday, addWeeks(monday, 1));
      if (this.#week === monday.getTime()) this.sessions = sessions;
    } catch {
      // The next load repeats it.
    }
  }
}
