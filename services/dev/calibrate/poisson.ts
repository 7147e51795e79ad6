import type { Random } from '../canary-climates/random.ts';

/**
 * Draws independent Poisson counts, one for each of `means`. Their distributions are tabled once, so that a draw is
 * one uniform number and a look-up.
 */
export const poissonCounts = (means: readonly number[]): ((random: Random) => number[]) => {
  const tables = means.map(tableOf);
  const firsts = Float64Array.from(tables, ({ first }) => first);
  const starts = new Int32Array(means.length);
  const below = new Float64Array(tables.reduce((sum, table) => sum + table.below.length, 0));
  const guides = new Int32Array(means.length * GUIDES);
  let start = 0;
  for (const [index, table] of tables.entries()) {
    starts[index] = start;
    below.set(table.below, start);
    for (let guide = 0; guide < GUIDES; guide += 1) {
      guides[index * GUIDES + guide] =
        start + table.below.findIndex((share) => share > guide / GUIDES);
    }
    start += table.below.length;
  }
  return (random) => {
    const counts = Array<number>(starts.length).fill(0);
    for (let index = 0; index < starts.length; index += 1) {
      const uniform = random();
      let at = guides[index * GUIDES + ((uniform * GUIDES) | 0)] ?? 0;
      while (uniform >= (below[at] ?? 1)) at += 1;
      counts[index] = (firsts[index] ?? 0) + at - (starts[index] ?? 0);
    }
    return counts;
  };
};

const GUIDES = 32;
/** What is rarer than this is never drawn: uniform numbers have 32 bits. */
const RARE = 1e-11;

/** `below[i]`: the chance of at most `first + i`; the last is above every uniform number. */
const tableOf = (mean: number): { readonly first: number; readonly below: readonly number[] } => {
  const mode = Math.floor(mean);
  const shares: number[] = [chanceOf(mode, mean)];
  let first = mode;
  for (let share = shares[0] ?? 0; first > 0 && share > RARE; first -= 1) {
    share *= first / mean;
    shares.unshift(share);
  }
  let share = shares.at(-1) ?? 0;
  for (let count = mode + 1; share > RARE; count += 1) {
    share *= mean / count;
    shares.push(share);
  }
  let sum = 0;
  const below = shares.map((each) => (sum += each));
  return { first, below: [...below.slice(0, -1), 2] };
};

const chanceOf = (count: number, mean: number): number => {
  let log = -mean;
  for (let each = 1; each <= count; each += 1) log += Math.log(mean / each);
  return Math.exp(log);
};
