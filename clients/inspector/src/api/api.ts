import { StreamParser, type StreamFrame } from '@dunlin/client';

/** Why a request failed, in words for people. `status` is 0 when no server answered. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly hint: string | undefined = undefined,
  ) {
    super(message);
  }
}

/** Time limit of a request, in milliseconds. Streams have none. */
const LIMIT_MS = 15_000;

type Parameters = Readonly<Record<string, string | number | undefined>>;

/** Sends requests to the inspector, and to the engine beside it. */
export class Api {
  /** @param token An administrator's token; undefined where a session cookie signs requests in. */
  constructor(
    readonly engine: string,
    readonly token: string | undefined,
  ) {}

  /** Reads data of the inspector. */
  get<T>(path: string, parameters: Parameters = {}): Promise<T> {
    return this.#get(`api/${path}`, parameters);
  }

  /** Reads data of the engine, with the rights of the caller. */
  read<T>(path: string, parameters: Parameters = {}): Promise<T> {
    return this.#get(`${this.engine}/${path}`, parameters);
  }

  /** Sends a change to the engine, with the rights of the caller. Resolves with undefined if the answer has no body. */
  async change<T>(
    method: 'POST' | 'DELETE',
    path: string,
    body: unknown = undefined,
    limitMs = LIMIT_MS,
  ): Promise<T> {
    const response = await this.#send(method, `${this.engine}/${path}`, body, limitMs);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  /** Writes through the inspector. */
  post(path: string, body: unknown): Promise<Response> {
    return this.#send('POST', `api/${path}`, body);
  }

  /** Publishes through the engine, with the rights of the caller. */
  async publish(event: unknown): Promise<string | null> {
    const response = await this.#send('POST', `${this.engine}/events`, event);
    const { positions } = (await response.json()) as { positions: readonly (string | null)[] };
    return positions[0] ?? null;
  }

  /** Reads the samples until the server ends the stream. */
  samples(onFrame: (frame: StreamFrame) => void, signal: AbortSignal): Promise<void> {
    return this.#read('api/stream', onFrame, signal);
  }

  /** Reads a stream of the engine, with the rights of the caller. */
  subscribe(
    topics: readonly string[],
    onFrame: (frame: StreamFrame) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const query = topics.map((topic) => `topic=${encodeURIComponent(topic)}`).join('&');
    return this.#read(`${this.engine}/events?${query}`, onFrame, signal);
  }

  async #read(path: string, onFrame: (frame: StreamFrame) => void, signal: AbortSignal): Promise<void> {
    const response = await this.#fetch(path, { signal, headers: { Accept: 'text/event-stream' } });
    const parser = new StreamParser({ onFrame });
    const reader = response.body!.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parser.push(value);
    }
  }

  async #get<T>(path: string, parameters: Parameters): Promise<T> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined && value !== '') query.set(name, String(value));
    }
    const text = query.toString();
    const response = await this.#fetch(`${path}${text && '?'}${text}`, {
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    return (await response.json()) as T;
  }

  #send(method: string, path: string, body: unknown, limitMs = LIMIT_MS): Promise<Response> {
    const content =
      body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
    return this.#fetch(path, { method, ...content, signal: AbortSignal.timeout(limitMs) });
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.token !== undefined) headers.set('Authorization', `Bearer ${this.token}`);
    let response: Response;
    try {
      response = await fetch(path, {
        ...init,
        headers,
        cache: 'no-store',
        credentials: this.token === undefined ? 'same-origin' : 'omit',
      });
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error;
      throw new ApiError(
        0,
        'The server does not answer.',
        'Check that it runs and that this device has a network.',
      );
    }
    if (response.ok) return response;
    throw await errorOf(response);
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  try {
    const problem = (await response.json()) as { title?: string; detail?: string; hint?: string };
    return new ApiError(
      response.status,
      problem.detail ?? problem.title ?? response.statusText,
      problem.hint,
    );
  } catch {
    return new ApiError(response.status, `The server answered ${response.status} ${response.statusText}.`);
  }
}
