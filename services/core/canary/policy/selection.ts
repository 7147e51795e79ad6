import { probeSaid } from '../../telemetry/probes.ts';
import { clientErrorSaid, overflowSaid, statusSaid } from '../../telemetry/status-said.ts';
import type { Selection } from '../../telemetry/telemetry-point.ts';
import { leavesProbesOut } from './attribute-filter.ts';
import type { MetricPolicy, Policy } from './policy.ts';

/**
 * What senders usually tell their region or cluster by. For policies that name no target it is read all the same: that
 * several are judged as one can be told then.
 */
const usualTargets: readonly string[] = ['cloud.region', 'k8s.cluster.name'];

/** What these policies judge; of everything else nothing is copied from the telemetry. */
export const selectionOf = (policies: readonly Policy[]): Selection => {
  const attributes = new Map<string, Set<string>>();
  const levels = new Set<string>();
  const targets = new Set<string>();
  const labels = new Set<string>();
  const isUntold = policies.some(({ targetAttribute }) => targetAttribute === null);
  for (const { metrics, targetAttribute, cohorts } of policies) {
    if (cohorts !== null) labels.add(cohorts.attribute);
    if (targetAttribute !== null) targets.add(targetAttribute);
    for (const metric of metrics)
      for (const name of metric.source.names) {
        const known = attributes.get(name) ?? new Set<string>();
        attributes.set(name, known);
        if (metric.judged === 'level') levels.add(name);
        attributesOf(metric).forEach((attribute) => known.add(attribute));
      }
  }
  return {
    metrics: new Map(
      [...attributes]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, known]) => [name, [...known].toSorted()]),
    ),
    levels,
    targetAttributes: [...targets].toSorted(),
    usualTargetAttributes: isUntold ? usualTargets : [],
    cohortAttributes: [...labels].toSorted(),
  };
};

/**
 * Attributes of points that the metric's filters look at; where it has none for errors, what the status says; of requests
 * whether they have attributes at all, and where no filter tells the route whether they are of probes.
 */
const attributesOf = (metric: MetricPolicy): readonly string[] => {
  const filters = metric.source.where.map(({ attribute }) => attribute);
  const probes = leavesProbesOut(metric) ? [probeSaid] : [];
  const filtered = metric.judged === 'level' ? filters : [...filters, overflowSaid, ...probes];
  if (metric.judged !== 'errors') return filtered;
  const errors = metric.errors?.map(({ attribute }) => attribute) ?? [statusSaid, clientErrorSaid];
  return [...filtered, ...errors];
};
