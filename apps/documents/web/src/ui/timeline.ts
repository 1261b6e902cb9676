import { problemOf } from '@dunlin/client';
import { element, icon } from '@dunlin/kit';
import type { DocumentsApi } from '../api/documents';
import type { VersionInfo } from '../api/types';
import type { FoundFile } from '../state/library';
import { problemWords } from '../state/words';
import { shortDate } from './dates';

export interface TimelineOptions {
  readonly api: DocumentsApi;
  readonly found: FoundFile;
  /** Whether the user edits the open version, so that another text goes into the editor. */
  readonly isEditing: boolean;
  readonly onOpen: (fileId: string) => void;
  readonly onCompare: (fileId: string) => void;
  readonly onReuse: (version: VersionInfo) => void;
  readonly onRestore: (version: VersionInfo) => void;
}

/** Opens the dialog with all versions of a document and variant, deleted ones too, the newest first. */
export async function openTimeline(options: TimelineOptions): Promise<void> {
  const { api, found } = options;
  const list = element('ol', { className: 'timeline', attributes: { 'aria-busy': 'true' } });
  const state = element('p', {
    className: 'muted',
    textContent: 'Loading versions…',
    attributes: { role: 'status' },
  });
  const close = element('button', { type: 'button', className: 'button', textContent: 'Close' });
  const title = `Versions of “${found.document.title}”`;
  const dialog = element(
    'dialog',
    { className: 'dialog timeline-dialog', attributes: { 'aria-label': title } },
    element('h2', { textContent: title }),
    state,
    list,
    element('div', { className: 'dialog-actions' }, close),
  );
  close.onclick = () => dialog.close();
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
  try {
    const versions = await api.history(found.file.stable_id);
    state.remove();
    list.append(...versions.map((version) => entry(version, options, () => dialog.close())));
  } catch (error) {
    state.textContent = problemWords(problemOf(error), 'The versions could not be loaded') ?? '';
  }
  list.removeAttribute('aria-busy');
}

function entry(version: VersionInfo, options: TimelineOptions, close: () => void): HTMLElement {
  const { found, isEditing } = options;
  const isOpen = version.stable_id === found.file.stable_id;
  const isDeleted = version.deleted_at !== null;
  const name = `version ${version.version}`;
  const actions: [label: string, run: () => void][] = [];
  if (isDeleted && version.can_restore) actions.push(['Restore', () => options.onRestore(version)]);
  if (!isDeleted && !isOpen) {
    actions.push(['Open', () => options.onOpen(version.stable_id)]);
    actions.push(['Compare', () => options.onCompare(version.stable_id)]);
    if (isEditing) actions.push(['Use this text', () => options.onReuse(version)]);
    else if (found.file.can.new_version)
      actions.push(['Use as a new version', () => options.onReuse(version)]);
  }
  const changed =
    version.changed_at === version.created_at
      ? `Added by ${version.owner}, ${shortDate(version.created_at)}`
      : `Added by ${version.owner}, changed by ${version.changed_by}, ${shortDate(version.changed_at)}`;
  return element(
    'li',
    {
      data: { version: String(version.version), ...(isDeleted ? { deleted: '' } : {}) },
      attributes: isOpen ? { 'aria-current': 'true' } : {},
    },
    element(
      'div',
      { className: 'timeline-words' },
      element(
        'strong',
        {},
        `Version ${version.version}`,
        version.label ? `: ${version.label}` : '',
        version.is_gold && !isDeleted && element('span', { className: 'gold', textContent: 'Gold' }),
        isOpen && element('span', { className: 'timeline-open', textContent: 'Open' }),
      ),
      element('small', { className: 'muted', textContent: changed }),
      isDeleted &&
        element(
          'small',
          { className: 'timeline-deleted' },
          icon('trash'),
          `Deleted by ${version.deleted_by}, ${shortDate(version.deleted_at)}`,
        ),
    ),
    ...actions.map(([label, run]) =>
      element('button', {
        type: 'button',
        className: 'button button-small',
        textContent: label,
        attributes: { 'aria-label': `${label}: ${name}` },
        onclick: () => {
          close();
          run();
        },
      }),
    ),
  );
}
