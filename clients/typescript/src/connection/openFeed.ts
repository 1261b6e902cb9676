import type { Environment } from '../environment.js';
import type { Auth } from '../http/auth.js';
import type { Problem } from '../http/problem.js';
import { readProblem } from '../http/readProblem.js';

export interface OpenFeedOptions {
  readonly environment: Environment;
  readonly auth: Auth;
  readonly url: string;
  readonly deviceId: string;
  /** Opens streams; default: `fetch` of the environment. */
  readonly fetch?: Environment['fetch'] | undefined;
}

export type OpenedFeed =
  | { readonly body: ReadableStream<Uint8Array>; readonly connectionId: string | undefined }
  | { readonly problem: Problem };

// The characters that fetch accepts in a header. With any other id, every attempt would fail with a TypeError, like a network error.
const HEADER_SAFE = /^[\x21-\x7e]+$/;

/**
 * Makes one attempt to open an event stream, with at most one refresh of the credentials. Returns a refusal of the server; throws
 * network errors.
 */
export async function openFeed(
  options: OpenFeedOptions,
  position: string | undefined,
  signal: AbortSignal,
  refreshFirst: boolean,
): Promise<OpenedFeed> {
  const { auth } = options;
  let mayRefresh = auth.canRefresh;
  if (refreshFirst && mayRefresh) {
    mayRefresh = false;
    if (!(await auth.refresh())) return { problem: signedOut };
  }
  let response = await request(options, position, signal);
  if (response.status === 401 && mayRefresh && (await auth.refresh())) {
    void response.body?.cancel();
    response = await request(options, position, signal);
  }
  if (!response.ok) return { problem: await readProblem(response) };
  if (response.status === 204) {
    return {
      problem: {
        kind: 'unexpected',
        code: 'noContent',
        title: 'The server has nothing to stream.',
        status: 204,
      },
    };
  }
  const type = response.headers.get('Content-Type') ?? '';
  if (!response.body || !type.toLowerCase().startsWith('text/event-stream')) {
    // A temporary page of an intermediary, such as a captive portal or a proxy's error page: retry.
    void response.body?.cancel();
    return {
      problem: {
        kind: 'busy',
        code: 'notAStream',
        title: 'The answer is not an event stream.',
        status: response.status,
      },
    };
  }
  return { body: response.body, connectionId: response.headers.get('Dunlin-Connection') ?? undefined };
}

/** Servers and proxies may reject longer request lines. */
const MAX_URL = 2000;
const ENGINE_STREAM = '/dunlin/v1/events';

/** Sends a long list of topics as a form body, because the URL would exceed `MAX_URL`. */
export function withForm(url: string, init: RequestInit): [url: string, init: RequestInit] {
  const [path, query = ''] = url.split('?');
  if (url.length <= MAX_URL || !path!.endsWith(ENGINE_STREAM)) return [url, init];
  const isTopic = (parameter: string) => parameter.startsWith('topic=');
  const parameters = query.split('&');
  const flags = parameters.filter((parameter) => !isTopic(parameter)).join('&');
  const headers = { ...(init.headers as object), 'Content-Type': 'application/x-www-form-urlencoded' };
  const body = parameters.filter(isTopic).join('&');
  return [`${path}/subscribe?${flags}`, { ...init, method: 'POST', headers, body }];
}

const signedOut: Problem = { kind: 'signedOut', code: 'signedOut', title: 'The session has ended.' };

async function request(
  { environment, auth, url, deviceId, fetch }: OpenFeedOptions,
  position: string | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = {
    Accept: 'text/event-stream',
    'Dunlin-Device': deviceId,
    ...(await auth.headers()),
  };
  if (position !== undefined && HEADER_SAFE.test(position)) headers['Last-Event-ID'] = position;
  const init: RequestInit = { headers, signal, cache: 'no-store', credentials: auth.credentials };
  return fetch ? fetch(url, init) : environment.fetch(...withForm(url, init));
}
