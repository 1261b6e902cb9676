// The operations of the five systems, by plain requests. Each function returns the result as text, for the table of results.

const PASSWORD = 'dunlin-demo';

export async function signIn(base, username) {
  const answer = await fetch(`${base}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username, password: PASSWORD }),
  });
  if (!answer.ok) throw new Error(`Signing in as ${username} was answered with ${answer.status}.`);
  const { accessToken } = await answer.json();
  return {
    username,
    headers: { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' },
  };
}

/** The streams of the readers, in turn. Those of the devices receive the probe of the latency. */
export const readersOf = [
  (i) => ({ user: i, path: '/api/v1/sse/subscribe' }),
  (i) => ({ user: i, path: '/api/v1/replicache/stream' }),
  (i) => ({ user: i % 2, path: '/api/sse/warranty-updates?branchId=1' }),
  (i) => ({ user: i, path: `/api/sse?deviceId=soak-${i % 12}` }),
  (i) => ({ user: i, path: '/api/v1/events/stream' }),
];

const pick = (random, list) => list[Math.floor(random() * list.length)];
const idOf = (random) => Math.floor(random() * 2 ** 48).toString(36);

function client(base, user) {
  return async (method, path, body, headers) => {
    const answer = await fetch(base + path, {
      method,
      headers: { ...user.headers, ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, body: text && answer.status < 300 ? JSON.parse(text) : undefined };
  };
}

/** Takes the lock of a file, saves the file, and releases the lock. Another user may hold it (423). */
function documents(base, user, random) {
  const send = client(base, user);
  return async () => {
    if (random() < 0.3) return `list ${(await send('GET', '/api/v1/files/list')).status}`;
    const list = await send('GET', '/api/v1/files/list');
    const files = JSON.stringify(list.body).match(/"stable_id":"([^"]+)"/g) ?? [];
    if (files.length === 0) return 'no file';
    const file_id = pick(random, files).slice('"stable_id":"'.length, -1);
    const lock = await send('POST', '/api/v1/files/acquire_lock', { file_id });
    if (lock.status !== 200) return `lock ${lock.status}`;
    const { lease } = lock.body;
    const xml_string = `<letter><p>${idOf(random)}</p></letter>`;
    const saved = await send('POST', '/api/v1/files/save', { xml_string, file_id, lease });
    await send('POST', '/api/v1/files/release_lock', { file_id, lease });
    return `save ${saved.status}`;
  };
}

/** A Replicache client that keeps ten lists: creates, renames and deletes, and pulls. */
function todos(base, user, random) {
  const send = client(base, user);
  const clientGroupID = `soak-${user.username}-${idOf(random)}`;
  const lists = [];
  let last = 0;
  let cookie = null;
  let turn = Promise.resolve();
  const mutate = (name, args) => {
    const mutation = { clientID: clientGroupID, id: ++last, name, args, timestamp: 0 };
    const body = { pushVersion: 1, clientGroupID, profileID: 'p', schemaVersion: '1', mutations: [mutation] };
    return send('POST', '/api/v1/replicache/push', body);
  };
  const operate = async () => {
    if (random() < 0.4) {
      const body = { pullVersion: 1, clientGroupID, profileID: 'p', schemaVersion: '1', cookie };
      const pulled = await send('POST', '/api/v1/replicache/pull', body);
      if (pulled.status === 200) ({ cookie } = pulled.body);
      return `pull ${pulled.status}`;
    }
    if (lists.length < 10) {
      lists.push(idOf(random));
      return `push ${(await mutate('createList', { id: lists.at(-1), title: 'Soak' })).status}`;
    }
    return `push ${(await mutate('deleteList', { id: lists.shift() })).status}`;
  };
  // One client sends one push at a time.
  return () => (turn = turn.then(operate, operate));
}

/** Locks a field of a case, changes it, and releases the lock. */
function warranty(base, user, random) {
  const send = client(base, user);
  return async () => {
    const page = await send('GET', '/api/warranty/branches/1/cases?page=1&limit=20');
    if (page.status !== 200) return `cases ${page.status}`;
    const { id } = pick(random, page.body.items);
    const field = pick(random, ['remarks', 'issues', 'solutions']);
    const path = `/api/warranty/cases/${id}/locks/${field}`;
    const leaseId = `soak-${idOf(random)}-${idOf(random)}`;
    const lock = await send('PUT', path, { leaseId, seconds: 30 });
    if (lock.status !== 201) return `lock ${lock.status}`;
    const body = {
      updates: { [field]: idOf(random) },
      leases: { [field]: { leaseId, fence: lock.body.fence } },
    };
    const saved = await send('PATCH', `/api/warranty/cases/${id}`, body);
    await send('DELETE', path, undefined, { 'Dunlin-Lease': leaseId });
    return `update ${saved.status}`;
  };
}

/** Creates and removes tasks, and starts and cancels the timer. */
function focus(base, user, random) {
  const send = client(base, user);
  const device = `soak-${idOf(random)}`;
  const headers = { 'Dunlin-Device': device };
  return async () => {
    if (random() < 0.3) {
      const started = await send(
        'POST',
        '/api/timer/start',
        { mode: 'normal', taskTitle: 'Soak', deviceId: device },
        headers,
      );
      if (started.status < 300) await send('POST', '/api/timer/cancel', {}, headers);
      return `timer ${started.status}`;
    }
    const id = crypto.randomUUID();
    const created = await send('POST', '/api/tasks', { id, title: 'Soak' }, headers);
    const removed = await send('DELETE', `/api/tasks/${id}`, undefined, headers);
    return `task ${created.status} ${removed.status}`;
  };
}

/** Creates a list with an item and deletes it, by requests and by replication. */
function wishlists(base, user, random) {
  const send = client(base, user);
  const list = send('POST', '/api/v1/wishlists', { name: `Soak ${idOf(random)}` });
  const checkpoints = {};
  return async () => {
    if (random() < 0.4) {
      const collection = pick(random, ['wishlists', 'items', 'marks']);
      const query = new URLSearchParams({ ...checkpoints[collection], limit: '100' });
      const pulled = await send('GET', `/api/v1/sync/pull/${collection}?${query}`);
      if (pulled.status === 200 && pulled.body.checkpoint) checkpoints[collection] = pulled.body.checkpoint;
      return `pull ${pulled.status}`;
    }
    const { id } = (await list).body;
    const created = await send('POST', `/api/v1/wishlists/${id}/items`, { title: 'Soak', quantity: 1 });
    if (created.status >= 300) return `item ${created.status}`;
    const removed = await send('DELETE', `/api/v1/items/${created.body.id}`);
    return `item ${created.status} ${removed.status}`;
  };
}

export const SYSTEMS = { documents, todos, warranty, focus, wishlists };
