import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ciJob } from '../../../services/sdk/ci/ci-job.ts';
import type { Environment } from '../../../services/sdk/ci/ci-job.ts';
import { repositoryName, withoutCredentials } from '../../../services/sdk/ci/repository.ts';
import { deploymentIdOf } from '../../../services/core/deployment-id.ts';

const circleci: Environment = {
  CIRCLECI: 'true',
  CIRCLE_WORKFLOW_ID: 'w-1',
  CIRCLE_WORKFLOW_WORKSPACE_ID: 'w-1',
  CIRCLE_BUILD_URL: 'https://circleci.com/gh/shop/checkout/71',
  CIRCLE_BUILD_NUM: '71',
  CIRCLE_PROJECT_ID: 'p-1',
  CIRCLE_PROJECT_USERNAME: 'shop',
  CIRCLE_PROJECT_REPONAME: 'checkout',
  CIRCLE_REPOSITORY_URL: 'https://x-token:secret@github.com/shop/checkout.git',
  CIRCLE_SHA1: 'c0ffee',
  CIRCLE_USERNAME: 'ann',
  CIRCLE_PULL_REQUEST: 'https://github.com/shop/checkout/pull/12',
};
const github: Environment = {
  GITHUB_ACTIONS: 'true',
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'shop/checkout',
  GITHUB_REPOSITORY_ID: '17',
  GITHUB_RUN_ID: '4711',
  GITHUB_RUN_NUMBER: '9',
  GITHUB_RUN_ATTEMPT: '1',
  GITHUB_SHA: 'c0ffee',
  GITHUB_ACTOR: 'ann',
  GITHUB_TRIGGERING_ACTOR: 'bob',
  GITHUB_EVENT_NAME: 'push',
  GITHUB_REF: 'refs/pull/12/merge',
};

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const deployment = (env: Environment, name = 'default'): string => {
  const run = ciJob(env)?.run;
  if (run === null || run === undefined) throw new Error('no run');
  return deploymentIdOf(digest, run, name);
};

test('outside CI there is no job', () => {
  expect(ciJob({})).toBeNull();
  expect(ciJob({ CIRCLECI: '', GITHUB_ACTIONS: 'false' })).toBeNull();
});

test('a run that is named counts before that of the CI, and makes a job where no CI is known', () => {
  const named = { PLIMSOLL_RUN_ID: 'r-17', PLIMSOLL_RUN_ATTEMPT: '2' };
  expect(ciJob({ ...circleci, ...named })).toEqual({
    ...ciJob(circleci),
    run: { ...ciJob(circleci)?.run, run: 'r-17' },
    attempt: '2',
  });
  expect(ciJob({ ...circleci, PLIMSOLL_RUN_ATTEMPT: '2' })).toEqual({
    ...ciJob(circleci),
    attempt: '2',
  });
  expect(ciJob(named)).toMatchObject({ source: null, attempt: '2' });
  expect(deployment(named)).toBe(deployment({ PLIMSOLL_RUN_ID: 'r-17' }));
  expect(deployment(named)).not.toBe(deployment({ PLIMSOLL_RUN_ID: 'r-18' }));
  expect(ciJob({ PLIMSOLL_RUN_ATTEMPT: '2' })).toBeNull();
});

describe('CircleCI', () => {
  test('says what it knows, without its token', () => {
    expect(ciJob(circleci)).toEqual({
      name: 'CircleCI',
      run: { provider: 'circleci', server: 'https://circleci.com', repository: 'p-1', run: 'w-1' },
      attempt: 'w-1',
      source: 'https://circleci.com/gh/shop/checkout/71',
      repositoryName: 'checkout',
      repository: 'https://github.com/shop/checkout.git',
      commit: 'c0ffee',
      branch: null,
      tag: null,
      environment: null,
      build: null,
      trigger: null,
      actor: 'ann',
      links: [{ name: 'run', value: 'https://app.circleci.com/pipelines/workflows/w-1' }],
      pullRequest: { id: '12', url: 'https://github.com/shop/checkout/pull/12' },
    });
  });

  test("on a server of one's own has no link that is known", () => {
    const own = { ...circleci, CIRCLE_BUILD_URL: 'https://ci.shop.example/gh/shop/checkout/71' };
    expect(ciJob(own)).toMatchObject({ run: { server: 'https://ci.shop.example' }, links: [] });
  });

  test('a job of its own that cancels, in the same workflow, means the same deployment', () => {
    const cancels = {
      ...circleci,
      CIRCLE_BUILD_NUM: '72',
      CIRCLE_BUILD_URL: 'https://circleci.com/gh/shop/checkout/72',
    };
    expect(deployment(cancels)).toBe(deployment(circleci));
    expect(deployment(circleci, 'eu')).not.toBe(deployment(circleci));
  });

  test('a rerun from failed is another attempt at the same deployment; a new workflow is another', () => {
    const rerun = { ...circleci, CIRCLE_WORKFLOW_ID: 'w-2' };
    expect(deployment(rerun)).toBe(deployment(circleci));
    expect(ciJob(rerun)?.attempt).toBe('w-2');
    const anew = { ...rerun, CIRCLE_WORKFLOW_WORKSPACE_ID: 'w-2' };
    expect(deployment(anew)).not.toBe(deployment(circleci));
  });

  test('without a workspace id the workflow names the run, and without either nothing does', () => {
    const { CIRCLE_WORKFLOW_WORKSPACE_ID: _, ...without } = circleci;
    expect(deployment(without)).toBe(deployment(circleci));
    expect(ciJob({ CIRCLECI: 'true' })?.run).toBeNull();
  });
});

describe('GitHub Actions', () => {
  test('says what it knows', () => {
    expect(ciJob(github)).toEqual({
      name: 'GitHub Actions',
      run: { provider: 'github', server: 'https://github.com', repository: '17', run: '4711' },
      attempt: '4711/1',
      source: 'https://github.com/shop/checkout/actions/runs/4711/attempts/1',
      repositoryName: 'checkout',
      repository: 'https://github.com/shop/checkout',
      commit: 'c0ffee',
      branch: null,
      tag: null,
      environment: null,
      build: '9',
      trigger: 'push',
      actor: 'bob',
      links: [
        { name: 'run', value: 'https://github.com/shop/checkout/actions/runs/4711/attempts/1' },
      ],
      pullRequest: { id: '12', url: 'https://github.com/shop/checkout/pull/12' },
    });
  });

  test('another attempt is the same deployment with another token', () => {
    const rerun = { ...github, GITHUB_RUN_ATTEMPT: '2' };
    expect(deployment(rerun)).toBe(deployment(github));
    expect(ciJob(rerun)).toMatchObject({ attempt: '4711/2', trigger: 'rerun' });
  });

  test.each([
    [{ GITHUB_EVENT_NAME: 'push', GITHUB_REF_TYPE: 'tag' }, 'tag'],
    [{ GITHUB_EVENT_NAME: 'schedule' }, 'schedule'],
    [{ GITHUB_EVENT_NAME: 'workflow_dispatch' }, 'manual'],
    [{ GITHUB_EVENT_NAME: 'repository_dispatch' }, 'api'],
    [{ GITHUB_EVENT_NAME: 'release' }, 'auto'],
  ])('%o is the trigger %s', (env, trigger) => {
    expect(ciJob({ ...github, ...env })?.trigger).toBe(trigger);
  });

  test('two runs of one repository, and the same run id on another server, are other deployments', () => {
    const ids = [
      github,
      { ...github, GITHUB_RUN_ID: '4712' },
      { ...github, GITHUB_SERVER_URL: 'https://git.shop.example' },
      { ...github, GITHUB_REPOSITORY_ID: '18' },
    ].map((env) => deployment(env));
    expect(new Set(ids).size).toBe(4);
  });
});

test('what a CI says that no field would take is as if it were not said', () => {
  const odd = ciJob({
    ...circleci,
    CIRCLE_USERNAME: 'a'.repeat(300),
    CIRCLE_SHA1: 'c0\u001bffee',
    CIRCLE_BUILD_URL: `https://circleci.com/${'x'.repeat(300)}`,
  });
  expect(odd).toMatchObject({ actor: null, commit: null, source: null, links: [] });
  expect(odd?.run?.run).toBe('w-1');
});

test.each([
  ['git@github.com:shop/checkout.git', 'checkout'],
  ['https://user:token@github.com/shop/checkout.git', 'checkout'],
  ['https://git.shop.example/group/sub/checkout/', 'checkout'],
  ['ssh://git@host:22/checkout.git', 'checkout'],
  [String.raw`C:\repos\checkout`, 'checkout'],
  ['/srv/git/checkout.git', 'checkout'],
])('%s is the repository %s', (address, name) => {
  expect(repositoryName(address)).toBe(name);
});

test('an address is shown without the credentials that it may carry', () => {
  expect(withoutCredentials('https://user:s3cret@host/x.git?token=s3cret#s3cret')).toBe(
    'https://host/x.git',
  );
  expect(withoutCredentials('git@github.com:shop/checkout.git')).toBe(
    'git@github.com:shop/checkout.git',
  );
});
