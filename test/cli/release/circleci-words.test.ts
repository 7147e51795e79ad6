import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ciEnvironment } from '../../support/ci-environments.ts';
import type { Runner, Scenario } from '../../support/circleci-runner.ts';
import { runConfiguration, shell, substituted } from '../../support/circleci-runner.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';
import { comparedWith, listed } from '../../support/words-golden.ts';

// CircleCI's guide to deploy markers, run with the real command on the embedded log. What is replaced in it is said in
// the golden folder.

const golden = resolve(import.meta.dirname, '../../golden/circleci-words');
const text = (name: string): string => readFileSync(join(golden, name), 'utf8');
const scratch = scratchFolder();
const ci = ciEnvironment('circleci-push');
/** One test starts up to a dozen commands, one after the other. */
const patient = { timeout: 120_000 };

const aRunner = (): Runner & { readonly data: string } => {
  const folder = join(scratch, randomUUID());
  const data = join(folder, 'data');
  mkdirSync(folder);
  return {
    folder,
    data,
    env: { ...ci, PLIMSOLL_LOG: `sqlite:${data}`, NODE_BINARY: process.execPath },
    // What was planned on one machine another knows by the log alone.
    onNewMachine: () => rmSync(join(data, 'planned'), { recursive: true, force: true }),
  };
};

const compared = (runner: Runner, name: string): Promise<void> =>
  comparedWith(runner, join(golden, 'expected'), name);

const works = '#!/bin/sh\nexit 0\n';
const fails = '#!/bin/sh\nexit 1\n';
const files = { 'deploy.sh': works, 'validate.sh': works, version: 'v2.4.0\n' };

describe("every job of CircleCI's guide", () => {
  test.each<[what: string, file: string, scenario: Scenario, jobs: { [job: string]: string }]>([
    ['quick-start', 'quick-start.yml', {}, { deploy: 'success' }],
    ['basic-logging', 'basic-logging.yml', { files }, { deploy: 'success' }],
    [
      'basic-logging, the deploy fails',
      'basic-logging.yml',
      { files: { ...files, 'deploy.sh': fails } },
      { deploy: 'failed' },
    ],
    ['status-tracking', 'status-tracking.yml', { files }, { deploy: 'success' }],
    [
      'status-tracking, the deploy fails',
      'status-tracking.yml',
      { files: { ...files, 'deploy.sh': fails } },
      { deploy: 'failed' },
    ],
    [
      'status-tracking, the deploy fails for a reason',
      'status-tracking.yml',
      {
        files: {
          ...files,
          'deploy.sh': `#!/bin/sh\necho "FAILURE_REASON='Validation failed'" > failure_reason.env\nexit 1\n`,
        },
      },
      { deploy: 'failed' },
    ],
    [
      // As the guide writes it, a validation that fails is written down, and its step succeeds.
      'status-tracking, the validation fails',
      'status-tracking.yml',
      { files: { ...files, 'validate.sh': fails } },
      { deploy: 'success' },
    ],
    [
      'status-tracking, canceled while it runs',
      'status-tracking.yml',
      { files, cancels: { job: 'deploy', afterSteps: 4 } },
      { deploy: 'canceled', 'cancel-deploy': 'success' },
    ],
    [
      'status-tracking, canceled before it runs',
      'status-tracking.yml',
      { files, cancels: { job: 'deploy', afterSteps: 2 } },
      { deploy: 'canceled', 'cancel-deploy': 'success' },
    ],
    [
      'several-environments',
      'several-environments.yml',
      { files },
      { 'deploy-staging': 'success', hold: 'success', 'deploy-production': 'success' },
    ],
  ])('%s', patient, async (what, file, scenario, jobs) => {
    const runner = aRunner();
    const ran = await runConfiguration(runner, text(file), scenario);
    expect(ran.jobs).toEqual(jobs);
    // No command of ours is among those that failed.
    expect(ran.said.flatMap(({ err }) => [...err.matchAll(/\[[a-z-]+\]/g)])).toEqual([]);
    await compared(runner, what.replaceAll(/[, ]+/g, '-'));
  });

  test(
    'status-tracking, rerun from failed: the next attempt of the same deployment',
    patient,
    async () => {
      const runner = aRunner();
      const broken = { files: { ...files, 'deploy.sh': fails } };
      await runConfiguration(runner, text('status-tracking.yml'), broken);
      const rerun = { ...runner, env: { ...runner.env, CIRCLE_WORKFLOW_ID: 'w-rerun' } };
      const ran = await runConfiguration(rerun, text('status-tracking.yml'), { files });
      expect(ran.jobs).toEqual({ deploy: 'success' });
      await compared(runner, 'status-tracking-rerun-from-failed');
    },
  );
});

type Synopsis = {
  readonly synopsis: string;
  readonly values: { readonly [placeholder: string]: readonly string[] };
};
const synopses = JSON.parse(text('synopses.json')) as {
  readonly plan: Synopsis;
  readonly update: Synopsis;
  readonly log: Synopsis;
  readonly versions: readonly string[];
};

/** Every command line that a synopsis stands for: each option in brackets with it and without, each value. */
const linesOf = ({ synopsis, values }: Synopsis, deployName: string): readonly string[] => {
  const written = substituted(synopsis).replace('<deploy-name>', deployName);
  const optional = [...written.matchAll(/ \[([^\]]+)\]/g)].map(([whole]) => whole);
  let lines = [written];
  for (const part of optional)
    lines = lines.flatMap((line) => [
      line.replace(part, ''),
      line.replace(part, ` ${part.slice(2, -1)}`),
    ]);
  for (const [placeholder, some] of Object.entries(values))
    lines = [
      ...new Set(lines.flatMap((line) => some.map((value) => line.replace(placeholder, value)))),
    ];
  return lines;
};

describe('every command line of the reference', () => {
  test('release plan and release log, with each option and without', patient, async () => {
    const runner = aRunner();
    const plans = linesOf(synopses.plan, 'NAME').map((line, at) =>
      line.replace('NAME', `plan-${at}`),
    );
    const lines = [...plans, ...linesOf(synopses.log, '')];
    expect(lines).toHaveLength(16);
    for (const line of lines)
      expect([line, await shell(runner.folder, line, runner.env)]).toMatchObject([
        line,
        { exit: 0 },
      ]);
    await compared(runner, 'reference-plan-and-log');
  });

  test('release update with each status, as CircleCI goes through them', patient, async () => {
    const runner = aRunner();
    const { values } = synopses.update;
    const updates = (name: string, status: string): readonly string[] =>
      linesOf({ ...synopses.update, values: { ...values, '<status>': [status] } }, name);
    const [canceledBare = '', canceled = ''] = updates('canceled', 'CANCELED');
    const [failedBare = '', failed = ''] = updates('failed', 'FAILED');
    const lines = [
      'plimsoll release plan succeeded --target-version=1',
      ...updates('succeeded', 'RUNNING'),
      // Twice the same: a reason does not go with it.
      ...updates('succeeded', 'SUCCESS'),
      ...['plimsoll release plan failed --target-version=1', failed],
      ...['plimsoll release plan canceled --target-version=1', canceled],
      'plimsoll release plan bare --target-version=1',
      failedBare.replace(' failed ', ' bare '),
      'plimsoll release plan bare-too --target-version=1',
      canceledBare.replace(' canceled ', ' bare-too '),
    ];
    for (const line of lines)
      expect([line, await shell(runner.folder, line, runner.env)]).toMatchObject([
        line,
        { exit: 0 },
      ]);
    await compared(runner, 'reference-update');
  });

  test('each form of a version', patient, async () => {
    const runner = aRunner();
    const env = { ...runner.env, ...ciEnvironment('circleci-tag') };
    for (const [at, option] of synopses.versions.entries()) {
      const line = substituted(`circleci run release plan version-${at} ${option}`);
      expect([line, await shell(runner.folder, line, env)]).toMatchObject([line, { exit: 0 }]);
    }
    await compared(runner, 'reference-versions');
  });
});

test('an environment that is no UTF-8 keeps no marker back', patient, async () => {
  const runner = aRunner();
  const line = String.raw`export CIRCLE_USERNAME="$(printf 'caf\351')"; plimsoll release log --target-version=1`;
  const ran = await shell(runner.folder, line, runner.env);
  expect(ran.exit).toBe(0);
  expect(await listed(runner, 'timeline')).toHaveLength(1);
});
