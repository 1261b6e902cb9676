import { problemOf, type Lease, type Problem } from '@dunlin/client';
import type { SaveAnswer } from '../api/types';
import { deleteFiles } from './deletion';
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

  /** Makes the open version the gold standard. */
  async promote(): Promise<void> {
    const { api, tabs, library, notify } = this.#options;
    const { file } = this.#workspace;
    if (!file) return;
    try {
      await api.promote(file.id);
      notify({ text: 'This version is the gold standard now' });
    } catch (error) {
      this.#failed(problemOf(error), 'The version was not promoted');
    }
    tabs.tell({});
    await library.reload().catch(() => {});
  }

  /** Deletes files, all or none. */
  async delete(fileIds: readonly string[]): Promise<void> {
    const { api, leases, library, tabs, notify } = this.#options;
    const { file, lease } = this.#workspace;
    try {
      const held = file && lease?.isHeld ? new Map([[file.id, lease]]) : new Map<string, Lease>();
      const holder = await deleteFiles(api, leases, fileIds, held);
      if (holder !== undefined) {
        notify({ kind: 'error', text: `Nothing was deleted: ${holder} is editing one of the files` });
        return;
      }
    } catch (error) {
      this.#failed(problemOf(error), 'Nothing was deleted');
      return;
    }
    for (const id of fileIds) await this.#workspace.settle(id);
    if (this.#workspace.file && fileIds.includes(this.#workspace.file.id)) await this.#workspace.close();
    tabs.tell({ deleted: fileIds });
    notify({ text: fileIds.length === 1 ? 'Deleted' : `${fileIds.length} files deleted` });
    await library.reload().catch(() => {});
  }

  async #open(answer: SaveAnswer): Promise<void> {
    this.#options.tabs.tell({});
    await this.#options.library.reload().catch(() => {});
    await this.#workspace.open(answer.file_id);
  }

  #failed(problem: Problem, what: string): void {
    const text = problemWords(problem, what);
    if (text !== undefined) this.#options.notify({ kind: 'error', text });
  }
}
