import { Client, problemOf, type Requests } from '@dunlin/client';

export interface User {
  readonly userId: string;
  readonly name: string;
  readonly roles: readonly string[];
}

export interface DemoAccount {
  readonly username: string;
  readonly fullName: string;
  readonly roles: readonly string[];
}

export interface Demo {
  readonly password: string;
  readonly accounts: readonly DemoAccount[];
}

export type SessionState =
  | { readonly name: 'unknown' }
  /** The server did not answer when it was asked first. */
  | { readonly name: 'unreachable' }
  /** `reason`: why, where it was not the user's own doing. */
  | { readonly name: 'signedOut'; readonly reason?: string | undefined }
  | { readonly name: 'signedIn'; readonly user: User };

interface StatusAnswer {
  readonly signedIn: boolean;
  readonly userId: string | null;
  readonly fullName: string | null;
  readonly roles: readonly string[] | null;
}

interface LoginAnswer {
  readonly userId: string;
  readonly fullName: string;
  readonly roles: readonly string[];
}

/** What the tabs of a browser tell each other: who is signed in now. Of two, the later one counts. */
interface Note {
  readonly user: User | null;
  readonly at: number;
}

const NAME = 'dunlin.session';

/**
 * Who is signed in in this browser, by the session cookie. Tabs learn of a change from each other at once, by a broadcast
 * and, where that is missing or the tab was frozen, by the note in localStorage. The note is also who was here last, for
 * pages that open without a network.
 */
export class Session {
  readonly #requests: Requests;
  readonly #listeners = new Set<() => void>();
  readonly #channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(NAME);
  readonly #end = new AbortController();
  #state: SessionState = { name: 'unknown' };
  #at = 0;
  #leaving: Promise<void> = Promise.resolve();
  /** Changes of the state that are newer than an answer under way. */
  #changes = 0;

  constructor(requests = new Client().requests) {
    this.#requests = requests;
    if (this.#channel) this.#channel.onmessage = ({ data }) => this.#hear(data as Note);
    const { signal } = this.#end;
    addEventListener('storage', ({ key }) => key === NAME && this.#hear(readNote()), { signal });
    // A tab that was frozen, or restored from the back/forward cache, missed what was broadcast.
    addEventListener('pageshow', ({ persisted }) => persisted && this.#look(), { signal });
    addEventListener('online', () => this.#look(), { signal });
    const onVisible = () => document.visibilityState === 'visible' && this.#look();
    document.addEventListener('visibilitychange', onVisible, { signal });
  }

  get state(): SessionState {
    return this.#state;
  }

  get user(): User | undefined {
    return this.#state.name === 'signedIn' ? this.#state.user : undefined;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks the server. Rejects when it cannot be reached. */
  async load(): Promise<User | undefined> {
    // While the user signs out, an answer could be of before.
    await this.#leaving;
    const before = this.#changes;
    const { body } = await this.#requests.send<StatusAnswer>('GET', '/api/v1/auth/status', {
      anonymous: true,
    });
    // Signed in or out while the answer was under way: it is older than what is known.
    if (before !== this.#changes) return this.load();
    const { signedIn, userId, fullName, roles } = body;
    const user =
      signedIn && userId !== null ? { userId, name: fullName ?? userId, roles: roles ?? [] } : null;
    if (this.#isUnknown || user?.userId !== readNote().user?.userId) this.#tell(user);
    this.#become(user);
    return this.user;
  }

  /** Goes on as the user who was signed in here last, until the server can be asked. */
  assume(): User | undefined {
    const { user } = readNote();
    if (user) this.#set({ name: 'signedIn', user });
    return this.user;
  }

  /** The server did not answer, and nothing is known of a user. */
  markUnreachable(): void {
    if (this.#state.name === 'unknown') this.#set({ name: 'unreachable' });
  }

  async signIn(username: string, password: string): Promise<User> {
    const { body } = await this.#requests.send<LoginAnswer>('POST', '/api/v1/auth/login', {
      body: { username, password },
      anonymous: true,
    });
    const user = { userId: body.userId, name: body.fullName, roles: body.roles };
    this.#tell(user);
    this.#become(user);
    return user;
  }

  /** Ends the session of the user of this page, and of nobody who has signed in since. */
  async signOut(): Promise<void> {
    const leaving = this.#leave();
    this.#leaving = leaving.then(
      () => {},
      () => {},
    );
    if (!(await leaving)) await this.load();
  }

  /** False where another user has signed in meanwhile, who stays so. */
  async #leave(): Promise<boolean> {
    try {
      await this.#send('/api/v1/auth/logout');
    } catch (error) {
      if (problemOf(error).kind === 'signedOut') return false;
      throw error;
    }
    this.#tell(null);
    this.#become(null);
    return true;
  }

  /** The server said that the user of this page is not signed in any more. */
  markSignedOut(reason?: string): void {
    this.#set({ name: 'signedOut', reason });
  }

  /** Hears of no change any more. A page has its session as long as it lives. */
  dispose(): void {
    this.#end.abort();
    this.#channel?.close();
    this.#listeners.clear();
  }

  /** For `ClientOptions.refresh`: whether the session of this page's user still stands. */
  async refresh(): Promise<boolean> {
    try {
      await this.#send('/api/v1/auth/refresh');
      return true;
    } catch (error) {
      if (problemOf(error).kind === 'signedOut') return false;
      throw error;
    }
  }

  /** The accounts to try the systems with; nothing where the server is not in demo mode. */
  async demo(): Promise<Demo | undefined> {
    try {
      return (await this.#requests.send<Demo>('GET', '/api/v1/demo', { anonymous: true })).body;
    } catch {
      return undefined;
    }
  }

  get #isUnknown(): boolean {
    return this.#state.name === 'unknown' || this.#state.name === 'unreachable';
  }

  async #send(path: string): Promise<void> {
    const { user } = this;
    const headers = user && { 'Dunlin-User': encodeURIComponent(user.userId) };
    await this.#requests.send('POST', path, { anonymous: true, headers });
  }

  #look(): void {
    this.#hear(readNote());
    // Without a network what is known stands.
    this.load().catch(() => {});
  }

  #hear({ user, at }: Note): void {
    this.#changes++;
    if (this.#isUnknown || at <= this.#at) return;
    this.#at = at;
    this.#become(user);
  }

  #tell(user: User | null): void {
    this.#at = Math.max(Date.now(), this.#at + 1);
    const note: Note = { user, at: this.#at };
    try {
      localStorage.setItem(NAME, JSON.stringify(note));
    } catch {
      // Storage is blocked: then there is no page without a network.
    }
    this.#channel?.postMessage(note);
  }

  #become(user: User | null): void {
    this.#set(user ? { name: 'signedIn', user } : { name: 'signedOut' });
  }

  #set(state: SessionState): void {
    const isSame =
      state.name === 'signedIn'
        ? JSON.stringify(state.user) === JSON.stringify(this.user)
        : state.name === this.#state.name;
    if (isSame) return;
    this.#state = state;
    this.#changes++;
    for (const listener of [...this.#listeners]) listener();
  }
}

function readNote(): Note {
  try {
    return (JSON.parse(localStorage.getItem(NAME) ?? 'null') as Note | null) ?? { user: null, at: 0 };
  } catch {
    return { user: null, at: 0 };
  }
}
