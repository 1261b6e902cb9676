import type { Environment } from '../environment.js';
import type { Auth } from './auth.js';
import { DunlinError, problemOf } from './problem.js';
import { readProblem } from './readProblem.js';

export interface RequestOptions {
  /** Sent as JSON; a `Uint8Array` as bytes. */
  readonly body?: unknown;
  /** Reads the answer as a `Uint8Array` instead of JSON. */
  readonly binary?: boolean | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Lets the request outlive the page. The body may have at most 64 KiB. */
  readonly keepalive?: boolean | undefined;
  /** For a sign-in: 401 means wrong credentials, not the end of a session. */
  readonly anonymous?: boolean | undefined;
}

export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface RequestsOptions {
  readonly environment: Environment;
  readonly auth: Auth;
  /** Prefix of every path, such as `https://example.org`, or empty for the origin of the page. */
  readonly base: string;
  readonly deviceId: string;
  /** Returns the id of the connection of these requests, so that the server can exclude it from the announcement. */
  readonly connectionId?: (() => string | undefined) | undefined;
  readonly onSignedOut?: (() => void) | undefined;
}

/** Sends requests with JSON bodies and reads JSON answers. Every refusal rejects with a `DunlinError`. */
export class Requests {
  readonly #options: RequestsOptions;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  async send<T = unknown>(method: string, path: string, options: RequestOptions = {}): Promise<Answer<T>> {
    let response = await this.#fetch(method, path, options);
    if (response.status === 401 && !options.anonymous && (await this.#refresh())) {
      response = await this.#fetch(method, path, options);
    }
    if (!response.ok) {
      const problem = await readProblem(response);
      if (problem.kind === 'signedOut' && !options.anonymous) this.#options.onSignedOut?.();
      throw new DunlinError(problem);
    }
    return { status: response.status, headers: response.headers, body: await readBody<T>(response, options) };
  }

  async #fetch(method: string, path: string, options: RequestOptions): Promise<Response> {
    const { environment, auth, base, deviceId, connectionId } = this.#options;
    const connection = connectionId?.();
    const { body } = options;
    const isBytes = body instanceof Uint8Array;
    const headers: Record<string, string> = {
      Accept: 'application/json, application/problem+json',
      'Dunlin-Device': deviceId,
      ...(connection === undefined ? {} : { 'Dunlin-Connection': connection }),
      ...(body === undefined ? {} : { 'Content-Type': `application/${isBytes ? 'octet-stream' : 'json'}` }),
      ...(await auth.headers(options.anonymous)),
      ...options.headers,
    };
    const init: RequestInit = { method, headers, credentials: auth.credentials };
    if (body !== undefined) init.body = isBytes ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body);
    if (options.signal) init.signal = options.signal;
    if (options.keepalive) init.keepalive = true;
    try {
      return await environment.fetch(base + path, init);
    } catch (error) {
      throw new DunlinError(problemOf(error), { cause: error });
    }
  }

  async #refresh(): Promise<boolean> {
    try {
      return await this.#options.auth.refresh();
    } catch (error) {
      throw new DunlinError(
        { kind: 'network', code: 'network', title: 'The session could not be refreshed.' },
        { cause: error },
      );
    }
  }
}

async function readBody<T>(response: Response, { binary }: RequestOptions): Promise<T> {
  let text: string;
  try {
    if (binary) return new Uint8Array(await response.arrayBuffer()) as T;
    text = await response.text();
  } catch (error) {
    // The status arrived without the body: the outcome is known, the answer is not.
    throw new DunlinError(
      { kind: 'network', code: 'network', title: 'The answer was cut off.' },
      { cause: error },
    );
  }
  if (text === '') return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new DunlinError(
      { kind: 'unexpected', code: 'unexpected', title: 'The answer is not JSON.', status: response.status },
      { cause: error },
    );
  }
}
