import {
  problemOf,
  type Lease,
  type LeaseLost,
  type LeaseLostReason,
  type Leases,
  type Problem,
} from '@dunlin/client';
import type { DocumentsApi } from '../api/documents';
import { LOCK_SECONDS } from '../api/fileLocks';
import type { FileList, SaveAnswer } from '../api/types';
import type { Draft, Drafts } from './drafts';
import type { Library } from './library';
import type { Tabs } from './tabs';

/** Where the server found a text not to be XML. */
export interface Fault {
  readonly line: number;
  readonly column: number;
  readonly reason: string;
}

/** The editor as the workspace needs it. */
export interface TextPane {
  readonly text: string;
  setText(text: string): void;
  setEditable(editable: boolean): void;
  showFault(fault: Fault | undefined): void;
  clear(): void;
}

/**
 * ```
 *   loading --> editing    this tab has the lock
 *           --> locked     another session has it; races when it falls free
 *           --> otherTab   another tab of this browser edits; goes on when that is closed
 *           --> reading    no right to write
 *   locked  --> queued     waits politely --> editing
 *   editing --> lost       the lock ended with changes unsaved: they are a draft now
 *   locked, otherTab, queued --> editing, after the text has been read anew
 * ```
 */
export type Mode = 'loading' | 'editing' | 'locked' | 'queued' | 'otherTab' | 'reading' | 'lost';

export interface OpenFile {
  readonly id: string;
  readonly mode: Mode;
  readonly isDirty: boolean;
  readonly isSaving: boolean;
  /** A text typed earlier, from another revision than the one shown. */
  readonly draft: Draft | undefined;
}

export interface Notice {
  readonly text: string;
  readonly kind?: 'info' | 'error' | undefined;
  /** A text that would otherwise be out of reach. */
  readonly rescue?: string | undefined;
}

export interface WorkspaceOptions {
  readonly api: DocumentsApi;
  readonly leases: Leases;
  readonly library: Library;
  readonly drafts: Drafts;
  readonly tabs: Tabs;
  readonly pane: TextPane;
  readonly notify: (notice: Notice) => void;
  readonly now?: (() => number) | undefined;
}

interface Opened {
  readonly id: string;
  readonly abort: AbortController;
  mode: Mode;
  etag: string;
  lease: Lease | undefined;
  isDirty: boolean;
  isSaving: boolean;
  draft: Draft | undefined;
  isRacing: boolean;
  raceAgain: boolean;
  leaveQueue: AbortController | undefined;
}

/** How long after the last keystroke the local draft is written. */
const DRAFT_MS = 400;

export const WORDS = {
  locked: 'This document is being edited by another user',
  editable: 'You can now edit this document',
  deleted: 'The document you were viewing was deleted by another user',
  deletedHere: 'The document you were viewing was deleted in another tab',
  gone: 'The document you were viewing is no longer there',
  restored: 'Your unsaved changes are back',
} as const;

const LOST: Readonly<Record<LeaseLostReason, string>> = {
  expired: 'Your lock on this document expired',
  taken: 'Your lock on this document was taken over',
  handedOff: 'Your lock on this document was handed over',
  released: 'Your lock on this document was ended',
  unknown: 'Your lock on this document was lost',
};

/**
 * The one file that is open: its lock, its text, its draft. Nothing may be typed without the lock, and no text is
 * editable that was read before the lock was there.
 */
export class Workspace {
  readonly #options: WorkspaceOptions;
  readonly #listeners = new Set<() => void>();
  #opened: Opened | undefined;
  #draftTimer: ReturnType<typeof setTimeout> | undefined;
  #isHidden = false;

  constructor(options: WorkspaceOptions) {
    this.#options = options;
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
    const opened: Opened = {
      id: fileId,
      abort: new AbortController(),
      mode: 'loading',
      etag: '',
      lease: undefined,
      isDirty: false,
      isSaving: false,
      draft: undefined,
      isRacing: false,
      raceAgain: false,
      leaveQueue: undefined,
    };
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

  /** Leaves the file: keeps what is unsaved as a draft and gives the lock back, after a save that is under way. */
  async close(): Promise<void> {
    const opened = this.#opened;
    if (!opened) return;
    const kept = this.#keepDraft();
    this.#opened = undefined;
    this.#options.pane.clear();
    this.#changed();
    await kept;
    await this.#end(opened);
  }

  /** The text was changed by its user. */
  edited(): void {
    const opened = this.#opened;
    if (opened?.mode !== 'editing') return;
    if (!opened.isDirty) {
      opened.isDirty = true;
      this.#changed();
    }
    clearTimeout(this.#draftTimer);
    this.#draftTimer = setTimeout(() => void this.#keepDraft(), DRAFT_MS);
  }

  async save(): Promise<void> {
    const opened = this.#opened;
    if (opened?.mode !== 'editing' || !opened.lease || opened.isSaving || !opened.isDirty) return;
    const { api, pane, drafts, notify, tabs } = this.#options;
    const { lease, id } = opened;
    const text = pane.text;
    opened.isSaving = true;
    this.#changed();
    void this.#keepDraft();
    try {
      const answer = await lease.hold(api.save(id, text, lease.fence, opened.etag));
      opened.etag = answer.etag;
      const isSame = opened !== this.#opened || pane.text === text;
      if (isSame) {
        opened.isDirty = false;
        clearTimeout(this.#draftTimer);
        await drafts.remove(id);
      } else {
        await this.#keepDraft();
      }
      if (opened === this.#opened) pane.showFault(undefined);
      tabs.tell({ saved: id });
      notify({ text: 'Saved' });
      void this.#options.library.reload().catch(() => {});
    } catch (error) {
      await this.#notSaved(opened, problemOf(error));
    } finally {
      opened.isSaving = false;
      this.#changed();
    }
  }

  /** Keeps a text as a new version beside the open file, and opens that. */
  async saveAsNew(label: string, text = this.#options.pane.text): Promise<boolean> {
    const opened = this.#opened;
    if (!opened) return false;
    let answer: SaveAnswer;
    try {
      answer = await this.#options.api.saveNew(opened.id, text, label);
    } catch (error) {
      const problem = problemOf(error);
      const fault = faultOf(problem);
      if (fault && opened === this.#opened && text === this.#options.pane.text)
        this.#options.pane.showFault(fault);
      this.#notifyProblem(problem, 'The new version was not saved');
      return false;
    }
    opened.isDirty = false;
    opened.draft = undefined;
    clearTimeout(this.#draftTimer);
    await this.#options.drafts.remove(opened.id);
    this.#options.notify({ text: `Saved as version ${answer.version}` });
    await this.#openNew(answer);
    return true;
  }

  /** Adds a document and opens it. */
  async import(collection: string, title: string, text: string): Promise<boolean> {
    try {
      await this.#openNew(await this.#options.api.import(collection, title, text));
      return true;
    } catch (error) {
      this.#notifyProblem(problemOf(error), 'The document was not added');
      return false;
    }
  }

  async promote(): Promise<void> {
    const opened = this.#opened;
    if (!opened) return;
    try {
      await this.#options.api.promote(opened.id);
      this.#options.notify({ text: 'This version is the gold standard now' });
    } catch (error) {
      this.#notifyProblem(problemOf(error), 'The version was not promoted');
    }
    this.#options.tabs.tell({});
    await this.#options.library.reload().catch(() => {});
  }

  /** Deletes files, all or none: takes the lock of each that this tab does not hold. */
  async delete(fileIds: readonly string[]): Promise<boolean> {
    const { api, leases, library, tabs, notify, drafts } = this.#options;
    const taken: Lease[] = [];
    try {
      const fences = new Map<string, number | string>();
      for (const id of fileIds) {
        const own = this.#opened?.id === id ? this.#opened.lease : undefined;
        if (own?.isHeld) {
          fences.set(id, own.fence);
          continue;
        }
        const result = await leases.tryAcquire(id, { seconds: LOCK_SECONDS });
        if (result.status === 'held') {
          const who = result.holder?.owner?.name ?? 'Another user';
          notify({ kind: 'error', text: `Nothing was deleted: ${who} is editing one of the files` });
          return false;
        }
        taken.push(result.lease);
        fences.set(id, result.lease.fence);
      }
      await api.delete(fences);
    } catch (error) {
      this.#notifyProblem(problemOf(error), 'Nothing was deleted');
      return false;
    } finally {
      // Deleted files have no lock to give back any more; giving it back is no error.
      for (const lease of taken) void lease.release();
    }
    const opened = this.#opened;
    if (opened && fileIds.includes(opened.id)) {
      opened.isDirty = false;
      await this.close();
    }
    for (const id of fileIds) await drafts.remove(id);
    tabs.tell({ deleted: fileIds });
    notify({ text: fileIds.length === 1 ? 'Deleted' : `${fileIds.length} files deleted` });
    await library.reload().catch(() => {});
    return true;
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
    opened.draft = undefined;
    opened.isDirty = true;
    this.#changed();
    void this.#keepDraft();
  }

  async discardDraft(): Promise<void> {
    const opened = this.#opened;
    if (!opened) return;
    await this.#options.drafts.remove(opened.id);
    if (opened !== this.#opened) return;
    opened.draft = undefined;
    opened.isDirty = false;
    this.#changed();
    if (opened.mode !== 'lost') return;
    opened.mode = 'locked';
    this.#options.pane.showFault(undefined);
    this.#changed();
    await this.#refresh(opened.id);
    await this.#race(opened);
  }

  /** The page is left, or comes back from the back/forward cache. */
  setHidden(isHidden: boolean): void {
    this.#isHidden = isHidden;
    if (isHidden) void this.#keepDraft();
  }

  async #begin(opened: Opened): Promise<void> {
    const { library, tabs } = this.#options;
    if (!library.list) await library.reload();
    const canWrite = library.find(opened.id)?.file.can.write === true;
    if (!canWrite) {
      await this.#show(opened, undefined, 'reading');
      return;
    }
    const isOurs = await tabs.claim(opened.id, opened.abort.signal, () => {
      if (opened.mode !== 'otherTab') return;
      opened.mode = 'locked';
      void this.#race(opened);
    });
    if (!isOurs) {
      await this.#show(opened, undefined, 'otherTab');
      return;
    }
    const result = await this.#options.leases.tryAcquire(opened.id, {
      seconds: LOCK_SECONDS,
      signal: opened.abort.signal,
    });
    if (result.status === 'acquired') {
      await this.#show(opened, result.lease, 'editing');
      return;
    }
    if (await this.#show(opened, undefined, 'locked')) this.#options.notify({ text: WORDS.locked });
  }

  /** Reads the file and shows it; with a lease, to be edited. What was read before the lease was there is never edited. */
  async #show(opened: Opened, lease: Lease | undefined, mode: Mode): Promise<boolean> {
    const { api, pane, drafts, library, tabs, notify } = this.#options;
    try {
      const [content, draft] = await Promise.all([api.read(opened.id), drafts.get(opened.id)]);
      if (opened !== this.#opened) throw new DOMException('The file was closed.', 'AbortError');
      opened.etag = content.etag;
      opened.mode = lease && !lease.isHeld ? 'locked' : mode;
      opened.isDirty = false;
      opened.draft = undefined;
      pane.setText(content.text);
      pane.showFault(undefined);
      pane.setEditable(opened.mode === 'editing');
      if (opened.mode === 'editing' && lease) this.#hold(opened, lease);
      if (draft && draft.text !== content.text) {
        if (draft.etag === content.etag && opened.mode === 'editing') {
          pane.setText(draft.text);
          opened.isDirty = true;
          notify({ text: WORDS.restored });
        } else {
          opened.draft = draft;
        }
      } else if (draft) {
        void drafts.remove(opened.id);
      }
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

  #hold(opened: Opened, lease: Lease): void {
    opened.lease = lease;
    lease.lost.addEventListener(
      'abort',
      () => {
        if (opened !== this.#opened || opened.lease !== lease) return;
        opened.lease = undefined;
        this.#lost(opened, (lease.lost.reason as LeaseLost).reason);
      },
      { once: true },
    );
  }

  #lost(opened: Opened, reason: LeaseLostReason): void {
    const { pane, notify, library } = this.#options;
    pane.setEditable(false);
    void library.reload().catch(() => {});
    if (opened.isDirty) {
      void this.#keepDraft();
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
        const result = await this.#options.leases.tryAcquire(opened.id, {
          seconds: LOCK_SECONDS,
          signal: opened.abort.signal,
        });
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
    const isReading = (mode: Mode) =>
      mode === 'locked' || mode === 'reading' || mode === 'otherTab' || mode === 'queued';
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
    const info = list.documents
      .flatMap(({ files }) => files)
      .find(({ stable_id }) => stable_id === opened.id);
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
    const rescue = opened.mode === 'lost' ? pane.text : opened.draft?.text;
    clearTimeout(this.#draftTimer);
    this.#opened = undefined;
    pane.clear();
    void this.#end(opened);
    notify({ text: words, rescue });
    this.#changed();
  }

  async #notSaved(opened: Opened, problem: Problem): Promise<void> {
    if (opened !== this.#opened) return;
    const fault = faultOf(problem);
    if (fault) this.#options.pane.showFault(fault);
    if (problem.kind === 'lost') {
      opened.lease?.markLost(problem.reason);
      return;
    }
    if (problem.status === 412) {
      // Changed under this very lock, by another client of the session: what is there is not what was typed upon.
      await opened.lease?.release();
      return;
    }
    await this.#keepDraft();
    this.#notifyProblem(problem, 'Not saved; your text is kept as a draft');
  }

  async #openNew(answer: SaveAnswer): Promise<void> {
    this.#options.tabs.tell({});
    await this.#options.library.reload().catch(() => {});
    await this.open(answer.file_id);
  }

  async #keepDraft(): Promise<void> {
    clearTimeout(this.#draftTimer);
    const opened = this.#opened;
    if (!opened?.isDirty || (opened.mode !== 'editing' && opened.mode !== 'lost')) return;
    const { id: fileId, etag } = opened;
    const at = (this.#options.now ?? Date.now)();
    await this.#options.drafts.put({ fileId, text: this.#options.pane.text, etag, at });
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
    const fault = faultOf(problem);
    const detail = typeof problem.detail?.['detail'] === 'string' ? problem.detail['detail'] : problem.title;
    const why =
      problem.kind === 'network'
        ? 'the server cannot be reached'
        : fault
          ? `line ${fault.line}, column ${fault.column}: ${fault.reason}`
          : detail;
    if (problem.kind === 'aborted' || problem.kind === 'signedOut') return;
    this.#options.notify({ kind: 'error', text: `${what}: ${why}` });
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** The place that the server named; nothing where the problem is another. */
export function faultOf(problem: Problem): Fault | undefined {
  const { line, column, reason } = problem.detail ?? {};
  if (problem.code !== 'malformed_xml' && problem.code !== 'unsafe_xml') return undefined;
  return typeof line === 'number' && typeof column === 'number'
    ? { line, column, reason: typeof reason === 'string' ? reason : problem.title }
    : undefined;
}
