import { MergeView, unifiedMergeView } from '@codemirror/merge';
import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { look } from './editor';

const NARROW = '(max-width: 860px)';

export interface Comparison {
  readonly element: HTMLElement;
  dispose(): void;
}

/** Creates a read-only comparison: two texts side by side, or one text with marked changes on narrow pages. */
export function compare(before: string, after: string): Comparison {
  const fixed = [look, EditorState.readOnly.of(true), EditorView.editable.of(false)];
  const collapseUnchanged = { margin: 3, minSize: 6 };
  const element = document.createElement('div');
  element.className = 'comparison';
  if (matchMedia(NARROW).matches) {
    const merge = unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged });
    const view = new EditorView({ doc: after, extensions: [fixed, merge], parent: element });
    return { element, dispose: () => view.destroy() };
  }
  const view = new MergeView({
    a: { doc: before, extensions: fixed },
    b: { doc: after, extensions: fixed },
    parent: element,
    collapseUnchanged,
    gutter: true,
  });
  return { element, dispose: () => view.destroy() };
}
