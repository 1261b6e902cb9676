import { problemOf } from '@dunlin/client';
import { showToast } from '@dunlin/kit';
import type { DocumentsApi } from '../api/documents';
import type { OpenFile } from '../state/openFile';
import type { Comparison, ComparisonOptions } from './compare';
import type { TextEditor } from './textEditor';

export interface ComparingOptions {
  readonly api: DocumentsApi;
  readonly editor: TextEditor;
  /** The place of the comparison, in front of the editor. */
  readonly body: HTMLElement;
  readonly onChange: () => void;
  /** The user ended the merge of a draft. */
  readonly onMerged: () => void;
}

interface Subject {
  readonly file: OpenFile;
  /** The other version. Undefined: the draft. */
  readonly otherId: string | undefined;
}

/** The comparison in place of the editor: with another version, or with a draft of the user. */
export class Comparing {
  readonly #options: ComparingOptions;
  #shown: Comparison | undefined;
  // The version or draft of the comparison, which may still be loading. Every event builds the list of versions again.
  #subject: Subject | undefined;

  constructor(options: ComparingOptions) {
    this.#options = options;
  }

  get otherId(): string | undefined {
    return this.#subject?.otherId;
  }

  get isActive(): boolean {
    return this.#subject !== undefined;
  }

  get isShown(): boolean {
    return this.#shown !== undefined;
  }

  /** Ends a comparison whose text is closed, or can no longer be changed. */
  follow(opened: OpenFile | undefined): void {
    const file = this.#subject?.file;
    if (!file || (opened && file.id === opened.id && file.mode === opened.mode)) return;
    this.end();
  }

  /** Compares with another version of the document. */
  async version(file: OpenFile, otherId: string, name: string): Promise<void> {
    await this.#begin({ file, otherId }, async () => ({
      other: (await this.#options.api.read(otherId)).text,
      otherName: name,
      close: { label: 'Back to the text', run: () => this.#finish() },
    }));
  }

  /** Compares with the draft of the file. While the user edits, changes of the draft can be taken one by one. */
  async draft(file: OpenFile): Promise<void> {
    const { draft } = file;
    if (!draft) return;
    const isEditing = file.mode === 'editing';
    await this.#begin({ file, otherId: undefined }, () =>
      Promise.resolve({
        other: draft.text,
        otherName: 'Your draft',
        close: {
          label: isEditing ? 'Finish the merge' : 'Back to the text',
          run: () => {
            this.#finish();
            if (isEditing) this.#options.onMerged();
          },
        },
      }),
    );
  }

  end(): void {
    this.#shown?.dispose();
    this.#shown = this.#subject = undefined;
    this.#options.editor.element.hidden = false;
  }

  #finish(): void {
    this.end();
    this.#options.onChange();
  }

  async #begin(
    subject: Subject,
    read: () => Promise<Omit<ComparisonOptions, 'text' | 'textName' | 'onTake'>>,
  ): Promise<void> {
    const { editor, body, onChange } = this.#options;
    this.end();
    this.#subject = subject;
    try {
      const [{ Comparison: Made }, options] = await Promise.all([import('./compare'), read()]);
      if (this.#subject !== subject) return;
      const isEditing = subject.file.mode === 'editing';
      this.#shown = new Made({
        ...options,
        text: editor.text,
        textName: isEditing ? 'Your text' : 'The stored text',
        onTake: isEditing ? (text) => editor.replaceText(text) : undefined,
      });
      body.prepend(this.#shown.element);
      editor.element.hidden = true;
      this.#shown.focus();
    } catch (error) {
      if (this.#subject !== subject) return;
      this.end();
      showToast({ kind: 'error', text: problemOf(error).title });
    }
    onChange();
  }
}
