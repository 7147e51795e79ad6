import { azure } from './azure.ts';
import { bitbucket } from './bitbucket.ts';
import { buildkite } from './buildkite.ts';
import type { CiJob, Environment } from './ci-words.ts';
import { isTrue } from './ci-words.ts';
import { circleci } from './circleci.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import { jenkins } from './jenkins.ts';

export type { CiJob, Environment } from './ci-words.ts';

/** The CI job that this runs in, or null outside the CI systems that are known here. */
export const ciJob = (env: Environment): CiJob | null => {
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

const isSet = (value: string | undefined): boolean => value !== undefined && value.trim() !== '';
