import { evidenceOf } from '../statistics/evidence.ts';
import type { Numbers, RuledJudge, ShownWindow } from '../judge/metric-judge.ts';
import { logRollbackIn } from '../judge/metric-judge.ts';
import { millionths } from '../statistics/rounding.ts';
import type { RatioInterval } from '../statistics/ratio.ts';
import { intervalConfidence } from '../statistics/ratio.ts';
import type { Alternatives, StakeRules } from '../statistics/stakes.ts';
import { cappedBlocksOf, zeros } from '../statistics/stakes.ts';
import type { LoudIndex } from '../analysis/strongest-windows.ts';
import { loudWindows } from '../analysis/strongest-windows.ts';
import type { LevelSums } from './level-ratio.ts';
import { levelInterval, levelRatio } from './level-ratio.ts';
import { addDifference, addWeight, fillNormalGrowth } from './normal-increments.ts';
import type { Growth, Making } from './staked.ts';
import {
  afterStakes,
  initialSettled,
  logPromoteOf,
  ownRunningAt,
  stake,
  stakesAt,
} from './staked.ts';

/** Mean of one gauge over its series (instances) in a window. */
export type Level = { readonly mean: number; readonly series: number };

export type LevelRule = StakeRules & {
  readonly worse: 'higher' | 'lower';
  /** Whether a server with more requests has more of it by right, up to as many times (CPU). */
  readonly growsWithRequests: boolean;
  /** By which share of the baseline's level the canary's may be worse; and what must be shown for a promotion. */
  readonly margin: number;
  readonly promoteMargin: number;
  /**
   * Long-run variance of the relative difference of one window, from A/A history (`levelNoise`); null: there is none,
   * and batches of a minute must do.
   */
  readonly variance: number | null;
  /** Windows in a minute, at least 1. */
  readonly windowsPerBatch: number;
};

/** `busier`: how many times the requests of a server of the baseline one of the canary has; absent: as many. */
export type LevelWindow = ShownWindow<Level> & { readonly busier?: number };

/**
 * A gauge (CPU, memory): paired differences, so that load which both cohorts feel cancels.
 *
 * Running, after ln of the evidence: the baseline's level lately, of which relative differences are shares (below 0: none was
 * seen), `LevelSums`, and the sums of the running block (`normal-increments.ts`): of what is worse than tolerated, of what
 * is better than promised, and of their weights; where the variance is not from history, `Batch`; and where a level grows with
 * requests, the sum of ln of how many times busier the canary's servers were.
 */
export type LevelRest = {
  readonly judged: 'level';
  /** Windows with a value that no level can have. */
  readonly unusableWindows: number;
};
export type LevelState = LevelRest & Numbers;

const recentAt: number = ownRunningAt;
const noRecent = -1;
const sumsAt: number = recentAt + 1;
const excessAt: number = sumsAt + 5;
const reserveAt: number = excessAt + 1;
const weightAt: number = excessAt + 2;
const batchAt: number = weightAt + 1;
const batchLength = 7;

/** Behind all others. */
const busierAt = ({ variance }: LevelRule): number =>
  variance === null ? batchAt + batchLength : batchAt;

const runningLengthOf = (rule: LevelRule): number =>
  busierAt(rule) + (rule.growsWithRequests ? 1 : 0);

/** Windows of the running batch and their relative differences, and what the finished batches scattered. */
type Batch = readonly [
  windows: number,
  excess: number,
  reserve: number,
  difference: number,
  finished: number,
  mean: number,
  squares: number,
];

const batchIn = (running: readonly number[], from: number): Batch => [
  running[from + batchAt] ?? 0,
  running[from + batchAt + 1] ?? 0,
  running[from + batchAt + 2] ?? 0,
  running[from + batchAt + 3] ?? 0,
  running[from + batchAt + 4] ?? 0,
  running[from + batchAt + 5] ?? 0,
  running[from + batchAt + 6] ?? 0,
];

/**
 * Alternatives: by how much more than tolerated the canary is worse, as shares of the level. They stand for the
 * one-sided normal mixture (Waudby-Smith et al. 2024, asymptotic confidence sequences), taken at points, so that cap
 * and restarts hold here as for every other metric.
 */
const effects: readonly number[] = [0.02, 0.05, 0.1, 0.2, 0.4, 0.8];
/** By how much better than the promote margin, as parts of that margin. */
const promoteParts: readonly number[] = [0.25, 0.5, 0.75, 1];

const alternatives: Alternatives = { rollback: effects, promote: promoteParts };
const settledLength: number = afterStakes(alternatives);

/** How fast the level lately follows, per window. */
const recentWeight = 0.2;
/** A difference counts as at most so many deviations: one lost reading must not blind the test. */
const deviationsMax = 4;
/** Against the canary it counts as at least so much (as much again as the level), however little a level scatters. */
const excessMin = 1;
/** Shares of a level beyond this are told no further: the baseline was 0 until now. */
const shareMax = 1e6;
/** A level that never moves still moves by 0.1 %. */
const varianceMin = 1e-6;

/**
 * Without history: the variance of batches of one minute, from at least five earlier ones, times 4. Differences that
 * are like each other for minutes (autoregressive with .95 per 5 s) have 4 times the variance that independent batches
 * would show. Evidence then comes once a minute and is capped, so a roll-back takes eleven minutes at least. Of 5,000
 * A/A runs without any margin, at a weight of .1, it rolled back 0.1 % (.95), and none with a margin of 5 %; a running
 * variance of single windows would make it 58 %. What stays alike for ten minutes (.99) only history shows: 0.14 % at
 * a margin of 10 %, 1.1 % at 5 %.
 */
const batchesMin = 5;
const batchInflation = 4;

export const levelJudge: RuledJudge<LevelRule, LevelWindow, LevelRest, LevelExplanation> = {
  initial: (rule) => {
    const running = zeros(runningLengthOf(rule));
    running[recentAt] = noRecent;
    const rest = { judged: 'level', unusableWindows: 0 } as const;
    return { settled: initialSettled(alternatives, rule), running, rest };
  },
  settledLength: () => settledLength,
  runningLength: runningLengthOf,
  addWindow: (rule, before, open, window, place) => {
    const { canary, baseline } = window;
    const isPair = canary !== null && baseline !== null;
    const isUsable = isPair && isLevel(canary) && isLevel(baseline);
    const { running, from } = open;
    let speaks = false;
    const isShown = place.judged && isUsable;
    if (isShown) {
      const usual = usualLevel(running, from);
      // A busier server may have as much more as it has more requests, and one that is less busy just as much.
      const busier = window.busier ?? 1;
      if (usual > 0) {
        const worse = worseBy(rule, canary.mean / Math.max(1, busier), baseline.mean);
        const excess = shareOf(worse - rule.margin * baseline.mean, usual);
        const reserve = shareOf(rule.promoteMargin * baseline.mean - worse, usual);
        speaks = addEvidence(rule, running, from, excess, reserve);
        if (rule.variance === null)
          addToBatch(rule, running, from, excess, reserve, shareOf(worse, usual));
      }
      addLevels(running, from + sumsAt, canary.mean, baseline.mean);
      if (rule.growsWithRequests) {
        const at = from + busierAt(rule);
        running[at] = millionths((running[at] ?? 0) + Math.log(busier));
      }
    }
    if (baseline !== null && isLevel(baseline)) follow(running, from + recentAt, baseline.mean);
    const isOpen = (running[from + weightAt] ?? 0) > 0;
    fillGrowth(open);
    if (place.endsBlock && isOpen) {
      fillPromote(rule, open);
      running.fill(0, from + excessAt, from + weightAt + 1);
    }
    growth.isOpen = isOpen;
    stake(rule, alternatives, open, growth, place, speaks, isShown);
    return isPair && !isUsable
      ? { judged: 'level', unusableWindows: before.unusableWindows + 1 }
      : before;
  },
  logPromote: (rule, state) => logPromoteIn(rule, state),
  explain: (rule, state) => explain(rule, state),
};

/** Of one call, and overwritten by the next. */
const rollbackGrowth: number[] = zeros(effects.length);
const promoteGrowth: number[] = zeros(promoteParts.length);
const growth: Making<Growth> = {
  rollback: rollbackGrowth,
  from: 0,
  promote: promoteGrowth,
  isOpen: false,
};

type Running = Pick<Numbers, 'running' | 'from'>;

const fillGrowth = ({ running, from }: Running): void => {
  const [excess, weight] = [running[from + excessAt] ?? 0, running[from + weightAt] ?? 0];
  fillNormalGrowth(rollbackGrowth, effects, 1, excess, weight);
};

const fillPromote = ({ promoteMargin }: LevelRule, { running, from }: Running): void => {
  const [reserve, weight] = [running[from + reserveAt] ?? 0, running[from + weightAt] ?? 0];
  fillNormalGrowth(promoteGrowth, promoteParts, promoteMargin, reserve, weight);
};

const logPromoteIn = (rule: LevelRule, state: LevelState): number => {
  fillPromote(rule, state);
  return logPromoteOf(rule, alternatives, state, promoteGrowth);
};

/** NaN, infinite and negative values are no levels; a share of a negative level says nothing. */
export const isLevel = ({ mean, series }: Level): boolean =>
  mean >= 0 && mean <= levelMax && series > 0;

/** Far above any gauge (bytes of a data centre), and squares of it stay numbers. */
const levelMax = 1e18;

/**
 * What differences are shares of: the level lately, and no less than its mean so far. A level that is 0 most of the time
 * would else be followed down to next to nothing, and whoever moves first would be a million times worse.
 */
const usualLevel = (running: readonly number[], from: number): number => {
  const windows = running[from + sumsAt] ?? 0;
  const baseline = running[from + sumsAt + 2] ?? 0;
  return Math.max(running[from + recentAt] ?? 0, windows === 0 ? 0 : baseline / windows);
};

const follow = (running: number[], at: number, mean: number): void => {
  const recent = running[at] ?? noRecent;
  running[at] = recent < 0 ? mean : recent + recentWeight * (mean - recent);
};

const addLevels = (running: number[], at: number, canary: number, baseline: number): void => {
  running[at] = (running[at] ?? 0) + 1;
  running[at + 1] = (running[at + 1] ?? 0) + canary;
  running[at + 2] = (running[at + 2] ?? 0) + baseline;
  running[at + 3] = (running[at + 3] ?? 0) + canary * canary;
  running[at + 4] = (running[at + 4] ?? 0) + baseline * baseline;
};

const worseBy = ({ worse }: LevelRule, canary: number, baseline: number): number =>
  worse === 'higher' ? canary - baseline : baseline - canary;

/**
 * Adds one window: by how much the canary is worse than tolerated (`excess`), and better than it must be for a promotion
 * (`reserve`), as shares of the usual level. Whether it says anything: without history only the last of a batch does.
 */
const addEvidence = (
  rule: LevelRule,
  running: number[],
  from: number,
  excess: number,
  reserve: number,
): boolean => {
  if (rule.variance !== null) {
    addDifferences(running, from, excess, reserve, Math.max(varianceMin, rule.variance));
    return true;
  }
  const before = batchIn(running, from);
  const windows = before[0] + 1;
  const variance = batchVariance(before);
  if (windows < rule.windowsPerBatch || variance === undefined) return false;
  const excessMean = (before[1] + excess) / windows;
  const reserveMean = (before[2] + reserve) / windows;
  addDifferences(running, from, excessMean, reserveMean, variance);
  return true;
};

const addDifferences = (
  running: number[],
  from: number,
  excess: number,
  reserve: number,
  variance: number,
): void => {
  addDifference(running, from + excessAt, within(excess, variance), variance);
  addDifference(running, from + reserveAt, within(reserve, variance), variance);
  addWeight(running, from + weightAt, variance);
};

/** What is cut off below is cut off above, or rare peaks would be evidence. */
const within = (value: number, variance: number): number => {
  const reach = deviationsMax * Math.sqrt(variance);
  return Math.min(Math.max(value, -reach), Math.max(reach, excessMin));
};

const shareOf = (part: number, whole: number): number =>
  Math.min(shareMax, Math.max(-shareMax, part / whole));

/** With a window, in a list of the asker's. */
const addToBatch = (
  { windowsPerBatch }: LevelRule,
  running: number[],
  from: number,
  excess: number,
  reserve: number,
  difference: number,
): void => {
  const before = batchIn(running, from);
  const [, , , , finished, mean, squares] = before;
  const windows = before[0] + 1;
  const sum = before[3] + difference;
  const next: Batch =
    windows < windowsPerBatch
      ? [windows, before[1] + excess, before[2] + reserve, sum, finished, mean, squares]
      : finishedWith(before, sum / windows);
  for (let index = 0; index < batchLength; index += 1)
    running[from + batchAt + index] = next[index] ?? 0;
};

/** Of the mean of one batch, from the batches before it; undefined: too few. */
const batchVariance = ([, , , , finished, , squares]: Batch): number | undefined =>
  finished < batchesMin
    ? undefined
    : Math.max(varianceMin, (batchInflation * squares) / (finished - 1));

const finishedWith = ([, , , , finished, mean, squares]: Batch, value: number): Batch => {
  const next = mean + (value - mean) / (finished + 1);
  return [0, 0, 0, 0, finished + 1, next, squares + (value - mean) * (value - next)];
};

export type LevelExplanation = {
  readonly judged: 'level';
  readonly worse: 'higher' | 'lower';
  /** Mean levels over the judged windows; null before any. */
  readonly canary: number | null;
  readonly baseline: number | null;
  /** Canary level / baseline level; null while the baseline's is 0. */
  readonly ratio: number | null;
  /** Holds the true ratio with this confidence at every window at once; null ends are open. */
  readonly interval: RatioInterval & { readonly confidence: number };
  /** The ratio up to which (`lower`: down to which) the canary counts as no worse, with what was granted. */
  readonly toleratedRatio: number;
  /** How many times the requests of one of the baseline a server of the canary had, on the (geometric) average; absent: 1. */
  readonly busier?: number;
  readonly rollbackEvidence: number;
  readonly promoteEvidence: number;
  readonly strongestWindows: readonly LoudIndex[];
  readonly cappedBlocks: number;
  readonly unusableWindows: number;
  /** Where the variance is from; `batches`: no history, so evidence comes once a minute. */
  readonly noise: 'history' | 'batches';
  /** Long-run variance of the relative difference of one window; null while it is not known. */
  readonly variance: number | null;
};

/** In how many judged windows both cohorts showed it. */
export const comparedWindows = (state: LevelState): number => sumsIn(state)[0];

const sumsIn = ({ running, from }: Running): LevelSums => [
  running[from + sumsAt] ?? 0,
  running[from + sumsAt + 1] ?? 0,
  running[from + sumsAt + 2] ?? 0,
  running[from + sumsAt + 3] ?? 0,
  running[from + sumsAt + 4] ?? 0,
];

const explain = (rule: LevelRule, state: LevelState): LevelExplanation => {
  const sums = sumsIn(state);
  const [windows, canary, baseline] = sums;
  const busierLog = rule.growsWithRequests ? (state.running[state.from + busierAt(rule)] ?? 0) : 0;
  const busier = busierLog === 0 ? 1 : Math.exp(busierLog / windows);
  const ofBatches =
    rule.variance === null ? batchVariance(batchIn(state.running, state.from)) : undefined;
  const variance =
    rule.variance ?? (ofBatches === undefined ? null : ofBatches * rule.windowsPerBatch);
  return {
    judged: 'level',
    worse: rule.worse,
    canary: windows === 0 ? null : canary / windows,
    baseline: windows === 0 ? null : baseline / windows,
    ratio: levelRatio(sums),
    interval: {
      ...levelInterval(sums, variance, intervalConfidence),
      confidence: intervalConfidence,
    },
    toleratedRatio:
      rule.worse === 'higher' ? (1 + rule.margin) * Math.max(1, busier) : 1 - rule.margin,
    ...(busier !== 1 && { busier }),
    rollbackEvidence: evidenceOf(logRollbackIn(state)),
    promoteEvidence: evidenceOf(logPromoteIn(rule, state)),
    strongestWindows: loudWindows(state.settled, state.at),
    cappedBlocks: cappedBlocksOf(state.settled, state.at + stakesAt),
    unusableWindows: state.unusableWindows,
    noise: rule.variance === null ? 'batches' : 'history',
    variance,
  };
};
