import { addLineToDeadline, deadlineTest, noDeadlineSums } from '../deadline-test.ts';
import type { DeadlineResult, DeadlineSums } from '../deadline-test.ts';
import { evidenceOf } from '../evidence.ts';
import type { RuledJudge, ShownWindow } from '../metric-judge.ts';
import type { PairSums, RateCounts, RatePair } from '../rate-counts.ts';
import {
  addPair,
  addRates,
  addToSums,
  isPairedRate,
  noRate,
  noSums,
  pairOf,
} from '../rate-counts.ts';
import { addToCurve, curveInterval, curveRatio, initialCurve } from '../ratio-curve.ts';
import type { RatioCurve } from '../ratio-curve.ts';
import type { RatioInterval } from '../ratio.ts';
import { intervalConfidence } from '../ratio.ts';
import type { MeasuredAt, TrafficSeen, UsedPhi } from '../scatter.ts';
import { noTrafficSeen, raisedPhi, raisedTimes, usedPhi, withTraffic } from '../scatter.ts';
import type { StakeRules } from '../stakes.ts';
import { cappedBlocksOf, initialStakes, roundGrowth, withoutRestarts, zeros } from '../stakes.ts';
import type { LoudWindow, LoudWindows } from '../strongest-windows.ts';
import { loudWindows, withWindow } from '../strongest-windows.ts';
import type { Line, RatePrior } from './rate-test.ts';
import { addLineIncrements, predictedRate } from './rate-test.ts';
import type { Staked } from './staked.ts';
import { promoteFrom, withEvidence } from './staked.ts';

export type RatesRule = StakeRules & {
  /** What the canary's rate may be worse by, and what it must be shown to be better than for a promotion. */
  readonly tolerance: Line;
  readonly promoteTolerance: Line;
  /** Alternatives, as multiples of the tolerated rate: above 1 to roll back, below 1 to promote. */
  readonly grids: { readonly rollback: readonly number[]; readonly promote: readonly number[] };
  /** Assumed of the baseline before any is seen. */
  readonly prior: RatePrior;
  /** How much more the counts scatter than independent requests would, at least 1. */
  readonly phi: number;
  /** The traffic at which they did; null: phi stands at any. */
  readonly measuredAt: MeasuredAt | null;
};

/** What happens to few requests (errors), compared window by window as rates, with no assumption about drift. */
export type RatesState = Staked & {
  /** Every baseline window so far, warm-up included: it predicts the next window's rate. */
  readonly seen: RateCounts;
  readonly traffic: TrafficSeen;
  /** The judged windows of all finished blocks; those of the running one are the sums that `running` begins with. */
  readonly past: PairSums;
  readonly curve: RatioCurve;
  readonly deadline: DeadlineSums;
  readonly strongestWindows: LoudWindows;
};

export const ratesJudge: RuledJudge<
  RatesRule,
  ShownWindow<RateCounts>,
  RatesState,
  RatesExplanation
> = {
  initial: (rule) => ({
    logRollback: 0,
    logPromote: 0,
    rollback: initialStakes(rule.grids.rollback.length, rule),
    promote: initialStakes(rule.grids.promote.length, withoutRestarts(rule)),
    running: zeros(growthAt + rule.grids.rollback.length + rule.grids.promote.length),
    seen: noRate,
    traffic: noTrafficSeen,
    past: noSums,
    curve: initialCurve,
    deadline: noDeadlineSums,
    strongestWindows: [],
  }),
  addWindow: (rule, state, window, place) => {
    const { canary, baseline } = window;
    const isPaired = canary !== null && baseline !== null && isPairedRate({ canary, baseline });
    const seen = baseline === null ? state.seen : addRates(state.seen, baseline);
    const traffic = isPaired
      ? withTraffic(rule.measuredAt, state.traffic, canary.total, baseline.total, place.judged)
      : state.traffic;
    const isEvidence = place.judged && isPaired;
    const running = isEvidence
      ? grown(rule, state, { canary, baseline }, phiIn(rule, traffic))
      : state.running;
    const evidence = withEvidence(rule, state, running, growthAt, place);
    if (evidence === state && seen === state.seen && !place.endsBlock) return state;
    const { strongestWindows } = state;
    const gain = evidence.logRollback - state.logRollback;
    const next: RatesState = {
      logRollback: evidence.logRollback,
      logPromote: evidence.logPromote,
      rollback: evidence.rollback,
      promote: evidence.promote,
      running: evidence.running,
      seen,
      traffic,
      past: state.past,
      curve: state.curve,
      deadline: state.deadline,
      strongestWindows: isEvidence ? withWindow(strongestWindows, window, gain) : strongestWindows,
    };
    return place.endsBlock ? settled(rule, next) : next;
  },
  explain: (rule, state) => explain(rule, state),
};

/** Growth in `running` comes after the sums. */
const growthAt = 4;

/** The running block with a window that is evidence. */
const grown = (rule: RatesRule, state: RatesState, pair: RatePair, phi: number): number[] => {
  const { tolerance, promoteTolerance, grids } = rule;
  const rate = predictedRate(state.seen, rule.prior);
  const running = state.running.slice();
  addPair(running, pair);
  addLineIncrements(running, growthAt, tolerance, grids.rollback, rate, pair, phi);
  const promoteAt = promoteFrom(state, growthAt);
  addLineIncrements(running, promoteAt, promoteTolerance, grids.promote, rate, pair, phi);
  roundGrowth(running, growthAt, running.length - growthAt);
  return running;
};

const phiIn = ({ phi, measuredAt }: RatesRule, traffic: TrafficSeen): number =>
  raisedPhi(measuredAt, phi, raisedTimes(measuredAt, traffic));

/** With the running block among those before. */
const settled = (rule: RatesRule, state: RatesState): RatesState => {
  const block = pairOf(state.running);
  if (block.canary.total === 0) return state;
  // As it was predicted before the block.
  const seen: RateCounts = {
    total: state.seen.total - block.baseline.total,
    events: state.seen.events - block.baseline.events,
  };
  const rate = predictedRate(seen, rule.prior);
  const phi = phiIn(rule, state.traffic);
  return {
    ...state,
    running: state.running.slice().fill(0, 0, growthAt),
    past: addToSums(state.past, block),
    curve: addToCurve(state.curve, block, phi),
    deadline: addLineToDeadline(state.deadline, rule.tolerance, rate, block, phi),
  };
};

/** The test at the deadline with this metric's part of alpha; never twice. */
export const ratesDeadline = (rule: RatesRule, state: RatesState, alpha: number): DeadlineResult =>
  deadlineTest(settled(rule, state).deadline, alpha);

/** What a person needs to check this metric's part of a verdict. Rates are events per request. */
export type RatesExplanation = UsedPhi & {
  readonly judged: 'errors';
  readonly canary: RateCounts;
  readonly baseline: RateCounts;
  /** Canary rate / baseline rate, paired by block; null while the baseline has no event. */
  readonly ratio: number | null;
  /** Holds the true ratio with this confidence at every window at once; null ends are open. */
  readonly interval: RatioInterval & { readonly confidence: number };
  /** The rate up to which the canary counts as no worse, at the baseline rate seen. */
  readonly toleratedRate: number;
  readonly rollbackEvidence: number;
  readonly promoteEvidence: number;
  readonly strongestWindows: readonly LoudWindow[];
  readonly cappedBlocks: number;
};

const explain = (rule: RatesRule, state: RatesState): RatesExplanation => {
  const { past, curve } = settled(rule, state);
  const { canary, baseline } = pairOf(past);
  const rate = baseline.total === 0 ? 0 : baseline.events / baseline.total;
  return {
    judged: 'errors',
    canary,
    baseline,
    ratio: curveRatio(curve),
    interval: {
      ...curveInterval(curve, intervalConfidence),
      confidence: intervalConfidence,
    },
    toleratedRate: rule.tolerance.relative * rate + rule.tolerance.absolute,
    rollbackEvidence: evidenceOf(state.logRollback),
    promoteEvidence: evidenceOf(state.logPromote),
    strongestWindows: loudWindows(state.strongestWindows),
    cappedBlocks: cappedBlocksOf(state.rollback),
    ...usedPhi(rule.measuredAt, rule.phi, state.traffic),
  };
};
