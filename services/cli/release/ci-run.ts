import type { CiRun } from '../../core/deployment-id.ts';
import { textMax } from '../../core/markers/limits.ts';
import { plainText } from '../terminal/display.ts';
import { repositoryName, withoutCredentials } from './repository.ts';

// What CI systems say about themselves in the environment. Only what is documented and set in every job is used.

export type Environment = { readonly [name: string]: string | undefined };

/** What a job knows before anybody tells it anything. */
export type CiJob = {
  /** The run, whose jobs share their deployments; null where the CI does not say which run it is. */
  readonly run: CiRun | null;
  /** Which attempt at the run this is. */
  readonly attempt: string | null;
  /** The CloudEvents source of what it says. */
  readonly source: string | null;
  readonly repositoryName: string | null;
  readonly repository: string | null;
  readonly commit: string | null;
  readonly build: string | null;
  readonly trigger: string | null;
  readonly actor: string | null;
  readonly links: readonly { readonly name: string; readonly value: string }[];
  readonly pullRequest: { readonly id: string; readonly url: string | null } | null;
};

/** The CI job that this runs in, or null outside the CI systems that are known here. */
export const ciJob = (env: Environment): CiJob | null => {
  if (isTrue(env['CIRCLECI'])) return circleci(env);
  if (isTrue(env['GITHUB_ACTIONS'])) return github(env);
  return null;
};

const isTrue = (value: string | undefined): boolean => value === 'true' || value === '1';

/** Not CircleCI on a server of one's own, whose pages lie elsewhere. */
const cloud = 'https://circleci.com';
const cloudApp = 'https://app.circleci.com';

const circleci = (env: Environment): CiJob => {
  const workflow = text(env, 'CIRCLE_WORKFLOW_ID');
  // A rerun from failed is a new workflow in the same workspace.
  const run = text(env, 'CIRCLE_WORKFLOW_WORKSPACE_ID') ?? workflow;
  const url = text(env, 'CIRCLE_BUILD_URL');
  const server = originOf(url);
  const address = text(env, 'CIRCLE_REPOSITORY_URL');
  const owner = text(env, 'CIRCLE_PROJECT_USERNAME');
  const name = text(env, 'CIRCLE_PROJECT_REPONAME');
  const request = text(env, 'CIRCLE_PULL_REQUEST');
  const requestId = request === null ? undefined : /\/([0-9]+)\/?$/.exec(request)?.[1];
  return {
    run:
      run === null
        ? null
        : {
            provider: 'circleci',
            server: server ?? cloud,
            repository: text(env, 'CIRCLE_PROJECT_ID') ?? `${owner ?? ''}/${name ?? ''}`,
            run,
          },
    attempt: workflow,
    source: url,
    repositoryName: name ?? (address === null ? null : repositoryName(address)),
    repository: address === null ? null : withoutCredentials(address),
    commit: text(env, 'CIRCLE_SHA1'),
    // Number and address of the job are its source. What is planned must be the same in every job of the run.
    build: null,
    trigger: text(env, 'CIRCLE_TAG') === null ? null : 'tag',
    actor: text(env, 'CIRCLE_USERNAME'),
    links:
      workflow === null || (server !== cloud && server !== cloudApp)
        ? []
        : [{ name: 'run', value: `${cloudApp}/pipelines/workflows/${workflow}` }],
    pullRequest: requestId === undefined ? null : { id: requestId, url: request },
  };
};

const github = (env: Environment): CiJob => {
  const server = text(env, 'GITHUB_SERVER_URL') ?? 'https://github.com';
  const repository = text(env, 'GITHUB_REPOSITORY');
  const run = text(env, 'GITHUB_RUN_ID');
  const attempt = text(env, 'GITHUB_RUN_ATTEMPT') ?? '1';
  const url =
    repository === null || run === null
      ? null
      : `${server}/${repository}/actions/runs/${run}/attempts/${attempt}`;
  const request = /^refs\/pull\/([0-9]+)\//.exec(env['GITHUB_REF'] ?? '')?.[1];
  return {
    run:
      run === null
        ? null
        : {
            provider: 'github',
            server,
            repository: text(env, 'GITHUB_REPOSITORY_ID') ?? repository ?? '',
            run,
          },
    // The attempts of all runs are counted 1, 2, 3: alone the number says nothing.
    attempt: run === null ? null : `${run}/${attempt}`,
    source: url === null || fits(url) ? url : null,
    repositoryName: repository === null ? null : repositoryName(repository),
    repository: repository === null ? null : `${server}/${repository}`,
    commit: text(env, 'GITHUB_SHA'),
    build: text(env, 'GITHUB_RUN_NUMBER'),
    trigger: githubTrigger(env),
    actor: text(env, 'GITHUB_TRIGGERING_ACTOR') ?? text(env, 'GITHUB_ACTOR'),
    links: url === null ? [] : [{ name: 'run', value: url }],
    pullRequest:
      request === undefined
        ? null
        : {
            id: request,
            url: repository === null ? null : `${server}/${repository}/pull/${request}`,
          },
  };
};

const githubTrigger = (env: Environment): string | null => {
  if (Number(env['GITHUB_RUN_ATTEMPT'] ?? 1) > 1) return 'rerun';
  switch (env['GITHUB_EVENT_NAME']) {
    case 'push':
      return env['GITHUB_REF_TYPE'] === 'tag' ? 'tag' : 'push';
    case 'schedule':
      return 'schedule';
    case 'workflow_dispatch':
      return 'manual';
    case 'repository_dispatch':
      return 'api';
    case undefined:
      return null;
    default:
      return 'auto';
  }
};

/**
 * What a CI says of itself must never keep a marker back: a value that no field would take is as if it were not
 * there.
 */
const text = (env: Environment, name: string): string | null => {
  const value = env[name];
  return value === undefined || value === '' || !fits(value) ? null : value;
};

const fits = (value: string): boolean =>
  value.length <= textMax && value.isWellFormed() && plainText(value) === value;

const originOf = (url: string | null): string | null =>
  url === null ? null : (/^(https?:\/\/[^/]+)/.exec(url)?.[1] ?? null);
