import { assert, double, property } from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  smallestErrorRate,
  smallestSlowdown,
} from '../../../../services/core/canary/statistics/planner.ts';
import type {
  ErrorsPlan,
  LatencyPlan,
} from '../../../../services/core/canary/statistics/planner.ts';
import { errorsPlan, latencyPlan } from '../../../support/canary/plans.ts';

/** null: nothing can be seen, which is larger than anything. */
const size = (value: number | null): number => value ?? Infinity;

describe('more of what helps never makes the smallest regression larger:', () => {
  const rps = double({ min: 0.1, max: 500, noNaN: true });
  const times = double({ min: 1.01, max: 10, noNaN: true });
  const check = (
    better: (more: number, plan: ErrorsPlan & LatencyPlan) => ErrorsPlan & LatencyPlan,
  ): void =>
    assert(
      property(rps, rps, times, (canaryRps, baselineRps, more) => {
        const plan = {
          ...latencyPlan(canaryRps, baselineRps),
          ...errorsPlan(canaryRps, baselineRps),
        };
        const improved = better(more, plan);
        const slack = 1 + 1e-9;
        expect(size(smallestErrorRate(improved))).toBeLessThanOrEqual(
          size(smallestErrorRate(plan)) * slack,
        );
        expect(size(smallestSlowdown(improved))).toBeLessThanOrEqual(
          size(smallestSlowdown(plan)) * slack,
        );
      }),
      { numRuns: 15, seed: 5 },
    );

  const scaled = (
    plan: ErrorsPlan & LatencyPlan,
    seconds: number,
    canary: number,
    baseline: number,
  ): ErrorsPlan & LatencyPlan => ({
    ...plan,
    exposures: plan.exposures.map((exposure) => ({
      seconds: exposure.seconds * seconds,
      canaryRps: exposure.canaryRps * canary,
      baselineRps: exposure.baselineRps * baseline,
    })),
  });

  test('time', () => check((more, plan) => scaled(plan, more, 1, 1)));
  test('canary traffic', () => check((more, plan) => scaled(plan, 1, more, 1)));
  test('baseline traffic', () => check((more, plan) => scaled(plan, 1, 1, more)));
  test('budget', () =>
    check((more, plan) => ({ ...plan, alpha: Math.min(0.5, plan.alpha * more) })));
  test('evenness', () => check((more, plan) => ({ ...plan, dispersion: 1 / more })));
  test('strictness', () =>
    assert(
      property(rps, times, (traffic, more) => {
        const plan = errorsPlan(traffic, traffic);
        const tolerant = { ...plan, tolerance: { relative: more, absolute: 0.001 } };
        expect(size(smallestErrorRate(tolerant))).toBeGreaterThan(
          size(smallestErrorRate(plan)) - 1e-12,
        );
      }),
      { numRuns: 15, seed: 5 },
    ));
});
