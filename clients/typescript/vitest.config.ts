import { defaultClientConditions } from 'vite';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Svelte has one build for browsers and one for servers.
  resolve: { conditions: [...defaultClientConditions] },
  test: {
    include: ['test/**/*.test.ts'],
    maxWorkers: 2,
    testTimeout: 20_000,
    server: { deps: { inline: ['svelte'] } },
  },
});
