import { daily, noEffect, wandering } from './before-after-runs.ts';
import type { Climate } from './before-after-runs.ts';

// Weather that whole rollouts live through before and after their start, and that both sides of a canary would share.

const busy = 6_000;
export const usualErrors = 0.005;

export const calm = (name: string, perMinute: number, errorRate: number): Climate => ({
  name,
  perMinute,
  errorRate,
  begin: () => () => noEffect,
});

/** Peak against trough of a day, at any time of it. */
const drifting = (
  name: string,
  perMinute: number,
  times: { readonly errors: number; readonly slower: number; readonly cpu: number },
): Climate => ({
  name,
  perMinute,
  errorRate: usualErrors,
  begin: (random) => {
    const peak = random() * 1_440;
    const errors = daily(times.errors, peak);
    const slower = daily(times.slower, peak);
    const cpu = daily(times.cpu, peak);
    return (minute) => ({
      errors: Math.exp(errors(minute)),
      slower: Math.exp(slower(minute)),
      cpu: Math.exp(cpu(minute)),
    });
  },
});

/** A day, and what wanders besides: the deviation of errors; durations a fifth and CPU two fifths of that. */
const restless = (name: string, deviation: number, memoryMinutes: number): Climate => ({
  name,
  perMinute: busy,
  errorRate: usualErrors,
  begin: (random) => {
    const day = drifting('', busy, { errors: 4, slower: 1.3, cpu: 3 }).begin(random);
    const errors = wandering(random, deviation, memoryMinutes);
    const slower = wandering(random, deviation / 5, memoryMinutes);
    const cpu = wandering(random, (deviation * 2) / 5, memoryMinutes);
    return (minute) => {
      const usual = day(minute);
      return {
        errors: usual.errors * Math.exp(errors(minute)),
        slower: usual.slower * Math.exp(slower(minute)),
        cpu: usual.cpu * Math.exp(cpu(minute)),
      };
    };
  },
});

/** Twenty times the errors and twice as slow for so long, somewhere in the half-hour after. */
export const incident = (minutes: number): Climate => ({
  name: `an incident of ${minutes} minutes after the start`,
  perMinute: busy,
  errorRate: usualErrors,
  begin: (random) => {
    const from = Math.floor(random() * (30 - minutes));
    return (minute) =>
      minute >= from && minute < from + minutes ? { errors: 20, slower: 2, cpu: 1.3 } : noEffect;
  },
});

export const still: Climate = calm('none', busy, usualErrors);
export const aDay: Climate = drifting('a day (errors 4x, CPU 3x from trough to peak)', busy, {
  errors: 4,
  slower: 1.3,
  cpu: 3,
});
export const steepDay: Climate = drifting('a steep day (10x), 1,000 requests a second', 10 * busy, {
  errors: 10,
  slower: 2,
  cpu: 10,
});
export const noisy: Climate = restless('errors wander by 30 % within 5 minutes', 0.3, 5);
export const rough: Climate = restless('errors wander by 50 % within 10 minutes', 0.5, 10);
export const quiet: Climate = calm('none, 5 requests a second', 300, usualErrors);
const flawless = calm('no errors at all', busy, 0);
export const climates: readonly Climate[] = [still, aDay, steepDay, noisy, rough, quiet, flawless];

/** How long incidents last that no rollout is blamed for. */
export const incidentMinutes = [1, 3, 5] as const;
