import type { CiJob, Environment, ReadJob } from './ci-words.ts';
import {
  address,
  fits,
  fitsName,
  linksOf,
  nameText,
  refOf,
  repositoryOf,
  text,
  triesBeyond,
} from './ci-words.ts';

/** https://learn.microsoft.com/azure/devops/pipelines/build/variables; of a classic release, ../release/variables */
export const azure: ReadJob = (env) => {
  const collection = (address(env, 'SYSTEM_COLLECTIONURI') ?? '').replace(/\/+$/, '');
  const release = nameText(env, 'RELEASE_RELEASEID');
  // A classic release has the number of the build that it deploys: several releases share it.
  const run = release === null ? nameText(env, 'BUILD_BUILDID') : `release/${release}`;
  const token = run === null ? null : attemptOf(env, run, release !== null);
  const project = text(env, 'SYSTEM_TEAMPROJECT');
  const url =
    release === null ? buildUrl(collection, project, run) : address(env, 'RELEASE_RELEASEWEBURL');
  const job = text(env, 'SYSTEM_JOBID');
  const source = release !== null || job === null ? url : `${url}&view=logs&j=${job}`;
  const request = text(
    env,
    'SYSTEM_PULLREQUEST_PULLREQUESTNUMBER',
    'SYSTEM_PULLREQUEST_PULLREQUESTID',
  );
  const ref = refOf(text(env, 'SYSTEM_PULLREQUEST_SOURCEBRANCH', 'BUILD_SOURCEBRANCH'));
  return {
    name: 'Azure Pipelines',
    run:
      run === null
        ? null
        : {
            provider: 'azure',
            server: collection,
            repository: text(env, 'SYSTEM_TEAMPROJECTID') ?? project ?? '',
            run,
          },
    attempt: token !== null && fitsName(token) ? token : null,
    source: url === null ? null : source !== null && fits(source) ? source : url,
    ...repositoryOf(env, 'BUILD_REPOSITORY_URI'),
    commit: text(env, 'BUILD_SOURCEVERSION'),
    ...ref,
    build: text(env, 'BUILD_BUILDNUMBER'),
    trigger: token === null ? triggerOf(env, ref.tag !== null) : 'rerun',
    actor: text(env, 'RELEASE_REQUESTEDFOR', 'BUILD_REQUESTEDFOR'),
    links: linksOf(['run', url]),
    pullRequest: request === null ? null : { id: request, url: null },
    environment: environmentOf(env),
  };
};

const buildUrl = (
  collection: string,
  project: string | null,
  run: string | null,
): string | null => {
  if (collection === '' || project === null || run === null) return null;
  const url = `${collection}/${encodeURIComponent(project)}/_build/results?buildId=${encodeURIComponent(run)}`;
  return fits(url) ? url : null;
};

/** Stage and job count their tries apart. The first try of all says the same in every job. */
const attemptOf = (env: Environment, run: string, isRelease: boolean): string | null => {
  if (isRelease) {
    const again = triesBeyond(1, env['RELEASE_ATTEMPTNUMBER']);
    return again === null ? null : `${run}/${again}`;
  }
  const stage = triesBeyond(1, env['SYSTEM_STAGEATTEMPT']) ?? 1;
  const job = triesBeyond(1, env['SYSTEM_JOBATTEMPT']) ?? 1;
  return stage === 1 && job === 1 ? null : `${run}/${stage}.${job}`;
};

const environmentOf = (env: Environment): CiJob['environment'] => {
  for (const from of ['ENVIRONMENT_NAME', 'RELEASE_ENVIRONMENTNAME']) {
    const name = nameText(env, from);
    if (name !== null) return { name, from };
  }
  return null;
};

const triggerOf = (env: Environment, isTag: boolean): CiJob['trigger'] => {
  switch (env['BUILD_REASON']?.toLowerCase()) {
    case 'individualci':
    case 'batchedci':
      return isTag ? 'tag' : 'push';
    case 'pullrequest':
      return 'push';
    case 'schedule':
      return 'schedule';
    case 'manual':
      return 'manual';
    case undefined:
    case '':
      return null;
    default:
      return 'auto';
  }
};
