import type { BlockPlace } from '../statistics/evidence.ts';
import type { WindowMark } from '../windows/window.ts';

/** Where a window stands in the judgement; the same for every metric. */
export type WindowPlace = WindowMark &
  BlockPlace & {
    /** After the warm-up and with requests in both cohorts: may be evidence. */
    readonly judged: boolean;
  };

/**
 * Where the numbers of one metric are. All metrics of a family have theirs in the same two lists: of a thousand canaries
 * every object costs more than what is in it, and every window would make dozens of them.
 */
export type Numbers = {
  /** What changes where a block ends, and hardly ever else; from `at` on. It begins with the loudest windows. */
  readonly settled: readonly number[];
  readonly at: number;
  /** What changes with every window; from `from` on. It begins with `logRollbackIn`. */
  readonly running: readonly number[];
  readonly from: number;
};

/** ln of the evidence that the canary is worse than tolerated. */
export const logRollbackIn = ({ running, from }: Pick<Numbers, 'running' | 'from'>): number =>
  running[from] ?? 0;

/** The same lists while a window is taken in. `running` belongs to whoever does that, `settled` once it is to be written. */
export type OpenNumbers = {
  settled: readonly number[];
  /** The same list, as soon as it is one's own. */
  own: number[] | null;
  at: number;
  readonly running: number[];
  from: number;
};

export const openNumbers = (
  settled: readonly number[],
  running: readonly number[],
): OpenNumbers => ({ settled, own: null, at: 0, running: running.slice(), from: 0 });

/** The settled numbers, to write to. */
export const settledOf = (open: OpenNumbers): number[] => {
  open.own ??= open.settled.slice();
  open.settled = open.own;
  return open.own;
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
 * rule is frozen when the analysis is opened. `Rest` is what of its state is not numbers, and seldom changes. Plain JSON,
 * 0.5 to 2 KB with the numbers.
 */
export type RuledJudge<Rule, Window, Rest, Explained> = {
  readonly initial: (rule: Rule) => Begun<Rest>;
  /** How many of the numbers are its own. */
  readonly settledLength: (rule: Rule, rest: Rest) => number;
  readonly runningLength: (rule: Rule, rest: Rest) => number;
  /** Takes the next window in: what is numbers is written where they are. */
  readonly addWindow: (
    rule: Rule,
    rest: Rest,
    open: OpenNumbers,
    window: Window,
    place: WindowPlace,
  ) => Rest;
  /** ln of the evidence that the canary is better than the promote tolerance. */
  readonly logPromote: (rule: Rule, state: Rest & Numbers) => number;
  readonly explain: (rule: Rule, state: Rest & Numbers) => Explained;
};

/** A metric before its first window. */
export type Begun<Rest> = Pick<Numbers, 'settled' | 'running'> & { readonly rest: Rest };
