import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// The real client against the real host: run after the server is built. One file at a time: each has a host of its own.
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    name: 'replicache',
    include: ['*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
