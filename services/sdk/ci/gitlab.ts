import type { CiJob, Environment, ReadJob } from './ci-words.ts';
import { address, linksOf, nameText, repositoryOf, text } from './ci-words.ts';

/** https://docs.gitlab.com/ci/variables/predefined_variables/ */
export const gitlab: ReadJob = (env) => {
  const run = text(env, 'CI_PIPELINE_ID');
  const tag = nameText(env, 'CI_COMMIT_TAG');
  const environment = nameText(env, 'CI_ENVIRONMENT_NAME');
  // CI_REPOSITORY_URL carries a token; its place is taken where there is no other.
  const repository = repositoryOf(env, 'CI_PROJECT_URL', 'CI_REPOSITORY_URL');
  return {
    name: 'GitLab',
    run:
      run === null
        ? null
        : {
            provider: 'gitlab',
            server: address(env, 'CI_SERVER_URL') ?? 'https://gitlab.com',
            repository: text(env, 'CI_PROJECT_ID', 'CI_PROJECT_PATH') ?? '',
            run,
          },
    // A job that is tried again says so nowhere. Without a token a plan after an end is the next attempt.
    attempt: null,
    source: address(env, 'CI_JOB_URL'),
    ...repository,
    repositoryName: nameText(env, 'CI_PROJECT_NAME') ?? repository.repositoryName,
    commit: text(env, 'CI_COMMIT_SHA'),
    branch: nameText(env, 'CI_COMMIT_BRANCH', 'CI_MERGE_REQUEST_SOURCE_BRANCH_NAME'),
    tag,
    build: text(env, 'CI_PIPELINE_IID'),
    trigger: triggerOf(text(env, 'CI_PIPELINE_SOURCE'), tag !== null),
    actor: text(env, 'GITLAB_USER_LOGIN'),
    links: linksOf(['run', address(env, 'CI_PIPELINE_URL')]),
    pullRequest: mergeRequestOf(env),
    environment: environment === null ? null : { name: environment, from: 'CI_ENVIRONMENT_NAME' },
  };
};

const mergeRequestOf = (env: Environment): CiJob['pullRequest'] => {
  const id = text(env, 'CI_MERGE_REQUEST_IID');
  if (id === null) return null;
  const project = address(env, 'CI_MERGE_REQUEST_PROJECT_URL', 'CI_PROJECT_URL');
  return { id, url: project === null ? null : `${project}/-/merge_requests/${id}` };
};

const triggerOf = (source: string | null, isTag: boolean): CiJob['trigger'] => {
  switch (source) {
    case null:
      return null;
    case 'push':
      return isTag ? 'tag' : 'push';
    case 'merge_request_event':
    case 'external_pull_request_event':
      return 'push';
    case 'schedule':
      return 'schedule';
    case 'api':
    case 'trigger':
      return 'api';
    case 'web':
    case 'webide':
    case 'chat':
      return 'manual';
    default:
      return 'auto';
  }
};
