import type { Durations } from '../../../services/core/canary/windows/durations.ts';
import type {
  Numbers,
  RuledJudge,
  WindowPlace,
} from '../../../services/core/canary/judge/metric-judge.ts';
import type { LatencyRule } from '../../../services/core/canary/metrics/latency.ts';
import type { LevelRule } from '../../../services/core/canary/metrics/level.ts';
import type { StakeRules } from '../../../services/core/canary/statistics/stakes.ts';
import {
  exponentialOf,
  explicitOf,
  normals,
  usualDurations,
} from '../../../services/dev/canary-climates/durations.ts';
import { addToOne, initialOne } from '../../../services/dev/canary-climates/one-metric.ts';
import { seededRandom } from '../../../services/dev/canary-climates/random.ts';

/** Cap and restarts of the standard preset, windows of 5 s. */
export const stakeRules: StakeRules = {
  blockCapNats: 1.5,
  restarts: { count: 5, weightEach: 0.1 },
};

/** A tenth more is tolerated, nothing scatters, and no history was measured. */
export const latencyRule: LatencyRule = {
  ...stakeRules,
  margin: 0.0443,
  promoteMargin: 0.139,
  tolerance: { relative: 1.1, absolute: 0.0005 },
  promoteTolerance: { relative: 1.25, absolute: 0.002 },
  fineBelowMs: 10,
  phi: { tails: [1, 1, 1, 1], meanLog: 1 },
  measuredAt: null,
};

/** Noise of 5 % in either cohort: relative differences have a variance of 0.005 a window. */
export const levelRule: LevelRule = {
  ...stakeRules,
  worse: 'higher',
  growsWithRequests: true,
  margin: 0.1,
  promoteMargin: 0.2,
  variance: 0.005,
  windowsPerBatch: 12,
};

export const warmUpWindows = 12;
const blockWindows = 3;
const restartWindows = 60;

export const placeAt = (index: number): WindowPlace => ({
  index,
  startMs: index * 5_000,
  judged: index >= warmUpWindows,
  endsBlock: (index + 1) % blockWindows === 0,
  beginsRestart: index > 0 && index % restartWindows === 0 && index / restartWindows <= 5,
});

/** Judges windows from the first on. */
export const judgeEach = <Rule, Window, Rest, Explained>(
  judge: RuledJudge<Rule, Window, Rest, Explained>,
  rule: Rule,
  windows: readonly Window[],
  from: { readonly state: Rest & Numbers; readonly index: number } = {
    state: initialOne(judge, rule),
    index: 0,
  },
): Rest & Numbers =>
  windows.reduce(
    (state, window, at) => addToOne(judge, rule, state, window, placeAt(from.index + at)),
    from.state,
  );

export type ShownDurations = {
  readonly canary: Durations | null;
  readonly baseline: Durations | null;
};

/** Windows of log-normal durations (120 ms); the canary's slower by a factor. */
export const durationWindows = (
  windows: number,
  {
    seed = 1,
    canary = 250,
    baseline = 250,
    slower = 1,
    scale = 4,
    explicit = false,
  }: {
    readonly seed?: number;
    readonly canary?: number;
    readonly baseline?: number;
    readonly slower?: number;
    readonly scale?: number;
    readonly explicit?: boolean;
  } = {},
): readonly ShownDurations[] => {
  const normal = normals(seededRandom(seed, 0));
  const draw = (count: number, factor: number): Durations =>
    explicit
      ? explicitOf(normal, count, usualDurations, factor)
      : exponentialOf(normal, count, usualDurations, factor, scale);
  return Array.from({ length: windows }, () => ({
    canary: draw(canary, slower),
    baseline: draw(baseline, 1),
  }));
};
