import { problemOf } from '@dunlin/client';
import { element } from './dom';
import { createGate, createUnreachableGate } from './gate';
import { PageSession } from './pageSession';
import { Session, type User } from './session';
import { closeToasts } from './toasts';
import { kitWord } from './words';

/**
 * Stops everything that a page does: streams, requests, timers, stores, listeners, channels. After the call the page sends, saves and shows
 * nothing. Resolves when unsent changes are stored on this device under their user's id.
 */
export type Stop = () => void | Promise<void>;

export interface PageOptions {
  /** Name of the system, for the header and the sign-in page. Undefined shows Dunlin's name alone. */
  readonly title: string | (() => string) | undefined;
  /** Address of the page for another user. */
  readonly home: string;
  /** The reason for a sign-in, shown to visitors. */
  readonly reason: string | (() => string);
  /** Builds the page of a user inside `session.root`. */
  readonly start: (session: PageSession) => Stop | Promise<Stop>;
  /** Shows the page without a sign-in. Returns undefined when the address needs a user. */
  readonly visit?: ((session: PageSession<undefined>) => Stop | undefined) | undefined;
  /** Whether the page opens without a network, for the last signed-in user of this browser. Default `false`. */
  readonly isOffline?: boolean | undefined;
  /**
   * Whether `visit` replaces the sign-in page, also after a sign-out. The stop function must then remove all data of the user, because the
   * document stays open. Default `false`.
   */
  readonly isPublic?: boolean | undefined;
  /** Default: the session of this browser. */
  readonly session?: Session | undefined;
}

/** A started page. */
export interface RunningPage {
  /** Number of changes that the server has not confirmed. */
  readonly unsent: number;
}

/** Time limit for storing unsent changes before the page of the next user loads, in milliseconds. */
const STOP_MS = 5000;
/** Time before a check of a refused session is repeated, in milliseconds. It doubles up to the second value. */
const CHECK_MS = 1500;
const MAX_CHECK_MS = 30_000;
/** Limit of restarts per minute, for a server that refuses a session and also reports it as valid. After it the user has to sign in. */
const MAX_RESTARTS = 3;
const RESTARTS = 'dunlin.restarts';

interface Shown {
  readonly session: PageSession<User | undefined>;
  readonly stop: Stop;
}

/**
 * Shows a page to the signed-in user only. When the user signs out here, in another tab or at the server, a sign-in form replaces the page
 * at once. The next sign-in reloads the document, so that no data of the former page stays in memory.
 */
export function startPage(options: PageOptions): RunningPage {
  const runner = new PageRunner(options);
  void runner.begin();
  return runner;
}

class PageRunner implements RunningPage {
  readonly #options: PageOptions;
  readonly #session: Session;
  readonly #title = document.title;
  #shown: Shown | undefined;
  #isOpening = false;
  #gate: 'signIn' | 'unreachable' | undefined;
  /** The page of this user was closed in this document. The page of another user needs a new document. */
  #former: { readonly userId: string; readonly closed: Promise<unknown> } | undefined;
  /** Whether a request is in progress that checks a refused session. */
  #isChecking = false;

  constructor(options: PageOptions) {
    this.#options = options;
    this.#session = options.session ?? new Session();
    this.#session.subscribe(() => void this.#follow());
  }

  get unsent(): number {
    return this.#shown?.session.unsentCount ?? 0;
  }

  async begin(): Promise<void> {
    const { isOffline, isPublic } = this.#options;
    if (isPublic) await this.#open(undefined);
    try {
      await this.#session.load();
    } catch (error) {
      if (!isOffline || !this.#session.assume()) this.#session.markUnreachable(problemOf(error));
    }
    // No listener runs when the state did not change.
    if (!this.#shown && !this.#isOpening) await this.#follow();
  }

  async #follow(): Promise<void> {
    const { user } = this.#session;
    if (this.#shown && this.#shown.session.user?.userId !== user?.userId) this.#close(this.#shown);
    if (this.#shown || this.#isOpening) return;
    if (user) await (this.#former ? this.#restart(user, this.#former) : this.#open(user));
    else if (this.#gate !== this.#gateOf())
      await (this.#options.visit && !this.#former ? this.#open(undefined) : this.#ask(0));
  }

  async #open(user: User | undefined): Promise<void> {
    this.#gate = undefined;
    const session = new PageSession(this.#session, user, () => textOf(this.#options.title));
    session.mount(emptyRoot());
    this.#isOpening = true;
    try {
      const stop = user
        ? await this.#options.start(session as PageSession)
        : this.#options.visit?.(session as PageSession<undefined>);
      if (stop) {
        this.#shown = { session, stop };
      } else {
        session.dispose();
        this.#ask(0);
      }
    } finally {
      this.#isOpening = false;
    }
    // The session may have changed while the page was built.
    if (user?.userId !== this.#session.user?.userId) await this.#follow();
  }

  // Empties the document first, so that no data of the user stays visible if the stop function fails.
  #close({ session, stop }: Shown): void {
    const waiting = session.unsentCount;
    this.#shown = undefined;
    session.dispose();
    emptyRoot();
    document.title = this.#title;
    for (const name of Object.keys(document.body.dataset)) delete document.body.dataset[name];
    const stopped = (async () => stop())().catch((error: unknown) => reportError(error));
    // After a page without user data another page may start in this document.
    if (!session.user || this.#options.isPublic) return;
    closeToasts();
    const patience = new Promise((done) => setTimeout(done, STOP_MS));
    this.#former = { userId: session.user.userId, closed: Promise.race([stopped, patience]) };
    if (this.#session.user) return;
    this.#ask(waiting);
    void this.#check();
  }

  #gateOf(): 'signIn' | 'unreachable' {
    return this.#session.state.name === 'unreachable' ? 'unreachable' : 'signIn';
  }

  #ask(waiting: number): void {
    const { reason } = this.#options;
    const title = textOf(this.#options.title);
    const session = this.#session;
    const { state } = session;
    const hadFocus = this.#gate !== undefined && document.activeElement !== document.body;
    this.#gate = this.#gateOf();
    if (state.name === 'unreachable') {
      emptyRoot().append(createUnreachableGate({ session, title, problem: state.problem }));
      return;
    }
    const why = state.name === 'signedOut' ? state.reason : undefined;
    const said = why ?? (this.#former ? kitWord('signedOutReason') : (textOf(reason) ?? ''));
    const gate = createGate({ session, title, reason: said, waiting });
    emptyRoot().append(gate);
    // The focused button went with the former gate.
    if (hadFocus) gate.querySelector('input')?.focus();
  }

  // Another session of the same user may have replaced the refused one. Then the page restarts without a sign-in.
  async #check(): Promise<void> {
    // Two answers: a sign-in ends the former session before its own answer, with the new cookie, reaches the browser.
    let answers = 0;
    for (
      let pause = CHECK_MS;
      this.#session.state.name === 'signedOut';
      pause = Math.min(2 * pause, MAX_CHECK_MS)
    ) {
      this.#isChecking = true;
      await this.#session.load().then(
        () => answers++,
        () => {},
      );
      this.#isChecking = false;
      if (answers === 2) return;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  async #restart(
    user: User,
    { userId, closed }: { userId: string; closed: Promise<unknown> },
  ): Promise<void> {
    if (this.#isChecking && !mayRestart()) return this.#session.markSignedOut();
    await closed;
    // Do not show the former user's address to the next user.
    if (user.userId !== userId) history.replaceState(null, '', this.#options.home);
    location.reload();
  }
}

function textOf(text: string | (() => string) | undefined): string | undefined {
  return typeof text === 'function' ? text() : text;
}

function emptyRoot(): HTMLElement {
  const root = element('div', { id: 'page' });
  // Removes dialogs, menus and toasts too: they are siblings of the page's root.
  document.body.replaceChildren(root);
  return root;
}

function mayRestart(): boolean {
  try {
    const now = Date.now();
    const recent = (JSON.parse(sessionStorage.getItem(RESTARTS) ?? '[]') as number[]).filter(
      (at) => at > now - 60_000,
    );
    if (recent.length >= MAX_RESTARTS) return false;
    sessionStorage.setItem(RESTARTS, JSON.stringify([...recent, now]));
    return true;
  } catch {
    return false;
  }
}
