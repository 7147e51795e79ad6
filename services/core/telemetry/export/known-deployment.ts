import { isJsonFields } from '../../json-text.ts';
import type { JsonFields } from '../../json-text.ts';
import type { Slot } from '../../markers/marker.ts';
import { utcMsOf } from '../../utc-time.ts';

/** What is known of an attempt at a deployment beside the marker that is told of it. Null: nobody knows. */
export type KnownDeployment = {
  readonly slot: Slot | null;
  readonly name: string | null;
  readonly version: string | null;
  readonly digest: string | null;
  readonly rollback: boolean;
  readonly commit: string | null;
  readonly repository: string | null;
  readonly attempt: number | null;
  /** When it began, milliseconds since 1970, and which marker says so. */
  readonly start: { readonly atMs: number; readonly from: 'running' | 'planned' } | null;
};

export const nothingKnown: KnownDeployment = {
  ...{ slot: null, name: null, version: null, digest: null, rollback: false },
  ...{ commit: null, repository: null, attempt: null, start: null },
};

/**
 * Reads it out of the line of `plimsoll show --json`, which a gateway and the read models at hand both give: of the
 * attempt with that number, or the last one. Nothing in the line is relied on. Null: it is no such line.
 */
export const knownFromLine = (
  line: JsonFields,
  attemptNumber: number | null,
): KnownDeployment | null => {
  const attempts = listOf(line['attempts']);
  const attempt =
    attempts.find((one) => attemptNumber !== null && one['attempt'] === attemptNumber) ??
    attempts.at(-1);
  if (attempt === undefined) return null;
  const { namespace, environment, component } = attempt;
  const details = isJsonFields(attempt['details']) ? attempt['details'] : {};
  const number = attempt['attempt'];
  return {
    slot:
      typeof namespace === 'string' &&
      typeof environment === 'string' &&
      typeof component === 'string'
        ? { namespace, environment, component, target: textOf(attempt['target']) }
        : null,
    name: textOf(attempt['name']),
    version: textOf(attempt['version']),
    digest: textOf(attempt['digest']),
    rollback: attempt['rollback'] === true,
    commit: textOf(details['commit']),
    repository: textOf(details['repository']),
    attempt: typeof number === 'number' ? number : null,
    start: startOf(listOf(attempt['history'])),
  };
};

/** What waits for an approval between its plan and its start does not run yet. */
const startOf = (history: readonly JsonFields[]): KnownDeployment['start'] => {
  const timeOf = (kind: string): number | null => {
    const entry = history.find((one) => one['kind'] === kind && one['note'] === 'applied');
    return utcMsOf(textOf(entry?.['at']) ?? '');
  };
  const running = timeOf('started');
  if (running !== null) return { atMs: running, from: 'running' };
  const planned = timeOf('planned');
  return planned === null ? null : { atMs: planned, from: 'planned' };
};

const listOf = (value: unknown): readonly JsonFields[] =>
  Array.isArray(value) ? value.filter(isJsonFields) : [];

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
