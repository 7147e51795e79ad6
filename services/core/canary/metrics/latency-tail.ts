import type { DeadlineResult } from '../statistics/deadline-test.ts';
import {
  addLineToDeadline,
  addOddsToDeadline,
  deadlineIn,
  deadlineLength,
  deadlineTest,
  putDeadline,
} from '../statistics/deadline-test.ts';
import type { Boundary, Durations, Grid } from '../windows/durations.ts';
import {
  boundaryAtMost,
  boundaryAtScale,
  boundaryOn,
  boundarySeconds,
  countAboveEdge,
  countAboveIn,
  countFrom,
  edgeOf,
  edgeReaching,
  fillTops,
  gridOf,
  isShiftable,
  marginOfShift,
  shiftOfMargin,
  totalOf,
} from '../windows/durations.ts';
import { evidenceOf } from '../statistics/evidence.ts';
import type { WindowPlace } from '../judge/metric-judge.ts';
import type { RateCounts } from '../statistics/rate-counts.ts';
import {
  addToKeptCurve,
  curveIn,
  curveInterval,
  curveRatio,
  weighedLength,
} from '../statistics/ratio-curve.ts';
import type { RatioInterval } from '../statistics/ratio.ts';
import { intervalConfidence } from '../statistics/ratio.ts';
import type { UsedPhi } from '../statistics/scatter.ts';
import type { Alternatives, StakeRules } from '../statistics/stakes.ts';
import {
  capitalsAt,
  cappedBlocksOf,
  initialStakes,
  isRestart,
  logPromoteCapital,
  logRollbackCapital,
  lowered,
  restart,
  roundGrowth,
  settle,
  stakesLength,
  zeros,
} from '../statistics/stakes.ts';
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
  /** Requests that take less than this are fast enough, however much slower they became; 0: none are. */
  readonly fineBelowMs: number;
};

// The share of requests slower than one boundary. The canary is counted above the boundary x, the baseline above
// x / (1 + margin), which is exact on exponential buckets; "no slower than (1 + margin) times the baseline" says that
// the first share is not above the second, for every x.
//
// Its numbers are in the two lists (`Numbers`). `settled`, from `at` on: the quantile; the edge of its boundary
// (`edgeOf`); 1 where a promotion is asked by shares although buckets are fine (`isAskedByShares`), else 0; what the
// baseline showed before the first judged window (requests, and those slower than the tolerated and the promised boundary);
// of the finished blocks `TailCounts`, the sums of the deadline test and those of the curve; its stakes. `running`, from
// `from` on: `TailCounts` of the running block, and the growth of the first question's alternatives in it.

/** What all tails of a metric have in common. */
export type Cut = Grid & {
  /** Buckets by which the baseline's boundaries lie lower. */
  readonly shift: number;
  readonly promoteShift: number;
};

const edgeAt = 1;
const bySharesAt = 2;
const warmUpAt = 3;
const pastAt = 6;
const countsLength = 6;
const deadlineAt: number = pastAt + countsLength;
const weighedAt: number = deadlineAt + deadlineLength;
const stakesAt: number = weighedAt + weighedLength;

/**
 * Of judged windows: requests of the canary and those slower than the boundary; requests of the baseline and those
 * slower than the boundary, than the tolerated one and than the one that is promised. Between coarse buckets the last one
 * counts what is sure to be slower than the boundary if it takes `timesShown` as long.
 */
type TailCounts = readonly [
  canaryTotal: number,
  canarySlower: number,
  baselineTotal: number,
  baselineSlower: number,
  tolerated: number,
  slowed: number,
];

const growthAt: number = countsLength;

const countsIn = (numbers: readonly number[], at: number): TailCounts => [
  numbers[at] ?? 0,
  numbers[at + 1] ?? 0,
  numbers[at + 2] ?? 0,
  numbers[at + 3] ?? 0,
  numbers[at + 4] ?? 0,
  numbers[at + 5] ?? 0,
];

export const quantileIn = (settled: readonly number[], at: number): number => settled[at] ?? 0;

/**
 * Alternatives: odds ratios against the tolerated share. Each costs the others a part of the stake; the fewer requests
 * lie beyond a quantile, the larger must be what can be told from chance there.
 */
const middleRatios: Odds = oddsOf([1.12, 1.25, 1.5, 2, 3]);
const outerRatios: Odds = oddsOf([1.25, 1.5, 2, 3]);
const outermostRatios: Odds = oddsOf([1.5, 2, 3, 6]);
/** The same to promote. */
const promoteRatios: Odds = oddsOf([0.94, 0.88, 0.8, 0.67, 0.5]);
/** Of a guard: nearly nobody is beyond it, and what is promised is several times as much. */
const guardRatios: Odds = oddsOf([0.8, 0.5, 0.25, 0.1]);

type TailTest = Alternatives & { readonly ratios: Odds; readonly promoteRatios: Odds };
const testWith = (ratios: Odds, promote: Odds): TailTest => ({
  ratios,
  promoteRatios: promote,
  rollback: ratios.ratios,
  promote: promote.ratios,
});
const middle = testWith(middleRatios, promoteRatios);
const outer = testWith(outerRatios, promoteRatios);
const outermost = testWith(outermostRatios, promoteRatios);
const guard = testWith(oddsOf([]), guardRatios);
// Near to 1, too: what is between gaps may move past its boundary and back, and a block gains no more than the cap.
const gapGuard = testWith(oddsOf([]), promoteRatios);

/**
 * In the place of a quantile: a tail that a promotion is asked for, and that stakes nothing on the first question
 * (`latencyGuard`).
 */
export const guardQuantile = 1;
/** The same of a tail in a gap, or in a part between gaps (`boundariesAboutGaps`). */
export const gapQuantile = 2;

export const isGuard = (quantile: number): boolean => quantile >= guardQuantile;

const testAt = (quantile: number): TailTest => {
  if (quantile === gapQuantile) return gapGuard;
  if (quantile === guardQuantile) return guard;
  if (quantile < 0.9) return middle;
  return quantile < 0.99 ? outer : outermost;
};

/**
 * What coarse buckets must show before anything is promoted by them. A boundary that everybody passes, or nobody, looks
 * the same whatever happens to the durations. And of bounds that are far apart nobody knows where between them the
 * durations lie: 5 is the widest step of bounds in wide use (Envoy's), 2.5 that of the OpenTelemetry SDKs.
 */
export const timesShown = 5;
/** Fewer requests beyond a boundary are strays: they say nothing of where the others lie. */
const beyondShareMin = 0.01;
/** So many may be beyond what is fine by itself; they are what a tail further out is for. */
const beyondFineShareMax = 0.05;
/** Of the few requests that a boundary is chosen from, by chance. */
const beyondGuardShareMax = 0.1;

/** How many numbers of the finished blocks, and of the running one, are those of a tail. */
export const settledLength = (quantile: number): number =>
  stakesAt + stakesLength(testAt(quantile));
export const runningLength = (quantile: number): number =>
  growthAt + testAt(quantile).rollback.length;

/** The settled numbers of a tail at a boundary that was chosen from `warmUp`, what the baseline showed before. */
export const tailAt = (
  quantile: number,
  edge: number,
  cut: Cut,
  warmUp: Durations,
  total: number,
  byShares: boolean,
  rules: StakeRules,
  restartsBegun: number,
): readonly number[] => {
  const above = (buckets: number): number => countAboveEdge(warmUp, cut, edge - buckets) ?? 0;
  return [
    ...[quantile, edge, byShares ? 1 : 0],
    ...[total, above(cut.shift), above(byShares ? 0 : cut.promoteShift)],
    ...zeros(stakesAt - pastAt),
    ...initialStakes(testAt(quantile), rules, restartsBegun),
  ];
};

export const cutOf = (boundary: Boundary, { margin, promoteMargin }: LatencyMargins): Cut => {
  const grid = gridOf(boundary);
  if (grid.shape === 'explicit' || !isShiftable(grid))
    return { ...grid, shift: 0, promoteShift: 0 };
  const shift = shiftOfMargin(grid.scale, margin);
  const promoteShift = Math.max(shift + 1, shiftOfMargin(grid.scale, promoteMargin));
  return { ...grid, shift, promoteShift };
};

export const boundaryIn = (cut: Cut, settled: readonly number[], at: number): Boundary => {
  const { shift: _shift, promoteShift: _promoteShift, ...grid } = cut;
  return boundaryOn(grid, settled[at + edgeAt] ?? 0);
};

/** Where buckets have become coarser, the nearest boundary that these have; and its cut. */
export const moveTail = (
  cut: Cut,
  settled: number[],
  at: number,
  scale: number,
  margins: LatencyMargins,
): Cut => {
  const boundary = boundaryAtScale(boundaryIn(cut, settled, at), scale);
  settled[at + edgeAt] = edgeOf(boundary);
  return cutOf(boundary, margins);
};

/** How much slower the shifts let the canary be; 0 where the shares have the tolerance instead. */
export const marginsOf = (cut: Cut): readonly [number, number] =>
  cut.shape === 'explicit'
    ? [0, 0]
    : [marginOfShift(cut.scale, cut.shift), marginOfShift(cut.scale, cut.promoteShift)];

/** One cohort's durations of a window, and how many of them are in its highest buckets (`fillTops`). */
export type Arm = {
  readonly durations: Durations;
  readonly total: number;
  readonly tops: readonly number[];
};

/** `tops`: a list to write to. */
export const armOf = (durations: Durations, tops: number[]): Arm => {
  fillTops(tops, durations);
  const below = durations.shape === 'exponential' ? durations.zeroCount : 0;
  return { durations, total: below + countFrom(durations, tops, 0), tops };
};

/** Takes one window in. False, and nothing is changed: its buckets do not say what is longer than the boundary. */
export const addToTail = (
  margins: LatencyMargins,
  cut: Cut,
  settled: readonly number[],
  at: number,
  running: number[],
  from: number,
  canary: Arm,
  baseline: Arm,
  phi: number,
  isRestarting: boolean,
): boolean => {
  const { shift } = cut;
  const edge = settled[at + edgeAt] ?? 0;
  const slower = countAboveIn(canary.durations, canary.tops, cut, edge);
  const { durations, tops } = baseline;
  const baselineSlower = countAboveIn(durations, tops, cut, edge);
  if (slower === undefined || baselineSlower === undefined) return false;
  const tolerated = shift === 0 ? baselineSlower : countAboveIn(durations, tops, cut, edge - shift);
  const isCoarse = cut.promoteShift === 0;
  const promoteShift = isByShares(settled, at) ? 0 : cut.promoteShift;
  const slowedEdge = isCoarse
    ? edgeReaching(durations, cut, edge, timesShown)
    : edge - promoteShift;
  const slowed = countAboveIn(durations, tops, cut, slowedEdge);
  if (tolerated === undefined || slowed === undefined) return false;
  const test = testAt(quantileIn(settled, at));
  const growth = from + growthAt;
  addOddsIncrements(
    running,
    growth,
    lineOf(cut, margins),
    test.ratios,
    shareIn(settled, at, toleratedIndex),
    canary.total,
    slower,
    baseline.total,
    tolerated,
    phi,
    isRestarting ? [] : settled,
    at + stakesAt + capitalsAt,
  );
  roundGrowth(running, growth, test.rollback.length);
  running[from] = (running[from] ?? 0) + canary.total;
  running[from + 1] = (running[from + 1] ?? 0) + slower;
  running[from + 2] = (running[from + 2] ?? 0) + baseline.total;
  running[from + 3] = (running[from + 3] ?? 0) + baselineSlower;
  running[from + 4] = (running[from + 4] ?? 0) + tolerated;
  running[from + 5] = (running[from + 5] ?? 0) + slowed;
  return true;
};

/** Of one call, and overwritten by the next. */
const promoteGrowth: number[] = [];

/**
 * Of a running block whose traffic was split otherwise once: its `TailCounts` up to then, and what they let the
 * alternatives of the second question grow; so many numbers of each tail.
 */
export const splitLength = (quantile: number): number =>
  countsLength + testAt(quantile).promote.length;

/** The split of a metric, and where a tail's numbers begin in it; null: its traffic was not split otherwise. */
export type Split = { readonly numbers: readonly number[] | null; readonly at: number };

/**
 * What the running block let the alternatives of the second question grow. Its windows are one pair, as long as their
 * traffic is split alike.
 */
const fillPromote = (
  margins: LatencyMargins,
  cut: Cut,
  settled: readonly number[],
  at: number,
  running: readonly number[],
  from: number,
  { numbers, at: splitAt }: Split,
  phi: number,
): void => {
  const isCoarse = cut.promoteShift === 0;
  const test = testAt(quantileIn(settled, at));
  const since = (index: number): number =>
    (running[from + index] ?? 0) - (numbers?.[splitAt + index] ?? 0);
  for (let index = 0; index < test.promote.length; index += 1)
    promoteGrowth[index] = numbers?.[splitAt + countsLength + index] ?? 0;
  addOddsIncrements(
    promoteGrowth,
    0,
    promoteLineOf(cut, margins, settled, at),
    test.promoteRatios,
    shareIn(settled, at, isCoarse ? toleratedIndex : promisedIndex),
    since(0),
    since(1),
    since(2),
    since(isCoarse ? 3 : 5),
    phi,
  );
};

/** A tail's numbers of a split that begins now. */
export const splitOfTail = (
  margins: LatencyMargins,
  cut: Cut,
  settled: readonly number[],
  at: number,
  running: readonly number[],
  from: number,
  split: Split,
  phi: number,
): readonly number[] => {
  fillPromote(margins, cut, settled, at, running, from, split, phi);
  const { length } = testAt(quantileIn(settled, at)).promote;
  return [...countsIn(running, from), ...promoteGrowth.slice(0, length).map(lowered)];
};

/** Of what the baseline showed before the first judged window, and of `TailCounts` past its total. */
const toleratedIndex = 1;
const promisedIndex = 2;

/** Share of the baseline above a lower boundary, from earlier blocks: half a request keeps it off 0 and 1. */
const shareIn = (settled: readonly number[], at: number, index: number): number =>
  ((settled[at + warmUpAt + index] ?? 0) + (settled[at + pastAt + 3 + index] ?? 0) + 0.5) /
  ((settled[at + warmUpAt] ?? 0) + (settled[at + pastAt + 2] ?? 0) + 1);

const lineOf = (cut: Cut, { tolerance }: LatencyMargins): Line =>
  isShiftable(cut) ? equalShares : tolerance;

const promoteLineOf = (
  cut: Cut,
  margins: LatencyMargins,
  settled: readonly number[],
  at: number,
): Line => {
  if (!isShiftable(cut)) return margins.promoteTolerance;
  // From the warm-up alone: which line it is must not follow what is held against it.
  return isByShares(settled, at) ? lineOfShares(margins, warmUpShareIn(settled, at)) : equalShares;
};

/**
 * What is promised by shares: no more requests beyond than the line allows. Where many are beyond, that would be anything
 * at all; there it is no fewer below than the same line allows, turned about. Of the two the narrower counts.
 */
export const lineOfShares = (
  { promoteTolerance }: Pick<LatencyMargins, 'promoteTolerance'>,
  share: number,
): Line => {
  const { relative, absolute } = promoteTolerance;
  const turned: Line = { relative: 1 / relative, absolute: 1 - (1 - absolute) / relative };
  return turned.relative * share + turned.absolute < relative * share + absolute
    ? turned
    : promoteTolerance;
};

const isByShares = (settled: readonly number[], at: number): boolean =>
  settled[at + bySharesAt] === 1;

const warmUpShareIn = (settled: readonly number[], at: number): number =>
  (settled[at + warmUpAt + promisedIndex] ?? 0) / (settled[at + warmUpAt] ?? 1);

/** The restart that begins with this window, if one does. */
export const restartTail = (
  settled: number[],
  at: number,
  place: WindowPlace,
  rules: StakeRules,
): void => {
  if (isRestart(settled, at + stakesAt, place))
    restart(settled, at + stakesAt, testAt(quantileIn(settled, at)), rules);
};

/** The running block, which ends, among those before; what comes back is the text of the curve. */
export const settleTail = (
  rules: StakeRules & LatencyMargins,
  cut: Cut,
  heights: string,
  settled: number[],
  at: number,
  running: number[],
  from: number,
  split: Split,
  phi: number,
): string => {
  const test = testAt(quantileIn(settled, at));
  const next = addBlock(rules, cut, heights, settled, at, running, from, phi);
  // Before the past has this block: what it is held against is from the ones before.
  fillPromote(rules, cut, settled, at, running, from, split, phi);
  for (let index = 0; index < countsLength; index += 1) {
    const past = settled[at + pastAt + index] ?? 0;
    settled[at + pastAt + index] = past + (running[from + index] ?? 0);
    running[from + index] = 0;
  }
  settle(settled, at + stakesAt, running, from + growthAt, promoteGrowth, test, rules);
  return next;
};

/** Adds the running block to the deadline test and to the curve, in a list of the asker's; the text of the curve. */
const addBlock = (
  margins: LatencyMargins,
  cut: Cut,
  heights: string,
  settled: number[],
  at: number,
  running: readonly number[],
  from: number,
  phi: number,
): string => {
  const [canaryTotal, slower, baselineTotal, baselineSlower, tolerated] = countsIn(running, from);
  if (canaryTotal + baselineTotal === 0) return heights;
  const canary: RateCounts = { total: canaryTotal, events: slower };
  const shown = { canary, baseline: { total: baselineTotal, events: baselineSlower } };
  const pair = { canary, baseline: { total: baselineTotal, events: tolerated } };
  const line = lineOf(cut, margins);
  const before = deadlineIn(settled, at + deadlineAt);
  const deadline = isEqualShares(line)
    ? addOddsToDeadline(before, pair, phi)
    : addLineToDeadline(before, line, pair, phi);
  putDeadline(settled, at + deadlineAt, deadline);
  return addToKeptCurve(settled, at + weighedAt, heights, shown, phi);
};

/** The settled numbers of one tail, to write to. */
const ownSettled = (settled: readonly number[], at: number): number[] =>
  settled.slice(at, at + settledLength(quantileIn(settled, at)));

/** The test at the deadline, with the running block. */
export const tailDeadline = (
  margins: LatencyMargins,
  cut: Cut,
  heights: string,
  settled: readonly number[],
  at: number,
  running: readonly number[],
  from: number,
  phi: number,
  alpha: number,
): DeadlineResult => {
  const written = ownSettled(settled, at);
  addBlock(margins, cut, heights, written, 0, running, from, phi);
  return deadlineTest(deadlineIn(written, deadlineAt), alpha);
};

export const cappedBlocksIn = (settled: readonly number[], at: number): number =>
  cappedBlocksOf(settled, at + stakesAt);

export const logTailRollback = (
  settled: readonly number[],
  at: number,
  running: readonly number[],
  from: number,
  rules: StakeRules,
): number => {
  const test = testAt(quantileIn(settled, at));
  return logRollbackCapital(settled, at + stakesAt, running, from + growthAt, test, rules);
};

export const logTailPromote = (
  rules: StakeRules & LatencyMargins,
  cut: Cut,
  settled: readonly number[],
  at: number,
  running: readonly number[],
  from: number,
  split: Split,
  phi: number,
): number => {
  const test = testAt(quantileIn(settled, at));
  fillPromote(rules, cut, settled, at, running, from, split, phi);
  return logPromoteCapital(settled, at + stakesAt, promoteGrowth, test, rules);
};

/** Requests of the baseline: those slower than a boundary, and those that are sure to be if they take `timesShown` as long. */
export type NearBoundary = RateCounts & { readonly slowed: number };

/**
 * Whether a canary that is slower would show at a boundary between coarse buckets, as far as the baseline's requests tell:
 * - some of the baseline is beyond the boundary, and what is promised would be broken if half of those took longer than
 *   it that would for sure if they took `timesShown` as long;
 * - or nearly nothing is beyond a boundary below which requests are fine anyway.
 */
export const isTelling = (
  { promoteTolerance, fineBelowMs }: Pick<LatencyMargins, 'promoteTolerance' | 'fineBelowMs'>,
  boundary: Boundary,
  { total, events, slowed }: NearBoundary,
): boolean => {
  if (total === 0) return false;
  const share = events / total;
  if (isFineBelow({ fineBelowMs }, boundary, { total, events })) return true;
  const halfOfNear = (share + slowed / total) / 2;
  const promised = promoteTolerance.relative * share + promoteTolerance.absolute;
  return share >= beyondShareMin && halfOfNear > promised;
};

/** Whether nearly nothing of the baseline is beyond a boundary below which requests are fine anyway. */
export const isFineBelow = (
  { fineBelowMs }: Pick<LatencyMargins, 'fineBelowMs'>,
  boundary: Boundary,
  { total, events }: RateCounts,
  shareMax: number = beyondFineShareMax,
): boolean =>
  // As 70 / 1000 is the very number 0.07, and 0.07 * 1000 is not 70.
  boundarySeconds(boundary) <= fineBelowMs / 1_000 && total > 0 && events <= shareMax * total;

/**
 * The boundary of one tail more, for promotions alone: the highest one below which requests are fine, where nearly all of
 * the baseline's are below it. The others are chosen for their quantiles, which may be far off it. Undefined: there is
 * none, or buckets are fine enough to do without.
 */
export const latencyGuard = (
  margins: Pick<LatencyMargins, 'fineBelowMs'>,
  seen: Durations,
): Boundary | undefined => {
  const boundary = boundaryAtMost(seen, margins.fineBelowMs / 1_000);
  if (boundary === undefined || isShiftable(boundary)) return undefined;
  const isPassed = isFineBelow(
    margins,
    boundary,
    nearBoundary(seen, boundary),
    beyondGuardShareMax,
  );
  return isPassed ? boundary : undefined;
};

/** What durations say of a boundary of theirs. */
export const nearBoundary = (durations: Durations, boundary: Boundary): NearBoundary => {
  const [grid, edge] = [gridOf(boundary), edgeOf(boundary)];
  return {
    total: totalOf(durations),
    events: countAboveEdge(durations, grid, edge) ?? 0,
    slowed: countAboveEdge(durations, grid, edgeReaching(durations, grid, edge, timesShown)) ?? 0,
  };
};

/** Of all judged windows. */
export const baselineIn = (
  settled: readonly number[],
  at: number,
  running: readonly number[],
  from: number,
): NearBoundary => {
  const of = (index: number): number =>
    (settled[at + pastAt + index] ?? 0) + (running[from + index] ?? 0);
  return { total: of(2), events: of(3), slowed: of(5) };
};

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
  cut: Cut,
  heights: string,
  settled: readonly number[],
  at: number,
  running: readonly number[],
  from: number,
  split: Split,
  phi: number,
  used: UsedPhi,
): TailExplanation => {
  const written = ownSettled(settled, at);
  const text = addBlock(rules, cut, heights, written, 0, running, from, phi);
  const curve = curveIn(written, weighedAt, text);
  const past = countsIn(settled, at + pastAt);
  const block = countsIn(running, from);
  const [canaryTotal, slower, baselineTotal, baselineSlower, tolerated] = past.map(
    (count, index) => count + (block[index] ?? 0),
  ) as unknown as TailCounts;
  const share = baselineTotal === 0 ? 0 : tolerated / baselineTotal;
  const line = lineOf(cut, rules);
  return {
    quantile: quantileIn(settled, at),
    boundaryMs: boundarySeconds(boundaryIn(cut, settled, at)) * 1_000,
    canary: { total: canaryTotal, events: slower },
    baseline: { total: baselineTotal, events: baselineSlower },
    ratio: curveRatio(curve),
    interval: { ...curveInterval(curve, intervalConfidence), confidence: intervalConfidence },
    toleratedShare: line.relative * share + line.absolute,
    rollbackEvidence: evidenceOf(logTailRollback(settled, at, running, from, rules)),
    promoteEvidence: evidenceOf(logTailPromote(rules, cut, settled, at, running, from, split, phi)),
    ...used,
  };
};
