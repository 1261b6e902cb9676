export interface AuthOptions {
  /**
   * Id of the signed-in user, sent as `Dunlin-User` with every request and stream. The tabs of a browser share one session cookie: the
   * server refuses a request in which header and cookie name different users.
   */
  readonly user?: string | undefined;
  /** Returns the bearer token for a request. Omit it when a session cookie authenticates. */
  readonly token?: (() => string | undefined | Promise<string | undefined>) | undefined;
  /**
   * Renews the credentials. Called once when a request or stream is answered with 401, or when the stream reports an expired token. `true`:
   * try again. `false`: signed out. A rejection means that the outcome is unknown and is retried like a network error.
   */
  readonly refresh?: (() => Promise<boolean>) | undefined;
  /** `credentials` of every fetch; default `same-origin`. */
  readonly credentials?: RequestCredentials | undefined;
}

/** The credentials of requests and streams. Both share one instance, so that one expiry causes one refresh. */
export class Auth {
  readonly #options: AuthOptions;
  #refreshing: Promise<boolean> | undefined;

  constructor(options: AuthOptions = {}) {
    this.#options = options;
  }

  get credentials(): RequestCredentials {
    return this.#options.credentials ?? 'same-origin';
  }

  get canRefresh(): boolean {
    return this.#options.refresh !== undefined;
  }

  /** Returns the headers that authenticate a request. `anonymous`: the request has no user yet, such as a sign-in. */
  async headers(anonymous = false): Promise<Record<string, string>> {
    const { user } = this.#options;
    const token = await this.#options.token?.();
    return {
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...(user === undefined || anonymous ? {} : { 'Dunlin-User': encodeURIComponent(user) }),
    };
  }

  async refresh(): Promise<boolean> {
    const { refresh } = this.#options;
    if (!refresh) return false;
    this.#refreshing ??= refresh().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }
}
