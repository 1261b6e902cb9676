import type { Environment } from '../environment.js';
import { withQuery } from './pollStream.js';
import type { Fetch } from './streamResponse.js';

const SUBPROTOCOL = 'dunlin.v1';
/** Unread bytes after which the stream breaks. A page cannot slow down a WebSocket; the stream resumes from the journal. */
const MAX_UNREAD = 4 * 1024 * 1024;
/** Longest address of a WebSocket. Proxies refuse longer request lines. */
const MAX_URL = 4000;

/** Opens a stream over a WebSocket. Rejects if it cannot be opened; a page does not learn why. */
export async function socketStream(
  environment: Environment,
  fetch: Fetch,
  base: string,
  address: string,
  init: RequestInit,
): Promise<Response> {
  const { openSocket } = environment;
  const headers = new Headers(init.headers);
  let url = address;
  const add = (name: string, value: string | null) => {
    if (value !== null && !url.includes(`?${name}=`) && !url.includes(`&${name}=`))
      url = withQuery(url, name, value);
  };
  add('lastEventId', headers.get('Last-Event-ID'));
  add('device', headers.get('Dunlin-Device'));
  const user = headers.get('Dunlin-User');
  add('dunlin-user', user && decodeURIComponent(user));
  if (headers.has('Authorization')) add('ticket', await ticket(fetch, base, init));
  if (!openSocket || url.length > MAX_URL) throw new TypeError('network: no WebSocket');
  const { signal } = init;
  const encoder = new TextEncoder();
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let body: ReadableStreamDefaultController<Uint8Array> | undefined;
    let isOpen = false;
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (body = controller),
        cancel: () => end(),
      },
      { highWaterMark: MAX_UNREAD, size: (chunk) => chunk.byteLength },
    );
    const end = (error?: unknown) => {
      signal?.removeEventListener('abort', abort);
      const open = body;
      body = undefined;
      socket.close();
      if (!open) return;
      if (error === undefined) open.close();
      else open.error(error);
      reject(error instanceof Error ? error : new TypeError('network: the WebSocket was refused'));
    };
    const abort = () => end(signal?.reason);
    const socket = openSocket(url, SUBPROTOCOL, {
      onMessage: (text) => {
        if (!body) return;
        body.enqueue(encoder.encode(text));
        if (!isOpen) resolve(new Response(stream, { headers: headersOf(text) }));
        isOpen = true;
        if ((body.desiredSize ?? 1) <= 0) end(new TypeError('network: the page reads too slowly'));
      },
      onClose: () => end(),
    });
    signal?.addEventListener('abort', abort);
  });
}

/** A page cannot read the headers of a WebSocket, so the first message begins with the id of the connection. */
function headersOf(first: string): Record<string, string> {
  const id = /^:connection ([\w-]+)\n/.exec(first)?.[1];
  return { 'Content-Type': 'text/event-stream', ...(id && { 'Dunlin-Connection': id }) };
}

/** A page cannot set headers of a WebSocket, and a token must not be in an address. */
async function ticket(fetch: Fetch, base: string, init: RequestInit): Promise<string> {
  const { headers, credentials, signal } = init;
  const response = await fetch(`${base}/api/v1/auth/ticket`, {
    method: 'POST',
    ...(headers && { headers }),
    ...(credentials && { credentials }),
    ...(signal && { signal }),
  });
  if (!response.ok) throw new TypeError('network: no ticket');
  return ((await response.json()) as { ticket: string }).ticket;
}
