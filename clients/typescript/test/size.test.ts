import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

/**
 * Minified and gzipped bytes of everything that `@dunlin/client` exports, without the transports that it loads when server-sent events do
 * not pass. Raise it only with a reason: it publishes, preempts leases, sends bytes, and chooses between three transports.
 */
const BUDGET = 20_350;

async function sizeOf(entry: string): Promise<{ size: number; imports: string[] }> {
  const result = await build({
    entryPoints: [new URL(`../src/${entry}`, import.meta.url).pathname],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    metafile: true,
    external: [
      './fallbacks.js',
      'react',
      'rxdb',
      'rxdb/*',
      'svelte',
      'svelte/*',
      'vue',
      'y-protocols/*',
      'yjs',
    ],
  });
  const imports = Object.values(result.metafile.outputs).flatMap((output) =>
    output.imports.filter(({ kind }) => kind !== 'dynamic-import').map(({ path }) => path),
  );
  return { size: gzipSync(result.outputFiles[0]!.contents, { level: 9 }).length, imports };
}

test(`the client has at most ${BUDGET} bytes and no imports`, async () => {
  const { size, imports } = await sizeOf('index.ts');
  console.log(`@dunlin/client: ${size} bytes minified and gzipped`);
  expect(size).toBeLessThanOrEqual(BUDGET);
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  expect(readme).toContain(`at most ${BUDGET.toLocaleString('en')} bytes`);
  expect(imports).toEqual([]);
});

test('The transports that replace server-sent events are at most 2,000 bytes', async () => {
  const { size, imports } = await sizeOf('streams/fallbacks.ts');
  console.log(`fallbacks: ${size} bytes minified and gzipped`);
  expect(size).toBeLessThanOrEqual(2_000);
  expect(imports).toEqual([]);
});

test('the React adapter has at most 500 bytes and imports React only', async () => {
  const { size, imports } = await sizeOf('react/index.ts');
  expect(size).toBeLessThanOrEqual(500);
  expect(imports).toEqual(['react']);
});

test('the Svelte adapter has at most 500 bytes and imports Svelte only', async () => {
  const { size, imports } = await sizeOf('svelte/index.ts');
  expect(size).toBeLessThanOrEqual(500);
  expect(imports).toEqual(['svelte/reactivity']);
});

test('the Vue adapter has at most 500 bytes and imports Vue only', async () => {
  const { size, imports } = await sizeOf('vue/index.ts');
  expect(size).toBeLessThanOrEqual(500);
  expect(imports).toEqual(['vue']);
});

test('The RxDB replication is at most 5,050 bytes, and imports RxDB only', async () => {
  const { size, imports } = await sizeOf('rxdb/index.ts');
  expect(size).toBeLessThanOrEqual(5_050);
  expect([...new Set(imports)].sort()).toEqual(['rxdb/plugins/core', 'rxdb/plugins/replication']);
});

test('The Yjs provider is at most 3,000 bytes, and imports only Yjs', async () => {
  const { size, imports } = await sizeOf('yjs/index.ts');
  console.log(`@dunlin/client/yjs: ${size} bytes minified and gzipped`);
  expect(size).toBeLessThanOrEqual(3_000);
  expect([...new Set(imports)].sort()).toEqual(['y-protocols/awareness', 'yjs']);
});
