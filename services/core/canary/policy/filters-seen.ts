import { attributeRefusals } from '../../telemetry/point.ts';
import { probeAttributes } from '../../telemetry/probes.ts';
import type { TelemetryPoint } from '../../telemetry/telemetry-point.ts';
import { attributeMatches, isOfProbes, leavesProbesOut } from './attribute-filter.ts';
import type { PolicyDocument } from './placed-policy.ts';
import { policyFor } from './placed-policy.ts';
import type { AttributeFilter, MetricPolicy } from './policy.ts';
import { meant, oneOfText } from './setting.ts';

// Metrics whose names are sent, and of which no point passes what the policy asks of its attributes, or all are of
// probes: such a metric looks like one that is fine.

type Seen = {
  readonly policy: number;
  readonly metric: MetricPolicy;
  passes: boolean;
  /** Of some point; it is no probe, or the metric counts these, too. */
  isAsked: boolean;
  readonly filters: readonly {
    readonly filter: AttributeFilter;
    /** Of the attribute; for people, so at most `valuesMax`. */
    readonly values: Set<string>;
    passes: boolean;
  }[];
};

const valuesMax = 100;

export type FilteredOut = {
  /** Its policy's place in the document. */
  readonly policy: number;
  readonly metric: MetricPolicy;
  /** Attributes that no point has. */
  readonly unsent: readonly string[];
  /** What nobody sends; `sent`: attributes that points of the capture do have. */
  readonly told: (sent: ReadonlySet<string>) => string;
};

/** Collects points as they come. Each counts for the policy of its place alone. */
export const openFiltersSeen = (
  document: PolicyDocument,
): {
  readonly add: (point: TelemetryPoint) => void;
  readonly close: () => readonly FilteredOut[];
} => {
  const all = document.policies.map(({ policy }, place) =>
    policy.metrics
      .filter((metric) => metric.source.where.length > 0 || leavesProbesOut(metric))
      .map((metric) => ({ metric, policy: place, seen: undefined as Seen | undefined })),
  );
  return {
    add: ({ component, environment, metric: name, attributes, value }) => {
      const { index } = policyFor(document, component, environment);
      for (const asked of index === null ? [] : (all[index] ?? [])) {
        const { metric } = asked;
        if (!metric.source.names.includes(name)) continue;
        if (value.kind !== 'refused' && (value.kind === 'level') !== (metric.judged === 'level'))
          continue;
        asked.seen ??= openSeen(asked);
        // It may be for any metric of its name.
        const isAny = value.kind === 'refused' && attributeRefusals.has(value.reason);
        take(asked.seen, attributes, isAny);
      }
    },
    close: () => all.flat().flatMap(({ seen }) => (seen === undefined ? [] : filteredOut(seen))),
  };
};

const openSeen = ({ metric, policy }: Pick<Seen, 'metric' | 'policy'>): Seen => ({
  metric,
  policy,
  passes: false,
  isAsked: false,
  filters: metric.source.where.map((filter) => ({ filter, values: new Set(), passes: false })),
});

const take = (seen: Seen, attributes: TelemetryPoint['attributes'], isAny: boolean): void => {
  const isAsked = isAny || !leavesProbesOut(seen.metric) || !isOfProbes(attributes);
  seen.isAsked ||= isAsked;
  let passesAll = isAsked;
  for (const one of seen.filters) {
    const passes = isAny || attributeMatches(one.filter, attributes);
    one.passes ||= passes;
    passesAll &&= passes;
    const value = attributes.find(({ name }) => name === one.filter.attribute)?.value;
    if (value !== undefined && one.values.size < valuesMax) one.values.add(value);
  }
  seen.passes ||= passesAll;
};

const filteredOut = ({
  policy,
  metric,
  passes,
  isAsked,
  filters,
}: Seen): readonly FilteredOut[] => {
  if (passes) return [];
  const names = metric.source.names.join(' or ');
  if (!isAsked)
    return [
      {
        policy,
        metric,
        unsent: [],
        told: () =>
          `all points of ${names} are of probes and scrapes, which count only where its where names ${oneOfText(probeAttributes)}`,
      },
    ];
  const unmet = filters.filter((one) => !one.passes);
  const told: FilteredOut['told'] = (sent) =>
    unmet.length === 0
      ? `no point of ${names} is all of its where at once`
      : unmet.map(({ filter, values }) => unmetText(filter, values, names, sent)).join('; ');
  const unsent = unmet.flatMap(({ filter, values }) => (values.size === 0 ? filter.attribute : []));
  return [{ policy, metric, unsent, told }];
};

const unmetText = (
  { attribute, test }: AttributeFilter,
  values: ReadonlySet<string>,
  names: string,
  sent: ReadonlySet<string>,
): string => {
  const unsent = `nobody sends ${attribute} with ${names}${meant(attribute, [...sent])}`;
  const unsentAs = (asked: readonly string[], what: string): string =>
    `nobody sends ${what} as ${attribute} of ${names}${asked.map((value) => meant(value, [...values])).find((told) => told !== '') ?? ''}`;
  switch (test.kind) {
    case 'in':
      return values.size === 0 ? unsent : unsentAs(test.values, test.values.join(' or '));
    case 'starts-with':
      return values.size === 0 ? unsent : unsentAs([test.text], `what starts with ${test.text}`);
    case 'present':
      return unsent;
    case 'not-in':
      return `every point of ${names} has ${[...values].join(' or ')} as ${attribute}`;
    case 'absent':
      return `every point of ${names} has ${attribute}`;
  }
};
