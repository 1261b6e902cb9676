// Compares Dunlin with its peers. Each server runs pinned to one core and the load generator to another, one server after the other, in
// several rounds. Prints medians and ratios. Needs g++, nginx with nchan (Debian: libnginx-mod-nchan), the .NET SDK and taskset.
//   node bench/compare.mjs [--rounds 5] [--only dunlin,nchan,typed,raw] [--scenarios one,exact,...]
//   portable and native are the stand-alone server (apps/server) in both builds, with tokens. native needs scripts/publish-native.sh first.
//   --cold measures without the warm-up: `paced` then has the first 200 events of a new process.
//   --before FOLDER adds the server of another checkout, such as a worktree of an older commit, under the name "before".
// publish: 64 publishers and one reader, to measure publishing. together and apart: 10,000 readers and 20,000 deliveries a second, of one
// topic that all read, or of 10,000 topics with one reader each (published 100 per request). unread publishes as apart, but without
// readers: the difference of the two is the cost of delivery.
// exact and patterns: as one, but at the Mercure hub of the server. Each of 1,000 readers has a token with grants of its own, and the
// updates are private. In exact one grant is the text of the topic; in patterns each reader has a URL pattern of its own that matches it.
// nchan and raw know no grants: they run the same load as in one. exactPaced and patternsPaced do the same with the rate of paced.
// tls, h2, h2of10: as paced over TLS, with HTTP/1.1, HTTP/2, and ten streams for each HTTP/2 connection. tlsIdle, h2Idle: 2,000 streams.
// Publishers use plain HTTP. Only dunlin, before and nchan. Needs openssl and its headers (libssl-dev).
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { optionsOf } from './options.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const options = optionsOf(
  fileURLToPath(import.meta.url),
  ['rounds', 'only', 'scenarios', 'before'],
  ['cold'],
);
const rounds = Number(options.rounds ?? 5);
const folder = mkdtempSync(join(tmpdir(), 'dunlin-bench-'));
const run = (command, args, more = {}) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...more });

const wanted = (options.scenarios ?? 'one,eight,paced,idle').split(',');
const secure = {
  tlsIdle: ['--tls'],
  h2Idle: ['--h2', '1'],
  tls: ['--tls'],
  h2: ['--h2', '1'],
  h2of10: ['--h2', '10'],
};
const isSecure = wanted.some((scenario) => scenario in secure);
const [certificate, certificateKey] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
const load = join(folder, 'sseload');
run('g++', [
  ...['-O2', '-std=c++17', '-o', load, join(here, 'peers/sseload.cpp')],
  ...(isSecure ? ['-DTLS', '-lssl', '-lcrypto'] : []),
]);
if (isSecure)
  run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-keyout', certificateKey, '-out', certificate],
  ]);
run('g++', ['-O2', '-std=c++17', '-o', join(folder, 'rawlimit'), join(here, 'peers/rawlimit.cpp')]);
const build = (project, name) =>
  run('dotnet', ['build', project, '-c', 'Release', '--nologo', '-v', 'quiet', '-o', join(folder, name)]);
build(join(here, 'server'), 'dunlin');
build(join(here, 'peers/dotnet'), 'peers');
if (options.before) build(join(options.before, 'bench/server'), 'before');
writeFileSync(
  join(folder, 'nchan.conf'),
  readFileSync(join(here, 'peers/nchan.conf'), 'utf8').replace(
    /listen 127.0.0.1:7002 [^;]*;/,
    (plain) =>
      plain +
      (isSecure
        ? ` listen 127.0.0.1:7012 ssl http2 backlog=4096; ssl_certificate ${certificate}; ssl_certificate_key ${certificateKey};`
        : ''),
  ),
);

// Tokens of Mercure's protocol 1.0, for its hub in bench/server.
const mercureSecret = randomBytes(32).toString('base64url');
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const sign = (secret, text) => `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
const now = Math.floor(Date.now() / 1000);
function mercureToken(name, action, topics) {
  const claims = {
    iss: 'https://example.com',
    aud: 'https://hub.example.com/.well-known/mercure',
    sub: name,
    iat: now,
    exp: now + 36_000,
    authorization_details: [
      { type: 'https://mercure.rocks/authorization-detail', actions: [action], topics },
    ],
  };
  return sign(mercureSecret, `${part({ alg: 'HS256', typ: 'at+jwt' })}.${part(claims)}`);
}
const book = 'https://example.com/books/1';
function mercureLoad(name, grantOf) {
  const file = join(folder, `${name}.tokens`);
  const own = (i) => [
    { match: `https://example.com/users/${i}` },
    { match: `https://example.com/users/${i}/*`, match_type: 'urlpattern' },
  ];
  const tokens = Array.from({ length: 1000 }, (_, i) =>
    mercureToken(`reader${i}`, 'subscribe', [...own(i), grantOf(i)]),
  );
  writeFileSync(file, tokens.join('\n'));
  return [
    '--path',
    `/.well-known/mercure?match=${encodeURIComponent(book)}`,
    '--tokens',
    file,
    '-H',
    'Authorization: Bearer %TOKEN%',
    '--pub-path',
    '/.well-known/mercure',
    '--pub-body',
    `topic=${book}&private=on&data=%MSG%`,
    '-P',
    'Content-Type: application/x-www-form-urlencoded',
    '-P',
    `Authorization: Bearer ${mercureToken('publisher', 'publish', [{ match: '*' }])}`,
  ];
}
const grants = {
  exact: mercureLoad('exact', () => ({ match: book })),
  patterns: mercureLoad('patterns', (i) => ({
    match: `https://example.com/:kind${i}/:id`,
    match_type: 'urlpattern',
  })),
};
const mercure = { ...grants, exactPaced: grants.exact, patternsPaced: grants.patterns };

const json = '{"topic":"b%T%","type":"m","data":"%MSG%"}';
const servers = {
  dunlin: {
    port: 7101,
    tlsPort: 7111,
    env: {
      BENCH_MERCURE: mercureSecret,
      ...(isSecure && { BENCH_TLS: `7111,${certificate},${certificateKey}` }),
    },
    loads: mercure,
    start: () => [
      'dotnet',
      [join(folder, 'dunlin/Dunlin.Bench.Server.dll'), '7101', join(folder, `d${Date.now()}.db`)],
    ],
    load: [
      '--path',
      '/dunlin/v1/events?topic=b%T%',
      '--pub-path',
      '/dunlin/v1/events',
      '--pub-body',
      json,
      '-P',
      'Content-Type: application/json',
    ],
  },
  // The same without sending on the flushing thread, to measure the gain.
  pipes: {
    port: 7102,
    env: { BENCH_DIRECT: '0' },
    start: () => [
      'dotnet',
      [join(folder, 'dunlin/Dunlin.Bench.Server.dll'), '7102', join(folder, `p${Date.now()}.db`)],
    ],
    load: [
      '--path',
      '/dunlin/v1/events?topic=b%T%',
      '--pub-path',
      '/dunlin/v1/events',
      '--pub-body',
      json,
      '-P',
      'Content-Type: application/json',
    ],
  },
  nchan: {
    port: 7002,
    tlsPort: 7012,
    start: () => ['nginx', ['-p', folder, '-c', join(folder, 'nchan.conf')]],
    load: ['--path', '/sub?id=b', '--pub-path', '/pub?id=b'],
    workers: true,
    isCompiled: true,
  },
  typed: {
    port: 7003,
    start: () => ['dotnet', [join(folder, 'peers/Peers.dll'), '7003']],
    load: ['--path', '/sse', '--pub-path', '/pub'],
  },
  raw: {
    port: 7005,
    start: () => [join(folder, 'rawlimit'), ['7005']],
    load: ['--path', '/sse', '--pub-path', '/pub'],
    isCompiled: true,
  },
};
// A token of the server's own key, and limits that one user with all streams does not meet.
const key = randomBytes(32);
const dunlin = { subscribe: ['**'], publish: ['**'] };
const unsigned = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iss: 'dunlin', aud: 'dunlin', sub: 'bench', iat: now, exp: now + 36_000, dunlin })}`;
const bearer = `Authorization: Bearer ${sign(key, unsigned)}`;
const standAlone = (port, command) => ({
  port,
  env: {
    Dunlin__Tokens__SigningKey: key.toString('base64'),
    Dunlin__Streams__MaxPerUser: '100000',
    Dunlin__Streams__MaxPerAddress: '100000',
    Dunlin__Publish__PerSecond: '0',
    Dunlin__Publish__TopicsPerHour: '0',
    Dunlin__Publish__KeysPerHour: '0',
  },
  start: () => [
    command[0],
    [...command.slice(1), '--port', `${port}`, '--data', join(folder, `s${Date.now()}`)],
  ],
  load: [...servers.dunlin.load, '-H', bearer, '-P', bearer],
});
servers.portable = standAlone(7106, ['dotnet', join(folder, 'server/dunlin.dll')]);
servers.native = {
  ...standAlone(7107, [join(here, '../artifacts/native/linux-x64/dunlin')]),
  isCompiled: true,
};
if ((options.only ?? '').includes('portable')) build(join(here, '../apps/server'), 'server');
if (options.before)
  servers.before = {
    ...servers.dunlin,
    port: 7104,
    tlsPort: 7114,
    env: { ...servers.dunlin.env, ...(isSecure && { BENCH_TLS: `7114,${certificate},${certificateKey}` }) },
    start: () => [
      'dotnet',
      [join(folder, 'before/Dunlin.Bench.Server.dll'), '7104', join(folder, `b${Date.now()}.db`)],
    ],
  };
const tenThousand = ['--conns', '10000', '--ips', '4'];
const manyTopics = ['--topics', '10000', '--batch', '100', '--msgs', '2000', '--rate', '200'];
const scenarios = {
  ...Object.fromEntries(
    ['tls', 'h2', 'h2of10'].map((name) => [name, ['--conns', '1000', '--msgs', '200', '--rate', '20']]),
  ),
  one: ['--conns', '1000', '--msgs', '400', '--depth', '1'],
  exact: ['--conns', '1000', '--msgs', '400', '--depth', '1'],
  patterns: ['--conns', '1000', '--msgs', '400', '--depth', '1'],
  exactPaced: ['--conns', '1000', '--msgs', '200', '--rate', '20'],
  patternsPaced: ['--conns', '1000', '--msgs', '200', '--rate', '20'],
  eight: ['--conns', '1000', '--msgs', '2000', '--depth', '8'],
  paced: ['--conns', '1000', '--msgs', '200', '--rate', '20'],
  idle: ['--conns', '10000', '--idle', '--settle', '3', '--ips', '4'],
  publish: ['--conns', '1', '--msgs', '60000', '--depth', '64'],
  together: [...tenThousand, '--msgs', '20', '--rate', '2'],
  apart: [...tenThousand, ...manyTopics],
  unread: ['--conns', '1', ...manyTopics, '--timeout', '11'],
  tlsIdle: ['--conns', '2000', '--idle', '--settle', '3'],
  h2Idle: ['--conns', '2000', '--idle', '--settle', '3'],
};
// The scenarios that one process runs in sequence after the warm-up. The warm-up ends when nothing is compiled any more: after 400 messages
// a sixth of the time was still compilation. It sends events one by one (paced) and in groups, because both paths must be compiled.
const groups = [
  {
    scenarios: ['one', 'exact', 'patterns', 'eight', 'paced', 'exactPaced', 'patternsPaced'],
    warmUp: (server, chosen) =>
      server.isCompiled
        ? [[['--conns', '1000', '--msgs', '200', '--depth', '1']]]
        : [
            [['--conns', '1000', '--msgs', '2500', '--depth', '1']],
            [['--conns', '1000', '--msgs', '1000', '--rate', '50']],
            ...chosen
              .filter((scenario) => server.loads?.[scenario])
              .map((scenario) => [['--conns', '1000', '--msgs', '1500', '--depth', '1'], scenario]),
          ],
  },
  { scenarios: ['idle'], warmUp: () => [] },
  { scenarios: ['publish'], warmUp: () => Array(5).fill([scenarios.publish]) },
  {
    scenarios: ['together', 'apart', 'unread'],
    warmUp: () => [[scenarios.together], [scenarios.apart], [scenarios.apart]],
  },
  // Each kind has a process of its own: streams of one kind leave memory for those of the next.
  ...[['tlsIdle', 'tls'], ['h2Idle', 'h2'], ['h2of10']].map((kind) => ({
    scenarios: kind,
    warmUp: (_, chosen) => [[['--conns', '200', '--msgs', '2000', '--rate', '200'], chosen[0]]],
  })),
];
const names = (options.only ?? 'dunlin,nchan,typed').split(',');

async function measure(name, chosen, warmUp) {
  const server = servers[name];
  const [command, args] = server.start();
  // A server that an earlier run left behind would be measured instead.
  if (await answers(server.port)) throw new Error(`Something already listens on port ${server.port}.`);
  const child = spawn('taskset', ['-c', '0', command, ...args], {
    stdio: 'ignore',
    env: { ...process.env, ...server.env },
  });
  await listening(server.port);
  const pids = server.workers
    ? [
        child.pid,
        ...run('pgrep', ['-P', String(child.pid)])
          .trim()
          .split('\n'),
      ]
    : [child.pid];
  const result = (more, scenario) =>
    spawnSync(
      'taskset',
      [
        '-c',
        '1',
        load,
        ...['--port', String(scenario in secure ? server.tlsPort : server.port), ...(secure[scenario] ?? [])],
        ...['--pub-port', String(server.port)],
        '--pid',
        pids.join(','),
        ...(server.loads?.[scenario] ?? server.load),
        ...more,
      ],
      { encoding: 'utf8' },
    ).stdout;
  for (const [load, scenario] of options.cold ? [] : warmUp(server, chosen)) result(load, scenario);
  const texts = chosen.map((scenario) => result(scenarios[scenario], scenario));
  child.kill('SIGKILL');
  if (server.workers)
    pids.slice(1).forEach((pid) => {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        /* ended with its master */
      }
    });
  await new Promise((resolve) => child.once('exit', resolve));
  return texts.map((text) => {
    const number = (pattern) => Number(text.match(pattern)?.[1] ?? NaN);
    return {
      cpu: number(/= ([\d.]+) us\/delivery/),
      seconds: number(/server cpu ([\d.]+)s/),
      p99: number(/p99 ([\d.]+)/),
      memory: number(/([\d.-]+) KiB\/conn/),
      published: number(/([\d.]+) msgs\/s/),
      delivered: number(/\(([\d.]+)\) in/),
    };
  });
}

async function listening(port) {
  while (!(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 50));
}

async function answers(port) {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/nothing`, { signal: AbortSignal.timeout(500) });
    await response.arrayBuffer();
    return true;
  } catch (error) {
    return error.cause?.code !== 'ECONNREFUSED';
  }
}

function print(scenario) {
  const base = results[scenario].nchan ?? results[scenario][names[0]];
  const key = /idle$/i.test(scenario) ? 'memory' : 'cpu';
  const like = scenario.endsWith('Paced') ? 'paced' : 'one';
  const plain = scenario in mercure ? results[like] : null;
  console.table(
    names.map((server) => {
      const all = results[scenario][server];
      const of = (figure) => median(all.map((r) => r[figure]));
      return {
        scenario,
        server,
        'us/delivery': of('cpu'),
        'CPU s': of('seconds'),
        'p99 ms': of('p99'),
        'KiB/conn': of('memory'),
        'publishes/s': of('published'),
        delivered: of('delivered'),
        [names.includes('nchan') ? 'ratio to nchan' : `ratio to ${names[0]}`]: Number(
          median(all.map((r, i) => r[key] / base[i][key])).toFixed(2),
        ),
        ...(plain && {
          [`ratio to ${like}`]: Number(median(all.map((r, i) => r.cpu / plain[server][i].cpu)).toFixed(2)),
        }),
      };
    }),
  );
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const results = Object.fromEntries(
  wanted.map((scenario) => [scenario, Object.fromEntries(names.map((name) => [name, []]))]),
);
for (const group of groups) {
  const chosen = group.scenarios.filter((scenario) => wanted.includes(scenario));
  for (let round = 0; chosen.length > 0 && round < rounds; round++) {
    for (const name of names) {
      process.stderr.write(`\r${chosen.join(', ')}: round ${round + 1} of ${rounds}, ${name}          `);
      const measured = await measure(name, chosen, group.warmUp);
      chosen.forEach((scenario, i) => results[scenario][name].push(measured[i]));
    }
  }
  process.stderr.write('\r\x1b[K');
  for (const scenario of chosen) print(scenario);
}
rmSync(folder, { recursive: true });
