// `npm test`: the static checks, the unit tests, the laws, simulated schedules, then the tests on real Kafka and Redis.
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
import { addTallies, readTally, tallyLine } from './test-tally.ts';
import type { Tally } from './test-tally.ts';

const stepsAtOnce = 2;
/** Two minutes of one core that has nothing else to do. */
const schedules = 10_000;

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

/** Schedules of simulated faults, all of them together one test. */
function runSchedules(): Promise<Tally> {
  const args = [...nodeFlags, 'services/dev/simulate/main.ts', '--schedules', `${schedules}`];
  console.log(`\n${schedules} simulated schedules`);
  return new Promise((done) => {
    const child = spawn('node', args, {
      cwd: repositoryFolder,
      env: houseEnvironment(),
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const end = (passed: boolean): void =>
      done({ passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 });
    child.on('error', () => end(false));
    child.on('close', (code) => end(code === 0));
  });
}

const reportFolder = mkdtempSync(join(tmpdir(), 'plimsoll-test-'));
try {
  const steps = await runSteps(staticSteps, stepsAtOnce, printStep);
  const passedSteps = steps.filter((step) => step.passed).length;
  const tally = addTallies([
    { passed: passedSteps, failed: steps.length - passedSteps, skipped: 0 },
    await runTests('unit', reportFolder),
    await runTests('laws', reportFolder),
    await runSchedules(),
    await runTests('integration', reportFolder),
  ]);
  console.log(`\n${tallyLine(tally)}`);
  process.exitCode = tally.failed === 0 && tally.passed > 0 ? 0 : 1;
} finally {
  rmSync(reportFolder, { recursive: true, force: true });
}
