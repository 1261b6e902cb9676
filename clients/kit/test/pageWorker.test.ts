import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startPageWorker, type WorkerScope } from '../src/pageWorker';

const ORIGIN = 'https://dunlin.test';
const html = (script: string) => `<script type="module" src="${script}"></script>`;

type Stored = Map<string, string>;

let stores: Map<string, Stored>;
let server: Map<string, string>;
let isOnline: boolean;
let isHanging: boolean;
let status: number;
let windows: string[];
let skipped: number;
let listeners: Map<string, (event: never) => void>;

const pathOf = (request: unknown) =>
  new URL(typeof request === 'string' ? request : (request as Request).url, ORIGIN).pathname;

async function load(request: unknown): Promise<Response> {
  const path = pathOf(request);
  if (!isOnline) throw new TypeError('Failed to fetch');
  if (isHanging) return new Promise(() => {});
  const text = server.get(path);
  return text === undefined ? new Response('', { status: 404 }) : new Response(text, { status });
}

const caches = {
  keys: async () => [...stores.keys()],
  delete: async (name: string) => stores.delete(name),
  open: async (name: string) => {
    const store: Stored = stores.get(name) ?? new Map<string, string>();
    stores.set(name, store);
    return {
      match: async (path: string) => (store.has(path) ? new Response(store.get(path)) : undefined),
      put: async (path: string, response: Response) => void store.set(path, await response.text()),
      addAll: async (paths: string[]) => {
        for (const path of paths) {
          const response = await load(path);
          if (!response.ok) throw new TypeError(path);
          store.set(path, await response.text());
        }
      },
    };
  },
} as unknown as CacheStorage;

/** Starts the worker of a build whose script is `/assets/{build}.js`. */
function start(build: string): void {
  listeners = new Map();
  const scope: WorkerScope = {
    location: { origin: ORIGIN },
    caches,
    clients: { matchAll: async () => windows.map((path) => ({ url: ORIGIN + path })) },
    fetch: load,
    skipWaiting: async () => void skipped++,
    addEventListener: (type: string, listener: (event: never) => void) => listeners.set(type, listener),
  };
  startPageWorker(scope, {
    name: 'todos',
    build,
    assets: [`/assets/${build}.js`, `/assets/${build}-later.js`],
    fixed: ['/todos-icon.svg'],
  });
}

async function dispatch(type: string, event: object = {}): Promise<Response | undefined> {
  let work: Promise<unknown> | undefined;
  let answer: Promise<Response> | undefined;
  const waits = {
    waitUntil: (each: Promise<unknown>) => (work = each),
    respondWith: (each: Promise<Response>) => (answer = each),
  };
  listeners.get(type)!({ ...waits, ...event } as never);
  await work;
  return answer;
}

const request = (path: string, more: object = {}) =>
  dispatch('fetch', { request: { url: ORIGIN + path, method: 'GET', mode: 'cors', ...more } });
const open = (path: string) => request(path, { mode: 'navigate' });
const activation = (script: string) => dispatch('message', { data: { type: 'dunlin.activate', script } });

async function deploy(build: string): Promise<void> {
  server.set('/todos', html(`/assets/${build}.js`));
  server.set(`/assets/${build}.js`, build);
  server.set(`/assets/${build}-later.js`, `${build} later`);
  start(build);
  await dispatch('install');
}

beforeEach(async () => {
  [stores, isOnline, isHanging, status, windows, skipped] = [new Map(), true, false, 200, [], 0];
  server = new Map([
    ['/todos-icon.svg', '<svg/>'],
    ['/api/v1/data', 'private'],
  ]);
  await deploy('one');
});

afterEach(() => {
  vi.useRealTimers();
});

describe('The page', () => {
  test('comes from the network when there is one', async () => {
    server.set('/todos/list', 'newer');
    expect(await (await open('/todos/list'))!.text()).toBe('newer');
  });

  test.each(['/todos', '/todos/list', '/todos/list?q=a'])(
    'comes from the cache offline: %s',
    async (path) => {
      isOnline = false;
      expect(await (await open(path))!.text()).toBe(html('/assets/one.js'));
      expect(await (await request('/assets/one-later.js'))!.text()).toBe('one later');
      expect(await (await request('/todos-icon.svg'))!.text()).toBe('<svg/>');
    },
  );

  test('comes from the cache when the server fails', async () => {
    status = 503;
    expect((await open('/todos'))!.status).toBe(200);
  });

  test('comes from the cache when the network hangs', async () => {
    vi.useFakeTimers();
    isHanging = true;
    const answer = open('/todos');
    await vi.advanceTimersByTimeAsync(4000);
    expect((await answer)!.status).toBe(200);
  });

  test('with a status below 500 is shown as it came', async () => {
    server.set('/todos/x', '');
    status = 404;
    expect((await open('/todos/x'))!.status).toBe(404);
  });
});

describe('A request', () => {
  test.each([
    ['of the API', '/api/v1/data', {}],
    ['of another page', '/focus', { mode: 'navigate' }],
    ['of a page whose name begins the same', '/todos-other', { mode: 'navigate' }],
    ['that writes', '/todos', { mode: 'navigate', method: 'POST' }],
    ['of a file that is not in the list', '/assets/other.js', {}],
  ])('%s passes untouched', async (_, path, more) => {
    expect(await request(path, more)).toBeUndefined();
  });

  test('is never cached after the installation', async () => {
    const before = JSON.stringify([...stores].map(([name, store]) => [name, [...store.keys()]]));
    for (const path of ['/todos', '/todos/list', '/api/v1/data']) await open(path);
    expect(JSON.stringify([...stores].map(([name, store]) => [name, [...store.keys()]]))).toBe(before);
  });
});

describe('An update', () => {
  test('keeps the former cache while it waits and removes it when activated', async () => {
    stores.set('dunlin-todos', new Map());
    stores.set('dunlin-wishlists-a', new Map());
    await deploy('two');
    expect([...stores.keys()]).toContain('dunlin-todos-one');
    await dispatch('activate');
    expect([...stores.keys()].sort()).toEqual(['dunlin-todos-two', 'dunlin-wishlists-a']);
  });

  test('waits for other tabs, and for a page of its own build', async () => {
    await deploy('two');
    windows = ['/todos', '/todos/list', '/focus'];
    await activation('/assets/two.js');
    windows = ['/todos', '/focus'];
    await activation('/assets/one.js');
    expect(skipped).toBe(0);
    await activation('/assets/two.js');
    expect(skipped).toBe(1);
  });

  test('is not installed from a page of another build', async () => {
    start('two');
    await expect(dispatch('install')).rejects.toThrow('another build');
  });
});
