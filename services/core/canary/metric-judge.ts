import type { BlockPlace } from './evidence.ts';
import type { JudgePolicy } from './policy.ts';
import type { RatioInterval } from './ratio.ts';
import type { ArmCounts, WindowCounts, WindowMark } from './window.ts';

/** The metrics a canary is judged by. Latency, gauges and traffic will each add their name here. */
export type MetricName = 'errors';

/** Where a window stands in the judgement; the same for every metric. */
export type WindowPlace = BlockPlace & {
  /** After the warm-up and with requests in both cohorts: may be evidence. */
  readonly judged: boolean;
};

/** What every metric's state says after each window, as natural logarithms. */
export type MetricEvidence = {
  /** Evidence that the canary is worse than tolerated. */
  readonly logRollback: number;
  /** Evidence that the canary is better than the promote tolerance. */
  readonly logPromote: number;
};

/**
 * How one metric turns windows into evidence. A metric keeps two e-processes: one against "the
 * canary is within the tolerance" (it leads to a rollback) and one against "the canary is worse
 * than the promote tolerance" (it leads to a promotion). The family is combined in judge.ts.
 */
export type MetricJudge<State extends MetricEvidence> = {
  readonly initial: (policy: JudgePolicy) => State;
  readonly addWindow: (
    policy: JudgePolicy,
    state: State,
    window: WindowCounts,
    place: WindowPlace,
  ) => State;
  readonly explain: (policy: JudgePolicy, state: State) => MetricExplanation;
};

/** A window by how much it moved the rollback evidence. */
export type StrongWindow = WindowMark & {
  readonly gainNats: number;
  readonly canary: ArmCounts;
  readonly baseline: ArmCounts;
};

/** What a person needs to check one metric's part of a verdict. Rates are errors per request. */
export type MetricExplanation = {
  readonly metric: MetricName;
  /** All judged windows: after the warm-up, with requests in both cohorts. */
  readonly canary: ArmCounts;
  readonly baseline: ArmCounts;
  /** Canary rate / baseline rate, paired by window; null while the baseline has no error. */
  readonly ratio: number | null;
  /** Holds the true ratio with this confidence at every window at once; null ends are open. */
  readonly interval: RatioInterval & { readonly confidence: number };
  /** The rate up to which the canary counts as no worse, at the baseline rate seen. */
  readonly toleratedRate: number;
  /** Odds against "no worse than tolerated", and against "worse than the promote tolerance". */
  readonly rollbackEvidence: number;
  readonly promoteEvidence: number;
  /** The windows that spoke loudest against the canary, loudest first. */
  readonly strongestWindows: readonly StrongWindow[];
  /** Blocks whose gain was cut by the block cap. */
  readonly cappedBlocks: number;
  /** How much more the counts scatter than independent requests would; 1: not at all. */
  readonly dispersion: number;
};

/** What came of one metric in one window; null: nothing. */
export type ShownWindow<Values> = WindowMark & {
  readonly canary: Values | null;
  readonly baseline: Values | null;
};

/**
 * How a metric with a rule of its own turns windows into evidence. `place.judged` means: after the warm-up; whether
 * both cohorts said something of this metric it sees itself, and a window in which one did not is no evidence. The
 * rule is frozen when the analysis is opened. States are plain JSON of about 2 KB.
 */
export type RuledJudge<Rule, Window, State extends MetricEvidence, Explained> = {
  readonly initial: (rule: Rule) => State;
  readonly addWindow: (rule: Rule, state: State, window: Window, place: WindowPlace) => State;
  readonly explain: (rule: Rule, state: State) => Explained;
};
