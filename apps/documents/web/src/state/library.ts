import type { DocumentInfo, FileInfo, FileList } from '../api/types';

export interface FoundFile {
  readonly file: FileInfo;
  readonly document: DocumentInfo;
}

/** The list of files, read anew whenever something changed. */
export class Library {
  readonly #read: () => Promise<FileList>;
  readonly #listeners = new Set<(list: FileList) => void>();
  #list: FileList | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(read: () => Promise<FileList>) {
    this.#read = read;
  }

  get list(): FileList | undefined {
    return this.#list;
  }

  /** Called with every list, in the order in which they were asked for. */
  subscribe(listener: (list: FileList) => void): void {
    this.#listeners.add(listener);
  }

  find(fileId: string): FoundFile | undefined {
    for (const document of this.#list?.documents ?? []) {
      const file = document.files.find(({ stable_id }) => stable_id === fileId);
      if (file) return { file, document };
    }
    return undefined;
  }

  /**
   * Reads the list. Resolves when one has come that was asked for after this call: while one is under way, which may
   * miss what this call is about, one more is asked for, and it serves all who call meanwhile.
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
    const list = await this.#read();
    this.#list = list;
    for (const listener of [...this.#listeners]) listener(list);
  }
}
