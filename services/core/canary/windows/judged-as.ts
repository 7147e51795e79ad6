import type { Origin, SamplePoint } from '../../samples/sample.ts';
import { attributeRefusals } from '../../telemetry/point.ts';
import type { PointRefusal } from '../../telemetry/point.ts';
import { failureSaid, overflowSaid } from '../../telemetry/status-said.ts';
import type { PointAttribute } from '../../telemetry/telemetry-point.ts';
import {
  attributeMatches,
  isOfMetric,
  isOfProbes,
  leavesProbesOut,
} from '../policy/attribute-filter.ts';
import type { AttributeFilter, MetricPolicy } from '../policy/policy.ts';
import { isClientError, saidBy } from './said.ts';

/** What a point is for one metric of a policy. */
export type JudgedAs = {
  /** The metric's place in the policy. */
  readonly metric: number;
  /** Whether all its requests failed; null: it counts its failed requests itself. */
  readonly fails: boolean | null;
  /** The attribute by which it says what became of its requests; absent: it does not. */
  readonly by?: string;
  /** Its requests were answered with errors of the client's; absent: they were not. */
  readonly clientErrors?: true;
  /**
   * The SDK had no room for their attributes: whether they are of this metric, or which of them failed, nobody knows.
   * Absent: that is known, or makes no difference to it.
   */
  readonly isOverflown?: true;
  /** They are of probes or scrapes, and the metric is not (`withoutProbes`); absent: not so. */
  readonly isProbe?: true;
};

/**
 * The metrics that points of an origin are for. `isLevel`: whether they are levels, which count no requests. Empty: no
 * metric is made of them.
 */
export const judgedAs = (
  metrics: readonly MetricPolicy[],
  { metric: name, attributes }: Pick<Origin, 'metric' | 'attributes'>,
  isLevel: boolean,
): readonly JudgedAs[] => {
  const isOverflown = !isLevel && attributes.some((one) => one.name === overflowSaid);
  const isProbe = isOfProbes(attributes);
  return metrics.flatMap((metric, place): readonly JudgedAs[] => {
    const { names, where } = metric.source;
    if (isLevel !== (metric.judged === 'level') || !names.includes(name)) return [];
    // How many they are, and how long they took, is known all the same; for any filter they may be those that it means.
    if (isOverflown && (metric.judged === 'errors' || where.length > 0))
      return [{ metric: place, fails: null, isOverflown }];
    if (!isOfMetric(metric, attributes)) return [];
    const fails = metric.judged === 'errors' ? failsBy(metric.errors, attributes) : null;
    const by = metric.judged === 'errors' ? saidBy(metric.errors, attributes) : undefined;
    const hasClientErrors = metric.judged === 'errors' && isClientError(metric.errors, attributes);
    return [
      {
        metric: place,
        fails,
        ...(by === undefined ? {} : { by }),
        ...(hasClientErrors && { clientErrors: true }),
        ...(isProbe && leavesProbesOut(metric) && { isProbe: true }),
      },
    ];
  });
};

/** A point that was refused does not count its failed requests: an attribute says whether it has any. */
const failsBy = (
  errors: readonly AttributeFilter[] | null,
  attributes: readonly PointAttribute[],
): boolean | null => {
  if (errors !== null) return errors.every((filter) => attributeMatches(filter, attributes));
  return attributes.some(({ name }) => name === failureSaid) ? true : null;
};

/** Whether a point is of requests that failed, or may have. */
export const mayBeFailed = ({
  errors,
  refused,
  judgedAs: as,
}: {
  readonly errors: number;
  readonly refused?: PointRefusal | null;
  readonly judgedAs: readonly JudgedAs[];
}): boolean => {
  if (refused && attributeRefusals.has(refused)) return true;
  let isTold = false;
  for (const { fails, isOverflown } of as) {
    if (fails === true || isOverflown === true) return true;
    isTold ||= fails === false;
  }
  return !isTold && errors > 0;
};

/** The metrics that a point of an origin is for. */
export type PointJudgedAs = (point: Pick<SamplePoint, 'level' | 'refused'>) => readonly JudgedAs[];

/** `judgedAs` for all points of an origin. One whose attributes nobody knows may be for any metric of its name. */
export const pointsJudgedAs = (metrics: readonly MetricPolicy[], origin: Origin): PointJudgedAs => {
  const asRequests = judgedAs(metrics, origin, false);
  const asLevels = judgedAs(metrics, origin, true);
  const asAny = metrics.flatMap(({ judged, source }, metric): readonly JudgedAs[] =>
    judged !== 'level' && source.names.includes(origin.metric) ? [{ metric, fails: null }] : [],
  );
  return ({ level, refused }) => {
    if (refused !== null && attributeRefusals.has(refused)) return asAny;
    return level === null ? asRequests : asLevels;
  };
};

/**
 * Older names of metrics, and what the same requests are called now. Instrumentation can send both for a while
 * (OTEL_SEMCONV_STABILITY_OPT_IN), and then each request would count twice.
 */
export const newerNames: ReadonlyMap<string, string> = new Map([
  ['http.server.duration', 'http.server.request.duration'],
  ['rpc.server.duration', 'rpc.server.call.duration'],
]);
