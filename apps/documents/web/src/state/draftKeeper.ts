import type { Draft, Drafts } from './drafts';
import { isOnlyHere, type OpenFile, type TextPane } from './openFile';

/** Milliseconds between the last keystroke and writing the local draft. */
const DRAFT_MS = 400;

/** Writes the edited text of the open file to its draft. */
export class DraftKeeper {
  readonly #drafts: Drafts;
  readonly #pane: TextPane;
  readonly #now: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(drafts: Drafts, pane: TextPane, now: () => number = Date.now) {
    this.#drafts = drafts;
    this.#pane = pane;
    this.#now = now;
  }

  find(fileId: string): Promise<Draft | undefined> {
    return this.#drafts.get(fileId);
  }

  /** Schedules a write after a keystroke. Writes the file that is open when the delay ends. */
  later(opened: () => OpenFile | undefined): void {
    this.stop();
    this.#timer = setTimeout(() => {
      const file = opened();
      if (file) void this.keep(file);
    }, DRAFT_MS);
  }

  /** Writes the draft now if the text has changes. Reads the text before it returns. */
  async keep(opened: OpenFile): Promise<void> {
    const draft = this.#draftOf(opened);
    if (draft) await this.#drafts.put(draft);
  }

  /** Writes the draft before it returns, for a page that may unload. */
  keepNow(opened: OpenFile): void {
    const draft = this.#draftOf(opened);
    if (draft) void this.#drafts.putNow(draft);
  }

  /** Records that a text was saved. Text that was typed after the save began stays a draft, based on the new revision. */
  async saved(fileId: string, text: string, etag: string): Promise<void> {
    const draft = await this.#drafts.get(fileId);
    if (draft && draft.text !== text) await this.#drafts.put({ ...draft, etag });
    else await this.#drafts.remove(fileId);
  }

  async forget(fileId: string): Promise<void> {
    this.stop();
    await this.#drafts.remove(fileId);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #draftOf(opened: OpenFile): Draft | undefined {
    this.stop();
    const isUnsaved = opened.isDirty && (opened.mode === 'editing' || opened.mode === 'lost');
    if (!isUnsaved && !isOnlyHere(opened)) return undefined;
    // The stored draft stays whole until the user has merged or discarded it.
    if (opened.draft) return undefined;
    const { id, etag, base = etag } = opened;
    return { fileId: id, text: this.#pane.text, etag: base, at: this.#now() };
  }
}
