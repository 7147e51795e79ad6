import type { ReadJob } from './ci-words.ts';
import {
  address,
  fits,
  fitsName,
  linksOf,
  nameText,
  repositoryOf,
  text,
  triesBeyond,
} from './ci-words.ts';

/** https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/ */
export const bitbucket: ReadJob = (env) => {
  const number = text(env, 'BITBUCKET_BUILD_NUMBER');
  const run = bare(nameText(env, 'BITBUCKET_PIPELINE_UUID')) ?? number;
  const again = triesBeyond(1, env['BITBUCKET_STEP_RUN_NUMBER']);
  const token = again === null ? null : `${run}/${again}`;
  const origin = address(env, 'BITBUCKET_GIT_HTTP_ORIGIN')?.replace(
    /^http:\/\/bitbucket\.org\//,
    'https://bitbucket.org/',
  );
  const url =
    origin === undefined || number === null ? null : `${origin}/pipelines/results/${number}`;
  const step = bare(text(env, 'BITBUCKET_STEP_UUID'));
  const source = url === null || step === null ? url : `${url}/steps/%7B${step}%7D`;
  const tag = nameText(env, 'BITBUCKET_TAG');
  const request = text(env, 'BITBUCKET_PR_ID');
  const environment = nameText(env, 'BITBUCKET_DEPLOYMENT_ENVIRONMENT');
  const repository = repositoryOf(env, 'BITBUCKET_GIT_HTTP_ORIGIN', 'BITBUCKET_GIT_SSH_ORIGIN');
  return {
    name: 'Bitbucket Pipelines',
    run:
      run === null
        ? null
        : {
            provider: 'bitbucket',
            server: 'https://bitbucket.org',
            repository:
              bare(text(env, 'BITBUCKET_REPO_UUID')) ?? text(env, 'BITBUCKET_REPO_FULL_NAME') ?? '',
            run,
          },
    // Each step counts its own tries. One in its first try says the same as its neighbours.
    attempt: token !== null && fitsName(token) ? token : null,
    source: source !== null && fits(source) ? source : null,
    repository: origin ?? repository.repository,
    repositoryName: nameText(env, 'BITBUCKET_REPO_SLUG') ?? repository.repositoryName,
    commit: text(env, 'BITBUCKET_COMMIT'),
    branch: nameText(env, 'BITBUCKET_BRANCH'),
    tag,
    build: number,
    trigger: again !== null ? 'rerun' : tag === null ? null : 'tag',
    // Who started a step is said as an id alone.
    actor: bare(text(env, 'BITBUCKET_STEP_TRIGGERER_UUID')),
    links: linksOf(['run', url]),
    pullRequest:
      request === null
        ? null
        : { id: request, url: origin === undefined ? null : `${origin}/pull-requests/${request}` },
    environment:
      environment === null ? null : { name: environment, from: 'BITBUCKET_DEPLOYMENT_ENVIRONMENT' },
  };
};

/** Ids stand in braces. */
const bare = (id: string | null): string | null => id?.replace(/^\{(.*)\}$/, '$1') ?? null;
