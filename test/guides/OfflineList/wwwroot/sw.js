// Keeps the page, so that it opens without a network. RxDB keeps the data.
const SHELL = ['/', '/page.js'];

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open('shell').then((cache) => cache.addAll(SHELL)));
});

self.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  if (method !== 'GET' || !SHELL.includes(new URL(url).pathname)) return;
  event.respondWith(fromNetwork(event.request));
});

async function fromNetwork(request) {
  try {
    const response = await fetch(request);
    if (response.ok) await (await caches.open('shell')).put(request, response.clone());
    return response;
  } catch {
    return caches.match(request);
  }
}
