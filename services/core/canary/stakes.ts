import type { BlockPlace, Restarts } from './evidence.ts';
import { noRestarts } from './evidence.ts';

/**
 * One mixture of e-processes, kept as a gambler's capital: 1 to begin with, spread over alternatives, each of which
 * is multiplied by what the windows say of it. While the null is true the capital is not expected to grow, so the
 * chance that it ever reaches 1/alpha is at most alpha, however often one looks (Ville).
 *
 * A list of numbers, for there are many of them: restarts that have not begun (the capital of each is set aside until
 * then); finished blocks in which the cap held some alternative back; ln of the capital on each alternative after the
 * finished blocks; ln of each alternative's growth in the running block, not capped. Logarithms are rounded down to
 * millionths: who has less stakes less, and a state is half as long.
 */
export type Stakes = readonly number[];

const waitingAt = 0;
const cappedAt = 1;
const settledAt = 2;

const alternativesOf = (stakes: Stakes): number => (stakes.length - settledAt) / 2;

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

/** A promotion needs no fresh starts: what was shown once stays shown. */
export const withoutRestarts = ({ blockCapNats }: StakeRules): StakeRules => ({
  blockCapNats,
  restarts: noRestarts,
});

/** No window spoke: blocks end and restarts begin all the same. */
export const noIncrements: readonly number[] = [];

/** `restartsBegun`: restarts whose time came before there was anything to stake on. */
export const initialStakes = (
  alternatives: number,
  { restarts: { count, weightEach } }: StakeRules,
  restartsBegun = 0,
): Stakes => {
  const waiting = Math.max(0, count - restartsBegun);
  const each = lowered(Math.log((1 - waiting * weightEach) / alternatives));
  return [waiting, 0, ...filled(alternatives, each), ...filled(alternatives, 0)];
};

/**
 * Takes one window's log-increments in, one for each alternative, or none.
 *
 * A restart puts capital that was set aside evenly on the alternatives, which lets a regression that begins late be
 * seen soon. The cap is min(product of the block so far, e^cap): the minimum of a supermartingale and a constant is
 * again a supermartingale (Jensen), so the bound holds after every window. For that the running product itself must
 * stay uncapped inside the block.
 */
export const addToStakes = (
  stakes: Stakes,
  increments: readonly number[],
  place: BlockPlace,
  { blockCapNats, restarts: { weightEach } }: StakeRules,
): Stakes => {
  const restarts = place.beginsRestart && (stakes[waitingAt] ?? 0) > 0;
  const alternatives = alternativesOf(stakes);
  const openAt = settledAt + alternatives;
  const isQuiet = increments.length === 0 && !(place.endsBlock && isOpen(stakes, openAt));
  if (isQuiet && !restarts) return stakes;
  const next = stakes.slice();
  if (restarts) {
    const added = Math.log(weightEach / alternatives);
    for (let at = settledAt; at < openAt; at += 1) next[at] = lowered(logSum(next[at] ?? 0, added));
    next[waitingAt] = (next[waitingAt] ?? 0) - 1;
  }
  for (let index = 0; index < increments.length; index += 1)
    next[openAt + index] = lowered((next[openAt + index] ?? 0) + (increments[index] ?? 0));
  if (!place.endsBlock) return next;
  let isCapped = false;
  for (let index = 0; index < alternatives; index += 1) {
    const growth = next[openAt + index] ?? 0;
    if (growth > blockCapNats) isCapped = true;
    const gain = growth > blockCapNats ? lowered(blockCapNats) : growth;
    const settled = (next[settledAt + index] ?? 0) + gain;
    next[settledAt + index] = settled < lostNats ? nothingNats : millionths(settled);
    next[openAt + index] = 0;
  }
  if (isCapped) next[cappedAt] = (next[cappedAt] ?? 0) + 1;
  return next;
};

const isOpen = (stakes: Stakes, openAt: number): boolean => {
  for (let at = openAt; at < stakes.length; at += 1) if (stakes[at] !== 0) return true;
  return false;
};

/** ln of the whole capital, what is set aside included. */
export const logCapital = (
  stakes: Stakes,
  { blockCapNats, restarts: { weightEach } }: StakeRules,
): number => {
  const aside = (stakes[waitingAt] ?? 0) * weightEach;
  const alternatives = alternativesOf(stakes);
  const openAt = settledAt + alternatives;
  let highest = aside > 0 ? Math.log(aside) : -Infinity;
  for (let at = settledAt; at < openAt; at += 1) {
    const capital = (stakes[at] ?? 0) + Math.min(stakes[at + alternatives] ?? 0, blockCapNats);
    if (capital > highest) highest = capital;
  }
  let sum = aside > 0 ? aside * Math.exp(-highest) : 0;
  for (let at = settledAt; at < openAt; at += 1) {
    const capital = (stakes[at] ?? 0) + Math.min(stakes[at + alternatives] ?? 0, blockCapNats);
    // What lies so far below adds nothing.
    if (capital > highest - negligibleNats) sum += Math.exp(capital - highest);
  }
  return highest + Math.log(sum);
};

/** e^-40 is less than the rounding of a sum. */
const negligibleNats = 40;

const logSum = (left: number, right: number): number =>
  Math.max(left, right) + Math.log1p(Math.exp(-Math.abs(left - right)));

const filled = (length: number, value: number): readonly number[] =>
  Array<number>(length).fill(value);
