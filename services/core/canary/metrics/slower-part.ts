import type { RateCounts } from '../statistics/rate-counts.ts';
import type { Durations, Grid } from '../windows/durations.ts';
import { boundaryOn, boundarySeconds, isShiftable, totalOf } from '../windows/durations.ts';
import type { Arm, Cut, LatencyMargins } from './latency-tail.ts';

// Whether a part of the canary's requests plainly takes longer. Tails are cut near a few quantiles, and show nothing of
// what becomes slower between them, or beyond the last. Here requests are counted beyond every boundary of a ladder. It
// is no test: it stakes nothing and rolls nothing back. It only keeps a promotion from what anybody would see in a plot.

/**
 * Plain numbers. `totals`: requests of the canary and of the baseline in finished blocks, the same of the running one, and
 * how many blocks are finished. Then a row for each boundary, from the lowest on: which one it is; requests beyond it in
 * finished blocks, of the canary and of the baseline; by how many the canary had too many, in tenths, and how many of
 * those were in the block that had most, and in the one after it; requests beyond it in the running block.
 *
 * A boundary is a bound in seconds, or a number of half octaves: exponential buckets of any scale from 1 on have those.
 */
export type Ladder = readonly number[];

const totalsLength = 5;
const rowLength = 8;
const rowsMax = 24;
/** Rows above what the warm-up showed of the baseline, for what it did not show. */
const rowsAbove = 4;
/** Boundaries with so few of the baseline's requests below or beyond them are those furthest out. */
const belowShareMin = 0.005;
const beyondShareMin = 0.001;

/** The boundaries among the durations of the baseline's warm-up. */
export const ladderOf = ({ grid }: Cut, seen: Durations): Ladder => {
  const edges = edgesIn(grid, seen);
  const total = totalOf(seen);
  if (total === 0) return [];
  const beyond: number[] = edges.slice();
  eachBeyond(
    seen,
    edges.length,
    (row) => edges[row] ?? 0,
    0,
    (row, count) => {
      beyond[row] = count;
    },
  );
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

/**
 * Calls back with the requests beyond each of the edges, which rise, from the highest on; NaN where the buckets do not
 * have it. `shift`: the edges lie so many buckets higher.
 */
const eachBeyond = (
  durations: Durations,
  edges: number,
  edgeAt: (row: number) => number,
  shift: number,
  told: (row: number, beyond: number) => void,
): void => {
  const { counts } = durations;
  let bucket = counts.length;
  let sum = 0;
  for (let row = edges - 1; row >= 0; row -= 1) {
    const first = firstBeyond(durations, edgeAt(row), shift);
    while (first !== undefined && bucket > Math.max(0, first)) {
      bucket -= 1;
      sum += counts[bucket] ?? 0;
    }
    told(row, first === undefined ? Number.NaN : sum);
  }
};

const firstBeyond = (durations: Durations, edge: number, shift: number): number | undefined => {
  if (durations.shape === 'explicit') {
    const index = durations.bounds.indexOf(edge);
    return index < 0 ? undefined : index + 1;
  }
  const own = edge * 2 ** (durations.scale - 1) + shift;
  return Number.isInteger(own) ? own - durations.offset : undefined;
};

/** With one window. A boundary that the buckets of either cohort do not have is not looked at again. */
export const addToLadder = (cut: Cut, ladder: Ladder, canary: Arm, baseline: Arm): Ladder => {
  if (!isOn(cut.grid, canary.durations) || !isOn(cut.grid, baseline.durations)) return ladder;
  const next = ladder.slice();
  next[runningTotals] = (next[runningTotals] ?? 0) + canary.total;
  next[runningTotals + 1] = (next[runningTotals + 1] ?? 0) + baseline.total;
  addBeyond(next, canary.durations, shiftOn(cut, canary.durations), runningAt);
  addBeyond(next, baseline.durations, 0, runningAt + 1);
  return withoutMissing(next);
};

const addBeyond = (ladder: number[], durations: Durations, shift: number, to: number): void =>
  eachBeyond(
    durations,
    (ladder.length - totalsLength) / rowLength,
    (row) => ladder[totalsLength + row * rowLength] ?? 0,
    shift,
    (row, beyond) => {
      const at = totalsLength + row * rowLength + to;
      ladder[at] = (ladder[at] ?? 0) + beyond;
    },
  );

const withoutMissing = (ladder: Ladder): Ladder => {
  const isMissing = (at: number): boolean =>
    Number.isNaN((ladder[at + runningAt] ?? 0) + (ladder[at + runningAt + 1] ?? 0));
  let isAnyMissing = false;
  for (let at = totalsLength; at < ladder.length; at += rowLength)
    if (isMissing(at)) isAnyMissing = true;
  return isAnyMissing
    ? ladder.filter(
        (_, index) =>
          index < totalsLength || !isMissing(index - ((index - totalsLength) % rowLength)),
      )
    : ladder;
};

const runningTotals = 2;
const blocksAt = 4;
/** Within a row. */
const excessAt = 3;
const largestAt = 4;
const secondAt = 5;
const runningAt = 6;

/** Coarser ones are counted from the next window on, when the grid has become theirs. */
const isOn = (grid: Grid, durations: Durations): boolean =>
  grid.shape === 'explicit'
    ? durations.shape === 'explicit'
    : durations.shape === 'exponential' &&
      durations.unit === grid.unit &&
      durations.scale >= grid.scale;

/** What the canary may take longer by is taken off by counting it beyond a higher boundary, where buckets allow it. */
const shiftOn = ({ grid, promoteShift }: Cut, durations: Durations): number =>
  grid.shape === 'exponential' && durations.shape === 'exponential'
    ? promoteShift * 2 ** (durations.scale - grid.scale)
    : 0;

/** The running block, which ends, among those before. */
export const settleLadder = (ladder: Ladder): Ladder => {
  const [canary = 0, baseline = 0, runningCanary = 0, runningBaseline = 0, blocks = 0] = ladder;
  if (runningCanary === 0 || runningBaseline === 0) return ladder;
  const next = ladder.slice();
  next[0] = canary + runningCanary;
  next[1] = baseline + runningBaseline;
  next[runningTotals] = 0;
  next[runningTotals + 1] = 0;
  next[blocksAt] = blocks + 1;
  for (let at = totalsLength; at < ladder.length; at += rowLength) {
    const { past, running, excess, largest, second } = withRunning(ladder, at);
    next[at + 1] = past[0] + running[0];
    next[at + 2] = past[1] + running[1];
    next[at + excessAt] = excess;
    next[at + largestAt] = largest;
    next[at + secondAt] = second;
    next[at + runningAt] = 0;
    next[at + runningAt + 1] = 0;
  }
  return next;
};

type Row = {
  readonly past: readonly [canary: number, baseline: number];
  readonly running: readonly [canary: number, baseline: number];
  readonly excess: number;
  readonly largest: number;
  readonly second: number;
};

/** A row, the running block among those before in what the canary has too many. */
const withRunning = (ladder: Ladder, at: number): Row => {
  const [canaryTotal, baselineTotal] = [ladder[runningTotals] ?? 0, ladder[runningTotals + 1] ?? 0];
  const numbers = ladder.slice(at, at + rowLength);
  const [, canary = 0, baseline = 0, excess = 0, largest = 0, second = 0, ofCanary = 0] = numbers;
  const ofBaseline = numbers[runningAt + 1] ?? 0;
  const [past, running] = [[canary, baseline] as const, [ofCanary, ofBaseline] as const];
  if (canaryTotal === 0 || baselineTotal === 0) return { past, running, excess, largest, second };
  const more = Math.round(tenths * (ofCanary - (canaryTotal * ofBaseline) / baselineTotal));
  return {
    past,
    running,
    excess: excess + more,
    largest: Math.max(largest, more),
    second: Math.max(second, Math.min(largest, more)),
  };
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
  ladder: Ladder,
  phi: number,
  fineSeconds: number | null,
): SlowerPart | null => {
  const [canaryPast = 0, baselinePast = 0, runningCanary = 0, runningBaseline = 0, past = 0] =
    ladder;
  const [canaryTotal, baselineTotal] = [canaryPast + runningCanary, baselinePast + runningBaseline];
  if (canaryTotal === 0 || baselineTotal === 0) return null;
  const blocks = past + (runningCanary > 0 && runningBaseline > 0 ? 1 : 0);
  // Never the greater part of them.
  const leftOut = Math.min(blocksLeftOut, Math.floor((blocks - 1) / 2));
  const isShifted = isShiftable(cut.grid);
  const relative = isShifted
    ? plainly.relative
    : Math.max(plainly.relative, promoteTolerance.relative);
  const absolute = isShifted
    ? plainly.absolute
    : Math.max(plainly.absolute, promoteTolerance.absolute);
  const weight = (canaryTotal / baselineTotal) ** 2;
  let most: SlowerPart | null = null;
  let mostDeviations = deviationsMin;
  for (let at = totalsLength; at < ladder.length; at += rowLength) {
    const row = withRunning(ladder, at);
    const canary = row.past[0] + row.running[0];
    const baseline = row.past[1] + row.running[1];
    const [canaryShare, baselineShare] = [canary / canaryTotal, baseline / baselineTotal];
    const isMore = canaryShare > relative * baselineShare + absolute;
    const areFewerLeft = 1 - canaryShare < (1 - baselineShare) / relative - absolute;
    if (!isMore && !areFewerLeft) continue;
    const edge = ladder[at] ?? 0;
    const baselineSeconds = secondsAt(cut.grid, edge, 0);
    if (fineSeconds !== null && baselineSeconds < fineSeconds) continue;
    const excess =
      (row.excess - (leftOut > 0 ? row.largest : 0) - (leftOut > 1 ? row.second : 0)) / tenths;
    const variance = Math.min(
      canary + weight * baseline,
      canaryTotal - canary + weight * (baselineTotal - baseline),
    );
    const deviations = excess / Math.sqrt(phi * variance);
    if (!(deviations >= mostDeviations)) continue;
    mostDeviations = deviations;
    most = {
      canaryMs: secondsAt(cut.grid, edge, cut.promoteShift) * 1_000,
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
