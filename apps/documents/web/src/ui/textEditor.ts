import { element } from '@dunlin/kit';
import type { TextPane } from '../state/openFile';
import type { SharedText } from '../state/sharedText';
import type { Fault } from '../state/words';
import type { EditorOptions, XmlEditor } from './editor';

/** The place of the editor. CodeMirror is loaded with the first document, so the list appears without it. */
export class TextEditor implements TextPane {
  readonly element = element('div', { className: 'xml-editor', data: { editor: 'readonly' } });
  readonly #options: EditorOptions;
  #editor: XmlEditor | undefined;
  #isDestroyed = false;

  constructor(options: EditorOptions) {
    this.#options = options;
  }

  async load(): Promise<void> {
    const { XmlEditor: Editor } = await import('./editor');
    if (!this.#isDestroyed) this.#editor ??= new Editor(this.#options, this.element);
  }

  get text(): string {
    return this.#editor?.text ?? '';
  }

  setText(text: string): void {
    this.#editor?.setText(text);
  }

  replaceText(text: string): void {
    this.#editor?.replaceText(text);
  }

  setEditable(editable: boolean): void {
    this.#editor?.setEditable(editable);
  }

  showFault(fault: Fault | undefined): void {
    this.#editor?.showFault(fault);
  }

  reveal(line: number, column: number, length: number): void {
    this.#editor?.reveal(line, column, length);
  }

  async share(shared: SharedText | undefined): Promise<void> {
    if (!shared) return this.#editor?.share(undefined);
    const { sharedEditing } = await import('./sharedEditing');
    if (!this.#isDestroyed) this.#editor?.share({ shared, editing: sharedEditing(shared) });
  }

  clear(): void {
    this.#editor?.clear();
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#editor?.destroy();
  }
}
