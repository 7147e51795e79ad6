import type { MetricSource } from '../policy/policy.ts';
import { instancesMin } from './loud.ts';

/** So many times less than each of the others: none that works beside them. */
const timesLessMin = 20;

/** Who of those that run may have next to nothing of what a metric measures. */
export type Idle = 'anybody' | 'nobody' | 'who-serves-nobody';

/**
 * What a process uses is never nothing. What else has a level may be 0, and so may a part of it that filters pick. Who
 * serves nobody may use next to no processor, but no less memory.
 */
export const idleOf = ({ names, where }: MetricSource): Idle => {
  if (where.length > 0 || !names.every((name) => /^(?:process|container)\./.test(name)))
    return 'anybody';
  return names.some((name) => name.includes('.cpu.')) ? 'who-serves-nobody' : 'nobody';
};

/**
 * The places of those of two to four instances that say they use nothing, or next to nothing, while others do. Left in,
 * one of three that reads wrong hides half as much again in its version, or finds it in the other one.
 */
export const unusedAmong = (levels: readonly number[]): readonly number[] =>
  levels.length < 2 || levels.length >= instancesMin
    ? []
    : levels.flatMap((_, at) => (isUnused(levels, at) ? [at] : []));

const isUnused = (levels: readonly number[], at: number): boolean => {
  const others = levels.toSpliced(at, 1).filter((other) => other > 0);
  return others.length > 0 && (levels[at] ?? 0) * timesLessMin < Math.min(...others);
};

/**
 * The places of those without requests that count with the little they use. Where their requests went to the others of
 * their version, these use more for it, and without the idle ones the version would look worse than it is; where they
 * went to all servers it is the other way round. It shows in the requests of an instance: with the idle ones, or
 * without, they are more like those `beside`, of the other version.
 */
export const sparedAmong = (
  requests: readonly number[],
  beside: readonly number[],
): ReadonlySet<number> => {
  const usual = meanOf(working(beside));
  const farFromUsual = (of: readonly number[]): number => Math.abs(Math.log(meanOf(of) / usual));
  // Where nobody has requests it is NaN, which is not below.
  if (!(farFromUsual(requests) < farFromUsual(working(requests)))) return new Set();
  return new Set(requests.flatMap((_, at) => (isSpared(requests, at) ? [at] : [])));
};

const isSpared = (requests: readonly number[], at: number): boolean =>
  (requests[at] ?? 0) * timesLessMin < Math.max(...requests);

const working = (requests: readonly number[]): readonly number[] =>
  requests.filter((_, at) => !isSpared(requests, at));

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
