export interface AuthOptions {
  /**
   * Id of the signed-in user, sent as `Dunlin-User` with every request and stream. The tabs of a browser share one session
   * cookie: the server refuses what a page of one user sends with the cookie of another.
   */
  readonly user?: string | undefined;
  /** Bearer token for every request; leave out when a session cookie does it. */
  readonly token?: (() => string | undefined | Promise<string | undefined>) | undefined;
  /**
   * Called once when a request or stream is answered 401, or the stream says that its token expired. True: try
   * again. False: signed out. Throwing means that it could not be found out, and is retried like a network error.
   */
  readonly refresh?: (() => Promise<boolean>) | undefined;
  /** `credentials` of every fetch; default `same-origin`. */
  readonly credentials?: RequestCredentials | undefined;
}

/** Who the requests are made as; shared by stream and requests so that one expiry costs one refresh. */
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

  /** `anonymous`: the request acts for nobody yet, such as a sign-in. */
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
