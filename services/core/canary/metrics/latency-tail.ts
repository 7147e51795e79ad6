import type { DeadlineSums } from '../deadline-test.ts';
import { addLineToDeadline, addOddsToDeadline, noDeadlineSums } from '../deadline-test.ts';
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
import { addRates, noRate } from '../rate-counts.ts';
import { addToCurve, curveInterval, curveRatio, initialCurve } from '../ratio-curve.ts';
import type { RatioCurve } from '../ratio-curve.ts';
import type { RatioInterval } from '../ratio.ts';
import type { StakeRules, Stakes } from '../stakes.ts';
import {
  addToStakes,
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
  /** Above the lower boundaries, all baseline windows so far: they predict the next one's share. */
  readonly seen: RateCounts;
  readonly promoteSeen: RateCounts;
  /** Judged windows, above the boundary itself; and the baseline above the lower one. */
  readonly canary: RateCounts;
  readonly baseline: RateCounts;
  readonly toleratedEvents: number;
  readonly curve: RatioCurve;
  readonly deadline: DeadlineSums;
  readonly rollback: Stakes;
  readonly promote: Stakes;
};

/** Alternatives: odds ratios against the tolerated share; below 1 to promote. */
const rollbackRatios: readonly Odds[] = oddsOf([1.06, 1.12, 1.25, 1.5, 2, 3, 6, 15]);
const promoteRatios: readonly Odds[] = oddsOf([0.94, 0.88, 0.8, 0.67, 0.5]);

const intervalConfidence = 0.99;

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
  const seenAbove = (buckets: number): RateCounts => ({
    // Half a request on either side, so that no predicted share is 0 or 1.
    total: total + 1,
    events: (countAbove(warmUp, lowered(boundary, buckets)) ?? 0) + 0.5,
  });
  return {
    quantile,
    boundary,
    ...shifts,
    seen: seenAbove(shifts.shift),
    promoteSeen: seenAbove(shifts.promoteShift),
    canary: noRate,
    baseline: noRate,
    toleratedEvents: 0,
    curve: initialCurve,
    deadline: noDeadlineSums,
    rollback: initialStakes(rollbackRatios.length, rules, restartsBegun),
    promote: initialStakes(promoteRatios.length, withoutRestarts(rules)),
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
  const beside: RateCounts = { total: baseline.total, events: baselineSlower };
  const pair = { canary: shown, baseline: { total: baseline.total, events: tolerated } };
  const promotePair = { canary: shown, baseline: { total: baseline.total, events: promised } };
  const rate = tail.seen.events / tail.seen.total;
  const promoteRate = tail.promoteSeen.events / tail.promoteSeen.total;
  const hasShift = isShiftable(tail.boundary);
  const line = hasShift ? equalShares : rules.tolerance;
  const promoteLine = hasShift ? equalShares : rules.promoteTolerance;
  const forRollback = oddsIncrements(line, rollbackRatios, rate, pair, phi);
  const forPromote = oddsIncrements(promoteLine, promoteRatios, promoteRate, promotePair, phi);
  return {
    quantile: tail.quantile,
    boundary: tail.boundary,
    shift: tail.shift,
    promoteShift: tail.promoteShift,
    seen: addRates(tail.seen, pair.baseline),
    promoteSeen: addRates(tail.promoteSeen, promotePair.baseline),
    canary: addRates(tail.canary, shown),
    baseline: addRates(tail.baseline, beside),
    toleratedEvents: tail.toleratedEvents + tolerated,
    curve: addToCurve(tail.curve, { canary: shown, baseline: beside }, place.endsBlock),
    deadline: isEqualShares(line)
      ? addOddsToDeadline(tail.deadline, pair)
      : addLineToDeadline(tail.deadline, line, rate, pair),
    rollback: addToStakes(tail.rollback, forRollback, place, rules),
    promote: addToStakes(tail.promote, forPromote, place, withoutRestarts(rules)),
  };
};

const aboveLowered = (
  { boundary }: Tail,
  { durations }: Arm,
  buckets: number,
  unshifted: number | undefined,
): number | undefined =>
  buckets === 0 ? unshifted : countAbove(durations, lowered(boundary, buckets));

/** A window that says nothing of this tail, or of which only the baseline is known. */
export const passTail = (
  rules: StakeRules,
  tail: Tail,
  baseline: Arm | null,
  place: WindowPlace,
): Tail => {
  const rollback = addToStakes(tail.rollback, noIncrements, place, rules);
  const promote = addToStakes(tail.promote, noIncrements, place, withoutRestarts(rules));
  const above = baseline && countAbove(baseline.durations, lowered(tail.boundary, tail.shift));
  const promised =
    baseline && countAbove(baseline.durations, lowered(tail.boundary, tail.promoteShift));
  if (baseline === null || typeof above !== 'number' || typeof promised !== 'number')
    return rollback === tail.rollback && promote === tail.promote
      ? tail
      : { ...tail, rollback, promote };
  return {
    ...tail,
    seen: addRates(tail.seen, { total: baseline.total, events: above }),
    promoteSeen: addRates(tail.promoteSeen, { total: baseline.total, events: promised }),
    rollback,
    promote,
  };
};

export const logRollbackOf = (tail: Tail, rules: StakeRules): number =>
  logCapital(tail.rollback, rules);

export const logPromoteOf = (tail: Tail, rules: StakeRules): number =>
  logCapital(tail.promote, withoutRestarts(rules));

/** What a person needs to check one tail: "9.1 % of the canary's requests took longer than 450 ms, 5.0 % before". */
export type TailExplanation = {
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
  readonly phi: number;
};

export const explainTail = (
  rules: StakeRules & LatencyMargins,
  tail: Tail,
  phi: number,
): TailExplanation => {
  const { canary, baseline, toleratedEvents, curve } = tail;
  const share = baseline.total === 0 ? 0 : toleratedEvents / baseline.total;
  const { relative, absolute } = rules.tolerance;
  return {
    quantile: tail.quantile,
    boundaryMs: boundarySeconds(tail.boundary) * 1_000,
    canary,
    baseline,
    ratio: curveRatio(curve),
    interval: { ...curveInterval(curve, intervalConfidence, phi), confidence: intervalConfidence },
    toleratedShare: isShiftable(tail.boundary) ? share : relative * share + absolute,
    rollbackEvidence: evidenceOf(logRollbackOf(tail, rules)),
    promoteEvidence: evidenceOf(logPromoteOf(tail, rules)),
    phi,
  };
};
