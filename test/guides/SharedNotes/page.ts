import { EditorState, StateEffect } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import { Client } from '@dunlin/client';
import { DocumentProvider } from '@dunlin/client/yjs';
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next';
import { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';

const { userId } = (await (await fetch('/api/me')).json()) as { userId: string };
const client = new Client({ user: userId });
const doc = new Y.Doc();
const awareness = new Awareness(doc);
awareness.setLocalStateField('user', { name: userId, color: '#14665c', colorLight: '#14665c33' });
const provider = new DocumentProvider({ client, doc, awareness, topic: 'notes/1', compactAfter: 50 });

const text = doc.getText('text');
const undoManager = new Y.UndoManager(text); // takes back the edits of this page only
const view = new EditorView({
  parent: document.querySelector('#editor')!,
  state: EditorState.create({
    doc: text.toJSON(),
    extensions: [
      keymap.of(yUndoManagerKeymap),
      EditorView.lineWrapping,
      yCollab(text, awareness, { undoManager }),
    ],
  }),
});

provider.subscribe(() => {
  const { name, hasUnsent, isReadOnly, isLoaded } = provider.get();
  const word = isReadOnly ? 'read only' : hasUnsent ? 'not saved yet' : isLoaded ? 'saved' : '';
  document.querySelector('#status')!.textContent = `${name} ${word}`.trim();
  if (isReadOnly) view.dispatch({ effects: StateEffect.appendConfig.of(EditorState.readOnly.of(true)) });
});
