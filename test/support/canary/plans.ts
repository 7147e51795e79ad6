import type { ErrorsPlan, LatencyPlan } from '../../../services/core/canary/statistics/planner.ts';

export const halfAnHour = 1_800;

/** Half an hour without any tolerance, from 0.5 % errors. */
export const errorsPlan = (canaryRps: number, baselineRps: number): ErrorsPlan => ({
  exposures: [{ seconds: halfAnHour, canaryRps, baselineRps }],
  alpha: 0.01,
  dispersion: 1,
  baselineRate: 0.005,
  tolerance: { relative: 1, absolute: 0 },
});

/** Half an hour without any tolerance, durations spread as those of a usual service. */
export const latencyPlan = (canaryRps: number, baselineRps: number): LatencyPlan => ({
  exposures: [{ seconds: halfAnHour, canaryRps, baselineRps }],
  alpha: 0.01,
  dispersion: 1,
  spread: 0.8,
  toleratedSlowdown: 1,
});
