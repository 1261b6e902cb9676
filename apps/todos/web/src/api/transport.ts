import { isTemporary, problemOf, type Client, type Environment, type Problem } from '@dunlin/client';
import type { Puller, Pusher, PushRequest, ReadonlyJSONValue } from 'replicache';

const BASE = '/api/v1/replicache';
/** Time limit of a pull, in milliseconds. Only one runs at a time, so a server that never answers would stop all updates. */
const PULL_LIMIT_MS = 30_000;

export interface TransportOptions {
  readonly client: Client;
  readonly setTimer: Environment['setTimer'];
  /** Called when the server permanently refuses a mutation. The mutation is dropped and the others continue. */
  readonly onGivenUp: (args: ReadonlyJSONValue, problem: Problem) => void;
  /** Called when the server refuses every request of this page. Resolves when another attempt is useful. */
  readonly onRefused: (problem: Problem) => Promise<void>;
}

/** A name without a mutator. The server counts such a mutation as processed and does nothing. */
const NOTHING = 'givenUp';

/**
 * Sends push and pull as requests of the client, which name the page's user. If the server refuses the content of a push, the push is split
 * in halves until the invalid mutation is isolated. Replicache would repeat the whole push for ever and block all later mutations.
 */
export class Transport {
  readonly #options: TransportOptions;
  #isClosed = false;
  #pulling: AbortController | undefined;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  readonly pull: Puller = async (request) => {
    const pulling = (this.#pulling = new AbortController());
    const stopTimer = this.#options.setTimer(PULL_LIMIT_MS, () => pulling.abort());
    const { body, problem } = await this.#post('pull', request, pulling.signal);
    stopTimer();
    return { response: body as never, httpRequestInfo: infoOf(problem) };
  };

  readonly push: Pusher = async (request) => {
    const { body, problem } = await this.#push(request);
    if (problem && !isTemporary(problem) && problem.kind !== 'signedOut' && problem.kind !== 'aborted')
      await this.#options.onRefused(problem);
    // Replicache accepts only errors about the client or its version as a response.
    const response = isError(body) ? (body as never) : undefined;
    return { response, httpRequestInfo: infoOf(problem) };
  };

  /** Ends the pull that waits for its answer, so that the next one can start. */
  abortPull(): void {
    this.#pulling?.abort();
  }

  /** Stops sending. */
  close(): void {
    this.#isClosed = true;
    this.abortPull();
  }

  async #push(request: PushRequest): Promise<Answer> {
    const answer = await this.#post('push', request);
    const { mutations } = request;
    // No mutation caused this refusal.
    if (answer.problem?.kind !== 'invalid' || mutations.length === 0) return answer;
    if (mutations.length > 1) {
      const half = mutations.length >> 1;
      const first = await this.#push({ ...request, mutations: mutations.slice(0, half) } as PushRequest);
      if (first.problem || isError(first.body)) return first;
      return this.#push({ ...request, mutations: mutations.slice(half) } as PushRequest);
    }
    const { args } = mutations[0]!;
    const nothing = { ...mutations[0]!, name: NOTHING, args: null };
    const skipped = await this.#post('push', { ...request, mutations: [nothing] });
    if (!skipped.problem) this.#options.onGivenUp(args, answer.problem);
    return skipped;
  }

  async #post(call: 'push' | 'pull', body: unknown, signal?: AbortSignal): Promise<Answer> {
    if (this.#isClosed)
      return { problem: { kind: 'aborted', code: 'aborted', title: 'The page was closed.' } };
    try {
      return {
        body: (await this.#options.client.requests.send('POST', `${BASE}/${call}`, { body, signal })).body,
      };
    } catch (error) {
      return { problem: problemOf(error) };
    }
  }
}

function isError(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'error' in body;
}

interface Answer {
  readonly body?: unknown;
  readonly problem?: Problem | undefined;
}

function infoOf(problem: Problem | undefined): { httpStatusCode: number; errorMessage: string } {
  return problem
    ? { httpStatusCode: problem.status ?? 0, errorMessage: problem.title }
    : { httpStatusCode: 200, errorMessage: '' };
}
