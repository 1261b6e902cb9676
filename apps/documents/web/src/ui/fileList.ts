import { element, fold, icon } from '@dunlin/kit';
import type { DocumentInfo, FileInfo, FileList } from '../api/types';
import { shortDate } from './dates';
import type { TextSearch } from './textSearch';

export interface FileListOptions {
  readonly onOpen: (fileId: string) => void;
  readonly onNew: () => void;
  readonly onRetry: () => void;
  readonly texts: TextSearch;
}

/** The list of documents with versions, gold marks and lock marks, and a search over them. */
export class FileListView {
  readonly element: HTMLElement;
  readonly #options: FileListOptions;
  readonly #search = element('input', {
    className: 'input',
    type: 'search',
    placeholder: 'Search',
    attributes: { 'aria-label': 'Search documents' },
  });
  readonly #variant = element('select', {
    className: 'input',
    hidden: true,
    attributes: { 'aria-label': 'Variant' },
  });
  readonly #newDocument = element(
    'button',
    { type: 'button', className: 'button', hidden: true },
    icon('plus'),
    'New',
  );
  readonly #groups = element('div', { className: 'groups' });
  #list: FileList | undefined;
  #openId: string | undefined;

  constructor(options: FileListOptions) {
    this.#options = options;
    this.#search.oninput = () => {
      this.#show();
      options.texts.show(this.#search.value);
    };
    this.#variant.onchange = () => this.#show();
    this.#newDocument.onclick = () => options.onNew();
    this.element = element(
      'nav',
      { className: 'files', attributes: { 'aria-label': 'Documents' } },
      element('h1', { className: 'visually-hidden', textContent: 'Documents' }),
      element('div', { className: 'files-tools' }, this.#search, this.#variant, this.#newDocument),
      element('div', { className: 'files-found' }, this.#groups, options.texts.element),
    );
    this.showLoading();
  }

  /** Shows that the first list is loading. */
  showLoading(): void {
    if (this.#list) return;
    this.#groups.setAttribute('aria-busy', 'true');
    const lines = Array.from({ length: 6 }, () => element('span', { className: 'skeleton' }));
    this.#groups.replaceChildren(
      element('p', {
        className: 'muted nothing',
        textContent: 'Loading documents…',
        attributes: { role: 'status' },
      }),
      element('div', { className: 'skeletons', attributes: { 'aria-hidden': 'true' } }, ...lines),
    );
  }

  /** Shows that the first list could not be loaded. A later failure leaves the last list. */
  showFailure(words: string): void {
    if (this.#list) return;
    this.#groups.removeAttribute('aria-busy');
    const retry = element('button', {
      type: 'button',
      className: 'button',
      onclick: () => this.#options.onRetry(),
    });
    retry.append(icon('refresh'), 'Try again');
    this.#groups.replaceChildren(
      element(
        'div',
        { className: 'list-failure', attributes: { role: 'alert' } },
        element('p', {}, icon('alert'), words),
        retry,
      ),
    );
  }

  setList(list: FileList, canAdd: boolean): void {
    this.#list = list;
    this.#groups.removeAttribute('aria-busy');
    this.#newDocument.hidden = !canAdd || list.collections.length === 0;
    const chosen = this.#variant.value;
    this.#variant.hidden = list.variants.length < 2;
    this.#variant.replaceChildren(
      element('option', { value: '', textContent: 'All variants' }),
      ...list.variants.map((name) => element('option', { value: name, textContent: name })),
    );
    this.#variant.value = list.variants.includes(chosen) ? chosen : '';
    this.#show();
  }

  setOpen(fileId: string | undefined): void {
    if (this.#openId === fileId) return;
    this.#openId = fileId;
    this.#show();
  }

  #show(): void {
    const list = this.#list;
    if (!list) return;
    const focused = (document.activeElement as HTMLElement | null)?.dataset['file'];
    const words = fold(this.#search.value).split(/\s+/).filter(Boolean);
    const groups = list.collections.flatMap((collection) => {
      const documents = list.documents
        .filter((document) => document.collection === collection.id)
        .map((document) => this.#document(document, collection.name, words))
        .filter((shown) => shown !== undefined);
      if (documents.length === 0) return [];
      return [element('h2', { className: 'group-title', textContent: collection.name }), ...documents];
    });
    const nothing = element('p', {
      className: 'muted nothing',
      textContent: words.length > 0 ? 'No name matches.' : 'There are no documents that you may see.',
    });
    this.#groups.replaceChildren(...(groups.length > 0 ? groups : [nothing]));
    if (focused) this.#groups.querySelector<HTMLElement>(`[data-file="${CSS.escape(focused)}"]`)?.focus();
  }

  #document(document: DocumentInfo, collection: string, words: readonly string[]): HTMLElement | undefined {
    const variant = this.#variant.value;
    const common = `${document.title} ${collection}`;
    const files = document.files.filter((file) => {
      if (variant !== '' && file.variant !== variant) return false;
      const holder = file.locked_by?.name ?? '';
      const gold = file.is_gold ? 'gold standard' : '';
      const text = `${common} ${file.label} ${file.owner} ${file.variant} version ${file.version} ${gold} ${holder}`;
      const folded = fold(text);
      return words.every((word) => folded.includes(word));
    });
    if (files.length === 0) return undefined;
    return element(
      'section',
      { className: 'document' },
      element('h3', {}, icon('document'), document.title),
      element('ul', {}, ...files.map((file) => element('li', {}, this.#file(file)))),
    );
  }

  #file(file: FileInfo): HTMLElement {
    const { locked_by: holder, is_gold: isGold } = file;
    const lock = holder === null ? 'free' : holder.mine ? 'mine' : 'other';
    const shared = file.shared_draft;
    const isOpen = file.stable_id === this.#openId;
    const who = holder?.mine ? 'You are editing this' : `Locked by ${holder?.name}`;
    const mark =
      holder &&
      element(
        'span',
        { className: `lock lock-${lock}`, title: who },
        icon('lock'),
        holder.mine ? 'You' : holder.name,
      );
    return element(
      'button',
      {
        type: 'button',
        className: 'file',
        data: { file: file.stable_id, lock, ...(isGold ? { gold: '' } : {}) },
        attributes: isOpen ? { 'aria-current': 'true' } : {},
        onclick: () => this.#options.onOpen(file.stable_id),
      },
      element(
        'span',
        { className: 'file-line' },
        element('span', { className: 'version', textContent: `v${file.version}` }),
        element('span', { className: 'file-label', textContent: file.label || `by ${file.owner}` }),
        isGold && element('span', { className: 'gold', textContent: 'Gold' }),
      ),
      element(
        'span',
        { className: 'file-line muted' },
        element('span', { textContent: `${file.changed_by}, ${shortDate(file.changed_at)}` }),
        mark ?? undefined,
        !!shared &&
          element(
            'span',
            { className: 'lock', title: `${shared.started_by} has started to edit this together` },
            icon('share'),
            'Together',
          ),
      ),
    );
  }
}
