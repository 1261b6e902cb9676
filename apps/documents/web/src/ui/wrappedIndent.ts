import { RangeSetBuilder, type Extension } from '@codemirror/state';
import {
  Decoration,
  ViewPlugin,
  type DecorationSet,
  type EditorView,
  type ViewUpdate,
} from '@codemirror/view';

/** The padding of a line in CodeMirror's base theme, in pixels. */
const LINE_PADDING = 6;
/** Deeper indents would leave no room on a phone, in columns. */
const MAX_COLUMNS = 40;

/** Lets the wrapped part of a line begin at the indent of the line. */
export const wrappedIndent: Extension = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;

    constructor(view: EditorView) {
      this.decorations = decorate(view);
    }

    update({ docChanged, viewportChanged, view }: ViewUpdate): void {
      if (docChanged || viewportChanged) this.decorations = decorate(view);
    }
  },
  { decorations: ({ decorations }) => decorations },
);

function decorate(view: EditorView): DecorationSet {
  const { state } = view;
  const builder = new RangeSetBuilder<Decoration>();
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to;) {
      const line = state.doc.lineAt(at);
      const columns = indentOf(line.text, state.tabSize);
      if (columns > 0) builder.add(line.from, line.from, ofColumns(columns));
      at = line.to + 1;
    }
  }
  return builder.finish();
}

/** Returns the width of the leading white space in columns. */
export function indentOf(text: string, tabSize: number): number {
  let columns = 0;
  for (const character of text) {
    if (character === ' ') columns++;
    else if (character === '\t') columns += tabSize - (columns % tabSize);
    else break;
  }
  return Math.min(columns, MAX_COLUMNS);
}

const decorations = new Map<number, Decoration>();

function ofColumns(columns: number): Decoration {
  const known = decorations.get(columns);
  if (known) return known;
  const style = `text-indent: -${columns}ch; padding-left: calc(${LINE_PADDING}px + ${columns}ch)`;
  const made = Decoration.line({ attributes: { style } });
  decorations.set(columns, made);
  return made;
}
