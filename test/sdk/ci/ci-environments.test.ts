import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, asyncProperty, constantFrom, dictionary, nat } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ciJob } from '../../../services/sdk/ci/ci-job.ts';
import { completeMarker } from '../../../services/cli/release/draft.ts';
import { draftMarker } from '../../../services/cli/release/draft-marker.ts';
import type { Origin } from '../../../services/cli/release/draft.ts';
import { plainText } from '../../../services/core/plain-text.ts';
import { parseArguments } from '../../../services/cli/terminal/parse-arguments.ts';
import type { Marker } from '../../../services/core/markers/marker.ts';
import { createMemoryIds } from '../../../services/adapters/memory/ids.ts';
import {
  ciEnvironment,
  ciEnvironments,
  ciEnvironmentsFolder,
  deploymentOf,
} from '../../support/ci-environments.ts';
import type { Environment } from '../../support/ci-environments.ts';
import { value } from '../../support/records.ts';

const rewrites = process.env['WRITE_GOLDEN'] === 'ci';
const environments = ciEnvironments();

test.each(environments)('golden: $name says what it knows, and no more', ({ name, env }) => {
  const job = ciJob(env);
  const told = { deployment: job?.run ? deploymentOf(job) : null, job };
  const path = join(ciEnvironmentsFolder, `${name}.json`);
  if (rewrites) writeFileSync(path, `${JSON.stringify(told, null, 2)}\n`);
  expect(told).toEqual(JSON.parse(readFileSync(path, 'utf8')));
});

const planIn = async (env: Environment): Promise<Marker> => {
  const job = ciJob(env);
  const request = value(parseArguments(['release', 'plan', '--target-version=1']));
  if (request.ask !== 'run') throw new Error('no command');
  const origin: Origin = {
    audience: 'local',
    job,
    host: 'desk',
    repositoryAddress: async () => 'git@git.shop.example:shop/checkout.git',
    git: { head: async () => null },
    note: () => undefined,
    screening: { covers: () => false, coversNames: () => false, tell: () => undefined },
  };
  const draft = value(await draftMarker('release plan', request.given, origin));
  const ids = createMemoryIds('ci', () => 0);
  const slot = value(await draft.place(null));
  const given = { marker: ids.uuidV7(), deployment: ids.uuidV7(), occurredAt: 0, numbered: null };
  return value(completeMarker(draft, given, slot, request.given, origin));
};

describe('whatever a variable says', () => {
  const hostile: readonly (readonly [name: string, text: string])[] = [
    ['nothing', ''],
    ['spaces', '   '],
    ['line ends', 'a\nb\r\nc'],
    ['a colour', '\u001b[31mred\u001b[0m'],
    ['a zero', 'a\u0000b'],
    ['half a surrogate pair', 'a\ud800'],
    ['what was no UTF-8', 'caf\ufffd'],
    ['a turned direction', 'a\u202eb'],
    ['ten megabytes', 'x'.repeat(10 * 1024 * 1024)],
    ['one character too many', 'x'.repeat(257)],
    ['one too many for a name', 'x'.repeat(129)],
    ['an address with a password', 'https://user:hunter2@git.shop.example/x.git?token=hunter2'],
    ['an address without a scheme', 'user:hunter2@git.shop.example:x.git'],
    ['a script', 'javascript:alert(1)'],
    ['a prototype', '__proto__'],
  ];

  test.each(environments)('$name makes a marker all the same', async ({ env }) => {
    for (const variable of Object.keys(env))
      for (const [what, text] of hostile) {
        const marker = await planIn({ ...env, [variable]: text });
        const said = JSON.stringify(marker);
        expect(said, `${variable}: ${what}`).not.toContain('hunter2');
        expect(plainText(said), `${variable}: ${what}`).toBe(said);
      }
  });

  test('many of them at once make a marker all the same', async () => {
    const texts = constantFrom(...hostile.filter(([, text]) => text.length < 1000));
    await assert(
      asyncProperty(
        constantFrom(...environments),
        dictionary(nat({ max: 60 }).map(String), texts),
        async ({ env }, changes) => {
          const names = Object.keys(env);
          const changed = Object.entries(changes).map(([at, [, text]]): [string, string] => [
            names[Number(at) % names.length] ?? '',
            text,
          ]);
          expect(
            JSON.stringify(await planIn({ ...env, ...Object.fromEntries(changed) })),
          ).not.toContain('hunter2');
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('the deployment of a run', () => {
  type Change = { readonly [name: string]: string };
  const table: readonly (readonly [
    base: string,
    anotherJob: Change,
    again: Change,
    anotherRun: Change,
  ])[] = [
    [
      'circleci-push',
      {
        CIRCLE_JOB: 'cancel',
        CIRCLE_BUILD_NUM: '9',
        CIRCLE_BUILD_URL: 'https://circleci.com/gh/shop/checkout/9',
      },
      { CIRCLE_WORKFLOW_ID: 'w-2' },
      { CIRCLE_WORKFLOW_ID: 'w-3', CIRCLE_WORKFLOW_WORKSPACE_ID: 'w-3' },
    ],
    ['github-push', { GITHUB_JOB: 'cancel' }, { GITHUB_RUN_ATTEMPT: '2' }, { GITHUB_RUN_ID: '9' }],
    [
      'gitlab-deploy',
      {
        CI_JOB_ID: '9',
        CI_JOB_NAME: 'cancel',
        CI_ENVIRONMENT_NAME: 'staging',
        GITLAB_USER_LOGIN: 'bob',
      },
      { CI_JOB_ID: '10' },
      { CI_PIPELINE_ID: '9' },
    ],
    [
      'jenkins-multibranch',
      { STAGE_NAME: 'Cancel', EXECUTOR_NUMBER: '3', NODE_NAME: 'agent-4' },
      { STAGE_NAME: 'Deploy again' },
      { BUILD_NUMBER: '419' },
    ],
    [
      'buildkite-push',
      { BUILDKITE_JOB_ID: 'j-2', BUILDKITE_STEP_KEY: 'cancel' },
      { BUILDKITE_RETRY_COUNT: '1' },
      { BUILDKITE_BUILD_ID: 'b-2' },
    ],
    [
      'azure-deployment-job',
      { SYSTEM_JOBID: 'j-2', ENVIRONMENT_NAME: 'staging' },
      { SYSTEM_STAGEATTEMPT: '2' },
      { BUILD_BUILDID: '9' },
    ],
    [
      'azure-release',
      { RELEASE_ENVIRONMENTNAME: 'qa' },
      { RELEASE_ATTEMPTNUMBER: '3' },
      { RELEASE_RELEASEID: '9' },
    ],
    [
      'bitbucket-deployment',
      { BITBUCKET_STEP_UUID: '{s-2}', BITBUCKET_DEPLOYMENT_ENVIRONMENT: 'staging' },
      { BITBUCKET_STEP_RUN_NUMBER: '2' },
      { BITBUCKET_PIPELINE_UUID: '{p-2}' },
    ],
  ];

  test.each(table)('%s: the same in every job and attempt', (base, anotherJob, again) => {
    const env = ciEnvironment(base);
    const same = [env, { ...env, ...anotherJob }, { ...env, ...again }].map((one) =>
      deploymentOf(ciJob(one)),
    );
    expect(new Set(same).size).toBe(1);
    // A job says the same attempt as its neighbours.
    expect(ciJob({ ...env, ...anotherJob })?.attempt).toBe(ciJob(env)?.attempt);
  });

  test.each(table)(
    '%s: another in another run, and under another name',
    (base, _job, _again, run) => {
      const env = ciEnvironment(base);
      const ids = [
        deploymentOf(ciJob(env)),
        deploymentOf(ciJob({ ...env, ...run })),
        deploymentOf(ciJob(env), 'eu'),
        deploymentOf(ciJob(env), 'us'),
      ];
      expect(new Set(ids).size).toBe(4);
    },
  );

  test('is another on every CI', () => {
    const ids = table.map(([base]) => deploymentOf(ciJob(ciEnvironment(base))));
    expect(new Set(ids).size).toBe(table.length);
  });
});
