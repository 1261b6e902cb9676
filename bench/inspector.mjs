// What the inspector costs a server with many streams. Usage, after `npm run build` and a build of the server and of bench/load:
//   node bench/inspector.mjs [--connections 10000] [--rate 5] [--seconds 20] [--viewers 0,1,5,0]
// A viewer does what the page does: it holds the stream of samples, and loads one of the views every three seconds.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { optionsOf } from './options.mjs';

const given = optionsOf(fileURLToPath(import.meta.url), ['connections', 'rate', 'seconds', 'viewers']);
const connections = Number(given.connections ?? 10_000);
const rate = Number(given.rate ?? 5);
const seconds = Number(given.seconds ?? 20);
const counts = (given.viewers ?? '0,1,5,0').split(',').map(Number);
const port = 5590;
const address = `http://127.0.0.1:${port}`;
const data = mkdtempSync(join(tmpdir(), 'dunlin-inspector-'));
const server = 'apps/server/bin/Release/net10.0/dunlin.dll';
const load = 'bench/load/bin/Release/net10.0/Dunlin.Bench.Load.dll';
const views = ['connections', 'topics', 'journal', 'refusals'];

const tokenOf = (...more) => {
  const made = spawnSync(
    'dotnet',
    [server, 'token', '--data', data, '--subject', 'bench', '--minutes', '600', ...more],
    {
      encoding: 'utf8',
    },
  );
  if (made.status !== 0) throw new Error(made.stderr);
  return made.stdout.trim();
};

// The processor time of a process in seconds: fields 14 and 15 of /proc/PID/stat, in ticks of 10 ms.
const cpuOf = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

async function view(token, name, signal) {
  const headers = { Authorization: `Bearer ${token}` };
  const stream = async () => {
    while (!signal.aborted) {
      const response = await fetch(`${address}/dunlin/inspect/api/stream`, { headers, signal });
      for await (const _ of response.body);
    }
  };
  const poll = async () => {
    while (!signal.aborted) {
      await (await fetch(`${address}/dunlin/inspect/api/${name}`, { headers, signal })).arrayBuffer();
      await sleep(3000, undefined, { signal });
    }
  };
  await Promise.allSettled([stream(), poll()]);
}

const admin = tokenOf('--role', 'admin');
const user = tokenOf('--subscribe', 'load/**', 'load', '--publish', 'load/**', 'load');
const env = {
  ...process.env,
  Dunlin__Streams__MaxPerUser: '100000',
  Dunlin__Streams__MaxPerAddress: '100000',
  Dunlin__Publish__PerSecond: '0',
};
const host = spawn('dotnet', [server, '--data', data, '--port', String(port)], { env, stdio: 'ignore' });
const running = [host];
try {
  for (let i = 0; i < 100; i++) {
    if ((await fetch(`${address}/healthz/ready`).catch(() => undefined))?.ok) break;
    await sleep(200);
  }
  const total = counts.length * (seconds + 8) + 60;
  const numbers = { topics: 100, connections, rate, seconds: total };
  const options = Object.entries({ url: address, token: user, ...numbers }).flatMap(([name, value]) => [
    `--${name}`,
    String(value),
  ]);
  const reader = spawn('dotnet', [load, ...options], { stdio: 'ignore' });
  running.push(reader);
  const headers = { Authorization: `Bearer ${admin}` };
  for (let open = 0; open < connections; await sleep(1000)) {
    if (reader.exitCode !== null) throw new Error(`The load program ended with ${reader.exitCode}.`);
    open = (await (await fetch(`${address}/dunlin/v1/stats`, { headers })).json()).totalConnections;
  }
  await sleep(5000);
  console.log(`${connections} streams, ${rate} events per second, ${seconds} s each`);
  console.log('| viewers | CPU of the server, % of one core | time of GET connections, ms |\n|---|---|---|');
  for (const viewers of counts) {
    const end = new AbortController();
    const all = Array.from({ length: viewers }, (_, i) => view(admin, views[i % views.length], end.signal));
    await sleep(3000);
    const [before, at] = [cpuOf(host.pid), performance.now()];
    await sleep(seconds * 1000);
    const share = ((cpuOf(host.pid) - before) / ((performance.now() - at) / 1000)) * 100;
    const asked = performance.now();
    if (viewers > 0)
      await (await fetch(`${address}/dunlin/inspect/api/connections`, { headers })).arrayBuffer();
    const took = viewers > 0 ? Math.round(performance.now() - asked) : '–';
    console.log(`| ${viewers} | ${share.toFixed(1)} | ${took} |`);
    end.abort();
    await Promise.allSettled(all);
  }
} finally {
  for (const one of running) one.kill('SIGTERM');
  await sleep(1000);
  rmSync(data, { recursive: true, force: true });
}
