import { problemOf } from '@dunlin/client';
import { element, icon, showToast, type IconName, type User } from '@dunlin/kit';
import type { DocumentsApi } from '../api/documents';
import type { FoundFile, Library } from '../state/library';
import { isWriting, type Mode, type OpenFile } from '../state/openFile';
import { problemWords } from '../state/words';
import type { Versions } from '../state/versions';
import type { Workspace } from '../state/workspace';
import { Comparing } from './comparing';
import { askDelete, askDiscard, askEndSharing, askNewVersion, askPromote } from './fileDialogs';
import { Notices } from './notices';
import { People } from './people';
import { SourcePane } from './sourcePane';
import type { TextEditor } from './textEditor';

export interface FilePaneOptions {
  readonly api: DocumentsApi;
  readonly library: Library;
  readonly workspace: Workspace;
  readonly versions: Versions;
  readonly editor: TextEditor;
  readonly user: User;
  readonly storage: Storage | undefined;
  readonly onOpen: (fileId: string) => void;
  readonly onBack: () => void;
}

const STATUS: Readonly<Record<Mode, string>> = {
  loading: 'Opening…',
  editing: 'Editing',
  locked: 'Read-only',
  queued: 'Waiting for your turn',
  otherTab: 'Open in another tab',
  reading: 'Read-only',
  together: 'Editing together',
  maintenance: 'Read-only',
  lost: 'Lock lost',
};

/** The open file: its tools, its notices, its text, and its source beside it. */
export class FilePane {
  readonly element: HTMLElement;
  readonly #options: FilePaneOptions;
  readonly #title = element('h1', { className: 'pane-title' });
  readonly #subtitle = element('p', { className: 'muted pane-subtitle' });
  readonly #status = element('span', { className: 'status', attributes: { 'aria-live': 'polite' } });
  readonly #notices: Notices;
  readonly #compareWith = element('select', {
    className: 'input',
    attributes: { 'aria-label': 'Compare with' },
  });
  readonly #body = element('div', { className: 'pane-body' });
  readonly #empty = element(
    'div',
    { className: 'pane-empty' },
    icon('document'),
    element('p', { textContent: 'Choose a document from the list.' }),
  );
  readonly #open: HTMLElement;
  readonly #save = tool('check', 'Save', 'Save (Ctrl+S)', 'button-primary');
  readonly #newVersion = tool('plus', 'New version', 'Save as a new version');
  readonly #promote = tool('up', 'Make gold', 'Make this version the gold standard');
  readonly #history = tool('history', 'Versions', 'All versions, deleted ones too');
  readonly #together = tool('share', 'Edit together', 'Let others edit this text at the same time');
  readonly #end = tool('close', 'End sharing', 'End the shared draft for everybody');
  readonly #people: People;
  readonly #delete = tool('trash', 'Delete', 'Delete this version or the whole document');
  readonly #source: SourcePane;
  readonly #comparing: Comparing;
  readonly #listeners = new AbortController();
  /** The file whose draft is compared as soon as it is shown. */
  #mergeWanted: string | undefined;

  constructor(options: FilePaneOptions) {
    this.#options = options;
    const { api, workspace, onBack, editor, user, storage } = options;
    const show = () => this.show();
    const body = this.#body;
    this.#source = new SourcePane(
      { api, body, userId: user.userId, storage, onChange: show },
      this.#listeners.signal,
    );
    this.#comparing = new Comparing({
      api,
      editor,
      body,
      onChange: show,
      onMerged: () => workspace.draftMerged(),
    });
    this.#notices = new Notices(
      {
        waitForTurn: () => workspace.waitForTurn(),
        leaveQueue: () => workspace.leaveQueue(),
        saveAsNew: (text) => void this.#saveAsNew(text),
        discard: () => void this.#discard(),
        discardRestored: () => this.#discardRestored(),
        useDraft: () => workspace.useDraft(),
        compareDraft: () => workspace.file && void this.#comparing.draft(workspace.file),
        reopen: () => {
          this.#mergeWanted = workspace.file?.id;
          void workspace.reopen();
        },
        openAgain: () => void workspace.openAgain(),
      },
      user.name,
    );
    const back = element('button', {
      type: 'button',
      className: 'icon-button back',
      title: 'Back to the list',
      attributes: { 'aria-label': 'Back to the list' },
    });
    back.append(icon('left'));
    back.onclick = onBack;
    this.#save.onclick = () => void workspace.save();
    this.#people = new People(user.name);
    this.#together.onclick = () => void this.#startTogether();
    this.#end.onclick = () => void this.#endTogether();
    this.#newVersion.onclick = () => void this.#saveAsNew();
    this.#promote.onclick = () => void this.#askPromote();
    this.#history.onclick = () => void this.#showTimeline();
    this.#delete.onclick = () => void this.#askDelete();
    this.#compareWith.onchange = () => void this.#compare(this.#compareWith.value);
    body.append(editor.element, this.#source.separator, this.#source.element);
    const tools = [
      this.#save,
      this.#together,
      this.#end,
      this.#newVersion,
      this.#history,
      this.#compareWith,
      this.#promote,
      this.#source.tool,
      this.#delete,
    ];
    this.#open = element(
      'div',
      { className: 'pane-open' },
      element(
        'div',
        { className: 'pane-head' },
        back,
        element('div', {}, this.#title, this.#subtitle),
        this.#people.element,
        this.#status,
      ),
      element(
        'div',
        { className: 'tools', attributes: { role: 'toolbar', 'aria-label': 'Document' } },
        ...tools,
      ),
      this.#notices.element,
      body,
    );
    this.element = element('main', { className: 'pane' }, this.#empty, this.#open);
    this.show();
  }

  dispose(): void {
    this.#listeners.abort();
    this.#comparing.end();
  }

  /** Displays the open file. */
  show(): void {
    const { workspace, library } = this.#options;
    const opened = workspace.file;
    const found = opened && library.find(opened.id);
    this.#empty.hidden = opened !== undefined;
    this.#open.hidden = opened === undefined;
    this.element.dataset['open'] = opened?.id ?? '';
    this.element.dataset['mode'] = opened?.mode ?? 'none';
    this.#comparing.follow(opened);
    if (!opened) {
      this.#source.show(undefined, false);
      this.#notices.clear();
      this.#people.show(undefined);
      return;
    }
    this.#title.textContent = found?.document.title ?? '';
    this.#subtitle.textContent = found ? describe(found.file) : '';
    this.#status.textContent = statusOf(opened);
    this.#status.dataset['status'] = opened.isDirty && isWriting(opened) ? 'dirty' : opened.mode;
    this.#people.show(opened.shared?.people);
    this.#showTools(opened, found);
    this.#notices.show(opened, found?.file, library.list?.maintenance);
    this.#source.show(found?.document.pdf?.stable_id, this.#comparing.isShown);
    this.#mergeIfWanted(opened);
  }

  #showTools(opened: OpenFile, found: FoundFile | undefined): void {
    const can = found?.file.can;
    const isReady = opened.mode !== 'loading';
    const isBlocked = !isReady || ['locked', 'queued', 'maintenance', 'together'].includes(opened.mode);
    this.#save.hidden = can?.write !== true;
    this.#together.hidden = can?.write !== true || opened.mode !== 'editing';
    this.#together.disabled = opened.isSaving || opened.draft !== undefined;
    this.#end.hidden = opened.mode !== 'together' || can?.write !== true;
    this.#end.disabled = opened.isSaving;
    this.#save.disabled = !isWriting(opened) || !opened.isDirty || opened.isSaving;
    this.#newVersion.hidden = can?.new_version !== true;
    this.#newVersion.disabled = !isReady || opened.mode === 'maintenance';
    this.#promote.hidden = can?.promote !== true || found?.file.is_gold === true;
    this.#promote.disabled = isBlocked;
    this.#history.disabled = !found;
    this.#delete.hidden = can?.delete !== true;
    this.#delete.disabled = isBlocked;
    const others = (found?.document.files ?? []).filter(
      (file) => file.stable_id !== opened.id && file.variant === found?.file.variant,
    );
    this.#compareWith.hidden = others.length === 0;
    const first = this.#comparing.isActive ? 'Back to the text' : 'Compare with…';
    this.#compareWith.replaceChildren(
      element('option', { value: '', textContent: first }),
      ...others.map((file) =>
        element('option', {
          value: file.stable_id,
          textContent: `Version ${file.version}${file.is_gold ? ' (gold)' : ''}`,
        }),
      ),
    );
    this.#compareWith.value = this.#comparing.otherId ?? '';
  }

  #mergeIfWanted(opened: OpenFile): void {
    if (this.#mergeWanted === undefined) return;
    if (this.#mergeWanted !== opened.id) this.#mergeWanted = undefined;
    // While the lock is asked for, the mode is not final.
    else if (opened.draft && opened.race === 'none' && opened.mode !== 'loading' && opened.mode !== 'lost') {
      this.#mergeWanted = undefined;
      void this.#comparing.draft(opened);
    } else if (opened.mode === 'editing') this.#mergeWanted = undefined;
  }

  async #saveAsNew(text?: string): Promise<void> {
    const label = await askNewVersion();
    if (label !== undefined) await this.#options.versions.add(label, text);
  }

  async #discard(): Promise<void> {
    if (await askDiscard()) await this.#options.workspace.discardDraft();
  }

  #discardRestored(): void {
    const { workspace, editor } = this.#options;
    const opened = workspace.file;
    if (!opened) return;
    const { text } = editor;
    workspace.discardRestored();
    const close = showToast({
      text: 'Draft discarded',
      action: {
        label: 'Undo',
        run: () => {
          close();
          if (workspace.file?.id === opened.id && workspace.file.mode === 'editing') editor.replaceText(text);
        },
      },
    });
  }

  async #startTogether(): Promise<void> {
    const { file, lease, together } = this.#options.workspace;
    if (file?.mode !== 'editing') return;
    await together.start(file, lease?.fence).catch((error: unknown) => failed(error, 'Not shared'));
  }

  async #endTogether(): Promise<void> {
    const { workspace } = this.#options;
    if (workspace.file?.isDirty && !(await askEndSharing())) return;
    if (workspace.file)
      await workspace.together
        .end(workspace.file)
        .catch((error: unknown) => failed(error, 'Sharing did not end'));
  }

  async #askPromote(): Promise<void> {
    const found = this.#found();
    if (found && (await askPromote(found))) await this.#options.versions.promote(found);
  }

  async #askDelete(): Promise<void> {
    const found = this.#found();
    const fileIds = found && (await askDelete(found));
    if (found && fileIds) await this.#options.versions.delete(fileIds, found);
  }

  async #showTimeline(): Promise<void> {
    const { api, workspace, versions, onOpen } = this.#options;
    const found = this.#found();
    if (!found) return;
    try {
      const { openTimeline } = await import('./timeline');
      if (workspace.file?.id !== found.file.stable_id) return;
      await openTimeline({
        api,
        found,
        isEditing: workspace.file.mode === 'editing',
        onOpen,
        onCompare: (fileId) => void this.#compare(fileId),
        onReuse: (version) => void versions.reuse(version),
        onRestore: (version) => void versions.restore(version),
      });
    } catch (error) {
      showToast({ kind: 'error', text: problemWords(problemOf(error), 'Versions') ?? '' });
    }
  }

  async #compare(otherId: string): Promise<void> {
    const opened = this.#options.workspace.file;
    const other = this.#options.library.find(otherId)?.file;
    if (opened && other) return this.#comparing.version(opened, otherId, describe(other));
    this.#comparing.end();
    this.show();
  }

  #found(): FoundFile | undefined {
    const { workspace, library } = this.#options;
    return workspace.file && library.find(workspace.file.id);
  }
}

function failed(error: unknown, what: string): void {
  const text = problemWords(problemOf(error), what);
  if (text !== undefined) showToast({ kind: 'error', text });
}

function statusOf(opened: OpenFile): string {
  if (opened.isSaving) return 'Saving…';
  if (opened.mode === 'together') {
    const { shared, isDirty } = opened;
    if (!shared) return 'Opening…';
    if (shared.name === 'ended') return 'Not connected';
    if (shared.problem) return 'Edits not accepted';
    if (!shared.canEdit) return 'Reading along';
    if (!shared.isSent) return shared.name === 'synced' ? 'Sending…' : 'Offline: kept here';
    return isDirty ? 'Shared, not saved' : STATUS.together;
  }
  return opened.mode === 'editing' && opened.isDirty ? 'Not saved yet' : STATUS[opened.mode];
}

function describe(file: FoundFile['file']): string {
  const gold = file.is_gold ? ', gold standard' : '';
  return `Version ${file.version}${gold}${file.label ? `: ${file.label}` : ''}`;
}

function tool(name: IconName, text: string, title: string, look = ''): HTMLButtonElement {
  return element('button', { type: 'button', className: `button ${look}`, title }, icon(name), text);
}
