import type { DeadlineResult } from '../deadline-test.ts';
import type { Boundary, Durations, DurationsProblem } from '../durations.ts';
import {
  addDurations,
  boundaryNearest,
  boundarySeconds,
  isShiftable,
  logMoments,
  logWidth,
  totalOf,
} from '../durations.ts';
import { evidenceOf } from '../evidence.ts';
import { logSumExp } from '../log-sum-exp.ts';
import type { MetricEvidence, RuledJudge, ShownWindow, WindowPlace } from '../metric-judge.ts';
import type { MeasuredAt, TrafficSeen } from '../scatter.ts';
import { noTrafficSeen, raisedPhi, raisedTimes, usedPhi, withTraffic } from '../scatter.ts';
import type { StakeRules } from '../stakes.ts';
import { alternativesOf, cappedBlocksOf, logCapital, restarted, settle, zeros } from '../stakes.ts';
import type { LoudWindow, LoudWindows } from '../strongest-windows.ts';
import { loudWindows, withWindow } from '../strongest-windows.ts';
import type { Arm, LatencyMargins, Tail, TailExplanation } from './latency-tail.ts';
import {
  addToTail,
  cappedBlocksIn,
  explainTail,
  logPromoteOf,
  logRollbackOf,
  marginsOf,
  restartedTail,
  runningLengthOf,
  settledTail,
  tailAt,
  tailAtScale,
  tailDeadline,
} from './latency-tail.ts';
import type { MeanLog } from './mean-log.ts';
import { addToMeanLog, initialMeanLog, logReach } from './mean-log.ts';

/** Quantiles of the baseline at which tails are cut. Coarse buckets have all four; fine ones leave out the second. */
export const latencyQuantiles: readonly number[] = [0.5, 0.75, 0.9, 0.99];
const coarseOnly = 0.75;

/** A boundary further from its quantile than this (a share of 1 % that is 4 % or 0.2 %) stands for no other one. */
const logitsAwayMax = 1.5;

/**
 * Where the tails are cut: for each quantile the boundary nearest to it. Where two would share one, as they do between
 * coarse buckets, the later one takes the next, if that is not far off.
 */
export const latencyBoundaries = (
  seen: Durations,
): readonly (readonly [quantile: number, boundary: Boundary])[] => {
  const chosen: (readonly [number, Boundary])[] = [];
  for (const quantile of latencyQuantiles) {
    const taken = chosen.map(([, boundary]) => boundary);
    const nearest = boundaryNearest(seen, quantile, taken);
    if (nearest === undefined) continue;
    if (quantile === coarseOnly && isShiftable(nearest.boundary)) continue;
    if (chosen.length > 0 && nearest.logitsAway > logitsAwayMax) continue;
    chosen.push([quantile, nearest.boundary]);
  }
  return chosen;
};

export type LatencyRule = StakeRules &
  LatencyMargins & {
    readonly phi: LatencyPhi;
    /** The traffic at which it was measured; null: phi stands at any. */
    readonly measuredAt: MeasuredAt | null;
  };

/** How much more than independent requests each test scatters, at least 1; tails in order of `latencyQuantiles`. */
export type LatencyPhi = { readonly tails: readonly number[]; readonly meanLog: number };

/** Durations of requests: three tails and the mean of their logarithms; four tails where buckets are coarse. */
export type LatencyState = MetricEvidence & {
  /** Before the boundaries are chosen; null from then on. */
  readonly warmUp: WarmUp | null;
  readonly tails: readonly Tail[];
  readonly meanLog: MeanLog | null;
  /** The running block: that of each tail, then the growth of `meanLog`. */
  readonly running: readonly number[];
  readonly traffic: TrafficSeen;
  readonly strongestWindows: LoudWindows;
  /** Windows in which both cohorts said something that could not be compared, and why the last one could not. */
  readonly unusableWindows: number;
  readonly problem: LatencyProblem | null;
};

type WarmUp = {
  /** What the baseline showed, and the buckets of the canary, all empty. */
  readonly baseline: Durations | null;
  readonly canaryBuckets: Durations | null;
  readonly restartsBegun: number;
};

/** `scale-fell`: the buckets have become coarser; boundaries move to what these have, from the next window on. */
export type LatencyProblem = DurationsProblem | 'scale-fell';

/** Boundaries are chosen from at least so many requests of the baseline. */
const baselineRequestsMin = 50;

export const latencyJudge: RuledJudge<
  LatencyRule,
  ShownWindow<Durations>,
  LatencyState,
  LatencyExplanation
> = {
  initial: () => ({
    logRollback: 0,
    logPromote: 0,
    warmUp: { baseline: null, canaryBuckets: null, restartsBegun: 0 },
    tails: [],
    meanLog: null,
    running: [],
    traffic: noTrafficSeen,
    strongestWindows: [],
    unusableWindows: 0,
    problem: null,
  }),
  addWindow: (rule, before, window, place) => {
    const state = before.warmUp === null || !place.judged ? before : chosen(rule, before);
    if (state.warmUp !== null) return observe(rule, state, state.warmUp, window, place);
    return place.judged && window.canary !== null && window.baseline !== null
      ? judged(rule, state, window, window.canary, window.baseline, place)
      : passed(rule, state, place);
  },
  explain: (rule, state) => explain(rule, state),
};

const observe = (
  rule: LatencyRule,
  state: LatencyState,
  warmUp: WarmUp,
  { canary, baseline }: ShownWindow<Durations>,
  place: WindowPlace,
): LatencyState => {
  const restartsBegun = warmUp.restartsBegun + (place.beginsRestart ? 1 : 0);
  if (canary === null && baseline === null && restartsBegun === warmUp.restartsBegun) return state;
  const next: WarmUp = {
    baseline: together(warmUp.baseline, baseline),
    canaryBuckets: together(warmUp.canaryBuckets, canary && emptied(canary)),
    restartsBegun,
  };
  if (rule.measuredAt === null || canary === null || baseline === null)
    return { ...state, warmUp: next };
  const traffic = seenTraffic(rule, state, totalOf(canary), totalOf(baseline), false);
  return { ...state, warmUp: next, traffic };
};

const seenTraffic = (
  { measuredAt }: LatencyRule,
  { traffic }: LatencyState,
  canary: number,
  baseline: number,
  isJudged: boolean,
): TrafficSeen =>
  canary > 0 && baseline > 0
    ? withTraffic(measuredAt, traffic, canary, baseline, isJudged)
    : traffic;

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
const chosen = (rule: LatencyRule, state: LatencyState): LatencyState => {
  const { warmUp } = state;
  if (warmUp === null || warmUp.baseline === null || warmUp.canaryBuckets === null) return state;
  const seen = addDurations(warmUp.baseline, warmUp.canaryBuckets);
  if (!seen.ok) return state.problem === seen.problem ? state : { ...state, problem: seen.problem };
  const total = totalOf(seen.value);
  if (total < baselineRequestsMin) return state;
  const tails: Tail[] = [];
  for (const [quantile, boundary] of latencyBoundaries(seen.value))
    tails.push(tailAt(quantile, boundary, seen.value, total, rule, warmUp.restartsBegun));
  const [middle] = tails;
  if (middle === undefined) return state;
  const centreSeconds = boundarySeconds(middle.boundary);
  const moments = isShiftable(middle.boundary)
    ? logMoments(seen.value, centreSeconds, logReach)
    : undefined;
  const meanLog =
    moments === undefined
      ? null
      : initialMeanLog(centreSeconds, moments, rule, warmUp.restartsBegun);
  const running = zeros(
    startsOf(tails).end + (meanLog === null ? 0 : alternativesOf(meanLog.stakes)),
  );
  return { ...state, warmUp: null, tails, meanLog, running, problem: null };
};

const judged = (
  rule: LatencyRule,
  before: LatencyState,
  window: ShownWindow<Durations>,
  canaryShown: Durations,
  baselineShown: Durations,
  place: WindowPlace,
): LatencyState => {
  const canary: Arm = { durations: canaryShown, total: totalOf(canaryShown) };
  const baseline: Arm = { durations: baselineShown, total: totalOf(baselineShown) };
  const traffic = seenTraffic(rule, before, canary.total, baseline.total, true);
  const times = raisedTimes(rule.measuredAt, traffic);
  const running = before.running.slice();
  let isUsable = true;
  let at = 0;
  for (const tail of before.tails) {
    const phi = phiOf(rule, tail, times);
    if (!addToTail(rule, tail, running, at, canary, baseline, phi)) isUsable = false;
    at += runningLengthOf(tail);
  }
  const meanLog = withMeanLog(rule, before, running, at, canaryShown, baselineShown, times);
  const tested = blockPassed(rule, { tails: before.tails, meanLog, running }, place, times);
  const { logRollback, logPromote } = evidenceIn(rule, tested);
  const problem = isUsable ? before.problem : problemOf(before.tails, canaryShown, baselineShown);
  const gain = logRollback - before.logRollback;
  return {
    logRollback,
    logPromote,
    warmUp: before.warmUp,
    tails:
      !isUsable && problem === 'scale-fell'
        ? atScale(rule, tested.tails, canaryShown, baselineShown)
        : tested.tails,
    meanLog: tested.meanLog,
    running: tested.running,
    traffic,
    strongestWindows: isUsable
      ? withWindow(before.strongestWindows, window, gain)
      : before.strongestWindows,
    unusableWindows: before.unusableWindows + (isUsable ? 0 : 1),
    problem,
  };
};

const passed = (rule: LatencyRule, state: LatencyState, place: WindowPlace): LatencyState => {
  const times = raisedTimes(rule.measuredAt, state.traffic);
  const tested = blockPassed(rule, state, place, times);
  return { ...state, ...tested, ...evidenceIn(rule, tested) };
};

type Tests = Pick<LatencyState, 'tails' | 'meanLog' | 'running'>;

/** With the restart that begins here, and the block that ends. */
const blockPassed = (
  rule: LatencyRule,
  { tails, meanLog, running }: Tests,
  place: WindowPlace,
  times: number,
): Tests => {
  const begun = place.beginsRestart ? tails.map((tail) => restartedTail(rule, tail, place)) : tails;
  const stakes = meanLog && restarted(meanLog.stakes, place, rule);
  if (!place.endsBlock)
    return { tails: begun, meanLog: meanLog && stakes && withStakes(meanLog, stakes), running };
  const { starts, end } = startsOf(tails);
  return {
    tails: begun.map((tail, index) =>
      settledTail(rule, tail, running, starts[index] ?? 0, phiOf(rule, tail, times)),
    ),
    meanLog: meanLog && stakes && withStakes(meanLog, settle(stakes, running, end, rule)),
    running: zeros(running.length),
  };
};

const withStakes = (meanLog: MeanLog, stakes: MeanLog['stakes']): MeanLog =>
  stakes === meanLog.stakes ? meanLog : { ...meanLog, stakes };

/** Where the running block of each tail begins, and where the last one's ends. */
const startsOf = (
  tails: readonly Tail[],
): { readonly starts: readonly number[]; readonly end: number } => {
  const starts: number[] = [];
  let end = 0;
  for (const tail of tails) {
    starts.push(end);
    end += runningLengthOf(tail);
  }
  return { starts, end };
};

const withMeanLog = (
  rule: LatencyRule,
  { meanLog, tails: [tail] }: LatencyState,
  running: number[],
  from: number,
  canary: Durations,
  baseline: Durations,
  times: number,
): MeanLog | null => {
  if (meanLog === null || tail === undefined) return null;
  const canaryMoments = logMoments(canary, meanLog.centreSeconds, logReach);
  const baselineMoments = logMoments(baseline, meanLog.centreSeconds, logReach);
  // The margin is whole buckets of the tails' scale; on coarser ones the means would not shift by it.
  const isFine = scaleOf(canary, baseline) >= (scaleIn(tail.boundary) ?? Infinity);
  if (canaryMoments === undefined || baselineMoments === undefined || !isFine) return meanLog;
  const scale = scaleIn(tail.boundary) ?? 0;
  const logMargin = tail.shift * logWidth(scale);
  const phi = raisedPhi(rule.measuredAt, rule.phi.meanLog, times);
  const margins = { logMargin, scale, phi };
  return addToMeanLog(meanLog, running, from, canaryMoments, baselineMoments, margins);
};

/**
 * The part of the stake on the middle where the mean of logarithms is tested, too: durations that all grow move both,
 * and the mean sees it sooner. The rest is shared out evenly.
 */
const middlePart = 0.1;

/**
 * E = a weighted average of the tests' e-values, an e-value whatever hangs together among them. A promotion needs every
 * tail: slower beyond the margin in any of them must be refuted by itself.
 */
const evidenceIn = (rule: LatencyRule, { tails, meanLog, running }: Tests): MetricEvidence => {
  const tests = tails.length + (meanLog === null ? 0 : 1);
  const first = meanLog !== null && tails.length > 1 ? middlePart : 1 / tests;
  const logFirst = Math.log(first);
  const logOther = Math.log((1 - first) / Math.max(1, tests - 1));
  const logs: number[] = [];
  let logPromote = Infinity;
  let at = 0;
  for (const tail of tails) {
    logs.push(logRollbackOf(tail, running, at, rule) + (at === 0 ? logFirst : logOther));
    logPromote = Math.min(logPromote, logPromoteOf(tail, running, at, rule));
    at += runningLengthOf(tail);
  }
  if (meanLog !== null) logs.push(logCapital(meanLog.stakes, running, at, rule) + logOther);
  return { logRollback: logSumExp(logs), logPromote };
};

const problemOf = (
  tails: readonly Tail[],
  canary: Durations,
  baseline: Durations,
): LatencyProblem => {
  const shape = tails[0]?.boundary.shape;
  if (canary.shape !== shape || baseline.shape !== shape) return 'shapes-differ';
  const units = [tails[0]?.boundary, canary, baseline].map(unitIn);
  if (new Set(units).size > 1) return 'units-differ';
  return shape === 'explicit' ? 'no-shared-bound' : 'scale-fell';
};

const unitIn = (of: Boundary | Durations | undefined): 'ms' | undefined =>
  of?.shape === 'exponential' ? of.unit : undefined;

const atScale = (
  rule: LatencyRule,
  tails: readonly Tail[],
  canary: Durations,
  baseline: Durations,
): readonly Tail[] => tails.map((tail) => tailAtScale(tail, scaleOf(canary, baseline), rule));

const scaleOf = (canary: Durations, baseline: Durations): number =>
  canary.shape === 'exponential' && baseline.shape === 'exponential'
    ? Math.min(canary.scale, baseline.scale)
    : -Infinity;

const scaleIn = (boundary: Boundary): number | undefined =>
  boundary.shape === 'exponential' ? boundary.scale : undefined;

const measuredPhi = ({ phi }: LatencyRule, { quantile }: Tail): number =>
  phi.tails[latencyQuantiles.indexOf(quantile)] ?? 1;

const phiOf = (rule: LatencyRule, tail: Tail, times: number): number =>
  raisedPhi(rule.measuredAt, measuredPhi(rule, tail), times);

/**
 * The tests at the deadline, one for each tail, each with its part of `alpha`; empty where nothing was compared.
 */
export const latencyDeadline = (
  rule: LatencyRule,
  { tails, running, traffic }: LatencyState,
  alpha: number,
): readonly (DeadlineResult & { readonly quantile: number })[] => {
  const times = raisedTimes(rule.measuredAt, traffic);
  const { starts } = startsOf(tails);
  return tails.map((tail, index) => {
    const [at, phi] = [starts[index] ?? 0, phiOf(rule, tail, times)];
    const result = tailDeadline(rule, tail, running, at, phi, alpha / tails.length);
    return { quantile: tail.quantile, ...result };
  });
};

export type LatencyExplanation = {
  readonly judged: 'latency';
  readonly tails: readonly TailExplanation[];
  /** The place in `tails` of the one that spoke loudest against the canary; null: nothing was compared. */
  readonly loudest: number | null;
  /** How much slower the canary may be, and for a promotion, after rounding to buckets. */
  readonly margin: number;
  readonly promoteMargin: number;
  readonly rollbackEvidence: number;
  readonly promoteEvidence: number;
  /** Of the mean of log-durations alone; null where buckets are too coarse for it. */
  readonly meanLogEvidence: number | null;
  readonly strongestWindows: readonly LoudWindow[];
  readonly cappedBlocks: number;
  readonly unusableWindows: number;
  readonly problem: LatencyProblem | null;
};

const explain = (rule: LatencyRule, state: LatencyState): LatencyExplanation => {
  const { tails, meanLog, running, traffic } = state;
  const times = raisedTimes(rule.measuredAt, traffic);
  const { starts, end } = startsOf(tails);
  const explained = tails.map((tail, index) =>
    explainTail(
      rule,
      tail,
      running,
      starts[index] ?? 0,
      phiOf(rule, tail, times),
      usedPhi(rule.measuredAt, measuredPhi(rule, tail), traffic),
    ),
  );
  const evidence = explained.map(({ rollbackEvidence }) => rollbackEvidence);
  const [margin, promoteMargin] = tails[0] === undefined ? [0, 0] : marginsOf(tails[0]);
  const blocks = tails.map(cappedBlocksIn);
  return {
    judged: 'latency',
    tails: explained,
    loudest: tails.length === 0 ? null : evidence.indexOf(Math.max(...evidence)),
    margin: margin ?? 0,
    promoteMargin: promoteMargin ?? 0,
    rollbackEvidence: evidenceOf(state.logRollback),
    promoteEvidence: evidenceOf(state.logPromote),
    meanLogEvidence: meanLog && evidenceOf(logCapital(meanLog.stakes, running, end, rule)),
    strongestWindows: loudWindows(state.strongestWindows),
    cappedBlocks: Math.max(0, meanLog === null ? 0 : cappedBlocksOf(meanLog.stakes), ...blocks),
    unusableWindows: state.unusableWindows,
    problem: state.problem,
  };
};
