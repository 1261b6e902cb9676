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
  | { readonly name: 'signedOut' }
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

const CHANNEL = 'dunlin.session';

/** Who is signed in in this browser, by the session cookie. Told to all tabs. */
export class Session {
  readonly #requests: Requests;
  readonly #listeners = new Set<() => void>();
  readonly #channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(CHANNEL);
  #state: SessionState = { name: 'unknown' };

  constructor(requests = new Client().requests) {
    this.#requests = requests;
    if (this.#channel) this.#channel.onmessage = () => void this.load().catch(() => {});
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
    const { body } = await this.#requests.send<StatusAnswer>('GET', '/api/v1/auth/status', {
      anonymous: true,
    });
    const { signedIn, userId, fullName, roles } = body;
    this.#set(
      signedIn && userId !== null
        ? { name: 'signedIn', user: { userId, name: fullName ?? userId, roles: roles ?? [] } }
        : { name: 'signedOut' },
    );
    return this.user;
  }

  async signIn(username: string, password: string): Promise<User> {
    const { body } = await this.#requests.send<LoginAnswer>('POST', '/api/v1/auth/login', {
      body: { username, password },
      anonymous: true,
    });
    const user = { userId: body.userId, name: body.fullName, roles: body.roles };
    this.#set({ name: 'signedIn', user });
    this.#channel?.postMessage('changed');
    return user;
  }

  async signOut(): Promise<void> {
    await this.#requests.send('POST', '/api/v1/auth/logout', { anonymous: true });
    this.#set({ name: 'signedOut' });
    this.#channel?.postMessage('changed');
  }

  /** The server said that nobody is signed in any more. */
  markSignedOut(): void {
    this.#set({ name: 'signedOut' });
  }

  /** For `ClientOptions.refresh`: whether the session still stands. */
  async refresh(): Promise<boolean> {
    try {
      await this.#requests.send('POST', '/api/v1/auth/refresh', { anonymous: true });
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

  #set(state: SessionState): void {
    if (JSON.stringify(state) === JSON.stringify(this.#state)) return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}
