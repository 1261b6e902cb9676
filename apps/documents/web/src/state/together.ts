import { DunlinError } from '@dunlin/client';
import type { SaveAnswer } from '../api/types';
import type { OpenFile } from './openFile';
import type { WorkspaceOptions } from './options';
import { Sharing, type JoinOptions } from './sharing';
import { WORDS } from './words';

/** The requests about shared drafts: start, join, save, end. */
export class Together {
  readonly #options: WorkspaceOptions;
  /** Unsaved text of the page that starts a draft. */
  #carried: { readonly id: string; readonly text: string } | undefined;

  constructor(options: WorkspaceOptions) {
    this.#options = options;
  }

  /** Starts a draft in place of the lock. The page joins with the next list, and puts its unsaved text into the draft. */
  async start({ id, isDirty }: OpenFile, lease: number | string | undefined): Promise<void> {
    const { api, pane } = this.#options;
    this.#carried = isDirty ? { id, text: pane.text } : undefined;
    await api.startShared(id, lease);
    await this.#changed();
  }

  /** Ends the draft. Text that is not saved is discarded. */
  async end({ id, sharedDraft }: OpenFile): Promise<void> {
    if (sharedDraft === undefined) return;
    await this.#options.api.endShared(id, sharedDraft);
    await this.#changed();
  }

  /** Takes part in the draft of a file. */
  join(id: string, options: Pick<JoinOptions, 'stored' | 'onChange' | 'onCarried'>): Sharing | undefined {
    const { client, pane, userName, library } = this.#options;
    const file = library.find(id)?.file;
    const carried = this.#carried?.id === id ? this.#carried.text : undefined;
    this.#carried = undefined;
    if (!file?.shared_draft || !client) return undefined;
    const { shared_draft: draft, can } = file;
    return new Sharing({ client, pane, userName }, { ...options, draft, canEdit: can.write, carried });
  }

  /** Saves the text of the draft, when the server has all edits of this page. */
  async save({ id, sharedDraft = '', etag }: OpenFile, sharing: Sharing, text: string): Promise<SaveAnswer> {
    if (!(await sharing.whenSent()))
      throw new DunlinError(sharing.problem ?? { kind: 'network', code: 'network', title: WORDS.notSent });
    return this.#options.api.saveShared(id, text, sharedDraft, etag);
  }

  async #changed(): Promise<void> {
    this.#options.tabs.tell({});
    await this.#options.library.reload();
  }
}
