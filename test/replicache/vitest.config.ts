import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// The real client against the real host. Build the server first. Files run one at a time, because each has its own host.
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
