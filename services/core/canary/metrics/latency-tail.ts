import type { DeadlineResult, DeadlineSums } from '../deadline-test.ts';
import {
  addLineToDeadline,
  addOddsToDeadline,
  deadlineTest,
  noDeadlineSums,
} from '../deadline-test.ts';
import type { Boundary, Durations } from '../durations.ts';
import {
  boundaryAtScale,
  boundarySeconds,
  countAbove,
  isShiftable,
  marginOfShift,
  shiftOfMargin,
} from '../durations.ts';
import { evidenceOf } from '../evidence.ts';
import type { WindowPlace } from '../metric-judge.ts';
import type { RateCounts } from '../rate-counts.ts';
import { addToCurve, curveInterval, curveRatio, initialCurve } from '../ratio-curve.ts';
import type { RatioCurve } from '../ratio-curve.ts';
import type { RatioInterval } from '../ratio.ts';
import { intervalConfidence } from '../ratio.ts';
import type { UsedPhi } from '../scatter.ts';
import type { StakeRules, Stakes } from '../stakes.ts';
import {
  alternativesOf,
  cappedBlocksOf,
  initialStakes,
  logCapital,
  restarted,
  roundGrowth,
  settle,
  withoutRestarts,
} from '../stakes.ts';
import type { Line, Odds } from './rate-test.ts';
import { addOddsIncrements, equalShares, isEqualShares, oddsOf } from './rate-test.ts';

/** What the canary's durations may be worse by. */
export type LatencyMargins = {
  /** Every quantile may be slower by this share (0.044: 4.4 %); rounded to whole buckets, at least one. */
  readonly margin: number;
  /** Slower by less than this must be shown before a promotion; at least one bucket more. */
  readonly promoteMargin: number;
  /** Where buckets are too coarse to shift (explicit bounds): what the share of slower requests may be worse by. */
  readonly tolerance: Line;
  readonly promoteTolerance: Line;
};

/**
 * The share of requests slower than one boundary. The canary is counted above the boundary x, the baseline above
 * x / (1 + margin), which is exact on exponential buckets; "no slower than (1 + margin) times the baseline" says that
 * the first share is not above the second, for every x.
 *
 * This is what it knows of finished blocks. The running one stands in a list of numbers with those of the other tails,
 * `at` some place: what it counted (`TailCounts`), then the growth of `rollback`, then that of `promote`.
 */
export type Tail = {
  readonly quantile: number;
  readonly boundary: Boundary;
  /** Buckets by which the baseline's boundary lies lower. */
  readonly shift: number;
  readonly promoteShift: number;
  readonly rollback: Stakes;
  readonly promote: Stakes;
  readonly past: TailCounts;
  /** What the baseline showed before the first judged window. */
  readonly warmUp: readonly [baselineTotal: number, tolerated: number, promised: number];
  readonly curve: RatioCurve;
  readonly deadline: DeadlineSums;
};

/**
 * Of judged windows: requests of the canary and those slower than the boundary; requests of the baseline and those
 * slower than the boundary, than the tolerated one and than the one that is promised.
 */
type TailCounts = readonly [
  canaryTotal: number,
  canarySlower: number,
  baselineTotal: number,
  baselineSlower: number,
  tolerated: number,
  promised: number,
];

const noCounts: TailCounts = [0, 0, 0, 0, 0, 0];

/** How many numbers of the running block are this tail's. */
export const runningLengthOf = ({ rollback, promote }: Tail): number =>
  noCounts.length + alternativesOf(rollback) + alternativesOf(promote);

const rollbackFrom = (at: number): number => at + noCounts.length;
const promoteFrom = ({ rollback }: Tail, at: number): number =>
  rollbackFrom(at) + alternativesOf(rollback);

const countsIn = (running: readonly number[], at: number): TailCounts => [
  running[at] ?? 0,
  running[at + 1] ?? 0,
  running[at + 2] ?? 0,
  running[at + 3] ?? 0,
  running[at + 4] ?? 0,
  running[at + 5] ?? 0,
];

const together = (left: TailCounts, right: TailCounts): TailCounts => [
  left[0] + right[0],
  left[1] + right[1],
  left[2] + right[2],
  left[3] + right[3],
  left[4] + right[4],
  left[5] + right[5],
];

/**
 * Alternatives: odds ratios against the tolerated share. Each costs the others a part of the stake; the fewer requests
 * lie beyond a quantile, the larger must be what can be told from chance there.
 */
const middleRatios: Odds = oddsOf([1.12, 1.25, 1.5, 2, 3]);
const outerRatios: Odds = oddsOf([1.25, 1.5, 2, 3]);
const outermostRatios: Odds = oddsOf([1.5, 2, 3, 6]);

const rollbackRatiosAt = (quantile: number): Odds => {
  if (quantile < 0.9) return middleRatios;
  return quantile < 0.99 ? outerRatios : outermostRatios;
};

/** The same to promote. */
const promoteRatios: Odds = oddsOf([0.94, 0.88, 0.8, 0.67, 0.5]);

/** A tail at a boundary that was chosen from `warmUp`, what the baseline showed before. */
export const tailAt = (
  quantile: number,
  boundary: Boundary,
  warmUp: Durations,
  total: number,
  rules: StakeRules & LatencyMargins,
  restartsBegun: number,
): Tail => {
  const shifts = shiftsAt(boundary, rules);
  const above = (buckets: number): number => countAbove(warmUp, boundary, buckets) ?? 0;
  return {
    quantile,
    boundary,
    ...shifts,
    rollback: initialStakes(rollbackRatiosAt(quantile).ratios.length, rules, restartsBegun),
    promote: initialStakes(promoteRatios.ratios.length, withoutRestarts(rules)),
    past: noCounts,
    warmUp: [total, above(shifts.shift), above(shifts.promoteShift)],
    curve: initialCurve,
    deadline: noDeadlineSums,
  };
};

/** The same tail where buckets have become coarser: the nearest boundary and shifts that these have. */
export const tailAtScale = (tail: Tail, scale: number, margins: LatencyMargins): Tail => {
  const boundary = boundaryAtScale(tail.boundary, scale);
  return boundary === tail.boundary ? tail : { ...tail, boundary, ...shiftsAt(boundary, margins) };
};

const shiftsAt = (
  boundary: Boundary,
  { margin, promoteMargin }: LatencyMargins,
): Pick<Tail, 'shift' | 'promoteShift'> => {
  if (boundary.shape === 'explicit' || !isShiftable(boundary)) return { shift: 0, promoteShift: 0 };
  const shift = shiftOfMargin(boundary.scale, margin);
  return {
    shift,
    promoteShift: Math.max(shift + 1, shiftOfMargin(boundary.scale, promoteMargin)),
  };
};

/** How much slower the shifts let the canary be; 0 where the shares have the tolerance instead. */
export const marginsOf = ({ boundary, shift, promoteShift }: Tail): readonly [number, number] =>
  boundary.shape === 'explicit'
    ? [0, 0]
    : [marginOfShift(boundary.scale, shift), marginOfShift(boundary.scale, promoteShift)];

/** One cohort's durations of a window. */
export type Arm = { readonly durations: Durations; readonly total: number };

/**
 * Takes one window into the running block, which belongs to whoever asks. False, and nothing is changed: its buckets do
 * not say what is longer than the boundary.
 */
export const addToTail = (
  margins: LatencyMargins,
  tail: Tail,
  running: number[],
  at: number,
  canary: Arm,
  baseline: Arm,
  phi: number,
): boolean => {
  const { boundary, shift, promoteShift } = tail;
  const slower = countAbove(canary.durations, boundary);
  const baselineSlower = countAbove(baseline.durations, boundary);
  if (slower === undefined || baselineSlower === undefined) return false;
  const tolerated = shift === 0 ? baselineSlower : countAbove(baseline.durations, boundary, shift);
  const promised =
    promoteShift === 0 ? baselineSlower : countAbove(baseline.durations, boundary, promoteShift);
  if (tolerated === undefined || promised === undefined) return false;
  const shown: RateCounts = { total: canary.total, events: slower };
  const pair = { canary: shown, baseline: { total: baseline.total, events: tolerated } };
  const promotePair = { canary: shown, baseline: { total: baseline.total, events: promised } };
  const ratios = rollbackRatiosAt(tail.quantile);
  const line = lineOf(tail, margins);
  const promoteLine = promoteLineOf(tail, margins);
  const [from, promoteAt] = [rollbackFrom(at), promoteFrom(tail, at)];
  addOddsIncrements(running, from, line, ratios, toleratedShare(tail), pair, phi);
  const share = promisedShare(tail);
  addOddsIncrements(running, promoteAt, promoteLine, promoteRatios, share, promotePair, phi);
  roundGrowth(running, from, alternativesOf(tail.rollback) + alternativesOf(tail.promote));
  running[at] = (running[at] ?? 0) + canary.total;
  running[at + 1] = (running[at + 1] ?? 0) + slower;
  running[at + 2] = (running[at + 2] ?? 0) + baseline.total;
  running[at + 3] = (running[at + 3] ?? 0) + baselineSlower;
  running[at + 4] = (running[at + 4] ?? 0) + tolerated;
  running[at + 5] = (running[at + 5] ?? 0) + promised;
  return true;
};

/** With the restart that begins here, if one does. */
export const restartedTail = (rules: StakeRules, tail: Tail, place: WindowPlace): Tail => {
  const rollback = restarted(tail.rollback, place, rules);
  return rollback === tail.rollback ? tail : { ...tail, rollback };
};

/** With the running block, which ends. */
export const settledTail = (
  rules: StakeRules & LatencyMargins,
  tail: Tail,
  running: readonly number[],
  at: number,
  phi: number,
): Tail => ({
  ...withBlock(rules, tail, countsIn(running, at), phi),
  rollback: settle(tail.rollback, running, rollbackFrom(at), rules),
  promote: settle(tail.promote, running, promoteFrom(tail, at), rules),
});

/** Shares of the baseline above the lower boundaries, from earlier blocks: half a request keeps them off 0 and 1. */
const toleratedShare = ({ warmUp, past }: Tail): number =>
  (warmUp[1] + past[4] + 0.5) / (warmUp[0] + past[2] + 1);

const promisedShare = ({ warmUp, past }: Tail): number =>
  (warmUp[2] + past[5] + 0.5) / (warmUp[0] + past[2] + 1);

const lineOf = ({ boundary }: Tail, { tolerance }: LatencyMargins): Line =>
  isShiftable(boundary) ? equalShares : tolerance;

const promoteLineOf = ({ boundary }: Tail, { promoteTolerance }: LatencyMargins): Line =>
  isShiftable(boundary) ? equalShares : promoteTolerance;

/** The running block among those before. */
const withBlock = (margins: LatencyMargins, tail: Tail, block: TailCounts, phi: number): Tail => {
  const { past } = tail;
  const [canaryTotal, slower, baselineTotal, baselineSlower, tolerated] = block;
  if (canaryTotal + baselineTotal === 0) return tail;
  const canary: RateCounts = { total: canaryTotal, events: slower };
  const shown = { canary, baseline: { total: baselineTotal, events: baselineSlower } };
  const pair = { canary, baseline: { total: baselineTotal, events: tolerated } };
  const line = lineOf(tail, margins);
  return {
    ...tail,
    past: together(past, block),
    curve: addToCurve(tail.curve, shown, phi),
    deadline: isEqualShares(line)
      ? addOddsToDeadline(tail.deadline, pair, phi)
      : addLineToDeadline(tail.deadline, line, toleratedShare(tail), pair, phi),
  };
};

/** The test at the deadline, with the running block. */
export const tailDeadline = (
  margins: LatencyMargins,
  tail: Tail,
  running: readonly number[],
  at: number,
  phi: number,
  alpha: number,
): DeadlineResult =>
  deadlineTest(withBlock(margins, tail, countsIn(running, at), phi).deadline, alpha);

export const cappedBlocksIn = ({ rollback }: Tail): number => cappedBlocksOf(rollback);

export const logRollbackOf = (
  tail: Tail,
  running: readonly number[],
  at: number,
  rules: StakeRules,
): number => logCapital(tail.rollback, running, rollbackFrom(at), rules);

export const logPromoteOf = (
  tail: Tail,
  running: readonly number[],
  at: number,
  rules: StakeRules,
): number => logCapital(tail.promote, running, promoteFrom(tail, at), rules);

/** What a person needs to check one tail: "9.1 % of the canary's requests took longer than 450 ms, 5.0 % before". */
export type TailExplanation = UsedPhi & {
  readonly quantile: number;
  readonly boundaryMs: number;
  /** Of all judged requests, those that took longer than the boundary. */
  readonly canary: RateCounts;
  readonly baseline: RateCounts;
  /** Canary share / baseline share, paired by block; null while the baseline has none. */
  readonly ratio: number | null;
  /** Holds the true ratio with this confidence at every window at once; null ends are open. */
  readonly interval: RatioInterval & { readonly confidence: number };
  /** The share of longer requests up to which the canary counts as no worse. */
  readonly toleratedShare: number;
  readonly rollbackEvidence: number;
  readonly promoteEvidence: number;
};

/** `phi` is that of the running block. */
export const explainTail = (
  rules: StakeRules & LatencyMargins,
  tail: Tail,
  running: readonly number[],
  at: number,
  phi: number,
  used: UsedPhi,
): TailExplanation => {
  const { past, curve } = withBlock(rules, tail, countsIn(running, at), phi);
  const [canaryTotal, slower, baselineTotal, baselineSlower, tolerated] = past;
  const share = baselineTotal === 0 ? 0 : tolerated / baselineTotal;
  const line = lineOf(tail, rules);
  return {
    quantile: tail.quantile,
    boundaryMs: boundarySeconds(tail.boundary) * 1_000,
    canary: { total: canaryTotal, events: slower },
    baseline: { total: baselineTotal, events: baselineSlower },
    ratio: curveRatio(curve),
    interval: { ...curveInterval(curve, intervalConfidence), confidence: intervalConfidence },
    toleratedShare: line.relative * share + line.absolute,
    rollbackEvidence: evidenceOf(logRollbackOf(tail, running, at, rules)),
    promoteEvidence: evidenceOf(logPromoteOf(tail, running, at, rules)),
    ...used,
  };
};
