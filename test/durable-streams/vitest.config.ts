import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// The suite of the protocol against running servers. The .NET tests of Dunlin.DurableStreams start the servers, and then this suite.
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    // Tests of expiry wait for real seconds, which a busy machine may stretch.
    retry: 2,
    name: 'durable-streams',
    include: ['*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
