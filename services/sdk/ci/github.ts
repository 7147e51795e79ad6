import type { CiJob, Environment, ReadJob } from './ci-words.ts';
import { address, fits, fitsName, linksOf, nameText, text, triesBeyond } from './ci-words.ts';
import { repositoryName } from './repository.ts';

/** https://docs.github.com/en/actions/reference/workflows-and-actions/variables */
export const github: ReadJob = (env) => {
  const server = address(env, 'GITHUB_SERVER_URL') ?? 'https://github.com';
  const repository = text(env, 'GITHUB_REPOSITORY');
  const run = nameText(env, 'GITHUB_RUN_ID');
  const attempt = nameText(env, 'GITHUB_RUN_ATTEMPT') ?? '1';
  const token = `${run}/${attempt}`;
  const pages = repository === null ? null : `${server}/${repository}`;
  const url =
    pages === null || run === null ? null : `${pages}/actions/runs/${run}/attempts/${attempt}`;
  const request = /^refs\/pull\/([0-9]{1,20})\//.exec(env['GITHUB_REF'] ?? '')?.[1];
  const isTag = env['GITHUB_REF_TYPE'] === 'tag';
  const name = repository === null ? null : repositoryName(repository);
  return {
    name: 'GitHub Actions',
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
    attempt: run === null || !fitsName(token) ? null : token,
    source: url === null || fits(url) ? url : null,
    repositoryName: name !== null && fitsName(name) ? name : null,
    repository: pages !== null && fits(pages) ? pages : null,
    // For a pull request that is the merge commit, which is what was checked out.
    commit: text(env, 'GITHUB_SHA'),
    branch: branchOf(env, isTag),
    tag: isTag ? nameText(env, 'GITHUB_REF_NAME') : null,
    build: text(env, 'GITHUB_RUN_NUMBER'),
    trigger: triggerOf(env, isTag),
    actor: text(env, 'GITHUB_TRIGGERING_ACTOR', 'GITHUB_ACTOR'),
    links: linksOf(['run', url]),
    pullRequest:
      request === undefined
        ? null
        : { id: request, url: pages === null ? null : `${pages}/pull/${request}` },
    // The environment of a job is in no variable.
    environment: null,
  };
};

/** Of a pull request GITHUB_REF_NAME is `12/merge`. */
const branchOf = (env: Environment, isTag: boolean): string | null => {
  const head = nameText(env, 'GITHUB_HEAD_REF');
  if (head !== null || isTag) return head;
  return env['GITHUB_REF_TYPE'] === 'branch' ? nameText(env, 'GITHUB_REF_NAME') : null;
};

const triggerOf = (env: Environment, isTag: boolean): CiJob['trigger'] => {
  if (triesBeyond(1, env['GITHUB_RUN_ATTEMPT']) !== null) return 'rerun';
  switch (env['GITHUB_EVENT_NAME']) {
    case 'push':
      return isTag ? 'tag' : 'push';
    case 'schedule':
      return 'schedule';
    case 'workflow_dispatch':
      return 'manual';
    case 'repository_dispatch':
      return 'api';
    case undefined:
    case '':
      return null;
    default:
      return 'auto';
  }
};
