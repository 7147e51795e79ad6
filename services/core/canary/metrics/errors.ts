import { addIncrements, evidenceOf, initialEvidence, logMixture, noRestarts } from '../evidence.ts';
import type { Evidence } from '../evidence.ts';
import type {
  MetricEvidence,
  MetricExplanation,
  MetricJudge,
  StrongWindow,
  WindowPlace,
} from '../metric-judge.ts';
import type { JudgePolicy, Tolerance } from '../policy.ts';
import { addToRatio, initialRatio, intervalConfidence, ratioInterval, ratioOf } from '../ratio.ts';
import type { RatioState } from '../ratio.ts';
import type { RateCounts } from '../rate-counts.ts';
import { addCounts, noCounts } from '../window.ts';
import type { ArmCounts, WindowCounts } from '../window.ts';
import { lineIncrements, predictedRate } from './rate-test.ts';

/** Request errors, compared window by window as rates, with no assumption about drift. */
export type ErrorsState = MetricEvidence & {
  /** Every baseline window so far, warm-up included: it predicts the next window's rate. */
  readonly baselineSeen: ArmCounts;
  readonly canary: ArmCounts;
  readonly baseline: ArmCounts;
  readonly ratio: RatioState;
  readonly rollback: Evidence;
  readonly promote: Evidence;
  readonly strongestWindows: readonly StrongWindow[];
  /** At least 1. Every log-increment is divided by it. Until A/A history is kept it stays 1. */
  readonly dispersion: number;
};

const STRONGEST_WINDOWS_MAX = 3;
const NO_DISPERSION = 1;
/** Also without evidence, blocks end and restarts begin. */
const NO_INCREMENTS: readonly number[] = [];

export const errorsJudge: MetricJudge<ErrorsState> = {
  initial: (policy) => ({
    logRollback: 0,
    logPromote: 0,
    baselineSeen: noCounts,
    canary: noCounts,
    baseline: noCounts,
    ratio: initialRatio,
    rollback: initialEvidence(policy.grids.rollback.length),
    promote: initialEvidence(policy.grids.promote.length),
    strongestWindows: [],
    dispersion: NO_DISPERSION,
  }),
  addWindow: (policy, state, window, place) => {
    const rate = predictedBaselineRate(policy, state.baselineSeen);
    const baselineSeen = addCounts(state.baselineSeen, window.baseline);
    const next = place.judged
      ? addJudged(policy, state, window, place, rate)
      : addToEvidence(policy, state, NO_INCREMENTS, NO_INCREMENTS, place);
    return { ...next, baselineSeen };
  },
  explain: (policy, state) => explain(policy, state),
};

/** Baseline errors per request, from earlier windows and the prior alone. */
export const predictedBaselineRate = (policy: JudgePolicy, baselineSeen: ArmCounts): number =>
  predictedRate(rateOf(baselineSeen), { rate: policy.priorRate, total: policy.priorRequests });

/** The log-increments of one window against a tolerance line: see `lineIncrements`. */
export const errorIncrements = (
  tolerance: Tolerance,
  multiples: readonly number[],
  baselineRate: number,
  { canary, baseline }: WindowCounts,
  dispersion: number = NO_DISPERSION,
): readonly number[] =>
  lineIncrements(
    tolerance,
    multiples,
    baselineRate,
    { canary: rateOf(canary), baseline: rateOf(baseline) },
    dispersion,
  );

const rateOf = ({ requests, errors }: ArmCounts): RateCounts => ({
  total: requests,
  events: errors,
});

const addJudged = (
  policy: JudgePolicy,
  state: ErrorsState,
  window: WindowCounts,
  place: WindowPlace,
  rate: number,
): ErrorsState => {
  const { grids, tolerance, promoteTolerance, blockCapNats, restarts } = policy;
  const { dispersion } = state;
  const forRollback = errorIncrements(tolerance, grids.rollback, rate, window, dispersion);
  const forPromote = errorIncrements(promoteTolerance, grids.promote, rate, window, dispersion);
  const next = addToEvidence(policy, state, forRollback, forPromote, place);
  const logRollback = logMixture(next.rollback, restarts, blockCapNats);
  return {
    ...next,
    logRollback,
    logPromote: logMixture(next.promote, noRestarts, blockCapNats),
    canary: addCounts(state.canary, window.canary),
    baseline: addCounts(state.baseline, window.baseline),
    ratio: addToRatio(state.ratio, window.canary, window.baseline),
    strongestWindows: withWindow(state.strongestWindows, {
      index: window.index,
      startMs: window.startMs,
      gainNats: logRollback - state.logRollback,
      canary: window.canary,
      baseline: window.baseline,
    }),
  };
};

const addToEvidence = (
  { blockCapNats }: JudgePolicy,
  state: ErrorsState,
  forRollback: readonly number[],
  forPromote: readonly number[],
  place: WindowPlace,
): ErrorsState => {
  const withoutRestart = { ...place, beginsRestart: false };
  return {
    ...state,
    rollback: addIncrements(state.rollback, forRollback, place, blockCapNats),
    promote: addIncrements(state.promote, forPromote, withoutRestart, blockCapNats),
  };
};

const withWindow = (
  strongest: readonly StrongWindow[],
  window: StrongWindow,
): readonly StrongWindow[] =>
  window.gainNats <= 0
    ? strongest
    : [...strongest, window]
        .toSorted((left, right) => right.gainNats - left.gainNats)
        .slice(0, STRONGEST_WINDOWS_MAX);

const explain = (policy: JudgePolicy, state: ErrorsState): MetricExplanation => {
  const { canary, baseline, dispersion } = state;
  const { relative, absolute } = policy.tolerance;
  const baselineRate = baseline.requests === 0 ? 0 : baseline.errors / baseline.requests;
  return {
    metric: 'errors',
    canary,
    baseline,
    ratio: ratioOf(state.ratio),
    interval: {
      ...ratioInterval(state.ratio, intervalConfidence, dispersion),
      confidence: intervalConfidence,
    },
    toleratedRate: relative * baselineRate + absolute,
    rollbackEvidence: evidenceOf(state.logRollback),
    promoteEvidence: evidenceOf(state.logPromote),
    strongestWindows: state.strongestWindows,
    cappedBlocks: state.rollback.cappedBlocks,
    dispersion,
  };
};
