import type { ConnectionState } from '@dunlin/client';
import { element } from './dom';
import { createRetry } from './gate';
import { createHeader, type Header } from './header';
import type { Session, SessionState, User } from './session';
import { createSignInForm, requireSignIn } from './signIn';
import { kitWord, onKitWords } from './words';

/** Changes of a page that the server has not confirmed. */
export interface Unsent {
  readonly count: () => number;
  /** Sends them now. Called before the user signs out. */
  readonly flush?: (() => Promise<void>) | undefined;
}

/**
 * The session of one user in one page, until the user signs out or leaves the page. `Who` is undefined for a visitor without a session.
 */
export class PageSession<Who extends User | undefined = User> {
  readonly user: Who;
  /** The element for the content of the page, below the header. */
  readonly root = element('div', { className: 'page-body', tabIndex: -1 });
  readonly #session: Session;
  readonly #header: Header;
  readonly #skip = element('button', { type: 'button', className: 'button skip' });
  readonly #stopWords: () => void;
  #unsent: Unsent = { count: () => 0 };

  constructor(session: Session, user: Who, title: () => string | undefined) {
    this.#session = session;
    this.user = user;
    this.#header = createHeader({
      title,
      session,
      unsent: () => this.unsentCount,
      flush: () => this.#unsent.flush?.() ?? Promise.resolve(),
    });
    // Not a link to a fragment: the pages follow changes of the address.
    this.#skip.onclick = () => this.root.focus();
    const showWords = () => (this.#skip.textContent = kitWord('skip'));
    showWords();
    this.#stopWords = onKitWords(showWords);
  }

  /** The element in the header for controls of the page. */
  get tools(): HTMLElement {
    return this.#header.tools;
  }

  get state(): SessionState {
    return this.#session.state;
  }

  /** `localStorage`, or undefined when the browser blocks it. */
  get storage(): Storage | undefined {
    try {
      return localStorage;
    } catch {
      return undefined;
    }
  }

  get unsentCount(): number {
    return this.#unsent.count();
  }

  /** Adds the header and the root to an element. */
  mount(place: HTMLElement): void {
    place.className = 'page';
    place.append(this.#skip, this.#header.element, this.root);
  }

  /** Removes the listeners of the header. The page has its own stop function. */
  dispose(): void {
    this.#stopWords();
    this.#header.dispose();
  }

  /** Renews the session, for `ClientOptions.refresh`. Resolves with `false` when it has ended. */
  readonly refresh = (): Promise<boolean> => this.#session.refresh();

  /** Reports that the server refused the session. Stops the page before it returns. */
  readonly end = (reason?: string): void => this.#session.markSignedOut(reason);

  /** Asks the server for the signed-in user. Rejects when the server cannot be reached. */
  check(): Promise<User | undefined> {
    return this.#session.load();
  }

  /** Signs the user out and stops the page. Rejects when the server cannot be reached. */
  signOut(): Promise<void> {
    return this.#session.signOut();
  }

  /** Shows a sign-in dialog over the page. Resolves when a user has signed in. */
  requireSignIn(reason?: string): Promise<User> {
    return requireSignIn(this.#session, reason);
  }

  /** Creates the reason why the server could not be reached, with a button that tries again. Empty in all other states. */
  createRetry(): HTMLElement[] {
    const { state } = this.#session;
    return state.name === 'unreachable' ? createRetry(this.#session, state.problem) : [];
  }

  /** Creates a sign-in form. */
  createSignInForm(): HTMLElement {
    return createSignInForm(this.#session);
  }

  /** Adds a listener for changes of the state. Returns a function that removes it. */
  subscribe(listener: () => void): () => void {
    return this.#session.subscribe(listener);
  }

  /** Sets the connection state in the header. Undefined hides it. */
  showConnection(state: ConnectionState | undefined): void {
    this.#header.setConnection(state);
  }

  /** Sets the source of unsent changes, which are counted and sent before the user signs out. */
  trackUnsent(unsent: Unsent): void {
    this.#unsent = unsent;
  }
}
