import type { Cohort } from '../windows/cohorts.ts';

/** From so many instances on there is something usual: one that breaks it is left out, and the others are compared. */
export const instancesMin = 5;
/** So many times the median is more than instances behind one load balancer differ. */
const timesMedianMax = 10;
/**
 * Of few: so many times what the busiest of the others has. Servers of few are less alike (1 : 4 : 9, a standby); but of two
 * pods that fail 5 %, one with 11 times as many good requests makes 0.8 % of all, which is near what may pass.
 */
const timesOthersMax = 10;
/** The same of levels, which nobody's requests dilute. */
const timesLevelsMax = 20;
/** With so few requests in a window nobody is loud. */
const quietRequests = 100;

/** Requests of the instances of each cohort in one window, by name. */
export type Voices = { readonly [Name in Cohort]: ReadonlyMap<string, number> };

/**
 * What becomes of instances that say more than ten times what is usual in their cohort. One that counts wrong, or
 * somebody who speaks in its name, must not drown the others; but what the loud ones say may also be true, and unlike
 * the rest (a leader, sticky connections). Left out of one cohort and not of the other, they would make an honest
 * canary look worse or better. So they are left out only where both cohorts are large enough for the same rule, and
 * else the window says nothing. Of two to four instances the others alone say what is usual; one that is alone has
 * nobody to be louder than. It goes by how many requests there are, never by how they ended, and never by those of the
 * other cohort, whose share may be quite another.
 */
export type Loudness = {
  readonly verdict: 'nobody' | 'leave-out' | 'say-nothing';
  readonly loud: { readonly [Name in Cohort]: ReadonlySet<string> };
};

export const loudnessOf = (voices: Voices): Loudness => {
  const canary = heardIn(voices.canary);
  const baseline = heardIn(voices.baseline);
  const loud = { canary: loudIn(canary), baseline: loudIn(baseline) };
  if (loud.canary.size + loud.baseline.size === 0) return { verdict: 'nobody', loud };
  const areLarge = canary.length >= instancesMin && baseline.length >= instancesMin;
  return { verdict: areLarge ? 'leave-out' : 'say-nothing', loud };
};

type Heard = readonly (readonly [name: string, requests: number])[];

const heardIn = (voices: ReadonlyMap<string, number>): Heard =>
  [...voices].filter(([, requests]) => requests > 0);

const loudIn = (heard: Heard): ReadonlySet<string> => {
  const all = heard.map(([, requests]) => requests);
  const ofMany = heard.length < instancesMin ? null : timesMedianMax * medianOf(all);
  const limitFor = (at: number): number =>
    ofMany ?? timesOthersMax * Math.max(...all.toSpliced(at, 1));
  const loud = heard.filter(
    ([, requests], at) => heard.length > 1 && requests > quietRequests && requests > limitFor(at),
  );
  return new Set(loud.map(([name]) => name));
};

/** Whether one of so few levels is far above all others; where these are 0 nothing is usual. */
export const isWildAmong = (levels: readonly number[], at: number): boolean => {
  if (levels.length >= instancesMin || levels.length < 2) return false;
  const highest = Math.max(...levels.toSpliced(at, 1));
  return highest > 0 && (levels[at] ?? 0) > timesLevelsMax * highest;
};

/**
 * Levels count as at most ten times the median of both cohorts together. The limit is one and the same for both and
 * does not ask whose a level is, so of cohorts that are alike neither comes out lower. Infinity: no limit.
 */
export const levelCap = (levels: readonly number[]): number => {
  if (levels.length < instancesMin) return Infinity;
  const median = medianOf(levels);
  return median > 0 ? timesMedianMax * median : Infinity;
};

/**
 * The mean of what `size` of the values show without their highest and their lowest, over all choices of so many: one
 * value, however high or low, then counts for nothing. Cohorts of which the larger is asked for the size of the smaller
 * one have the same expectation whatever the distribution is, which plain trimmed means of unequal sizes have not.
 * `size` is at least 3 and at most the number of values.
 */
export const trimmedMean = (values: readonly number[], size: number): number => {
  const rising = values.toSorted((left, right) => left - right);
  const count = rising.length;
  const weights = rising.map(() => size / count);
  // The chance of being the highest of a choice: C(rank - 1, size - 1) / C(count, size), and the lowest as seen from below.
  let chance = size / count;
  for (let rank = count; rank >= size; rank -= 1) {
    weights[rank - 1] = (weights[rank - 1] ?? 0) - chance;
    weights[count - rank] = (weights[count - rank] ?? 0) - chance;
    chance *= (rank - size) / (rank - 1);
  }
  let mean = 0;
  for (const [index, value] of rising.entries())
    mean += (value * Math.max(0, weights[index] ?? 0)) / (size - 2);
  return mean;
};

/** The lower one of an even number. */
const medianOf = (values: readonly number[]): number =>
  values.toSorted((left, right) => left - right)[Math.floor((values.length - 1) / 2)] ?? 0;
