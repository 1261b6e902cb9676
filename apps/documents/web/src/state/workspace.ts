import { problemOf, type Lease, type LeaseLost, type LeaseLostReason, type Problem } from '@dunlin/client';
import { LOCK_SECONDS } from '../api/fileLocks';
import type { FileList } from '../api/types';
import { DraftKeeper } from './draftKeeper';
import type { Draft } from './drafts';
import { isReading, openedFile, type Mode, type Opened, type OpenFile } from './openFile';
import type { WorkspaceOptions } from './options';
import { faultOf, LOST, problemWords, WORDS } from './words';

/**
 * The one file that is open: its lock, its text, its draft. Nothing may be typed without the lock, and no text is
 * editable that was read before the lock was there.
 */
export class Workspace {
  readonly #options: WorkspaceOptions;
  readonly #listeners = new Set<() => void>();
  #opened: Opened | undefined;
  readonly #keeper: DraftKeeper;
  #isHidden = false;

  constructor(options: WorkspaceOptions) {
    this.#options = options;
    this.#keeper = new DraftKeeper(options.drafts, options.pane, options.now);
    options.library.subscribe((list) => this.#compare(list));
    options.tabs.onNews(({ deleted, saved }) => {
      void options.library.reload().catch(() => {});
      if (deleted) this.#deleted(deleted, WORDS.deletedHere);
      if (saved !== undefined) void this.#refresh(saved);
    });
  }

  get file(): OpenFile | undefined {
    return this.#opened;
  }

  subscribe(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Opens a file: takes its lock where it may be written, then reads it. */
  async open(fileId: string): Promise<void> {
    if (this.#opened?.id === fileId) return;
    await this.close();
    const opened = openedFile(fileId);
    this.#opened = opened;
    this.#options.pane.clear();
    this.#changed();
    try {
      await this.#begin(opened);
    } catch (error) {
      if (opened !== this.#opened) return;
      this.#notifyProblem(problemOf(error), 'The document could not be opened');
      await this.close();
    }
  }

  /** Leaves the file: keeps what is unsaved as a draft and, unless the session has ended, gives the lock back after a save. */
  async close(isSignedOut = false): Promise<void> {
    const opened = this.#opened;
    if (!opened) return;
    const kept = this.#keeper.keep(opened);
    this.#opened = undefined;
    this.#options.pane.clear();
    this.#changed();
    await kept;
    await (isSignedOut ? opened.abort.abort() : this.#end(opened));
  }

  /** The text was changed by its user. */
  edited(): void {
    const opened = this.#opened;
    if (opened?.mode !== 'editing') return;
    if (!opened.isDirty) {
      opened.isDirty = true;
      this.#changed();
    }
    this.#keeper.later(opened);
  }

  async save(): Promise<void> {
    const opened = this.#opened;
    if (opened?.mode !== 'editing' || !opened.lease || opened.isSaving || !opened.isDirty) return;
    const { api, pane, notify, tabs, library } = this.#options;
    const { lease, id } = opened;
    const text = pane.text;
    opened.isSaving = true;
    this.#changed();
    void this.#keeper.keep(opened);
    try {
      const answer = await lease.hold(api.save(id, text, lease.fence, opened.etag));
      opened.etag = answer.etag;
      if (opened === this.#opened) {
        opened.isDirty = pane.text !== text;
        pane.showFault(undefined);
        await this.#keeper.keep(opened);
      }
      await this.#keeper.saved(id, text, answer.etag);
      tabs.tell({ saved: id });
      notify({ text: 'Saved' });
      void library.reload().catch(() => {});
    } catch (error) {
      await this.#notSaved(opened, problemOf(error));
    } finally {
      opened.isSaving = false;
      this.#changed();
    }
  }

  /** The lock of the open file, while this tab has it. */
  get lease(): Lease | undefined {
    return this.#opened?.lease;
  }

  /** The text has another place now, or none any more: nothing of it is unsaved. */
  async settle(fileId: string): Promise<void> {
    const opened = this.#opened;
    if (opened?.id === fileId) {
      opened.isDirty = false;
      opened.draft = undefined;
    }
    await this.#keeper.forget(fileId);
  }

  /** Waits politely: the lock comes by itself, first come, first served. */
  waitForTurn(): void {
    const opened = this.#opened;
    if (opened?.mode !== 'locked') return;
    const leaving = new AbortController();
    opened.mode = 'queued';
    opened.leaveQueue = leaving;
    this.#changed();
    opened.abort.signal.addEventListener('abort', () => leaving.abort(), { once: true });
    void this.#options.leases.acquire(opened.id, { seconds: LOCK_SECONDS, signal: leaving.signal }).then(
      (lease) => this.#won(opened, lease),
      (error: unknown) => {
        if (opened !== this.#opened || opened.mode !== 'queued') return;
        opened.mode = 'locked';
        this.#changed();
        if (!leaving.signal.aborted) this.#notifyProblem(problemOf(error), 'You left the queue');
      },
    );
  }

  leaveQueue(): void {
    this.#opened?.leaveQueue?.abort();
  }

  /** `lockReleased`: every reader races, and who comes second stays silent. */
  lockReleased(fileId: string): void {
    this.#options.leases.notify(fileId);
    if (this.#opened?.id === fileId && this.#opened.mode === 'locked') void this.#race(this.#opened);
  }

  /** `fileDataChanged`. */
  async filesChanged(reason: string, fileIds: readonly string[]): Promise<void> {
    if (reason === 'files_deleted') this.#deleted(fileIds, WORDS.deleted);
    if (reason === 'lock_acquired') for (const id of fileIds) this.#options.leases.notify(id);
    if (reason === 'file_saved') for (const id of fileIds) await this.#refresh(id);
  }

  /** Puts the draft into the editor, where the lock is held; the text shown before is what it replaces. */
  useDraft(): void {
    const opened = this.#opened;
    if (!opened?.draft || opened.mode !== 'editing') return;
    this.#options.pane.setText(opened.draft.text);
    this.#options.pane.setEditable(true);
    opened.draft = undefined;
    opened.isDirty = true;
    this.#changed();
    void this.#keeper.keep(opened);
  }

  async discardDraft(): Promise<void> {
    const opened = this.#opened;
    if (!opened) return;
    await this.settle(opened.id);
    if (opened !== this.#opened) return;
    if (opened.mode === 'editing') this.#options.pane.setEditable(true);
    if (opened.mode === 'lost') {
      opened.mode = 'locked';
      this.#options.pane.showFault(undefined);
      await this.#refresh(opened.id);
      void this.#race(opened);
    }
    this.#changed();
  }

  /** The page is left, or comes back from the back/forward cache. */
  setHidden(isHidden: boolean): void {
    this.#isHidden = isHidden;
    if (isHidden && this.#opened) this.#keeper.keepNow(this.#opened);
  }

  async #begin(opened: Opened): Promise<boolean> {
    const { library, tabs, notify } = this.#options;
    if (!library.list) await library.reload();
    if (library.find(opened.id)?.file.can.write !== true) return this.#show(opened, undefined, 'reading');
    const isOurs = await tabs.claim(opened.id, opened.abort.signal, () => {
      if (opened.mode !== 'otherTab') return;
      opened.mode = 'locked';
      void this.#race(opened);
    });
    if (!isOurs) return this.#show(opened, undefined, 'otherTab');
    const result = await this.#tryLock(opened);
    if (result.status === 'acquired') return this.#show(opened, result.lease, 'editing');
    const isShown = await this.#show(opened, undefined, 'locked');
    if (isShown) notify({ text: WORDS.locked });
    return isShown;
  }

  #tryLock({ id, abort }: Opened) {
    return this.#options.leases.tryAcquire(id, { seconds: LOCK_SECONDS, signal: abort.signal });
  }

  /** Reads the file and shows it; with a lease, to be edited. What was read before the lease was there is never edited. */
  async #show(opened: Opened, lease: Lease | undefined, mode: Mode): Promise<boolean> {
    const { api, pane, library, tabs } = this.#options;
    try {
      const [content, draft] = await Promise.all([api.read(opened.id), this.#keeper.find(opened.id)]);
      if (opened !== this.#opened) throw new DOMException('The file was closed.', 'AbortError');
      opened.etag = content.etag;
      opened.mode = lease && !lease.isHeld ? 'locked' : mode;
      opened.isDirty = false;
      opened.draft = undefined;
      pane.setText(content.text);
      pane.showFault(undefined);
      if (lease && opened.mode === 'editing') this.#hold(opened, lease);
      if (draft) this.#offer(opened, draft, content.text);
      // A draft to be decided about comes first: typing would take its place.
      pane.setEditable(opened.mode === 'editing' && !opened.draft);
    } catch (error) {
      void lease?.release();
      if (opened !== this.#opened) return false;
      throw error;
    }
    this.#changed();
    if (lease) {
      tabs.tell({});
      void library.reload().catch(() => {});
    }
    return opened.mode === mode;
  }

  #offer(opened: Opened, draft: Draft, current: string): void {
    if (draft.text === current) {
      void this.#keeper.forget(opened.id);
    } else if (draft.etag === opened.etag && opened.mode === 'editing') {
      this.#options.pane.setText(draft.text);
      opened.isDirty = true;
      this.#options.notify({ text: WORDS.restored });
    } else {
      opened.draft = draft;
    }
  }

  #hold(opened: Opened, lease: Lease): void {
    opened.lease = lease;
    lease.lost.addEventListener('abort', () => {
      if (opened !== this.#opened || opened.lease !== lease) return;
      opened.lease = undefined;
      this.#lost(opened, (lease.lost.reason as LeaseLost).reason);
    });
  }

  #lost(opened: Opened, reason: LeaseLostReason): void {
    const { pane, notify, library } = this.#options;
    pane.setEditable(false);
    void library.reload().catch(() => {});
    if (opened.isDirty) {
      void this.#keeper.keep(opened);
      opened.mode = 'lost';
      notify({ kind: 'error', text: `${LOST[reason]}. Your text is kept as a draft.` });
      this.#changed();
      return;
    }
    opened.mode = 'locked';
    this.#changed();
    // Nothing was typed: as good as any other reader. Not while the page is being left, which gave the lock back.
    setTimeout(() => {
      if (!this.#isHidden) void this.#race(opened);
    });
  }

  async #race(opened: Opened): Promise<void> {
    if (opened.isRacing) {
      opened.raceAgain = true;
      return;
    }
    if (opened !== this.#opened || opened.mode !== 'locked') return;
    opened.isRacing = true;
    try {
      do {
        opened.raceAgain = false;
        const result = await this.#tryLock(opened);
        if (result.status === 'acquired') {
          await this.#won(opened, result.lease);
          return;
        }
      } while (opened.raceAgain && opened === this.#opened);
      this.#changed();
    } catch {
      // Without the network, or without the file, there is nothing to win. The next list tells more.
    } finally {
      opened.isRacing = false;
    }
  }

  async #won(opened: Opened, lease: Lease): Promise<void> {
    if (opened !== this.#opened) {
      void lease.release();
      return;
    }
    opened.leaveQueue = undefined;
    try {
      if (await this.#show(opened, lease, 'editing')) this.#options.notify({ text: WORDS.editable });
    } catch (error) {
      opened.mode = 'locked';
      this.#changed();
      this.#notifyProblem(problemOf(error), 'The document could not be read');
    }
  }

  /** Shows the current text to one who reads only. */
  async #refresh(fileId: string): Promise<void> {
    const opened = this.#opened;
    if (opened?.id !== fileId || !isReading(opened.mode)) return;
    try {
      const { text, etag } = await this.#options.api.read(fileId);
      if (opened !== this.#opened || !isReading(opened.mode)) return;
      opened.etag = etag;
      this.#options.pane.setText(text);
    } catch {
      // The next change, or the lock, reads it again.
    }
  }

  /** After each list: what events did not tell, because the connection was away, is seen here. */
  #compare(list: FileList): void {
    const opened = this.#opened;
    if (!opened || opened.mode === 'loading') return;
    const info = list.documents.flatMap(({ files }) => files).find((file) => file.stable_id === opened.id);
    if (!info) {
      this.#clear(opened, WORDS.gone);
      return;
    }
    if (opened.mode === 'locked' && (!info.locked_by || info.locked_by.mine)) void this.#race(opened);
    if (opened.mode !== 'editing' && opened.mode !== 'lost' && info.etag !== opened.etag)
      void this.#refresh(opened.id);
  }

  #deleted(fileIds: readonly string[], words: string): void {
    if (this.#opened && fileIds.includes(this.#opened.id)) this.#clear(this.#opened, words);
  }

  #clear(opened: Opened, words: string): void {
    const { pane, notify } = this.#options;
    const copy = opened.mode === 'lost' ? pane.text : opened.draft?.text;
    this.#keeper.stop();
    this.#opened = undefined;
    pane.clear();
    void this.#end(opened);
    notify({ text: words, copy });
    this.#changed();
  }

  async #notSaved(opened: Opened, problem: Problem): Promise<void> {
    if (opened !== this.#opened) return;
    this.#options.pane.showFault(faultOf(problem));
    if (problem.kind === 'lost') {
      opened.lease?.markLost(problem.reason);
      return;
    }
    if (problem.status === 412) {
      // Changed under this very lock, by another client of the session: what is there is not what was typed upon.
      await opened.lease?.release();
      return;
    }
    await this.#keeper.keep(opened);
    this.#notifyProblem(problem, 'Not saved; your text is kept as a draft');
  }

  async #end(opened: Opened): Promise<void> {
    const { lease } = opened;
    opened.lease = undefined;
    await lease?.release();
    opened.abort.abort();
    if (!lease) return;
    this.#options.tabs.tell({});
    void this.#options.library.reload().catch(() => {});
  }

  #notifyProblem(problem: Problem, what: string): void {
    const text = problemWords(problem, what);
    if (text !== undefined) this.#options.notify({ kind: 'error', text });
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
