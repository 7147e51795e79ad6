import type { Line } from '../metrics/rate-test.ts';
import type {
  AttributeFilter,
  MetricPolicy,
  MetricPolicyOf,
  MetricSource,
  Policy,
} from './policy.ts';
import { presetMetric } from './presets.ts';
import type { GivenOf, Plain, Place, Read } from './setting.ts';
import {
  durationIn,
  flag,
  group,
  inside,
  isPlain,
  listOf,
  meant,
  name,
  named,
  numberIn,
  oneOfText,
  readGroup,
  refuse,
  shareIn,
  textUpTo,
  word,
} from './setting.ts';

// One entry of `metrics`: laid over the preset's metric of that name, or over the preset's metric of that kind.

/** Metrics of one policy, after `per` made several of one. */
export const metricsMax = 32;
const weightMax = 100;
const sourcesMax = 10;
const filtersMax = 10;
const valuesMax = 50;
const valueTextMax = 256;
/** Also of names that `per` made. */
const metricNameMax = 200;

const kinds: readonly MetricPolicy['judged'][] = ['errors', 'latency', 'level', 'traffic'];

/** What an entry stands for: one metric, or with `per` several. */
export type ReadMetric = {
  /** As it was written. */
  readonly name: string;
  readonly metrics: readonly MetricPolicy[];
};

export const readMetric = (
  preset: Policy,
  given: unknown,
  place: Place,
): ReadMetric | undefined => {
  if (!isPlain(given))
    return refuse(place, 'wrong-type', `must be settings of a metric, not ${named(given)}`);
  if (!Object.hasOwn(given, 'name'))
    return refuse(place, 'missing', `has no name; ${namesOf(preset)} are those of the preset`);
  const id = metricName(given['name'], inside(place, 'name'));
  if (id === undefined) return undefined;
  const base = preset.metrics.find((metric) => metric.id === id);
  const judged = readKind(preset, base, id, given, place);
  if (judged === undefined) return undefined;
  const read = readers[judged](startOf(preset, base, judged, id), given, place);
  if (read === undefined) return undefined;
  const { metric, per } = read;
  const isSourced = base !== undefined || judged !== 'level' || Object.hasOwn(given, 'of');
  if (!isSourced)
    return refuse(
      place,
      'missing',
      'does not say of which OpenTelemetry metric it is, such as of: jvm.memory.used',
    );
  return per === undefined ? { name: id, metrics: [metric] } : split(metric, per, place);
};

const namesOf = (preset: Policy): string => preset.metrics.map(({ id }) => id).join(', ');

const readKind = (
  preset: Policy,
  base: MetricPolicy | undefined,
  id: string,
  given: Plain,
  place: Place,
): MetricPolicy['judged'] | undefined => {
  if (!Object.hasOwn(given, 'kind'))
    return (
      base?.judged ??
      refuse(
        place,
        'missing',
        `has no kind, and ${named(id)} is none of the preset's metrics (${namesOf(preset)})${meant(
          id,
          preset.metrics.map((metric) => metric.id),
        )}; kind must be ${oneOfText(kinds)}`,
      )
    );
  const judged = word(kinds)(given['kind'], inside(place, 'kind'));
  if (base === undefined || judged === undefined || judged === base.judged) return judged;
  return refuse(
    inside(place, 'kind'),
    'contradiction',
    `must be ${base.judged}: ${base.id} is a metric of the preset; another kind needs another name`,
  );
};

const startOf = (
  preset: Policy,
  base: MetricPolicy | undefined,
  judged: MetricPolicy['judged'],
  id: string,
): MetricPolicy => base ?? { ...presetMetric(preset, judged), id, critical: false };

type Written = { readonly metric: MetricPolicy; readonly per: Per | undefined };
type Per = { readonly attribute: string; readonly values: readonly string[] };

const metricName = textUpTo(metricNameMax);
const attributeValue = textUpTo(valueTextMax);

/** Values of attributes are compared as texts; numbers and switches are written as JSON writes them. */
const value: Read<string> = (given, place) =>
  (typeof given === 'number' && Number.isFinite(given)) || typeof given === 'boolean'
    ? String(given)
    : attributeValue(given, place);
const values = listOf(value, 1, valuesMax, 'values');
const oneOrMore: Read<readonly string[]> = (given, place) => {
  if (Array.isArray(given)) return values(given, place);
  const one = value(given, place);
  return one === undefined ? undefined : [one];
};

/** `{http.route: /pay}`, `[/pay, /cart]`, `{not: /health}`, `{starts-with: /api}`, `{is: absent}`. */
const filters: Read<readonly AttributeFilter[]> = (given, place) => {
  if (!isPlain(given))
    return refuse(
      place,
      'wrong-type',
      `must name attributes and their values, such as http.route: /pay, not ${named(given)}`,
    );
  const entries = Object.entries(given);
  if (entries.length > filtersMax)
    return refuse(
      place,
      'out-of-range',
      `must name at most ${filtersMax} attributes, not ${entries.length}`,
    );
  const read = entries.map(([attribute, test]): AttributeFilter | undefined => {
    const at = inside(place, attribute);
    const known = name(attribute, at);
    const tested = readTest(test, at);
    return known === undefined || tested === undefined
      ? undefined
      : { attribute: known, test: tested };
  });
  return read.every((one) => one !== undefined) ? inOrder(read) : undefined;
};

/** All of them count, so their order means nothing. */
const inOrder = (tests: readonly AttributeFilter[]): readonly AttributeFilter[] =>
  tests.toSorted((a, b) => (a.attribute < b.attribute ? -1 : 1));

const testFields = {
  not: oneOrMore,
  'starts-with': attributeValue,
  is: word(['present', 'absent'] as const),
};

const readTest: Read<AttributeFilter['test']> = (given, place) => {
  if (!isPlain(given)) {
    const allowed = oneOrMore(given, place);
    return allowed && { kind: 'in', values: allowed };
  }
  const read = readGroup(testFields, given, place);
  if (read === undefined) return undefined;
  const { not, 'starts-with': start, is } = read;
  const tests: AttributeFilter['test'][] = [
    ...(not === undefined ? [] : [{ kind: 'not-in' as const, values: not }]),
    ...(start === undefined ? [] : [{ kind: 'starts-with' as const, text: start }]),
    ...(is === undefined ? [] : [{ kind: is }]),
  ];
  if (Object.keys(given).length === 1) return tests[0];
  return refuse(place, 'contradiction', 'must say one of not, starts-with and is');
};

const sources: Read<readonly string[]> = (given, place) => {
  if (Array.isArray(given)) return listOf(name, 1, sourcesMax, 'names of metrics')(given, place);
  const one = name(given, place);
  return one === undefined ? undefined : [one];
};

const perFields = { attribute: name, values };
const per: Read<Per> = (given, place) => {
  const read = readGroup(perFields, given, place);
  if (read === undefined || !isPlain(given)) return undefined;
  const { attribute, values: each } = read;
  if (attribute !== undefined && each !== undefined) return { attribute, values: each };
  // What was given and refused has been told.
  return Object.keys(perFields).every((field) => Object.hasOwn(given, field))
    ? undefined
    : refuse(
        place,
        'missing',
        'needs an attribute and values, such as {attribute: http.route, values: [/pay, /cart]}',
      );
};

const commonFields = {
  name: metricName,
  kind: word(kinds),
  of: sources,
  where: filters,
  weight: numberIn({ least: 0, most: weightMax }),
  critical: flag,
  per,
};

const lineFields = {
  times: numberIn({ least: 1, most: 10 }),
  plus: shareIn({ least: 0, most: 0.5 }),
};
const line = group(lineFields);
const lineOver = (base: Line, given: GivenOf<typeof lineFields> | undefined): Line => ({
  relative: given?.times ?? base.relative,
  absolute: given?.plus ?? base.absolute,
});

const errorsFields = {
  ...commonFields,
  errors: filters,
  tolerance: line,
  'promote-tolerance': line,
};
/** Who waits longer has no right to be called fast. */
const fineBelowMsMax = 60_000;
/** Nine times slower and more is no tolerance any more. */
const slower = shareIn({ least: 0, most: 9 });
const latencyFields = {
  ...commonFields,
  slower,
  'promote-slower': slower,
  tolerance: line,
  'promote-tolerance': line,
  'fine-below': durationIn(0, fineBelowMsMax),
};
const margin = shareIn({ least: 0, most: 10 });
const levelFields = {
  ...commonFields,
  worse: word(['higher', 'lower'] as const),
  margin,
  'promote-margin': margin,
};
const least = shareIn({ least: 0, most: 1, isOpen: true });
const trafficFields = { ...commonFields, least, 'promote-least': least };

type Common = GivenOf<typeof commonFields>;

const commonOver = <Metric extends MetricPolicy>(base: Metric, given: Common): Metric => ({
  ...base,
  weight: given.weight ?? base.weight,
  critical: given.critical ?? base.critical,
  source: sourceOver(base.source, given),
});

const sourceOver = (base: MetricSource, { of, where }: Common): MetricSource => ({
  names: of ?? base.names,
  where: where ?? base.where,
});

type ReaderOf<Kind extends MetricPolicy['judged']> = (
  base: MetricPolicyOf<Kind>,
  given: unknown,
  place: Place,
) => Written | undefined;

const errors: ReaderOf<'errors'> = (base, given, place) => {
  const read = readGroup(errorsFields, given, place);
  return (
    read && {
      metric: {
        ...commonOver(base, read),
        errors: read.errors ?? base.errors,
        tolerance: lineOver(base.tolerance, read.tolerance),
        promoteTolerance: lineOver(base.promoteTolerance, read['promote-tolerance']),
      },
      per: read.per,
    }
  );
};

const latency: ReaderOf<'latency'> = (base, given, place) => {
  const read = readGroup(latencyFields, given, place);
  const times = (share: number | undefined, before: number): number =>
    share === undefined ? before : 1 + share;
  return (
    read && {
      metric: {
        ...commonOver(base, read),
        slower: times(read.slower, base.slower),
        promoteSlower: times(read['promote-slower'], base.promoteSlower),
        tolerance: lineOver(base.tolerance, read.tolerance),
        promoteTolerance: lineOver(base.promoteTolerance, read['promote-tolerance']),
        fineBelowMs: read['fine-below'] ?? base.fineBelowMs,
      },
      per: read.per,
    }
  );
};

const level: ReaderOf<'level'> = (base, given, place) => {
  const read = readGroup(levelFields, given, place);
  return (
    read && {
      metric: {
        ...commonOver(base, read),
        worse: read.worse ?? base.worse,
        margin: read.margin ?? base.margin,
        promoteMargin: read['promote-margin'] ?? base.promoteMargin,
      },
      per: read.per,
    }
  );
};

const traffic: ReaderOf<'traffic'> = (base, given, place) => {
  const read = readGroup(trafficFields, given, place);
  return (
    read && {
      metric: {
        ...commonOver(base, read),
        least: read.least ?? base.least,
        promoteLeast: read['promote-least'] ?? base.promoteLeast,
      },
      per: read.per,
    }
  );
};

const readers: {
  readonly [Kind in MetricPolicy['judged']]: (
    base: MetricPolicy,
    given: unknown,
    place: Place,
  ) => Written | undefined;
} = {
  errors: errors as ReaderOf<MetricPolicy['judged']>,
  latency: latency as ReaderOf<MetricPolicy['judged']>,
  level: level as ReaderOf<MetricPolicy['judged']>,
  traffic: traffic as ReaderOf<MetricPolicy['judged']>,
};

/** One metric a value, which share the weight: a regression of one route is not hidden by the others. */
const split = (
  metric: MetricPolicy,
  { attribute, values: each }: Per,
  place: Place,
): ReadMetric | undefined => {
  const at = inside(place, 'per');
  if (metric.source.where.some((filter) => filter.attribute === attribute))
    return refuse(
      inside(at, 'attribute'),
      'contradiction',
      `must not be in where, too: ${attribute} is`,
    );
  if (new Set(each).size < each.length)
    return refuse(inside(at, 'values'), 'contradiction', 'must hold each value once');
  const metrics = each.map((one): MetricPolicy => ({
    ...metric,
    id: `${metric.id}{${attribute}=${one}}`,
    weight: metric.weight / each.length,
    source: {
      ...metric.source,
      where: inOrder([...metric.source.where, { attribute, test: { kind: 'in', values: [one] } }]),
    },
  }));
  const tooLong = metrics.find(({ id }) => id.length > metricNameMax);
  return tooLong === undefined
    ? { name: metric.id, metrics }
    : refuse(
        at,
        'too-large',
        `makes a name longer than ${metricNameMax} characters: ${named(tooLong.id)}`,
      );
};
