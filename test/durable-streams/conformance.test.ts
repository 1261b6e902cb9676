import { runConformanceTests } from '@durable-streams/server-conformance-tests';

/** Returns a setting that the process which starts the suite must pass. */
function setting(name: string): string {
  const value = process.env[name];
  if (!value)
    throw new Error(
      `${name} is missing. Run the tests of Dunlin.DurableStreams: they start servers and then this suite.`,
    );
  return value;
}

// The suite sends no credentials and knows one address. Requests therefore get a token here, and alternate between the nodes.
const nodes = setting('DUNLIN_STREAM_NODES').split(',');
const token = setting('DUNLIN_STREAM_TOKEN');
const first = nodes[0]!;
const plainFetch = globalThis.fetch;
let requests = 0;

globalThis.fetch = (input, init) => {
  const request = new Request(input, init);
  if (!request.url.startsWith(first)) return plainFetch(request);
  const url = nodes[requests++ % nodes.length]! + request.url.slice(first.length);
  const headers = new Headers(request.headers);
  // Callbacks and acknowledgements carry the token of their wake.
  if (!headers.has('Authorization')) headers.set('Authorization', `Bearer ${token}`);
  // A body of a string or of bytes keeps its length; a request that is built from another one would be sent in chunks.
  return plainFetch(url, { ...init, method: request.method, headers, signal: request.signal });
};

runConformanceTests({
  baseUrl: first,
  subscriptions: true,
  longPollTimeoutMs: Number(setting('DUNLIN_STREAM_LONG_POLL')) * 1000,
});
