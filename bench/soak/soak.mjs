// Runs mixed load on all systems of the host, and tests whether memory, files, rows and latency stay flat.
//   node bench/soak/soak.mjs [--minutes 30] [--rate 40] [--readers 160] [--lifetime 60] [--warm-up 8] [--seed N] [--out FILE.json]
// Builds the host, starts it with an embedded SQLite store in a new folder, and removes the folder at the end.
// --rate      operations per second over all systems
// --readers   open event streams of four users, at most 50 each; each lives for --lifetime seconds on average, then reconnects with Last-Event-ID
// --warm-up   minutes that the slopes leave out: compiled code, pools and retention settle first
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { slopeOf } from './slope.mjs';
import { SYSTEMS, readersOf, signIn } from './systems.mjs';

const SAMPLE_MS = 10_000;
/** Time between two sign-ins of a user: less than an access token lives. */
const TOKEN_MS = 5 * 60_000;
/** Roots of topics with a retention of their own, longer than the run. */
const TOPIC_ROOTS = ['documents', 'documents-users', 'documents-notices', 'warranty', 'replicache', 'rxdb'];
/** Tables that keep what users did, without end: these rows must grow. */
const HISTORIES = ['warranty_history', 'focus_session'];

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    rate: { type: 'string', default: '40' },
    readers: { type: 'string', default: '160' },
    lifetime: { type: 'string', default: '60' },
    'warm-up': { type: 'string', default: '8' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    out: { type: 'string' },
  },
});
const [minutes, rate, readers, lifetime, warmUp, seed] = [
  'minutes',
  'rate',
  'readers',
  'lifetime',
  'warm-up',
  'seed',
].map((name) => Number(values[name]));

/** Mulberry32: a small generator whose whole state is the seed. */
function generator(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
const random = generator(seed);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'dunlin-soak-'));
const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});
const base = `http://127.0.0.1:${port}`;

console.log('Building the host ...');
execFileSync(
  'dotnet',
  ['publish', 'apps/host/server', '-c', 'Release', '-o', join(folder, 'host'), '--nologo', '-v', 'quiet'],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
// Retention is short, so that rows can be flat within the run.
const host = spawn('dotnet', [join(folder, 'host', 'Dunlin.Host.dll'), '--port', String(port)], {
  cwd: folder,
  stdio: ['ignore', 'pipe', 'pipe'],
  env: {
    ...process.env,
    Dunlin__Retention__Default__MaxAge: '00:03:00',
    ...Object.fromEntries(
      TOPIC_ROOTS.map((root) => [`Dunlin__Retention__Prefixes__${root}__MaxAge`, '00:03:00']),
    ),
    Dunlin__Retention__IdempotencyAge: '00:03:00',
    Dunlin__Retention__EndedLeaseAge: '00:03:00',
    Dunlin__Retention__DeletedRecordAge: '00:03:00',
    Dunlin__Retention__TrimInterval: '00:00:10',
    Logging__LogLevel__Default: 'Warning',
  },
});
let log = '';
for (const output of [host.stdout, host.stderr]) output.on('data', (text) => (log += text));
let isOver = false;
host.on('exit', (code) => {
  if (isOver) return;
  console.error(`The host ended with ${code}.\n${log}`);
  process.exit(1);
});
for (let tries = 0; ; tries++) {
  const isReady = await fetch(`${base}/healthz/ready`).then(
    (answer) => answer.ok,
    () => false,
  );
  if (isReady) break;
  if (tries > 600) throw new Error(`The host did not start.\n${log}`);
  await pause(100);
}

const users = await Promise.all(['alice', 'bob', 'carol', 'dave'].map((name) => signIn(base, name)));
// Access tokens expire. A stream closes at the end of its token, and opens again with the next one.
const renewal = setInterval(() => {
  for (const user of users)
    signIn(base, user.username).then(
      ({ headers }) => Object.assign(user.headers, headers),
      (error) => count(`sign-in ${error.message}`),
    );
}, TOKEN_MS);
const counts = new Map();
const latencies = [];
let reconnects = 0;
let resets = 0;
const count = (name) => counts.set(name, (counts.get(name) ?? 0) + 1);

// A stream: open, read, abort after its lifetime, open again from the last event.
async function read(reader) {
  let lastId;
  while (!isOver) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), (0.5 + random()) * lifetime * 1000);
    try {
      const user = users[reader.user % users.length];
      const answer = await fetch(base + reader.path, {
        headers: { ...user.headers, ...(lastId && { 'Last-Event-ID': lastId }) },
        signal: abort.signal,
      });
      if (!answer.ok) {
        count(`stream ${answer.status}`);
        await pause(1_000);
        continue;
      }
      const openedAt = performance.now();
      let rest = '';
      for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
        rest += chunk;
        for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
          const block = rest.slice(0, end);
          rest = rest.slice(end + 2);
          lastId = /^id: ?(.+)$/m.exec(block)?.[1] ?? lastId;
          if (block.includes('dunlin.reset')) resets++;
          // Without events that were sent before the stream was open.
          const sentAt = Number(/sentAt ([0-9.]+)/.exec(block)?.[1]);
          if (sentAt > openedAt && block.includes('created')) latencies.push(performance.now() - sentAt);
        }
      }
    } catch (error) {
      if (!abort.signal.aborted && !isOver) count(`stream ${error.cause?.code ?? error.name}`);
    } finally {
      clearTimeout(timer);
      reconnects++;
    }
  }
}
for (let i = 0; i < readers; i++) void read(readersOf[i % readersOf.length](i));

// Operations start at a fixed rate, whether or not earlier ones have ended.
const systems = Object.entries(SYSTEMS).map(([name, create]) => ({
  name,
  states: users.map((user) => create(base, user, random)),
}));
let open = 0;
async function operate(system) {
  open++;
  try {
    const state = system.states[Math.floor(random() * system.states.length)];
    count(`${system.name} ${await state()}`);
  } catch (error) {
    count(`${system.name} ${error.cause?.code ?? error.message}`);
  } finally {
    open--;
  }
}
const beat = setInterval(() => {
  for (let i = 0; i < rate / 10; i++) void operate(systems[Math.floor(random() * systems.length)]);
}, 100);
// The probe of the latency: a task of alice, from the request to the event on each of her devices.
const probe = setInterval(async () => {
  const id = crypto.randomUUID();
  const headers = { ...users[0].headers, 'Dunlin-Device': 'soak-probe' };
  try {
    const body = JSON.stringify({ id, title: `sentAt ${performance.now()}` });
    const created = await fetch(`${base}/api/tasks`, { method: 'POST', headers, body });
    const removed = await fetch(`${base}/api/tasks/${id}`, { method: 'DELETE', headers });
    count(`probe ${created.status} ${removed.status}`);
  } catch (error) {
    count(`probe ${error.cause?.code ?? error.name}`);
  }
}, 200);

const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
// Node.js 20 reads no SQLite files.
const COUNT = `
import json, sqlite3, sys
database = sqlite3.connect(f'file:{sys.argv[1]}?mode=ro', uri=True)
names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
print(json.dumps({name: database.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for name in names}))
`;
const rowsOf = (file) => JSON.parse(execFileSync('python3', ['-c', COUNT, file], { encoding: 'utf8' }));
const databases = () =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.db'))
    .map((entry) => join(entry.parentPath, entry.name));

const samples = [];
const began = performance.now();
const sampleAt = () => {
  const status = readFileSync(`/proc/${host.pid}/status`, 'utf8');
  const [, , ...fields] = readFileSync(`/proc/${host.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const sorted = latencies.splice(0).sort((one, other) => one - other);
  const tables = Object.assign({}, ...databases().map(rowsOf));
  const rows = Object.entries(tables)
    .filter(([name]) => !HISTORIES.includes(name))
    .reduce((sum, [, count]) => sum + count, 0);
  return {
    minutes: (performance.now() - began) / 60_000,
    rssMiB: Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024,
    threads: Number(/Threads:\s+(\d+)/.exec(status)[1]),
    openFiles: readdirSync(`/proc/${host.pid}/fd`).length,
    rows,
    storeMiB:
      databases()
        .flatMap((file) => [file, `${file}-wal`])
        .reduce((all, file) => all + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0) /
      1024 ** 2,
    cpuSeconds: (Number(fields[9]) + Number(fields[10])) / 100,
    p50Ms: at(sorted, 0.5),
    p99Ms: at(sorted, 0.99),
    events: sorted.length,
    operations: [...counts.values()].reduce((all, one) => all + one, 0),
    openOperations: open,
    tables,
  };
};
console.log(`seed ${seed}: ${minutes} minutes, ${rate} operations a second, ${readers} streams`);
while ((performance.now() - began) / 60_000 < minutes) {
  await pause(SAMPLE_MS);
  const sample = sampleAt();
  samples.push(sample);
  console.log(
    [
      `${sample.minutes.toFixed(1).padStart(5)} min`,
      `${sample.rssMiB.toFixed(0)} MiB`,
      `${sample.threads} threads`,
      `${sample.openFiles} files`,
      `${sample.rows} rows`,
      `${sample.storeMiB.toFixed(1)} MiB stored`,
      `p50 ${sample.p50Ms.toFixed(1)} ms`,
      `p99 ${sample.p99Ms.toFixed(1)} ms`,
      `${sample.operations} operations`,
      `${reconnects} reconnects`,
    ].join('  '),
  );
}
isOver = true;
clearInterval(beat);
clearInterval(probe);
clearInterval(renewal);
host.kill('SIGTERM');
await new Promise((resolve) => host.on('exit', resolve));

const settled = samples.filter((sample) => sample.minutes >= warmUp);
console.log(`\nOperations by result: ${JSON.stringify(Object.fromEntries([...counts].sort()))}`);
console.log(`${reconnects} reconnects, ${resets} resets`);
console.log('\n| value | median | change per hour | 95 % confidence | flat |\n|---|---|---|---|---|');
let isFlat = true;
for (const [name, unit] of [
  ['rssMiB', 'MiB'],
  ['threads', ''],
  ['openFiles', ''],
  ['rows', ''],
  ['storeMiB', 'MiB'],
  ['p50Ms', 'ms'],
  ['p99Ms', 'ms'],
]) {
  const slope = slopeOf(settled.map((sample) => [sample.minutes / 60, sample[name]]));
  isFlat &&= slope.isFlat;
  const text = (number) => `${number.toFixed(1)}${unit && ` ${unit}`}`;
  console.log(
    `| ${name} | ${text(slope.median)} | ${text(slope.perUnit)} | ${text(slope.low)} to ${text(slope.high)} | ${slope.isFlat ? 'yes' : 'NO'} |`,
  );
}
const warnings = log.split('\n').filter((line) => /warn:|fail:|crit:|"LogLevel":"(Warning|Error)/.test(line));
console.log(`\n${warnings.length} warnings and errors in the log of the host`);
for (const line of new Set(warnings.map((text) => text.slice(0, 200)))) console.log(`  ${line}`);
if (values.out) writeFileSync(values.out, JSON.stringify({ seed, samples, counts: [...counts] }, null, 1));
rmSync(folder, { recursive: true, force: true });
process.exit(isFlat ? 0 : 1);
