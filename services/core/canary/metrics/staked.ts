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

/**
 * The stakes after one window: `shown` is the running block with it, `speaks` whether it was evidence, and `isShown`
 * whether it counts among the loudest.
 */
export const stakedAfter = (
  rules: StakeRules,
  alternatives: Alternatives,
  before: Staked,
  shown: readonly number[],
  from: number,
  place: WindowPlace,
  speaks: boolean,
  isShown: boolean,
): Staked => {
  const passed = blockPassed(rules, alternatives, before.settled, shown, from, place);
  const settled = passed?.settled ?? before.settled;
  const running = passed?.running ?? shown;
  const moves = speaks || passed !== null;
  const logRollback = moves
    ? logRollbackCapital(settled, stakesAt, running, from, alternatives, rules)
    : before.logRollback;
  const gain = logRollback - before.logRollback;
  return {
    logRollback,
    isBegun: before.isBegun || moves,
    settled: isShown ? withWindow(settled, place, gain) : settled,
    running,
  };
};

/** ln of the evidence that the canary is good enough. Seldom asked for, so it is not kept. */
export const logPromoteOf = (
  rules: StakeRules,
  alternatives: Alternatives,
  { isBegun, settled, running }: Staked,
  from: number,
): number =>
  isBegun ? logPromoteCapital(settled, stakesAt, running, from, alternatives, rules) : 0;
