import type { Random } from '../canary-climates/random.ts';
import { seededRandom } from '../canary-climates/random.ts';

/** A source of chance that follows from a seed alone. */
export type Chance = {
  readonly number: Random;
  /** True with this probability. */
  readonly happens: (probability: number) => boolean;
  /** A whole number from 0 to below `end`. */
  readonly below: (end: number) => number;
  readonly oneOf: <Item>(items: readonly Item[]) => Item;
  readonly shuffled: <Item>(items: readonly Item[]) => readonly Item[];
};

/** `stream` sets apart sequences of one seed: what one of them draws moves none of the others. */
export const openChance = (seed: number, stream: number): Chance => {
  const number = seededRandom(seed, stream);
  const below = (end: number): number => Math.floor(number() * end);
  const oneOf = <Item>(items: readonly Item[]): Item => {
    const item = items[below(items.length)];
    if (item === undefined) throw new RangeError('nothing to choose from');
    return item;
  };
  return {
    number,
    happens: (probability) => number() < probability,
    below,
    oneOf,
    shuffled: (items) => {
      const left = [...items];
      for (let at = left.length - 1; at > 0; at--) {
        const other = below(at + 1);
        [left[at], left[other]] = [left[other] as never, left[at] as never];
      }
      return left;
    },
  };
};
