import { unknownPhi } from '../noise/dispersion.ts';
import { latencyQuantiles } from '../metrics/latency.ts';
import { equalShares } from '../metrics/rate-test.ts';
import { normalQuantile, normalShareBelow } from '../statistics/normal.ts';
import type { Exposure } from '../statistics/planner.ts';
import { errorsInformation, smallestErrorRate, smallestSlowdown } from '../statistics/planner.ts';
import type { MetricPolicy, MetricPolicyOf, Policy } from './policy.ts';
import { presets } from './presets.ts';
import { durationText } from './setting.ts';

// What a canary can show by its deadline at the traffic that is expected, said before it starts (planner.ts).

/** From `fromSeconds` after the start on, until the next one. Requests a second. */
export type TrafficFrom = {
  readonly fromSeconds: number;
  readonly canaryRps: number;
  readonly baselineRps: number;
};

export type Outlook = {
  /** In order of time; the first is from 0 on. */
  readonly traffic: readonly TrafficFrom[];
  /** Errors per request of the baseline; above 0. */
  readonly baselineErrorRate: number;
  /** How much more counts scatter than chance, at least 1. */
  readonly dispersion: number;
  /** Standard deviation of ln(duration) between requests. */
  readonly latencySpread: number;
  /** Metrics that pass nobody, as no bound of their buckets is near the durations. */
  readonly noBound: readonly string[];
};

/** Without history. */
export const dispersionUnknown: number = unknownPhi;

/** Where nothing is known: a usual service. */
export const latencySpreadUsual = 0.8;

export type MetricPlan = {
  readonly id: string;
  readonly judged: MetricPolicy['judged'];
  /** Its part of the whole budget. */
  readonly weight: number;
  /** Only points with certain attributes: they are fewer than the traffic says. */
  readonly isFiltered: boolean;
  /** Errors: a rate. Latency: how many times slower. Null: of such a metric nothing can be said before. */
  readonly tolerated: number | null;
  /** The least that is found in nine of ten canaries by the deadline; null: nothing is, or it cannot be said. */
  readonly found: number | null;
  /** When a canary as good as its baseline has shown it; milliseconds from the start. Null as `found`. */
  readonly shownMs: number | null;
};

export type PolicyPlan = {
  readonly metrics: readonly MetricPlan[];
  /** When a canary as good as its baseline is promoted; null: not by the deadline. */
  readonly promotionMs: number | null;
  /** The metric that it waits for; null: for the soak. */
  readonly promotionWaitsFor: string | null;
};

/** Of A/A runs: the median delay of a promotion, over the bound. */
const errorsDelay = 1.1;
const latencyDelay = 1.5;

export const planPolicy = (policy: Policy, outlook: Outlook): PolicyPlan => {
  const weights = policy.metrics.reduce((sum, { weight }) => sum + weight, 0);
  const metrics = policy.metrics.map((metric) =>
    planMetric(policy, outlook, metric, metric.weight / weights),
  );
  const counted = metrics.filter(({ tolerated }) => tolerated !== null);
  const isShown = counted.every(({ shownMs }) => shownMs !== null);
  const last = counted.reduce<MetricPlan | undefined>(
    (latest, metric) => ((metric.shownMs ?? 0) > (latest?.shownMs ?? -1) ? metric : latest),
    undefined,
  );
  const shownMs = last?.shownMs ?? 0;
  return {
    metrics,
    promotionMs: isShown ? Math.max(policy.soakMs, shownMs) : null,
    promotionWaitsFor: isShown
      ? shownMs > policy.soakMs
        ? (last?.id ?? null)
        : null
      : (counted.find((metric) => metric.shownMs === null)?.id ?? null),
  };
};

const planMetric = (
  policy: Policy,
  outlook: Outlook,
  metric: MetricPolicy,
  weight: number,
): MetricPlan => {
  const common = {
    id: metric.id,
    judged: metric.judged,
    weight,
    isFiltered: metric.source.where.length > 0,
  };
  const plan = {
    exposures: exposuresOf(policy, outlook.traffic),
    // Looking all the time has one half of the budget.
    alpha: (policy.alpha / 2) * weight,
    dispersion: outlook.dispersion,
  };
  const { baselineErrorRate: baselineRate } = outlook;
  switch (metric.judged) {
    case 'errors': {
      const { tolerance } = metric;
      return {
        ...common,
        tolerated: tolerance.relative * baselineRate + tolerance.absolute,
        found: smallestErrorRate({ ...plan, baselineRate, tolerance }),
        shownMs: shownAt(policy, outlook, errorsDelay, ({ canaryRps, baselineRps }) =>
          errorsInformation(
            metric.promoteTolerance,
            canaryRps,
            baselineRate,
            baselineRps,
            baselineRate,
          ),
        ),
      };
    }
    case 'latency':
      return {
        ...common,
        tolerated: metric.slower,
        found: smallestSlowdown({
          ...plan,
          spread: outlook.latencySpread,
          toleratedSlowdown: metric.slower,
        }),
        shownMs: outlook.noBound.includes(metric.id)
          ? null
          : shownAt(policy, outlook, latencyDelay, (traffic) =>
              Math.min(
                ...latencyQuantiles.map((quantile) =>
                  tailInformation(metric, quantile, outlook.latencySpread, traffic),
                ),
              ),
            ),
      };
    case 'level':
    case 'traffic':
      return { ...common, tolerated: null, found: null, shownMs: null };
  }
};

type Rates = Pick<Exposure, 'canaryRps' | 'baselineRps'>;

/** What a second says of "not slower than the promote margin" at one quantile, while both are alike. */
const tailInformation = (
  { promoteSlower }: MetricPolicyOf<'latency'>,
  quantile: number,
  spread: number,
  { canaryRps, baselineRps }: Rates,
): number => {
  const shift = Math.log(promoteSlower) / spread;
  // The baseline is counted above a boundary that lies lower by the margin.
  const baselineShare = 1 - normalShareBelow(normalQuantile(quantile) - shift);
  return errorsInformation(equalShares, canaryRps, 1 - quantile, baselineRps, baselineShare);
};

/** The stretches between warm-up and deadline. */
const exposuresOf = (
  { warmUpMs, deadlineMs }: Pick<Policy, 'warmUpMs' | 'deadlineMs'>,
  traffic: readonly TrafficFrom[],
): readonly Exposure[] =>
  traffic.flatMap(({ fromSeconds, canaryRps, baselineRps }, index) => {
    const from = Math.max(fromSeconds, warmUpMs / 1_000);
    const to = Math.min(traffic[index + 1]?.fromSeconds ?? Infinity, deadlineMs / 1_000);
    return to > from ? [{ seconds: to - from, canaryRps, baselineRps }] : [];
  });

/** When the information has come to ln(1/beta), times what it takes beyond the bound. */
const shownAt = (
  policy: Policy,
  { traffic, dispersion }: Outlook,
  delay: number,
  informationPerSecond: (traffic: Rates) => number,
): number | null => {
  let missing = delay * dispersion * Math.log(1 / policy.beta);
  let atSeconds = Math.max(policy.warmUpMs / 1_000, traffic[0]?.fromSeconds ?? 0);
  for (const exposure of exposuresOf(policy, traffic)) {
    const each = informationPerSecond(exposure);
    if (each * exposure.seconds >= missing) return Math.round((atSeconds + missing / each) * 1_000);
    missing -= each * exposure.seconds;
    atSeconds += exposure.seconds;
  }
  return null;
};

/** A change to policy or traffic, and what can be shown then. */
export type PlanChange = { readonly change: string; readonly plan: PolicyPlan };

/** Of the changes that people can make, those that help. */
export const changesThatHelp = (policy: Policy, outlook: Outlook): readonly PlanChange[] => {
  const now = planPolicy(policy, outlook);
  const more = outlook.traffic.map(({ fromSeconds, canaryRps, baselineRps }) => {
    const total = canaryRps + baselineRps;
    const canary = Math.min(2 * canaryRps, Math.max(canaryRps, total / 2));
    return { fromSeconds, canaryRps: canary, baselineRps: total - canary };
  });
  const deadlineMs = Math.min(2 * policy.deadlineMs, deadlineMsMax);
  const times = trafficEnough(policy, outlook, now);
  const tried: readonly (readonly [change: string, policy: Policy, outlook: Outlook])[] = [
    ['history of both versions alike', policy, { ...outlook, dispersion: 1 }],
    ['twice the traffic to the canary', policy, { ...outlook, traffic: more }],
    ...(times === null
      ? []
      : ([[`${times} times the traffic`, policy, withTraffic(outlook, times)]] as const)),
    [`deadline: ${durationText(deadlineMs)}`, { ...policy, deadlineMs }, outlook],
    ['the tolerances of preset: sensitive', withoutTolerance(policy), outlook],
  ];
  return tried
    .map(([change, nextPolicy, nextOutlook]) => ({
      change,
      plan: planPolicy(nextPolicy, nextOutlook),
    }))
    .filter(({ plan }) => isBetter(plan, now));
};

const deadlineMsMax = 86_400_000;

const timesMax = 1e6;
const bisections = 30;

/**
 * With how many times the traffic everything that can be counted is found, and a good canary promoted by the deadline: to
 * two digits, rounded up. Null: it is so now, or with no traffic.
 */
const trafficEnough = (policy: Policy, outlook: Outlook, now: PolicyPlan): number | null => {
  if (isEnough(now)) return null;
  const isEnoughAt = (times: number): boolean =>
    isEnough(planPolicy(policy, withTraffic(outlook, times)));
  if (!isEnoughAt(timesMax)) return null;
  let [too, enough] = [0, Math.log(timesMax)];
  for (let step = 0; step < bisections; step += 1) {
    const middle = (too + enough) / 2;
    if (isEnoughAt(Math.exp(middle))) enough = middle;
    else too = middle;
  }
  const times = Math.exp(enough);
  const digit = 10 ** (Math.floor(Math.log10(times)) - 1);
  return Number((Math.ceil(times / digit) * digit).toPrecision(2));
};

const isEnough = ({ metrics, promotionMs }: PolicyPlan): boolean =>
  promotionMs !== null &&
  metrics.every(({ tolerated, found }) => tolerated === null || found !== null);

const withTraffic = (outlook: Outlook, times: number): Outlook => ({
  ...outlook,
  traffic: outlook.traffic.map(({ fromSeconds, canaryRps, baselineRps }) => ({
    fromSeconds,
    canaryRps: canaryRps * times,
    baselineRps: baselineRps * times,
  })),
});

const withoutTolerance = (policy: Policy): Policy => {
  const sensitive = presets.sensitive.metrics;
  return {
    ...policy,
    metrics: policy.metrics.map((metric) => {
      const { source, weight, id } = metric;
      const found = sensitive.find(({ judged }) => judged === metric.judged);
      return metric.judged === 'level' || found === undefined
        ? metric
        : { ...found, id, source, weight };
    }),
  };
};

/** By a twentieth at least, in what is found or in when it is promoted. */
const isBetter = (plan: PolicyPlan, now: PolicyPlan): boolean => {
  const gains = plan.metrics.map(({ found, judged }, index) => {
    const before = now.metrics[index]?.found ?? null;
    if (found === null) return false;
    if (before === null) return true;
    return judged === 'latency' ? before - 1 > 1.05 * (found - 1) : before > 1.05 * found;
  });
  const promotion = plan.promotionMs ?? Infinity;
  return gains.includes(true) || (now.promotionMs ?? Infinity) > 1.05 * promotion;
};
