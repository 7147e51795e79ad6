import type { PointAttribute } from '../../telemetry/telemetry-point.ts';
import { probeAttributes, probeSaid } from '../../telemetry/probes.ts';
import type { AttributeFilter, MetricPolicy } from './policy.ts';

/** Whether the attributes of a point fulfil the condition. `attributes` has no name twice. */
export const attributeMatches = (
  { attribute, test }: AttributeFilter,
  attributes: readonly PointAttribute[],
): boolean => {
  const value = attributes.find(({ name }) => name === attribute)?.value;
  switch (test.kind) {
    case 'in':
      return value !== undefined && test.values.includes(value);
    case 'not-in':
      return value === undefined || !test.values.includes(value);
    case 'starts-with':
      return value !== undefined && value.startsWith(test.text);
    case 'present':
      return value !== undefined;
    case 'absent':
      return value === undefined;
  }
};

/** Whether a metric is of requests that somebody waits for; not where its filters say by themselves which routes it is of. */
export const leavesProbesOut = ({ judged, source }: MetricPolicy): boolean =>
  judged !== 'level' && !source.where.some(({ attribute }) => probeAttributes.includes(attribute));

/** Whether a point of these attributes is one that the metric is made of, if it has one of its names. */
export const isOfMetric = (
  { source }: MetricPolicy,
  attributes: readonly PointAttribute[],
): boolean => source.where.every((filter) => attributeMatches(filter, attributes));

/** Whether the door told that they are of probes or scrapes. */
export const isOfProbes = (attributes: readonly PointAttribute[]): boolean =>
  attributes.some(({ name }) => name === probeSaid);
