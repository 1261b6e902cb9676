import type { Problem } from '@dunlin/client';
import { element, icon, type IconName } from '@dunlin/kit';
import type { FileInfo, Maintenance } from '../api/types';
import type { Mode, OpenFile } from '../state/openFile';
import type { SharedState } from '../state/sharing';
import { problemWords } from '../state/words';
import { shortDate } from './dates';

/** The commands that notices offer. */
export interface NoticeActions {
  waitForTurn(): void;
  leaveQueue(): void;
  saveAsNew(text?: string): void;
  discard(): void;
  discardRestored(): void;
  useDraft(): void;
  compareDraft(): void;
  reopen(): void;
  openAgain(): void;
}

const NOT_CONNECTED: Problem = { kind: 'network', code: 'network', title: '' };

type Action = readonly [label: string, run: () => void];

/** The notices above the text: why it cannot be edited, drafts, and who waits. */
export class Notices {
  readonly element = element('div', { className: 'notices', attributes: { 'aria-live': 'polite' } });
  readonly #actions: NoticeActions;
  readonly #userName: string;
  #key = '';

  constructor(actions: NoticeActions, userName: string) {
    this.#actions = actions;
    this.#userName = userName;
  }

  clear(): void {
    this.#key = '';
    this.element.replaceChildren();
  }

  show(opened: OpenFile, file: FileInfo | undefined, maintenance: Maintenance | undefined): void {
    const { id, mode, draft, restored, shared } = opened;
    const holder = file?.locked_by && !file.locked_by.mine ? file.locked_by : undefined;
    const queue = this.#waiters(mode, file);
    const key = JSON.stringify([
      id,
      mode,
      holder?.name,
      draft?.at,
      restored?.at,
      queue,
      maintenance,
      shared?.name === 'ended',
      shared?.problem?.code,
      shared?.mayEdit,
    ]);
    // Keep the elements, and with them the focus, while nothing changes.
    if (key === this.#key) return;
    this.#key = key;
    const notices = [this.#ofMode(opened, holder?.name, maintenance)];
    if (draft && mode !== 'lost') notices.push(this.#draft(opened));
    if (restored) notices.push(this.#restored(restored.at));
    if (queue.length > 0) notices.push(this.#queue(queue));
    this.element.replaceChildren(...notices.filter((each) => each !== undefined));
  }

  #ofMode(
    { mode, shared }: OpenFile,
    holder: string | undefined,
    maintenance: Maintenance | undefined,
  ): HTMLElement | undefined {
    const actions = this.#actions;
    switch (mode) {
      case 'locked':
        return notice(
          'lock',
          `This document is being edited by another user${holder ? `: ${holder}` : ''}. You are reading.`,
          [['Tell me when it is my turn', () => actions.waitForTurn()]],
        );
      case 'queued':
        return notice(
          'clock',
          `You are in the queue${holder ? ` behind ${holder}` : ''}. The document becomes editable by itself.`,
          [['Leave the queue', () => actions.leaveQueue()]],
        );
      case 'otherTab':
        return notice('info', 'You are editing this document in another tab. Close it there to go on here.');
      case 'reading':
        return notice('info', 'You may read this document, not change it.');
      case 'together':
        return shared && this.#ofShared(shared);
      case 'maintenance': {
        const why = maintenance?.on && maintenance.message ? `: ${maintenance.message}` : '.';
        return notice(
          'alert',
          `Read-only during maintenance${why} The document becomes editable when it ends.`,
        );
      }
      case 'lost':
        return notice(
          'alert',
          'Your lock on this document is lost. Your text is kept as a draft and shown below.',
          [
            ['Compare and merge', () => actions.reopen()],
            ['Save as a new version', () => actions.saveAsNew()],
            ['Discard my text', () => actions.discard()],
          ],
        );
      default:
        return undefined;
    }
  }

  #ofShared({ name, problem, mayEdit }: SharedState): HTMLElement | undefined {
    const again: Action = ['Try again', () => this.#actions.openAgain()];
    if (name === 'ended') {
      const text = problemWords(problem ?? NOT_CONNECTED, 'The shared draft is not connected');
      return text === undefined ? undefined : notice('alert', `${text}. Your text is kept here.`, [again]);
    }
    const text = problem && problemWords(problem, 'The server does not accept your last edits');
    if (text !== undefined)
      return notice('alert', `${text}. They are kept here.`, [
        ['Save as a new version', () => this.#actions.saveAsNew()],
        again,
      ]);
    return mayEdit ? undefined : notice('info', 'Others edit this document together. You are reading along.');
  }

  #draft({ mode, draft }: OpenFile): HTMLElement {
    const actions = this.#actions;
    const { at, text } = draft!;
    const isEditing = mode === 'editing';
    const offered: Action[] = [
      ...(isEditing ? [['Put it into the editor', () => actions.useDraft()] as const] : []),
      [isEditing ? 'Compare and merge' : 'Compare', () => actions.compareDraft()],
      ['Save it as a new version', () => actions.saveAsNew(text)],
      ['Discard it', () => actions.discard()],
    ];
    const decide = isEditing ? '. Decide about it before you continue' : '';
    return notice('history', `You have an unsaved draft of ${shortDate(at)}${decide}.`, offered);
  }

  // The list may not contain yet that this page joined or left the queue.
  #waiters(mode: Mode, file: FileInfo | undefined): readonly string[] {
    const names = (file?.locked_by?.queue ?? []).map((name) => (name === this.#userName ? 'you' : name));
    if (mode !== 'queued') return names.filter((name) => name !== 'you');
    return names.includes('you') ? names : [...names, 'you'];
  }

  #queue(queue: readonly string[]): HTMLElement {
    const shown = notice(
      'clock',
      queue.length === 1 ? 'Waiting for this document:' : 'Waiting, in this order:',
    );
    const list = element(
      'ol',
      { className: 'queue', attributes: { 'aria-label': 'Waiting for this document' } },
      ...queue.map((name) => element('li', { textContent: name })),
    );
    shown.append(list);
    return shown;
  }

  #restored(at: number): HTMLElement {
    return notice('history', `Your draft of ${shortDate(at)} is in the editor. It is not saved yet.`, [
      ['Discard draft', () => this.#actions.discardRestored()],
    ]);
  }
}

function notice(name: IconName, text: string, actions: readonly Action[] = []): HTMLElement {
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
