import { compactPoints } from '../../samples/compact.ts';
import type { Origin } from '../../samples/sample.ts';
import type { TelemetryPoint } from '../../telemetry/telemetry-point.ts';
import { cohortOf } from '../windows/cohorts.ts';
import type { Policy } from '../policy/policy.ts';
import type { Before } from '../rollouts/before.ts';
import { beforeSpanMs, beforeWindowMs, beforeWindowsMax } from '../rollouts/before.ts';
import { leadMs, openPastWindows, seasonOf } from '../rollouts/before-history.ts';
import type { PastWindows } from '../rollouts/before-history.ts';
import type { Arrived, Arrivals } from './arrival.ts';
import { firstTimeOf, openArrivals } from './arrival.ts';
import { clockOf } from './sender-clock.ts';
import type { BacktestSetup } from './setup.ts';

// What ran in the half-hour before a rollout, and what that time of day did the day before, from captures: as the
// analyser reads it from the samples.

const dayMs = 86_400_000;

export type BeforeLearner = {
  /** Points of one capture, in the order of its lines; captures one after the other, the earliest first. */
  readonly openCapture: () => {
    readonly add: (points: readonly TelemetryPoint[]) => void;
    readonly close: () => void;
  };
  readonly before: () => Before;
};

export const openBeforeLearner = (policy: Policy, setup: BacktestSetup): BeforeLearner => {
  const { audience, environment, component, sinceMs, isByVersion } = setup;
  const { deployment, namespace, target, canary, baseline } = setup;
  const cohorts = { deployment, namespace, target, canary, baseline };
  const isOld = (origin: Origin): boolean => cohortOf(cohorts, policy, origin) === 'baseline';
  // Of the day before only the place is asked for, whatever ran there.
  const isThere = (origin: Origin): boolean => {
    const cohort = cohortOf(cohorts, { ...policy, cohorts: null }, origin);
    return cohort !== 'other-namespace' && cohort !== 'other-target';
  };
  const past = openPastWindows(policy.metrics, isOld, sinceMs, beforeWindowsMax);
  const yesterdayEndMs = sinceMs - dayMs + beforeSpanMs;
  const yesterday = openPastWindows(policy.metrics, isThere, yesterdayEndMs, 2 * beforeWindowsMax);

  const take = (
    arrived: readonly Arrived<TelemetryPoint>[],
    into: readonly PastWindows[],
  ): void => {
    // What arrives behind the start is not read by whoever opens the analysis then.
    const received = arrived
      .filter(({ receivedAt }) => receivedAt < sinceMs)
      .map(({ point, receivedAt }) => ({
        point: isByVersion ? { ...point, deploymentId: null } : point,
        receivedAt,
      }));
    for (const record of compactPoints(audience, received).records)
      for (const windows of into) windows.add(record);
  };

  return {
    openCapture: () => {
      let arrivals: Arrivals<TelemetryPoint> | undefined;
      return {
        add: (points) => {
          const ours = points.filter(
            (point) => point.environment === environment && point.component === component,
          );
          if (ours.length === 0) return;
          arrivals ??= openPastArrivals(ours, sinceMs);
          take(arrivals?.add(ours) ?? [], [yesterday, past]);
        },
        close: () => {
          if (arrivals !== undefined) take(arrivals.rest(), [yesterday, past]);
        },
      };
    },
    before: () => {
      const known = past.close();
      if (known === undefined) return { windows: [], season: null };
      const dayBefore = yesterday.close();
      const season =
        dayBefore === undefined ? null : seasonOf(policy.metrics, dayBefore, known.windows);
      return { windows: known.windows, season };
    },
  };
};

/**
 * Time in a capture that begins before the rollout: from its first points on, and from no later than the start. Undefined:
 * none of them tells a time.
 */
export const openPastArrivals = (
  first: readonly TelemetryPoint[],
  sinceMs: number,
  untilMs: number = sinceMs,
): Arrivals<TelemetryPoint> | undefined => {
  const firstMs = firstTimeOf(first);
  if (firstMs === undefined) return undefined;
  const earliestMs = sinceMs - dayMs - beforeSpanMs - leadMs - beforeWindowMs;
  return openArrivals(Math.max(Math.min(sinceMs, firstMs), earliestMs), untilMs, clockOf);
};
