// Measures durable streams: appends a second of 64 appenders, and the memory of waiting readers. Usage:
//   node bench/streams.mjs [--only dunlin,reference] [--seconds 10] [--warm 25] [--appenders 64] [--bytes 200] [--readers 2000]
//     [--subscriptions 0] [--pattern other/*]   subscriptions of workers, Dunlin only
// Build the server first. For the reference server: npm install --no-save @durable-streams/server@0.3.7
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'dunlin,reference,reference-files' },
    seconds: { type: 'string', default: '10' },
    warm: { type: 'string', default: '25' },
    appenders: { type: 'string', default: '64' },
    bytes: { type: 'string', default: '200' },
    readers: { type: 'string', default: '2000' },
    store: { type: 'string' },
    subscriptions: { type: 'string', default: '0' },
    pattern: { type: 'string', default: 'other/*' },
  },
});
const seconds = Number(values.seconds);
const program = fileURLToPath(new URL('../apps/server/bin/Release/net10.0/dunlin.dll', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));

// The server and this process share all cores.
const beside = (file, args, env) => spawn(file, args, { cwd: root, env: { ...process.env, ...env } });

function seen(child, pattern) {
  return new Promise((resolve, reject) => {
    let output = '';
    const take = (chunk) => {
      output += chunk;
      const found = pattern.exec(output);
      if (found) resolve(found);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${output}`)));
  });
}

async function startDunlin(data) {
  const args = ['--data', data, ...(values.store ? ['--store', values.store] : [])];
  const env = {
    Dunlin__Tokens__SigningKey: Buffer.alloc(64, 7).toString('base64'),
    Dunlin__Streams__MaxPerUser: '100000',
    Dunlin__Streams__MaxPerAddress: '100000',
    Dunlin__DurableStreams__LongPollTimeout: '00:05:00',
    Dunlin__DurableStreams__MaxStreamDuration: '01:00:00',
    Logging__LogLevel__Default: 'Warning',
  };
  const grants = ['--subscribe', 'streams/**', '--publish', '**'];
  const maker = spawn('dotnet', [program, 'token', '--subject', 'bench', ...grants, ...args], {
    env: { ...process.env, ...env },
  });
  const token = (await seen(maker, /^(ey\S+)\n/m))[1];
  const server = beside('dotnet', [program, 'serve', '--streams', '--port', '0', ...args], env);
  const port = Number((await seen(server, /Dunlin is at http:\/\/[^:]+:(\d+)/))[1]);
  return { server, port, path: '/streams', authorization: `Authorization: Bearer ${token}\r\n` };
}

async function startReference(data) {
  const folder = data ? `dataDir: ${JSON.stringify(data)},` : '';
  const code = `import { DurableStreamTestServer } from '@durable-streams/server';
    const server = new DurableStreamTestServer({ port: 0, longPollTimeout: 300000, ${folder} });
    console.log('at ' + (await server.start()));`;
  const server = beside('node', ['--input-type=module', '-e', code], {});
  const port = Number((await seen(server, /at http:\/\/[^:]+:(\d+)/))[1]);
  return { server, port, path: '/v1/stream', authorization: '' };
}

const head = (target, method, stream, extra) =>
  `${method} ${target.path}/${stream} HTTP/1.1\r\nHost: bench\r\n${target.authorization}${extra}`;

function open(port) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(socket));
    socket.setNoDelay(true);
    socket.once('error', reject);
  });
}

// Sends one request and returns the head of its answer.
async function once(target, text) {
  const socket = await open(target.port);
  socket.write(text);
  const answer = await new Promise((resolve) => socket.once('data', (data) => resolve(`${data}`)));
  socket.destroy();
  if (!/^HTTP\/1.1 2/.test(answer)) throw new Error(answer);
}

async function subscribe(target) {
  for (let i = 0; i < Number(values.subscriptions); i++) {
    const text = JSON.stringify({ type: 'pull-wake', pattern: values.pattern, wake_stream: 'wake' });
    const extra = `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
    await once(target, head(target, 'PUT', `__ds/subscriptions/s${i}`, extra));
  }
}

async function append(target) {
  const type = 'Content-Type: application/octet-stream\r\n';
  await once(target, `${head(target, 'PUT', 'log', type)}Content-Length: 0\r\n\r\n`);
  const body = 'x'.repeat(Number(values.bytes));
  const text = `${head(target, 'POST', 'log', type)}Content-Length: ${body.length}\r\n\r\n${body}`;
  const request = Buffer.from(text);
  const sockets = await Promise.all(
    Array.from({ length: Number(values.appenders) }, () => open(target.port)),
  );
  let done = 0;
  let isOver = false;
  for (const socket of sockets) {
    socket.on('data', (data) => {
      if (data.subarray(9, 10).toString() !== '2') throw new Error(`${data}`);
      done++;
      if (!isOver) socket.write(request);
    });
    socket.write(request);
  }
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  await sleep(Number(values.warm) * 1_000); // until the hot path is compiled
  const [before, start, cpu] = [done, performance.now(), cpuOf(target.server.pid)];
  await sleep(seconds * 1_000);
  const [count, time] = [done - before, (performance.now() - start) / 1_000];
  const used = cpuOf(target.server.pid) - cpu;
  isOver = true;
  await sleep(500);
  sockets.forEach((socket) => socket.destroy());
  return { rate: Math.round(count / time), cpu: ((used * 1e6) / count).toFixed(1) };
}

const cpuOf = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

const memoryOf = (pid) => Number(/Rss:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);

async function wait(target, mode) {
  const type = 'Content-Type: text/plain\r\n';
  await once(target, `${head(target, 'PUT', mode, type)}Content-Length: 0\r\n\r\n`);
  const request = `${head(target, 'GET', `${mode}?offset=now&live=${mode}`, '')}\r\n`;
  const readers = async (count) => {
    const sockets = [];
    for (let i = 0; i < count; i++) {
      const socket = await open(target.port);
      socket.on('data', () => {});
      socket.write(request);
      sockets.push(socket);
    }
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    return sockets;
  };
  const warm = await readers(1_000); // after the garbage of the load
  const before = memoryOf(target.server.pid);
  const all = await readers(Number(values.readers));
  const each = (memoryOf(target.server.pid) - before) / Number(values.readers);
  [...warm, ...all].forEach((socket) => socket.destroy());
  return each.toFixed(1);
}

const starts = {
  dunlin: (data) => startDunlin(data),
  reference: () => startReference(null),
  'reference-files': (data) => startReference(data),
};
for (const name of values.only.split(',')) {
  const data = mkdtempSync(join(tmpdir(), 'streams-bench-'));
  const target = await starts[name](data);
  await subscribe(target);
  const { rate, cpu } = await append(target);
  const [sse, poll] = [await wait(target, 'sse'), await wait(target, 'long-poll')];
  console.log(
    `${name}: ${rate} appends/s, ${cpu} us of CPU each; KiB for a waiting reader: sse ${sse}, long-poll ${poll}`,
  );
  target.server.removeAllListeners('exit');
  target.server.kill('SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 500));
  rmSync(data, { recursive: true, force: true });
}
process.exit(0);
