import { fileURLToPath } from 'node:url';
import { defaultClientConditions } from 'vite';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// One run, and one report, over the client and all pages. The client comes from its sources: no build before a test.
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      'clients/typescript',
      {
        extends: './vite.config.ts',
        resolve: {
          // Svelte has one build for browsers and one for servers; these are tests of pages.
          conditions: [...defaultClientConditions],
          alias: {
            '@dunlin/client/vue': source('clients/typescript/src/vue/index.ts'),
            '@dunlin/client/svelte': source('clients/typescript/src/svelte/index.ts'),
            '@dunlin/client/yjs': source('clients/typescript/src/yjs/index.ts'),
            '@dunlin/client/rxdb': source('clients/typescript/src/rxdb/index.ts'),
            '@dunlin/client/react': source('clients/typescript/src/react/index.ts'),
            '@dunlin/client': source('clients/typescript/src/index.ts'),
          },
        },
        test: {
          name: 'pages',
          include: ['clients/{kit,inspector}/test/**/*.test.ts', 'apps/*/web/**/*.test.{ts,tsx}'],
          testTimeout: 20_000,
        },
      },
    ],
  },
});
