import { azure } from './azure.ts';
import { bitbucket } from './bitbucket.ts';
import { buildkite } from './buildkite.ts';
import type { CiJob, Environment } from './ci-words.ts';
import { isTrue, nameText } from './ci-words.ts';
import { circleci } from './circleci.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import { jenkins } from './jenkins.ts';

export type { CiJob, Environment } from './ci-words.ts';

/** What a pipeline says of its run where its CI does not, or says otherwise. */
export const runSetting = 'PLIMSOLL_RUN_ID';
export const attemptSetting = 'PLIMSOLL_RUN_ATTEMPT';

/**
 * The CI job that this runs in, or null outside the CI systems that are known here, unless the run is named. Whoever
 * names the run, or its attempt, counts before the CI.
 */
export const ciJob = (env: Environment): CiJob | null => {
  const job = detected(env);
  const run = nameText(env, runSetting);
  const attempt = nameText(env, attemptSetting) ?? job?.attempt ?? null;
  if (run === null) return job === null ? null : { ...job, attempt };
  const nowhere = { provider: 'named', server: '', repository: '', run };
  return { ...(job ?? unknownCi), run: { ...(job?.run ?? nowhere), run }, attempt };
};

/** Some pipeline of which nothing is known but its run. */
const unknownCi: CiJob = {
  name: 'a pipeline',
  run: null,
  attempt: null,
  source: null,
  repositoryName: null,
  repository: null,
  commit: null,
  branch: null,
  tag: null,
  build: null,
  trigger: null,
  actor: null,
  links: [],
  pullRequest: null,
  environment: null,
};

const detected = (env: Environment): CiJob | null => {
  if (isTrue(env['CIRCLECI'])) return circleci(env);
  if (isTrue(env['GITHUB_ACTIONS'])) return github(env);
  if (isTrue(env['GITLAB_CI'])) return gitlab(env);
  if (isTrue(env['BUILDKITE'])) return buildkite(env);
  if (isTrue(env['TF_BUILD'])) return azure(env);
  if (isSet(env['BITBUCKET_BUILD_NUMBER'])) return bitbucket(env);
  // Last: agents of Jenkins leave it to whatever they start.
  if (isSet(env['JENKINS_URL'])) return jenkins(env);
  return null;
};

/** Whether the disk goes with the job. */
export const isCi = (env: Environment): boolean => isTrue(env['CI']) || ciJob(env) !== null;

const isSet = (value: string | undefined): boolean => value !== undefined && value.trim() !== '';
