import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { bareEnv } from './bare-env.ts';

// Runs the jobs of a CircleCI configuration as CircleCI does, as far as deploy markers see it: shells, conditions,
// order and the environment. Each job has a folder and a number of its own.

type Step =
  | string
  | {
      readonly run: {
        readonly command: string;
        readonly when?: 'on_success' | 'on_fail' | 'always';
      };
    };
type Requirement = string | { readonly [job: string]: readonly JobState[] };
type WorkflowJob =
  | string
  | {
      readonly [job: string]: {
        readonly type?: 'approval';
        readonly requires?: readonly Requirement[];
      };
    };
type Configuration = {
  readonly jobs: { readonly [job: string]: { readonly steps: readonly Step[] } };
  readonly workflows: { readonly [workflow: string]: { readonly jobs: readonly WorkflowJob[] } };
};
export type JobState = 'success' | 'failed' | 'canceled';

export type Scenario = {
  /** Files of every job's folder, by name; those that end in .sh are programs. */
  readonly files?: { readonly [name: string]: string };
  /** Somebody cancels this job when that many of its steps are done. */
  readonly cancels?: { readonly job: string; readonly afterSteps: number };
};

export type Said = { readonly job: string; readonly exit: number | null; readonly err: string };

export type Runner = {
  readonly folder: string;
  readonly env: { readonly [name: string]: string };
  /** Before each job: jobs run on machines that share nothing. */
  readonly onNewMachine: () => void;
};

/** Every command that was run, in order, and how each job ended. */
export const runConfiguration = async (
  { folder, env, onNewMachine }: Runner,
  text: string,
  { files = {}, cancels }: Scenario = {},
): Promise<{ readonly jobs: { [job: string]: JobState }; readonly said: readonly Said[] }> => {
  const { jobs, workflows } = parse(substituted(text)) as Configuration;
  const states: { [job: string]: JobState } = {};
  const said: Said[] = [];
  let number = 100;
  for (const workflow of Object.values(workflows))
    for (const listed of workflow.jobs) {
      const [name = '', options] =
        typeof listed === 'string' ? [listed, {}] : (Object.entries(listed)[0] ?? []);
      if (!(options?.requires ?? []).every((one) => isMet(one, states))) continue;
      if (options?.type === 'approval') {
        states[name] = 'success';
        continue;
      }
      const { steps } = jobs[name] ?? { steps: [] };
      const at = join(folder, `job-${++number}`);
      mkdirSync(at, { recursive: true });
      for (const [file, content] of Object.entries(files))
        writeFileSync(join(at, file), content, { mode: 0o755 });
      onNewMachine();
      states[name] = await runJob(
        steps,
        (command) =>
          shell(at, command, {
            ...env,
            CIRCLE_JOB: name,
            CIRCLE_BUILD_NUM: String(number),
            CIRCLE_BUILD_URL: `https://circleci.com/gh/shop/checkout/${number}`,
          }).then((ran) => {
            said.push({ job: name, ...ran });
            return ran.exit === 0;
          }),
        cancels?.job === name ? cancels.afterSteps : Number.POSITIVE_INFINITY,
      );
    }
  return { jobs: states, said };
};

/** The two replacements that are made in every text; test/golden/circleci-words/README.md says why. */
export const substituted = (text: string): string =>
  text.replaceAll('circleci run ', 'plimsoll ').replaceAll('<< pipeline.number >>', '42');

const isMet = (requirement: Requirement, states: { [job: string]: JobState }): boolean => {
  if (typeof requirement === 'string') return states[requirement] === 'success';
  return Object.entries(requirement).every(([job, wanted]) => {
    const state = states[job];
    return state !== undefined && wanted.includes(state);
  });
};

const runJob = async (
  steps: readonly Step[],
  run: (command: string) => Promise<boolean>,
  canceledAfter: number,
): Promise<JobState> => {
  let hasFailed = false;
  for (const [index, step] of steps.entries()) {
    if (index >= canceledAfter) return 'canceled';
    if (typeof step === 'string') continue;
    const { command, when = 'on_success' } = step.run;
    const isDue = when === 'always' || (when === 'on_fail') === hasFailed;
    if (isDue && !(await run(command))) hasFailed = true;
  }
  return hasFailed ? 'failed' : 'success';
};

/** One step, in the shell that CircleCI uses. */
export const shell = (
  cwd: string,
  command: string,
  env: { readonly [name: string]: string },
): Promise<{ readonly exit: number | null; readonly err: string }> =>
  new Promise((done) => {
    const child = spawn('/bin/bash', ['-eo', 'pipefail', '-c', command], {
      cwd,
      env: { ...bareEnv(), ...env, PATH: `${commandFolder}:${bareEnv()['PATH'] ?? ''}` },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => void (err += text));
    child.on('close', (exit) => done({ exit, err }));
  });

/** Where `plimsoll` is a program. */
const commandFolder = resolve(import.meta.dirname, 'command');
