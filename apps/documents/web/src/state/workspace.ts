import { problemOf, type Lease, type LeaseLost } from '@dunlin/client';
import { LOCK_SECONDS } from '../api/fileLocks';
import type { FileList } from '../api/types';
import { DraftKeeper } from './draftKeeper';
import { listedFile, newHolding, unlessMaintenance, type Holding } from './holding';
import type { FileEffect, FileInput } from './fileInputs';
import { isOnlyHere, openedFile, transition, type Mode, type OpenFile } from './openFile';
import { Together } from './together';
import type { WorkspaceOptions } from './options';
import { problemWords, WORDS } from './words';

/**
 * The open file: its lock, its text, its draft. Invariant: a text is editable only under the lock, and only if it was loaded under the
 * lock. `transition` decides; this class carries out the effects.
 */
export class Workspace {
  readonly together: Together;
  readonly #options: WorkspaceOptions;
  readonly #listeners = new Set<() => void>();
  readonly #keeper: DraftKeeper;
  #file: OpenFile | undefined;
  #holding: Holding | undefined;
  #isHidden = false;
  /** The running save, or the last one. */
  #saving: Promise<void> | undefined;

  constructor(options: WorkspaceOptions) {
    this.#options = options;
    this.together = new Together(options, (id, input) => this.#takeFor([id], input));
    this.#keeper = new DraftKeeper(options.drafts, options.pane, options.now);
    options.library.subscribe((list) => this.#listed(list));
    options.tabs.onNews(({ deleted, saved }) => {
      void options.library.reload().catch(() => {});
      if (deleted) this.#takeFor(deleted, { type: 'deleted', words: WORDS.deletedHere });
      if (saved !== undefined) this.#takeFor([saved], { type: 'refresh' });
    });
  }

  get file(): OpenFile | undefined {
    return this.#file;
  }

  /** The lock of the open file, while this tab holds it. */
  get lease(): Lease | undefined {
    return this.#holding?.lease;
  }

  subscribe(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Opens a file: acquires its lock if the user may write, then loads the text. */
  async open(fileId: string): Promise<void> {
    if (this.#file?.id === fileId) return;
    await this.close();
    const holding = newHolding(fileId);
    this.#holding = holding;
    this.#file = openedFile(fileId);
    this.#options.pane.clear();
    this.#changed();
    const { library } = this.#options;
    const before = library.list;
    try {
      await this.#begin(holding);
      // A list that arrived meanwhile was ignored.
      if (before && library.list && before !== library.list) this.#listed(library.list);
    } catch (error) {
      if (holding !== this.#holding) return;
      const text = problemWords(problemOf(error), 'The document could not be opened');
      if (text !== undefined) this.#options.notify({ kind: 'error', text });
      await this.close();
    }
  }

  /** Closes the file and stores unsaved text as a draft. Releases the lock after a running save, unless the session has ended. */
  async close(isSignedOut = false): Promise<void> {
    const holding = this.#holding;
    if (!holding || !this.#file) return;
    const kept = this.#keeper.keep(this.#file);
    this.#holding = this.#file = undefined;
    holding.sharing?.leave();
    this.#options.pane.clear();
    this.#changed();
    await kept;
    await (isSignedOut ? holding.abort.abort() : this.#end(holding));
  }

  edited(): void {
    this.#take({ type: 'edited' });
  }

  /** Saves. Resolves when the running save has ended, and at once if there is nothing to save. */
  async save(): Promise<void> {
    this.#take({ type: 'save' });
    await this.#saving;
  }

  /** Marks the text of a file as settled, because it was stored elsewhere or discarded. */
  async settle(fileId: string): Promise<void> {
    this.#takeFor([fileId], { type: 'settled' });
    await this.#keeper.forget(fileId);
  }

  /** Queues for the lock. Waiters are served in order of arrival. */
  waitForTurn(): void {
    this.#take({ type: 'queue' });
  }

  leaveQueue(): void {
    this.#take({ type: 'leaveQueue' });
  }

  /** Handles `lockReleased`: all readers race for the lock. Losing the race is not reported. */
  lockReleased(fileId: string): void {
    this.#options.leases.notify(fileId);
    if (this.#file?.mode === 'locked') this.#takeFor([fileId], { type: 'race' });
  }

  /** Handles `fileDataChanged`. */
  filesChanged(reason: string, fileIds: readonly string[]): void {
    if (reason === 'files_deleted') this.#takeFor(fileIds, { type: 'deleted', words: WORDS.deleted });
    if (reason === 'lock_acquired') for (const id of fileIds) this.#options.leases.notify(id);
    if (reason === 'file_saved') this.#takeFor(fileIds, { type: 'refresh' });
  }

  /** Puts the draft into the editor, if the lock is held. It replaces the displayed text. */
  useDraft(): void {
    this.#take({ type: 'useDraft' });
  }

  /** Returns the stored text to the editor in place of a restored draft. */
  discardRestored(): void {
    this.#take({ type: 'restoredDiscarded' });
  }

  draftMerged(): void {
    this.#take({ type: 'draftMerged' });
  }

  /** After the loss of the lock: makes the text a draft, shows the stored text, and asks for the lock again. */
  async reopen(): Promise<void> {
    const holding = this.#holding;
    if (this.#file?.mode !== 'lost' || !holding) return;
    await this.#keeper.keep(this.#file);
    const draft = await this.#keeper.find(holding.id);
    if (draft) this.#take({ type: 'reopen', draft }, holding);
  }

  async discardDraft(): Promise<void> {
    const holding = this.#holding;
    if (!holding) return;
    await this.settle(holding.id);
    this.#take({ type: 'draftDiscarded' }, holding);
  }

  /** The page unloads, or returns from the back/forward cache. */
  setHidden(isHidden: boolean): void {
    this.#isHidden = isHidden;
    if (isHidden && this.#file) this.#keeper.keepNow(this.#file);
  }

  /** Applies an input. An input for a `holding` that is not open any more is dropped. */
  #take(input: FileInput, holding = this.#holding): void {
    if (!this.#file || !holding || holding !== this.#holding) return;
    const { state, effects } = transition(this.#file, input);
    const isChanged = state !== this.#file;
    this.#file = state;
    if (!state) this.#holding = undefined;
    for (const effect of effects) this.#run(effect, holding);
    if (isChanged) this.#changed();
  }

  #takeFor(fileIds: readonly string[], input: FileInput): void {
    if (this.#file && fileIds.includes(this.#file.id)) this.#take(input);
  }

  #listed(list: FileList): void {
    const { file } = this;
    if (!file) return;
    if (!list.maintenance.on) this.#take({ type: 'maintenanceEnded' });
    this.#take({ type: 'listed', file: listedFile(list, file.id) });
  }

  #run(effect: FileEffect, holding: Holding): void {
    const { pane, notify, library } = this.#options;
    const file = this.#file;
    switch (effect.type) {
      case 'setText':
        return pane.setText(effect.text);
      case 'setEditable':
        return pane.setEditable(effect.isEditable);
      case 'showFault':
        return pane.showFault(effect.fault);
      case 'holdLease':
        return this.#hold(holding);
      case 'markLeaseLost':
        return holding.lease?.markLost(effect.reason);
      case 'releaseLease':
        return void holding.lease?.release();
      case 'keepDraft':
        return file && void this.#keeper.keep(file);
      case 'keepDraftLater':
        return this.#keeper.later(() => this.#file);
      case 'forgetDraft':
        return void this.#keeper.forget(holding.id);
      case 'send':
        this.#saving = this.#send(holding);
        return;
      case 'tryLock':
        return void this.#race(holding);
      case 'raceLater':
        setTimeout(() => !this.#isHidden && this.#take({ type: 'race' }, holding));
        return;
      case 'enterQueue':
        return this.#enterQueue(holding);
      case 'leaveQueue':
        return holding.queue?.abort();
      case 'fetch':
        return void this.#fetch(holding, effect.thenRace);
      case 'reloadList':
        return void library.reload().catch(() => {});
      case 'openAgain':
        return void this.openAgain();
      case 'join':
        return this.#join(holding, effect.stored);
      case 'compareShared':
        return holding.sharing?.setStored(effect.stored);
      case 'notify':
        return void notify(effect.notice);
      case 'clear': {
        const copy = effect.copyPane ? pane.text : effect.copy;
        this.#keeper.stop();
        holding.sharing?.leave();
        pane.clear();
        void this.#end(holding);
        return void notify({ text: effect.words, copy });
      }
    }
  }

  async #begin(holding: Holding): Promise<void> {
    const { library, tabs, notify, pane } = this.#options;
    await Promise.all([pane.load(), library.list ? undefined : library.reload()]);
    const found = library.find(holding.id)?.file;
    if (found?.shared_draft || found?.can.write !== true)
      return void (await this.#show(holding, undefined, found?.shared_draft ? 'together' : 'reading'));
    const onTurn = () => this.#take({ type: 'otherTabClosed' }, holding);
    if (!(await tabs.claim(holding.id, holding.abort.signal, onTurn)))
      return void (await this.#show(holding, undefined, 'otherTab'));
    const result = await this.#tryLock(holding).catch(unlessMaintenance);
    if (!result) {
      await this.#show(holding, undefined, 'maintenance');
      void library.reload().catch(() => {});
    } else if (result.status === 'acquired') await this.#show(holding, result.lease, 'editing');
    else if (await this.#show(holding, undefined, 'locked')) notify({ text: WORDS.locked });
  }

  #tryLock({ id, abort }: Holding) {
    return this.#options.leases.tryAcquire(id, { seconds: LOCK_SECONDS, signal: abort.signal });
  }

  /** Loads the file and displays it, editable with a lease. Resolves with whether it is displayed in this mode. */
  async #show(holding: Holding, lease: Lease | undefined, mode: Mode): Promise<boolean> {
    const { api, library, tabs } = this.#options;
    try {
      const [{ text, etag }, draft] = await Promise.all([
        api.read(holding.id),
        this.#keeper.find(holding.id),
      ]);
      if (holding !== this.#holding) throw new DOMException('The file was closed.', 'AbortError');
      holding.lease = lease?.isHeld ? lease : undefined;
      const isHeld = lease ? (lease.isHeld ? 'held' : 'lost') : 'none';
      const sharedDraft = library.find(holding.id)?.file.shared_draft?.id;
      this.#take({ type: 'read', mode, lease: isHeld, text, etag, draft, sharedDraft }, holding);
    } catch (error) {
      void lease?.release();
      if (holding !== this.#holding) return false;
      throw error;
    }
    if (lease) {
      tabs.tell({});
      void library.reload().catch(() => {});
    }
    return this.#file?.mode === mode;
  }

  #hold(holding: Holding): void {
    const { lease } = holding;
    const lost = () => {
      if (!lease || holding !== this.#holding || holding.lease !== lease) return;
      holding.lease = undefined;
      this.#take({ type: 'leaseLost', reason: (lease.lost.reason as LeaseLost).reason }, holding);
    };
    lease?.lost.addEventListener('abort', () => this.together.afterStart(lost));
  }

  async #send(holding: Holding): Promise<void> {
    const { api, pane, notify, tabs, library } = this.#options;
    const { lease, sharing, id } = holding;
    const { text } = pane;
    try {
      if (!lease && !sharing) return;
      const file = this.#file!;
      const { etag } = await (sharing
        ? this.together.save(file, sharing, text)
        : lease!.hold(api.save(id, text, lease!.fence, file.etag)));
      sharing?.setStored(text);
      this.#take({ type: 'saved', etag, isSame: pane.text === text }, holding);
      if (holding === this.#holding) await this.#keeper.keep(this.#file!);
      if (!this.#file?.draft) await this.#keeper.saved(id, text, etag);
      tabs.tell({ saved: id });
      notify({ text: 'Saved' });
      void library.reload().catch(() => {});
    } catch (error) {
      this.#take({ type: 'saveFailed', problem: problemOf(error) }, holding);
    } finally {
      this.#take({ type: 'saveEnded' }, holding);
    }
  }

  /** Closes the file, and opens it as it is now. The toast offers a text that is not stored because of an undecided draft. */
  async openAgain(): Promise<void> {
    const before = this.#file;
    if (!before) return;
    const copy = before.draft && isOnlyHere(before) ? this.#options.pane.text : undefined;
    await this.close();
    await this.open(before.id);
    if (this.#file?.mode === 'together') this.#options.notify({ ...WORDS.together, copy });
    else if (before.mode === 'together') this.#options.notify({ ...WORDS.apart, copy });
  }

  #join(holding: Holding, stored: string): void {
    holding.sharing = this.together.join(holding.id, {
      stored,
      onChange: (shared) => this.#take({ type: 'sharedChanged', shared }, holding),
      onCarried: () => void this.settle(holding.id),
    });
    // It ended while the text was loaded.
    if (!this.#options.library.find(holding.id)?.file.shared_draft) void this.openAgain();
  }

  async #race(holding: Holding): Promise<void> {
    try {
      const result = await this.#tryLock(holding).catch(unlessMaintenance);
      if (result?.status === 'held') return this.#take({ type: 'raceLost' }, holding);
      if (result) await this.#won(holding, result.lease);
      else this.#take({ type: 'maintenanceBegan' }, holding);
    } catch {
      // Without network or file there is no lock to win. The next list contains the new state.
    }
    this.#take({ type: 'raceEnded' }, holding);
  }

  #enterQueue(holding: Holding): void {
    const queue = (holding.queue = new AbortController());
    holding.abort.signal.addEventListener('abort', () => queue.abort(), { once: true });
    void this.#options.leases.acquire(holding.id, { seconds: LOCK_SECONDS, signal: queue.signal }).then(
      (lease) => this.#won(holding, lease),
      (error: unknown) =>
        this.#take(
          { type: 'queueFailed', problem: problemOf(error), hasLeft: queue.signal.aborted },
          holding,
        ),
    );
  }

  async #won(holding: Holding, lease: Lease): Promise<void> {
    if (holding !== this.#holding) return void lease.release();
    holding.queue = undefined;
    try {
      if (await this.#show(holding, lease, 'editing')) this.#options.notify({ text: WORDS.editable });
    } catch (error) {
      this.#take({ type: 'takeFailed', problem: problemOf(error) }, holding);
    }
  }

  async #fetch(holding: Holding, thenRace: boolean): Promise<void> {
    try {
      const { text, etag } = await this.#options.api.read(holding.id);
      this.#take({ type: 'refreshed', text, etag }, holding);
    } catch {
      // The next change, or the lock, loads it again.
    }
    if (thenRace) this.#take({ type: 'race' }, holding);
  }

  async #end(holding: Holding): Promise<void> {
    const { lease } = holding;
    holding.lease = undefined;
    await lease?.release();
    holding.abort.abort();
    if (!lease) return;
    this.#options.tabs.tell({});
    void this.#options.library.reload().catch(() => {});
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
