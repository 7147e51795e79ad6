import type { Cohort } from './cohorts.ts';
import type { Durations, Exponential } from './durations.ts';
import { sumOfExponential, withinPlausible } from './durations.ts';
import type { MetricWindow } from '../judge/judged-window.ts';
import { instancesMin, isWildAmong, levelCap, trimmedMean } from '../noise/loud.ts';
import type { Level } from '../metrics/level.ts';
import type { MetricPolicy } from '../policy/policy.ts';
import type { SaidCounts } from '../statistics/rate-counts.ts';
import type { JudgedAs } from './judged-as.ts';
import type { Counted } from './stream-bases.ts';

/** What is counted of a metric that cannot be told together with the rest of it; `loud`: see `wildIn`. */
export type Unlike = 'other-buckets' | 'other-unit' | 'implausible' | 'loud';

/** A level as it came. */
export type SeenLevel = {
  readonly series: string;
  readonly instance: string | null;
  readonly unit: string;
  readonly level: number;
};

/** One metric of a policy while its window is added up. */
export type MetricDraft = {
  /**
   * `as`: what the requests are for this metric. `isSpoilt`: their sender has coarser buckets for an absurd duration.
   */
  readonly addRequests: (cohort: Cohort, counted: Counted, as: JudgedAs, isSpoilt: boolean) => void;
  readonly addLevel: (cohort: Cohort, seen: SeenLevel) => void;
  readonly close: (countUnlike: (reason: Unlike, count: number) => void) => MetricWindow;
};

export const openMetric = ({ judged }: MetricPolicy): MetricDraft => {
  switch (judged) {
    case 'errors': {
      const rates = { canary: openRates(), baseline: openRates() };
      return {
        addRequests: (cohort, counted, as) => rates[cohort].add(counted, as),
        addLevel: () => undefined,
        close: () => ({ judged, canary: rates.canary.rate(), baseline: rates.baseline.rate() }),
      };
    }
    case 'traffic': {
      const rates = { canary: openRates(), baseline: openRates() };
      const total = (cohort: Cohort): number | null => rates[cohort].rate()?.total ?? null;
      return {
        addRequests: (cohort, counted, as) => rates[cohort].add(counted, as),
        addLevel: () => undefined,
        close: () => ({ judged, canary: total('canary'), baseline: total('baseline') }),
      };
    }
    case 'latency': {
      const sums = openDurations();
      return {
        addRequests: (cohort, { count, durations }, _as, isSpoilt) => {
          if (durations !== null) sums.add(cohort, count, durations, isSpoilt);
        },
        addLevel: () => undefined,
        close: (countUnlike) => ({ judged, ...sums.close(countUnlike) }),
      };
    }
    case 'level': {
      const levels = openLevels();
      return {
        addRequests: () => undefined,
        addLevel: levels.add,
        close: (countUnlike) => ({ judged, ...levels.close(countUnlike) }),
      };
    }
  }
};

const openRates = (): {
  readonly add: (counted: Counted, as: JudgedAs) => void;
  readonly rate: () => SaidCounts | null;
} => {
  let total = 0;
  let events = 0;
  let clientErrors = 0;
  let isShown = false;
  const goodBy = new Map<string, number>();
  return {
    add: ({ count, errors }, { fails, by, clientErrors: areClientErrors }) => {
      isShown = true;
      const failed = fails === null ? errors : fails ? count : 0;
      total += count;
      events += failed;
      if (areClientErrors === true) clientErrors += count - failed;
      if (by !== undefined) goodBy.set(by, (goodBy.get(by) ?? 0) + count - failed);
    },
    rate: () => {
      if (!isShown) return null;
      let good = 0;
      for (const requests of goodBy.values()) good += requests;
      // By the name where two say as much, never by what came first.
      const [most] = [...goodBy].toSorted(([a, of], [b, than]) => than - of || (a < b ? -1 : 1));
      return {
        total,
        events,
        ...(good > 0 && most !== undefined && { said: { good, by: most[0] } }),
        ...(clientErrors > 0 && { clientErrors }),
      };
    },
  };
};

type Pair<Values> = { readonly canary: Values | null; readonly baseline: Values | null };

/** Histograms that add up bucket by bucket, of one cohort. */
type Alike =
  | { readonly shape: 'explicit'; readonly bounds: readonly number[]; readonly counts: number[] }
  | { readonly shape: 'exponential'; readonly first: Exponential; readonly others: Exponential[] };
type SumOfAlike = Alike & { points: number; requests: number; readonly isSpoilt: boolean };

/**
 * Durations with the same bounds, or on the same exponential grid, are added up. Where a cohort sends several kinds,
 * the one counts that both cohorts have most requests of. Spoilt ones are a kind of their own, so that one of them makes
 * no others coarser; but where they are all that a cohort has, they are what is compared.
 */
const openDurations = (): {
  readonly add: (cohort: Cohort, counted: number, durations: Durations, isSpoilt: boolean) => void;
  readonly close: (countUnlike: (reason: Unlike, count: number) => void) => Pair<Durations>;
} => {
  const sums = {
    canary: new Map<string, SumOfAlike>(),
    baseline: new Map<string, SumOfAlike>(),
  };
  // The bounds of one sender are one list in memory, so few are written out.
  const kinds = new Map<readonly number[], string>();
  const kindOf = (durations: Durations, isSpoilt: boolean): string => {
    if (durations.shape === 'exponential')
      return `exponential ${durations.unit ?? 's'}${isSpoilt ? ' spoilt' : ''}`;
    const known = kinds.get(durations.bounds);
    if (known !== undefined) return known;
    const kind = durations.bounds.join();
    kinds.set(durations.bounds, kind);
    return kind;
  };
  return {
    add: (cohort, requests, given, isSpoilt) => {
      const durations = given.shape === 'exponential' ? withinPlausible(given) : given;
      const kind = kindOf(durations, isSpoilt);
      const sum = sums[cohort].get(kind);
      if (sum === undefined) {
        sums[cohort].set(kind, { points: 1, requests, isSpoilt, ...alikeOf(durations) });
        return;
      }
      sum.points += 1;
      sum.requests += requests;
      if (sum.shape === 'explicit') addCounts(sum.counts, durations.counts);
      else if (durations.shape === 'exponential') sum.others.push(durations);
    },
    close: (countUnlike) => {
      // Any bound says more than none.
      const { canary, baseline } = chosenOf(sums, (sum) =>
        sum.shape === 'explicit' && sum.bounds.length === 0 ? 0 : sum.requests,
      );
      const count = ({ points, isSpoilt }: SumOfAlike): void =>
        countUnlike(isSpoilt ? 'implausible' : 'other-buckets', points);
      for (const [kind, sum] of sums.canary) if (kind !== canary) count(sum);
      for (const [kind, sum] of sums.baseline) if (kind !== baseline) count(sum);
      return {
        canary: sumOf(sums.canary, canary),
        baseline: sumOf(sums.baseline, baseline),
      };
    },
  };
};

const alikeOf = (durations: Durations): Alike =>
  durations.shape === 'explicit'
    ? { shape: 'explicit', bounds: durations.bounds, counts: durations.counts.slice() }
    : { shape: 'exponential', first: durations, others: [] };

const addCounts = (into: number[], counts: readonly number[]): void => {
  for (let index = 0; index < into.length; index += 1)
    into[index] = (into[index] ?? 0) + (counts[index] ?? 0);
};

const sumOf = (
  sums: ReadonlyMap<string, SumOfAlike>,
  kind: string | undefined,
): Durations | null => {
  const sum = kind === undefined ? undefined : sums.get(kind);
  if (sum === undefined) return null;
  if (sum.shape === 'exponential') return sumOfExponential(sum.first, sum.others);
  return { shape: 'explicit', bounds: sum.bounds, counts: sum.counts };
};

type Chosen = {
  readonly canary: string | undefined;
  readonly baseline: string | undefined;
  /** Whether the two are one and the same. */
  readonly shared: boolean;
};

/**
 * The kind of which both cohorts have most, and else the kind of which each has most. It goes by how much there is and
 * by the name, never by the order in which it came.
 */
const chosenOf = <Values>(
  kinds: { readonly [Name in Cohort]: ReadonlyMap<string, Values> },
  size: (values: Values) => number,
): Chosen => {
  const sizeIn = (cohort: Cohort, kind: string): number => {
    const values = kinds[cohort].get(kind);
    return values === undefined ? 0 : size(values);
  };
  const most = (names: readonly string[], of: (kind: string) => number): string | undefined =>
    names.toSorted((left, right) => of(right) - of(left) || (left < right ? -1 : 1))[0];
  const inBoth = [...kinds.canary.keys()].filter((kind) => kinds.baseline.has(kind));
  const shared = most(inBoth, (kind) => Math.min(sizeIn('canary', kind), sizeIn('baseline', kind)));
  if (shared !== undefined) return { canary: shared, baseline: shared, shared: true };
  const ofCohort = (cohort: Cohort): string | undefined =>
    most([...kinds[cohort].keys()], (kind) => sizeIn(cohort, kind));
  return { canary: ofCohort('canary'), baseline: ofCohort('baseline'), shared: false };
};

/** By instance (by series, where it has no name): what its series were on the average. */
type LevelsOfUnit = Map<string, Map<string, { readonly sum: number; readonly points: number }>>;

/**
 * The mean over the instances of what each was on the average: an instance counts once, however many series and points
 * it sends. Where both cohorts have enough of them the highest and the lowest are left out; of few, one that is wild
 * leaves nothing to compare. Levels of one unit only; where a cohort sends several, the one counts that both have most
 * instances of.
 */
const openLevels = (): {
  readonly add: (cohort: Cohort, seen: SeenLevel) => void;
  readonly close: (countUnlike: (reason: Unlike, count: number) => void) => Pair<Level>;
} => {
  const units = {
    canary: new Map<string, LevelsOfUnit>(),
    baseline: new Map<string, LevelsOfUnit>(),
  };
  return {
    add: (cohort, { series, instance, unit, level }) => {
      const instances: LevelsOfUnit = units[cohort].get(unit) ?? new Map();
      units[cohort].set(unit, instances);
      const name = instance === null ? `series ${series}` : `${named}${instance}`;
      const ofInstance = instances.get(name) ?? new Map();
      instances.set(name, ofInstance);
      const { sum, points } = ofInstance.get(series) ?? { sum: 0, points: 0 };
      ofInstance.set(series, { sum: sum + level, points: points + 1 });
    },
    close: (countUnlike) => {
      const chosen = chosenOf(units, (instances) => instances.size);
      // Levels in different units are not compared: then the canary shows none.
      const canaryUnit = chosen.shared || chosen.baseline === undefined ? chosen.canary : undefined;
      for (const [unit, instances] of units.canary)
        if (unit !== canaryUnit) countUnlike('other-unit', instances.size);
      for (const [unit, instances] of units.baseline)
        if (unit !== chosen.baseline) countUnlike('other-unit', instances.size);
      const wild = wildIn(units.canary, canaryUnit) + wildIn(units.baseline, chosen.baseline);
      if (wild > 0) {
        countUnlike('loud', wild);
        return { canary: null, baseline: null };
      }
      const canary = meansOf(units.canary, canaryUnit).map(([, mean]) => mean);
      const baseline = meansOf(units.baseline, chosen.baseline).map(([, mean]) => mean);
      const cap = levelCap([...canary, ...baseline]);
      const smaller = Math.min(canary.length, baseline.length);
      return { canary: levelOf(canary, cap, smaller), baseline: levelOf(baseline, cap, smaller) };
    },
  };
};

const named = 'instance ';

/**
 * How many of a few instances are wild. It may be one that counts wrong, or a bad server: the version is blamed for
 * neither, and neither hides what the others show. Series of nobody are no instances: those of one process differ by more.
 */
const wildIn = (units: ReadonlyMap<string, LevelsOfUnit>, unit: string | undefined): number => {
  const means = meansOf(units, unit).flatMap(([name, mean]) =>
    name.startsWith(named) ? [mean] : [],
  );
  return means.filter((_, at) => isWildAmong(means, at)).length;
};

const meansOf = (
  units: ReadonlyMap<string, LevelsOfUnit>,
  unit: string | undefined,
): readonly (readonly [name: string, mean: number])[] =>
  unit === undefined
    ? []
    : [...(units.get(unit) ?? [])].map(([name, series]) => {
        let mean = 0;
        for (const { sum, points } of series.values()) mean += sum / points / series.size;
        return [name, mean];
      });

/** `smaller`: how many instances the smaller cohort has. */
const levelOf = (means: readonly number[], cap: number, smaller: number): Level | null => {
  const series = means.length;
  if (series === 0) return null;
  const capped = means.map((one) => Math.min(one, cap));
  if (smaller >= instancesMin) return { mean: trimmedMean(capped, smaller), series };
  let mean = 0;
  for (const one of capped) mean += one / series;
  return { mean, series };
};
