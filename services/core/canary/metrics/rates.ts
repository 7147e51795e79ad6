import { addLineToDeadline, deadlineTest, noDeadlineSums } from '../statistics/deadline-test.ts';
import type { DeadlineResult, DeadlineSums } from '../statistics/deadline-test.ts';
import { evidenceOf } from '../statistics/evidence.ts';
import type { RuledJudge, ShownWindow } from '../judge/metric-judge.ts';
import type { PairSums, RateCounts, RatePair } from '../statistics/rate-counts.ts';
import {
  addPair,
  addToSums,
  isPairedRate,
  isSplitOtherwise,
  noSums,
  pairOf,
} from '../statistics/rate-counts.ts';
import { addToCurve, curveInterval, curveRatio, initialCurve } from '../statistics/ratio-curve.ts';
import type { RatioCurve } from '../statistics/ratio-curve.ts';
import type { RatioInterval } from '../statistics/ratio.ts';
import { intervalConfidence } from '../statistics/ratio.ts';
import type { MeasuredAt, TrafficSeen, UsedPhi } from '../statistics/scatter.ts';
import {
  noTrafficSeen,
  raisedPhi,
  raisedTimes,
  usedPhi,
  withTraffic,
} from '../statistics/scatter.ts';
import type { Alternatives, StakeRules } from '../statistics/stakes.ts';
import { capitalsAt, cappedBlocksOf, lowered, roundGrowth, zeros } from '../statistics/stakes.ts';
import type { LoudIndex } from '../analysis/strongest-windows.ts';
import { loudWindows } from '../analysis/strongest-windows.ts';
import type { Line, RatePrior } from './rate-test.ts';
import { addLineIncrements, predictedRate } from './rate-test.ts';
import type { ClientErrorsState } from '../judge/client-errors.ts';
import type { SaidState } from '../judge/said.ts';
import type { Growth, Making, Staked } from './staked.ts';
import { initialSettled, logPromoteOf, stake, stakesAt } from './staked.ts';

export type RatesRule = StakeRules & {
  /** What the canary's rate may be worse by, and what it must be shown to be better than for a promotion. */
  readonly tolerance: Line;
  readonly promoteTolerance: Line;
  /** Alternatives, as multiples of the tolerated rate: above 1 to roll back, below 1 to promote. */
  readonly grids: Alternatives;
  /** Assumed of the baseline before any is seen. */
  readonly prior: RatePrior;
  /** How much more the counts scatter than independent requests would, at least 1. */
  readonly phi: number;
  /** How many blocks after a burst say less: two minutes of them. */
  readonly burstBlocks: number;
  /** The traffic at which they did; null: phi stands at any. */
  readonly measuredAt: MeasuredAt | null;
};

/**
 * What happens to few requests (errors), compared window by window as rates, with no assumption about drift.
 *
 * `running` begins with the sums of the running block (`PairSums`), with every baseline window so far, warm-up included
 * (requests and those with an event, which predict the next window's rate), and with how many blocks from this one on
 * come after a burst.
 */
export type RatesState = Staked & {
  readonly judged: 'errors';
  /**
   * Of a running block whose traffic was split otherwise once: `PairSums` up to then, and what they let the alternatives of
   * the second question grow. Null: it was not.
   */
  readonly split: readonly number[] | null;
  readonly traffic: TrafficSeen;
  /** The judged windows of all finished blocks. */
  readonly past: PairSums;
  readonly curve: RatioCurve;
  readonly deadline: DeadlineSums;
  /** Of which requests the cohorts say what became of them; null: of none. */
  readonly said: SaidState | null;
  /** Null: the canary has not lately answered with more errors of the client's. */
  readonly clientErrors: ClientErrorsState | null;
};

const sumsLength = 4;
const seenAt = sumsLength;
const burstAt: number = seenAt + 2;
const growthAt: number = burstAt + 1;

/**
 * A burst is a block in which so many requests of the canary failed, and some alternative grew by more than so many times
 * the cap. What an incident adds by itself the cap bounds, but little more by chance would do then. So after a burst
 * log-increments are divided by so much for two minutes, as by a dispersion (beside the one that people are told): of
 * what goes on most is above the cap all the same.
 */
const burstEventsMin = 6;
const burstTimesCap = 1.3;
const burstPhi = 1.25;

export const ratesJudge: RuledJudge<
  RatesRule,
  ShownWindow<RateCounts>,
  RatesState,
  RatesExplanation
> = {
  initial: (rule) => ({
    judged: 'errors',
    logRollback: 0,
    isBegun: false,
    settled: initialSettled(rule.grids, rule),
    running: zeros(growthAt + rule.grids.rollback.length),
    split: null,
    traffic: noTrafficSeen,
    past: noSums,
    curve: initialCurve,
    deadline: noDeadlineSums,
    said: null,
    clientErrors: null,
  }),
  addWindow: (rule, state, window, place) => {
    const { canary, baseline } = window;
    const isPaired = canary !== null && baseline !== null && isPairedRate({ canary, baseline });
    const traffic = isPaired
      ? withTraffic(rule.measuredAt, state.traffic, canary.total, baseline.total, place.judged)
      : state.traffic;
    const speaks = place.judged && isPaired;
    const running = state.running.slice();
    const split = speaks
      ? withSplit(rule, running, state.split, { canary, baseline }, phiIn(rule, traffic))
      : state.split;
    if (speaks)
      addEvidence(
        rule,
        place.beginsRestart ? [] : state.settled,
        running,
        { canary, baseline },
        phiIn(rule, traffic),
      );
    if (baseline !== null) addSeen(running, baseline);
    const isOpen = (running[0] ?? 0) > 0;
    if (place.endsBlock && isOpen) {
      fillPromote(rule, running, split, phiIn(rule, traffic));
      running[burstAt] = blocksAfterBurst(rule, running);
    }
    const next: Making<RatesState> = {
      judged: 'errors',
      logRollback: state.logRollback,
      isBegun: state.isBegun,
      settled: state.settled,
      running,
      split: place.endsBlock ? null : split,
      traffic,
      past: state.past,
      curve: state.curve,
      deadline: state.deadline,
      said: state.said,
      clientErrors: state.clientErrors,
    };
    growth.rollback = running;
    growth.isOpen = isOpen;
    stake(rule, rule.grids, next, growth, place, speaks, speaks);
    return place.endsBlock ? withBlock(rule, next) : next;
  },
  logPromote: (rule, state) => logPromoteIn(rule, state),
  explain: (rule, state) => explain(rule, state),
};

/** Of one call, and overwritten by the next. */
const promoteGrowth: number[] = [];
const growth: Making<Growth> = {
  rollback: [],
  from: growthAt,
  promote: promoteGrowth,
  isOpen: false,
};

/**
 * What the running block let the alternatives of the second question grow. Its windows are one pair, as long as their
 * traffic is split alike (`withSplit`).
 */
const fillPromote = (
  { promoteTolerance, grids: { promote }, prior }: RatesRule,
  running: readonly number[],
  split: readonly number[] | null,
  phi: number,
): void => {
  const block = pairOf(running);
  const before = pairOf(split ?? noSums);
  const pair: RatePair = {
    canary: without(block.canary, before.canary),
    baseline: without(block.baseline, before.baseline),
  };
  // From what was seen before the block.
  const rate = predictedRate(without(seenIn(running), block.baseline), prior);
  for (let index = 0; index < promote.length; index += 1)
    promoteGrowth[index] = split?.[sumsLength + index] ?? 0;
  addLineIncrements(promoteGrowth, 0, promoteTolerance, promote, rate, pair, phi);
};

const without = (all: RateCounts, some: RateCounts): RateCounts => ({
  total: all.total - some.total,
  events: all.events - some.events,
});

/**
 * Before a window whose traffic is split otherwise than that of the pair: the pair ends. Else what both had a bad moment of
 * would be blamed on who had more of the traffic by then.
 */
const withSplit = (
  rule: RatesRule,
  running: readonly number[],
  split: readonly number[] | null,
  { canary, baseline }: RatePair,
  phi: number,
): readonly number[] | null => {
  if (!isSplitOtherwise(running, split, canary.total, baseline.total)) return split;
  fillPromote(rule, running, split, phi);
  const { length } = rule.grids.promote;
  return [...running.slice(0, sumsLength), ...promoteGrowth.slice(0, length).map(lowered)];
};

const logPromoteIn = (rule: RatesRule, state: RatesState): number => {
  fillPromote(rule, state.running, state.split, phiIn(rule, state.traffic));
  return logPromoteOf(rule, rule.grids, state, promoteGrowth);
};

/** Adds a window that is evidence to the running block. */
const addEvidence = (
  { tolerance, grids: { rollback }, prior }: RatesRule,
  settled: readonly number[],
  running: number[],
  pair: RatePair,
  phi: number,
): void => {
  const rate = predictedRate(seenIn(running), prior);
  addPair(running, pair);
  const phiNow = (running[burstAt] ?? 0) > 0 ? phi * burstPhi : phi;
  addLineIncrements(
    running,
    growthAt,
    tolerance,
    rollback,
    rate,
    pair,
    phiNow,
    settled,
    stakesAt + capitalsAt,
  );
  roundGrowth(running, growthAt, rollback.length);
};

/** How many blocks after the running one, which ends, come after a burst. */
const blocksAfterBurst = (
  { blockCapNats, burstBlocks, grids: { rollback } }: RatesRule,
  running: readonly number[],
): number => {
  const [, canaryEvents = 0] = running;
  const isBurst =
    canaryEvents >= burstEventsMin &&
    rollback.some((_, index) => (running[growthAt + index] ?? 0) > burstTimesCap * blockCapNats);
  return isBurst ? burstBlocks : Math.max(0, (running[burstAt] ?? 0) - 1);
};

const addSeen = (running: number[], { total, events }: RateCounts): void => {
  running[seenAt] = (running[seenAt] ?? 0) + total;
  running[seenAt + 1] = (running[seenAt + 1] ?? 0) + events;
};

const seenIn = (running: readonly number[]): RateCounts => ({
  total: running[seenAt] ?? 0,
  events: running[seenAt + 1] ?? 0,
});

const phiIn = ({ phi, measuredAt }: RatesRule, traffic: TrafficSeen): number =>
  raisedPhi(measuredAt, phi, raisedTimes(measuredAt, traffic));

/** With the running block among those before. */
const withBlock = (rule: RatesRule, state: RatesState): RatesState => {
  const block = pairOf(state.running);
  if (block.canary.total === 0) return state;
  const phi = phiIn(rule, state.traffic);
  return {
    ...state,
    running: state.running.slice().fill(0, 0, sumsLength),
    past: addToSums(state.past, block),
    curve: addToCurve(state.curve, block, phi),
    deadline: addLineToDeadline(state.deadline, rule.tolerance, block, phi),
  };
};

/** The test at the deadline with this metric's part of alpha; never twice. */
export const ratesDeadline = (rule: RatesRule, state: RatesState, alpha: number): DeadlineResult =>
  deadlineTest(withBlock(rule, state).deadline, alpha);

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
  readonly strongestWindows: readonly LoudIndex[];
  readonly cappedBlocks: number;
};

const explain = (rule: RatesRule, state: RatesState): RatesExplanation => {
  const { past, curve } = withBlock(rule, state);
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
    promoteEvidence: evidenceOf(logPromoteIn(rule, state)),
    strongestWindows: loudWindows(state.settled),
    cappedBlocks: cappedBlocksOf(state.settled, stakesAt),
    ...usedPhi(rule.measuredAt, rule.phi, state.traffic),
  };
};
