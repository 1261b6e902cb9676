// Measures what a server costs before anybody uses it: time to the first answer, memory when idle, and size of its files. The servers take
// turns. Prints medians. Needs nginx with nchan (Debian: libnginx-mod-nchan), the .NET SDK, and scripts/publish-native.sh run before.
//   node bench/start.mjs [--rounds 15] [--only native,portable,nchan] [--idle 5]
// The first answer is that of a plain TCP connection that asks for /healthz/live every millisecond, counted from the start of the process.
// Each start of Dunlin opens an existing database: the tables of a first start cost the disk, not the program.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { optionsOf } from './options.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const options = optionsOf(fileURLToPath(import.meta.url), ['rounds', 'only', 'idle']);
const rounds = Number(options.rounds ?? 15);
const idle = Number(options.idle ?? 5) * 1_000;
const folder = mkdtempSync(join(tmpdir(), 'dunlin-start-'));
const native = join(here, '../artifacts/native/linux-x64');
const nchanModule = '/usr/lib/nginx/modules/ngx_nchan_module.so';
const portable = join(folder, 'portable');

const servers = {
  native: {
    port: 7111,
    command: () => [join(native, 'dunlin'), '--port', '7111', '--data', join(folder, 'native-data')],
    files: () => [join(native, 'dunlin'), join(native, 'libe_sqlite3.so')],
  },
  portable: {
    port: 7112,
    prepare: () =>
      execFileSync(
        'dotnet',
        ['publish', join(here, '../apps/server'), '-c', 'Release', '--nologo', '-v', 'quiet', '-o', portable],
        { stdio: 'inherit' },
      ),
    command: () => [
      'dotnet',
      join(portable, 'dunlin.dll'),
      '--port',
      '7112',
      '--data',
      join(folder, 'portable-data'),
    ],
    // The runtime is shared, and is not counted.
    files: () => filesBelow(portable).filter((file) => !/\.(xml|pdb)$/.test(file)),
  },
  nchan: {
    port: 7002,
    prepare: () =>
      writeFileSync(join(folder, 'nchan.conf'), readFileSync(join(here, 'peers/nchan.conf'), 'utf8')),
    command: () => ['nginx', '-p', folder, '-c', join(folder, 'nchan.conf')],
    files: () => ['/usr/sbin/nginx', nchanModule],
  },
};
const names = (options.only ?? 'native,portable,nchan').split(',');
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

function filesBelow(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(directory, entry.name)) : [join(directory, entry.name)],
  );
}

const answers = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('GET /healthz/live HTTP/1.1\r\nHost: a\r\n\r\n'),
    );
    socket.once('data', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });

/** Kilobytes of a process and its children, in total and without pages of files, which the system can drop. */
function memoryOf(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  const sum = (name) =>
    [pid, ...children.split(' ').filter(Boolean)]
      .map((id) =>
        Number(readFileSync(`/proc/${id}/status`, 'utf8').match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))[1]),
      )
      .reduce((a, b) => a + b, 0);
  return { total: sum('VmRSS'), own: sum('RssAnon') + sum('RssShmem') };
}

async function measure(server) {
  const [command, ...args] = server.command();
  const began = performance.now();
  const child = spawn(command, args, { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  while (!(await answers(server.port))) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
    await pause(1);
  }
  const first = performance.now() - began;
  await pause(idle);
  const memory = memoryOf(child.pid);
  child.kill('SIGTERM');
  await ended;
  return { first, ...memory };
}

const results = Object.fromEntries(names.map((name) => [name, []]));
for (const name of names) {
  servers[name].prepare?.();
  await measure(servers[name]); // creates the database, and reads the files into the cache of the system
}
for (let round = 0; round < rounds; round++)
  for (const name of names) {
    process.stderr.write(`\rround ${round + 1} of ${rounds}, ${name}          `);
    results[name].push(await measure(servers[name]));
  }
process.stderr.write('\r\x1b[K');
console.table(
  names.map((server) => {
    const of = (figure, unit) => Number((median(results[server].map((r) => r[figure])) / unit).toFixed(1));
    const size = servers[server].files().reduce((sum, file) => sum + statSync(file).size, 0);
    return {
      server,
      'first answer, ms': of('first', 1),
      'fastest, ms': Number(Math.min(...results[server].map((r) => r.first)).toFixed(1)),
      'resident, MiB': of('total', 1024),
      'of it own pages, MiB': of('own', 1024),
      'files, MB': Number((size / 1e6).toFixed(1)),
    };
  }),
);
rmSync(folder, { recursive: true });
