import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';

/** One thing that can be wrong with the house, and the command that says so. */
export type Step = { readonly name: string; readonly command: readonly [string, ...string[]] };

export type StepResult = {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
  readonly output: string;
};

/** The folder that holds package.json. */
export const repositoryFolder: string = resolve(import.meta.dirname, '..', '..');

export const nodeFlags: readonly string[] = [
  '--disable-warning=ExperimentalWarning',
  '--disable-warning=TimeoutNegativeWarning',
];

const schemaCheck = 'services/dev/check-schemas.ts';
const composeCheck = 'services/dev/check-compose.ts';

/** Everything a machine can say about the source without running it; the slow ones first. */
export const staticSteps: readonly Step[] = [
  { name: 'dependency rule', command: ['depcruise', '--no-cache', 'services', 'test'] },
  { name: 'unused code', command: ['knip', '--no-progress', '--no-config-hints'] },
  { name: 'types', command: ['tsc', '-p', '.'] },
  { name: 'types of core', command: ['tsc', '-p', 'services/core'] },
  { name: 'lint', command: ['oxlint', '--format', 'unix'] },
  ...(existsSync(join(repositoryFolder, schemaCheck))
    ? [{ name: 'schemas', command: ['node', ...nodeFlags, schemaCheck] } satisfies Step]
    : []),
  { name: 'compose file', command: ['node', ...nodeFlags, composeCheck] },
  { name: 'format', command: ['oxfmt', '--check'] },
];

/** The commands of node_modules/.bin come first, and with them the right Node. */
export function houseEnvironment(): NodeJS.ProcessEnv {
  const commands = join(repositoryFolder, 'node_modules', '.bin');
  return { ...process.env, PATH: `${commands}${delimiter}${process.env['PATH'] ?? ''}` };
}

/** Runs one step to its end. A command that cannot be started is a failed step, not a throw. */
export function runStep(step: Step): Promise<StepResult> {
  const startedMs = performance.now();
  const [program, ...args] = step.command;
  return new Promise((done) => {
    const output: string[] = [];
    const finish = (passed: boolean): void => {
      const seconds = (performance.now() - startedMs) / 1000;
      done({ name: step.name, passed, seconds, output: output.join('') });
    };
    const child = spawn(program, args, {
      cwd: repositoryFolder,
      env: { ...houseEnvironment(), NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => output.push(text));
    child.on('error', (cause) => {
      output.push(`${program}: ${cause.message}\n`);
      finish(false);
    });
    child.on('close', (code) => finish(code === 0));
  });
}

/**
 * Runs every step, `atOnce` side by side, and tells of each as it ends.
 * All steps run whatever fails: one look shows everything that is wrong.
 */
export async function runSteps(
  steps: readonly Step[],
  atOnce: number,
  tell: (result: StepResult) => void,
): Promise<readonly StepResult[]> {
  const waiting = [...steps];
  const results: StepResult[] = [];
  const worker = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const result = await runStep(step);
      results.push(result);
      tell(result);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

/** One line a step; what a command said is shown only where it failed. */
export function printStep(result: StepResult): void {
  const mark = result.passed ? 'ok    ' : 'FAILED';
  console.log(`${mark}  ${result.name.padEnd(16)} ${result.seconds.toFixed(1).padStart(5)} s`);
  if (!result.passed) {
    console.log(result.output.trimEnd().replace(/^/gm, '        '));
  }
}
