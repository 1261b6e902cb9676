import { problemOf, type Client, type Problem } from '@dunlin/client';
import type { SharedDraft } from '../api/types';
import type { SharedText } from './sharedText';

/** What the page shows about the shared draft of the open file. Immutable. */
export interface SharedState {
  /** `synced`: edits arrive and are sent. Without a connection the user continues to type. */
  readonly name: 'connecting' | 'synced' | 'ended';
  /** Whether the server has all edits of this page. */
  readonly isSent: boolean;
  /** Whether the shared text differs from the stored one. */
  readonly isDirty: boolean;
  /** Whether some of that difference was typed on this page. */
  readonly hasEdits: boolean;
  /** Whether this user has the right to edit. Others read along. */
  readonly mayEdit: boolean;
  /** Whether this user can edit now. */
  readonly canEdit: boolean;
  /** Why the draft cannot be reached, or why the server refuses edits. */
  readonly problem?: Problem | undefined;
  /** Names of the users who edit, this one included, in alphabetical order. */
  readonly people: readonly string[];
}

/** The part of the editor that shows a shared text. */
export interface SharedPane {
  readonly text: string;
  /** Shows a shared text, or ends that. */
  share(shared: SharedText | undefined): Promise<void>;
  replaceText(text: string): void;
  setEditable(editable: boolean): void;
}

export interface SharingOptions {
  readonly client: Client;
  readonly pane: SharedPane;
  readonly userName: string | undefined;
}

export interface JoinOptions {
  readonly draft: SharedDraft;
  /** The stored text, with which the shared one is compared. */
  readonly stored: string;
  readonly canEdit: boolean;
  /** Unsaved text of the user who started the draft, based on `stored`. */
  readonly carried: string | undefined;
  readonly onChange: (state: SharedState) => void;
  /** The carried text is in the shared text. */
  readonly onCarried: () => void;
}

/** Milliseconds between an edit and the comparison with the stored text. */
const COMPARE_MS = 250;

/** One page's part in a shared draft. Yjs is loaded with the first one. */
export class Sharing {
  readonly #options: SharingOptions;
  readonly #join: JoinOptions;
  #shared: SharedText | undefined;
  #stored: string;
  #state: SharedState;
  #isLeft = false;
  #isCarried = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #leavers = new Set<() => void>();

  constructor(options: SharingOptions, join: JoinOptions) {
    this.#options = options;
    this.#join = join;
    this.#stored = join.stored;
    const { canEdit } = join;
    const nothing = { isSent: true, isDirty: false, hasEdits: false, people: [] };
    this.#state = { ...nothing, name: 'connecting', mayEdit: canEdit, canEdit };
    void this.#begin().catch(this.#failed);
  }

  get state(): SharedState {
    return this.#state;
  }

  /** Another text is stored now. */
  setStored(stored: string): void {
    this.#stored = stored;
    this.#compare();
  }

  /** Resolves when the server has all edits of this page; `false` if it cannot be reached, refuses them, or the page leaves. */
  whenSent(): Promise<boolean> {
    return new Promise((resolve) => {
      const provider = this.#shared?.provider;
      const settled = () => {
        const { name, hasUnsent, problem } = provider?.get() ?? {};
        if (name === 'synced' && hasUnsent && !problem && !this.#isLeft) return;
        cancel?.();
        this.#leavers.delete(settled);
        resolve(name === 'synced' && !hasUnsent);
      };
      const cancel = provider?.subscribe(settled);
      this.#leavers.add(settled);
      settled();
    });
  }

  /** Sends unsent edits once more, and leaves the draft. */
  leave(): void {
    this.#isLeft = true;
    clearTimeout(this.#timer);
    for (const leave of [...this.#leavers]) leave();
    void this.#options.pane.share(undefined);
    this.#shared?.dispose();
  }

  /** Leaves a draft that this page has ended. The user wanted its text to be discarded. */
  discard(): void {
    if (this.#isLeft) return;
    this.#set({ isSent: true, isDirty: false, hasEdits: false });
    this.leave();
    this.#options.pane.setEditable(false);
  }

  async #begin(): Promise<void> {
    const { client, userName } = this.#options;
    const { draft, canEdit } = this.#join;
    const { SharedText: Made } = await import('./sharedText');
    if (this.#isLeft) return;
    const shared = new Made({ client, draft, userName: canEdit ? (userName ?? '?') : undefined });
    this.#shared = shared;
    const changed = () => void this.#changed().catch(this.#failed);
    shared.provider.subscribe(changed);
    shared.onPeople(changed);
    shared.text.observe((_, { local }) => {
      clearTimeout(this.#timer);
      // At once: the user who ends the draft must be asked about this edit.
      if (shared.isShown && !this.#isLeft)
        this.#set({ isDirty: true, hasEdits: this.#state.hasEdits || local });
      this.#timer = setTimeout(() => this.#compare(), COMPARE_MS);
    });
    await this.#changed();
  }

  async #changed(): Promise<void> {
    const shared = this.#shared;
    if (!shared || this.#isLeft) return;
    const { name, hasUnsent, isReadOnly, isLoaded, problem } = shared.provider.get();
    const { pane } = this.#options;
    const canEdit = this.#join.canEdit && !isReadOnly && name !== 'refused';
    if (isLoaded && !shared.isShown) {
      // The stored text stays displayed until the shared one has arrived.
      shared.isShown = true;
      await pane.share(shared);
      if (this.#isLeft) return;
      pane.setEditable(canEdit);
      this.#carry();
      this.#compare();
    } else if (shared.isShown && canEdit !== this.#state.canEdit) pane.setEditable(canEdit);
    const ended = name === 'refused' ? 'ended' : 'connecting';
    this.#set({
      name: name === 'synced' ? name : ended,
      isSent: !hasUnsent,
      canEdit,
      problem,
      people: shared.people,
    });
  }

  // Only onto the text that it is based on: the edits of other users must not be taken back.
  #carry(): void {
    const { carried, stored, onCarried } = this.#join;
    if (carried === undefined || this.#isCarried || this.#options.pane.text !== stored) return;
    this.#isCarried = true;
    this.#options.pane.replaceText(carried);
    onCarried();
  }

  #compare(): void {
    if (this.#isLeft || !this.#shared?.isShown) return;
    const isDirty = this.#options.pane.text !== this.#stored;
    this.#set({ isDirty, hasEdits: isDirty && this.#state.hasEdits });
  }

  // A part of the page could not be loaded.
  readonly #failed = (error: unknown): void => {
    if (!this.#isLeft) this.#set({ name: 'ended', canEdit: false, problem: problemOf(error) });
  };

  #set(change: Partial<SharedState>): void {
    const next = { ...this.#state, ...change };
    if (JSON.stringify(next) === JSON.stringify(this.#state)) return;
    this.#state = next;
    this.#join.onChange(next);
  }
}
