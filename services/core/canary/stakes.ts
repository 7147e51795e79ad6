import type { BlockPlace, Restarts } from './evidence.ts';
import { noRestarts } from './evidence.ts';

/**
 * One mixture of e-processes, kept as a gambler's capital: 1 to begin with, spread over alternatives, each of which
 * is multiplied by what the windows say of it. While the null is true the capital is not expected to grow, so the
 * chance that it ever reaches 1/alpha is at most alpha, however often one looks (Ville).
 */
export type Stakes = {
  /** ln of the capital on each alternative after the finished blocks. */
  readonly settled: readonly number[];
  /** ln of each alternative's growth in the running block, not capped. */
  readonly open: readonly number[];
  /** Restarts that have not begun; the capital of each is set aside until then. */
  readonly restartsWaiting: number;
  /** Finished blocks in which the cap held some alternative back. */
  readonly cappedBlocks: number;
};

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
  const each = Math.log((1 - waiting * weightEach) / alternatives);
  return {
    settled: filled(alternatives, each),
    open: filled(alternatives, 0),
    restartsWaiting: waiting,
    cappedBlocks: 0,
  };
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
  const restarts = place.beginsRestart && stakes.restartsWaiting > 0;
  if (increments.length === 0 && !place.endsBlock && !restarts) return stakes;
  const alternatives = stakes.open.length;
  let { settled, open, restartsWaiting, cappedBlocks } = stakes;
  if (restarts) {
    const added = Math.log(weightEach / alternatives);
    settled = settled.map((capital) => logSum(capital, added));
    restartsWaiting -= 1;
  }
  if (increments.length > 0) open = sums(open, increments);
  if (place.endsBlock) {
    let isCapped = false;
    const after: number[] = [];
    for (let index = 0; index < alternatives; index += 1) {
      const growth = open[index] ?? 0;
      if (growth > blockCapNats) isCapped = true;
      after.push((settled[index] ?? 0) + (growth > blockCapNats ? blockCapNats : growth));
    }
    settled = after;
    if (isCapped) cappedBlocks += 1;
    open = filled(alternatives, 0);
  }
  return { settled, open, restartsWaiting, cappedBlocks };
};

/** ln of the whole capital, what is set aside included. */
export const logCapital = (
  { settled, open, restartsWaiting }: Stakes,
  { blockCapNats, restarts: { weightEach } }: StakeRules,
): number => {
  const aside = restartsWaiting * weightEach;
  let highest = aside > 0 ? Math.log(aside) : -Infinity;
  for (let index = 0; index < settled.length; index += 1) {
    const capital = (settled[index] ?? 0) + Math.min(open[index] ?? 0, blockCapNats);
    if (capital > highest) highest = capital;
  }
  let sum = aside > 0 ? aside * Math.exp(-highest) : 0;
  for (let index = 0; index < settled.length; index += 1) {
    const capital = (settled[index] ?? 0) + Math.min(open[index] ?? 0, blockCapNats);
    sum += Math.exp(capital - highest);
  }
  return highest + Math.log(sum);
};

const sums = (left: readonly number[], right: readonly number[]): readonly number[] => {
  const sum: number[] = [];
  for (let index = 0; index < left.length; index += 1)
    sum.push((left[index] ?? 0) + (right[index] ?? 0));
  return sum;
};

const logSum = (left: number, right: number): number =>
  Math.max(left, right) + Math.log1p(Math.exp(-Math.abs(left - right)));

const filled = (length: number, value: number): readonly number[] =>
  Array<number>(length).fill(value);
