import type { Details, NameValue } from '../../core/markers/marker.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Given } from '../terminal/arguments.ts';
import { labelsMax } from '../../core/markers/limits.ts';
import type { CiJob } from '../release/ci/ci-job.ts';
import { nearest } from '../../core/nearest.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import { withoutCredentials } from '../release/repository.ts';

const triggers = ['push', 'tag', 'schedule', 'api', 'manual', 'rerun', 'auto'];
const intents = ['planned', 'fix', 'rollback', 'config', 'migration', 'flag'];
const changeTypes = ['commit', 'pull-request'];

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

/**
 * What the options say about the change, and beside them what is known without. `known` null: the options alone, as
 * for an update, which must say the same in every job of a run.
 */
export const readDetails = (
  given: Given,
  known: KnownChange | null,
): Result<Details, CliProblem> => {
  const fault =
    wordFault(given, 'trigger', triggers) ??
    wordFault(given, 'intent', intents) ??
    addressFault('runbook', given.value('runbook'));
  if (fault !== undefined) return fault;
  const resources = readPairs(given, 'resource', '=');
  if (!resources.ok) return resources;
  const labels = readPairs(given, 'label', ':');
  if (!labels.ok) return labels;
  const links = readPairs(given, 'link', '=');
  if (!links.ok) return links;
  const notAddress = links.value
    .map(({ value }) => addressFault('link', value))
    .find((found) => found !== undefined);
  if (notAddress !== undefined) return notAddress;
  const changes = readChanges(given, known);
  if (!changes.ok) return changes;
  const repository = given.value('repository');
  return ok({
    commit: given.value('commit') ?? known?.commit ?? null,
    repository: repository === null ? (known?.repository ?? null) : withoutCredentials(repository),
    build: given.value('build') ?? known?.build ?? null,
    trigger: given.value('trigger') ?? known?.trigger ?? null,
    actor: given.value('actor') ?? known?.actor ?? null,
    owner: given.value('owner'),
    tickets: given.values('ticket'),
    intent: given.value('intent'),
    riskFlags: given.values('risk'),
    cluster: given.value('cluster'),
    zone: given.value('zone'),
    functionVersion: given.value('function-version'),
    functionAlias: given.value('function-alias'),
    runbook: given.value('runbook'),
    resources: resources.value,
    labels: withRef(labels.value, known),
    links: [...links.value, ...(known?.links ?? [])],
    changes: changes.value,
  });
};

/** Branch and tag have no field of their own: they are labels, where none of that name is given and one has room. */
const withRef = (labels: readonly NameValue[], known: KnownChange | null): readonly NameValue[] => {
  const named = new Set(labels.map(({ name }) => name));
  const refs = (['branch', 'tag'] as const).flatMap((name): readonly NameValue[] => {
    const value = known?.[name] ?? null;
    return value === null || named.has(name) ? [] : [{ name, value }];
  });
  return [...labels, ...refs.slice(0, Math.max(0, labelsMax - labels.length))];
};

const readPairs = (
  given: Given,
  option: string,
  mark: '=' | ':',
): Result<readonly NameValue[], CliProblem> => {
  const pairs: NameValue[] = [];
  for (const written of given.values(option)) {
    const at = written.indexOf(mark);
    if (at < 1 || at === written.length - 1)
      return invalid(option, written, `write it as NAME${mark}VALUE`);
    pairs.push({ name: written.slice(0, at), value: written.slice(at + 1) });
  }
  return ok(pairs);
};

const readChanges = (
  given: Given,
  known: KnownChange | null,
): Result<Details['changes'], CliProblem> => {
  const changes: Details['changes'][number][] = [];
  for (const written of given.values('change')) {
    const [, type = '', id = '', title] = /^([^:]+):([^:]+)(?::([\s\S]+))?$/.exec(written) ?? [];
    if (!changeTypes.includes(type))
      return invalid(
        'change',
        written,
        `write it as TYPE:ID[:TITLE], with a TYPE of ${list(changeTypes)}`,
      );
    changes.push({ type, id, title: title ?? null, url: null });
  }
  const request = known?.pullRequest ?? null;
  const isNamed = changes.some(({ type, id }) => type === 'pull-request' && id === request?.id);
  return ok(
    request === null || isNamed
      ? changes
      : [...changes, { type: 'pull-request', id: request.id, title: null, url: request.url }],
  );
};

const wordFault = (
  given: Given,
  option: string,
  allowed: readonly string[],
): Result<never, CliProblem> | undefined => {
  const written = given.value(option);
  if (written === null || allowed.includes(written)) return undefined;
  const near = nearest(written, allowed);
  return invalid(
    option,
    written,
    `${near === undefined ? '' : `did you mean ${near}? `}Allowed: ${list(allowed)}`,
  );
};

/** Whoever looks at a deployment may click on it: no other scheme than the web's. */
const addressFault = (
  option: string,
  written: string | null,
): Result<never, CliProblem> | undefined =>
  written === null || /^https?:\/\/\S+$/.test(written)
    ? undefined
    : invalid(option, written, 'write an address that begins with https:// or http://');

const list = (words: readonly string[]): string => words.join(', ');

const invalid = (option: string, written: string, hint: string): Result<never, CliProblem> =>
  refuse(
    'option-invalid',
    `--${option}=${JSON.stringify(written.slice(0, 64))} cannot be read`,
    hint,
  );
