import { problemOf, type Problem } from '@dunlin/client';
import type { DocumentInfo, FileInfo, FileList } from '../api/types';

export interface FoundFile {
  readonly file: FileInfo;
  readonly document: DocumentInfo;
}

/** The list of files. It is loaded again after every change. */
export class Library {
  readonly #read: () => Promise<FileList>;
  readonly #listeners = new Set<(list: FileList) => void>();
  readonly #failed = new Set<(problem: Problem) => void>();
  #list: FileList | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(read: () => Promise<FileList>) {
    this.#read = read;
  }

  get list(): FileList | undefined {
    return this.#list;
  }

  /** Adds a listener that receives every list, in the order of the requests. */
  subscribe(listener: (list: FileList) => void): void {
    this.#listeners.add(listener);
  }

  /** Adds a listener for loads that failed. The last list stays valid. */
  onFailure(listener: (problem: Problem) => void): void {
    this.#failed.add(listener);
  }

  find(fileId: string): FoundFile | undefined {
    for (const document of this.#list?.documents ?? []) {
      const file = document.files.find(({ stable_id }) => stable_id === fileId);
      if (file) return { file, document };
    }
    return undefined;
  }

  /**
   * Loads the list. Resolves with a list whose request started after this call. A request that is already running may miss the change, so
   * one more request follows and serves all callers that arrived meanwhile.
   */
  reload(): Promise<void> {
    if (!this.#running) {
      this.#running = this.#load().finally(() => (this.#running = undefined));
      return this.#running;
    }
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.reload();
      });
    return this.#next;
  }

  async #load(): Promise<void> {
    let list: FileList;
    try {
      list = await this.#read();
    } catch (error) {
      for (const listener of [...this.#failed]) listener(problemOf(error));
      throw error;
    }
    this.#list = list;
    for (const listener of [...this.#listeners]) listener(list);
  }
}
