import { evidenceOf } from '../evidence.ts';
import type { RuledJudge, ShownWindow, WindowPlace } from '../metric-judge.ts';
import type { RatioInterval } from '../ratio.ts';
import { intervalConfidence } from '../ratio.ts';
import type { StakeRules } from '../stakes.ts';
import { cappedBlocksOf, initialStakes, roundGrowth, withoutRestarts, zeros } from '../stakes.ts';
import type { LoudWindow, LoudWindows } from '../strongest-windows.ts';
import { loudWindows, withWindow } from '../strongest-windows.ts';
import type { LevelSums } from './level-ratio.ts';
import { addToLevels, levelInterval, levelRatio, noLevels } from './level-ratio.ts';
import { addNormalIncrements } from './normal-increments.ts';
import type { Staked } from './staked.ts';
import { promoteFrom, withEvidence } from './staked.ts';

/** Mean of one gauge over its series (instances) in a window. */
export type Level = { readonly mean: number; readonly series: number };

export type LevelRule = StakeRules & {
  readonly worse: 'higher' | 'lower';
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

/** A gauge (CPU, memory): paired differences, so that load which both cohorts feel cancels. */
export type LevelState = Staked & {
  /** The baseline's level lately: relative differences are shares of it. Null before any. */
  readonly recent: number | null;
  readonly sums: LevelSums;
  /** null: the variance is from history. */
  readonly batch: Batch | null;
  readonly strongestWindows: LoudWindows;
  /** Windows with a value that no level can have. */
  readonly unusableWindows: number;
};

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

const noBatch: Batch = [0, 0, 0, 0, 0, 0, 0];

/**
 * Alternatives: by how much more than tolerated the canary is worse, as shares of the level. They stand for the
 * one-sided normal mixture (Waudby-Smith et al. 2024, asymptotic confidence sequences), taken at points, so that cap
 * and restarts hold here as for every other metric.
 */
const effects: readonly number[] = [0.02, 0.05, 0.1, 0.2, 0.4, 0.8];
/** By how much better than the promote margin, as parts of that margin. */
const promoteParts: readonly number[] = [0.25, 0.5, 0.75, 1];

/** How fast `recent` follows, per window. */
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

export const levelJudge: RuledJudge<LevelRule, ShownWindow<Level>, LevelState, LevelExplanation> = {
  initial: (rule) => ({
    logRollback: 0,
    logPromote: 0,
    rollback: initialStakes(effects.length, rule),
    promote: initialStakes(promoteParts.length, withoutRestarts(rule)),
    running: zeros(effects.length + promoteParts.length),
    recent: null,
    sums: noLevels,
    batch: rule.variance === null ? noBatch : null,
    strongestWindows: [],
    unusableWindows: 0,
  }),
  addWindow: (rule, state, window, place) => {
    const { canary, baseline } = window;
    const isPair = canary !== null && baseline !== null;
    if (!place.judged || !isPair || !isLevel(canary) || !isLevel(baseline))
      return passed(rule, state, window, place);
    const usual = usualLevel(state);
    const { running, batch } =
      usual > 0 ? shown(rule, state, usual, canary.mean, baseline.mean) : state;
    const evidence = withEvidence(rule, state, running, growthAt, place);
    const gain = evidence.logRollback - state.logRollback;
    return {
      logRollback: evidence.logRollback,
      logPromote: evidence.logPromote,
      rollback: evidence.rollback,
      promote: evidence.promote,
      running: evidence.running,
      recent: followed(state.recent, baseline.mean),
      sums: addToLevels(state.sums, canary.mean, baseline.mean),
      batch,
      strongestWindows: withWindow(state.strongestWindows, window, gain),
      unusableWindows: state.unusableWindows,
    };
  },
  explain: (rule, state) => explain(rule, state),
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
const usualLevel = ({ recent, sums: [windows, , baseline] }: LevelState): number =>
  Math.max(recent ?? 0, windows === 0 ? 0 : baseline / windows);

const followed = (recent: number | null, mean: number): number =>
  recent === null ? mean : recent + recentWeight * (mean - recent);

const passed = (
  rule: LevelRule,
  state: LevelState,
  { canary, baseline }: ShownWindow<Level>,
  place: WindowPlace,
): LevelState => {
  const isPair = canary !== null && baseline !== null;
  const isUnusable = isPair && !(isLevel(canary) && isLevel(baseline));
  const { logRollback, logPromote, rollback, promote, running } = withEvidence(
    rule,
    state,
    state.running,
    growthAt,
    place,
  );
  return {
    ...{ logRollback, logPromote, rollback, promote, running },
    recent:
      baseline !== null && isLevel(baseline) ? followed(state.recent, baseline.mean) : state.recent,
    sums: state.sums,
    batch: state.batch,
    strongestWindows: state.strongestWindows,
    unusableWindows: state.unusableWindows + (isUnusable ? 1 : 0),
  };
};

/** The running block has no sums of its own. */
const growthAt = 0;

/** What a usable window that is judged makes of the running block and of the batch. */
const shown = (
  rule: LevelRule,
  state: LevelState,
  usual: number,
  canary: number,
  baseline: number,
): Pick<LevelState, 'running' | 'batch'> => {
  const worse = rule.worse === 'higher' ? canary - baseline : baseline - canary;
  // By how much it is worse than tolerated, and better than it must be for a promotion.
  const excess = shareOf(worse - rule.margin * baseline, usual);
  const reserve = shareOf(rule.promoteMargin * baseline - worse, usual);
  return rule.variance === null
    ? inBatches(rule, state, shareOf(worse, usual), excess, reserve)
    : {
        running: grown(rule, state, excess, reserve, Math.max(varianceMin, rule.variance)),
        batch: state.batch,
      };
};

const grown = (
  { promoteMargin }: LevelRule,
  state: LevelState,
  excess: number,
  reserve: number,
  variance: number,
): number[] => {
  const running = state.running.slice();
  addIncrements(running, growthAt, effects, 1, excess, variance);
  const promoteAt = promoteFrom(state, growthAt);
  addIncrements(running, promoteAt, promoteParts, promoteMargin, reserve, variance);
  roundGrowth(running, growthAt, running.length - growthAt);
  return running;
};

const shareOf = (part: number, whole: number): number =>
  Math.min(shareMax, Math.max(-shareMax, part / whole));

const inBatches = (
  rule: LevelRule,
  state: LevelState,
  difference: number,
  excess: number,
  reserve: number,
): Pick<LevelState, 'running' | 'batch'> => {
  const { running } = state;
  const before = state.batch ?? noBatch;
  const [, , , , finished, mean, squares] = before;
  const windows = before[0] + 1;
  const sums = [before[1] + excess, before[2] + reserve, before[3] + difference] as const;
  if (windows < rule.windowsPerBatch)
    return { running, batch: [windows, ...sums, finished, mean, squares] };
  const variance = batchVariance(before);
  return {
    running:
      variance === undefined
        ? running
        : grown(rule, state, sums[0] / windows, sums[1] / windows, variance),
    batch: finishedWith(before, sums[2] / windows),
  };
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

/** For each alternative part * unit. What is cut off below is cut off above, or rare peaks would be evidence. */
const addIncrements = (
  into: number[],
  from: number,
  parts: readonly number[],
  unit: number,
  value: number,
  variance: number,
): void => {
  const reach = deviationsMax * Math.sqrt(variance);
  const difference = Math.min(Math.max(value, -reach), Math.max(reach, excessMin));
  addNormalIncrements(into, from, parts, unit, difference, variance);
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
  /** The ratio up to which (`lower`: down to which) the canary counts as no worse. */
  readonly toleratedRatio: number;
  readonly rollbackEvidence: number;
  readonly promoteEvidence: number;
  readonly strongestWindows: readonly LoudWindow[];
  readonly cappedBlocks: number;
  readonly unusableWindows: number;
  /** Where the variance is from; `batches`: no history, so evidence comes once a minute. */
  readonly noise: 'history' | 'batches';
  /** Long-run variance of the relative difference of one window; null while it is not known. */
  readonly variance: number | null;
};

const explain = (rule: LevelRule, state: LevelState): LevelExplanation => {
  const { sums } = state;
  const [windows, canary, baseline] = sums;
  const ofBatches = batchVariance(state.batch ?? noBatch);
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
    toleratedRatio: rule.worse === 'higher' ? 1 + rule.margin : 1 - rule.margin,
    rollbackEvidence: evidenceOf(state.logRollback),
    promoteEvidence: evidenceOf(state.logPromote),
    strongestWindows: loudWindows(state.strongestWindows),
    cappedBlocks: cappedBlocksOf(state.rollback),
    unusableWindows: state.unusableWindows,
    noise: rule.variance === null ? 'batches' : 'history',
    variance,
  };
};
