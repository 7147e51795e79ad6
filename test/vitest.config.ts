import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import type { ViteUserConfig } from 'vitest/config';
import { LongestFirst } from './longest-first.ts';

const integrationFiles = ['test/**/*.integration.test.ts'];
/** Laws over many random histories, and crowds of processes: too long for `npm run check`. */
const lawFiles = ['test/**/*.property.test.ts', 'test/**/*.laws.test.ts'];

// Processes that tests start read what Node compiled before: 0.3 s of a core for a command instead of 0.6 s.
process.env['NODE_COMPILE_CACHE'] ??= resolve(
  import.meta.dirname,
  '../node_modules/.cache/node-compile-cache',
);

const config: ViteUserConfig = defineConfig({
  root: resolve(import.meta.dirname, '..'),
  test: {
    pool: 'forks',
    execArgv: ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning'],
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // Timeouts end what hangs; a machine with much other work is twenty times slower than a quiet one.
    hookTimeout: 180_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...integrationFiles, ...lawFiles],
          // Modules are read once a worker, not once a file: that was two fifths of the time. Nothing keeps state in a module.
          isolate: false,
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'laws',
          include: lawFiles,
          testTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          // Real Kafka and Redis, which the files share: each has an audience of its own there, or servers of its own.
          name: 'integration',
          include: integrationFiles,
          globalSetup: ['test/support/stack-setup.ts'],
          testTimeout: 180_000,
        },
      },
    ],
  },
});

export default config;
