import { Client, problemOf, type Problem, type Requests } from '@dunlin/client';

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
  /** The first request failed. */
  | { readonly name: 'unreachable'; readonly problem: Problem }
  /** `reason`: why the session ended, unless the user signed out. */
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

/** A message between the tabs of a browser that names the signed-in user. The later one wins. */
interface Note {
  readonly user: User | null;
  readonly at: number;
}

const NAME = 'dunlin.session';

/**
 * The session of this browser, by the session cookie. Tabs announce changes by a broadcast and by a note in localStorage. The note serves
 * tabs that were frozen, browsers without BroadcastChannel, and pages that open without a network.
 */
export class Session {
  readonly #requests: Requests;
  readonly #listeners = new Set<() => void>();
  readonly #channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(NAME);
  readonly #end = new AbortController();
  #state: SessionState = { name: 'unknown' };
  #at = 0;
  /** The last refused session. */
  #refused: { readonly userId: string; readonly at: number } | undefined;
  #leaving: Promise<void> = Promise.resolve();
  /** Number of changes of the state. A change during a request makes its answer outdated. */
  #changes = 0;

  constructor(requests = new Client().requests) {
    this.#requests = requests;
    if (this.#channel) this.#channel.onmessage = ({ data }) => this.#hear(data as Note);
    const { signal } = this.#end;
    addEventListener('storage', ({ key }) => key === NAME && this.#hear(readNote()), { signal });
    // A tab that was frozen or in the back/forward cache missed broadcasts.
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

  /** Loads the session from the server. Rejects when the server cannot be reached. */
  async load(): Promise<User | undefined> {
    // An answer during the sign-out could be outdated.
    await this.#leaving;
    const before = this.#changes;
    const { body } = await this.#requests.send<StatusAnswer>('GET', '/api/v1/auth/status', {
      anonymous: true,
    });
    // The state changed during the request, so the answer is outdated: ask again.
    if (before !== this.#changes) return this.load();
    const { signedIn, userId, fullName, roles } = body;
    const user =
      signedIn && userId !== null ? { userId, name: fullName ?? userId, roles: roles ?? [] } : null;
    if (this.#isUnknown || user?.userId !== readNote().user?.userId) this.#tell(user);
    this.#become(user);
    return this.user;
  }

  /** Continues as the last signed-in user until the server can be reached. */
  assume(): User | undefined {
    const { user } = readNote();
    if (user) this.#set({ name: 'signedIn', user });
    return this.user;
  }

  /** Records that the first request failed and no user is known. `load` tries again. */
  markUnreachable(problem: Problem): void {
    if (this.#state.name === 'unknown') this.#set({ name: 'unreachable', problem });
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

  /** Ends the session of this page's user. Does not end the session of another user who signed in since. */
  async signOut(): Promise<void> {
    const leaving = this.#leave();
    this.#leaving = leaving.then(
      () => {},
      () => {},
    );
    if (!(await leaving)) await this.load();
  }

  /** Resolves with `false` when another user signed in meanwhile; that session stays. */
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

  /** Records that the server refused the session of this page's user. */
  markSignedOut(reason?: string): void {
    if (this.user) this.#refused = { userId: this.user.userId, at: Date.now() };
    this.#set({ name: 'signedOut', reason });
  }

  /** Removes all listeners. A page keeps its session until the document unloads. */
  dispose(): void {
    this.#end.abort();
    this.#channel?.close();
    this.#listeners.clear();
  }

  /** Renews the session, for `ClientOptions.refresh`. Resolves with `false` when the session of this page's user has ended. */
  async refresh(): Promise<boolean> {
    try {
      await this.#send('/api/v1/auth/refresh');
      return true;
    } catch (error) {
      if (problemOf(error).kind === 'signedOut') return false;
      throw error;
    }
  }

  /** Loads the demo accounts. Resolves with undefined when the server is not in demo mode. */
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
    // Without a network the state stays as it is.
    this.load().catch(() => {});
  }

  #hear({ user, at }: Note): void {
    this.#changes++;
    if (this.#isUnknown || at <= this.#at) return;
    // Another tab wrote the note before the server refused the session.
    if (user && user.userId === this.#refused?.userId && at <= this.#refused.at) return;
    this.#at = at;
    this.#become(user);
  }

  #tell(user: User | null): void {
    this.#at = Math.max(Date.now(), this.#at + 1);
    const note: Note = { user, at: this.#at };
    try {
      localStorage.setItem(NAME, JSON.stringify(note));
    } catch {
      // Storage is blocked: pages then need the network to open.
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

/** What forms and headers need of a session. */
export type SessionView = Pick<Session, 'user' | 'subscribe' | 'load' | 'signIn' | 'signOut' | 'demo'>;
