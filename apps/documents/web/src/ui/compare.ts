import { getChunks, getOriginalDoc, MergeView, unifiedMergeView, type Chunk } from '@codemirror/merge';
import { EditorState, Text, type Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { element, icon, type IconName } from '@dunlin/kit';
import { lineBreakOf, look } from './editor';

const NARROW = '(max-width: 860px)';

export interface ComparisonOptions {
  readonly other: string;
  readonly otherName: string;
  readonly text: string;
  readonly textName: string;
  /** Receives the text after a change of the other text was taken into it. Undefined: nothing can be taken. */
  readonly onTake?: ((text: string) => void) | undefined;
  readonly close: { readonly label: string; run(): void };
}

/** A comparison of two texts: side by side, or one text with marked changes on narrow pages. */
export class Comparison {
  readonly element: HTMLElement;
  readonly #options: ComparisonOptions;
  readonly #view: EditorView;
  readonly #other: () => Text;
  readonly #destroy: () => void;
  readonly #count = element('span', {
    className: 'comparison-count',
    attributes: { role: 'status' },
  });
  readonly #previous = tool('up', 'Previous change', () => this.#step(-1));
  readonly #next = tool('down', 'Next change', () => this.#step(1));
  readonly #take = tool('check', 'Take this change', () => this.#takeChange());
  /** Index of the current change. Undefined before the first step. */
  #at: number | undefined;
  #isBuilt = false;

  constructor(options: ComparisonOptions) {
    this.#options = options;
    const { other, otherName, text, textName, onTake, close } = options;
    const isNarrow = matchMedia(NARROW).matches;
    const texts = element('div', {
      className: 'comparison-texts',
      tabIndex: 0,
      attributes: { role: 'region', 'aria-label': `${otherName} and ${textName}` },
    });
    const collapseUnchanged = { margin: 3, minSize: 6 };
    const counted = EditorView.updateListener.of(({ docChanged, view }) => {
      if (docChanged) onTake?.(view.state.sliceDoc());
      if (this.#isBuilt) this.#showCount();
    });
    if (isNarrow) {
      const merge = unifiedMergeView({ original: other, mergeControls: false, collapseUnchanged });
      const extensions = [fixed(text, textName), merge, counted];
      const view = new EditorView({ doc: text, extensions, parent: texts });
      [this.#view, this.#other, this.#destroy] = [
        view,
        () => getOriginalDoc(view.state),
        () => view.destroy(),
      ];
    } else {
      const view = new MergeView({
        a: { doc: other, extensions: fixed(other, otherName) },
        b: { doc: text, extensions: [fixed(text, textName), counted] },
        parent: texts,
        collapseUnchanged,
        gutter: true,
        ...(onTake ? { revertControls: 'a-to-b' as const, renderRevertControl } : {}),
      });
      [this.#view, this.#other, this.#destroy] = [view.b, () => view.a.state.doc, () => view.destroy()];
    }
    this.#take.hidden = !onTake;
    const end = element('button', {
      type: 'button',
      className: 'button button-small',
      textContent: close.label,
      onclick: () => close.run(),
    });
    this.element = element(
      'section',
      { className: 'comparison', attributes: { 'aria-label': 'Comparison' } },
      element(
        'div',
        { className: 'comparison-bar', attributes: { role: 'toolbar', 'aria-label': 'Changes' } },
        this.#count,
        this.#previous,
        this.#next,
        this.#take,
        end,
      ),
      element(
        'div',
        { className: 'comparison-names' },
        element('span', { textContent: otherName }),
        element('span', { textContent: textName }),
      ),
      texts,
    );
    this.#isBuilt = true;
    this.#showCount();
  }

  focus(): void {
    this.#next.focus();
  }

  dispose(): void {
    this.#destroy();
    this.element.remove();
  }

  get #chunks(): readonly Chunk[] {
    return getChunks(this.#view.state)?.chunks ?? [];
  }

  #step(by: 1 | -1): void {
    const { length } = this.#chunks;
    if (length === 0) return;
    const start = by === 1 ? -1 : 0;
    this.#go(((this.#at ?? start) + by + length) % length);
  }

  #go(index: number): void {
    const chunk = this.#chunks[index]!;
    const { length } = this.#view.state.doc;
    this.#at = index;
    this.#view.dispatch({
      selection: { anchor: Math.min(chunk.fromB, length), head: Math.min(chunk.endB, length) },
      effects: EditorView.scrollIntoView(Math.min(chunk.fromB, length), { y: 'center' }),
    });
  }

  #takeChange(): void {
    const { state } = this.#view;
    const chunk = this.#chunks[this.#at ?? 0];
    if (!chunk || !this.#options.onTake) return;
    this.#view.dispatch({ changes: takenChange(chunk, this.#other(), state.doc) });
    const { length } = this.#chunks;
    if (length > 0) this.#go(Math.min(this.#at ?? 0, length - 1));
  }

  #showCount(): void {
    const { length } = this.#chunks;
    if (this.#at !== undefined && this.#at >= length) this.#at = undefined;
    const all = length === 1 ? '1 change' : `${length} changes`;
    this.#count.textContent =
      length === 0 ? 'No differences' : this.#at === undefined ? all : `Change ${this.#at + 1} of ${length}`;
    this.#previous.disabled = this.#next.disabled = this.#take.disabled = length === 0;
  }
}

/** Returns the change that puts a chunk of the other text into the text. A chunk ends behind its line break, except in the last line. */
export function takenChange(
  chunk: Chunk,
  other: Text,
  text: Text,
): { from: number; to: number; insert: Text } {
  const insert = other.slice(chunk.fromA, Math.max(chunk.fromA, chunk.toA - 1));
  const hasBreak = chunk.fromA !== chunk.toA && chunk.toB <= text.length;
  return {
    from: chunk.fromB,
    to: Math.min(text.length, chunk.toB),
    insert: hasBreak ? insert.append(Text.of(['', ''])) : insert,
  };
}

function fixed(text: string, name: string): Extension {
  return [
    EditorState.lineSeparator.of(lineBreakOf(text)),
    look,
    EditorState.readOnly.of(true),
    EditorView.editable.of(false),
    EditorView.contentAttributes.of({ 'aria-label': name, tabindex: '0', 'aria-readonly': 'true' }),
  ];
}

// For the pointer only: the toolbar has the same command for everybody.
function renderRevertControl(): HTMLElement {
  const control = element('span', {
    className: 'take-change',
    title: 'Take this change',
    attributes: { 'aria-hidden': 'true' },
  });
  control.append(icon('right'));
  return control;
}

function tool(name: IconName, label: string, run: () => void): HTMLButtonElement {
  const button = element('button', {
    type: 'button',
    className: 'button button-small',
    title: label,
    attributes: { 'aria-label': label },
    onclick: run,
  });
  button.append(icon(name));
  return button;
}
