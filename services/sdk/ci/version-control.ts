import { maskSecrets } from '../../core/secrets/find-secrets.ts';
import type { ResourceAttributes } from '../../core/telemetry/resource-attributes.ts';
import { attributeLengthMax } from '../../core/telemetry/resource-attributes.ts';
import type { KnownChange } from './known-change.ts';
import { repositoryName } from './repository.ts';

/** https://opentelemetry.io/docs/specs/semconv/registry/attributes/vcs/ */
export const versionControl = (
  change: Pick<KnownChange, 'repository' | 'commit' | 'branch' | 'tag' | 'pullRequest'> | null,
): ResourceAttributes => {
  if (change === null) return {};
  const { repository, commit, branch, tag, pullRequest } = change;
  const ref = tag ?? branch;
  const all = {
    'vcs.repository.url.full': webAddress(repository),
    'vcs.repository.name': repository === null ? null : repositoryName(repository),
    'vcs.ref.head.revision': commit,
    'vcs.ref.head.name': ref,
    'vcs.ref.head.type': ref === null ? null : tag === null ? 'branch' : 'tag',
    'vcs.change.id': pullRequest?.id ?? null,
  };
  return covered(
    Object.fromEntries(
      Object.entries(all).flatMap(([name, value]): [string, string][] =>
        value === null || value === '' || value.length > attributeLengthMax ? [] : [[name, value]],
      ),
    ),
  );
};

/** Nobody looks through telemetry for secrets. */
export const covered = (attributes: ResourceAttributes): ResourceAttributes =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, maskSecrets(value)]));

/** The attribute is an address for browsers: `git@host:owner/name` is none. */
const webAddress = (repository: string | null): string | null =>
  repository !== null && /^https?:\/\//.test(repository) ? repository.replace(/\.git$/, '') : null;
