import { decide } from '../../../services/core/canary/judge/decide.ts';
import type { SaidCounts } from '../../../services/core/canary/statistics/rate-counts.ts';
import type { FamilyDecision } from '../../../services/core/canary/judge/decide.ts';
import { initialFamily, judgeWindow } from '../../../services/core/canary/judge/judge.ts';
import type {
  JudgedWindow,
  MetricWindow,
} from '../../../services/core/canary/judge/judged-window.ts';
import type { FamilyRule, MetricRule } from '../../../services/core/canary/judge/rule.ts';
import type { FamilyState } from '../../../services/core/canary/judge/state.ts';
import { durationWindows, latencyRule, levelRule, stakeRules } from './metric-windows.ts';

// A family of four metrics with the times of the standard preset, and windows for it.

const tolerance = { relative: 1.1, absolute: 0.0005 };
const promoteTolerance = { relative: 1.5, absolute: 0.002 };
const grids = {
  rollback: [1.25, 1.84, 2.7, 3.97, 5.83, 8.57, 12.6, 18.5, 27.2, 40],
  promote: [0.2, 0.35, 0.5, 0.65, 0.8],
};

export const errorsMetric: MetricRule & { readonly judged: 'errors' } = {
  id: 'errors',
  weight: 0.5,
  critical: true,
  judged: 'errors',
  rule: {
    ...stakeRules,
    tolerance,
    promoteTolerance,
    grids,
    prior: { rate: 0.005, total: 100 },
    burstBlocks: 8,
    phi: 1,
    measuredAt: null,
  },
};
export const latencyMetric: MetricRule = {
  id: 'latency',
  weight: 0.35,
  critical: false,
  judged: 'latency',
  rule: latencyRule,
};
export const cpuMetric: MetricRule & { readonly judged: 'level' } = {
  id: 'cpu',
  weight: 0.1,
  critical: false,
  judged: 'level',
  rule: levelRule,
};
export const trafficMetric: MetricRule & { readonly judged: 'traffic' } = {
  id: 'traffic',
  weight: 0.05,
  critical: false,
  judged: 'traffic',
  rule: { ...stakeRules, least: 0.8, promoteLeast: 0.67, phi: 1, settleWindows: 6 },
};

export const familyRule = (
  metrics: readonly MetricRule[] = [errorsMetric, latencyMetric, cpuMetric, trafficMetric],
  change: Partial<FamilyRule> = {},
): FamilyRule => ({
  windowMs: 5_000,
  warmUpMs: 60_000,
  soakMs: 300_000,
  deadlineMs: 1_800_000,
  bakeMs: 600_000,
  blockMs: 15_000,
  noDataMs: 120_000,
  restartsEveryMs: 300_000,
  alphaAnytime: 0.005,
  alphaDeadline: 0.005,
  beta: 0.05,
  vetoEvidence: 5,
  steps: [],
  metrics,
  ...change,
});

/** What one window shows, by kind of metric; what is not named shows nothing. */
export type Shown = {
  readonly [Kind in MetricWindow['judged']]?: Pick<
    Extract<MetricWindow, { readonly judged: Kind }>,
    'canary' | 'baseline'
  >;
} & { readonly share?: number | null };

export const windowOf = (rule: FamilyRule, index: number, shown: Shown): JudgedWindow => ({
  index,
  startMs: index * rule.windowMs,
  canaryShare: shown.share ?? null,
  metrics: rule.metrics.map(
    ({ judged }) =>
      // What belongs together is of the same kind.
      ({ judged, ...(shown[judged] ?? { canary: null, baseline: null }) }) as MetricWindow,
  ),
});

export const judgeShown = (
  rule: FamilyRule,
  windows: readonly Shown[],
  from: FamilyState = initialFamily(rule),
): FamilyState =>
  windows.reduce(
    (state, shown) => judgeWindow(rule, state, windowOf(rule, state.nextIndex, shown)),
    from,
  );

/** All decisions on the way, each with the index of its window, and the state at the end. */
export const decisionsOn = (
  rule: FamilyRule,
  windows: readonly Shown[],
  from: FamilyState = initialFamily(rule),
): {
  readonly said: readonly { readonly window: number; readonly decision: FamilyDecision }[];
  readonly state: FamilyState;
} => {
  let state = from;
  const said = windows.flatMap((shown) => {
    const window = state.nextIndex;
    state = judgeWindow(rule, state, windowOf(rule, window, shown));
    const decision = decide(rule, state);
    return decision === undefined ? [] : [{ window, decision }];
  });
  return { said, state };
};

export const times = (count: number, shown: Shown): readonly Shown[] =>
  Array.from({ length: count }, () => shown);

export const rate = (
  canaryEvents: number,
  baselineEvents: number,
  total = 250,
): NonNullable<Shown['errors']> => ({
  canary: { total, events: canaryEvents },
  baseline: { total, events: baselineEvents },
});

const [aDuration] = durationWindows(1);

/** Everything is there and the same in both cohorts. */
export const healthy: Shown = {
  errors: rate(1, 1),
  latency: { canary: aDuration?.canary ?? null, baseline: aDuration?.canary ?? null },
  level: { canary: { mean: 0.4, series: 3 }, baseline: { mean: 0.4, series: 3 } },
  traffic: { canary: 250, baseline: 250 },
  share: 0.5,
};

/** With these errors, and all else as it should be. */
export const withErrors = (canary: SaidCounts, baseline: SaidCounts): Shown => ({
  ...healthy,
  errors: { canary, baseline },
});

export const nothing: Shown = {};

/** "roll-back at 20": what was said at which window. */
export const told = (
  said: readonly { readonly window: number; readonly decision: FamilyDecision }[],
): readonly string[] =>
  said.map(({ window, decision }) => {
    const share = decision.share !== null ? ` to ${decision.share}` : '';
    return `${decision.action}${share} at ${window}${decision.final ? ', final' : ''}`;
  });
