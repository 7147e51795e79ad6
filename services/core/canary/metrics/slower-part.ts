import type { RateCounts } from '../statistics/rate-counts.ts';
import type { Durations, Grid } from '../windows/durations.ts';
import {
  boundaryOn,
  boundarySeconds,
  countFrom,
  fillTops,
  isShiftable,
  totalOf,
} from '../windows/durations.ts';
import type { OpenNumbers } from '../judge/metric-judge.ts';
import { settledOf } from '../judge/metric-judge.ts';
import type { Arm, Cut, LatencyMargins } from './latency-tail.ts';

// Whether a part of the canary's requests plainly takes longer. Tails are cut near a few quantiles, and show nothing of
// what becomes slower between them, or beyond the last. Here requests are counted beyond every boundary of a ladder. It
// is no test: it stakes nothing and rolls nothing back. It only keeps a promotion from what anybody would see in a plot.

// Its numbers are the last of the metric's. Settled, from `at` on, is what finished blocks came to: requests of the canary and
// of the baseline, and how many blocks these are. Then a row for each boundary, from the lowest on: which one it is; requests
// beyond it, of the canary and of the baseline; by how many the canary had too many, in tenths, and how many of those were in
// the block that had most, and in the one after it. A boundary is a bound in seconds, or a number of half octaves:
// exponential buckets of any scale from 1 on have those.
//
// Running, from `from` on, is the running block: its requests, of the canary and of the baseline, and for each boundary those
// beyond it.

const blocksAt = 2;
const totalsLength = 3;
const rowLength = 6;
/** Within a row. */
const excessAt = 3;
const largestAt = 4;
const secondAt = 5;
/** Within the running block, whose totals are as long as its rows. */
const runningLength = 2;
const rowsMax = 24;
/** Rows above what the warm-up showed of the baseline, for what it did not show. */
const rowsAbove = 4;
/** Boundaries with so few of the baseline's requests below or beyond them are those furthest out. */
const belowShareMin = 0.005;
const beyondShareMin = 0.001;

/** The settled numbers of a ladder with the boundaries among the durations of the baseline's warm-up. */
export const initialLadder = (cut: Cut, seen: Durations): readonly number[] => {
  const edges = edgesIn(cut, seen);
  const total = totalOf(seen);
  const tops: number[] = [];
  fillTops(tops, seen);
  const beyond = edges.map((edge) => countFrom(seen, tops, firstBeyond(seen, edge) ?? 0));
  const lowest = Math.max(
    0,
    beyond.findIndex((count) => total - count > belowShareMin * total),
  );
  const highest = beyond.findIndex((count) => count <= beyondShareMin * total);
  const last = (highest < 0 ? edges.length - 1 : highest) + rowsAbove;
  const among = edges.slice(lowest, last + 1);
  const every = Math.ceil(among.length / rowsMax);
  const kept = among.filter((_, index) => (among.length - 1 - index) % every === 0);
  return [
    ...Array<number>(totalsLength).fill(0),
    ...kept.flatMap((edge) => [edge, ...Array<number>(rowLength - 1).fill(0)]),
  ];
};

/** All boundaries that durations on a grid have; of exponential ones, those about their buckets. */
const edgesIn = (grid: Grid, durations: Durations): readonly number[] => {
  if (durations.shape === 'explicit') return durations.bounds;
  if (grid.shape === 'explicit') return [];
  const perHalfOctave = 2 ** (durations.scale - 1);
  const step = stepOf(durations.scale);
  const first = Math.floor(durations.offset / perHalfOctave / step);
  const end = (durations.offset + durations.counts.length) / perHalfOctave / step;
  const edges: number[] = [];
  for (let at = first; at <= end + rowsAbove + 1; at += 1) edges.push(at * step);
  return edges;
};

/** Half octaves from one edge of so coarse buckets to the next that is one of half octaves. */
const stepOf = (scale: number): number => 2 ** Math.max(0, 1 - scale);

const firstBeyond = (durations: Durations, edge: number): number | undefined => {
  if (durations.shape === 'explicit') {
    const index = durations.bounds.indexOf(edge);
    return index < 0 ? undefined : index + 1;
  }
  const own = edge * 2 ** (durations.scale - 1);
  return Number.isInteger(own) ? own - durations.offset : undefined;
};

/** How many settled and running numbers are those of a ladder. */
export const settledLadderLength = (rows: number): number => totalsLength + rows * rowLength;
export const runningLadderLength = (rows: number): number => runningLength * (1 + rows);

export const rowsOf = (settled: readonly number[]): number =>
  (settled.length - totalsLength) / rowLength;

/**
 * Adds one window to the running block. A boundary that the buckets of either cohort do not have is not looked at again:
 * both lists are without it then, and fewer rows come back.
 */
export const addToLadder = (
  cut: Cut,
  open: OpenNumbers,
  at: number,
  from: number,
  rows: number,
  canary: Arm,
  baseline: Arm,
): number => {
  if (!isOn(cut, canary.durations) || !isOn(cut, baseline.durations)) return rows;
  const { settled, running } = open;
  running[from] = (running[from] ?? 0) + canary.total;
  running[from + 1] = (running[from + 1] ?? 0) + baseline.total;
  const first = from + runningLength;
  const edges = at + totalsLength;
  const shift = shiftOn(cut, canary.durations);
  const hasCanary = addBeyond(settled, edges, rows, running, first, canary, shift);
  const hasBaseline = addBeyond(settled, edges, rows, running, first + 1, baseline, 0);
  return hasCanary && hasBaseline
    ? rows
    : dropMissing(settledOf(open), edges, rows, running, first);
};

/**
 * Adds the requests beyond each boundary to every second number from `to` on; NaN where the buckets do not have it, and
 * then false. `shift`: the boundaries lie so many buckets higher.
 */
const addBeyond = (
  settled: readonly number[],
  edges: number,
  rows: number,
  running: number[],
  to: number,
  { durations, tops }: Arm,
  shift: number,
): boolean => {
  let hasAll = true;
  let above = 0;
  const perHalfOctave = durations.shape === 'exponential' ? 2 ** (durations.scale - 1) : 0;
  for (let row = 0, at = to; row < rows; row += 1, at += 2) {
    const edge = settled[edges + row * rowLength] ?? 0;
    let first: number;
    let has: boolean;
    if (durations.shape === 'explicit') {
      // Both rise.
      while ((durations.bounds[above] ?? Infinity) < edge) above += 1;
      has = durations.bounds[above] === edge;
      first = above + 1;
    } else {
      const own = edge * perHalfOctave + shift;
      has = Number.isInteger(own);
      first = own - durations.offset;
    }
    if (!has) hasAll = false;
    const beyond = has ? countFrom(durations, tops, first) : Number.NaN;
    running[at] = (running[at] ?? 0) + beyond;
  }
  return hasAll;
};

const dropMissing = (
  settled: number[],
  edges: number,
  rows: number,
  running: number[],
  first: number,
): number => {
  let kept = 0;
  for (let row = 0; row < rows; row += 1) {
    const at = first + row * runningLength;
    const [canary, baseline] = [running[at] ?? 0, running[at + 1] ?? 0];
    if (Number.isNaN(canary + baseline)) continue;
    const from = edges + row * rowLength;
    settled.copyWithin(edges + kept * rowLength, from, from + rowLength);
    running[first + kept * runningLength] = canary;
    running[first + kept * runningLength + 1] = baseline;
    kept += 1;
  }
  settled.splice(edges + kept * rowLength, (rows - kept) * rowLength);
  running.splice(first + kept * runningLength, (rows - kept) * runningLength);
  return kept;
};

/** Coarser ones are counted from the next window on, when the grid has become theirs. */
const isOn = (grid: Grid, durations: Durations): boolean =>
  grid.shape === 'explicit'
    ? durations.shape === 'explicit'
    : durations.shape === 'exponential' &&
      durations.unit === grid.unit &&
      durations.scale >= grid.scale;

/** What the canary may take longer by is taken off by counting it beyond a higher boundary, where buckets allow it. */
const shiftOn = (cut: Cut, durations: Durations): number =>
  cut.shape === 'exponential' && durations.shape === 'exponential'
    ? cut.promoteShift * 2 ** (durations.scale - cut.scale)
    : 0;

/** Adds the running block, which ends, to those before, if both cohorts had requests in it. */
export const settleLadder = (
  settled: number[],
  at: number,
  rows: number,
  running: number[],
  from: number,
): void => {
  if (!isPaired(running, from)) return;
  for (let row = 0; row < rows; row += 1) {
    const own = from + (row + 1) * runningLength;
    const to = at + totalsLength + row * rowLength;
    const more = moreIn(running, from, own);
    const largest = settled[to + largestAt] ?? 0;
    settled[to + 1] = (settled[to + 1] ?? 0) + (running[own] ?? 0);
    settled[to + 2] = (settled[to + 2] ?? 0) + (running[own + 1] ?? 0);
    settled[to + excessAt] = (settled[to + excessAt] ?? 0) + more;
    settled[to + largestAt] = Math.max(largest, more);
    settled[to + secondAt] = Math.max(settled[to + secondAt] ?? 0, Math.min(largest, more));
  }
  settled[at] = (settled[at] ?? 0) + (running[from] ?? 0);
  settled[at + 1] = (settled[at + 1] ?? 0) + (running[from + 1] ?? 0);
  settled[at + blocksAt] = (settled[at + blocksAt] ?? 0) + 1;
  running.fill(0, from, from + runningLadderLength(rows));
};

const isPaired = (running: readonly number[], from: number): boolean =>
  running[from] !== 0 && running[from + 1] !== 0;

/** How many too many the canary has beyond a boundary in the running block, in tenths. */
const moreIn = (running: readonly number[], from: number, at: number): number => {
  const [canaryTotal, baselineTotal] = [running[from] ?? 0, running[from + 1] ?? 0];
  return Math.round(
    tenths * ((running[at] ?? 0) - (canaryTotal * (running[at + 1] ?? 0)) / baselineTotal),
  );
};

const tenths = 10;

/** What is plainly more, beside what is promised: half as many again, and half a point. */
const plainly = { relative: 1.5, absolute: 0.005 };
/** And so many deviations that it is no chance. */
const deviationsMin = 3;
/** One pause of the canary must not keep it from passing for ever: it is in two blocks. */
const blocksLeftOut = 2;

/** The part of the requests that plainly takes longer: those beyond a boundary. */
export type SlowerPart = {
  /** Those of the canary were counted beyond this, with what a promotion lets it be slower. */
  readonly canaryMs: number;
  readonly canary: RateCounts;
  readonly baselineMs: number;
  readonly baseline: RateCounts;
};

export type SlowerPartOf = SlowerPart & { readonly metric: string };

/**
 * The part of the canary's requests that shows most that it takes longer than the baseline's, in all judged windows; null:
 * none does so plainly. Of the blocks with most the canary has too many in, two are left out. `phi`: how much more than
 * independent requests they scatter. What is at or below `fineSeconds` is fast enough.
 */
export const slowerPartIn = (
  { promoteTolerance }: Pick<LatencyMargins, 'promoteTolerance'>,
  cut: Cut,
  settled: readonly number[],
  at: number,
  rows: number,
  running: readonly number[],
  from: number,
  phi: number,
  fineSeconds: number | null,
): SlowerPart | null => {
  const canaryTotal = (settled[at] ?? 0) + (running[from] ?? 0);
  const baselineTotal = (settled[at + 1] ?? 0) + (running[from + 1] ?? 0);
  if (canaryTotal === 0 || baselineTotal === 0) return null;
  const isRunning = isPaired(running, from);
  const blocks = (settled[at + blocksAt] ?? 0) + (isRunning ? 1 : 0);
  // Never the greater part of them.
  const leftOut = Math.min(blocksLeftOut, Math.floor((blocks - 1) / 2));
  const isShifted = isShiftable(cut);
  const relative = isShifted
    ? plainly.relative
    : Math.max(plainly.relative, promoteTolerance.relative);
  const absolute = isShifted
    ? plainly.absolute
    : Math.max(plainly.absolute, promoteTolerance.absolute);
  const weight = (canaryTotal / baselineTotal) ** 2;
  let most: SlowerPart | null = null;
  let mostDeviations = deviationsMin;
  for (let row = 0; row < rows; row += 1) {
    const own = from + (row + 1) * runningLength;
    const past = at + totalsLength + row * rowLength;
    const canary = (settled[past + 1] ?? 0) + (running[own] ?? 0);
    const baseline = (settled[past + 2] ?? 0) + (running[own + 1] ?? 0);
    const [canaryShare, baselineShare] = [canary / canaryTotal, baseline / baselineTotal];
    const isMore = canaryShare > relative * baselineShare + absolute;
    const areFewerLeft = 1 - canaryShare < (1 - baselineShare) / relative - absolute;
    if (!isMore && !areFewerLeft) continue;
    const edge = settled[past] ?? 0;
    const baselineSeconds = secondsAt(cut, edge, 0);
    if (fineSeconds !== null && baselineSeconds < fineSeconds) continue;
    const more = isRunning ? moreIn(running, from, own) : 0;
    const before = settled[past + largestAt] ?? 0;
    const largest = Math.max(before, more);
    const second = Math.max(settled[past + secondAt] ?? 0, Math.min(before, more));
    const left = (leftOut > 0 ? largest : 0) + (leftOut > 1 ? second : 0);
    const excess = ((settled[past + excessAt] ?? 0) + more - left) / tenths;
    const variance = Math.min(
      canary + weight * baseline,
      canaryTotal - canary + weight * (baselineTotal - baseline),
    );
    const deviations = excess / Math.sqrt(phi * variance);
    if (!(deviations >= mostDeviations)) continue;
    mostDeviations = deviations;
    most = {
      canaryMs: secondsAt(cut, edge, cut.promoteShift) * 1_000,
      canary: { total: canaryTotal, events: canary },
      baselineMs: baselineSeconds * 1_000,
      baseline: { total: baselineTotal, events: baseline },
    };
  }
  return most;
};

/** Of a boundary, so many buckets of the grid further up. */
const secondsAt = (grid: Grid, edge: number, shift: number): number =>
  boundarySeconds(
    boundaryOn(grid, grid.shape === 'explicit' ? edge : edge * 2 ** (grid.scale - 1) + shift),
  );
