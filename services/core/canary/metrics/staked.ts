import type { BlockPlace } from '../statistics/evidence.ts';
import type { MetricEvidence, WindowPlace } from '../judge/metric-judge.ts';
import type { Alternatives, StakeRules } from '../statistics/stakes.ts';
import {
  initialStakes,
  isRestart,
  logPromoteCapital,
  logRollbackCapital,
  restart,
  settle,
} from '../statistics/stakes.ts';
import { loudLength, noLoudWindows, withWindow } from '../analysis/strongest-windows.ts';

/** A metric with one test that stakes on both questions. */
export type Staked = MetricEvidence & {
  /** Nothing was evidence before: both capitals are 1. */
  readonly isBegun: boolean;
  /** Its loudest windows, and its stakes after the finished blocks. */
  readonly settled: readonly number[];
  /** Numbers of its own that change with every window, and then what the running block's growth is reckoned from. */
  readonly running: readonly number[];
};

/** Where they are. */
export const stakesAt: number = loudLength;

export const initialSettled = (
  alternatives: Alternatives,
  rules: StakeRules,
): readonly number[] => [...noLoudWindows, ...initialStakes(alternatives, rules)];

/**
 * What the running block let the alternatives grow: of the first question from a place of a list on, of the second
 * from the beginning of another. The lists belong to whoever asks; the second is right where a block ends, or where the
 * question is asked.
 */
export type Growth = {
  readonly rollback: number[];
  readonly from: number;
  readonly promote: readonly number[];
  /** Whether any window of the block was evidence. */
  readonly isOpen: boolean;
};

/**
 * What finished blocks came to after the restart that begins with a window and the block that ends with it, whose growth
 * of the first question is 0 again; null: neither does, or there was nothing to settle.
 */
export const blockPassed = (
  rules: StakeRules,
  alternatives: Alternatives,
  before: readonly number[],
  { rollback, from, promote, isOpen }: Growth,
  place: BlockPlace,
): readonly number[] | null => {
  const isRestarting = isRestart(before, stakesAt, place);
  const isEnding = place.endsBlock && isOpen;
  if (!isRestarting && !isEnding) return null;
  const settled = before.slice();
  if (isRestarting) restart(settled, stakesAt, alternatives, rules);
  if (isEnding) settle(settled, stakesAt, rollback, from, promote, alternatives, rules);
  return settled;
};

/** A state that is being made, and belongs to whoever makes it. */
export type Making<State> = { -readonly [Name in keyof State]: State[Name] };

/**
 * Brings the stakes of a state that is being made up to one window, which its `running` has already: `speaks` says
 * whether the window was evidence, and `isShown` whether it counts among the loudest.
 */
export const stake = (
  rules: StakeRules,
  alternatives: Alternatives,
  next: Making<Staked>,
  growth: Growth,
  place: WindowPlace,
  speaks: boolean,
  isShown: boolean,
): void => {
  const passed = blockPassed(rules, alternatives, next.settled, growth, place);
  if (passed !== null) next.settled = passed;
  else if (!speaks) return;
  const { settled, logRollback } = next;
  const { rollback, from } = growth;
  next.isBegun = true;
  next.logRollback = logRollbackCapital(settled, stakesAt, rollback, from, alternatives, rules);
  if (isShown) next.settled = withWindow(settled, place, next.logRollback - logRollback);
};

/** ln of the evidence that the canary is good enough. Seldom asked for, so it is not kept. */
export const logPromoteOf = (
  rules: StakeRules,
  alternatives: Alternatives,
  { isBegun, settled }: Staked,
  promoteGrowth: readonly number[],
): number =>
  isBegun ? logPromoteCapital(settled, stakesAt, promoteGrowth, alternatives, rules) : 0;
