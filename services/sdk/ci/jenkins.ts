import type { CiJob, Environment, ReadJob } from './ci-words.ts';
import { address, linksOf, nameText, repositoryOf, text } from './ci-words.ts';

/** https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables and its Git plugin */
export const jenkins: ReadJob = (env) => {
  const server = address(env, 'JENKINS_URL') ?? '';
  const job = text(env, 'JOB_NAME');
  const number = text(env, 'BUILD_NUMBER');
  const run = number ?? text(env, 'BUILD_TAG');
  const url = address(env, 'BUILD_URL');
  const tag = nameText(env, 'TAG_NAME');
  const change = text(env, 'CHANGE_ID');
  return {
    name: 'Jenkins',
    run:
      run === null
        ? null
        : // A job that was removed and made anew counts from 1 again: then an old deployment gets another attempt.
          { provider: 'jenkins', server, repository: job ?? '', run },
    // A build that is run again is another build. Without a token a plan after an end is the next attempt.
    attempt: null,
    source: url,
    ...repositoryOf(env, 'GIT_URL', 'GIT_URL_1'),
    commit: text(env, 'GIT_COMMIT'),
    branch: tag === null ? branchOf(env) : null,
    tag,
    build: number,
    trigger: triggerOf(env, tag !== null),
    actor: text(env, 'BUILD_USER_ID', 'CHANGE_AUTHOR'),
    links: linksOf(['run', url]),
    pullRequest: change === null ? null : { id: change, url: address(env, 'CHANGE_URL') },
    environment: null,
  };
};

/** BRANCH_NAME of a change request is `PR-12`; GIT_BRANCH names the remote too. */
const branchOf = (env: Environment): string | null =>
  nameText(env, 'CHANGE_BRANCH', 'BRANCH_NAME') ??
  nameText(env, 'GIT_LOCAL_BRANCH', 'GIT_BRANCH')?.replace(
    /^(?:refs\/)?(?:remotes\/)?origin\//,
    '',
  ) ??
  null;

/** Only plugins say what started a build. */
const triggerOf = (env: Environment, isTag: boolean): CiJob['trigger'] => {
  const cause = env['BUILD_CAUSE'] ?? '';
  if (cause.includes('TIMERTRIGGER')) return 'schedule';
  if (cause.includes('MANUALTRIGGER') || text(env, 'BUILD_USER_ID') !== null) return 'manual';
  if (cause.includes('REMOTECAUSE')) return 'api';
  if (isTag) return 'tag';
  if (cause.includes('SCMTRIGGER')) return 'push';
  return cause.includes('UPSTREAMTRIGGER') ? 'auto' : null;
};
