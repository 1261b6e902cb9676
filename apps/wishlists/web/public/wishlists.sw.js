// Caches the page, so that it opens without a network. RxDB stores the data. Requests below /api or /dunlin, including streams, are never
// answered from this cache.
const CACHE = 'dunlin-wishlists';
const SHELL = '/wishlists';
const FIXED = [
  '/wishlists.webmanifest',
  '/wishlists-icon.svg',
  '/wishlists-192.png',
  '/wishlists-512.png',
];
/** Milliseconds after which the cached page is used. A network that does not answer must not block the page. */
const PATIENCE_MS = 4000;

self.addEventListener('install', (event) => {
  event.waitUntil(
    keepShell(fetch(SHELL, { cache: 'no-store' }))
      .then(() => caches.open(CACHE))
      .then((cache) => cache.addAll(FIXED))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  if (request.mode === 'navigate' && (url.pathname === SHELL || url.pathname.startsWith(SHELL + '/'))) {
    event.respondWith(openPage(event));
  } else if (url.pathname.startsWith('/assets/')) {
    event.respondWith(keptFirst(request));
  } else if (FIXED.includes(url.pathname)) {
    event.respondWith(keptFirst(request));
  }
});

/** Returns the page from the network, so that a new version appears at once, or the cached page. */
async function openPage(event) {
  const fresh = fetch(event.request);
  event.waitUntil(keepShell(fresh.then((response) => response.clone())).catch(() => {}));
  const kept = await caches.match(SHELL);
  if (!kept) return fresh;
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, kept));
  return Promise.race([fresh.then((response) => (response.ok ? response : kept)).catch(() => kept), patience]);
}

/** Caches the page with its scripts and styles. Their names contain hashes, so page and files always match. */
async function keepShell(answer) {
  const response = await answer;
  if (!response.ok) throw new Error(`The page was answered with ${response.status}.`);
  const html = await response.clone().text();
  const assets = [...new Set([...html.matchAll(/["'](\/assets\/[^"']+)["']/g)].map(([, path]) => path))];
  const cache = await caches.open(CACHE);
  for (const path of assets) if (!(await cache.match(path))) await cache.add(path);
  await cache.put(SHELL, response);
  const wanted = new Set([SHELL, ...FIXED, ...assets]);
  for (const request of await cache.keys()) {
    if (!wanted.has(new URL(request.url).pathname)) await cache.delete(request);
  }
}

async function keptFirst(request) {
  return (await caches.match(request)) ?? fetch(request);
}
