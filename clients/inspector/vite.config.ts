import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { compression } from 'vite-plugin-compression2';

// A build of its own: Dunlin.Inspector embeds this folder, and serves it at any path.
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  plugins: [
    svelte({ configFile: false }),
    compression({
      algorithms: ['brotliCompress', 'gzip'],
      include: /\.(js|css|html)$/,
      threshold: 512,
      skipIfLargerOrEqual: true,
    }),
  ],
  publicDir: false,
  build: {
    outDir: fileURLToPath(new URL('../../artifacts/inspector', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    // The policy of the page allows no data URL of a script.
    modulePreload: { polyfill: false },
  },
});
