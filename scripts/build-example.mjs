// Bundles the page of an example into its wwwroot: node scripts/build-example.mjs NAME [OUTPUT] [--sources]
// With --sources the client comes from its sources, so that no build of it is needed.
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const [name, output] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const folder = join(root, 'examples', name);
await build({
  entryPoints: ['page.ts', 'style.css', 'index.html'].map((file) => join(folder, 'web', file)),
  bundle: true,
  format: 'esm',
  minify: true,
  loader: { '.html': 'copy' },
  logLevel: 'warning',
  outdir: output ?? join(folder, 'wwwroot'),
  ...(process.argv.includes('--sources')
    ? { alias: { '@dunlin/client': join(root, 'clients/typescript/src/index.ts') } }
    : {}),
});
