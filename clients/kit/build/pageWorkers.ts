import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transformWithOxc, type Plugin, type Rolldown } from 'vite';
import type { PageFiles } from '../src/pageWorker';

const WORKER = fileURLToPath(new URL('../src/pageWorker.ts', import.meta.url));
const APPS = new URL('../../../apps/', import.meta.url);

/** Writes `/{name}.sw.js` for every page `apps/{name}/web` that opens without a network, with the list of its files. */
export function pageWorkers(names: readonly string[]): Plugin {
  return {
    name: 'dunlin-page-workers',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      async handler(_options, bundle) {
        const { code } = await transformWithOxc(readFileSync(WORKER, 'utf8'), WORKER, { sourcemap: false });
        const worker = code.replace(/^export /gm, '');
        for (const name of names) {
          const start = `startPageWorker(self, ${JSON.stringify(filesOf(name, bundle))});\n`;
          this.emitFile({ type: 'asset', fileName: `${name}.sw.js`, source: `${worker}\n${start}` });
        }
      },
    },
  };
}

function filesOf(name: string, bundle: Rolldown.OutputBundle): PageFiles {
  const page = `apps/${name}/web/index.html`;
  const reached = new Set([page]);
  // A file names the files that it loads, at once or later: as an import, in a list for preloading, or as a URL.
  for (const file of reached) {
    const text = textOf(bundle[file]);
    for (const other of Object.keys(bundle)) {
      if (other.startsWith('assets/') && text.includes(baseName(other))) reached.add(other);
    }
  }
  const folder = new URL(`${name}/web/public/`, APPS);
  const fixed = existsSync(folder) ? readdirSync(folder) : [];
  const hash = createHash('sha256').update(textOf(bundle[page]));
  reached.delete(page);
  for (const file of reached) hash.update(file);
  for (const file of fixed) hash.update(readFileSync(new URL(file, folder)));
  return {
    name,
    build: hash.digest('hex').slice(0, 12),
    assets: [...reached].map((file) => `/${file}`),
    fixed: fixed.map((file) => `/${file}`),
  };
}

const baseName = (file: string) => file.slice(file.lastIndexOf('/') + 1);

function textOf(file: Rolldown.OutputAsset | Rolldown.OutputChunk | undefined): string {
  if (!file) return '';
  if (file.type === 'chunk') return file.code;
  return /\.(html|css|js|svg)$/.test(file.fileName) ? Buffer.from(file.source).toString() : '';
}
