// Keeps the page, so that it opens without a network. The data is RxDB's business: nothing below /api or /dunlin is ever
// answered from here, least of all a stream.
const CACHE = 'dunlin-wishlists';
const SHELL = '/wishlists';
const FIXED = [
  '/wishlists.webmanifest',
  '/wishlists-icon.svg',
  '/wishlists-192.png',
  '/wishlists-512.png',
];
/** A network that is there and answers nothing must not keep the page from opening. */
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

/** The page of the network where there is one, so that a new version is seen at once; the kept one otherwise. */
async function openPage(event) {
  const fresh = fetch(event.request);
  event.waitUntil(keepShell(fresh.then((response) => response.clone())).catch(() => {}));
  const kept = await caches.match(SHELL);
  if (!kept) return fresh;
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, kept));
  return Promise.race([fresh.then((response) => (response.ok ? response : kept)).catch(() => kept), patience]);
}

/** Keeps the page and all that it names: its scripts and styles, by their hashes, so that the two always fit together. */
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
