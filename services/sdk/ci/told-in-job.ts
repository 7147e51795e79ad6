import type { JsonFields } from '../../core/json-text.ts';
import { isJsonFields } from '../../core/json-text.ts';
import { deploymentIdOf } from '../../core/deployment-id.ts';
import { isKind, kinds } from '../../core/markers/kinds.ts';
import type { Kind } from '../../core/markers/marker.ts';
import type { TextDigest } from '../../core/uuid-v8.ts';
import type { CiJob } from './ci-job.ts';
import { withPullRequest, withRef } from './known-change.ts';

/**
 * What was told, completed by what the CI job knows, as the command does it: attempt, place, change, and the deployment
 * that this run calls by that name. What was told counts before it.
 */
export const toldInJob = (told: JsonFields, job: CiJob, digest: TextDigest): JsonFields => {
  const { kind } = told;
  if (typeof kind !== 'string' || !isKind(kind)) return told;
  return {
    ...(job.attempt === null ? {} : { attempt: job.attempt }),
    ...placeIn(kind, told, job),
    ...withDeployment(kind, told, job, digest),
    ...detailsIn(kind, told, job),
  };
};

const placeIn = (kind: Kind, told: JsonFields, job: CiJob): JsonFields => {
  const { shape } = kinds[kind];
  if (shape === 'update' || kind === 'freeze' || told['slot'] !== undefined) return {};
  return {
    ...(job.environment === null ? {} : { environment: job.environment.name }),
    ...(job.repositoryName === null ? {} : { component: job.repositoryName }),
  };
};

/** What belongs to a deployment in any case: without a name it is the one that the run calls `default`. */
const withDeployment = (
  kind: Kind,
  told: JsonFields,
  job: CiJob,
  digest: TextDigest,
): JsonFields => {
  const { run, ...rest } = told;
  const isOfOne = kind === 'planned' || kinds[kind].shape === 'update';
  if (job.run === null || told['deployment'] !== undefined || (run === undefined && !isOfOne))
    return told;
  const name = run ?? (kind === 'planned' ? rest['name'] : undefined) ?? 'default';
  if (typeof name !== 'string') return told;
  return {
    ...(kind === 'planned' ? { name } : {}),
    ...rest,
    deployment: deploymentIdOf(digest, job.run, name),
  };
};

/** Of what comes to a place the whole change; of what changed beside it all but the commit; an update says its plan's. */
const detailsIn = (kind: Kind, told: JsonFields, job: CiJob): JsonFields => {
  const { details = {} } = told;
  const { shape } = kinds[kind];
  const isComing = ['planned', 'logged', 'recorded', 'released'].includes(kind);
  if (!isJsonFields(details) || (!isComing && shape !== 'change')) return {};
  const { build, trigger, actor } = job;
  const { labels = [], links = [], changes = [] } = details;
  const isList = Array.isArray(labels) && Array.isArray(links) && Array.isArray(changes);
  // What is no list of records is left as it is: the door says what is wrong with it.
  if (!isList || ![...labels, ...links, ...changes].every(isJsonFields)) return {};
  return {
    details: {
      ...(isComing ? { commit: job.commit, repository: job.repository } : {}),
      ...{ build, trigger, actor },
      ...details,
      labels: withRef(labels, job),
      links: [...links, ...job.links],
      changes: withPullRequest(changes, job),
    },
  };
};
