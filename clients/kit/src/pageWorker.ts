// The service worker of all pages that open without a network. The build writes it, with the files of one page, to `/{name}.sw.js`.
// This file imports nothing, because the build copies it alone.

/** What one build of one page consists of. */
export interface PageFiles {
  /** Name of the page: it answers `/{name}` and every address below. */
  readonly name: string;
  /** Identifies the build. */
  readonly build: string;
  /** Paths of scripts, styles and pictures. Their names contain hashes, so their content never changes. */
  readonly assets: readonly string[];
  /** Paths of files without a hash, such as the manifest and its icons. */
  readonly fixed: readonly string[];
}

/** Sent by a page to a worker that waits. */
export interface ActivationRequest {
  readonly type: 'dunlin.activate';
  /** Path of the page's own script, which tells the build of the page. */
  readonly script: string;
}

interface LifecycleEvent {
  waitUntil(work: Promise<unknown>): void;
}

interface RequestEvent extends LifecycleEvent {
  readonly request: Pick<Request, 'url' | 'method' | 'mode'>;
  respondWith(response: Promise<Response>): void;
}

interface WorkerMessageEvent extends LifecycleEvent {
  readonly data: unknown;
}

/** The members of `ServiceWorkerGlobalScope` that the worker uses. */
export interface WorkerScope {
  readonly location: { readonly origin: string };
  readonly caches: CacheStorage;
  readonly clients: {
    matchAll(options: {
      type: 'window';
      includeUncontrolled: boolean;
    }): Promise<readonly { readonly url: string }[]>;
  };
  fetch(request: unknown, init?: RequestInit): Promise<Response>;
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: LifecycleEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: RequestEvent) => void): void;
  addEventListener(type: 'message', listener: (event: WorkerMessageEvent) => void): void;
}

/** Milliseconds after which the cached page is used. A network that does not answer must not block the page. */
const PATIENCE_MS = 4000;

/**
 * Caches the page and its files when the worker is installed, and never again. So the cache holds one complete build and nothing of a user.
 * The page comes from the network when there is one. All other requests, such as those to `/api`, pass untouched.
 */
export function startPageWorker(scope: WorkerScope, { name, build, assets, fixed }: PageFiles): void {
  const page = `/${name}`;
  const cacheName = `dunlin-${name}-${build}`;
  const files = new Set([...assets, ...fixed]);
  const isPage = (path: string) => path === page || path.startsWith(`${page}/`);

  const install = async () => {
    const cache = await scope.caches.open(cacheName);
    const response = await scope.fetch(page, { cache: 'no-store', credentials: 'omit', redirect: 'error' });
    if (!response.ok) throw new Error(`The page was answered with ${response.status}.`);
    const html = await response.clone().text();
    const wanted = [...html.matchAll(/["'](\/assets\/[^"']+)["']/g)].map(([, path]) => path!);
    // A deployment is in progress. The browser tries again at the next visit.
    if (!wanted.every((path) => files.has(path))) throw new Error('The page is of another build.');
    await cache.addAll([...files]);
    await cache.put(page, response);
  };

  const removeOldCaches = async () => {
    for (const each of await scope.caches.keys()) {
      const isOwn = each === `dunlin-${name}` || each.startsWith(`dunlin-${name}-`);
      if (isOwn && each !== cacheName) await scope.caches.delete(each);
    }
  };

  const cached = async (path: string) => (await scope.caches.open(cacheName)).match(path);

  const openPage = async (request: RequestEvent['request']): Promise<Response> => {
    const fresh = scope.fetch(request);
    fresh.catch(() => {});
    const kept = await cached(page);
    if (!kept) return fresh;
    const answer = fresh.then(
      (response) => (response.status < 500 ? response : kept),
      () => kept,
    );
    return Promise.race([answer, new Promise<Response>((done) => setTimeout(done, PATIENCE_MS, kept))]);
  };

  const openFile = async (path: string, request: RequestEvent['request']): Promise<Response> =>
    (await cached(path)) ?? scope.fetch(request);

  // Tabs of the former build load their files from the former cache, so this worker waits until they are closed. A page of this build that
  // is the only tab needs no such wait.
  const activate = async (script: string) => {
    if (!files.has(script)) return;
    const windows = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
    if (windows.filter(({ url }) => isPage(new URL(url).pathname)).length <= 1) await scope.skipWaiting();
  };

  scope.addEventListener('install', (event) => event.waitUntil(install()));
  scope.addEventListener('activate', (event) => event.waitUntil(removeOldCaches()));
  scope.addEventListener('message', (event) => {
    const request = event.data as Partial<ActivationRequest> | null;
    if (request?.type === 'dunlin.activate') event.waitUntil(activate(String(request.script)));
  });
  scope.addEventListener('fetch', (event) => {
    const { request } = event;
    const { origin, pathname } = new URL(request.url);
    if (request.method !== 'GET' || origin !== scope.location.origin) return;
    if (request.mode === 'navigate' && isPage(pathname)) event.respondWith(openPage(request));
    else if (files.has(pathname)) event.respondWith(openFile(pathname, request));
  });
}
