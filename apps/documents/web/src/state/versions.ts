import { problemOf, type Lease, type Problem } from '@dunlin/client';
import type { SaveAnswer, VersionInfo } from '../api/types';
import { deleteFiles } from './deletion';
import type { FoundFile } from './library';
import type { WorkspaceOptions } from './options';
import { faultOf, problemWords } from './words';
import type { Workspace } from './workspace';

/** The operations on whole files: adding versions and documents, setting the gold standard, deletion. */
export class Versions {
  readonly #options: WorkspaceOptions;
  readonly #workspace: Workspace;

  constructor(options: WorkspaceOptions, workspace: Workspace) {
    this.#options = options;
    this.#workspace = workspace;
  }

  /** Saves a text as a new version of the open file, and opens that version. Needs no lock. */
  async add(label: string, text = this.#options.pane.text): Promise<void> {
    const { api, pane, notify } = this.#options;
    const { file } = this.#workspace;
    if (!file) return;
    try {
      const answer = await api.saveNew(file.id, text, label);
      await this.#workspace.settle(file.id);
      notify({ text: `Saved as version ${answer.version}` });
      await this.#open(answer);
    } catch (error) {
      const problem = problemOf(error);
      const fault = faultOf(problem);
      if (fault && file.id === this.#workspace.file?.id && text === pane.text) pane.showFault(fault);
      this.#failed(problem, 'The new version was not saved');
    }
  }

  /** Adds a document and opens it. */
  async import(collection: string, title: string, text: string): Promise<void> {
    try {
      await this.#open(await this.#options.api.import(collection, title, text));
    } catch (error) {
      this.#failed(problemOf(error), 'The document was not added');
    }
  }

  /** Makes a version the gold standard. The notice offers to take it back. */
  async promote({ file, document }: FoundFile): Promise<void> {
    const { api } = this.#options;
    const former = document.files.find(({ is_gold, variant }) => is_gold && variant === file.variant);
    try {
      await api.promote(file.stable_id);
      this.#offerUndo(`Version ${file.version} is the gold standard now`, async () => {
        await (former ? api.promote(former.stable_id) : api.demote(file.stable_id));
        return former
          ? `Version ${former.version} is the gold standard again`
          : 'No gold standard, as before';
      });
    } catch (error) {
      this.#failed(problemOf(error), 'The version was not promoted');
    }
    await this.#changed();
  }

  /** Deletes files, all or none. The notice offers to take it back. */
  async delete(fileIds: readonly string[], { file: named }: FoundFile): Promise<void> {
    const { api, notify } = this.#options;
    try {
      const holder = await this.#remove(fileIds);
      if (holder !== undefined) {
        notify({ kind: 'error', text: `Nothing was deleted: ${holder} is editing one of the files` });
        return;
      }
    } catch (error) {
      this.#failed(problemOf(error), 'Nothing was deleted');
      return;
    }
    const what = fileIds.length === 1 ? `Version ${named.version}` : `${fileIds.length} files`;
    this.#offerUndo(`${what} deleted`, async () => {
      await api.restore(fileIds);
      return `${what} restored`;
    });
    await this.#changed();
  }

  /** Takes back the deletion of a version. */
  async restore({ stable_id: fileId, version }: VersionInfo): Promise<void> {
    try {
      await this.#options.api.restore([fileId]);
      this.#offerUndo(`Version ${version} restored`, async () => {
        const holder = await this.#remove([fileId]);
        return holder === undefined ? `Version ${version} deleted again` : `${holder} is editing it`;
      });
    } catch (error) {
      this.#failed(problemOf(error), 'The version was not restored');
    }
    await this.#changed();
  }

  /** Puts the text of a version into the editor, or saves it as a new version if the user cannot edit the open one. */
  async reuse({ stable_id: fileId, version }: VersionInfo): Promise<void> {
    const { api, pane } = this.#options;
    const { file } = this.#workspace;
    if (!file) return;
    try {
      const { text } = await api.read(fileId);
      if (file.id !== this.#workspace.file?.id) return;
      if (this.#workspace.file.mode === 'editing') {
        const before = pane.text;
        pane.replaceText(text);
        this.#offerUndo(`The text of version ${version} is in the editor, not saved yet`, () => {
          if (this.#workspace.file?.id === file.id && this.#workspace.file.mode === 'editing')
            pane.replaceText(before);
          return Promise.resolve('Your text is back in the editor');
        });
        return;
      }
      const added = await api.saveNew(file.id, text, `Text of version ${version}`);
      this.#offerUndo(`Version ${added.version} has the text of version ${version}`, async () => {
        await this.#remove([added.file_id]);
        return `Version ${added.version} deleted`;
      });
      await this.#open(added);
    } catch (error) {
      this.#failed(problemOf(error), 'The version was not restored');
    }
  }

  /** Deletes files and closes the open one. Returns the holder of a lock because of which nothing was deleted. */
  async #remove(fileIds: readonly string[]): Promise<string | undefined> {
    const { api, leases, tabs } = this.#options;
    const { file, lease } = this.#workspace;
    const held = file && lease?.isHeld ? new Map([[file.id, lease]]) : new Map<string, Lease>();
    const holder = await deleteFiles(api, leases, fileIds, held);
    if (holder !== undefined) return holder;
    for (const id of fileIds) await this.#workspace.settle(id);
    if (this.#workspace.file && fileIds.includes(this.#workspace.file.id)) await this.#workspace.close();
    tabs.tell({ deleted: fileIds });
    return undefined;
  }

  #offerUndo(text: string, undo: () => Promise<string>): void {
    const { notify } = this.#options;
    const run = async () => {
      close();
      try {
        notify({ text: await undo() });
      } catch (error) {
        this.#failed(problemOf(error), 'This could not be undone');
      }
      await this.#changed();
    };
    const close = notify({ text, action: { label: 'Undo', run } });
  }

  async #changed(): Promise<void> {
    this.#options.tabs.tell({});
    await this.#options.library.reload().catch(() => {});
  }

  async #open(answer: SaveAnswer): Promise<void> {
    await this.#changed();
    await this.#workspace.open(answer.file_id);
  }

  #failed(problem: Problem, what: string): void {
    const text = problemWords(problem, what);
    if (text !== undefined) this.#options.notify({ kind: 'error', text });
  }
}
