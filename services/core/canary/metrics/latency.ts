import type { DeadlineResult } from '../statistics/deadline-test.ts';
import type { Boundary, Durations, DurationsProblem, Grid } from '../windows/durations.ts';
import {
  addDurations,
  boundaryNearest,
  boundaryPassedBy,
  boundarySeconds,
  edgeOf,
  isShiftable,
  logMoments,
  logWidth,
  plateauOf,
  totalOf,
} from '../windows/durations.ts';
import { evidenceOf } from '../statistics/evidence.ts';
import { logSumExp } from '../statistics/log-sum-exp.ts';
import type { RateCounts } from '../statistics/rate-counts.ts';
import { isSplitOtherwise } from '../statistics/rate-counts.ts';
import type {
  Numbers,
  OpenNumbers,
  RuledJudge,
  ShownWindow,
  WindowPlace,
} from '../judge/metric-judge.ts';
import { logRollbackIn, settledOf } from '../judge/metric-judge.ts';
import { initialCurve } from '../statistics/ratio-curve.ts';
import type { MeasuredAt, TrafficSeen } from '../statistics/scatter.ts';
import {
  addTraffic,
  raisedPhi,
  raisedTimes,
  trafficIn,
  trafficLength,
  usedPhi,
} from '../statistics/scatter.ts';
import type { StakeRules } from '../statistics/stakes.ts';
import { zeros } from '../statistics/stakes.ts';
import type { LoudIndex } from '../analysis/strongest-windows.ts';
import {
  addLoudWindow,
  loudLength,
  loudWindows,
  noLoudWindows,
} from '../analysis/strongest-windows.ts';
import type { Cut, LatencyMargins, NearBoundary, TailExplanation } from './latency-tail.ts';
import {
  addToTail,
  armOf,
  baselineIn,
  boundaryIn,
  cappedBlocksIn,
  cutOf,
  explainTail,
  gapQuantile,
  guardQuantile,
  isFineBelow,
  isGuard,
  isTelling,
  latencyGuard,
  logTailPromote,
  logTailRollback,
  marginsOf,
  moveTail,
  nearBoundary,
  quantileIn,
  restartTail,
  runningLength,
  settledLength,
  settleTail,
  splitLength,
  splitOfTail,
  tailAt,
  tailDeadline,
} from './latency-tail.ts';
import { boundariesAboutGaps, isAskedByShares } from './latency-gap.ts';
import type { SlowerPart } from './slower-part.ts';
import {
  addToLadder,
  initialLadder,
  rowsOf,
  runningLadderLength,
  settledLadderLength,
  settleLadder,
  slowerPartIn,
} from './slower-part.ts';
import type { MeanLogExplanation } from './mean-log.ts';
import {
  addToMeanLog,
  cappedMeanLogBlocks,
  explainMeanLog,
  centreSecondsIn,
  initialMeanLog,
  logMeanLogCapital,
  logReach,
  passMeanLog,
} from './mean-log.ts';

/** Quantiles of the baseline at which tails are cut. Coarse buckets have all four; fine ones leave out the second. */
export const latencyQuantiles: readonly number[] = [0.5, 0.75, 0.9, 0.99];
const coarseOnly = 0.75;

/** A boundary further from its quantile than this (a share of 1 % that is 4 % or 0.2 %) stands for no other one. */
const logitsAwayMax = 1.5;

/**
 * Where the tails are cut: for each quantile the boundary nearest to it, or the lowest with the same share beyond it.
 * Where two would share one, as they do between coarse buckets, the later one takes the next, if that is not far off.
 */
export const latencyBoundaries = (
  seen: Durations,
): readonly (readonly [quantile: number, boundary: Boundary])[] => {
  const chosen: (readonly [number, Boundary])[] = [];
  for (const quantile of latencyQuantiles) {
    const taken = chosen.map(([, boundary]) => boundary);
    const nearest = boundaryNearest(seen, quantile, taken);
    if (nearest === undefined) continue;
    if (chosen.length === 0) {
      chosen.push([quantile, middleOf(seen, nearest)]);
      continue;
    }
    if (quantile === coarseOnly && isShiftable(nearest.boundary)) continue;
    if (nearest.logitsAway > logitsAwayMax) continue;
    chosen.push([quantile, plateauOf(seen, nearest.boundary, taken)]);
  }
  return chosen;
};

/** The same, and last the guard that a promotion by coarse buckets may need. */
const tailBoundaries = (
  margins: Pick<LatencyMargins, 'fineBelowMs'>,
  seen: Durations,
): readonly (readonly [quantile: number, boundary: Boundary])[] => {
  const boundaries = latencyBoundaries(seen);
  const guard = latencyGuard(margins, seen);
  const isCut = guard === undefined || boundaries.some(([, one]) => edgeOf(one) === edgeOf(guard));
  return isCut ? boundaries : [...boundaries, [guardQuantile, guard]];
};

/**
 * The one for the middle is taken however far off it is. But where one coarse bucket holds nearly all durations, a boundary
 * below it has everything beyond it whether they grow or not: it is the upper one that shows it.
 */
const middleOf = (
  seen: Durations,
  { boundary, logitsAway }: { readonly boundary: Boundary; readonly logitsAway: number },
): Boundary =>
  isShiftable(boundary) || logitsAway <= logitsAwayMax
    ? plateauOf(seen, boundary, [])
    : (boundaryPassedBy(seen, 0.5) ?? boundary);

export type LatencyRule = StakeRules &
  LatencyMargins & {
    readonly phi: LatencyPhi;
    /** The traffic at which it was measured; null: phi stands at any. */
    readonly measuredAt: MeasuredAt | null;
  };

/** How much more than independent requests each test scatters, at least 1; tails in order of `latencyQuantiles`. */
export type LatencyPhi = { readonly tails: readonly number[]; readonly meanLog: number };

/**
 * Durations of requests: three tails and the mean of their logarithms; four tails where buckets are coarse.
 *
 * Settled, after the loudest windows, is what finished blocks came to, and running, after ln of the evidence, the running
 * block: numbers of each tail in turn, those of the mean log, those of the ladder (`slower-part.ts`), and running the traffic
 * where it counts (`scatter.ts`). Before boundaries are chosen there is nothing of the others.
 */
export type LatencyRest = {
  readonly judged: 'latency';
  /** Before the boundaries are chosen; null from then on. */
  readonly warmUp: WarmUp | null;
  /** Null until they are chosen. */
  readonly cut: Cut | null;
  /** How many there are. */
  readonly tails: number;
  /** Of each tail the curve of the finished blocks (`RatioCurve`), with a space in between: one text is less than some. */
  readonly heights: string;
  readonly hasMeanLog: boolean;
  /** Of each tail in turn where the running block's traffic was split otherwise once (`Split`); null: it was not. */
  readonly split: readonly number[] | null;
  /** Of the ladder (`slower-part.ts`); none until the boundaries are chosen. */
  readonly ladderRows: number;
  /** Windows in which both cohorts said something that could not be compared, and why the last one could not. */
  readonly unusableWindows: number;
  readonly problem: LatencyProblem | null;
  readonly settledLength: number;
  readonly runningLength: number;
};
export type LatencyState = LatencyRest & Numbers;

type WarmUp = {
  /** What the baseline showed, and the buckets of the canary, all empty. */
  readonly baseline: Durations | null;
  readonly canaryBuckets: Durations | null;
  readonly canaryRequests: number;
  readonly restartsBegun: number;
};

/** `scale-fell`: the buckets have become coarser; boundaries move to what these have, from the next window on. */
export type LatencyProblem = DurationsProblem | 'scale-fell';

/** Boundaries are chosen from at least so many requests of the baseline. */
const baselineRequestsMin = 50;

/** No text of a curve has one. */
const between = ' ';
/** From its first running number on. */
const tailsAt = 1;

export const latencyJudge: RuledJudge<
  LatencyRule,
  ShownWindow<Durations>,
  LatencyRest,
  LatencyExplanation
> = {
  initial: ({ measuredAt }) => ({
    settled: noLoudWindows,
    running: zeros(tailsAt + trafficLength(measuredAt)),
    rest: {
      judged: 'latency',
      warmUp: { baseline: null, canaryBuckets: null, canaryRequests: 0, restartsBegun: 0 },
      cut: null,
      tails: 0,
      heights: '',
      hasMeanLog: false,
      split: null,
      ladderRows: 0,
      unusableWindows: 0,
      problem: null,
      settledLength: loudLength,
      runningLength: tailsAt + trafficLength(measuredAt),
    },
  }),
  settledLength: (_rule, rest) => rest.settledLength,
  runningLength: (_rule, rest) => rest.runningLength,
  addWindow: (rule, before, open, window, place) => {
    const rest = before.warmUp === null || !place.judged ? before : chosen(rule, before, open);
    if (rest.warmUp !== null) return observe(rule, rest, rest.warmUp, open, window, place);
    const { canary, baseline } = window;
    const { cut } = rest;
    if (cut === null) return rest;
    return place.judged && canary !== null && baseline !== null
      ? judged(rule, rest, cut, open, canary, baseline, place)
      : passed(rule, rest, cut, open, place);
  },
  logPromote: (rule, state) => logPromoteOf(rule, state),
  explain: (rule, state) => explain(rule, state),
};

const observe = (
  rule: LatencyRule,
  state: LatencyRest,
  warmUp: WarmUp,
  open: OpenNumbers,
  { canary, baseline }: ShownWindow<Durations>,
  place: WindowPlace,
): LatencyRest => {
  const restartsBegun = warmUp.restartsBegun + (place.beginsRestart ? 1 : 0);
  if (canary === null && baseline === null && restartsBegun === warmUp.restartsBegun) return state;
  const next: WarmUp = {
    baseline: together(warmUp.baseline, baseline),
    canaryBuckets: together(warmUp.canaryBuckets, canary && emptied(canary)),
    canaryRequests: warmUp.canaryRequests + (canary === null ? 0 : totalOf(canary)),
    restartsBegun,
  };
  if (rule.measuredAt !== null && canary !== null && baseline !== null)
    seeTraffic(rule, state, open, totalOf(canary), totalOf(baseline), false);
  return { ...state, warmUp: next };
};

const seeTraffic = (
  { measuredAt }: LatencyRule,
  rest: LatencyRest,
  { running, from }: OpenNumbers,
  canary: number,
  baseline: number,
  isJudged: boolean,
): void => {
  if (!(canary > 0 && baseline > 0)) return;
  const at = from + trafficAt(measuredAt, rest);
  addTraffic(measuredAt, running, at, canary, baseline, isJudged);
};

/** The last of its running numbers. */
const trafficAt = (at: MeasuredAt | null, { runningLength: length }: LatencyRest): number =>
  length - trafficLength(at);

const trafficOf = (
  { measuredAt }: LatencyRule,
  rest: LatencyRest,
  { running, from }: Pick<Numbers, 'running' | 'from'>,
): TrafficSeen => trafficIn(measuredAt, running, from + trafficAt(measuredAt, rest));

/** How many times the traffic of the history it is now. */
const timesIn = (
  rule: LatencyRule,
  rest: LatencyRest,
  numbers: Pick<Numbers, 'running' | 'from'>,
): number => raisedTimes(rule.measuredAt, trafficOf(rule, rest, numbers));

/** Of two that cannot be added the later one counts. */
const together = (before: Durations | null, now: Durations | null): Durations | null => {
  if (before === null || now === null) return now ?? before;
  const sum = addDurations(before, now);
  return sum.ok ? sum.value : now;
};

const emptied = (durations: Durations): Durations =>
  durations.shape === 'explicit'
    ? { ...durations, counts: durations.counts.map(() => 0) }
    : { ...durations, zeroCount: 0, offset: 0, counts: [] };

/** With boundaries and tests, as soon as enough was seen: all of it before the window at hand, as it must be. */
const chosen = (rule: LatencyRule, state: LatencyRest, open: OpenNumbers): LatencyRest => {
  const { warmUp } = state;
  if (warmUp === null || warmUp.baseline === null || warmUp.canaryBuckets === null) return state;
  const seen = addDurations(warmUp.baseline, warmUp.canaryBuckets);
  if (!seen.ok) return state.problem === seen.problem ? state : { ...state, problem: seen.problem };
  const total = totalOf(seen.value);
  if (total < baselineRequestsMin) return state;
  const atQuantiles = tailBoundaries(rule, seen.value);
  const [[, middle] = []] = atQuantiles;
  if (middle === undefined) return state;
  const cut = cutOf(middle, rule);
  const edges = atQuantiles.map(([, boundary]) => edgeOf(boundary));
  const more = boundariesAboutGaps(rule, cut, edges, seen.value, {
    canaryRequests: warmUp.canaryRequests,
    phi: measuredPhi(rule, gapQuantile),
  });
  const boundaries = [...atQuantiles, ...more.map((one) => [gapQuantile, one] as const)];
  const { restartsBegun } = warmUp;
  const settled: number[] = [];
  let runningTotal = 0;
  for (const [quantile, boundary] of boundaries) {
    const edge = edgeOf(boundary);
    const byShares = isAskedByShares(rule, cut, edge, seen.value);
    settled.push(...tailAt(quantile, edge, cut, seen.value, total, byShares, rule, restartsBegun));
    runningTotal += runningLength(quantile);
  }
  const running = zeros(runningTotal);
  const centreSeconds = boundarySeconds(middle);
  const moments = isShiftable(middle) ? logMoments(seen.value, centreSeconds, logReach) : undefined;
  if (moments !== undefined) {
    const meanLog = initialMeanLog(centreSeconds, moments, rule, restartsBegun);
    settled.push(...meanLog.settled);
    running.push(...meanLog.running);
  }
  const ladder = initialLadder(cut, seen.value);
  const ladderRows = rowsOf(ladder);
  settled.push(...ladder);
  running.push(...zeros(runningLadderLength(ladderRows)));
  settledOf(open).splice(open.at + loudLength, 0, ...settled);
  open.running.splice(open.from + tailsAt, 0, ...running);
  return {
    ...state,
    warmUp: null,
    cut,
    tails: boundaries.length,
    heights: boundaries.map(() => initialCurve.heights).join(between),
    hasMeanLog: moments !== undefined,
    ladderRows,
    problem: null,
    settledLength: loudLength + settled.length,
    runningLength: state.runningLength + running.length,
  };
};

const judged = (
  rule: LatencyRule,
  before: LatencyRest,
  cut: Cut,
  open: OpenNumbers,
  canaryShown: Durations,
  baselineShown: Durations,
  place: WindowPlace,
): LatencyRest => {
  const canary = armOf(canaryShown, canaryTops);
  const baseline = armOf(baselineShown, baselineTops);
  seeTraffic(rule, before, open, canary.total, baseline.total, true);
  const times = timesIn(rule, before, open);
  const { settled, running } = open;
  const split = splitWith(rule, before, cut, open, canary.total, baseline.total, times);
  let isUsable = true;
  let [at, from] = [open.at + loudLength, open.from + tailsAt];
  for (let index = 0; index < before.tails; index += 1) {
    const quantile = quantileIn(settled, at);
    const phi = phiOf(rule, quantile, times);
    const isTaken = addToTail(
      rule,
      cut,
      settled,
      at,
      running,
      from,
      canary,
      baseline,
      phi,
      place.beginsRestart,
    );
    if (!isTaken) isUsable = false;
    at += settledLength(quantile);
    from += runningLength(quantile);
  }
  if (before.hasMeanLog)
    addMeans(rule, cut, settled, at, running, from, canaryShown, baselineShown, times);
  const ladder = ladderIn(rule, before, open);
  const rows = addToLadder(cut, open, ladder.at, ladder.from, before.ladderRows, canary, baseline);
  const shown = rows === before.ladderRows ? before : withRows(before, rows);
  const rest = blockPassed(rule, shown, cut, open, split, place, times);
  const evidenceBefore = running[open.from] ?? 0;
  const evidence = logRollbackOf(rule, rest, open);
  running[open.from] = evidence;
  if (isUsable) {
    addLoudWindow(open, place, evidence - evidenceBefore);
    return rest;
  }
  const problem = problemOf(cut, canaryShown, baselineShown);
  return {
    ...rest,
    cut:
      problem === 'scale-fell'
        ? movedTo(rule, cut, rest, open, scaleOf(canaryShown, baselineShown))
        : cut,
    unusableWindows: before.unusableWindows + 1,
    problem,
  };
};

const passed = (
  rule: LatencyRule,
  before: LatencyRest,
  cut: Cut,
  open: OpenNumbers,
  place: WindowPlace,
): LatencyRest => {
  const times = timesIn(rule, before, open);
  const rest = blockPassed(rule, before, cut, open, before.split, place, times);
  open.running[open.from] = logRollbackOf(rule, rest, open);
  return rest;
};

/** With a ladder of fewer rows, whose numbers are fewer already. */
const withRows = (rest: LatencyRest, ladderRows: number): LatencyRest => {
  const before = rest.ladderRows;
  return {
    ...rest,
    ladderRows,
    settledLength:
      rest.settledLength - settledLadderLength(before) + settledLadderLength(ladderRows),
    runningLength:
      rest.runningLength - runningLadderLength(before) + runningLadderLength(ladderRows),
  };
};

/** What is in the highest buckets of either cohort (`fillTops`): of one window, and overwritten by the next. */
const canaryTops: number[] = [];
const baselineTops: number[] = [];

/** Where its numbers are: behind all others but those of the traffic. */
const ladderIn = (
  { measuredAt }: LatencyRule,
  rest: LatencyRest,
  { at, from }: Pick<Numbers, 'at' | 'from'>,
): Pick<Numbers, 'at' | 'from'> => ({
  at: at + rest.settledLength - settledLadderLength(rest.ladderRows),
  from: from + trafficAt(measuredAt, rest) - runningLadderLength(rest.ladderRows),
});

/** Before a window whose traffic is split otherwise than that of the pair, which ends (`rates.ts`). */
const splitWith = (
  rule: LatencyRule,
  rest: LatencyRest,
  cut: Cut,
  open: OpenNumbers,
  canaryTotal: number,
  baselineTotal: number,
  times: number,
): readonly number[] | null => {
  const { settled, running, from: first } = open;
  const { split } = rest;
  // The totals of the first tail are those of all.
  const isOtherwise =
    rest.tails > 0 && isSplitOtherwise(running, first + tailsAt, split, canaryTotal, baselineTotal);
  if (!isOtherwise) return split;
  return placesIn(rest, open).places.flatMap(({ quantile, at, from, splitAt }) => {
    const phi = phiOf(rule, quantile, times);
    const ofTail = { numbers: split, at: splitAt };
    return splitOfTail(rule, cut, settled, at, running, from, ofTail, phi);
  });
};

/** With the restart that begins with this window, and the block that ends with it. */
const blockPassed = (
  rule: LatencyRule,
  rest: LatencyRest,
  cut: Cut,
  open: OpenNumbers,
  split: readonly number[] | null,
  place: WindowPlace,
  times: number,
): LatencyRest => {
  if (!place.beginsRestart && !place.endsBlock)
    return split === rest.split ? rest : { ...rest, split };
  const settled = settledOf(open);
  const { running } = open;
  const { places, ...meanLog } = placesIn(rest, open);
  const texts = rest.heights.split(between);
  const heights = places.map(({ tail, quantile, at, from, splitAt }) => {
    restartTail(settled, at, place, rule);
    const before = texts[tail] ?? '';
    if (!place.endsBlock) return before;
    const phi = phiOf(rule, quantile, times);
    const ofTail = { numbers: split, at: splitAt };
    return settleTail(rule, cut, before, settled, at, running, from, ofTail, phi);
  });
  if (rest.hasMeanLog) passMeanLog(settled, meanLog.at, running, meanLog.from, place, rule);
  const ladder = ladderIn(rule, rest, open);
  if (place.endsBlock) settleLadder(settled, ladder.at, rest.ladderRows, running, ladder.from);
  return { ...rest, heights: heights.join(between), split: place.endsBlock ? null : split };
};

/** Adds the window's mean of log-durations to the running block, where its buckets are fine enough to say it. */
const addMeans = (
  rule: LatencyRule,
  cut: Cut,
  settled: readonly number[],
  at: number,
  running: number[],
  from: number,
  canary: Durations,
  baseline: Durations,
  times: number,
): void => {
  const centreSeconds = centreSecondsIn(settled, at);
  const canaryMoments = logMoments(canary, centreSeconds, logReach);
  const baselineMoments = logMoments(baseline, centreSeconds, logReach);
  // The margin is whole buckets of the tails' scale; on coarser ones the means would not shift by it.
  const scale = scaleIn(cut);
  const isFine = scale !== undefined && scaleOf(canary, baseline) >= scale;
  if (canaryMoments === undefined || baselineMoments === undefined || !isFine) return;
  const logMargin = cut.shift * logWidth(scale);
  const phi = raisedPhi(rule.measuredAt, rule.phi.meanLog, times);
  addToMeanLog(running, from, canaryMoments, baselineMoments, logMargin, scale, phi);
};

/**
 * The part of the stake on the middle where the mean of logarithms is tested, too: durations that all grow move both,
 * and the mean sees it sooner. The rest is shared out evenly.
 */
const middlePart = 0.1;

/** E = a weighted average of the tests' e-values, an e-value whatever hangs together among them. */
const logRollbackOf = (
  rule: LatencyRule,
  { hasMeanLog, tails }: LatencyRest,
  { settled, at: firstAt, running, from: firstFrom }: OpenNumbers,
): number => {
  let [at, from] = [firstAt + loudLength, firstFrom + tailsAt];
  let staked = 0;
  for (let index = 0; index < tails; index += 1) {
    const quantile = quantileIn(settled, at);
    // Guards, which are the last ones, stake nothing on this question.
    if (!isGuard(quantile)) {
      logsOfTests[staked] = logTailRollback(settled, at, running, from, rule);
      staked += 1;
    }
    at += settledLength(quantile);
    from += runningLength(quantile);
  }
  if (hasMeanLog) logsOfTests[staked] = logMeanLogCapital(settled, at, running, from, rule);
  const tests = staked + (hasMeanLog ? 1 : 0);
  const first = hasMeanLog && staked > 1 ? middlePart : 1 / tests;
  const logOther = Math.log((1 - first) / Math.max(1, tests - 1));
  for (let index = 1; index < tests; index += 1)
    logsOfTests[index] = (logsOfTests[index] ?? 0) + logOther;
  // The middle is the first of them.
  logsOfTests[0] = (logsOfTests[0] ?? 0) + Math.log(first);
  return logSumExp(logsOfTests, tests);
};

/** Of one call, and overwritten by the next. */
const logsOfTests: number[] = [];

/**
 * A promotion needs every tail: slower beyond the margin in any of them must be refuted by itself. But where nearly all of
 * the baseline's requests are fine, those at lower boundaries may become slower: that they stay fine is shown by the
 * highest boundary of what is fine, and the tails further out.
 */
const logPromoteOf = (rule: LatencyRule, state: LatencyState): number => {
  const { cut, settled, running } = state;
  if (cut === null) return 0;
  const { places } = placesIn(state, state);
  const fineSeconds = fineSecondsIn(rule, state, places);
  const times = timesIn(rule, state, state);
  let least = Infinity;
  for (const { quantile, at, from, splitAt } of places) {
    if (fineSeconds !== null && boundarySeconds(boundaryIn(cut, settled, at)) < fineSeconds)
      continue;
    const phi = phiOf(rule, quantile, times);
    const ofTail = { numbers: state.split, at: splitAt };
    least = Math.min(least, logTailPromote(rule, cut, settled, at, running, from, ofTail, phi));
  }
  return least === Infinity ? 0 : least;
};

/** The highest boundary that nearly all of the baseline's requests are fine by; null: none, or buckets are fine enough. */
const fineSecondsIn = (
  rule: LatencyRule,
  state: LatencyState,
  places: readonly TailPlace[],
): number | null => {
  const { cut, settled, running } = state;
  if (cut === null || isShiftable(cut)) return null;
  let highest: number | null = null;
  for (const { at, from } of places) {
    const boundary = boundaryIn(cut, settled, at);
    const seconds = boundarySeconds(boundary);
    if (
      seconds > (highest ?? 0) &&
      isFineBelow(rule, boundary, baselineIn(settled, at, running, from))
    )
      highest = seconds;
  }
  return highest;
};

/** The part of the canary's requests that plainly takes longer, whatever the tails say; null: none does. */
export const latencySlowerPart = (rule: LatencyRule, state: LatencyState): SlowerPart | null => {
  const { cut, ladderRows, settled, running } = state;
  if (cut === null) return null;
  const fineSeconds = fineSecondsIn(rule, state, placesIn(state, state).places);
  // That of the tail that scatters most: nobody measures a part's own.
  const phi = phiOf(rule, guardQuantile, timesIn(rule, state, state));
  const { at, from } = ladderIn(rule, state, state);
  return slowerPartIn(rule, cut, settled, at, ladderRows, running, from, phi, fineSeconds);
};

/** The boundary that is nearest (null: buckets have no bound at all), and how many of the baseline's requests are slower. */
export type NoBound = { readonly boundaryMs: number | null; readonly baseline: RateCounts };

export type NoBoundOf = NoBound & { readonly metric: string };

/**
 * Where none of the tails would show that the canary is slower (`isTelling`), whatever they say, or too many requests are
 * beyond them all; null: it would be seen, or nothing was compared yet. Exponential buckets that are fine enough show it
 * by themselves: the baseline is counted above a lower boundary, and a promotion is the evidence that the canary has fewer.
 */
export const noBoundIn = (rule: LatencyRule, state: LatencyState): NoBound | null => {
  const { cut, settled, running, warmUp } = state;
  const seen = [warmUp?.baseline, warmUp?.canaryBuckets];
  return cut === null
    ? seen.every(isBoundless)
      ? boundless(warmUp?.baseline)
      : null
    : noneTelling(
        rule,
        placesIn(state, state).places.map(({ at, from }) => [
          boundaryIn(cut, settled, at),
          baselineIn(settled, at, running, from),
        ]),
      );
};

const isBoundless = (seen: Durations | null | undefined): boolean =>
  seen?.shape === 'explicit' && seen.bounds.length === 0;

const boundless = (seen: Durations | null | undefined): NoBound => ({
  boundaryMs: null,
  baseline: { total: seen ? totalOf(seen) : 0, events: 0 },
});

/** The same of tails that would be cut from these durations. */
export const noBoundFor = (
  margins: Pick<LatencyMargins, 'promoteTolerance' | 'fineBelowMs'>,
  seen: Durations,
): NoBound | null =>
  isBoundless(seen)
    ? boundless(seen)
    : noneTelling(
        margins,
        tailBoundaries(margins, seen).map(([, boundary]) => [
          boundary,
          nearBoundary(seen, boundary),
        ]),
      );

/** Those beyond the last boundary may take as long as they like, and no tail sees it: of the baseline's at most so many. */
const beyondAllShareMax = 0.2;

const noneTelling = (
  margins: Pick<LatencyMargins, 'promoteTolerance' | 'fineBelowMs'>,
  tails: readonly (readonly [Boundary, NearBoundary])[],
): NoBound | null => {
  const [middle] = tails;
  const last = tails.toSorted(([, left], [, right]) => left.events - right.events)[0];
  if (middle === undefined || last === undefined || isShiftable(middle[0])) return null;
  const isAnyTelling = tails.some(([at, near]) => isTelling(margins, at, near));
  const [boundary, { total, events }] = isAnyTelling ? last : middle;
  return total === 0 || (isAnyTelling && events <= beyondAllShareMax * total)
    ? null
    : { boundaryMs: boundarySeconds(boundary) * 1_000, baseline: { total, events } };
};

const problemOf = (cut: Cut, canary: Durations, baseline: Durations): LatencyProblem => {
  if (canary.shape !== cut.shape || baseline.shape !== cut.shape) return 'shapes-differ';
  const units = [cut, canary, baseline].map(unitIn);
  if (new Set(units).size > 1) return 'units-differ';
  return cut.shape === 'explicit' ? 'no-shared-bound' : 'scale-fell';
};

const unitIn = (of: Grid | Durations): 'ms' | undefined =>
  of.shape === 'exponential' ? of.unit : undefined;

const movedTo = (
  rule: LatencyRule,
  cut: Cut,
  rest: LatencyRest,
  open: OpenNumbers,
  scale: number,
): Cut => {
  const settled = settledOf(open);
  let moved = cut;
  for (const { at } of placesIn(rest, open).places) moved = moveTail(cut, settled, at, scale, rule);
  return moved;
};

const scaleOf = (canary: Durations, baseline: Durations): number =>
  canary.shape === 'exponential' && baseline.shape === 'exponential'
    ? Math.min(canary.scale, baseline.scale)
    : -Infinity;

const scaleIn = (grid: Grid): number | undefined =>
  grid.shape === 'exponential' ? grid.scale : undefined;

/** Nobody measures a guard's own: it has the largest of the tails'. */
const measuredPhi = ({ phi }: LatencyRule, quantile: number): number =>
  isGuard(quantile)
    ? Math.max(1, ...phi.tails)
    : (phi.tails[latencyQuantiles.indexOf(quantile)] ?? 1);

const phiOf = (rule: LatencyRule, quantile: number, times: number): number =>
  raisedPhi(rule.measuredAt, measuredPhi(rule, quantile), times);

type TailPlace = {
  /** Which one it is. */
  readonly tail: number;
  readonly quantile: number;
  readonly at: number;
  readonly from: number;
  readonly splitAt: number;
};

/** Each tail with its quantile and the places of its numbers; and where those of the mean log are. */
const placesIn = (
  { tails }: LatencyRest,
  { settled, at: firstAt, from: firstFrom }: Pick<Numbers, 'settled' | 'at' | 'from'>,
): {
  readonly places: readonly TailPlace[];
  readonly at: number;
  readonly from: number;
} => {
  let [at, from, splitAt] = [firstAt + loudLength, firstFrom + tailsAt, 0];
  const places = Array.from({ length: tails }, (_, tail): TailPlace => {
    const quantile = quantileIn(settled, at);
    const place = { tail, quantile, at, from, splitAt };
    at += settledLength(quantile);
    from += runningLength(quantile);
    splitAt += splitLength(quantile);
    return place;
  });
  return { places, at, from };
};

/**
 * The tests at the deadline, one for each tail, each with its part of `alpha`; empty where nothing was compared.
 */
export const latencyDeadline = (
  rule: LatencyRule,
  state: LatencyState,
  alpha: number,
): readonly (DeadlineResult & { readonly quantile: number })[] => {
  const { cut, settled, running } = state;
  if (cut === null) return [];
  const times = timesIn(rule, state, state);
  const places = placesIn(state, state).places.filter(({ quantile }) => !isGuard(quantile));
  const texts = state.heights.split(between);
  return places.map(({ tail, quantile, at, from }) => {
    const phi = phiOf(rule, quantile, times);
    const part = alpha / places.length;
    return {
      quantile,
      ...tailDeadline(rule, cut, texts[tail] ?? '', settled, at, running, from, phi, part),
    };
  });
};

/** Where the tails are cut. */
export const boundariesIn = (state: LatencyState): readonly Boundary[] => {
  const { cut, settled } = state;
  return cut === null
    ? []
    : placesIn(state, state).places.map(({ at }) => boundaryIn(cut, settled, at));
};

export type LatencyExplanation = {
  readonly judged: 'latency';
  readonly tails: readonly TailExplanation[];
  /** The place in `tails` of the one that spoke loudest against the canary; null: nothing was compared. */
  readonly loudest: number | null;
  /** The place in `tails` of the one that shows what is fast enough, whatever those below it say; null: none does. */
  readonly fine: number | null;
  /** How much slower the canary may be, and for a promotion, after rounding to buckets. */
  readonly margin: number;
  readonly promoteMargin: number;
  readonly rollbackEvidence: number;
  readonly promoteEvidence: number;
  /** Of the mean of log-durations alone; null where buckets are too coarse for it. */
  readonly meanLogEvidence: number | null;
  /** Absent where that is null, or no window was compared by it. */
  readonly meanLog?: MeanLogExplanation;
  /** Why nothing is promoted, whatever the evidence; null: there is a bound that would show a slower canary. */
  readonly noBound: NoBound | null;
  /** Why nothing is promoted, whatever the tails say; null: no part of the requests plainly takes longer. */
  readonly slowerPart: SlowerPart | null;
  readonly strongestWindows: readonly LoudIndex[];
  readonly cappedBlocks: number;
  readonly unusableWindows: number;
  readonly problem: LatencyProblem | null;
};

/**
 * What the mean of logarithms says, where it has decided: no share beyond a boundary is against the canary, and all
 * durations together are. Null: it is the tails that say how much slower it is.
 */
export const decisiveMeanLog = ({
  tails,
  loudest,
  meanLog,
  meanLogEvidence,
}: LatencyExplanation): MeanLogExplanation | null => {
  const ofTail = (loudest === null ? undefined : tails[loudest])?.rollbackEvidence ?? 0;
  const isLouder = meanLogEvidence !== null && ofTail < 1 && meanLogEvidence > ofTail;
  return isLouder ? (meanLog ?? null) : null;
};

const explain = (rule: LatencyRule, state: LatencyState): LatencyExplanation => {
  const { cut, settled, running, hasMeanLog } = state;
  const times = timesIn(rule, state, state);
  const { places, at: meanLogAt, from: meanLogFrom } = placesIn(state, state);
  const texts = state.heights.split(between);
  const explained = places.flatMap(({ tail, quantile, at, from, splitAt }) => {
    const phi = phiOf(rule, quantile, times);
    const traffic = trafficOf(rule, state, state);
    const used = usedPhi(rule.measuredAt, measuredPhi(rule, quantile), traffic);
    const ofTail = { numbers: state.split, at: splitAt };
    return cut === null
      ? []
      : explainTail(rule, cut, texts[tail] ?? '', settled, at, running, from, ofTail, phi, used);
  });
  const evidence = explained.map(({ rollbackEvidence }) => rollbackEvidence);
  const fineSeconds = fineSecondsIn(rule, state, places);
  const fine = explained.findIndex(({ boundaryMs }) => boundaryMs === (fineSeconds ?? 0) * 1_000);
  const [margin, promoteMargin] = cut === null ? [0, 0] : marginsOf(cut);
  const blocks = places.map(({ at }) => cappedBlocksIn(settled, at));
  const meanLogPhi = raisedPhi(rule.measuredAt, rule.phi.meanLog, times);
  const meanLog = hasMeanLog
    ? explainMeanLog(settled, meanLogAt, running, meanLogFrom, meanLogPhi)
    : null;
  return {
    judged: 'latency',
    tails: explained,
    loudest: places.length === 0 ? null : evidence.indexOf(Math.max(...evidence)),
    fine: fine < 0 ? null : fine,
    margin,
    promoteMargin,
    rollbackEvidence: evidenceOf(logRollbackIn(state)),
    promoteEvidence: evidenceOf(logPromoteOf(rule, state)),
    meanLogEvidence: hasMeanLog
      ? evidenceOf(logMeanLogCapital(settled, meanLogAt, running, meanLogFrom, rule))
      : null,
    ...(meanLog !== null && { meanLog }),
    noBound: noBoundIn(rule, state),
    slowerPart: latencySlowerPart(rule, state),
    strongestWindows: loudWindows(state.settled, state.at),
    cappedBlocks: Math.max(0, hasMeanLog ? cappedMeanLogBlocks(settled, meanLogAt) : 0, ...blocks),
    unusableWindows: state.unusableWindows,
    problem: state.problem,
  };
};
