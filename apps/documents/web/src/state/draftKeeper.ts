import type { Draft, Drafts } from './drafts';
import type { OpenFile, TextPane } from './openFile';

/** How long after the last keystroke the local draft is written. */
const DRAFT_MS = 400;

/** Writes what is typed into the open file to its draft. */
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

  /** After a keystroke: writes the file that is open when the pause ends. */
  later(opened: () => OpenFile | undefined): void {
    this.stop();
    this.#timer = setTimeout(() => {
      const file = opened();
      if (file) void this.keep(file);
    }, DRAFT_MS);
  }

  /** Now, where there is anything to keep. The text is read before this returns. */
  async keep(opened: OpenFile): Promise<void> {
    const draft = this.#draftOf(opened);
    if (draft) await this.#drafts.put(draft);
  }

  /** Now, before this returns: for a page that may end. */
  keepNow(opened: OpenFile): void {
    const draft = this.#draftOf(opened);
    if (draft) void this.#drafts.putNow(draft);
  }

  /** A text was saved. What was typed after it went out is still a draft, of the new revision. */
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
    if (!opened.isDirty || (opened.mode !== 'editing' && opened.mode !== 'lost')) return undefined;
    return { fileId: opened.id, text: this.#pane.text, etag: opened.etag, at: this.#now() };
  }
}
