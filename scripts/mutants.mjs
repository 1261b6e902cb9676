// Applies deliberate faults (test/mutants/*.mjs) to a copy of the sources, one at a time, and expects a named test to fail for each.
//   node scripts/mutants.mjs                  all mutants
//   node scripts/mutants.mjs NAME ...         mutants, or lists of test/mutants, by name
//   node scripts/mutants.mjs --list           the names, without running anything
//   node scripts/mutants.mjs --check          whether every mutant still applies and its tests exist, in a second
//   node scripts/mutants.mjs --report         writes the results of the last runs to docs/operations/mutants.md
// The copy is in artifacts/mutants/tree and stays, so that the next run builds little. Exit code 0: every mutant was killed, or survives for
// the reason in its list.
import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const home = join(root, 'artifacts/mutants');
const tree = join(home, 'tree');
const lists = join(root, 'test/mutants');
const page = join(root, 'docs/operations/mutants.md');
const resultFile = join(home, 'results.json');
const limitSeconds = 120;
// Analyzers judge style, which a mutant may break.
const build = [
  '-c',
  'Release',
  '--nologo',
  '-v',
  'quiet',
  '-p:RunAnalyzers=false',
  '-p:TreatWarningsAsErrors=false',
];
const environment = {
  ...process.env,
  DOTNET_CLI_TELEMETRY_OPTOUT: '1',
  DOTNET_NOLOGO: '1',
  UseSharedCompilation: 'true',
  NO_COLOR: '1',
};

let sources; // of the tests, read once
let running; // the program of now
// Programs run in groups of their own, which do not get the signals of this one.
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    if (running) process.kill(-running.pid, 'SIGKILL');
    process.exit(130);
  });

const mutants = await readLists();
const [first, ...others] = process.argv.slice(2);
if (first === '--list') list();
else if (first === '--check') check();
else if (first === '--report') report();
else await runAll(first ? [first, ...others] : []);

async function readLists() {
  const all = [];
  for (const file of readdirSync(lists)
    .filter((name) => name.endsWith('.mjs'))
    .sort()) {
    const { default: content } = await import(pathToFileURL(join(lists, file)));
    for (const mutant of content.mutants) {
      const tests = [mutant.killedBy ?? mutant.triedWith].flat();
      all.push({ ...mutant, tests, list: file.replace('.mjs', ''), mechanism: content.mechanism });
    }
  }
  return all;
}

function list() {
  for (const { list, name, breaks } of mutants) console.log(`${list}/${name}: ${breaks}`);
  console.log(`${mutants.length} mutants`);
}

// --- check ---------------------------------------------------------------------------------------------------------------------------

function check() {
  const faults = [];
  const names = new Set();
  for (const mutant of mutants) {
    const fault = (text) => faults.push(`${mutant.list}/${mutant.name}: ${text}`);
    if (names.has(mutant.name)) fault('another mutant has this name; rename one');
    names.add(mutant.name);
    if (!mutant.breaks) fault("'breaks' is missing; say what the mutant does wrong");
    if (!mutant.killedBy === !mutant.survives)
      fault("give either 'killedBy', or 'survives' with the reason and 'triedWith'");
    if (!existsSync(join(root, mutant.file))) {
      fault(`no file ${mutant.file}; name the file that has this code now`);
      continue;
    }
    const count = readFileSync(join(root, mutant.file), 'utf8').split(mutant.replace).length - 1;
    if (count !== 1) fault(`its text occurs ${count} times in ${mutant.file}; copy it again from the file`);
    if (mutant.replace === mutant.with) fault("'replace' and 'with' are equal");
    for (const test of mutant.tests) if (!testExists(test)) fault(`no test ${test}`);
  }
  for (const fault of faults) console.log(fault);
  console.log(`${mutants.length} mutants, ${faults.length} faults`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

function testExists(test) {
  const { file, title, project, className, method } = parse(test);
  if (file) return existsSync(join(root, file)) && readFileSync(join(root, file), 'utf8').includes(title);
  sources ??= ['test', 'src/Dunlin.TestKit'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => name.endsWith('.cs') && !/(^|\/)(bin|obj|node_modules)\//.test(name))
      .map((name) => ({ path: `${folder}/${name}`, text: readFileSync(join(root, folder, name), 'utf8') })),
  );
  const isClass = ({ path, text }) =>
    path.startsWith(`test/${project}/`) && new RegExp(`class ${className}\\b`).test(text);
  return sources.some(isClass) && sources.some(({ text }) => text.includes(` ${method}(`));
}

// 'Project: Class.Method', or 'path of a TypeScript test: title'.
function parse(test) {
  const colon = test.indexOf(': ');
  const [where, what] = [test.slice(0, colon), test.slice(colon + 2)];
  if (where.endsWith('.ts')) return { file: where, title: what };
  const [className, method] = what.split('.');
  return { project: where, className, method };
}

// --- run -----------------------------------------------------------------------------------------------------------------------------

async function runAll(wanted) {
  const chosen = mutants.filter(
    ({ name, list }) => wanted.length === 0 || wanted.includes(name) || wanted.includes(list),
  );
  const unknown = wanted.filter((word) => !mutants.some(({ name, list }) => name === word || list === word));
  if (unknown.length > 0) return end(2, `No mutant or list of mutants ${unknown.join(', ')}. See --list.`);
  synchronize();
  const projects = new Set(
    chosen.flatMap(({ tests }) => tests.map((test) => parse(test).project).filter(Boolean)),
  );
  for (const project of projects) {
    const { code, output } = await run('dotnet', ['build', `test/${project}`, ...build], 1200);
    if (code !== 0) return end(2, `The sources do not build.\n${output}`);
  }
  const failing = await failingWithoutMutant(chosen, projects);
  if (failing.length > 0)
    return end(2, `These tests fail without a mutant, or do not exist:\n${failing.join('\n')}`);
  const results = existsSync(resultFile) ? JSON.parse(readFileSync(resultFile, 'utf8')) : {};
  let bad = 0;
  for (const mutant of chosen) {
    const began = Date.now();
    const { outcome, detail, failed } = await apply(mutant);
    const seconds = Math.round((Date.now() - began) / 1000);
    const isExpected = outcome === (mutant.survives ? 'survived' : 'killed');
    if (!isExpected) bad++;
    results[mutant.name] = { outcome, detail, seconds, failed };
    mkdirSync(home, { recursive: true });
    writeFileSync(resultFile, JSON.stringify(results, null, 2));
    console.log(
      `${isExpected ? '  ' : '! '}${outcome.padEnd(9)}${String(seconds).padStart(4)} s  ${mutant.list}/${mutant.name}  ${detail}`,
    );
  }
  const killed = chosen.filter(({ name }) => results[name].outcome === 'killed').length;
  end(bad > 0 ? 1 : 0, `${chosen.length} mutants, ${killed} killed, ${bad} not as their list says`);
}

function end(code, text) {
  console.log(text);
  process.exitCode = code;
}

// Copies changed files only, so that the build of the copy is incremental.
function synchronize() {
  mkdirSync(tree, { recursive: true });
  const git = (folder, ...args) =>
    execFileSync('git', args, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 });
  const files = git(root, 'ls-files', '-co', '--exclude-standard', '-z')
    .split('\0')
    .filter((file) => file && existsSync(join(root, file)));
  const known = new Set(files);
  const before = existsSync(join(home, 'files.json'))
    ? JSON.parse(readFileSync(join(home, 'files.json'), 'utf8'))
    : [];
  for (const file of before) if (!known.has(file)) rmSync(join(tree, file), { force: true });
  for (const file of files) {
    const [from, to] = [join(root, file), join(tree, file)];
    if (existsSync(to) && readFileSync(from).equals(readFileSync(to))) continue;
    mkdirSync(dirname(to), { recursive: true });
    cpSync(from, to);
  }
  writeFileSync(join(home, 'files.json'), JSON.stringify(files));
  if (!existsSync(join(tree, 'node_modules')))
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
}

// A test that fails anyway, or a name without a test, would kill every mutant.
async function failingWithoutMutant(chosen, projects) {
  const failing = [];
  for (const project of projects) {
    const tests = [
      ...new Set(chosen.flatMap(({ tests }) => tests).filter((test) => parse(test).project === project)),
    ];
    const report = join(home, 'clean.xml');
    rmSync(report, { force: true });
    await runTests(project, tests, ['-xml', report]);
    const passed = existsSync(report) ? passedTests(readFileSync(report, 'utf8')) : new Set();
    failing.push(...tests.filter((test) => !passed.has(parse(test).className + '.' + parse(test).method)));
  }
  for (const test of new Set(chosen.flatMap(({ tests }) => tests).filter((test) => parse(test).file)))
    if ((await runWeb(test)).code !== 0) failing.push(test);
  return failing;
}

function passedTests(xml) {
  const results = new Map();
  for (const [tag] of xml.matchAll(/<test [^>]*>/g)) {
    const value = (name) => new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1];
    const name = `${value('type').split('.').at(-1)}.${value('method')}`;
    results.set(name, (results.get(name) ?? true) && value('result') === 'Pass');
  }
  return new Set([...results].filter(([, passed]) => passed).map(([name]) => name));
}

async function apply(mutant) {
  const path = join(tree, mutant.file);
  const source = readFileSync(path, 'utf8');
  const parts = source.split(mutant.replace);
  if (parts.length !== 2)
    return { outcome: 'error', detail: `its text occurs ${parts.length - 1} times in ${mutant.file}` };
  writeFileSync(path, parts.join(mutant.with));
  try {
    return mutant.file.startsWith('src/') ? await applyDotnet(mutant) : await applyWeb(mutant);
  } finally {
    writeFileSync(path, source); // with a new time, so that the next build sees it
  }
}

async function applyWeb(mutant) {
  for (const test of mutant.tests) {
    const { code, output, hung } = await runWeb(test);
    const failed = [...output.matchAll(/FAIL .* > (.*)/g)].map((match) => match[1]);
    if (code !== 0) return { outcome: 'killed', detail: hung ? 'hangs' : '', failed };
  }
  return { outcome: 'survived', detail: '' };
}

// Builds the mutated assembly alone and lends it to the test programs: nothing else depends on a changed method body.
async function applyDotnet(mutant) {
  const assembly = mutant.file.split('/')[1];
  const projects = [...new Set(mutant.tests.map((test) => parse(test).project))];
  const { code, output } = await run(
    'dotnet',
    ['build', `src/${assembly}`, '--no-restore', '--no-dependencies', ...build],
    600,
  );
  if (code !== 0)
    return { outcome: 'error', detail: `does not build: ${/error .*/.exec(output)?.[0] ?? output}` };
  for (const project of projects) {
    const target = join(tree, `test/${project}/bin/Release/net10.0/${assembly}.dll`);
    const clean = readFileSync(target);
    cpSync(join(tree, `src/${assembly}/bin/Release/net10.0/${assembly}.dll`), target);
    try {
      const tests = mutant.tests.filter((test) => parse(test).project === project);
      const { code, output, hung } = await runTests(project, tests);
      if (hung) return { outcome: 'killed', detail: 'hangs' };
      if (/Total: 0,/.test(output)) return { outcome: 'error', detail: 'no test ran' };
      const failed = [...output.matchAll(/^ +([\w.]+).*\[FAIL\]$/gm)].map((match) =>
        match[1].split('.').slice(-2).join('.'),
      );
      if (code !== 0) return { outcome: 'killed', detail: failed.length > 0 ? '' : 'crashes', failed };
    } finally {
      writeFileSync(target, clean);
    }
  }
  return { outcome: 'survived', detail: '' };
}

function runTests(project, tests, options = []) {
  const filters = tests
    .map(parse)
    .flatMap(({ className, method }) => ['-method', `*.${className}.${method}`]);
  const program = `test/${project}/bin/Release/net10.0/${project}.dll`;
  return run(
    'dotnet',
    [
      program,
      '-noLogo',
      '-noColor',
      '-parallel',
      'collections',
      ...(options.length ? [] : ['-stopOnFail']),
      ...filters,
      ...options,
    ],
    options.length ? 900 : limitSeconds,
  );
}

function runWeb(test) {
  const { file, title } = parse(test);
  const pattern = title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return run('npx', ['vitest', 'run', file, '-t', pattern, '--passWithNoTests=false'], limitSeconds);
}

// A mutant may hang: after the limit its process group ends, which counts as a failed test.
function run(command, args, seconds) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: tree,
      env: environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running = child;
    let output = '';
    let hung = false;
    const limit = setTimeout(() => {
      hung = true;
      process.kill(-child.pid, 'SIGKILL');
    }, seconds * 1000);
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
    child.on('close', (code) => {
      clearTimeout(limit);
      running = undefined;
      resolve({ code: code ?? 1, output, hung });
    });
  });
}

// --- report --------------------------------------------------------------------------------------------------------------------------

function report() {
  const results = JSON.parse(readFileSync(resultFile, 'utf8'));
  const missing = mutants.filter(({ name }) => !results[name]);
  if (missing.length > 0)
    return end(2, `No result of ${missing.map(({ name }) => name).join(', ')}. Run them first.`);
  const code = (text) => `\`${text}\``;
  const testOf = (test) => {
    const { file, title, className, method } = parse(test);
    return file ? `${basename(file)}: ${title}` : `${className}.${method}`;
  };
  const lines = [];
  for (const mechanism of new Set(mutants.map((mutant) => mutant.mechanism))) {
    lines.push(
      `### ${mechanism}`,
      '',
      '| mutant | what it breaks | result | test or reason |',
      '|---|---|---|---|',
    );
    for (const mutant of mutants.filter((one) => one.mechanism === mechanism)) {
      const { outcome, detail } = results[mutant.name];
      const why = mutant.survives ?? code(testOf(mutant.tests[0]));
      lines.push(
        `| ${code(mutant.name)} | ${mutant.breaks} | ${outcome}${detail ? ` (${detail})` : ''} | ${why} |`,
      );
    }
    lines.push('');
  }
  const count = (outcome) => mutants.filter(({ name }) => results[name].outcome === outcome).length;
  const survivors = count('survived');
  const summary =
    survivors === 0
      ? `All ${mutants.length} mutants were killed.`
      : `${mutants.length} mutants: ${count('killed')} killed, ${survivors} survived for the reason in the table.`;
  const [head] = readFileSync(page, 'utf8').split('<!-- results -->');
  writeFileSync(page, `${head}<!-- results -->\n${summary}\n\n${lines.join('\n').trimEnd()}\n`);
  console.log(summary);
}
