import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import react from '@vitejs/plugin-react';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';
import { pageWorkers } from './clients/kit/build/pageWorkers';

const fromRoot = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Systems that have a page: every folder `apps/{system}/web` with an index.html. */
const systems = readdirSync(fromRoot('apps')).filter((name) =>
  existsSync(fromRoot(`apps/${name}/web/index.html`)),
);

// One build of all pages, and the settings that their unit tests share with it.
export default defineConfig({
  plugins: [react(), vue(), svelte({ configFile: false }), pageWorkers(['todos', 'focus', 'wishlists'])],
  // What has an address of its own, without a hash: the manifest and icons of the page that is installed.
  publicDir: fromRoot('apps/wishlists/web/public'),
  // The landing page links the systems that were built with it.
  define: { __SYSTEMS__: JSON.stringify(systems) },
  build: {
    outDir: 'artifacts/web',
    emptyOutDir: true,
    target: 'es2022',
    rolldownOptions: { input: systems.map((name) => fromRoot(`apps/${name}/web/index.html`)) },
  },
});
