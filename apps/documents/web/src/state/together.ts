import { DunlinError } from '@dunlin/client';
import type { SaveAnswer } from '../api/types';
import type { FileInput } from './fileInputs';
import type { OpenFile } from './openFile';
import type { WorkspaceOptions } from './options';
import { Sharing, type JoinOptions } from './sharing';
import { WORDS } from './words';

/** The requests about shared drafts: start, join, save, end. */
export class Together {
  readonly #options: WorkspaceOptions;
  readonly #take: (fileId: string, input: FileInput) => void;
  /** Unsaved text of the page that starts a draft. */
  #carried: { readonly id: string; readonly text: string } | undefined;
  #joined: Sharing | undefined;
  #starting: Promise<void> | undefined;

  constructor(options: WorkspaceOptions, take: (fileId: string, input: FileInput) => void) {
    this.#options = options;
    this.#take = take;
  }

  /** Starts a draft in place of the lock. The page joins with the next list, and puts its unsaved text into the draft. */
  async start({ id, isDirty }: OpenFile, lease: number | string | undefined): Promise<void> {
    const { api, pane } = this.#options;
    // The text is passed on as it is now, so typing pauses.
    this.#take(id, { type: 'share' });
    this.#carried = isDirty ? { id, text: pane.text } : undefined;
    try {
      this.#starting = api.startShared(id, lease).then(() => this.#changed());
      await this.#starting;
    } catch (error) {
      this.#take(id, { type: 'shareFailed' });
      throw error;
    } finally {
      this.#starting = undefined;
    }
  }

  /** Handles the loss of the lock, which every start causes. The file was opened again before that, if the start succeeded. */
  afterStart(lost: () => void): void {
    if (this.#starting) this.#starting.then(lost, lost);
    else lost();
  }

  /** Ends the draft. Text that is not saved is discarded, except on pages of other users who typed some of it. */
  async end({ id, sharedDraft }: OpenFile): Promise<void> {
    if (sharedDraft === undefined) return;
    await this.#options.api.endShared(id, sharedDraft);
    this.#joined?.discard();
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
    const join = { ...options, draft, canEdit: can.write, carried };
    return (this.#joined = new Sharing({ client, pane, userName }, join));
  }

  /** Saves the text of the draft, when the server has all edits of this page. */
  async save({ id, sharedDraft = '', etag }: OpenFile, sharing: Sharing, text: string): Promise<SaveAnswer> {
    if (!(await sharing.whenSent()))
      throw new DunlinError(
        sharing.state.problem ?? { kind: 'network', code: 'network', title: WORDS.notSent },
      );
    return this.#options.api.saveShared(id, text, sharedDraft, etag);
  }

  async #changed(): Promise<void> {
    this.#options.tabs.tell({});
    await this.#options.library.reload();
  }
}
