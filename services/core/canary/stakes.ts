import type { BlockPlace, Restarts } from './evidence.ts';
import { noRestarts } from './evidence.ts';

/**
 * One mixture of e-processes, kept as a gambler's capital: 1 to begin with, spread over alternatives, each of which
 * is multiplied by what the windows say of it. While the null is true the capital is not expected to grow, so the
 * chance that it ever reaches 1/alpha is at most alpha, however often one looks (Ville).
 *
 * This is what the finished blocks made of it, a list of numbers, for there are many of them: restarts that have not
 * begun (the capital of each is set aside until then); finished blocks in which the cap held some alternative back; ln
 * of the capital on each alternative. Logarithms are rounded down to millionths: who has less stakes less, and a state
 * is half as long.
 *
 * What the running block adds stands apart from it, as it changes with every window: ln of each alternative's growth,
 * not capped, somewhere in a list of such numbers (`running`, from `from` on).
 */
export type Stakes = readonly number[];

const waitingAt = 0;
const cappedAt = 1;
const settledAt = 2;

/** How many growths of the running block belong to these stakes. */
export const alternativesOf = (stakes: Stakes): number => stakes.length - settledAt;

/** Finished blocks in which the cap held some alternative back. */
export const cappedBlocksOf = (stakes: Stakes): number => stakes[cappedAt] ?? 0;

const lowered = (value: number): number => Math.floor(value * 1e6) / 1e6 + 0;
/** What has become of so little (e^-300) is given up, which is always allowed; a restart stakes anew. */
const lostNats = -300;
const nothingNats = -9_999;
/** Of a sum of millionths; adding 0 makes -0, which JSON has not, 0. */
const millionths = (value: number): number => Math.round(value * 1e6) / 1e6 + 0;

export type StakeRules = {
  /** In one block an alternative gains at most this much. */
  readonly blockCapNats: number;
  readonly restarts: Restarts;
};

/** A promotion needs no fresh starts: what was shown once stays shown. Nothing of its stakes is set aside. */
export const withoutRestarts = ({ blockCapNats }: StakeRules): StakeRules => ({
  blockCapNats,
  restarts: noRestarts,
});

/** `restartsBegun`: restarts whose time came before there was anything to stake on. */
export const initialStakes = (
  alternatives: number,
  { restarts: { count, weightEach } }: StakeRules,
  restartsBegun = 0,
): Stakes => {
  const waiting = Math.max(0, count - restartsBegun);
  const each = lowered(Math.log((1 - waiting * weightEach) / alternatives));
  return [waiting, 0, ...zeros(alternatives).map(() => each)];
};

/** A running block in which nothing has grown. */
export const zeros = (length: number): number[] => Array<number>(length).fill(0);

/**
 * With the restart that begins here, if one does: it puts capital that was set aside evenly on the alternatives, which
 * lets a regression that begins late be seen soon. Restarts fall on the first window of a block.
 */
export const restarted = (
  stakes: Stakes,
  { beginsRestart }: BlockPlace,
  { restarts: { weightEach } }: StakeRules,
): Stakes => {
  const waiting = stakes[waitingAt] ?? 0;
  if (!beginsRestart || waiting <= 0) return stakes;
  const added = Math.log(weightEach / alternativesOf(stakes));
  const next = stakes.map((capital) => lowered(logSum(capital, added)));
  next[waitingAt] = waiting - 1;
  next[cappedAt] = cappedBlocksOf(stakes);
  return next;
};

/**
 * Rounds the growth of so many alternatives, once for each window whose log-increments were added to it. `running`
 * belongs to whoever asks, and is changed.
 */
export const roundGrowth = (running: number[], from: number, alternatives: number): void => {
  for (let at = from; at < from + alternatives; at += 1) running[at] = lowered(running[at] ?? 0);
};

/** Whether any alternative has grown or shrunk in the running block. */
export const isOpen = (running: readonly number[], from: number): boolean => {
  for (let at = from; at < running.length; at += 1) if (running[at] !== 0) return true;
  return false;
};

/**
 * With the running block, which ends. The cap is min(product of the block, e^cap): the minimum of a supermartingale and
 * a constant is again a supermartingale (Jensen), so the bound holds after every window. For that the running product
 * itself must stay uncapped inside the block.
 */
export const settle = (
  stakes: Stakes,
  running: readonly number[],
  from: number,
  { blockCapNats }: StakeRules,
): Stakes => {
  const next = stakes.slice();
  let isCapped = false;
  for (let at = settledAt; at < stakes.length; at += 1) {
    const growth = running[from + at - settledAt] ?? 0;
    if (growth > blockCapNats) isCapped = true;
    const gain = growth > blockCapNats ? lowered(blockCapNats) : growth;
    const settled = (stakes[at] ?? 0) + gain;
    next[at] = settled < lostNats ? nothingNats : millionths(settled);
  }
  if (isCapped) next[cappedAt] = cappedBlocksOf(stakes) + 1;
  return next;
};

/** ln of the whole capital, what is set aside and what the running block adds included. */
export const logCapital = (
  stakes: Stakes,
  running: readonly number[],
  from: number,
  { blockCapNats, restarts: { weightEach } }: StakeRules,
): number => {
  const aside = (stakes[waitingAt] ?? 0) * weightEach;
  const growthAt = from - settledAt;
  let highest = aside > 0 ? Math.log(aside) : -Infinity;
  for (let at = settledAt; at < stakes.length; at += 1) {
    const capital = (stakes[at] ?? 0) + Math.min(running[growthAt + at] ?? 0, blockCapNats);
    if (capital > highest) highest = capital;
  }
  let sum = aside > 0 ? aside * Math.exp(-highest) : 0;
  for (let at = settledAt; at < stakes.length; at += 1) {
    const capital = (stakes[at] ?? 0) + Math.min(running[growthAt + at] ?? 0, blockCapNats);
    // What lies so far below adds nothing.
    if (capital > highest - negligibleNats) sum += Math.exp(capital - highest);
  }
  return highest + Math.log(sum);
};

/** e^-40 is less than the rounding of a sum. */
const negligibleNats = 40;

const logSum = (left: number, right: number): number =>
  Math.max(left, right) + Math.log1p(Math.exp(-Math.abs(left - right)));
