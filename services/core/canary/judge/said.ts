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
  /** By which attribute, as it was last said. */
  readonly by: string | null;
};

/** What the cohorts said in the windows in which both had requests. Plain JSON. */
export type SaidState = {
  readonly canary: Sums;
  readonly baseline: Sums;
  /** Where this cohort last said much less than the other. */
  readonly less: { readonly canary: SaidLess | null; readonly baseline: SaidLess | null };
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

type Counts = Omit<Sums, 'by'>;
type Pair = { readonly [Name in Cohort]: SaidCounts };
type CountsPair = { readonly [Name in Cohort]: Counts };

type Less = ToldParts & { readonly cohort: Cohort; readonly isOfAll: boolean };

/** In all windows with this one, or in it alone. Null: both say as much, as far as that can be told. */
const lessIn = (pair: Pair, before: SaidState | null): Less | null =>
  saysEnough(before?.canary, pair.canary) && saysEnough(before?.baseline, pair.baseline)
    ? null
    : lessOfEither(pair, before);

const lessOfEither = (pair: Pair, before: SaidState | null): Less | null => {
  const window = { canary: countsOf(pair.canary), baseline: countsOf(pair.baseline) };
  const all = {
    canary: added(before?.canary, pair.canary),
    baseline: added(before?.baseline, pair.baseline),
  };
  const lessOf = (cohort: Cohort): Less | null => {
    if (saysLess(all, cohort, toldParts.all)) return { cohort, isOfAll: true, ...partsIn(all) };
    return saysLess(window, cohort, toldParts.window)
      ? { cohort, isOfAll: false, ...partsIn(window) }
      : null;
  };
  return lessOf('canary') ?? (marksFailures(all.baseline) ? null : lessOf('baseline'));
};

const partsIn = ({ canary, baseline }: CountsPair): ToldParts => ({
  canary: millionths(toldPart(canary)),
  baseline: millionths(toldPart(baseline)),
});

/** So much that it is not less than the other says (`saysLess`), whatever that is: the rule, and soon found. */
const saysEnough = (sums: Sums | undefined, { total, events, said }: SaidCounts): boolean => {
  const told = events + (said?.good ?? 0);
  return (
    told >= toldParts.window * total &&
    told + (sums?.events ?? 0) + (sums?.good ?? 0) >= toldParts.all * (total + (sums?.total ?? 0))
  );
};

const saysLess = ({ canary, baseline }: CountsPair, cohort: Cohort, part: number): boolean => {
  const [one, than] = cohort === 'canary' ? [canary, baseline] : [baseline, canary];
  const good = than.good / than.total;
  const byChance = deviations / 2 / Math.sqrt(Math.min(one.total, than.total));
  return good >= goodPart && toldPart(one) < part * good - byChance;
};

/** A failure is always told. */
const toldPart = ({ total, events, good }: Counts): number => (good + events) / total;

/** Of no request that it was good, and of some that they were not: that is all there is to say (`error.type`). */
const marksFailures = ({ good, events }: Counts): boolean => good === 0 && events > 0;

const countsOf = ({ total, events, said }: SaidCounts): Counts => ({
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
export const isBaselineUnknown = (before: SaidState | null, shown: Shown): boolean =>
  isPair(shown) && !isNothingSaid(before, shown) && lessIn(shown, before)?.cohort === 'baseline';

/** Nor ever was: then nobody says less than the other. */
const isNothingSaid = (before: SaidState | null, { canary, baseline }: Pair): boolean =>
  before === null && canary.said === undefined && baseline.said === undefined;

/** With one window. Null until anybody says anything. */
export const saidWith = (
  before: SaidState | null,
  shown: Shown,
  mark: WindowMark,
): SaidState | null => {
  if (!isPair(shown)) return before;
  if (isNothingSaid(before, shown)) return null;
  const found = lessIn(shown, before);
  const canary = added(before?.canary, shown.canary);
  const baseline = added(before?.baseline, shown.baseline);
  const less = before?.less ?? { canary: null, baseline: null };
  return { canary, baseline, less: found === null ? less : withFound(less, found, mark) };
};

const withFound = (
  less: SaidState['less'],
  { cohort, canary, baseline, isOfAll }: Less,
  { index, startMs }: WindowMark,
): SaidState['less'] => {
  const found: SaidLess = { canary, baseline, isOfAll, window: { index, startMs } };
  return cohort === 'canary'
    ? { canary: found, baseline: less.baseline }
    : { canary: less.canary, baseline: found };
};

const added = (sums: Sums | undefined, { total, events, said }: SaidCounts): Sums => ({
  total: (sums?.total ?? 0) + total,
  events: (sums?.events ?? 0) + events,
  good: (sums?.good ?? 0) + (said?.good ?? 0),
  by: said?.by ?? sums?.by ?? null,
});

/** Who has not said what became of its requests in a window after `lastSilent`, so that nothing passes; null: nobody. */
export const unsaidOf = (state: SaidState | null, lastSilent: number): Unsaid | null => {
  if (state === null) return null;
  for (const cohort of ['canary', 'baseline'] as const) {
    const less = state.less[cohort];
    // `lastSilent` lies before the first window while no silence can have been long enough.
    if (less === null || less.window.index <= lastSilent) continue;
    const { canary, baseline, isOfAll, window } = less;
    const { by } = state[cohort === 'canary' ? 'baseline' : 'canary'];
    return { cohort, by: by ?? '', canary, baseline, window: isOfAll ? null : window };
  }
  return null;
};
