import { unknownPhi } from '../noise/dispersion.ts';
import { historyBatchMs } from '../noise/history-batch.ts';
import type { MetricNoise, Noise } from '../judge/noise.ts';
import type { FamilyRule, MetricRule } from '../judge/rule.ts';
import { latencyQuantiles } from '../metrics/latency.ts';
import type { MeasuredAt } from '../statistics/scatter.ts';
import type { Alternatives, StakeRules } from '../statistics/stakes.ts';
import type { MetricPolicy, Policy } from './policy.ts';

// From what people say of a canary to what the judge needs. The numbers that stand here are the judge's own: those that
// were calibrated, and that nobody has a reason to choose.

/** Alternatives, as multiples of the tolerated error rate: above 1 to roll back, below 1 to promote. */
const errorMultiples = [1.3, 1.8, 3.4, 9, 13, 20, 35] as const;
/**
 * What is staked on each. Nearly two thirds are on large multiples: where there is hardly any traffic a block has one error
 * or none, and only to these one says as much as a block may. Those between 4 and 9 are left out: what is between is
 * found by its neighbours, and an incident would make them all large at once.
 */
const errorShares = [0.1, 0.12, 0.16, 0.2, 0.16, 0.14, 0.12] as const;
const errorGrids: Alternatives = {
  rollback: errorMultiples,
  logShares: errorShares.map((share) => Math.log(share)),
  promote: [0.2, 0.35, 0.5, 0.65, 0.8],
};

/** Assumed of the baseline before any request is seen; ten times too much or too little costs nothing. */
const errorPrior = { rate: 0.005, total: 100 } as const;

/** So long after a burst errors say less. */
const burstMs = 120_000;
/** It takes so long until a changed share of the traffic is so. */
const settleMs = 30_000;
/** Memory hardly grows with requests, and of other gauges nobody knows. */
const isOfProcessor = (name: string): boolean => /(?:^|[._])cpu(?:[._]|$)/u.test(name);
const levelBatchMs = 60_000;
/** The present traffic is that of about the last minute: single windows of few requests say little of it. */
const trafficMemoryMs = 60_000;

/**
 * The rule of one analysis, whose windows are `windowMs` long. `attemptsBefore` counts the earlier independent attempts
 * with the same artifact: each further one has half the budget of the one before, so that trying until it passes gains
 * nothing. Where `noise` does not know a metric the fallback counts (`completeNoise`).
 */
export const familyRuleOf = (
  policy: Policy,
  noise: Noise,
  windowMs: number,
  attemptsBefore = 0,
): FamilyRule => {
  const alphaOfAttempt = policy.alpha / 2 ** attemptsBefore;
  const stakes: StakeRules = {
    blockCapNats: policy.blockCapNats,
    restarts: { count: policy.restarts.count, weightEach: policy.restarts.weightEach },
  };
  // A block is whole windows, at least one.
  const blockMs = Math.ceil(policy.blockMs / windowMs) * windowMs;
  const burstBlocks = Math.max(1, Math.round(burstMs / blockMs));
  return {
    windowMs,
    warmUpMs: policy.warmUpMs,
    soakMs: policy.soakMs,
    deadlineMs: policy.deadlineMs,
    bakeMs: policy.bakeMs,
    blockMs: policy.blockMs,
    noDataMs: policy.noDataMs,
    restartsEveryMs: policy.restarts.everyMs,
    alphaAnytime: alphaOfAttempt / 2,
    alphaDeadline: alphaOfAttempt / 2,
    beta: policy.beta,
    vetoEvidence: policy.vetoEvidence,
    steps: policy.steps,
    metrics: policy.metrics.map((metric) =>
      metricRule(metric, noiseOf(metric, noise), stakes, windowMs, burstBlocks),
    ),
  };
};

/** One entry for each metric of the policy, in its order: what is known of it, or a stated fallback. */
export const completeNoise = (policy: Policy, noise: Noise): Noise =>
  policy.metrics.map((metric) => noiseOf(metric, noise));

/** Traffic per batch of history as the judge sees it: per window. */
const measuredAt = (
  { weight, batches }: NoiseOf<'errors' | 'latency'>,
  windowMs: number,
): MeasuredAt | null =>
  weight === undefined || batches === 0
    ? null
    : {
        weight: (weight * windowMs) / historyBatchMs,
        batches,
        kept: Math.exp(-windowMs / trafficMemoryMs),
      };

type NoiseOf<Kind extends MetricNoise['judged']> = MetricNoise & { readonly judged: Kind };

const noiseOf = (metric: MetricPolicy, noise: Noise): MetricNoise =>
  noise.find(({ id, judged }) => id === metric.id && judged === metric.judged) ??
  unknownNoise(metric);

/** Nothing is known: counts are taken to scatter twice as much as chance, and a level shows its own noise. */
const unknownNoise = ({ id, judged }: MetricPolicy): MetricNoise => {
  const unknown = { id, batches: 0, note: 'unknown' } as const;
  switch (judged) {
    case 'errors':
    case 'traffic':
      return { ...unknown, judged, phi: unknownPhi };
    case 'latency':
      return {
        ...unknown,
        judged,
        phi: { tails: latencyQuantiles.map(() => unknownPhi), meanLog: unknownPhi },
      };
    case 'level':
      return { ...unknown, judged, variance: null };
  }
};

const metricRule = (
  metric: MetricPolicy,
  noise: MetricNoise,
  stakes: StakeRules,
  windowMs: number,
  burstBlocks: number,
): MetricRule => {
  const { id, weight, critical, judged } = metric;
  const common = { id, weight, critical };
  switch (judged) {
    case 'errors': {
      const { tolerance, promoteTolerance } = metric;
      const known = noise as NoiseOf<'errors'>;
      return {
        ...common,
        judged,
        rule: {
          ...stakes,
          ...{ tolerance, promoteTolerance, grids: errorGrids, prior: errorPrior },
          ...{ phi: known.phi, measuredAt: measuredAt(known, windowMs), burstBlocks },
        },
      };
    }
    case 'latency': {
      const { slower, promoteSlower, tolerance, promoteTolerance, fineBelowMs } = metric;
      const margins = { margin: slower - 1, promoteMargin: promoteSlower - 1 };
      const known = noise as NoiseOf<'latency'>;
      const scatter = { phi: known.phi, measuredAt: measuredAt(known, windowMs) };
      return {
        ...common,
        judged,
        rule: { ...stakes, ...margins, tolerance, promoteTolerance, fineBelowMs, ...scatter },
      };
    }
    case 'level': {
      const { worse, margin, promoteMargin } = metric;
      const { variance } = noise as NoiseOf<'level'>;
      return {
        ...common,
        judged,
        rule: {
          ...stakes,
          ...{ worse, margin, promoteMargin },
          growsWithRequests: worse === 'higher' && metric.source.names.every(isOfProcessor),
          // The longer the window the less its mean scatters.
          variance: variance === null ? null : (variance * 1_000) / windowMs,
          windowsPerBatch: Math.max(1, Math.round(levelBatchMs / windowMs)),
        },
      };
    }
    case 'traffic': {
      const { least, promoteLeast } = metric;
      const { phi } = noise as NoiseOf<'traffic'>;
      const settleWindows = Math.ceil(settleMs / windowMs);
      return { ...common, judged, rule: { ...stakes, least, promoteLeast, phi, settleWindows } };
    }
  }
};
