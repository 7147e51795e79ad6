import type { Boundary, Durations, Grid } from '../windows/durations.ts';
import { boundaryPassedBy, countAboveEdge, isShiftable, totalOf } from '../windows/durations.ts';
import type { Cut, LatencyMargins } from './latency-tail.ts';
import type { Line } from './rate-test.ts';

// Durations with a gap: cache hits and misses, or a few percent of timeouts. Where a boundary lies in it, a shift moves
// nothing: the baseline's share beyond the lower boundary, which is what is promised, is that beyond the boundary itself,
// and no number of requests shows the canary's to be less. There a promotion is asked by shares, as it is between coarse
// buckets. It is decided once, from the warm-up of the baseline. Roll-backs need none of it: in a gap a canary with more
// requests beyond is worse by any margin.

/** A gap is at least so wide, in octaves: half octaves are whole buckets of all that can be shifted. */
const gapOctaves = 0.5;
/** Of the fewer that are below or beyond it, next to none are in it. Of durations that spread a sixth are, or more. */
const inGapShareMax = 0.06;
/** What was counted by chance is taken for more by so many deviations; so 34 on either side are the fewest that tell. */
const deviations = 2;

/**
 * Whether a promotion is asked by shares at this edge: there is a gap about it, or no further off than the shift, and the
 * shift promises so little that it would take more than four times the requests to show it (half of the way, in log odds).
 */
export const isAskedByShares = (
  margins: Pick<LatencyMargins, 'promoteTolerance'>,
  { grid, promoteShift }: Cut,
  edge: number,
  seen: Durations,
): boolean => {
  if (grid.shape === 'explicit' || !isShiftable(grid)) return false;
  const total = totalOf(seen);
  const shareAt = (at: number): number => (countAboveEdge(seen, grid, at) ?? 0) / total;
  const own = shareAt(edge);
  const { relative, absolute } = lineOfShares(margins, own);
  const byShares = logOdds(relative * own + absolute) - logOdds(own);
  const byShift = logOdds(shareAt(edge - promoteShift)) - logOdds(own);
  return 2 * byShift < byShares && isGapNear(seen, total, grid, edge, promoteShift);
};

const logOdds = (share: number): number => Math.log(share / (1 - share));

const isGapNear = (
  seen: Durations,
  total: number,
  grid: Extract<Grid, { readonly shape: 'exponential' }>,
  edge: number,
  reach: number,
): boolean => {
  const width = gapOctaves * 2 ** grid.scale;
  for (let low = edge - reach - width; low <= edge + reach; low += 1) {
    const above = countAboveEdge(seen, grid, low) ?? 0;
    const beyond = countAboveEdge(seen, grid, low + width) ?? 0;
    const within = above - beyond;
    const fewer = Math.min(beyond, total - above);
    if (within + deviations * Math.sqrt(within + 1) <= inGapShareMax * fewer) return true;
  }
  return false;
};

/**
 * What is promised by shares: no more requests beyond than the line allows. Where many are beyond, that would be anything
 * at all; there it is no fewer below than the same line allows, turned about. Of the two the narrower counts.
 */
export const lineOfShares = (
  { promoteTolerance }: Pick<LatencyMargins, 'promoteTolerance'>,
  share: number,
): Line => {
  const { relative, absolute } = promoteTolerance;
  const turned: Line = { relative: 1 / relative, absolute: 1 - (1 - absolute) / relative };
  return turned.relative * share + turned.absolute < relative * share + absolute
    ? turned
    : promoteTolerance;
};

/**
 * The boundaries of more tails, for promotions alone: one inside of each part of the durations that gaps with a tail in
 * them leave alone, as the tails there say nothing of how long it takes. It is the lowest one that at most half of the
 * part pass. `edges` are those of the tails, from the lowest on.
 */
export const boundariesBetweenGaps = (
  margins: Pick<LatencyMargins, 'promoteTolerance'>,
  cut: Cut,
  edges: readonly number[],
  seen: Durations,
): readonly Boundary[] => {
  const found: Boundary[] = [];
  const total = totalOf(seen);
  let [isGapBelow, beyondBelow] = [true, total];
  let isAnyGap = false;
  for (const edge of [...edges, null]) {
    const isGap = edge === null || isAskedByShares(margins, cut, edge, seen);
    if (edge !== null && isGap) isAnyGap = true;
    const beyond = edge === null ? 0 : (countAboveEdge(seen, cut.grid, edge) ?? 0);
    const between =
      isGap && isGapBelow && isAnyGap
        ? boundaryPassedBy(seen, (beyondBelow + beyond) / (2 * total))
        : undefined;
    if (between !== undefined) found.push(between);
    [isGapBelow, beyondBelow] = [isGap, beyond];
  }
  return found;
};
