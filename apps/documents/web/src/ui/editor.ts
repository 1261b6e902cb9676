import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { xml } from '@codemirror/lang-xml';
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  syntaxHighlighting,
} from '@codemirror/language';
import { lintGutter, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import type { TextPane } from '../state/openFile';
import type { Fault } from '../state/words';

const colours = HighlightStyle.define([
  { tag: tags.tagName, color: 'var(--xml-tag)' },
  { tag: tags.angleBracket, color: 'var(--xml-bracket)' },
  { tag: tags.attributeName, color: 'var(--xml-name)' },
  { tag: tags.attributeValue, color: 'var(--xml-value)' },
  { tag: tags.comment, color: 'var(--muted)', fontStyle: 'italic' },
  { tag: [tags.processingInstruction, tags.documentMeta], color: 'var(--muted)' },
  { tag: tags.character, color: 'var(--xml-value)' },
  { tag: tags.invalid, color: 'var(--bad)' },
]);

/** The appearance of every view of a text, editable or not. */
export const look: Extension = [
  lineNumbers(),
  xml(),
  syntaxHighlighting(colours),
  EditorView.lineWrapping,
  drawSelection(),
];

export interface EditorOptions {
  readonly onEdit: () => void;
  readonly onSave: () => void;
}

/** The XML editor. It changes only the characters that the user edits; line endings stay as they are. */
export class XmlEditor implements TextPane {
  readonly element: HTMLElement;
  readonly #view: EditorView;
  readonly #options: EditorOptions;
  readonly #access = new Compartment();
  #isEditable = false;
  #isOurs = false;

  constructor(options: EditorOptions) {
    this.#options = options;
    this.#view = new EditorView({ state: this.#state('') });
    this.element = document.createElement('div');
    this.element.className = 'xml-editor';
    this.element.append(this.#view.dom);
    this.setEditable(false);
  }

  get text(): string {
    return this.#view.state.sliceDoc();
  }

  setText(text: string): void {
    if (text === this.text && this.#view.state.lineBreak === lineBreakOf(text)) return;
    const { scrollTop } = this.#view.scrollDOM;
    const { head } = this.#view.state.selection.main;
    this.#isOurs = true;
    this.#view.setState(this.#state(text, head));
    this.#isOurs = false;
    this.#view.scrollDOM.scrollTop = scrollTop;
  }

  setEditable(editable: boolean): void {
    this.#isEditable = editable;
    this.element.dataset['editor'] = editable ? 'editable' : 'readonly';
    this.#view.dispatch({ effects: this.#access.reconfigure(this.#accessNow()) });
  }

  showFault(fault: Fault | undefined): void {
    const { doc } = this.#view.state;
    if (!fault) {
      this.#view.dispatch(setDiagnostics(this.#view.state, []));
      return;
    }
    const line = doc.line(Math.min(Math.max(1, fault.line), doc.lines));
    const from = Math.min(line.from + Math.max(0, fault.column - 1), line.to);
    const message = `Line ${fault.line}, column ${fault.column}: ${fault.reason}`;
    const mark = {
      from,
      to: Math.max(from, Math.min(from + 1, line.to)),
      severity: 'error' as const,
      message,
    };
    this.#view.dispatch(setDiagnostics(this.#view.state, [mark]));
    this.#view.dispatch({
      selection: { anchor: from },
      effects: EditorView.scrollIntoView(from, { y: 'center' }),
    });
  }

  clear(): void {
    this.setText('');
    this.showFault(undefined);
    this.setEditable(false);
  }

  destroy(): void {
    this.#view.destroy();
  }

  focus(): void {
    this.#view.focus();
  }

  #state(text: string, head = 0): EditorState {
    return EditorState.create({
      doc: text,
      selection: { anchor: Math.min(head, text.length - linesOf(text)) },
      extensions: [
        EditorState.lineSeparator.of(lineBreakOf(text)),
        look,
        highlightActiveLineGutter(),
        highlightActiveLine(),
        foldGutter(),
        history(),
        indentOnInput(),
        bracketMatching(),
        highlightSelectionMatches(),
        search({ top: true }),
        lintGutter(),
        keymap.of([
          {
            key: 'Mod-s',
            run: () => {
              this.#options.onSave();
              return true;
            },
          },
          ...defaultKeymap,
          ...searchKeymap,
          ...historyKeymap,
          ...foldKeymap,
        ]),
        EditorView.contentAttributes.of({ 'aria-label': 'Text of the document, XML', tabindex: '0' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !this.#isOurs) this.#options.onEdit();
        }),
        this.#access.of(this.#accessNow()),
      ],
    });
  }

  #accessNow(): Extension {
    return [
      EditorState.readOnly.of(!this.#isEditable),
      EditorView.editable.of(this.#isEditable),
      // Makes a read-only text focusable, so that the keyboard can scroll and select it.
      this.#isEditable ? [] : EditorView.contentAttributes.of({ tabindex: '0', 'aria-readonly': 'true' }),
    ];
  }
}

/** Returns the line separator that preserves the text. Lone line feeds are kept only when the separator is a line feed. */
export function lineBreakOf(text: string): string {
  return text.includes('\r\n') && !/(^|[^\r])\n/.test(text) ? '\r\n' : '\n';
}

// In the editor every line break counts as one character.
function linesOf(text: string): number {
  return lineBreakOf(text) === '\n' ? 0 : text.split('\r\n').length - 1;
}
