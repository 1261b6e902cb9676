import type { ActivationRequest } from './pageWorker';

/**
 * Caches the page `/{name}` and its files in this browser, so that it opens without a network. Does nothing where service workers are not
 * available, such as in an insecure context or in a build without them.
 */
export function openOffline(name: string): void {
  if (!('serviceWorker' in navigator)) return;
  const register = () => void start(name).catch(() => {});
  // The page's own requests come first.
  if (document.readyState === 'complete') register();
  else addEventListener('load', register, { once: true });
}

async function start(name: string): Promise<void> {
  const registration = await navigator.serviceWorker.register(`/${name}.sw.js`, { scope: `/${name}` });
  requestActivation(registration.waiting);
  registration.addEventListener('updatefound', () => {
    const worker = registration.installing;
    worker?.addEventListener('statechange', () => requestActivation(registration.waiting));
  });
}

function requestActivation(worker: ServiceWorker | null): void {
  const script = document.querySelector<HTMLScriptElement>('script[type=module][src]');
  if (!worker || !script) return;
  worker.postMessage({
    type: 'dunlin.activate',
    script: new URL(script.src).pathname,
  } satisfies ActivationRequest);
}
