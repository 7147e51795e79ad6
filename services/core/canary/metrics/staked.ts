import type { BlockPlace } from '../evidence.ts';
import type { MetricEvidence } from '../metric-judge.ts';
import type { Alternatives, StakeRules } from '../stakes.ts';
import { growthLength, isOpen, isRestart, logPromoteCapital, restart, settle } from '../stakes.ts';

/** A metric with one test that stakes on both questions. */
export type Staked = MetricEvidence & {
  /** Nothing was evidence before: both capitals are 1. */
  readonly isBegun: boolean;
  /** Its stakes after the finished blocks. */
  readonly settled: readonly number[];
  /** Numbers of its own that change with every window, and then the growth in the running block. */
  readonly running: readonly number[];
};

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
  const isRestarting = isRestart(before, 0, place);
  const isEnding = place.endsBlock && isOpen(shown, from, growthLength(alternatives));
  if (!isRestarting && !isEnding) return null;
  const settled = before.slice();
  const running = shown.slice();
  if (isRestarting) restart(settled, 0, alternatives, rules);
  if (isEnding) settle(settled, 0, running, from, alternatives, rules);
  return { settled, running };
};

/** ln of the evidence that the canary is good enough. Seldom asked for, so it is not kept. */
export const logPromoteOf = (
  rules: StakeRules,
  alternatives: Alternatives,
  { isBegun, settled, running }: Staked,
  from: number,
): number => (isBegun ? logPromoteCapital(settled, 0, running, from, alternatives, rules) : 0);
