import type { TelemetryPoint } from '../../telemetry/telemetry-point.ts';
import { noBoundRemedy, noBoundWords } from '../judge/sentence.ts';
import { noBoundFor } from '../metrics/latency.ts';
import type { Durations } from '../windows/durations.ts';
import { addDurations, totalOf } from '../windows/durations.ts';
import { judgedAs, newerNames } from '../windows/judged-as.ts';
import type { PolicyDocument } from './placed-policy.ts';
import { policyFor } from './placed-policy.ts';
import type { MetricPolicyOf } from './policy.ts';

// Whether the buckets that services send can show what a policy promises, before anything is deployed by it.

/** Of one metric of one service, durations of one name and one kind of buckets. */
type Seen = {
  readonly policy: number;
  readonly metric: MetricPolicyOf<'latency'>;
  readonly service: string;
  readonly name: string;
  durations: Durations;
};

/** Whoever sends more kinds than this is not waited for. */
const kindsMax = 10_000;

export type CoarseMetric = {
  /** Its policy's place in the document. */
  readonly policy: number;
  readonly metric: string;
  /** Component and environment. */
  readonly service: string;
  readonly message: string;
};

/**
 * Collects durations as they come. What a sender counts since its start is added up again with every export: that weighs
 * its older requests more, and the shares between the bounds are the same.
 */
export const openBoundsSeen = (
  document: PolicyDocument,
): {
  readonly add: (point: TelemetryPoint) => void;
  /** Metrics by which nothing would be promoted. */
  readonly close: () => readonly CoarseMetric[];
} => {
  const all = new Map<string, Seen>();
  return {
    add: ({ component, environment, metric: name, attributes, value }) => {
      if (value.kind !== 'durations') return;
      const durations = value.durations ?? withoutBounds(value.count);
      const { placed, index: policy } = policyFor(document, component, environment);
      if (policy === null) return;
      for (const { metric: place, isOverflown, isProbe } of judgedAs(
        placed.policy.metrics,
        { metric: name, attributes },
        false,
      )) {
        const metric = placed.policy.metrics[place];
        if (metric?.judged !== 'latency' || isOverflown === true || isProbe === true) continue;
        const service = `${component} in ${environment}`;
        const key = JSON.stringify([policy, place, service, name, kindOf(durations)]);
        const known = all.get(key);
        if (known !== undefined) {
          const sum = addDurations(known.durations, durations);
          if (sum.ok) known.durations = sum.value;
        } else if (all.size < kindsMax) all.set(key, { policy, metric, service, name, durations });
      }
    },
    close: () => [...mostOf([...all.values()])].flatMap(coarse),
  };
};

/** How many there were, and nothing of how long they took. */
const withoutBounds = (count: number): Durations => ({
  shape: 'explicit',
  bounds: [],
  counts: [count],
});

const kindOf = (durations: Durations): string =>
  durations.shape === 'explicit' ? durations.bounds.join() : `exponential ${durations.unit ?? 's'}`;

/** Of each metric of a service the kind that it has most requests of; older names only where newer ones are not sent. */
const mostOf = (all: readonly Seen[]): Iterable<Seen> => {
  const most = new Map<string, Seen>();
  for (const seen of all) {
    const { policy, metric, service, name, durations } = seen;
    const newer = newerNames.get(name);
    const isOld = all.some(
      (other) => other.name === newer && other.service === service && other.metric.id === metric.id,
    );
    const key = JSON.stringify([policy, metric.id, service]);
    const known = most.get(key);
    if (!isOld && totalOf(durations) > (known === undefined ? 0 : totalOf(known.durations)))
      most.set(key, seen);
  }
  return most.values();
};

const coarse = ({ policy, metric, service, durations }: Seen): readonly CoarseMetric[] => {
  const noBound = noBoundFor(metric, durations);
  return noBound === null
    ? []
    : [
        {
          ...{ policy, metric: metric.id, service },
          message: `${metric.id} of ${service}: ${noBoundWords(noBound, 'requests')}; ${noBoundRemedy}`,
        },
      ];
};
