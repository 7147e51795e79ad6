import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Git } from '../../../services/ports/git.ts';
import { ciEnvironment } from '../../support/ci-environments.ts';
import type { Desk, DeskOptions } from '../../support/desk.ts';
import { jsonOf, openDesk } from '../../support/desk.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const desk = (options: DeskOptions = {}): Promise<Desk> =>
  openDesk({ folder: join(scratch, randomUUID()), ...options });

const commit = 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00';
const here: Git = {
  isHere: () => true,
  address: async () => null,
  head: async () => ({ commit, branch: 'main', tag: 'v2' }),
  commitsBetween: async () => null,
};
const nobodyAsks: Git = {
  isHere: () => false,
  address: () => Promise.reject(new Error('git was asked')),
  head: () => Promise.reject(new Error('git was asked')),
  commitsBetween: () => Promise.reject(new Error('git was asked')),
};

type Shown = {
  readonly environment: string;
  readonly component: string;
  readonly details: { readonly [field: string]: unknown };
};
/** What `show` says of the plan that these words make. */
const planned = async (shop: Desk, ...words: readonly string[]): Promise<Shown> => {
  const said = await shop.plimsoll('release', 'plan', '--target-version=2', '--json', ...words);
  const shown = jsonOf(await shop.plimsoll('show', String(jsonOf(said)['deployment']), '--json'));
  const [attempt] = shown['attempts'] as readonly Shown[];
  if (attempt === undefined) throw new Error('no attempt');
  return attempt;
};

describe('what is known of a change without being told', () => {
  test('outside CI is what git has checked out', async () => {
    const shop = await desk({ git: here, repository: 'https://ann:pw@host/shop/checkout.git' });
    expect(await planned(shop)).toMatchObject({
      component: 'checkout',
      details: {
        commit,
        repository: 'https://host/shop/checkout.git',
        labels: [
          { name: 'branch', value: 'main' },
          { name: 'tag', value: 'v2' },
        ],
      },
    });
  });

  test('is overridden by every flag', async () => {
    const shop = await desk({ env: ciEnvironment('gitlab-deploy') });
    const flags = [
      ...['--commit=abc1234', '--repository=https://other/x.git', '--build=1', '--trigger=api'],
      ...['--actor=bob', '--label=branch:other', '--environment-name=staging', '--source=x'],
      ...['--component-name=cart'],
    ];
    expect(await planned(shop, ...flags)).toMatchObject({
      component: 'cart',
      environment: 'staging',
      details: {
        commit: 'abc1234',
        repository: 'https://other/x.git',
        build: '1',
        trigger: 'api',
        actor: 'bob',
        labels: [{ name: 'branch', value: 'other' }],
      },
      history: [{ source: 'x' }],
    });
  });

  test('in a CI that says the commit is not asked of git', async () => {
    const shop = await desk({ git: nobodyAsks, env: ciEnvironment('circleci-tag') });
    expect((await planned(shop)).details).toMatchObject({
      trigger: 'tag',
      labels: [{ name: 'tag', value: 'v2.4.0' }],
    });
  });

  test('where the CI does not know the commit, git does', async () => {
    const shop = await desk({ git: here, env: ciEnvironment('buildkite-pull-request') });
    expect((await planned(shop)).details).toMatchObject({
      commit,
      labels: [{ name: 'branch', value: 'faster-cart' }],
    });
  });

  test('leaves room for the labels that are given', async () => {
    const shop = await desk({ git: here, repository: 'x/checkout' });
    const given = Array.from({ length: 19 }, (_, index) => `--label=a${index}:b`);
    const { labels } = (await planned(shop, ...given)).details as {
      labels: readonly { name: string }[];
    };
    expect(labels.map(({ name }) => name).slice(18)).toEqual(['a18', 'branch']);
  });

  test('is in no update, which says the same in every job', async () => {
    const shop = await desk({ git: nobodyAsks, env: ciEnvironment('circleci-push') });
    await shop.plimsoll('release', 'plan', '--target-version=2');
    const said = await shop.plimsoll('release', 'update', '--status=SUCCESS');
    expect(said.exit).toBe(0);
  });
});

describe('the environment that a CI deploys to', () => {
  test('is the default, and said', async () => {
    const shop = await desk({ env: ciEnvironment('bitbucket-deployment') });
    const said = await shop.plimsoll('release', 'log', '--target-version=2');
    expect(said.out[0]).toContain('logged checkout 2 to production ');
    expect(said.err).toEqual([
      'plimsoll: the environment is "production", as BITBUCKET_DEPLOYMENT_ENVIRONMENT says; --environment-name=NAME names another',
    ]);
  });

  test('gives way to an option, without a word', async () => {
    const shop = await desk({ env: ciEnvironment('azure-deployment-job') });
    const said = await shop.plimsoll(
      ...['release', 'log', '--target-version=2', '--environment-name=qa'],
    );
    expect([said.out[0], said.err]).toEqual([expect.stringContaining(' to qa '), []]);
  });
});

test.each(['gitlab-deploy', 'jenkins-multibranch'])(
  'on a CI that counts no attempts (%s) a plan after an end is the next attempt',
  async (name) => {
    const shop = await desk({ env: ciEnvironment(name) });
    const plan = ['release', 'plan', '--target-version=2'];
    const calls = [plan, ['release', 'update', '--status=FAILED'], plan, plan];
    const told: unknown[] = [];
    for (const call of calls) {
      const { attempt, delivery } = jsonOf(await shop.plimsoll(...call, '--json'));
      told.push([attempt, delivery]);
    }
    expect(told).toEqual([
      [1, 'stored'],
      [1, 'stored'],
      [2, 'stored'],
      [2, 'duplicate'],
    ]);
  },
);

test.each([
  ['buildkite-push', 'buildkite-retry'],
  ['azure-push', 'azure-retry'],
  ['bitbucket-deployment', 'bitbucket-rerun'],
])(
  'a job that is tried again (%s, %s) plans the next attempt, whatever became of the first',
  async (first, again) => {
    const run = await desk({ env: ciEnvironment(first) });
    const rerun = run.elsewhere({ env: ciEnvironment(again), folder: join(scratch, randomUUID()) });
    const plan = ['release', 'plan', '--target-version=2', '--json'];
    const end = ['release', 'update', '--status=SUCCESS', '--json'];
    const told: unknown[] = [];
    for (const [shop, call] of [
      [run, plan],
      [rerun, plan],
      [rerun, end],
      [run, end],
    ] as const) {
      const { attempt, delivery } = jsonOf(await shop.plimsoll(...call));
      told.push([attempt, delivery]);
    }
    expect(told).toEqual([
      [1, 'stored'],
      [2, 'stored'],
      [2, 'stored'],
      [2, 'duplicate'],
    ]);
  },
);
