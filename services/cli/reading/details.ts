import type { Details, NameValue } from '../../core/markers/marker.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Given } from '../terminal/arguments.ts';
import type { KnownChange } from '../../sdk/ci/known-change.ts';
import { withPullRequest, withRef } from '../../sdk/ci/known-change.ts';
import { nearest } from '../../core/nearest.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import { withoutCredentials } from '../../sdk/ci/repository.ts';

const triggers = ['push', 'tag', 'schedule', 'api', 'manual', 'rerun', 'auto'];
const intents = ['planned', 'fix', 'rollback', 'config', 'migration', 'flag'];
const changeTypes = ['commit', 'pull-request'];

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
  return ok(withPullRequest(changes, known));
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
