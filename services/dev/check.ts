// `npm run check`: what must hold before a commit, in seconds and without any server.
import { printStep, runSteps, staticSteps } from './check-steps.ts';
import type { Step } from './check-steps.ts';

const stepsAtOnce = 2;

const unitTests: Step = {
  name: 'unit tests',
  command: ['vitest', 'run', '--config', 'test/vitest.config.ts', '--project', 'unit'],
};

const results = await runSteps([unitTests, ...staticSteps], stepsAtOnce, printStep);
const failed = results.filter((result) => !result.passed);
console.log(
  failed.length === 0
    ? `all ${results.length} steps passed`
    : `${failed.length} of ${results.length} steps failed: ${failed.map((result) => result.name).join(', ')}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
