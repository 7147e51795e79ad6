import {
  latencyDispersion,
  levelNoise,
  rateDispersion,
  trafficDispersion,
} from '../../core/canary/dispersion.ts';
import type { DurationsBatch, LevelBatch, TrafficBatch } from '../../core/canary/dispersion.ts';
import type { Durations } from '../../core/canary/durations.ts';
import { addDurations, marginOfShift, shiftOfMargin } from '../../core/canary/durations.ts';
import { decide } from '../../core/canary/judge/decide.ts';
import { initialFamily, judgeVersion, judgeWindow } from '../../core/canary/judge/judge.ts';
import type { JudgedWindow, MetricWindow } from '../../core/canary/judge/judged-window.ts';
import type { Noise } from '../../core/canary/judge/noise.ts';
import type { FamilyRule, MetricRule } from '../../core/canary/judge/rule.ts';
import { familyRuleOf } from '../../core/canary/policy/family-rule.ts';
import type { MetricPolicyOf, Policy } from '../../core/canary/policy/policy.ts';
import { presetMetric, presets } from '../../core/canary/policy/presets.ts';
import type { PresetName } from '../../core/canary/policy/presets.ts';
import type { RatePair } from '../../core/canary/rate-counts.ts';
import { errorsBoundSeconds, latencyBoundSeconds } from './bounds.ts';
import type { Cell } from './cells.ts';
import { baseRate } from './climates.ts';
import type { Judge, Judged, JudgePlug } from './judge-plug.ts';
import { scale, spread } from './latency.ts';
import type { LivedArm, LivedWindow } from './lived-window.ts';
import { windowMs } from './stream.ts';

/** Half of it is kept for the test at the deadline. */
const promisedShareMax = 0.01;

/** A preset as the product judges by it: every metric, noise learned from six hours before. */
const presetJudge = (name: PresetName): JudgePlug => {
  const policy = presets[name];
  const { tolerance } = presetMetric(policy, 'errors');
  const { slower } = presetMetric(policy, 'latency');
  const slowerBuckets = 1 + marginOfShift(scale, shiftOfMargin(scale, slower - 1));
  return {
    name: `${name} v${judgeVersion}`,
    about: `the product, all metrics, ${name} preset, noise from history`,
    learn: (history) => judgeBy(familyRuleOf(policy, noiseIn(history), windowMs)),
    boundSeconds: boundOf(tolerance, slowerBuckets, policy.alpha / 2),
    falseRollbackShareMax: promisedShareMax,
  };
};

/** One metric by itself: no warm-up, no cap, no restarts, no noise, the whole budget for looking after every window. */
const coreJudge = (
  name: string,
  about: string,
  metric: MetricPolicyOf<'errors'> | MetricPolicyOf<'latency'>,
): JudgePlug => {
  const policy: Policy = {
    ...presets.standard,
    warmUpMs: 0,
    blockCapNats: 1_000,
    restarts: { ...presets.standard.restarts, count: 0 },
    metrics: [metric],
  };
  const rule: FamilyRule = {
    ...familyRuleOf(policy, noNoise, windowMs),
    alphaAnytime: policy.alpha,
    alphaDeadline: 0,
  };
  return {
    name: `${name} v${judgeVersion}`,
    about,
    learn: () => judgeBy(rule),
    boundSeconds:
      metric.judged === 'errors'
        ? boundOf(metric.tolerance, null, policy.alpha)
        : boundOf(null, metric.slower, policy.alpha),
    falseRollbackShareMax: null,
  };
};

/** The product's judge where a policy has errors alone, and nothing is known of how they scatter but chance. */
const errorsAlone = (): JudgePlug => {
  const { standard } = presets;
  const errors = presetMetric(standard, 'errors');
  const rule = familyRuleOf({ ...standard, metrics: [errors] }, noNoise, windowMs);
  return {
    name: `errors only v${judgeVersion}`,
    about: 'the product, errors alone, standard preset',
    learn: () => judgeBy(rule),
    boundSeconds: boundOf(errors.tolerance, null, rule.alphaAnytime),
    falseRollbackShareMax: null,
  };
};

const measured = { batches: 0, note: 'measured' } as const;
const noNoise: Noise = [
  { ...measured, id: 'errors', judged: 'errors', phi: 1 },
  { ...measured, id: 'latency', judged: 'latency', phi: { tails: [1, 1, 1, 1], meanLog: 1 } },
];

/** The least mean time for what one of these tests can find; null: the truth of the cell shows in neither. */
const boundOf =
  (
    tolerance: MetricPolicyOf<'errors'>['tolerance'] | null,
    slower: number | null,
    alpha: number,
  ): JudgePlug['boundSeconds'] =>
  ({ traffic, truth }: Cell) => {
    if (truth.errorRate !== baseRate && tolerance !== null) {
      const rates = { canary: truth.errorRate, baseline: baseRate };
      return errorsBoundSeconds(traffic, rates, tolerance, alpha);
    }
    if (slower === null) return null;
    const { part, partFactor: factor } = truth.latency;
    if (part > 0)
      return latencyBoundSeconds(traffic, { of: 'part', part, factor }, spread, slower, alpha);
    // What is tolerated cannot be found.
    if (truth.slowdown <= slower) return null;
    const all = { of: 'all', factor: truth.slowdown } as const;
    return latencyBoundSeconds(traffic, all, spread, slower, alpha);
  };

const judgeBy =
  (rule: FamilyRule): Judge =>
  (windows): Judged => {
    let state = initialFamily(rule);
    let promotedMs: number | null = null;
    for (const lived of windows) {
      state = judgeWindow(rule, state, judgedWindow(rule, lived));
      const decision = decide(rule, state);
      const atMs = lived.startMs + rule.windowMs;
      if (decision?.action === 'promote') promotedMs = atMs;
      if (decision?.action !== 'roll-back') continue;
      const blamed =
        decision.verdict.outcome === 'fail' ? decision.verdict.reasons[0]?.metric : null;
      return { rolledBackMs: atMs, promotedMs, blamed: blamed ?? null };
    }
    return { rolledBackMs: null, promotedMs, blamed: null };
  };

const judgedWindow = (rule: FamilyRule, lived: LivedWindow): JudgedWindow => ({
  index: lived.index,
  startMs: lived.startMs,
  canaryShare: lived.canaryShare,
  metrics: rule.metrics.map((metric) => metricWindow(metric, lived)),
});

const metricWindow = (
  { id, judged }: MetricRule,
  { canary, baseline }: LivedWindow,
): MetricWindow => {
  switch (judged) {
    case 'errors':
      return { judged, canary: ratesOf(canary), baseline: ratesOf(baseline) };
    case 'latency':
      return { judged, canary: canary.latency, baseline: baseline.latency };
    case 'level': {
      const gauge = id === 'memory' ? 'memory' : 'cpu';
      return { judged, canary: canary.levels[gauge], baseline: baseline.levels[gauge] };
    }
    case 'traffic':
      return { judged, canary: canary.requests, baseline: baseline.requests };
  }
};

const ratesOf = ({ requests, errors }: LivedArm): RatePair['canary'] => ({
  total: requests,
  events: errors,
});

const batchMs = 300_000;
const batchWindows = batchMs / windowMs;

/** What both cohorts showed in one batch of history. */
type Batch = {
  readonly errors: RatePair;
  readonly latency: DurationsBatch;
  readonly traffic: TrafficBatch;
  readonly cpu: LevelBatch;
  readonly memory: LevelBatch;
};

/** How the metrics of two cohorts of the same program scatter. */
const noiseIn = (history: Iterable<LivedWindow>): Noise => {
  const batches = batchesOf(history);
  const errors = rateDispersion(batches.map((batch) => batch.errors));
  const latency = latencyDispersion(batches.map((batch) => batch.latency));
  const traffic = trafficDispersion(batches.map((batch) => batch.traffic));
  const level = (gauge: 'cpu' | 'memory'): Noise[number] => ({
    id: gauge,
    judged: 'level',
    ...levelNoise(
      batches.map((batch) => batch[gauge]),
      batchMs / 1_000,
    ),
  });
  return [
    { id: 'errors', judged: 'errors', ...errors },
    { id: 'latency', judged: 'latency', ...latency },
    level('cpu'),
    level('memory'),
    { id: 'traffic', judged: 'traffic', ...traffic },
  ];
};

const batchesOf = (history: Iterable<LivedWindow>): readonly Batch[] => {
  const batches: Batch[] = [];
  let windows: LivedWindow[] = [];
  for (const window of history) {
    windows.push(window);
    if (windows.length < batchWindows) continue;
    batches.push(batchOf(windows));
    windows = [];
  }
  return batches;
};

const batchOf = (windows: readonly LivedWindow[]): Batch => {
  const canary = windows.map((window) => window.canary);
  const baseline = windows.map((window) => window.baseline);
  const requests = { canary: sumOf(canary, 'requests'), baseline: sumOf(baseline, 'requests') };
  const expected = windows.reduce(
    (sum, window) => sum + window.canaryShare * (window.canary.requests + window.baseline.requests),
    0,
  );
  const level = (gauge: 'cpu' | 'memory'): LevelBatch => ({
    canary: meanOf(canary, gauge),
    baseline: meanOf(baseline, gauge),
  });
  return {
    errors: {
      canary: { total: requests.canary, events: sumOf(canary, 'errors') },
      baseline: { total: requests.baseline, events: sumOf(baseline, 'errors') },
    },
    latency: { canary: durationsOf(canary), baseline: durationsOf(baseline) },
    traffic: { ...requests, share: expected / (requests.canary + requests.baseline) },
    cpu: level('cpu'),
    memory: level('memory'),
  };
};

const sumOf = (arms: readonly LivedArm[], of: 'requests' | 'errors'): number =>
  arms.reduce((sum, arm) => sum + arm[of], 0);

const meanOf = (arms: readonly LivedArm[], gauge: 'cpu' | 'memory'): number =>
  arms.reduce((sum, { levels }) => sum + levels[gauge].mean, 0) / arms.length;

const durationsOf = (arms: readonly LivedArm[]): Durations => {
  const none: Durations = { shape: 'exponential', scale, zeroCount: 0, offset: 0, counts: [] };
  return arms.reduce<Durations>((sum, { latency }) => {
    const both = addDurations(sum, latency);
    if (!both.ok) throw new Error(`simulated histograms do not add up: ${both.problem}`);
    return both.value;
  }, none);
};

export const familyPresets: readonly JudgePlug[] = [
  presetJudge('standard'),
  presetJudge('sensitive'),
];

export const errorsOnly: JudgePlug = errorsAlone();

const errorsOf = presetMetric(presets.standard, 'errors');
const latencyOf = presetMetric(presets.standard, 'latency');

export const familyCores: readonly JudgePlug[] = [
  coreJudge('errors core strict', 'errors alone, core test, 1x', {
    ...errorsOf,
    tolerance: { relative: 1, absolute: 0 },
  }),
  coreJudge('errors core 1.1x', 'errors alone, core test, 1.1x + 0.05 points', errorsOf),
  coreJudge('latency core', 'latency alone, core test, no margin', { ...latencyOf, slower: 1 }),
];
