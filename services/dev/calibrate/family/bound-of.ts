import type { MetricPolicyOf } from '../../../core/canary/policy/policy.ts';
import { errorsBoundSeconds, latencyBoundSeconds } from '../bounds.ts';
import type { Cell } from '../cells.ts';
import { baseRate } from '../climates.ts';
import type { JudgePlug } from '../judge-plug.ts';
import { spread } from '../latency.ts';

type Tolerance = MetricPolicyOf<'errors'>['tolerance'];

/** The least mean time for what one of these tests can find; null: the truth of the cell shows in neither. */
export const regressionBound =
  (tolerance: Tolerance | null, slower: number | null, alpha: number): JudgePlug['boundSeconds'] =>
  ({ traffic, truth }: Cell) => {
    if (truth.errorRate !== baseRate && tolerance !== null) {
      const rates = { canary: truth.errorRate, baseline: baseRate };
      return errorsBoundSeconds(traffic, rates, tolerance, alpha);
    }
    if (slower === null) return null;
    const { part, partFactor: factor } = truth.latency;
    if (part > 0)
      return latencyBoundSeconds(traffic, { of: 'part', part, factor }, spread, slower, alpha);
    // What is tolerated cannot be found.
    if (truth.slowdown <= slower) return null;
    const all = { of: 'all', factor: truth.slowdown } as const;
    return latencyBoundSeconds(traffic, all, spread, slower, alpha);
  };

/** The least mean time in which a canary like its baseline can be shown to be within the tolerance. */
export const promotionBound =
  (tolerance: Tolerance, beta: number): JudgePlug['boundSeconds'] =>
  ({ traffic, truth }: Cell) =>
    truth.name === 'same'
      ? errorsBoundSeconds(traffic, { canary: baseRate, baseline: baseRate }, tolerance, beta)
      : null;
