import { labelsMax } from '../../core/markers/limits.ts';
import type { Details, NameValue } from '../../core/markers/marker.ts';
import type { CiJob } from './ci-job.ts';

/** What the CI job says of the change, or what is checked out here. */
export type KnownChange = Pick<
  CiJob,
  | 'commit'
  | 'repository'
  | 'branch'
  | 'tag'
  | 'build'
  | 'trigger'
  | 'actor'
  | 'links'
  | 'pullRequest'
>;

/** Branch and tag have no field of their own: they are labels, where none of that name is given and one has room. */
export const withRef = (
  labels: readonly NameValue[],
  known: KnownChange | null,
): readonly NameValue[] => {
  const named = new Set(labels.map(({ name }) => name));
  const refs = (['branch', 'tag'] as const).flatMap((name): readonly NameValue[] => {
    const value = known?.[name] ?? null;
    return value === null || named.has(name) ? [] : [{ name, value }];
  });
  return [...labels, ...refs.slice(0, Math.max(0, labelsMax - labels.length))];
};

/** The changes that are told, and the pull request of the job, once. */
export const withPullRequest = (
  changes: Details['changes'],
  known: KnownChange | null,
): Details['changes'] => {
  const request = known?.pullRequest ?? null;
  const isNamed = changes.some(({ type, id }) => type === 'pull-request' && id === request?.id);
  return request === null || isNamed
    ? changes
    : [...changes, { type: 'pull-request', id: request.id, title: null, url: request.url }];
};
