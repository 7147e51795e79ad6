import { errorsInformation } from '../../core/canary/statistics/planner.ts';
import type { Line } from '../../core/canary/metrics/rate-test.ts';
import {
  normalDensity,
  normalQuantile,
  normalShareBelow,
} from '../../core/canary/statistics/normal.ts';

/**
 * How soon a regression can be found at all: a judge that rolls back at most alpha of the good
 * canaries needs on average at least ln(1/alpha) / I seconds (Wald), where I is the information of a
 * second of traffic against the nearest point of the null. The same with beta bounds a promotion.
 */

export type Traffic = { readonly canaryRps: number; readonly baselineRps: number };

/** How the canary's durations differ: all of them, or so large a part of the requests at random. */
export type Slowdown =
  | { readonly of: 'all'; readonly factor: number }
  | { readonly of: 'part'; readonly part: number; readonly factor: number };

export const errorsBoundSeconds = (
  { canaryRps, baselineRps }: Traffic,
  rates: { readonly canary: number; readonly baseline: number },
  tolerance: Line,
  alpha: number,
): number =>
  Math.log(1 / alpha) /
  errorsInformation(tolerance, canaryRps, rates.canary, baselineRps, rates.baseline);

/**
 * Against "P(canary > x * toleratedSlowdown) <= P(baseline > x) for every x": the nearest pair of
 * distributions of that kind is found cell by cell, so any change of the distribution will do.
 */
export const latencyBoundSeconds = (
  { canaryRps, baselineRps }: Traffic,
  slowdown: Slowdown,
  spread: number,
  toleratedSlowdown: number,
  alpha: number,
): number => {
  const { canary, baseline } = cellsOf(slowdown, spread, toleratedSlowdown);
  return Math.log(1 / alpha) / orderInformation(canary, baseline, canaryRps, baselineRps);
};

/**
 * The factor by which that part of the requests must be slower for the 95th percentile of all to rise
 * by `rise` (1.25: by a quarter).
 */
export const partFactor = (part: number, rise: number, spread: number): number => {
  const slowAt = normalQuantile(0.95) * spread + Math.log(rise);
  let low = 1;
  let high = 1_000;
  for (let step = 0; step < 80; step += 1) {
    const middle = Math.sqrt(low * high);
    const below =
      (1 - part) * normalShareBelow(slowAt / spread) +
      part * normalShareBelow((slowAt - Math.log(middle)) / spread);
    if (below > 0.95) low = middle;
    else high = middle;
  }
  return Math.sqrt(low * high);
};

/**
 * Nats a second of so many requests gives against "the canary is stochastically no larger": the least
 * of n_c KL(canary || C) + n_b KL(baseline || B) over C no larger than B. The nearest pair is known in
 * closed form (Brunk et al. 1966): each distribution times the isotonic regression of its own ratio to
 * the pool of both.
 */
export const orderInformation = (
  canary: readonly number[],
  baseline: readonly number[],
  canaryRequests: number,
  baselineRequests: number,
): number => {
  const total = canaryRequests + baselineRequests;
  const pool = canary.map(
    (share, cell) => (canaryRequests * share + baselineRequests * (baseline[cell] ?? 0)) / total,
  );
  // Where the canary has too many slow requests its nearest distribution has fewer: falling ratios.
  const canaryFit = antitonic(ratios(pool, canary), canary);
  const baselineFit = antitonic(
    ratios(pool, baseline).toReversed(),
    baseline.toReversed(),
  ).toReversed();
  return (
    -canaryRequests * expectedLog(canary, canaryFit) -
    baselineRequests * expectedLog(baseline, baselineFit)
  );
};

/** Cells are 1/64 of a doubling wide and reach beyond both distributions. */
const CELLS_PER_DOUBLING = 64;
const REACH = 7;

/** Both distributions by cell, with the canary's durations divided by what is tolerated. */
const cellsOf = (
  slowdown: Slowdown,
  spread: number,
  toleratedSlowdown: number,
): { readonly canary: readonly number[]; readonly baseline: readonly number[] } => {
  const width = Math.LN2 / CELLS_PER_DOUBLING;
  const from = -REACH * spread - Math.log(toleratedSlowdown);
  const to = REACH * spread + Math.log(Math.max(1, slowdown.factor));
  const cells = Math.ceil((to - from) / width);
  const sharesOf = (densityAt: (at: number) => number): readonly number[] => {
    const densities = Array.from({ length: cells }, (_, cell) =>
      densityAt(from + (cell + 0.5) * width),
    );
    const sum = densities.reduce((total, density) => total + density, 0);
    return densities.map((density) => density / sum);
  };
  const part = slowdown.of === 'all' ? 1 : slowdown.part;
  const shift = Math.log(slowdown.factor);
  const tolerated = Math.log(toleratedSlowdown);
  return {
    canary: sharesOf(
      (at) =>
        (1 - part) * normalDensity((at + tolerated) / spread) +
        part * normalDensity((at + tolerated - shift) / spread),
    ),
    baseline: sharesOf((at) => normalDensity(at / spread)),
  };
};

const ratios = (above: readonly number[], below: readonly number[]): readonly number[] =>
  above.map((value, cell) => value / (below[cell] ?? 1));

const expectedLog = (shares: readonly number[], values: readonly number[]): number =>
  shares.reduce((sum, share, cell) => sum + share * Math.log(values[cell] ?? 1), 0);

/** Weighted least squares under "never rising": neighbours that rise are averaged until none does. */
const antitonic = (values: readonly number[], weights: readonly number[]): readonly number[] => {
  const blocks: { mean: number; weight: number; cells: number }[] = [];
  for (const [cell, value] of values.entries()) {
    let block = { mean: value, weight: weights[cell] ?? 0, cells: 1 };
    for (
      let last = blocks.at(-1);
      last !== undefined && last.mean < block.mean;
      last = blocks.at(-1)
    ) {
      const weight = last.weight + block.weight;
      block = {
        mean:
          weight > 0 ? (last.mean * last.weight + block.mean * block.weight) / weight : block.mean,
        weight,
        cells: last.cells + block.cells,
      };
      blocks.pop();
    }
    blocks.push(block);
  }
  return blocks.flatMap(({ mean, cells }) => Array<number>(cells).fill(mean));
};
