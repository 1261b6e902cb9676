import { problemOf } from '@dunlin/client';
import { element, icon, showToast, type IconName } from '@dunlin/kit';
import type { DocumentsApi } from '../api/documents';
import type { DocumentInfo, FileInfo } from '../api/types';
import type { Library } from '../state/library';
import type { Mode, OpenFile } from '../state/openFile';
import type { Versions } from '../state/versions';
import type { Workspace } from '../state/workspace';
import { compare, type Comparison } from './compare';
import { ask, field } from './dialogs';
import type { XmlEditor } from './editor';
import { shortDate } from './fileList';

export interface FilePaneOptions {
  readonly api: DocumentsApi;
  readonly library: Library;
  readonly workspace: Workspace;
  readonly versions: Versions;
  readonly editor: XmlEditor;
  readonly onBack: () => void;
}

const STATUS: Readonly<Record<Mode, string>> = {
  loading: 'Opening…',
  editing: 'Editing',
  locked: 'Read-only',
  queued: 'Waiting for your turn',
  otherTab: 'Open in another tab',
  reading: 'Read-only',
  lost: 'Lock lost',
};

/** The open file: its tools, its notices, its text, and its source beside it. */
export class FilePane {
  readonly element: HTMLElement;
  readonly #options: FilePaneOptions;
  readonly #title = element('h1', { className: 'pane-title' });
  readonly #subtitle = element('p', { className: 'muted pane-subtitle' });
  readonly #status = element('span', { className: 'status', attributes: { 'aria-live': 'polite' } });
  readonly #notice = element('div', { className: 'notices' });
  readonly #source = element('iframe', { className: 'source', title: 'Source of the document' });
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
  readonly #delete = tool('trash', 'Delete', 'Delete this version or the whole document');
  readonly #showSource = tool('table', 'Source', 'Show the source beside the text');
  #comparison: Comparison | undefined;
  // The versions selected for a comparison, displayed or still loading. Every event builds the list of versions again.
  #comparing: { fileId: string; otherId: string } | undefined;
  #isSourceWanted = !matchMedia('(max-width: 860px)').matches;
  #noticeOf = '';

  constructor(options: FilePaneOptions) {
    this.#options = options;
    const { workspace, versions, onBack, editor } = options;
    const back = element('button', {
      type: 'button',
      className: 'icon-button back',
      title: 'Back to the list',
    });
    back.setAttribute('aria-label', 'Back to the list');
    back.append(icon('left'));
    back.onclick = onBack;
    this.#save.onclick = () => void workspace.save();
    this.#newVersion.onclick = () => void this.#askNewVersion();
    this.#promote.onclick = () => void versions.promote();
    this.#delete.onclick = () => void this.#askDelete();
    this.#showSource.onclick = () => {
      this.#isSourceWanted = this.#source.hidden;
      this.show();
    };
    this.#compareWith.onchange = () => void this.#compare(this.#compareWith.value);
    this.#body.append(editor.element, this.#source);
    const tools = [
      this.#save,
      this.#newVersion,
      this.#compareWith,
      this.#promote,
      this.#showSource,
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
        this.#status,
      ),
      element(
        'div',
        { className: 'tools', attributes: { role: 'toolbar', 'aria-label': 'Document' } },
        ...tools,
      ),
      this.#notice,
      this.#body,
    );
    this.element = element('main', { className: 'pane' }, this.#empty, this.#open);
    this.show();
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
    if (!opened) {
      this.#endComparison();
      this.#setSource(undefined);
      this.#noticeOf = '';
      this.#notice.replaceChildren();
      return;
    }
    if (this.#comparing && this.#comparing.fileId !== opened.id) this.#endComparison();
    this.#title.textContent = found?.document.title ?? '';
    this.#subtitle.textContent = found ? describe(found.file) : '';
    this.#status.textContent = opened.isSaving
      ? 'Saving…'
      : opened.mode === 'editing'
        ? opened.isDirty
          ? 'Not saved yet'
          : 'Editing'
        : STATUS[opened.mode];
    this.#status.dataset['status'] = opened.isDirty && opened.mode === 'editing' ? 'dirty' : opened.mode;
    this.#showTools(opened, found);
    this.#showNotice(opened, found?.file);
    this.#setSource(found?.document.pdf?.stable_id);
  }

  #showTools(opened: OpenFile, found: { file: FileInfo; document: DocumentInfo } | undefined): void {
    const can = found?.file.can;
    const isReady = opened.mode !== 'loading';
    this.#save.hidden = can?.write !== true;
    this.#save.disabled = opened.mode !== 'editing' || !opened.isDirty || opened.isSaving;
    this.#newVersion.hidden = can?.new_version !== true;
    this.#newVersion.disabled = !isReady;
    this.#promote.hidden = can?.promote !== true || found?.file.is_gold === true;
    this.#promote.disabled = !isReady || opened.mode === 'locked' || opened.mode === 'queued';
    this.#delete.hidden = can?.delete !== true;
    this.#delete.disabled = !isReady || opened.mode === 'locked' || opened.mode === 'queued';
    const others = (found?.document.files ?? []).filter(
      (file) => file.stable_id !== opened.id && file.variant === found?.file.variant,
    );
    this.#compareWith.hidden = others.length === 0;
    this.#compareWith.replaceChildren(
      element('option', { value: '', textContent: this.#comparing ? 'Back to the text' : 'Compare with…' }),
      ...others.map((file) =>
        element('option', {
          value: file.stable_id,
          textContent: `Version ${file.version}${file.is_gold ? ' (gold)' : ''}`,
        }),
      ),
    );
    this.#compareWith.value = this.#comparing?.otherId ?? '';
    this.#showSource.hidden = !found?.document.pdf;
  }

  #showNotice(opened: OpenFile, file: FileInfo | undefined): void {
    const { workspace } = this.#options;
    const holder = file?.locked_by && !file.locked_by.mine ? file.locked_by : undefined;
    const waiting = opened.mode === 'editing' ? (file?.locked_by?.waiting ?? 0) : 0;
    const key = JSON.stringify([opened.id, opened.mode, holder?.name, opened.draft?.at, waiting]);
    if (key === this.#noticeOf) return;
    this.#noticeOf = key;
    const notices: HTMLElement[] = [];
    switch (opened.mode) {
      case 'locked':
        notices.push(
          notice(
            'lock',
            `This document is being edited by another user${holder ? `: ${holder.name}` : ''}. You are reading.`,
            [['Tell me when it is my turn', () => workspace.waitForTurn()]],
          ),
        );
        break;
      case 'queued':
        notices.push(
          notice(
            'clock',
            `You are in the queue${holder ? ` behind ${holder.name}` : ''}. The document becomes editable by itself.`,
            [['Leave the queue', () => workspace.leaveQueue()]],
          ),
        );
        break;
      case 'otherTab':
        notices.push(
          notice('info', 'You are editing this document in another tab. Close it there to go on here.', []),
        );
        break;
      case 'reading':
        notices.push(notice('info', 'You may read this document, not change it.', []));
        break;
      case 'lost':
        notices.push(
          notice(
            'alert',
            'Your lock on this document is lost. Your text is kept as a draft and shown below.',
            [
              ['Save as a new version', () => void this.#askNewVersion()],
              ['Discard my text', () => void this.#askDiscard()],
            ],
          ),
        );
        break;
      default:
        break;
    }
    if (opened.draft && opened.mode !== 'lost') notices.push(this.#draftNotice(opened));
    if (waiting > 0)
      notices.push(
        notice('clock', `${waiting === 1 ? 'Somebody waits' : `${waiting} wait`} for this document.`, []),
      );
    this.#notice.replaceChildren(...notices);
  }

  #draftNotice(opened: OpenFile): HTMLElement {
    const { workspace } = this.#options;
    const draft = opened.draft!;
    const actions: [string, () => void][] = [
      ['Save it as a new version', () => void this.#askNewVersion(draft.text)],
      ['Discard it', () => void this.#askDiscard()],
    ];
    if (opened.mode === 'editing') actions.unshift(['Put it into the editor', () => workspace.useDraft()]);
    return notice(
      'history',
      `You have an unsaved draft of ${shortDate(new Date(draft.at).toISOString())}${opened.mode === 'editing' ? '. Decide about it before you go on' : ''}.`,
      actions,
    );
  }

  async #askNewVersion(text?: string): Promise<void> {
    const label = element('input', { className: 'input', maxLength: 80, placeholder: 'What is new in it' });
    if (await ask({ title: 'New version', content: [field('Name', label)], accept: 'Save as a new version' }))
      await this.#options.versions.add(label.value, text);
  }

  async #askDiscard(): Promise<void> {
    const content = [element('p', { textContent: 'What you typed and did not save will be gone.' })];
    if (await ask({ title: 'Discard your text?', content, accept: 'Discard', isDangerous: true }))
      await this.#options.workspace.discardDraft();
  }

  async #askDelete(): Promise<void> {
    const { workspace, versions, library } = this.#options;
    const found = workspace.file && library.find(workspace.file.id);
    if (!found) return;
    const { document, file } = found;
    const all = [...document.files, ...(document.pdf ? [document.pdf] : [])].filter(({ can }) => can.delete);
    const whole = element('input', { type: 'checkbox' });
    const content = [
      element('p', {
        textContent: `Version ${file.version} of “${document.title}” will be gone for everybody.`,
      }),
      ...(all.length > 1
        ? [
            element(
              'label',
              { className: 'switch' },
              whole,
              `Delete the whole document (${all.length} files)`,
            ),
          ]
        : []),
    ];
    if (await ask({ title: 'Delete?', content, accept: 'Delete', isDangerous: true }))
      await versions.delete(whole.checked ? all.map(({ stable_id }) => stable_id) : [file.stable_id]);
  }

  async #compare(otherId: string): Promise<void> {
    this.#endComparison();
    const { workspace, api, editor } = this.#options;
    const opened = workspace.file;
    if (otherId !== '' && opened) {
      const comparing = { fileId: opened.id, otherId };
      this.#comparing = comparing;
      try {
        const { text } = await api.read(otherId);
        if (this.#comparing !== comparing) return;
        this.#comparison = compare(text, editor.text);
        this.#body.prepend(this.#comparison.element);
        editor.element.hidden = true;
      } catch (error) {
        if (this.#comparing !== comparing) return;
        this.#endComparison();
        showToast({ kind: 'error', text: problemOf(error).title });
      }
    }
    this.show();
  }

  #endComparison(): void {
    this.#comparison?.dispose();
    this.#comparison?.element.remove();
    this.#comparison = undefined;
    this.#comparing = undefined;
    this.#options.editor.element.hidden = false;
  }

  #setSource(fileId: string | undefined): void {
    const isShown = fileId !== undefined && this.#isSourceWanted && !this.#comparison;
    this.#source.hidden = !isShown;
    this.#showSource.setAttribute('aria-pressed', String(isShown));
    const address = isShown ? this.#options.api.frameAddress(fileId) : undefined;
    if (this.#source.getAttribute('src') === (address ?? null)) return;
    if (address) this.#source.src = address;
    else this.#source.removeAttribute('src');
  }
}

function describe(file: FileInfo): string {
  const gold = file.is_gold ? ', gold standard' : '';
  return `Version ${file.version}${gold}${file.label ? `: ${file.label}` : ''}`;
}

function tool(name: IconName, text: string, title: string, look = ''): HTMLButtonElement {
  return element('button', { type: 'button', className: `button ${look}`, title }, icon(name), text);
}

function notice(
  name: IconName,
  text: string,
  actions: readonly (readonly [string, () => void])[],
): HTMLElement {
  return element(
    'div',
    { className: `notice notice-${name}` },
    icon(name),
    element('span', { textContent: text }),
    ...actions.map(([label, run]) =>
      element('button', {
        type: 'button',
        className: 'button button-small',
        textContent: label,
        onclick: run,
      }),
    ),
  );
}
