// `npm test`: the static checks, the unit tests, the laws, then the tests on real Kafka and Redis beside simulated schedules.
// The last line is `N passed, N failed`, for people and for the machine that only reads that line.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  houseEnvironment,
  nodeFlags,
  printStep,
  repositoryFolder,
  runSteps,
  staticSteps,
} from './check-steps.ts';
import type { Step } from './check-steps.ts';
import { addTallies, readTally, tallyLine } from './test-tally.ts';
import type { Tally } from './test-tally.ts';

const stepsAtOnce = 2;

/**
 * Schedules of simulated faults, all of them together one test: some five minutes of a core. They run beside the tests on
 * Kafka and Redis, which wait more than they work, and get what those leave.
 */
const schedules: Step = {
  name: '10,000 schedules',
  command: [
    ...(['nice', '-n', '19', 'node'] as const),
    ...nodeFlags,
    ...['services/dev/simulate/main.ts', '--schedules', '10000'],
  ],
};

/** Runs one vitest project with its usual output and counts what it reports. */
function runTests(project: string, reportFolder: string): Promise<Tally> {
  const reportFile = join(reportFolder, `${project}.json`);
  const args = ['run', '--config', 'test/vitest.config.ts', '--project', project];
  const reports = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  console.log(`\n${project} tests`);
  return new Promise((done) => {
    const child = spawn('vitest', [...args, ...reports], {
      cwd: repositoryFolder,
      env: houseEnvironment(),
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('error', () => done({ passed: 0, failed: 1, skipped: 0 }));
    child.on('close', (code) => done(readTally(reportFile, code === 0)));
  });
}

/** Each step counts as one test. */
async function stepTally(steps: readonly Step[], atOnce: number): Promise<Tally> {
  const results = await runSteps(steps, atOnce, printStep);
  const passed = results.filter((step) => step.passed).length;
  return { passed, failed: results.length - passed, skipped: 0 };
}

function besideSchedules(reportFolder: string): Promise<readonly Tally[]> {
  console.log(`\n${schedules.name} of simulated faults begin, and end when they end`);
  return Promise.all([stepTally([schedules], 1), runTests('integration', reportFolder)]);
}

const reportFolder = mkdtempSync(join(tmpdir(), 'plimsoll-test-'));
try {
  const tally = addTallies([
    await stepTally(staticSteps, stepsAtOnce),
    await runTests('unit', reportFolder),
    await runTests('laws', reportFolder),
    ...(await besideSchedules(reportFolder)),
  ]);
  console.log(`\n${tallyLine(tally)}`);
  process.exitCode = tally.failed === 0 && tally.passed > 0 ? 0 : 1;
} finally {
  rmSync(reportFolder, { recursive: true, force: true });
}
