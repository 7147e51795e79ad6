import { describe, expect, test } from 'vitest';

import {
  errorsInformation,
  shiftInformation,
  smallestErrorRate,
  smallestSlowdown,
} from '../../../../services/core/canary/statistics/planner.ts';
import { errorsPlan, halfAnHour, latencyPlan } from '../../../support/canary/plans.ts';

describe('half an hour without tolerance, from 0.5 % errors:', () => {
  test.each([
    { canaryRps: 5, baselineRps: 5, percent: 1.13 },
    { canaryRps: 5, baselineRps: 45, percent: 0.92 },
    { canaryRps: 50, baselineRps: 50, percent: 0.67 },
  ])('$canaryRps/$baselineRps rps show $percent %', ({ canaryRps, baselineRps, percent }) => {
    const found = 100 * (smallestErrorRate(errorsPlan(canaryRps, baselineRps)) ?? 0);
    expect(Math.abs(found - percent)).toBeLessThan(0.011);
  });
});

describe('the plan is the formula read backwards:', () => {
  test('the smallest error rate needs 2.4 ln(1/alpha) nats', () => {
    const plan = { ...errorsPlan(5, 45), tolerance: { relative: 1.1, absolute: 0.0005 } };
    const rate = smallestErrorRate(plan) ?? 0;
    const nats = halfAnHour * errorsInformation(plan.tolerance, 5, rate, 45, plan.baselineRate);
    expect(nats).toBeCloseTo(2.4 * Math.log(100), 9);
  });

  test('so does the smallest slowdown', () => {
    const plan = { ...latencyPlan(50, 50), toleratedSlowdown: 1.044 };
    const slowdown = smallestSlowdown(plan) ?? 0;
    const shift = Math.log(slowdown / plan.toleratedSlowdown) / plan.spread;
    expect(halfAnHour * shiftInformation(shift, 50, 50)).toBeCloseTo(2.4 * Math.log(100), 6);
  });

  test('counts that scatter twice as much are worth half the time', () => {
    const scattered = { ...latencyPlan(20, 20), ...errorsPlan(20, 20), dispersion: 2 };
    const halved = {
      ...scattered,
      dispersion: 1,
      exposures: [{ seconds: halfAnHour / 2, canaryRps: 20, baselineRps: 20 }],
    };
    expect(smallestErrorRate(scattered)).toBeCloseTo(smallestErrorRate(halved) ?? 0, 12);
    expect(smallestSlowdown(scattered)).toBeCloseTo(smallestSlowdown(halved) ?? 0, 12);
  });

  test('a ramp counts each of its parts', () => {
    const whole = errorsPlan(20, 20);
    const parts = {
      ...whole,
      exposures: [
        { seconds: 600, canaryRps: 20, baselineRps: 20 },
        { seconds: 1_200, canaryRps: 20, baselineRps: 20 },
      ],
    };
    expect(smallestErrorRate(parts)).toBeCloseTo(smallestErrorRate(whole) ?? 0, 12);
  });
});

describe('where nothing can be seen the plan says so:', () => {
  test('no traffic', () => {
    expect(smallestErrorRate(errorsPlan(0, 0))).toBeNull();
    expect(smallestSlowdown(latencyPlan(0, 0))).toBeNull();
  });

  test('a canary alone', () => {
    expect(smallestErrorRate(errorsPlan(50, 0))).toBeNull();
    expect(smallestSlowdown(latencyPlan(50, 0))).toBeNull();
  });

  test('hardly any traffic, and everything is tolerated', () => {
    expect(smallestErrorRate(errorsPlan(0.0001, 0.0001))).toBeNull();
    const tolerant = { ...errorsPlan(50, 50), tolerance: { relative: 1, absolute: 1 } };
    expect(smallestErrorRate(tolerant)).toBeNull();
  });
});

test('the information of equal cohorts is none, and grows with the distance on both sides of the line', () => {
  const line = { relative: 1.5, absolute: 0.002 };
  expect(errorsInformation(line, 10, 0.0095, 90, 0.005)).toBeCloseTo(0, 12);
  const at = (rate: number): number => errorsInformation(line, 10, rate, 90, 0.005);
  expect(at(0.02)).toBeGreaterThan(at(0.015));
  expect(at(0.002)).toBeGreaterThan(at(0.005));
  expect(shiftInformation(0, 10, 10)).toBe(0);
  expect(shiftInformation(-1, 10, 10)).toBe(0);
});
