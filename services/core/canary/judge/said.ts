import type { WindowMark } from '../windows/window.ts';
import type { RatePair, SaidCounts } from '../statistics/rate-counts.ts';
import { millionths } from '../statistics/rounding.ts';

// Requests of which no point says what became of them count as good ones. That is true of services that mark nothing but
// failures; it is not where the other version says of each request how it ended.

type Cohort = keyof RatePair;

type Sums = {
  readonly total: number;
  readonly events: number;
  /** Those that a point says were good. */
  readonly good: number;
};

/**
 * What the cohorts said in the windows in which both had requests: by which attribute, as it was last said. Plain JSON. How
 * many requests that were is in the metric's running numbers, from some place on: `Sums` of the canary, then of the baseline.
 */
export type SaidState = {
  readonly canaryBy: string | null;
  readonly baselineBy: string | null;
  /** Where a cohort last said much less than the other; null: neither ever did. */
  readonly less: Less | null;
};

type Less = { readonly canary: SaidLess | null; readonly baseline: SaidLess | null };

const sumsLength = 3;
/** How many numbers they are. */
export const saidLength: number = 2 * sumsLength;

/** Where the sums are; what was never said is 0 everywhere. */
type Place = { readonly running: readonly number[]; readonly at: number };

const sumsOf = ({ running, at }: Place, cohort: Cohort): Sums => {
  const first = cohort === 'canary' ? at : at + sumsLength;
  return {
    total: running[first] ?? 0,
    events: running[first + 1] ?? 0,
    good: running[first + 2] ?? 0,
  };
};

/** Found with this window: in it alone, or in all windows up to it. */
type SaidLess = ToldParts & { readonly window: WindowMark; readonly isOfAll: boolean };

/** Of which part of their requests the cohorts say what became of them. */
type ToldParts = { readonly canary: number; readonly baseline: number };

/** A cohort that says of much less of its requests than the other what became of them. */
export type Unsaid = ToldParts & {
  readonly cohort: Cohort;
  /** The attribute by which the other one says it. */
  readonly by: string;
  /** The window in which that was so; null: it is so of all windows together. */
  readonly window: WindowMark | null;
};

/** Who says of at least this part of the requests that they were good, is one who says it. */
const goodPart = 0.5;
/**
 * Who says of less than this part of that what became of them, does not say it: in one window, and in all together. In
 * one, a tenth that nobody knows is as much as tolerances leave; but who has mended it is not held for ever.
 */
const toldParts = { window: 0.9, all: 0.5 };
/** Deviations, at most, by which a part of few requests may be lower by chance. */
const deviations = 4;

type Pair = { readonly [Name in Cohort]: SaidCounts };
type SumsPair = { readonly [Name in Cohort]: Sums };

type Found = ToldParts & { readonly cohort: Cohort; readonly isOfAll: boolean };

/** In all windows with this one, or in it alone. Null: both say as much, as far as that can be told. */
const lessIn = (pair: Pair, before: Place): Found | null => {
  const { running, at } = before;
  return saysEnough(running, at, pair.canary) && saysEnough(running, at + sumsLength, pair.baseline)
    ? null
    : lessOfEither(pair, before);
};

const lessOfEither = (pair: Pair, before: Place): Found | null => {
  const window = { canary: countsOf(pair.canary), baseline: countsOf(pair.baseline) };
  const all = {
    canary: added(sumsOf(before, 'canary'), window.canary),
    baseline: added(sumsOf(before, 'baseline'), window.baseline),
  };
  const lessOf = (cohort: Cohort): Found | null => {
    if (saysLess(all, cohort, toldParts.all)) return { cohort, isOfAll: true, ...partsIn(all) };
    return saysLess(window, cohort, toldParts.window)
      ? { cohort, isOfAll: false, ...partsIn(window) }
      : null;
  };
  return lessOf('canary') ?? (marksFailures(all.baseline) ? null : lessOf('baseline'));
};

const partsIn = ({ canary, baseline }: SumsPair): ToldParts => ({
  canary: millionths(toldPart(canary)),
  baseline: millionths(toldPart(baseline)),
});

/** So much that it is not less than the other says (`saysLess`), whatever that is: the rule, and soon found. */
const saysEnough = (
  running: readonly number[],
  at: number,
  { total, events, said }: SaidCounts,
): boolean => {
  const told = events + (said?.good ?? 0);
  const [totalBefore, toldBefore] = [
    running[at] ?? 0,
    (running[at + 1] ?? 0) + (running[at + 2] ?? 0),
  ];
  return (
    told >= toldParts.window * total && told + toldBefore >= toldParts.all * (total + totalBefore)
  );
};

const saysLess = ({ canary, baseline }: SumsPair, cohort: Cohort, part: number): boolean => {
  const [one, than] = cohort === 'canary' ? [canary, baseline] : [baseline, canary];
  const good = than.good / than.total;
  const byChance = deviations / 2 / Math.sqrt(Math.min(one.total, than.total));
  return good >= goodPart && toldPart(one) < part * good - byChance;
};

/** A failure is always told. */
const toldPart = ({ total, events, good }: Sums): number => (good + events) / total;

/** Of no request that it was good, and of some that they were not: that is all there is to say (`error.type`). */
const marksFailures = ({ good, events }: Sums): boolean => good === 0 && events > 0;

const countsOf = ({ total, events, said }: SaidCounts): Sums => ({
  total,
  events,
  good: said?.good ?? 0,
});

type Shown = { readonly [Name in Cohort]: SaidCounts | null };

const isPair = (shown: Shown): shown is Pair =>
  shown.canary !== null &&
  shown.baseline !== null &&
  shown.canary.total > 0 &&
  shown.baseline.total > 0;

/**
 * Whether the errors of the baseline are not known in this window: it says nothing where the canary does, so a canary
 * that is as good would seem worse. (Where the canary says nothing, it seems better: that only keeps it from passing.)
 */
export const isBaselineUnknown = (before: SaidState | null, sums: Place, shown: Shown): boolean =>
  isPair(shown) && !isNothingSaid(before, shown) && lessIn(shown, sums)?.cohort === 'baseline';

/** Nor ever was: then nobody says less than the other. */
const isNothingSaid = (before: SaidState | null, { canary, baseline }: Pair): boolean =>
  before === null && canary.said === undefined && baseline.said === undefined;

/** With one window, whose requests are added to the sums, in a list of the asker's. Null until anybody says anything. */
export const saidWith = (
  before: SaidState | null,
  running: number[],
  at: number,
  shown: Shown,
  mark: WindowMark,
): SaidState | null => {
  if (!isPair(shown)) return before;
  if (isNothingSaid(before, shown)) return null;
  const { canary, baseline } = shown;
  const found = lessIn(shown, { running, at });
  addSums(running, at, canary);
  addSums(running, at + sumsLength, baseline);
  const canaryBy = canary.said?.by ?? before?.canaryBy ?? null;
  const baselineBy = baseline.said?.by ?? before?.baselineBy ?? null;
  const isAsBefore =
    found === null && before?.canaryBy === canaryBy && before.baselineBy === baselineBy;
  if (isAsBefore) return before;
  const less = before?.less ?? null;
  return { canaryBy, baselineBy, less: found === null ? less : withFound(less, found, mark) };
};

const addSums = (running: number[], at: number, { total, events, said }: SaidCounts): void => {
  running[at] = (running[at] ?? 0) + total;
  running[at + 1] = (running[at + 1] ?? 0) + events;
  running[at + 2] = (running[at + 2] ?? 0) + (said?.good ?? 0);
};

const withFound = (
  less: Less | null,
  { cohort, canary, baseline, isOfAll }: Found,
  { index, startMs }: WindowMark,
): Less => {
  const found: SaidLess = { canary, baseline, isOfAll, window: { index, startMs } };
  return cohort === 'canary'
    ? { canary: found, baseline: less?.baseline ?? null }
    : { canary: less?.canary ?? null, baseline: found };
};

const added = (sums: Sums, { total, events, good }: Sums): Sums => ({
  total: sums.total + total,
  events: sums.events + events,
  good: sums.good + good,
});

/** Who has not said what became of its requests in a window after `lastSilent`, so that nothing passes; null: nobody. */
export const unsaidOf = (state: SaidState | null, lastSilent: number): Unsaid | null => {
  if (state === null) return null;
  for (const cohort of ['canary', 'baseline'] as const) {
    const less = state.less?.[cohort] ?? null;
    // `lastSilent` lies before the first window while no silence can have been long enough.
    if (less === null || less.window.index <= lastSilent) continue;
    const { canary, baseline, isOfAll, window } = less;
    const by = cohort === 'canary' ? state.baselineBy : state.canaryBy;
    return { cohort, by: by ?? '', canary, baseline, window: isOfAll ? null : window };
  }
  return null;
};
