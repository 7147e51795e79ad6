import type { Boundary, Durations, Grid } from '../windows/durations.ts';
import {
  boundaryOn,
  boundaryPassedBy,
  countAboveEdge,
  edgeOf,
  isShiftable,
  totalOf,
} from '../windows/durations.ts';
import type { Cut, LatencyMargins } from './latency-tail.ts';
import { lineOfShares } from './latency-tail.ts';

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
/** Gaps in which a tail is asked where no quantile lies: those among the slowest. */
const gapsMax = 3;
/**
 * A tail of its own is asked if so many warm-ups show what it promises, with the traffic of both versions as it was: ten
 * minutes of the thirty that a canary has. One that needs more would only keep good canaries from passing; there the
 * ladder must do.
 */
const warmUpsMax = 10;
/** Smaller steps tell a gap of half an octave from none no better, and buckets may be ever so fine. */
const stepsPerOctave = 256;

type Margins = Pick<LatencyMargins, 'promoteTolerance'>;

/** What there is to show it by: requests of the canary in the warm-up, and the scatter that its tails are judged with. */
export type ShownBy = { readonly canaryRequests: number; readonly phi: number };

/** Of the baseline, on a grid that can be shifted. */
type Seen = {
  readonly grid: Extract<Grid, { readonly shape: 'exponential' }>;
  readonly durations: Durations;
  readonly total: number;
};

const seenOn = (cut: Cut, durations: Durations): Seen | undefined =>
  cut.shape === 'explicit' || !isShiftable(cut)
    ? undefined
    : { grid: cut, durations, total: totalOf(durations) };

const beyondIn = ({ durations, grid }: Seen, edge: number): number =>
  countAboveEdge(durations, grid, edge) ?? 0;

const shareIn = (seen: Seen, edge: number): number => beyondIn(seen, edge) / seen.total;

const logOdds = (share: number): number => Math.log(share / (1 - share));

/** What the shift promises of the share beyond an edge, in log odds. */
const byShift = (seen: Seen, { promoteShift }: Cut, edge: number): number =>
  logOdds(shareIn(seen, edge - promoteShift)) - logOdds(shareIn(seen, edge));

/**
 * Whether a promotion is asked by shares at this edge: there is a gap about it, or no further off than the shift, and the
 * shift promises so little that it would take more than four times the requests to show it (half of the way, in log odds).
 */
export const isAskedByShares = (
  margins: Margins,
  cut: Cut,
  edge: number,
  durations: Durations,
): boolean => {
  const seen = seenOn(cut, durations);
  if (seen === undefined) return false;
  const byShares = bySharesAt(margins, shareIn(seen, edge));
  return 2 * byShift(seen, cut, edge) < byShares && isGapNear(seen, edge, cut.promoteShift);
};

/** What the line of a promotion by shares promises of this share, in log odds. */
const bySharesAt = (margins: Margins, own: number): number => {
  const { relative, absolute } = lineOfShares(margins, own);
  return logOdds(relative * own + absolute) - logOdds(own);
};

const widthOn = ({ scale }: Seen['grid']): number => gapOctaves * 2 ** scale;

const stepOn = ({ scale }: Seen['grid']): number => Math.max(1, 2 ** scale / stepsPerOctave);

const isGapNear = (seen: Seen, edge: number, reach: number): boolean => {
  const step = stepOn(seen.grid);
  for (let low = edge - reach - widthOn(seen.grid); low <= edge + reach; low += step)
    if (isGapFrom(seen, low)) return true;
  return false;
};

const isGapFrom = (seen: Seen, low: number): boolean => {
  const above = beyondIn(seen, low);
  const beyond = beyondIn(seen, low + widthOn(seen.grid));
  const within = above - beyond;
  const fewer = Math.min(beyond, seen.total - above);
  return within + deviations * Math.sqrt(within + 1) <= inGapShareMax * fewer;
};

/**
 * The boundaries of more tails, for promotions alone: one in each gap that no quantile lies in, and one inside of each part
 * of the durations that such tails leave alone, as these say nothing of how long it takes. `edges` are those of the tails
 * at quantiles, from the lowest on. None where durations have no gap.
 */
export const boundariesAboutGaps = (
  margins: Margins,
  cut: Cut,
  edges: readonly number[],
  durations: Durations,
  shownBy: ShownBy,
): readonly Boundary[] => {
  const seen = seenOn(cut, durations);
  if (seen === undefined) return [];
  const isAsked = (edge: number): boolean => isAskedByShares(margins, cut, edge, durations);
  const asked = edges.filter(isAsked);
  const more = gapsIn(seen)
    .filter(
      ([low, high]) =>
        !asked.some((edge) => edge >= low - cut.promoteShift && edge <= high + cut.promoteShift),
    )
    .map(([low, high]) => Math.min(low + cut.promoteShift, high))
    .filter(
      (edge) =>
        !edges.includes(edge) &&
        isAsked(edge) &&
        isShown(seen, shownBy, shareIn(seen, edge), bySharesAt(margins, shareIn(seen, edge))),
    )
    .slice(-gapsMax);
  if (asked.length + more.length === 0) return [];
  const all = [...edges, ...more].toSorted((left, right) => left - right);
  const inside: Boundary[] = [];
  let below: { readonly isGap: boolean; readonly beyond: number } = {
    isGap: true,
    beyond: seen.total,
  };
  for (const edge of [...all, null]) {
    const at = {
      isGap: edge === null || asked.includes(edge) || more.includes(edge),
      beyond: edge === null ? 0 : beyondIn(seen, edge),
    };
    const middle =
      below.isGap && at.isGap
        ? boundaryPassedBy(durations, (below.beyond + at.beyond) / (2 * seen.total))
        : undefined;
    if (middle !== undefined && isShownInside(seen, cut, shownBy, edgeOf(middle)))
      inside.push(middle);
    below = at;
  }
  return [...more.map((edge) => boundaryOn(seen.grid, edge)), ...inside];
};

/** The edges that gaps begin and end with. */
const gapsIn = (seen: Seen): readonly (readonly [low: number, high: number])[] => {
  const { durations, grid } = seen;
  if (durations.shape === 'explicit') return [];
  const found: (readonly [number, number])[] = [];
  const end = durations.offset + durations.counts.length;
  for (let low = durations.offset + 1; low < end; low += 1) {
    if (!isGapFrom(seen, low)) continue;
    const last = found.at(-1);
    const isSame = last !== undefined && low <= last[1];
    if (isSame) found.pop();
    found.push([isSame ? last[0] : low, low + widthOn(grid)]);
  }
  return found;
};

/**
 * Nats that show something, beyond chance: ln 20 for a promotion that is wrong once in twenty times, and what the spread
 * over alternatives costs.
 */
const natsShown = 4.6;

/** Whether the shift at an edge inside of a part is shown by few enough requests. */
const isShownInside = (seen: Seen, cut: Cut, shownBy: ShownBy, edge: number): boolean =>
  isShown(seen, shownBy, shareIn(seen, edge - cut.promoteShift), byShift(seen, cut, edge));

/**
 * Whether a promise about a share is shown by few enough requests. Of shares p with n and m requests log odds that differ
 * by d come to p (1 - p) d^2 / (2 (1/n + 1/m)) nats (two binomials, to the second order), less by the scatter phi.
 */
const isShown = (
  { total }: Seen,
  { canaryRequests, phi }: ShownBy,
  share: number,
  odds: number,
): boolean => {
  if (share <= 0 || share >= 1) return true;
  const either = 2 * (1 / Math.max(1, canaryRequests) + 1 / total);
  return (warmUpsMax * share * (1 - share) * odds ** 2) / (either * phi) >= natsShown;
};
