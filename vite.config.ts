import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import react from '@vitejs/plugin-react';
import vue from '@vitejs/plugin-vue';
import { defineConfig, type Plugin } from 'vite';
import { compression } from 'vite-plugin-compression2';
import { pageWorkers } from './clients/kit/build/pageWorkers';

const fromRoot = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const filesIn = (path: string) => (existsSync(fromRoot(path)) ? readdirSync(fromRoot(path)) : []);

/** Systems that have a page: every folder `apps/{system}/web` with an index.html. */
const systems = readdirSync(fromRoot('apps')).filter((name) =>
  existsSync(fromRoot(`apps/${name}/web/index.html`)),
);

/** All pages. The host has more than one. */
const pages = systems.flatMap((name) =>
  filesIn(`apps/${name}/web`)
    .filter((file) => file.endsWith('.html'))
    .map((file) => fromRoot(`apps/${name}/web/${file}`)),
);

/** Copies `apps/{system}/web/public`: files with a fixed address, such as manifests, icons and service workers. */
const fixedAddresses: Plugin = {
  name: 'dunlin-fixed-addresses',
  generateBundle() {
    for (const name of systems) {
      const folder = `apps/${name}/web/public`;
      for (const fileName of filesIn(folder)) {
        this.emitFile({ type: 'asset', fileName, source: readFileSync(fromRoot(`${folder}/${fileName}`)) });
      }
    }
  },
};

/** Puts the styles of the kit first, so that the styles of a page replace them. The order of shared chunks is arbitrary. */
const kitFirst: Plugin = {
  name: 'dunlin-kit-first',
  transformIndexHtml: {
    order: 'post',
    handler(html) {
      const kit = /\s*<link rel="stylesheet"[^>]*\/assets\/style-[^>]*>/.exec(html)?.[0] ?? '';
      return html.replace(kit, '').replace(/\s*<link rel="stylesheet"/, (first) => kit + first);
    },
  },
};

// One build of all pages, and the settings that their unit tests share with it.
export default defineConfig({
  plugins: [
    react(),
    // All components use the composition API.
    vue({ features: { optionsAPI: false } }),
    svelte({ configFile: false }),
    fixedAddresses,
    pageWorkers(['todos', 'focus', 'wishlists']),
    kitFirst,
    // The host serves these variants, see WebFiles.cs.
    compression({
      algorithms: ['brotliCompress', 'gzip'],
      include: /\.(js|css|html|svg|webmanifest)$/,
      threshold: 512,
      skipIfLargerOrEqual: true,
    }),
  ],
  publicDir: false,
  // The landing page links the systems that were built with it.
  define: { __SYSTEMS__: JSON.stringify(systems) },
  build: {
    outDir: 'artifacts/web',
    emptyOutDir: true,
    target: 'es2022',
    rolldownOptions: { input: pages },
  },
});
