import { element } from './dom';
import { createGate } from './gate';
import type { Session, User } from './session';
import { closeToasts } from './toasts';
import { kitWord } from './words';

/** What a page shows for one user. */
export interface Page {
  /**
   * Ends all that the page does: streams, requests, timers, stores, listeners, channels. Nothing is sent, saved or shown
   * after the call. Resolves when what was typed or done and not sent is on this device, under the name of its user.
   */
  dispose(): void | Promise<void>;
  /** Changes that the server has not taken yet. */
  unsent?(): number;
}

export interface PageOptions {
  readonly session: Session;
  /** Name of the system, in the header of the sign-in. */
  readonly system: () => string;
  /** Address of the page as another user finds it. */
  readonly home: string;
  /** What a visitor is told to sign in for. */
  readonly reason: () => string;
  /** Whether the page opens without a network, for the user who was signed in here last. */
  readonly isOffline?: boolean | undefined;
  /** Builds the page of a user inside `root`. */
  readonly start: (user: User, root: HTMLElement) => Page | Promise<Page>;
  /** Shown instead of the sign-in while nobody is signed in, where the address has something for everybody. */
  readonly visit?: ((root: HTMLElement) => Page | undefined) | undefined;
}

/** What a page may take to keep what is unsaved, before the next user's is loaded. */
const DISPOSE_MS = 5000;
/** A server that refuses a session which it says is good gets this many new starts a minute, and then the user is asked. */
const MAX_RESTARTS = 3;
const RESTARTS = 'dunlin.restarts';

interface Shown {
  readonly user: User | undefined;
  readonly page: Page;
}

let running: PageRunner | undefined;

/**
 * Shows a page to the user who is signed in, and to nobody else. When the user signs out, here, in another tab or at the
 * server, the page is closed and taken out of the document at once, and a sign-in takes its place. After the next sign-in
 * the document is loaded anew: nothing of what the former page had in memory is left.
 */
export function startPage(options: PageOptions): void {
  running = new PageRunner(options);
  void running.begin();
}

/** Changes of the open page that the server has not taken. */
export function unsentChanges(): number {
  return running?.unsent ?? 0;
}

class PageRunner {
  readonly #options: PageOptions;
  readonly #title = document.title;
  #shown: Shown | undefined;
  #isOpening = false;
  #gate: HTMLElement | undefined;
  /** The page of this user was closed in this document: the next page needs another document. */
  #former: { readonly userId: string; readonly closed: Promise<unknown> } | undefined;
  /** The server is asked whether the session that it refused is over. */
  #isChecking = false;

  constructor(options: PageOptions) {
    this.#options = options;
    options.session.subscribe(() => void this.#follow());
  }

  get unsent(): number {
    return this.#shown?.page.unsent?.() ?? 0;
  }

  async begin(): Promise<void> {
    const { session, isOffline } = this.#options;
    try {
      await session.load();
    } catch {
      if (isOffline) session.assume();
    }
    // Where nothing changed, nobody was told.
    if (!this.#shown && !this.#isOpening) await this.#follow();
  }

  async #follow(): Promise<void> {
    const { user } = this.#options.session;
    if (this.#shown && this.#shown.user?.userId !== user?.userId) this.#close(this.#shown);
    if (this.#shown || this.#isOpening) return;
    if (user) await (this.#former ? this.#restart(user, this.#former) : this.#open(user));
    else if (!this.#gate) await (this.#options.visit && !this.#former ? this.#open(undefined) : this.#ask(0));
  }

  async #open(user: User | undefined): Promise<void> {
    const { start, visit, session } = this.#options;
    this.#gate = undefined;
    const root = emptyRoot();
    this.#isOpening = true;
    try {
      const page = user ? await start(user, root) : visit?.(root);
      if (page) this.#shown = { user, page };
      else this.#ask(0);
    } finally {
      this.#isOpening = false;
    }
    // The session may have changed while the page was made.
    if (user?.userId !== session.user?.userId) await this.#follow();
  }

  // The document is emptied first: what is on the screen is gone before anything else can go wrong.
  #close({ user, page }: Shown): void {
    const { session } = this.#options;
    const waiting = page.unsent?.() ?? 0;
    this.#shown = undefined;
    emptyRoot();
    document.title = this.#title;
    for (const name of Object.keys(document.body.dataset)) delete document.body.dataset[name];
    const disposed = (async () => page.dispose())().catch((error: unknown) => reportError(error));
    // What a visitor sees is for everybody, and the next page may go on in this document.
    if (!user) return;
    closeToasts();
    const patience = new Promise((done) => setTimeout(done, DISPOSE_MS));
    this.#former = { userId: user.userId, closed: Promise.race([disposed, patience]) };
    if (session.user) return;
    this.#ask(waiting);
    void this.#check();
  }

  #ask(waiting: number): void {
    const { session, system, reason } = this.#options;
    const { state } = session;
    const why = state.name === 'signedOut' ? state.reason : undefined;
    const said = why ?? (this.#former ? kitWord('signedOutReason') : reason());
    this.#gate = createGate({ session, system: system(), reason: said, waiting });
    emptyRoot().append(this.#gate);
  }

  // What was refused may be a session that another one of the same user has replaced: then the page goes on by itself.
  async #check(): Promise<void> {
    this.#isChecking = true;
    await this.#options.session.load().catch(() => {});
    this.#isChecking = false;
  }

  async #restart(
    user: User,
    { userId, closed }: { userId: string; closed: Promise<unknown> },
  ): Promise<void> {
    if (this.#isChecking && !mayRestart()) return this.#options.session.markSignedOut();
    await closed;
    // What the former user had open is not the next one's business.
    if (user.userId !== userId) history.replaceState(null, '', this.#options.home);
    location.reload();
  }
}

function emptyRoot(): HTMLElement {
  const root = element('div', { id: 'page' });
  // Dialogs, menus and notices of the page stand beside its root.
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
