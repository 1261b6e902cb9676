import { keymap } from '@codemirror/view';
import type { Extension } from '@codemirror/state';
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next';
import type { SharedText } from '../state/sharedText';

/** Binds the editor to a shared text, with the cursors of the other users. Loaded with the first shared draft. */
export function sharedEditing({ text, awareness, undoManager }: SharedText): Extension {
  return [keymap.of(yUndoManagerKeymap), yCollab(text, awareness, { undoManager })];
}
