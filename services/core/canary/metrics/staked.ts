import type { BlockPlace } from '../statistics/evidence.ts';
import type { MetricEvidence, WindowPlace } from '../judge/metric-judge.ts';
import type { Alternatives, StakeRules } from '../statistics/stakes.ts';
import {
  growthLength,
  initialStakes,
  isOpen,
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
  /** Numbers of its own that change with every window, and then the growth in the running block. */
  readonly running: readonly number[];
};

/** Where they are. */
export const stakesAt: number = loudLength;

export const initialSettled = (
  alternatives: Alternatives,
  rules: StakeRules,
): readonly number[] => [...noLoudWindows, ...initialStakes(alternatives, rules)];

/**
 * The two lists after the restart that begins with a window and the block that ends with it, whose growth (it begins at
 * `from`) is 0 again; null: neither does, or there was nothing to settle.
 */
export const blockPassed = (
  rules: StakeRules,
  alternatives: Alternatives,
  before: readonly number[],
  shown: readonly number[],
  from: number,
  place: BlockPlace,
): Pick<Staked, 'settled' | 'running'> | null => {
  const isRestarting = isRestart(before, stakesAt, place);
  const isEnding = place.endsBlock && isOpen(shown, from, growthLength(alternatives));
  if (!isRestarting && !isEnding) return null;
  const settled = before.slice();
  const running = shown.slice();
  if (isRestarting) restart(settled, stakesAt, alternatives, rules);
  if (isEnding) settle(settled, stakesAt, running, from, alternatives, rules);
  return { settled, running };
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
  from: number,
  place: WindowPlace,
  speaks: boolean,
  isShown: boolean,
): void => {
  const passed = blockPassed(rules, alternatives, next.settled, next.running, from, place);
  if (passed !== null) {
    next.settled = passed.settled;
    next.running = passed.running;
  } else if (!speaks) return;
  const { settled, running, logRollback } = next;
  next.isBegun = true;
  next.logRollback = logRollbackCapital(settled, stakesAt, running, from, alternatives, rules);
  if (isShown) next.settled = withWindow(settled, place, next.logRollback - logRollback);
};

/** ln of the evidence that the canary is good enough. Seldom asked for, so it is not kept. */
export const logPromoteOf = (
  rules: StakeRules,
  alternatives: Alternatives,
  { isBegun, settled, running }: Staked,
  from: number,
): number =>
  isBegun ? logPromoteCapital(settled, stakesAt, running, from, alternatives, rules) : 0;
