// Simulates a reconnect storm: all readers, each with missed events, reconnect at once. Measures the time until all are complete and the
// cost for the server. Without --url it starts the bench server on its own file, pinned to one core, and runs on the other.
//   node bench/storm.mjs [--readers 5000] [--missed 1000] [--older 20000] [--url http://127.0.0.1:7101 --pid N]
// --older events are published afterwards to another topic, so that the missed events leave the server's memory.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { optionsOf } from './options.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const options = optionsOf(fileURLToPath(import.meta.url), ['readers', 'missed', 'older', 'url', 'pid']);
const readers = Number(options.readers ?? 5000);
const missed = Number(options.missed ?? 1000);
const older = Number(options.older ?? 0);
const folder = mkdtempSync(join(tmpdir(), 'dunlin-storm-'));

let server;
let url = options.url;
let pid = options.pid;
if (!url) {
  const out = join(folder, 'server');
  execFileSync('dotnet', [
    'build',
    join(here, 'server'),
    '-c',
    'Release',
    '-v',
    'quiet',
    '--nologo',
    '-o',
    out,
  ]);
  url = 'http://127.0.0.1:7104';
  const args = ['-c', '0', 'dotnet', join(out, 'Dunlin.Bench.Server.dll'), '7104', join(folder, 'storm.db')];
  server = spawn('taskset', args, { stdio: 'ignore' });
  pid = server.pid;
  execFileSync('taskset', ['-pc', '1', String(process.pid)]);
  for (let tries = 0; ; tries++) {
    try {
      await fetch(url + '/healthz/live');
      break;
    } catch (error) {
      if (tries > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

const publish = async (topic, count) => {
  const data = 'x'.repeat(198);
  const positions = [];
  for (let left = count; left > 0; left -= 500) {
    const events = Array.from({ length: Math.min(500, left) }, () => ({ topic, type: 'storm', data }));
    const response = await fetch(url + '/dunlin/v1/events', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(events),
    });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    positions.push(...(await response.json()).positions);
  }
  return positions;
};
const cpu = () => {
  if (!pid) return NaN;
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

const [from] = await publish('storm', 1);
const positions = await publish('storm', missed);
if (older) await publish('other', older);
const last = Buffer.from(`id: ${positions.at(-1)}\n`);
const { hostname, port } = new URL(url);
const head = `GET /dunlin/v1/events?topic=storm HTTP/1.1\r\nHost: ${hostname}\r\nLast-Event-ID: ${from}\r\nAccept: text/event-stream\r\n\r\n`;

const cpuBefore = cpu();
const began = performance.now();
const times = [];
let bytes = 0;
await new Promise((resolve, reject) => {
  for (let i = 0; i < readers; i++) {
    const socket = connect(Number(port), hostname, () => socket.write(head));
    let tail = Buffer.alloc(0);
    let isThere = false;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      if (isThere) return;
      // A packet boundary may split the last id.
      const seen = Buffer.concat([tail, chunk]);
      if (seen.includes(last)) {
        isThere = true;
        times.push((performance.now() - began) / 1000);
        if (times.length === readers) resolve();
      }
      tail = seen.subarray(-last.length);
    });
    socket.on('error', reject);
    socket.on('close', () => isThere || reject(new Error('a stream was closed before it had everything')));
  }
});
const cost = cpu() - cpuBefore;
const at = (share) => times[Math.min(readers - 1, Math.floor(readers * share))].toFixed(2);
console.log(`${readers} readers, each ${missed} events behind (${(bytes / 1048576).toFixed(0)} MiB in all)`);
console.log(`caught up: half after ${at(0.5)} s, 99 % after ${at(0.99)} s, all after ${at(1)} s`);
console.log(`server: ${cost.toFixed(2)} s of CPU, ${((cost * 1e3) / readers).toFixed(2)} ms a reader`);
server?.kill('SIGKILL');
rmSync(folder, { recursive: true, force: true });
process.exit(0);
