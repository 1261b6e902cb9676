// Measures the delay between sending a request from one device and receiving its event on another device's stream.
// Usage: start the host with its demo data (./start.sh --port 5080), then: node bench/focus-latency.mjs [http://127.0.0.1:5080] [count]
const [base = 'http://127.0.0.1:5080', count = '200'] = process.argv.slice(2);

const login = await fetch(`${base}/api/v1/auth/login`, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ username: 'alice', password: 'dunlin-demo' }),
});
if (!login.ok) throw new Error(`Signing in was answered with ${login.status}.`);
const { accessToken } = await login.json();
const headers = (device) => ({
  Authorization: `Bearer ${accessToken}`,
  'Content-Type': 'application/json',
  'Dunlin-Device': device,
});

const arrived = new Map();
const stream = await fetch(`${base}/api/sse?deviceId=bench-phone`, { headers: headers('bench-phone') });
void (async () => {
  let text = '';
  for await (const chunk of stream.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = /^data: (.*)$/m.exec(text.slice(0, end));
      text = text.slice(end + 2);
      if (!data) continue;
      const { type, payload } = JSON.parse(data[1]);
      if (type.endsWith('created')) arrived.get(payload.id)?.(performance.now());
    }
  }
})().catch(() => {});

async function measure(path, body) {
  const id = crypto.randomUUID();
  const heard = new Promise((resolve) => arrived.set(id, resolve));
  const sent = performance.now();
  const [answer, at] = await Promise.all([
    fetch(base + path, {
      method: 'POST',
      headers: headers('bench-laptop'),
      body: JSON.stringify({ id, ...body }),
    }),
    heard,
  ]);
  if (!answer.ok) throw new Error(await answer.text());
  await fetch(`${base}${path}/${id}`, { method: 'DELETE', headers: headers('bench-laptop') });
  return at - sent;
}

const bodies = {
  '/api/tasks': { title: 'Bench' },
  '/api/calendar/events': { title: 'Bench', start: '2030-01-01T09:00:00Z', end: '2030-01-01T10:00:00Z' },
};
for (const [path, body] of Object.entries(bodies)) {
  for (let i = 0; i < 20; i++) await measure(path, body);
  const times = [];
  for (let i = 0; i < Number(count); i++) times.push(await measure(path, body));
  times.sort((one, other) => one - other);
  const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))].toFixed(1);
  console.log(`${path}: median ${at(0.5)} ms, 95 % ${at(0.95)} ms, slowest ${at(1)} ms of ${count}`);
}
process.exit(0);
