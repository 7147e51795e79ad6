import { describe, expect, test } from 'vitest';
import { planBefore } from '../../../../services/core/canary/policy/plan-before.ts';
import { presets } from '../../../../services/core/canary/policy/presets.ts';
import { usualDurations } from '../../../../services/dev/canary-climates/durations.ts';
import { upperLimit } from '../../../../services/dev/canary-climates/upper-limit.ts';
import {
  daily,
  judgeRollout,
  noEffect,
  wandering,
} from '../../../support/canary/before-after-runs.ts';
import type { Climate, Effect, Outcome } from '../../../support/canary/before-after-runs.ts';

// How often a whole rollout that changes nothing is rolled back, before and after, in weather that both sides of a
// canary would share. Seeded: the same numbers every time.

const busy = 6_000;
const usualErrors = 0.005;

const calm = (name: string, perMinute: number, errorRate: number): Climate => ({
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
const incident = (minutes: number): Climate => ({
  name: `an incident of ${minutes} minutes after the start`,
  perMinute: busy,
  errorRate: usualErrors,
  begin: (random) => {
    const from = Math.floor(random() * (30 - minutes));
    return (minute) =>
      minute >= from && minute < from + minutes ? { errors: 20, slower: 2, cpu: 1.3 } : noEffect;
  },
});

const aDay = drifting('a day: errors four times as many at its peak', busy, {
  errors: 4,
  slower: 1.3,
  cpu: 3,
});
const steepDay = drifting('a steep day: errors and CPU ten times, durations twice', 10 * busy, {
  errors: 10,
  slower: 2,
  cpu: 10,
});
const quiet = calm('five requests a second', 300, usualErrors);
const still = calm('nothing', busy, usualErrors);
const noisy = restless('errors wander by 30 % within five minutes', 0.3, 5);
const rough = restless('errors wander by 50 % within ten minutes', 0.5, 10);
const climates = [still, quiet, calm('no errors', busy, 0), aDay, steepDay, noisy, rough];

const runs = 320;
const outcomes = (
  climate: Climate,
  effect: Effect,
  count: number = runs,
  season: readonly number[] | null = null,
): readonly Outcome[] =>
  Array.from({ length: count }, (_, seed) => judgeRollout(climate, effect, seed + 1, season));
const rolledBack = (all: readonly Outcome[]): number =>
  all.filter(({ action }) => action === 'roll-back').length;

describe('a rollout that changes nothing', () => {
  const counts = new Map<string, number>();

  test.each(climates)('is hardly ever rolled back in $name', (climate) => {
    const wrong = rolledBack(outcomes(climate, noEffect));
    counts.set(climate.name, wrong);
    // One per cent of the runs, and what chance adds to that.
    expect(wrong).toBeLessThanOrEqual(4);
  });

  test('is rolled back in less than 1 % of all, its 95 % upper limit included', () => {
    const wrong = [...counts.values()].reduce((sum, count) => sum + count, 0);
    expect(counts.size).toBe(climates.length);
    expect(upperLimit(wrong, runs * climates.length, 0.95)).toBeLessThan(0.01);
  });

  test.each([1, 3, 5])('survives an incident of %i minutes', (minutes) => {
    expect(rolledBack(outcomes(incident(minutes), noEffect, 100))).toBe(0);
  });
});

describe('a rollout that fails five times as often', () => {
  const worse: Effect = { ...noEffect, errors: 5 };

  test.each([
    [still, 0.99],
    [aDay, 0.99],
    [steepDay, 0.99],
    [noisy, 0.9],
    [rough, 0.65],
    [quiet, 0.5],
  ] as const)('is found in $name', (climate, least) => {
    expect(rolledBack(outcomes(climate, worse, 100)) / 100).toBeGreaterThanOrEqual(least);
  });

  test('is blamed for its errors, within the half-hour', () => {
    for (const { action, blamed, minutes } of outcomes(aDay, worse, 50)) {
      if (action !== 'roll-back') continue;
      expect(blamed).toContain('errors');
      expect(minutes).toBeLessThanOrEqual(30);
    }
  });

  test('is not found where the day before became five times worse at that time, too', () => {
    expect(rolledBack(outcomes(aDay, worse, 50, [5, 1, 1, 1, 1]))).toBe(0);
  });
});

test('a rollout that takes twice as long is found in the weather of a day', () => {
  expect(rolledBack(outcomes(aDay, { ...noEffect, slower: 2 }, 100))).toBeGreaterThanOrEqual(99);
});

test('a rollout that is half as bad again is not found: that much half an hour does by itself', () => {
  expect(rolledBack(outcomes(aDay, { ...noEffect, errors: 1.5 }, 100))).toBe(0);
});

test.each([100, 5])(
  'what a plan says is found at %i requests a second is found in nine of ten, at least',
  (rps) => {
    const { plan } = planBefore(presets.standard, {
      traffic: [{ fromSeconds: 0, canaryRps: rps / 10, baselineRps: rps * 0.9 }],
      baselineErrorRate: usualErrors,
      dispersion: 2,
      latencySpread: usualDurations.spread,
      noBound: [],
    });
    const climate = calm('still', rps * 60, usualErrors);
    const found = (id: string): number => plan.metrics.find((one) => one.id === id)?.found ?? 0;
    const worse: readonly Effect[] = [
      { ...noEffect, errors: found('errors') / usualErrors },
      { ...noEffect, slower: found('latency') },
    ];
    for (const effect of worse)
      expect(rolledBack(outcomes(climate, effect, 100))).toBeGreaterThanOrEqual(90);
  },
);
