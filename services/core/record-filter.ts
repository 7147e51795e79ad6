import type { Checked } from './check/check-batch.ts';
import type { Position } from './log/record.ts';
import type { Text } from './markers/crypto.ts';
import { isOfOperator } from './markers/kinds.ts';
import type { DeploymentMarker, Kind } from './markers/marker.ts';
import { isKind } from './markers/kinds.ts';

/**
 * Which records of the log a generation is folded from. What is empty or null asks for nothing. Keys, operations and
 * record 0 are always taken: they say who may speak, and what must be forgotten.
 */
export type RecordFilter = {
  /** Only records from this position on. */
  readonly from: Position | null;
  readonly environments: readonly string[];
  readonly components: readonly string[];
  readonly kinds: readonly Kind[];
  /** Only records with all of these headers. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
};

export const noFilter: RecordFilter = {
  from: null,
  environments: [],
  components: [],
  kinds: [],
  headers: [],
};

export const isFiltering = (filter: RecordFilter): boolean =>
  filter.from !== null ||
  [filter.environments, filter.components, filter.kinds, filter.headers].some(
    (list) => list.length > 0,
  );

/**
 * Whether the fold takes this record. An update that names no place goes the way of its deployment: `isKnown` says
 * whether that is in the read models so far.
 */
export const passesFilter = (
  text: Text,
  filter: RecordFilter,
  item: Checked,
  isKnown: (deployment: string) => boolean,
): boolean => {
  const { record } = item;
  if (item.outcome === 'trust-changed' || item.outcome === 'trust-repeated') return true;
  if (item.outcome === 'authentic' && isOfOperator(item.authentic.marker)) return true;
  const { from, environments, components, kinds, headers } = filter;
  if (from !== null && record.position < from) return false;
  const has = (wanted: { readonly name: string; readonly value: string }): boolean =>
    record.headers.some(
      ({ name, value }) => name === wanted.name && text.decodeUtf8(value) === wanted.value,
    );
  if (!headers.every(has)) return false;
  const isPlaced = environments.length > 0 || components.length > 0;
  // What a record that was not accepted says of itself proves nothing.
  if (item.outcome === 'rejected') return !isPlaced && kinds.length === 0;
  const { kind, slot, deployment } = item.authentic.marker as DeploymentMarker;
  if (kinds.length > 0 && !kinds.includes(kind)) return false;
  if (slot === null) return (!isPlaced && from === null) || isKnown(deployment);
  const isIn = (names: readonly string[], name: string): boolean =>
    names.length === 0 || names.includes(name);
  return isIn(environments, slot.environment) && isIn(components, slot.component);
};

/** A filter in words, for people; empty where it asks for nothing. */
export const filterText = (filter: RecordFilter): string =>
  [
    filter.from === null ? '' : `from ${filter.from}`,
    ...filter.environments.map((name) => `environment ${name}`),
    ...filter.components.map((name) => `component ${name}`),
    ...filter.kinds.map((kind) => `kind ${kind}`),
    ...filter.headers.map(({ name, value }) => `header ${name}=${value}`),
  ]
    .filter((part) => part !== '')
    .join(', ');

/** Reads a filter back; undefined where it is none. */
export const readFilter = (kept: unknown): RecordFilter | undefined => {
  if (typeof kept !== 'object' || kept === null) return undefined;
  const { from, environments, components, kinds, headers } = kept as {
    readonly [name: string]: unknown;
  };
  const isFrom = from === null || (typeof from === 'number' && Number.isSafeInteger(from));
  if (!isFrom || !isTexts(environments) || !isTexts(components) || !isTexts(kinds))
    return undefined;
  if (!kinds.every(isKind) || !Array.isArray(headers)) return undefined;
  const pairs = headers.flatMap((header: unknown) => {
    const { name, value } = (header ?? {}) as { readonly [name: string]: unknown };
    return typeof name === 'string' && typeof value === 'string' ? [{ name, value }] : [];
  });
  return pairs.length === headers.length
    ? { from, environments, components, kinds, headers: pairs }
    : undefined;
};

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');
