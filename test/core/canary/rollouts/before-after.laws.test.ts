import { describe, expect, test } from 'vitest';
import { planBefore } from '../../../../services/core/canary/policy/plan-before.ts';
import { presets } from '../../../../services/core/canary/policy/presets.ts';
import { usualDurations } from '../../../../services/dev/canary-climates/durations.ts';
import { upperLimit } from '../../../../services/dev/canary-climates/upper-limit.ts';
import {
  judgeRollout,
  noEffect,
} from '../../../../services/dev/canary-climates/before-after-runs.ts';
import type {
  Climate,
  Effect,
  Outcome,
} from '../../../../services/dev/canary-climates/before-after-runs.ts';
import {
  aDay,
  calm,
  climates,
  incident,
  incidentMinutes,
  noisy,
  quiet,
  rough,
  steepDay,
  still,
  usualErrors,
} from '../../../../services/dev/canary-climates/rollouts.ts';

// How often a whole rollout that changes nothing is rolled back, before and after, in weather that both sides of a
// canary would share. Seeded: the same numbers every time.

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

  test.each(climates)('is hardly ever rolled back, weather: $name', (climate) => {
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

  test.each(incidentMinutes)('survives an incident of %i minutes', (minutes) => {
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
  ] as const)('is found, weather: $name', (climate, least) => {
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
