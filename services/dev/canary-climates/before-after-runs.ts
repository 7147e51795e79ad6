import type { Durations } from '../../core/canary/windows/durations.ts';
import { decide } from '../../core/canary/judge/decide.ts';
import { initialFamily, judgeWindow } from '../../core/canary/judge/judge.ts';
import type { MetricWindow } from '../../core/canary/judge/judged-window.ts';
import { normalShareBelow } from '../../core/canary/statistics/normal.ts';
import { familyRuleOf } from '../../core/canary/policy/family-rule.ts';
import type { MetricPolicy, Policy } from '../../core/canary/policy/policy.ts';
import { presets } from '../../core/canary/policy/presets.ts';
import { againstBefore } from '../../core/canary/rollouts/against-before.ts';
import type { Before } from '../../core/canary/rollouts/before.ts';
import {
  beforeText,
  beforeWindowMs,
  beforeWindowsMax,
  readBefore,
} from '../../core/canary/rollouts/before.ts';
import { beforeRule } from '../../core/canary/rollouts/before-rule.ts';
import { poisson, seededRandom } from './random.ts';
import type { Random } from './random.ts';
import { advisedBounds, normals, usualDurations } from './durations.ts';

// Whole rollouts, simulated minute by minute and judged by the judge that decides: half an hour before, half an hour
// after, and what the time of day, other services and chance do to both.

/** By minute from the start: how many times the usual. */
export type Climate = {
  readonly name: string;
  readonly perMinute: number;
  readonly errorRate: number;
  /** Made anew for each run. */
  readonly begin: (random: Random) => (minute: number) => Weather;
};
export type Weather = { readonly errors: number; readonly slower: number; readonly cpu: number };

/** What the new version does, in times of what the old one does. */
export type Effect = Weather;
export const noEffect: Effect = { errors: 1, slower: 1, cpu: 1 };

const policy: Policy = presets.standard;
/** Errors a request that are told; more cannot fail. */
const rateMax = 0.9;
const usualCpu = 0.4;

export type Outcome = {
  readonly action: 'promote' | 'hold' | 'roll-back';
  /** Minutes from the start. */
  readonly minutes: number;
  readonly blamed: readonly string[];
};

/** How one rollout is judged. `season`: as the day before would tell it, by metric. */
export const judgeRollout = (
  climate: Climate,
  effect: Effect,
  seed: number,
  season: readonly number[] | null = null,
): Outcome => {
  const random = seededRandom(seed, 0x5eed);
  const normal = normals(random);
  const weatherAt = climate.begin(random);
  const windowAt = (minute: number, { errors, slower, cpu }: Effect): readonly Value[] => {
    const weather = weatherAt(minute);
    const requests = poisson(random, climate.perMinute);
    const rate = Math.min(rateMax, climate.errorRate * weather.errors * errors);
    return policy.metrics.map((metric): Value => {
      switch (metric.judged) {
        case 'errors':
          return { total: requests, events: Math.min(requests, poisson(random, requests * rate)) };
        case 'latency':
          return durationsOf(random, climate.perMinute, weather.slower * slower);
        case 'level':
          return {
            mean: Math.max(0.001, usualCpu * weather.cpu * cpu * (1 + 0.05 * normal())),
            series: 4,
          };
        case 'traffic':
          return requests;
      }
    });
  };
  const before: Before = {
    season,
    windows: Array.from({ length: beforeWindowsMax }, (_, index) => {
      const values = windowAt(index - beforeWindowsMax, noEffect);
      return policy.metrics.map((metric, place) => windowOf(metric, null, values[place] ?? null));
    }),
  };
  // As it would come out of an opening.
  const frozen = readBefore(beforeText(before), policy.metrics);
  if (frozen === undefined) throw new Error('what was written cannot be read');
  const rule = beforeRule(familyRuleOf(policy, [], beforeWindowMs), frozen);
  let state = initialFamily(rule);
  for (let index = 0; index < beforeWindowsMax; index += 1) {
    const values = windowAt(index, effect);
    const taken = policy.metrics.map((metric, place) =>
      windowOf(metric, values[place] ?? null, null),
    );
    state = judgeWindow(rule, state, {
      index,
      startMs: index * beforeWindowMs,
      canaryShare: null,
      metrics: againstBefore('before-after', frozen, index, taken),
    });
    const decision = decide(rule, state);
    if (decision === undefined || (decision.action === 'hold' && !decision.final)) continue;
    if (decision.action === 'advance') throw new Error('there are no steps');
    // A roll-back may follow a promotion.
    if (decision.action === 'promote' && index + 1 < beforeWindowsMax) continue;
    const { verdict } = decision;
    return {
      action: decision.action,
      minutes: index + 1,
      blamed: verdict.outcome === 'fail' ? verdict.reasons.map(({ metric }) => metric) : [],
    };
  }
  return {
    action: state.promoted === null ? 'hold' : 'promote',
    minutes: beforeWindowsMax,
    blamed: [],
  };
};

type Value = NonNullable<MetricWindow['canary']>;

const windowOf = (
  { judged }: MetricPolicy,
  canary: Value | null,
  baseline: Value | null,
): MetricWindow => ({ judged, canary, baseline }) as MetricWindow;

/** Buckets with independent Poisson counts, of log-normal durations. */
const durationsOf = (random: Random, requests: number, slower: number): Durations => {
  const { medianSeconds, spread } = usualDurations;
  const above = (seconds: number): number =>
    normalShareBelow(-Math.log(seconds / (medianSeconds * slower)) / spread);
  const edges = [1, ...advisedBounds.map(above), 0];
  const counts = edges
    .slice(1)
    .map((below, index) => poisson(random, requests * ((edges[index] ?? 0) - below)));
  return { shape: 'explicit', bounds: advisedBounds, counts };
};

/** Logarithm of a daily swing: so many times higher at its peak than at its trough. */
export const daily =
  (times: number, peakMinute: number) =>
  (minute: number): number =>
    (Math.log(times) / 2) * Math.cos((2 * Math.PI * (minute - peakMinute)) / 1_440);

/** A wandering logarithm with this deviation, alike for so many minutes, by minute from -30 on. */
export const wandering = (
  random: Random,
  deviation: number,
  memoryMinutes: number,
): ((minute: number) => number) => {
  const normal = normals(random);
  const kept = Math.exp(-1 / memoryMinutes);
  const values: number[] = [];
  let value = normal();
  for (let index = 0; index < 2 * beforeWindowsMax; index += 1) {
    values.push(value * deviation);
    value = kept * value + Math.sqrt(1 - kept * kept) * normal();
  }
  return (minute) => values[minute + beforeWindowsMax] ?? 0;
};
