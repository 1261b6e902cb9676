import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

// The real client against a real server. Build the server first. Files run one at a time, because each has its own server.
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: {
    alias: {
      '@dunlin/client/rxdb': source('clients/typescript/src/rxdb/index.ts'),
      '@dunlin/client': source('clients/typescript/src/index.ts'),
    },
  },
  test: {
    name: 'rxdb',
    include: ['*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
