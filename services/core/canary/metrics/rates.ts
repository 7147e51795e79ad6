import {
  addLineToDeadline,
  deadlineIn,
  deadlineLength,
  deadlineTest,
  putDeadline,
} from '../statistics/deadline-test.ts';
import type { DeadlineResult, DeadlineSums } from '../statistics/deadline-test.ts';
import { evidenceOf } from '../statistics/evidence.ts';
import type { Numbers, OpenNumbers, RuledJudge, ShownWindow } from '../judge/metric-judge.ts';
import { logRollbackIn, settledOf } from '../judge/metric-judge.ts';
import type { RateCounts, RatePair } from '../statistics/rate-counts.ts';
import {
  addPair,
  isPairedRate,
  isSplitOtherwise,
  pairLength,
  pairOf,
} from '../statistics/rate-counts.ts';
import {
  addToKeptCurve,
  curveIn,
  curveInterval,
  curveRatio,
  initialCurve,
  weighedLength,
} from '../statistics/ratio-curve.ts';
import type { RatioCurve } from '../statistics/ratio-curve.ts';
import type { RatioInterval } from '../statistics/ratio.ts';
import { intervalConfidence } from '../statistics/ratio.ts';
import type { MeasuredAt, TrafficSeen, UsedPhi } from '../statistics/scatter.ts';
import {
  addTraffic,
  raisedPhi,
  raisedTimes,
  trafficIn,
  trafficLength,
  usedPhi,
} from '../statistics/scatter.ts';
import type { Alternatives, StakeRules } from '../statistics/stakes.ts';
import { capitalsAt, cappedBlocksOf, lowered, roundGrowth, zeros } from '../statistics/stakes.ts';
import type { LoudIndex } from '../analysis/strongest-windows.ts';
import { loudWindows } from '../analysis/strongest-windows.ts';
import type { Line, RatePrior } from './rate-test.ts';
import { addLineIncrements, predictedRate } from './rate-test.ts';
import type { ClientErrorsState } from '../judge/client-errors.ts';
import type { SaidState } from '../judge/said.ts';
import { saidLength } from '../judge/said.ts';
import type { Growth, Making } from './staked.ts';
import {
  afterStakes,
  initialSettled,
  logPromoteOf,
  ownRunningAt,
  stake,
  stakesAt,
} from './staked.ts';

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
 * Settled, after the stakes: the judged windows of all finished blocks (a pair), the sums of the deadline test and those of
 * the curve. Running, after ln of the evidence: the running block (a pair), every baseline window so far, warm-up included
 * (requests and those with an event, which predict the next window's rate), how many blocks from this one on come after a
 * burst, what is said of requests (`said.ts`), the growth of the first question's alternatives, and the traffic where it
 * counts (`scatter.ts`).
 */
export type RatesRest = {
  readonly judged: 'errors';
  /**
   * Of a running block whose traffic was split otherwise once: its pair up to then, and what that let the alternatives of
   * the second question grow. Null: it was not.
   */
  readonly split: readonly number[] | null;
  /** Of the finished blocks (`RatioCurve`). */
  readonly heights: string;
  /** Which cohorts say of their requests what became of them; null: none does. */
  readonly said: SaidState | null;
  /** Null: the canary has not lately answered with more errors of the client's. */
  readonly clientErrors: ClientErrorsState | null;
};
export type RatesState = RatesRest & Numbers;

const blockAt: number = ownRunningAt;
const seenAt: number = blockAt + pairLength;
const burstAt: number = seenAt + 2;
export const saidAt: number = burstAt + 1;
const growthAt: number = saidAt + saidLength;

/** Past the stakes. */
const deadlineAt: number = pairLength;
const weighedAt: number = deadlineAt + deadlineLength;
const pastLength: number = weighedAt + weighedLength;

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
  RatesRest,
  RatesExplanation
> = {
  initial: (rule) => ({
    settled: [...initialSettled(rule.grids, rule), ...zeros(pastLength)],
    running: zeros(trafficAt(rule) + trafficLength(rule.measuredAt)),
    rest: {
      judged: 'errors',
      split: null,
      heights: initialCurve.heights,
      said: null,
      clientErrors: null,
    },
  }),
  settledLength: ({ grids }) => afterStakes(grids) + pastLength,
  runningLength: (rule) => trafficAt(rule) + trafficLength(rule.measuredAt),
  addWindow: (rule, before, open, window, place) => {
    const { canary, baseline } = window;
    const isPaired = canary !== null && baseline !== null && isPairedRate({ canary, baseline });
    const { running, from } = open;
    if (isPaired)
      addTraffic(
        rule.measuredAt,
        running,
        from + trafficAt(rule),
        canary.total,
        baseline.total,
        place.judged,
      );
    const speaks = place.judged && isPaired;
    const phi = phiIn(rule, open);
    const split = speaks
      ? withSplit(rule, open, before.split, { canary, baseline }, phi)
      : before.split;
    if (speaks) addEvidence(rule, open, { canary, baseline }, phi, place.beginsRestart);
    if (baseline !== null) addSeen(running, from + seenAt, baseline);
    const isOpen = (running[from + blockAt] ?? 0) > 0;
    const isEnding = place.endsBlock && isOpen;
    if (isEnding) {
      fillPromote(rule, open, split, phi);
      running[from + burstAt] = blocksAfterBurst(rule, open);
    }
    growth.rollback = running;
    growth.from = from + growthAt;
    growth.isOpen = isOpen;
    stake(rule, rule.grids, open, growth, place, speaks, speaks);
    const left = place.endsBlock ? null : split;
    if (!isEnding && left === before.split) return before;
    const heights = isEnding
      ? addBlock(
          rule,
          settledOf(open),
          open.at + afterStakes(rule.grids),
          running,
          from,
          before.heights,
          phi,
        )
      : before.heights;
    if (isEnding) running.fill(0, from + blockAt, from + blockAt + pairLength);
    return { ...before, split: left, heights };
  },
  logPromote: (rule, state) => logPromoteIn(rule, state),
  explain: (rule, state) => explain(rule, state),
};

/** Of one call, and overwritten by the next. */
const promoteGrowth: number[] = [];
const growth: Making<Growth> = {
  rollback: [],
  from: 0,
  promote: promoteGrowth,
  isOpen: false,
};

type Running = Pick<Numbers, 'running' | 'from'>;

/**
 * What the running block let the alternatives of the second question grow. Its windows are one pair, as long as their
 * traffic is split alike (`withSplit`).
 */
const fillPromote = (
  { promoteTolerance, grids: { promote }, prior }: RatesRule,
  { running, from }: Running,
  split: readonly number[] | null,
  phi: number,
): void => {
  const block = pairOf(running, from + blockAt);
  const before = pairOf(split ?? noSplit, 0);
  const pair: RatePair = {
    canary: without(block.canary, before.canary),
    baseline: without(block.baseline, before.baseline),
  };
  // From what was seen before the block.
  const rate = predictedRate(without(seenIn(running, from), block.baseline), prior);
  for (let index = 0; index < promote.length; index += 1)
    promoteGrowth[index] = split?.[pairLength + index] ?? 0;
  addLineIncrements(promoteGrowth, 0, promoteTolerance, promote, rate, pair, phi);
};

const noSplit: readonly number[] = [];

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
  { running, from }: Running,
  split: readonly number[] | null,
  { canary, baseline }: RatePair,
  phi: number,
): readonly number[] | null => {
  const at = from + blockAt;
  if (!isSplitOtherwise(running, at, split, canary.total, baseline.total)) return split;
  fillPromote(rule, { running, from }, split, phi);
  const { length } = rule.grids.promote;
  return [...running.slice(at, at + pairLength), ...promoteGrowth.slice(0, length).map(lowered)];
};

const logPromoteIn = (rule: RatesRule, state: RatesState): number => {
  fillPromote(rule, state, state.split, phiIn(rule, state));
  return logPromoteOf(rule, rule.grids, state, promoteGrowth);
};

/** Adds a window that is evidence to the running block. */
const addEvidence = (
  { tolerance, grids: { rollback }, prior }: RatesRule,
  { settled, at, running, from }: OpenNumbers,
  pair: RatePair,
  phi: number,
  isRestarting: boolean,
): void => {
  const rate = predictedRate(seenIn(running, from), prior);
  addPair(running, from + blockAt, pair);
  const phiNow = (running[from + burstAt] ?? 0) > 0 ? phi * burstPhi : phi;
  addLineIncrements(
    running,
    from + growthAt,
    tolerance,
    rollback,
    rate,
    pair,
    phiNow,
    isRestarting ? [] : settled,
    at + stakesAt + capitalsAt,
  );
  roundGrowth(running, from + growthAt, rollback.length);
};

/** How many blocks after the running one, which ends, come after a burst. */
const blocksAfterBurst = (
  { blockCapNats, burstBlocks, grids: { rollback } }: RatesRule,
  { running, from }: Running,
): number => {
  const { canary } = pairOf(running, from + blockAt);
  const isLoud = (_: number, index: number): boolean =>
    (running[from + growthAt + index] ?? 0) > burstTimesCap * blockCapNats;
  return canary.events >= burstEventsMin && rollback.some(isLoud)
    ? burstBlocks
    : Math.max(0, (running[from + burstAt] ?? 0) - 1);
};

const addSeen = (running: number[], at: number, { total, events }: RateCounts): void => {
  running[at] = (running[at] ?? 0) + total;
  running[at + 1] = (running[at + 1] ?? 0) + events;
};

const seenIn = (running: readonly number[], from: number): RateCounts => ({
  total: running[from + seenAt] ?? 0,
  events: running[from + seenAt + 1] ?? 0,
});

const phiIn = (rule: RatesRule, state: Running): number =>
  raisedPhi(rule.measuredAt, rule.phi, raisedTimes(rule.measuredAt, trafficOf(rule, state)));

const trafficAt = ({ grids }: RatesRule): number => growthAt + grids.rollback.length;

const trafficOf = (rule: RatesRule, { running, from }: Running): TrafficSeen =>
  trafficIn(rule.measuredAt, running, from + trafficAt(rule));

/** Adds the running block to those before, in a list of the asker's, from a place on; what comes back is the text of the curve. */
const addBlock = (
  { tolerance }: RatesRule,
  settled: number[],
  past: number,
  running: readonly number[],
  from: number,
  heights: string,
  phi: number,
): string => {
  const block = pairOf(running, from + blockAt);
  if (block.canary.total === 0) return heights;
  addPair(settled, past, block);
  const deadline = addLineToDeadline(deadlineIn(settled, past + deadlineAt), tolerance, block, phi);
  putDeadline(settled, past + deadlineAt, deadline);
  return addToKeptCurve(settled, past + weighedAt, heights, block, phi);
};

/** What all blocks came to, the running one among them. */
const together = (
  rule: RatesRule,
  state: RatesState,
): { readonly pair: RatePair; readonly deadline: DeadlineSums; readonly curve: RatioCurve } => {
  const { settled, at, running, from } = state;
  const first = at + afterStakes(rule.grids);
  const past = settled.slice(first, first + pastLength);
  const heights = addBlock(rule, past, 0, running, from, state.heights, phiIn(rule, state));
  return {
    pair: pairOf(past, 0),
    deadline: deadlineIn(past, deadlineAt),
    curve: curveIn(past, weighedAt, heights),
  };
};

/** The test at the deadline with this metric's part of alpha; never twice. */
export const ratesDeadline = (rule: RatesRule, state: RatesState, alpha: number): DeadlineResult =>
  deadlineTest(together(rule, state).deadline, alpha);

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
  const { pair, curve } = together(rule, state);
  const { canary, baseline } = pair;
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
    rollbackEvidence: evidenceOf(logRollbackIn(state)),
    promoteEvidence: evidenceOf(logPromoteIn(rule, state)),
    strongestWindows: loudWindows(state.settled, state.at),
    cappedBlocks: cappedBlocksOf(state.settled, state.at + stakesAt),
    ...usedPhi(rule.measuredAt, rule.phi, trafficOf(rule, state)),
  };
};
