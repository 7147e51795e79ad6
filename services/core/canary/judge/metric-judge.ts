import type { BlockPlace } from '../statistics/evidence.ts';
import type { WindowMark } from '../windows/window.ts';

/** Where a window stands in the judgement; the same for every metric. */
export type WindowPlace = WindowMark &
  BlockPlace & {
    /** After the warm-up and with requests in both cohorts: may be evidence. */
    readonly judged: boolean;
  };

/** What every metric's state says after each window. */
export type MetricEvidence = {
  /** ln of the evidence that the canary is worse than tolerated. */
  readonly logRollback: number;
};

/** What came of one metric in one window; null: nothing. */
export type ShownWindow<Values> = {
  readonly canary: Values | null;
  readonly baseline: Values | null;
};

/**
 * How a metric turns windows into evidence: it keeps two e-processes, one against "the canary is within the tolerance"
 * (it leads to a roll-back) and one against "the canary is worse than the promote tolerance" (it leads to a promotion).
 * `place.judged` means: after the warm-up; whether
 * both cohorts said something of this metric it sees itself, and a window in which one did not is no evidence. The
 * rule is frozen when the analysis is opened. States are plain JSON of 0.5 to 2 KB.
 */
export type RuledJudge<Rule, Window, State extends MetricEvidence, Explained> = {
  readonly initial: (rule: Rule) => State;
  readonly addWindow: (rule: Rule, state: State, window: Window, place: WindowPlace) => State;
  /** ln of the evidence that the canary is better than the promote tolerance. */
  readonly logPromote: (rule: Rule, state: State) => number;
  readonly explain: (rule: Rule, state: State) => Explained;
};
