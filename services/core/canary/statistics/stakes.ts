import type { BlockPlace, Restarts } from './evidence.ts';
import { millionths } from './rounding.ts';

/** Alternatives of the two questions that a test asks: is the canary worse than tolerated, and is it good enough? */
export type Alternatives = {
  readonly rollback: readonly number[];
  readonly promote: readonly number[];
  /** ln of the part of the stake that each alternative of the first question has; absent: all have the same. */
  readonly logShares?: readonly number[];
};

// Either question has a mixture of e-processes, kept as a gambler's capital: 1 to begin with, spread over alternatives,
// each of which is multiplied by what the windows say of it. While the null is true the capital is not expected to grow,
// so the chance that it ever reaches 1/alpha is at most alpha, however often one looks (Ville).
//
// There are many of them, and every window needs them all, so they are numbers in the two lists that there are anyway (`Numbers`):
// - what finished blocks came to (`settled`, from `at` on): restarts of the first question that have not begun (the
//   capital of each is set aside until then), finished blocks in which the cap held some alternative of it back, and ln
//   of the capital on each alternative, of the first question and of the second;
// - the running block (`running`, from `from` on): ln of the growth in it of each alternative of the first question, not
//   capped. That of the second is asked for seldom, so a test reckons it from the sums of the block when it is.
// Logarithms are rounded down to millionths: who has less stakes less, and a state is half as long. Lists that are
// written to belong to whoever asks.

const waitingAt = 0;
const cappedAt = 1;
export const capitalsAt = 2;

/** How many numbers of finished blocks are those of one test. */
export const stakesLength = ({ rollback, promote }: Alternatives): number =>
  capitalsAt + rollback.length + promote.length;

const logShare = ({ rollback: { length }, logShares }: Alternatives, index: number): number =>
  logShares?.[index] ?? -Math.log(length);

/** Finished blocks in which the cap held some alternative back. */
export const cappedBlocksOf = (settled: readonly number[], at: number): number =>
  settled[at + cappedAt] ?? 0;

export const lowered = (value: number): number => Math.floor(value * 1e6) / 1e6 + 0;
/**
 * Of the first question, what has become of so little (e^-300) is given up, which is always allowed, and not reckoned any
 * more until a restart stakes anew. The second has no restarts, and what it lost a retry goes on from.
 */
const lostNats = -300;
const nothingNats = -9_999;
/** Whether a capital was given up. */
export const isGivenUp = (capital: number | undefined): boolean => capital === nothingNats;

export type StakeRules = {
  /** In one block an alternative gains at most this much. */
  readonly blockCapNats: number;
  /** Of the first question: a promotion needs no fresh starts, for what was shown once stays shown. */
  readonly restarts: Restarts;
};

/** `restartsBegun`: restarts whose time came before there was anything to stake on. */
export const initialStakes = (
  alternatives: Alternatives,
  { restarts: { count, weightEach } }: StakeRules,
  restartsBegun = 0,
): readonly number[] => {
  const { rollback, promote } = alternatives;
  const waiting = rollback.length === 0 ? 0 : Math.max(0, count - restartsBegun);
  const staked = Math.log(1 - waiting * weightEach);
  const promoteEach = lowered(Math.log(1 / promote.length));
  return [
    ...[waiting, 0],
    ...rollback.map((_, index) => lowered(staked + logShare(alternatives, index))),
    ...promote.map(() => promoteEach),
  ];
};

/**
 * One after the other: an array that was made for so many has holes as far as an engine knows, as has one that `flatMap`
 * made, and is slower for ever, as is every copy of it.
 */
export const zeros = (length: number): number[] => {
  const list: number[] = [];
  while (list.length < length) list.push(0);
  return list;
};

/** Whether capital that was set aside is staked with this window, the first of a block. */
export const isRestart = (
  settled: readonly number[],
  at: number,
  { beginsRestart }: BlockPlace,
): boolean => beginsRestart && (settled[at + waitingAt] ?? 0) > 0;

/** Puts it on the alternatives as in the beginning, which lets a regression that begins late be seen soon. */
export const restart = (
  settled: number[],
  at: number,
  alternatives: Alternatives,
  { restarts: { weightEach } }: StakeRules,
): void => {
  const added = Math.log(weightEach);
  const first = at + capitalsAt;
  for (let index = 0; index < alternatives.rollback.length; index += 1)
    settled[first + index] = lowered(
      logSum(settled[first + index] ?? 0, added + logShare(alternatives, index)),
    );
  settled[at + waitingAt] = (settled[at + waitingAt] ?? 0) - 1;
};

/** Rounds so many growths down, once for each window whose log-increments were added to them. */
export const roundGrowth = (running: number[], from: number, length: number): void => {
  for (let at = from; at < from + length; at += 1) running[at] = lowered(running[at] ?? 0);
};

/**
 * Adds the running block, which ends, to those before, and begins the next: what it let the alternatives of the first
 * question grow is set to 0. `promoteGrowth` is the growth of those of the second (from 0 on). The cap is min(product of
 * the block, e^cap): the minimum of a supermartingale and a constant is again a supermartingale (Jensen), so the bound
 * holds after every window. For that the running product itself must stay uncapped inside the block.
 */
export const settle = (
  settled: number[],
  at: number,
  growth: number[],
  from: number,
  promoteGrowth: readonly number[],
  { rollback, promote }: Alternatives,
  { blockCapNats }: StakeRules,
): void => {
  const first = at + capitalsAt;
  let isCapped = false;
  for (let index = 0; index < rollback.length; index += 1) {
    const grown = growth[from + index] ?? 0;
    if (grown > blockCapNats) isCapped = true;
    const capital = grownTo(settled[first + index] ?? 0, grown, blockCapNats);
    settled[first + index] = capital < lostNats ? nothingNats : capital;
    growth[from + index] = 0;
  }
  if (isCapped) settled[at + cappedAt] = cappedBlocksOf(settled, at) + 1;
  const promoteAt = first + rollback.length;
  for (let index = 0; index < promote.length; index += 1)
    settled[promoteAt + index] = grownTo(
      settled[promoteAt + index] ?? 0,
      lowered(promoteGrowth[index] ?? 0),
      blockCapNats,
    );
};

const grownTo = (before: number, growth: number, blockCapNats: number): number =>
  millionths(before + (growth > blockCapNats ? lowered(blockCapNats) : growth));

/** ln of the whole capital of the first question, what is set aside and what the running block adds included. */
export const logRollbackCapital = (
  settled: readonly number[],
  at: number,
  growth: readonly number[],
  from: number,
  { rollback: { length } }: Alternatives,
  { blockCapNats, restarts: { weightEach } }: StakeRules,
): number => {
  const aside = (settled[at + waitingAt] ?? 0) * weightEach;
  return logCapital(settled, at + capitalsAt, growth, from, length, aside, blockCapNats);
};

/** The same of the second question, of which the running block's growth is `promoteGrowth` (from 0 on). */
export const logPromoteCapital = (
  settled: readonly number[],
  at: number,
  promoteGrowth: readonly number[],
  { rollback, promote }: Alternatives,
  { blockCapNats }: StakeRules,
): number => {
  const first = at + capitalsAt + rollback.length;
  return logCapital(settled, first, promoteGrowth, 0, promote.length, 0, blockCapNats);
};

const logCapital = (
  settled: readonly number[],
  at: number,
  running: readonly number[],
  from: number,
  length: number,
  aside: number,
  blockCapNats: number,
): number => {
  let highest = aside > 0 ? Math.log(aside) : -Infinity;
  for (let index = 0; index < length; index += 1) {
    const capital = (settled[at + index] ?? 0) + Math.min(running[from + index] ?? 0, blockCapNats);
    if (capital > highest) highest = capital;
  }
  let sum = aside > 0 ? aside * Math.exp(-highest) : 0;
  for (let index = 0; index < length; index += 1) {
    const capital = (settled[at + index] ?? 0) + Math.min(running[from + index] ?? 0, blockCapNats);
    if (capital === highest) sum += 1;
    // What lies so far below adds nothing.
    else if (capital > highest - negligibleNats) sum += Math.exp(capital - highest);
  }
  return highest + Math.log(sum);
};

/** e^-40 is less than the rounding of a sum. */
const negligibleNats = 40;

const logSum = (left: number, right: number): number =>
  Math.max(left, right) + Math.log1p(Math.exp(-Math.abs(left - right)));
