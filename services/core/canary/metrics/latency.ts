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
import { addToStakes, cappedBlocksOf, logCapital, noIncrements } from '../stakes.ts';
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
  passTail,
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
  return { ...state, warmUp: null, tails, meanLog, problem: null };
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
  const state: LatencyState = traffic === before.traffic ? before : { ...before, traffic };
  const times = raisedTimes(rule.measuredAt, traffic);
  let isUsable = true;
  const tails = state.tails.map((tail) => {
    const phi = phiOf(rule, tail, times);
    const added = addToTail(rule, tail, canary, baseline, place, phi);
    if (added === undefined) isUsable = false;
    return added ?? passTail(rule, tail, place, phi);
  });
  const meanLog = withMeanLog(rule, state, canaryShown, baselineShown, place, times);
  if (!isUsable) {
    const problem = problemOf(state.tails, canaryShown, baselineShown);
    return {
      ...withEvidence(rule, state, tails, meanLog),
      tails: problem === 'scale-fell' ? atScale(rule, tails, canaryShown, baselineShown) : tails,
      unusableWindows: state.unusableWindows + 1,
      problem,
    };
  }
  const next = withEvidence(rule, state, tails, meanLog);
  const gain = next.logRollback - state.logRollback;
  return { ...next, strongestWindows: withWindow(state.strongestWindows, window, gain) };
};

const passed = (rule: LatencyRule, state: LatencyState, place: WindowPlace): LatencyState => {
  const times = raisedTimes(rule.measuredAt, state.traffic);
  const tails = state.tails.map((tail) => passTail(rule, tail, place, phiOf(rule, tail, times)));
  const stakes = state.meanLog && addToStakes(state.meanLog.stakes, noIncrements, place, rule);
  const meanLog = state.meanLog && stakes && { ...state.meanLog, stakes };
  return withEvidence(rule, state, tails, meanLog);
};

const withMeanLog = (
  rule: LatencyRule,
  { meanLog, tails: [tail] }: LatencyState,
  canary: Durations,
  baseline: Durations,
  place: WindowPlace,
  times: number,
): MeanLog | null => {
  if (meanLog === null || tail === undefined) return null;
  const canaryMoments = logMoments(canary, meanLog.centreSeconds, logReach);
  const baselineMoments = logMoments(baseline, meanLog.centreSeconds, logReach);
  // The margin is whole buckets of the tails' scale; on coarser ones the means would not shift by it.
  const isFine = scaleOf(canary, baseline) >= (scaleIn(tail.boundary) ?? Infinity);
  if (canaryMoments === undefined || baselineMoments === undefined || !isFine)
    return { ...meanLog, stakes: addToStakes(meanLog.stakes, noIncrements, place, rule) };
  const scale = scaleIn(tail.boundary) ?? 0;
  const logMargin = tail.shift * logWidth(scale);
  const phi = raisedPhi(rule.measuredAt, rule.phi.meanLog, times);
  return addToMeanLog(
    rule,
    meanLog,
    canaryMoments,
    baselineMoments,
    { logMargin, scale, phi },
    place,
  );
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
const withEvidence = (
  rule: LatencyRule,
  state: LatencyState,
  tails: readonly Tail[],
  meanLog: MeanLog | null,
): LatencyState => {
  const tests = tails.length + (meanLog === null ? 0 : 1);
  const first = meanLog !== null && tails.length > 1 ? middlePart : 1 / tests;
  const logFirst = Math.log(first);
  const logOther = Math.log((1 - first) / Math.max(1, tests - 1));
  const logs: number[] = [];
  let logPromote = Infinity;
  for (const [index, tail] of tails.entries()) {
    logs.push(logRollbackOf(tail, rule) + (index === 0 ? logFirst : logOther));
    logPromote = Math.min(logPromote, logPromoteOf(tail, rule));
  }
  if (meanLog !== null) logs.push(logCapital(meanLog.stakes, rule) + logOther);
  return { ...state, tails, meanLog, logRollback: logSumExp(logs), logPromote };
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
  { tails, traffic }: LatencyState,
  alpha: number,
): readonly (DeadlineResult & { readonly quantile: number })[] => {
  const times = raisedTimes(rule.measuredAt, traffic);
  return tails.map((tail) => ({
    quantile: tail.quantile,
    ...tailDeadline(rule, tail, phiOf(rule, tail, times), alpha / tails.length),
  }));
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
  const { tails, meanLog, traffic } = state;
  const times = raisedTimes(rule.measuredAt, traffic);
  const explained = tails.map((tail) =>
    explainTail(
      rule,
      tail,
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
    meanLogEvidence: meanLog && evidenceOf(logCapital(meanLog.stakes, rule)),
    strongestWindows: loudWindows(state.strongestWindows),
    cappedBlocks: Math.max(0, meanLog === null ? 0 : cappedBlocksOf(meanLog.stakes), ...blocks),
    unusableWindows: state.unusableWindows,
    problem: state.problem,
  };
};
