import { DunlinError, type Environment } from '@dunlin/client';
import type { SyncName } from '@dunlin/client/rxdb';

/** What a page without data says: it is still loading, why it cannot, or that there is nothing. */
export type LoadState = 'loading' | 'offline' | 'failed' | 'loaded';

/** @param hasLoaded whether everything was pulled once, in this or an earlier visit. */
export function loadStateOf(hasLoaded: boolean, sync: SyncName): LoadState {
  if (hasLoaded) return 'loaded';
  if (sync === 'offline') return 'offline';
  return sync === 'error' || sync === 'outdated' ? 'failed' : 'loading';
}

/** Milliseconds after which a request counts as failed. Without a limit a server that hangs leaves the page loading for ever. */
export const ANSWER_LIMIT_MS = 15_000;

/** Returns the environment with a time limit for requests below a path, body included. Streams, which never end, belong to other paths. */
export function withTimeLimit(environment: Environment, path: string): Environment {
  return {
    ...environment,
    fetch: (url, init) =>
      url.startsWith(path) ? fetchWithin(environment, url, init) : environment.fetch(url, init),
  };
}

async function fetchWithin(environment: Environment, url: string, init: RequestInit): Promise<Response> {
  const limit = new AbortController();
  const cancel = environment.setTimer(ANSWER_LIMIT_MS, () => limit.abort());
  const signals = init.signal ? [init.signal, limit.signal] : [limit.signal];
  try {
    const response = await environment.fetch(url, { ...init, signal: AbortSignal.any(signals) });
    const { status, statusText, headers } = response;
    const body = await response.arrayBuffer();
    return new Response(body.byteLength > 0 ? body : null, { status, statusText, headers });
  } catch (error) {
    if (!limit.signal.aborted) throw error;
    throw new DunlinError({ kind: 'network', code: 'network', title: 'The server did not answer in time.' });
  } finally {
    cancel();
  }
}
