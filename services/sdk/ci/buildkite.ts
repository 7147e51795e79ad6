import type { CiJob, Environment, ReadJob } from './ci-words.ts';
import {
  address,
  fits,
  fitsName,
  linksOf,
  nameText,
  originOf,
  repositoryOf,
  text,
  triesBeyond,
} from './ci-words.ts';

/** https://buildkite.com/docs/pipelines/configure/environment-variables */
export const buildkite: ReadJob = (env) => {
  const run = nameText(env, 'BUILDKITE_BUILD_ID');
  const retry = triesBeyond(0, env['BUILDKITE_RETRY_COUNT']);
  const token = retry === null ? null : `${run}/${retry}`;
  const url = address(env, 'BUILDKITE_BUILD_URL');
  const job = text(env, 'BUILDKITE_JOB_ID');
  const source = url === null || job === null ? url : `${url}#${job}`;
  const tag = nameText(env, 'BUILDKITE_TAG');
  const branch = nameText(env, 'BUILDKITE_BRANCH');
  const commit = text(env, 'BUILDKITE_COMMIT');
  const slug = `${text(env, 'BUILDKITE_ORGANIZATION_SLUG') ?? ''}/${text(env, 'BUILDKITE_PIPELINE_SLUG') ?? ''}`;
  const request = /^[0-9]{1,20}$/.exec(env['BUILDKITE_PULL_REQUEST'] ?? '')?.[0];
  return {
    name: 'Buildkite',
    run:
      run === null
        ? null
        : {
            provider: 'buildkite',
            server: originOf(url) ?? 'https://buildkite.com',
            repository: text(env, 'BUILDKITE_PIPELINE_ID') ?? slug,
            run,
          },
    // Each job counts its own retries. One that is in its first try says the same as its neighbours.
    attempt: run === null || token === null || !fitsName(token) ? null : token,
    source: source !== null && fits(source) ? source : url,
    ...repositoryOf(env, 'BUILDKITE_REPO'),
    // A build of a branch's head may not know which commit that was.
    commit: commit === 'HEAD' ? null : commit,
    branch: branch === tag ? null : branch,
    tag,
    build: text(env, 'BUILDKITE_BUILD_NUMBER'),
    trigger: triggerOf(env, retry !== null, tag !== null),
    actor: text(env, 'BUILDKITE_BUILD_CREATOR', 'BUILDKITE_BUILD_AUTHOR'),
    links: linksOf(['run', url]),
    pullRequest: request === undefined ? null : { id: request, url: pullRequestUrl(env, request) },
    environment: null,
  };
};

/** The address of the pull request itself is in no variable; on GitHub it follows from the repository's. */
const pullRequestUrl = (env: Environment, id: string): string | null => {
  const [, name] =
    /^(?:git@github\.com:|https:\/\/github\.com\/)([\w.-]+\/[\w.-]+?)(?:\.git)?$/.exec(
      env['BUILDKITE_REPO'] ?? '',
    ) ?? [];
  return name === undefined ? null : `https://github.com/${name}/pull/${id}`;
};

const triggerOf = (env: Environment, isRetry: boolean, isTag: boolean): CiJob['trigger'] => {
  if (isRetry || text(env, 'BUILDKITE_REBUILT_FROM_BUILD_ID') !== null) return 'rerun';
  switch (env['BUILDKITE_SOURCE']) {
    case 'webhook':
      return isTag ? 'tag' : 'push';
    case 'schedule':
      return 'schedule';
    case 'api':
      return 'api';
    case 'ui':
      return 'manual';
    case undefined:
    case '':
      return null;
    default:
      return 'auto';
  }
};
