import { StreamParser } from '../sse/parser.js';
import { isStream, type Fetch } from './streamResponse.js';

/** Longest wait of a request in seconds. Shorter than the idle time of common proxies. */
const MAX_WAIT = 25;

/**
 * Opens a stream whose body is a sequence of long polls. A refusal of the first one is the response. Later failures break the body, so
 * that the feed opens the stream again and learns the reason.
 */
export async function pollStream(
  fetch: Fetch,
  url: string,
  init: RequestInit,
  heartbeatSeconds: number,
): Promise<Response> {
  // The first request does not wait: a resumed stream would otherwise become live only with its next event.
  const first = await fetch(withQuery(url, 'wait', '0'), init);
  if (!isStream(first)) return first;
  const headers = new Headers(init.headers);
  let heartbeat = heartbeatSeconds;
  let hasEnded = false;
  const parser = new StreamParser({
    onFrame: ({ control, data }) => {
      if (control === 'goodbye') hasEnded = true;
      if (control === 'hello') heartbeat = heartbeatOf(data) ?? heartbeat;
    },
  });
  let next: Promise<Response> | undefined = Promise.resolve(first);
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // The watchdog of the feed allows 2.5 heartbeats of silence.
        const wait = Math.max(1, Math.min(MAX_WAIT, Math.floor(heartbeat * 2)));
        const response = await (next ??
          fetch(withQuery(url, 'wait', `${wait}`), { ...init, headers: Object.fromEntries(headers) }));
        next = undefined;
        if (!isStream(response))
          throw new TypeError(`network: the poll was answered with ${response.status}`);
        const bytes = new Uint8Array(await response.arrayBuffer());
        parser.push(bytes);
        if (parser.lastEventId) headers.set('Last-Event-ID', parser.lastEventId);
        controller.enqueue(bytes);
        if (hasEnded) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: first.headers });
}

export function withQuery(url: string, name: string, value: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(value)}`;
}

function heartbeatOf(hello: string): number | undefined {
  try {
    const { heartbeatSeconds } = JSON.parse(hello) as { heartbeatSeconds?: unknown };
    return typeof heartbeatSeconds === 'number' && heartbeatSeconds > 0 ? heartbeatSeconds : undefined;
  } catch {
    return undefined;
  }
}
