import { latencyDispersion, levelNoise, rateDispersion } from '../noise/dispersion.ts';
import type { NoiseNote } from '../noise/dispersion.ts';
import type { MetricWindow } from '../judge/judged-window.ts';
import type { FamilyRule, MetricRule } from '../judge/rule.ts';
import type { Line } from '../metrics/rate-test.ts';
import type { Before } from './before.ts';
import { beforeSpanMs } from './before.ts';

// What the judge is asked where both sides were not seen at the same time. What they have in common (load, other
// services, the time of day) does not cancel any more, so more is tolerated and more is waited for: the figures hold the
// false roll-backs of test/core/canary/rollouts/before-after.laws.test.ts, and are no promise for an incident that
// happens to begin with the rollout.

const minuteMs = 60_000;

/** Nobody starts the old version anew beside it, so the first minutes are cold on one side alone. */
const warmUpMsMin = 2 * minuteMs;
const soakMsMin = 15 * minuteMs;
const bakeMs = 15 * minuteMs;
/** An incident that is shorter than four of them is not enough. */
const blockMs = 2 * minuteMs;
const restartsEveryMsMin = 10 * minuteMs;
/** New instances take their time to come. */
const noDataMsMin = 5 * minuteMs;

/** How much worse the half-hour after may be than the half-hour before without any rollout. */
export const drift: {
  readonly errors: number;
  readonly slower: number;
  readonly slowShares: number;
  readonly level: number;
} = { errors: 2, slower: 1.3, slowShares: 1.5, level: 1.6 };

/** By how much the scatter between halves of the half-hour before is raised, and where that is not known. */
export const dispersionTimes = 2.5;
const unknownDispersion = 4;

type Times = Pick<FamilyRule, 'warmUpMs' | 'soakMs' | 'deadlineMs'>;

/** How long there is, and what of it says nothing yet, where a canary has these times. */
export const beforeTimes = ({ warmUpMs, soakMs }: Omit<Times, 'deadlineMs'>): Times => ({
  warmUpMs: Math.max(warmUpMs, warmUpMsMin),
  soakMs: Math.max(soakMs, soakMsMin),
  deadlineMs: beforeSpanMs,
});

/** The rule of a comparison with what ran before; `rule` is that of a canary, with windows of a minute. */
export const beforeRule = (rule: FamilyRule, before: Before): FamilyRule => ({
  ...rule,
  ...beforeTimes(rule),
  bakeMs,
  blockMs: Math.max(rule.blockMs, blockMs),
  noDataMs: Math.max(rule.noDataMs, noDataMsMin),
  restartsEveryMs: Math.max(rule.restartsEveryMs, restartsEveryMsMin),
  steps: [],
  metrics: rule.metrics.map((metric, place) =>
    metricRule(metric, laggedPairs(before, place), before.season?.[place] ?? 1),
  ),
});

/** Windows of the half-hour before, each against the one that lies half of what is known before it. */
const laggedPairs = ({ windows }: Before, place: number): readonly MetricWindow[] => {
  const lag = Math.floor(windows.length / 2);
  return windows.slice(lag).flatMap((window, index) => {
    const [later, earlier] = [window[place], windows[index]?.[place]];
    return later === undefined || earlier === undefined || later.judged !== earlier.judged
      ? []
      : [{ ...earlier, canary: later.baseline } as MetricWindow];
  });
};

type Both<Window extends { canary: unknown; baseline: unknown }> = {
  readonly canary: NonNullable<Window['canary']>;
  readonly baseline: NonNullable<Window['baseline']>;
};
type WindowOf<Kind extends MetricWindow['judged']> = Extract<MetricWindow, { judged: Kind }>;

const bothOf = <Kind extends MetricWindow['judged']>(
  pairs: readonly MetricWindow[],
  judged: Kind,
): readonly Both<WindowOf<Kind>>[] =>
  pairs.flatMap((pair) =>
    pair.judged !== judged || pair.canary === null || pair.baseline === null
      ? []
      : [{ canary: pair.canary, baseline: pair.baseline } as Both<WindowOf<Kind>>],
  );

const metricRule = (
  metric: MetricRule,
  pairs: readonly MetricWindow[],
  season: number,
): MetricRule => {
  switch (metric.judged) {
    case 'errors': {
      const { phi, note } = rateDispersion(bothOf(pairs, 'errors'));
      return {
        ...metric,
        rule: {
          ...metric.rule,
          tolerance: widened(metric.rule.tolerance, drift.errors * season),
          phi: raised(metric.rule.phi, phi, note),
          measuredAt: null,
          // As long as a block is.
          burstBlocks: 1,
        },
      };
    }
    case 'latency': {
      const { phi, note } = latencyDispersion(bothOf(pairs, 'latency'));
      const known = metric.rule.phi;
      return {
        ...metric,
        rule: {
          ...metric.rule,
          margin: (1 + metric.rule.margin) * drift.slower * season - 1,
          // Of the slowest there are so many more when all are slower by so much.
          tolerance: widened(metric.rule.tolerance, drift.slowShares * season ** 2),
          phi: {
            tails: known.tails.map((one, index) => raised(one, phi.tails[index] ?? 1, note)),
            meanLog: raised(known.meanLog, phi.meanLog, note),
          },
          measuredAt: null,
        },
      };
    }
    case 'level': {
      const { worse, margin, variance, windowsPerBatch } = metric.rule;
      const levels = bothOf(pairs, 'level').map(({ canary, baseline }) => ({
        canary: canary.mean,
        baseline: baseline.mean,
      }));
      const noise = levelNoise(levels, 1);
      const times = drift.level * season;
      return {
        ...metric,
        rule: {
          ...metric.rule,
          margin: worse === 'higher' ? (1 + margin) * times - 1 : 1 - (1 - margin) / times,
          variance:
            noise.variance === null
              ? variance
              : Math.max(variance ?? 0, noise.variance * dispersionTimes),
          windowsPerBatch,
        },
      };
    }
    case 'traffic':
      return metric;
  }
};

/** Relatively; what is let through without any baseline stays. */
export const widened = ({ relative, absolute }: Line, times: number): Line => ({
  relative: relative * times,
  absolute,
});

/** The lagged pairs have the traffic that is judged: with that phi need not be raised again (`measuredAt`). */
const raised = (known: number, lagged: number, note: NoiseNote): number =>
  note === 'unknown'
    ? Math.max(known, unknownDispersion)
    : Math.max(known, lagged * dispersionTimes);
