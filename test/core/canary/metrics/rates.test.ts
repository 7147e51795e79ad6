import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { ratesDeadline, ratesJudge } from '../../../../services/core/canary/metrics/rates.ts';
import type { RatesRule, RatesState } from '../../../../services/core/canary/metrics/rates.ts';
import type { RateCounts } from '../../../../services/core/canary/statistics/rate-counts.ts';
import { stream } from '../../../support/canary/arbitraries.ts';
import { errorsMetric } from '../../../support/canary/family.ts';
import { judgeEach } from '../../../support/canary/metric-windows.ts';
import { repeat } from '../../../support/canary/streams.ts';
import type { Counts } from '../../../support/canary/streams.ts';

const { rule } = errorsMetric;

const shownOf = ([canary, errors, baseline, baselineErrors]: Counts): {
  readonly canary: RateCounts | null;
  readonly baseline: RateCounts | null;
} => ({
  canary: canary === 0 ? null : { total: canary, events: errors },
  baseline: baseline === 0 ? null : { total: baseline, events: baselineErrors },
});

const after = (windows: readonly Counts[], of: RatesRule = rule): RatesState =>
  judgeEach(ratesJudge, of, windows.map(shownOf));

describe('a dispersion', () => {
  test('makes the same windows say less, and the interval wider', () => {
    const windows = repeat(60, [250, 6, 250, 1]);
    const calm = after(windows);
    const wild: RatesRule = { ...rule, phi: 7 };
    const scattered = after(windows, wild);
    expect(scattered.logRollback).toBeLessThan(calm.logRollback);
    expect(ratesJudge.explain(wild, scattered).interval.low).toBeLessThan(
      ratesJudge.explain(rule, calm).interval.low ?? 0,
    );
  });
});

describe('the deadline', () => {
  test('finds twice the errors at five requests a second, and lets the same rate pass', () => {
    const strict: RatesRule = { ...rule, tolerance: { relative: 1, absolute: 0 } };
    const twice = repeat(90, [25, 1, 25, 0] as Counts).flatMap((counts, index): Counts[] => [
      counts,
      [25, 0, 25, index % 2],
      [25, 0, 25, 0],
    ]);
    expect(ratesDeadline(strict, after(twice, strict), 0.0025).isWorse).toBe(true);
    const even = repeat(180, [25, 1, 25, 1] as Counts);
    expect(ratesDeadline(strict, after(even, strict), 0.0025).isWorse).toBe(false);
  });
});

test('going on from the stored state changes nothing, and the state stays small', () => {
  fc.assert(
    fc.property(stream, fc.nat(60), (windows, at) => {
      const cut = Math.min(at, windows.length);
      const stored = JSON.stringify(after(windows.slice(0, cut)));
      expect(stored.length).toBeLessThan(3_500);
      const resumed = judgeEach(ratesJudge, rule, windows.slice(cut).map(shownOf), {
        state: JSON.parse(stored) as RatesState,
        index: cut,
      });
      expect(resumed).toEqual(after(windows));
    }),
    { numRuns: 50 },
  );
});
