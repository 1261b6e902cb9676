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
import type { SharedText } from '../state/sharedText';
import type { Fault } from '../state/words';
import './editor.css';
import { faultField, schemaSupport, setFault } from './schemaSupport';
import { wrappedIndent } from './wrappedIndent';

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
  wrappedIndent,
  drawSelection(),
];

/** Texts of the search panel. */
const PHRASES = {
  next: 'Next',
  previous: 'Previous',
  all: 'Select all',
  'match case': 'Match case',
  regexp: 'Regular expression',
  'by word': 'Whole words',
  replace: 'Replace',
  'replace all': 'Replace all',
  close: 'Close the search',
};

export interface EditorOptions {
  readonly onEdit: () => void;
  readonly onSave: () => void;
}

/** A shared text, and the extension that binds the editor to it. */
interface Shared {
  readonly shared: SharedText;
  readonly editing: Extension;
}

/** The XML editor. It changes only the characters that the user edits; line endings stay as they are. */
export class XmlEditor implements Omit<TextPane, 'load' | 'share'> {
  readonly #parent: HTMLElement;
  readonly #view: EditorView;
  readonly #options: EditorOptions;
  readonly #access = new Compartment();
  #isEditable = false;
  #isOurs = false;
  #shared: Shared | undefined;

  /** `parent` is marked with `data-editor`: whether the text is editable. */
  constructor(options: EditorOptions, parent: HTMLElement) {
    this.#options = options;
    this.#parent = parent;
    this.#view = new EditorView({ state: this.#state(''), parent });
    this.setEditable(false);
  }

  get text(): string {
    const text = this.#view.state.sliceDoc();
    return this.#shared?.shared.lineBreak === 'crlf' ? text.replace(/\r?\n/g, '\r\n') : text;
  }

  /** Edits a shared text, which has line feeds only. Its history has the edits of this page. */
  share(shared: Shared | undefined): void {
    if (!shared && !this.#shared) return;
    const { text } = this;
    this.#shared = shared;
    const { head } = this.#view.state.selection.main;
    this.#isOurs = true;
    this.#view.setState(this.#state(shared ? shared.shared.text.toJSON() : text, head));
    this.#isOurs = false;
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

  replaceText(text: string): void {
    const { state } = this.#view;
    if (!this.#shared && lineBreakOf(text) !== state.lineBreak) {
      this.setText(text);
      this.#options.onEdit();
      return;
    }
    const isJoined = this.#shared?.shared.lineBreak === 'crlf';
    const given = isJoined ? text.replaceAll('\r\n', '\n') : text;
    const [before, after] = [state.doc.toString(), state.toText(given)];
    const { from, to, end } = differenceOf(before, after.toString());
    if (from === to && from === end) return;
    this.#view.dispatch({ changes: { from, to, insert: after.slice(from, end) }, userEvent: 'input' });
  }

  setEditable(editable: boolean): void {
    this.#isEditable = editable;
    this.#parent.dataset['editor'] = editable ? 'editable' : 'readonly';
    this.#view.dispatch({ effects: this.#access.reconfigure(this.#accessNow()) });
  }

  showFault(fault: Fault | undefined): void {
    const { doc } = this.#view.state;
    if (!fault) {
      if (this.#view.state.field(faultField)) this.#view.dispatch({ effects: setFault.of(undefined) });
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
    this.#view.dispatch({ effects: setFault.of(mark) });
    // The check follows after a delay.
    this.#view.dispatch(setDiagnostics(this.#view.state, [mark]));
    this.#view.dispatch({
      selection: { anchor: from },
      effects: EditorView.scrollIntoView(from, { y: 'center' }),
    });
  }

  /** Selects a place of the text and scrolls to it. Line and column are one-based. */
  reveal(line: number, column: number, length: number): void {
    const { doc } = this.#view.state;
    const { from, to } = doc.line(Math.min(Math.max(1, line), doc.lines));
    const anchor = Math.min(from + Math.max(0, column - 1), to);
    this.#view.dispatch({
      selection: { anchor, head: Math.min(anchor + length, to) },
      effects: EditorView.scrollIntoView(anchor, { y: 'center' }),
    });
    this.#view.focus();
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
    const shared = this.#shared;
    return EditorState.create({
      doc: text,
      selection: { anchor: Math.min(head, text.length - (shared ? 0 : linesOf(text))) },
      extensions: [
        EditorState.lineSeparator.of(shared ? '\n' : lineBreakOf(text)),
        look,
        highlightActiveLineGutter(),
        highlightActiveLine(),
        foldGutter(),
        shared ? shared.editing : history(),
        indentOnInput(),
        bracketMatching(),
        highlightSelectionMatches(),
        search({ top: true }),
        lintGutter(),
        schemaSupport,
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
          ...(shared ? [] : historyKeymap),
          ...foldKeymap,
        ]),
        EditorState.phrases.of(PHRASES),
        EditorView.contentAttributes.of({ 'aria-label': 'Text of the document, XML', tabindex: '0' }),
        EditorView.clipboardInputFilter.of((pasted, { lineBreak }) => withLineBreaks(pasted, lineBreak)),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !this.#isOurs && !shared) this.#options.onEdit();
        }),
        this.#access.of(this.#accessNow()),
      ],
    });
  }

  #accessNow(): Extension {
    return [
      EditorState.readOnly.of(!this.#isEditable),
      EditorView.editable.of(this.#isEditable),
      // Focusable when read-only too, so that the keyboard can scroll and select it.
      EditorView.contentAttributes.of({
        tabindex: '0',
        ...(this.#isEditable ? {} : { 'aria-readonly': 'true' }),
      }),
    ];
  }
}

/** Returns the part that differs: `from` to `to` of the first text, `from` to `end` of the second. */
export function differenceOf(before: string, after: string): { from: number; to: number; end: number } {
  const shortest = Math.min(before.length, after.length);
  let from = 0;
  while (from < shortest && before[from] === after[from]) from++;
  let [to, end] = [before.length, after.length];
  while (to > from && end > from && before[to - 1] === after[end - 1]) [to, end] = [to - 1, end - 1];
  return { from, to, end };
}

/** Returns the line separator that preserves the text. Lone line feeds are kept only when the separator is a line feed. */
export function lineBreakOf(text: string): string {
  return text.includes('\r\n') && !/(^|[^\r])\n/.test(text) ? '\r\n' : '\n';
}

/** Returns a pasted text with the line breaks of the document. The clipboard has those of the operating system. */
export function withLineBreaks(pasted: string, lineBreak: string): string {
  return pasted.replace(/\r\n?|\n/g, lineBreak);
}

// In the editor every line break counts as one character.
function linesOf(text: string): number {
  return lineBreakOf(text) === '\n' ? 0 : text.split('\r\n').length - 1;
}
