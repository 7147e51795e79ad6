import type { BlockPlace } from '../statistics/evidence.ts';
import type { Numbers, OpenNumbers, WindowPlace } from '../judge/metric-judge.ts';
import { settledOf } from '../judge/metric-judge.ts';
import type { Alternatives, StakeRules } from '../statistics/stakes.ts';
import {
  initialStakes,
  isRestart,
  logPromoteCapital,
  logRollbackCapital,
  restart,
  settle,
  stakesLength,
} from '../statistics/stakes.ts';
import { addLoudWindow, loudLength, noLoudWindows } from '../analysis/strongest-windows.ts';

// A metric with one test that stakes on both questions. Its settled numbers begin with its loudest windows and its stakes
// after the finished blocks. Its running numbers begin with ln of its evidence, and with 1 as soon as anything was evidence;
// before that both capitals are 1.

/** From a metric's first settled number on. */
export const stakesAt: number = loudLength;
export const afterStakes = (alternatives: Alternatives): number =>
  stakesAt + stakesLength(alternatives);

const begunAt = 1;
/** How many running numbers every such metric begins with. */
export const ownRunningAt = 2;

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
 * The restart that begins with a window and the block that ends with it, whose growth of the first question is 0 again.
 * False: neither does, or there was nothing to settle.
 */
export const passBlock = (
  rules: StakeRules,
  alternatives: Alternatives,
  open: OpenNumbers,
  { rollback, from, promote, isOpen }: Growth,
  place: BlockPlace,
): boolean => {
  const at = open.at + stakesAt;
  const isRestarting = isRestart(open.settled, at, place);
  const isEnding = place.endsBlock && isOpen;
  if (!isRestarting && !isEnding) return false;
  const settled = settledOf(open);
  if (isRestarting) restart(settled, at, alternatives, rules);
  if (isEnding) settle(settled, at, rollback, from, promote, alternatives, rules);
  return true;
};

/** What is being made, and belongs to whoever makes it. */
export type Making<Made> = { -readonly [Name in keyof Made]: Made[Name] };

/**
 * Brings the stakes up to one window, which the running numbers have already: `speaks` says whether the window was
 * evidence, and `isShown` whether it counts among the loudest.
 */
export const stake = (
  rules: StakeRules,
  alternatives: Alternatives,
  open: OpenNumbers,
  growth: Growth,
  place: WindowPlace,
  speaks: boolean,
  isShown: boolean,
): void => {
  if (!passBlock(rules, alternatives, open, growth, place) && !speaks) return;
  const { running, from: first, at } = open;
  const { rollback, from } = growth;
  const before = running[first] ?? 0;
  const now = logRollbackCapital(open.settled, at + stakesAt, rollback, from, alternatives, rules);
  running[first] = now;
  running[first + begunAt] = 1;
  if (isShown) addLoudWindow(open, place, now - before);
};

/** ln of the evidence that the canary is good enough. Seldom asked for, so it is not kept. */
export const logPromoteOf = (
  rules: StakeRules,
  alternatives: Alternatives,
  { settled, at, running, from }: Numbers,
  promoteGrowth: readonly number[],
): number =>
  running[from + begunAt] === 1
    ? logPromoteCapital(settled, at + stakesAt, promoteGrowth, alternatives, rules)
    : 0;
