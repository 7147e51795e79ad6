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
  lowered,
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
  addToStakes,
  cappedBlocksOf,
  initialStakes,
  logCapital,
  noIncrements,
  withoutRestarts,
} from '../stakes.ts';
import type { Line, Odds } from './rate-test.ts';
import { equalShares, isEqualShares, oddsIncrements, oddsOf } from './rate-test.ts';

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
 */
export type Tail = {
  readonly quantile: number;
  readonly boundary: Boundary;
  /** Buckets by which the baseline's boundary lies lower. */
  readonly shift: number;
  readonly promoteShift: number;
  readonly rollback: Stakes;
  readonly promote: Stakes;
  /** What the running block counted; it is added to the past when the block ends. */
  readonly block: TailCounts;
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

/**
 * Alternatives: odds ratios against the tolerated share. Each costs the others a part of the stake; the fewer requests
 * lie beyond a quantile, the larger must be what can be told from chance there.
 */
const middleRatios: readonly Odds[] = oddsOf([1.12, 1.25, 1.5, 2, 3]);
const outerRatios: readonly Odds[] = oddsOf([1.25, 1.5, 2, 3]);
const outermostRatios: readonly Odds[] = oddsOf([1.5, 2, 3, 6]);

const rollbackRatiosAt = (quantile: number): readonly Odds[] => {
  if (quantile < 0.9) return middleRatios;
  return quantile < 0.99 ? outerRatios : outermostRatios;
};

/** The same to promote. */
const promoteRatios: readonly Odds[] = oddsOf([0.94, 0.88, 0.8, 0.67, 0.5]);

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
  const above = (buckets: number): number => countAbove(warmUp, lowered(boundary, buckets)) ?? 0;
  return {
    quantile,
    boundary,
    ...shifts,
    rollback: initialStakes(rollbackRatiosAt(quantile).length, rules, restartsBegun),
    promote: initialStakes(promoteRatios.length, withoutRestarts(rules)),
    block: noCounts,
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

/** Takes one window in. Undefined: its buckets do not say what is longer than the boundary. */
export const addToTail = (
  rules: StakeRules & LatencyMargins,
  tail: Tail,
  canary: Arm,
  baseline: Arm,
  place: WindowPlace,
  phi: number,
): Tail | undefined => {
  const slower = countAbove(canary.durations, tail.boundary);
  const baselineSlower = countAbove(baseline.durations, tail.boundary);
  const tolerated = aboveLowered(tail, baseline, tail.shift, baselineSlower);
  const promised = aboveLowered(tail, baseline, tail.promoteShift, baselineSlower);
  if (slower === undefined || baselineSlower === undefined) return undefined;
  if (tolerated === undefined || promised === undefined) return undefined;
  const shown: RateCounts = { total: canary.total, events: slower };
  const pair = { canary: shown, baseline: { total: baseline.total, events: tolerated } };
  const promotePair = { canary: shown, baseline: { total: baseline.total, events: promised } };
  const [line, promoteLine] = linesOf(tail, rules);
  const forRollback = oddsIncrements(
    line,
    rollbackRatiosAt(tail.quantile),
    toleratedShare(tail),
    pair,
    phi,
  );
  const forPromote = oddsIncrements(
    promoteLine,
    promoteRatios,
    promisedShare(tail),
    promotePair,
    phi,
  );
  const { block } = tail;
  const next: Tail = {
    quantile: tail.quantile,
    boundary: tail.boundary,
    shift: tail.shift,
    promoteShift: tail.promoteShift,
    rollback: addToStakes(tail.rollback, forRollback, place, rules),
    promote: addToStakes(tail.promote, forPromote, place, withoutRestarts(rules)),
    block: [
      block[0] + canary.total,
      block[1] + slower,
      block[2] + baseline.total,
      block[3] + baselineSlower,
      block[4] + tolerated,
      block[5] + promised,
    ],
    past: tail.past,
    warmUp: tail.warmUp,
    curve: tail.curve,
    deadline: tail.deadline,
  };
  return place.endsBlock ? withBlock(rules, next, phi) : next;
};

/** Shares of the baseline above the lower boundaries, from earlier blocks: half a request keeps them off 0 and 1. */
const toleratedShare = ({ warmUp, past }: Tail): number =>
  (warmUp[1] + past[4] + 0.5) / (warmUp[0] + past[2] + 1);

const promisedShare = ({ warmUp, past }: Tail): number =>
  (warmUp[2] + past[5] + 0.5) / (warmUp[0] + past[2] + 1);

const linesOf = (tail: Tail, margins: LatencyMargins): readonly [rollback: Line, promote: Line] =>
  isShiftable(tail.boundary)
    ? [equalShares, equalShares]
    : [margins.tolerance, margins.promoteTolerance];

/** The running block among those before. */
const withBlock = (margins: LatencyMargins, tail: Tail, phi: number): Tail => {
  const { block, past } = tail;
  const [canaryTotal, slower, baselineTotal, baselineSlower, tolerated] = block;
  if (canaryTotal + baselineTotal === 0) return tail;
  const canary: RateCounts = { total: canaryTotal, events: slower };
  const shown = { canary, baseline: { total: baselineTotal, events: baselineSlower } };
  const pair = { canary, baseline: { total: baselineTotal, events: tolerated } };
  const [line] = linesOf(tail, margins);
  return {
    ...tail,
    block: noCounts,
    past: [
      past[0] + block[0],
      past[1] + block[1],
      past[2] + block[2],
      past[3] + block[3],
      past[4] + block[4],
      past[5] + block[5],
    ],
    curve: addToCurve(tail.curve, shown, phi),
    deadline: isEqualShares(line)
      ? addOddsToDeadline(tail.deadline, pair, phi)
      : addLineToDeadline(tail.deadline, line, toleratedShare(tail), pair, phi),
  };
};

const aboveLowered = (
  { boundary }: Tail,
  { durations }: Arm,
  buckets: number,
  unshifted: number | undefined,
): number | undefined =>
  buckets === 0 ? unshifted : countAbove(durations, lowered(boundary, buckets));

/** A window that says nothing of this tail. */
export const passTail = (
  rules: StakeRules & LatencyMargins,
  tail: Tail,
  place: WindowPlace,
  phi: number,
): Tail => {
  const rollback = addToStakes(tail.rollback, noIncrements, place, rules);
  const promote = addToStakes(tail.promote, noIncrements, place, withoutRestarts(rules));
  const isSame = rollback === tail.rollback && promote === tail.promote;
  const next = isSame ? tail : { ...tail, rollback, promote };
  return place.endsBlock ? withBlock(rules, next, phi) : next;
};

/** The test at the deadline, with the running block. */
export const tailDeadline = (
  margins: LatencyMargins,
  tail: Tail,
  phi: number,
  alpha: number,
): DeadlineResult => deadlineTest(withBlock(margins, tail, phi).deadline, alpha);

export const cappedBlocksIn = ({ rollback }: Tail): number => cappedBlocksOf(rollback);

export const logRollbackOf = (tail: Tail, rules: StakeRules): number =>
  logCapital(tail.rollback, rules);

export const logPromoteOf = (tail: Tail, rules: StakeRules): number =>
  logCapital(tail.promote, withoutRestarts(rules));

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
  phi: number,
  used: UsedPhi,
): TailExplanation => {
  const { past, curve } = withBlock(rules, tail, phi);
  const [canaryTotal, slower, baselineTotal, baselineSlower, tolerated] = past;
  const share = baselineTotal === 0 ? 0 : tolerated / baselineTotal;
  const [line] = linesOf(tail, rules);
  return {
    quantile: tail.quantile,
    boundaryMs: boundarySeconds(tail.boundary) * 1_000,
    canary: { total: canaryTotal, events: slower },
    baseline: { total: baselineTotal, events: baselineSlower },
    ratio: curveRatio(curve),
    interval: { ...curveInterval(curve, intervalConfidence), confidence: intervalConfidence },
    toleratedShare: line.relative * share + line.absolute,
    rollbackEvidence: evidenceOf(logRollbackOf(tail, rules)),
    promoteEvidence: evidenceOf(logPromoteOf(tail, rules)),
    ...used,
  };
};
