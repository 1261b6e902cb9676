import type { ConnectionState } from '@dunlin/client';
import { element } from './dom';
import { createHeader, type Header } from './header';
import type { Session, SessionState, User } from './session';
import { createSignInForm, requireSignIn } from './signIn';

/** Changes of a page that the server has not confirmed. */
export interface Unsent {
  readonly count: () => number;
  /** Sends them now: called before the user signs out. */
  readonly flush?: (() => Promise<void>) | undefined;
}

/**
 * One page of one user, from the opening of the page to the end of the session. `Who` is undefined for a visitor who is not
 * signed in.
 */
export class PageSession<Who extends User | undefined = User> {
  readonly user: Who;
  /** The element for the content of the page, below the header. */
  readonly root = element('div', { className: 'page-body' });
  readonly #session: Session;
  readonly #header: Header;
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
  }

  /** The element in the header for controls of the page. */
  get tools(): HTMLElement {
    return this.#header.tools;
  }

  get state(): SessionState {
    return this.#session.state;
  }

  /** `localStorage`, or undefined where the browser blocks it. */
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

  /** Puts the header and the root into an element. */
  mount(place: HTMLElement): void {
    place.className = 'page';
    place.append(this.#header.element, this.root);
  }

  /** Releases what `mount` and the header took. The page itself is stopped by its own stop function. */
  dispose(): void {
    this.#header.dispose();
  }

  /** Renews the session, for `ClientOptions.refresh`. Resolves with false when it has ended. */
  readonly refresh = (): Promise<boolean> => this.#session.refresh();

  /** Reports that the server refused the session. The page is stopped before this returns. */
  readonly end = (reason?: string): void => this.#session.markSignedOut(reason);

  /** Asks the server who is signed in. Rejects when the server cannot be reached. */
  check(): Promise<User | undefined> {
    return this.#session.load();
  }

  /** Signs the user out and stops the page. Rejects when the server cannot be reached. */
  signOut(): Promise<void> {
    return this.#session.signOut();
  }

  /** Asks for a sign-in over the page. Resolves when a user has signed in. */
  requireSignIn(reason?: string): Promise<User> {
    return requireSignIn(this.#session, reason);
  }

  /** A form that signs a user in. */
  createSignInForm(): HTMLElement {
    return createSignInForm(this.#session);
  }

  /** Calls the listener when the state changes. Returns the function that removes it. */
  subscribe(listener: () => void): () => void {
    return this.#session.subscribe(listener);
  }

  /** Sets the connection word in the header. Undefined hides it. */
  showConnection(state: ConnectionState | undefined): void {
    this.#header.setConnection(state);
  }

  /** Sets what is counted, and sent, before the user signs out. */
  trackUnsent(unsent: Unsent): void {
    this.#unsent = unsent;
  }
}
