import type { Client } from '@dunlin/client';
import { DocumentProvider } from '@dunlin/client/yjs';
import { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import type { SharedDraft } from '../api/types';
import { personOf, type Person } from './person';

const MAX_NAME = 60;

/** A shared text: the Yjs document, the connection with the server, and the cursors. Loaded with the first shared draft. */
export class SharedText {
  readonly provider: DocumentProvider;
  readonly awareness: Awareness;
  readonly text: Y.Text;
  /** Takes back the edits of this page only. */
  readonly undoManager: Y.UndoManager;
  readonly lineBreak: SharedDraft['line_break'];
  /** Whether the editor shows it. */
  isShown = false;
  readonly #doc = new Y.Doc();

  /** `userName` is undefined if the user may only read: readers have no cursor. */
  constructor(options: { client: Client; draft: SharedDraft; userName: string | undefined }) {
    const { client, draft, userName } = options;
    this.lineBreak = draft.line_break;
    this.text = this.#doc.getText('text');
    this.undoManager = new Y.UndoManager(this.text);
    this.awareness = new Awareness(this.#doc);
    // The editor listens later, so it sees only what this made safe.
    this.awareness.on('change', () => this.#makeSafe());
    if (userName === undefined) this.awareness.setLocalState(null);
    else this.awareness.setLocalStateField('user', personOf(userName));
    this.provider = new DocumentProvider({
      client,
      doc: this.#doc,
      awareness: this.awareness,
      topic: draft.topic,
      path: '/api/v1/shared-drafts',
    });
  }

  get people(): readonly string[] {
    const names = [...this.awareness.getStates().values()].map((state) => (state['user'] as Person).name);
    return [...new Set(names)].sort((one, other) => one.localeCompare(other));
  }

  onPeople(listener: () => void): void {
    this.awareness.on('change', listener);
  }

  dispose(): void {
    this.provider.dispose();
    this.awareness.destroy();
    this.undoManager.destroy();
    this.#doc.destroy();
  }

  // Other pages choose what they send, and the editor trusts it: it writes the colour into a style attribute.
  #makeSafe(): void {
    for (const state of this.awareness.getStates().values()) {
      const { name } = (state['user'] ?? {}) as Partial<Person>;
      state['user'] = personOf(typeof name === 'string' ? name.slice(0, MAX_NAME) : '?');
      if (!this.#isPlace(state['cursor'])) state['cursor'] = null;
    }
  }

  // A place that Yjs cannot resolve would stop the editor from showing any cursor.
  #isPlace(cursor: unknown): boolean {
    const { anchor, head } = (cursor ?? {}) as { anchor?: unknown; head?: unknown };
    try {
      for (const end of [anchor, head])
        Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(end), this.#doc);
      return true;
    } catch {
      return false;
    }
  }
}
