import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { errorsJudge } from '../../../../services/core/canary/metrics/errors.ts';
import { ratesDeadline, ratesJudge } from '../../../../services/core/canary/metrics/rates.ts';
import type { RatesRule, RatesState } from '../../../../services/core/canary/metrics/rates.ts';
import type { RateCounts } from '../../../../services/core/canary/rate-counts.ts';
import { standardPreset } from '../../../../services/core/canary/policy.ts';
import { stream } from '../../../support/canary/arbitraries.ts';
import { judgeEach, placeAt } from '../../../support/canary/metric-windows.ts';
import { repeat, windowAt } from '../../../support/canary/streams.ts';
import type { Counts } from '../../../support/canary/streams.ts';

const { tolerance, promoteTolerance, grids, priorRate, priorRequests } = standardPreset;
const rule: RatesRule = {
  blockCapNats: standardPreset.blockCapNats,
  restarts: standardPreset.restarts,
  tolerance,
  promoteTolerance,
  grids,
  prior: { rate: priorRate, total: priorRequests },
  phi: 1,
};

const shownOf = ([canary, errors, baseline, baselineErrors]: Counts): {
  readonly canary: RateCounts | null;
  readonly baseline: RateCounts | null;
} => ({
  canary: canary === 0 ? null : { total: canary, events: errors },
  baseline: baseline === 0 ? null : { total: baseline, events: baselineErrors },
});

const after = (windows: readonly Counts[], of: RatesRule = rule): RatesState =>
  judgeEach(ratesJudge, of, windows.map(shownOf));

test('it says of errors what the first judge of errors says', () => {
  fc.assert(
    fc.property(stream, (windows) => {
      const first = windows.reduce((state, counts, index) => {
        const place = placeAt(index);
        const isPaired = counts[0] > 0 && counts[2] > 0;
        return errorsJudge.addWindow(
          standardPreset,
          state,
          windowAt(standardPreset, index, counts),
          {
            ...place,
            judged: place.judged && isPaired,
          },
        );
      }, errorsJudge.initial(standardPreset));
      const state = after(windows);
      expect(state.logRollback).toBeCloseTo(first.logRollback, 3);
      expect(state.logPromote).toBeCloseTo(first.logPromote, 3);

      const told = ratesJudge.explain(rule, state);
      const toldFirst = errorsJudge.explain(standardPreset, first);
      expect(told.canary).toEqual({ total: first.canary.requests, events: first.canary.errors });
      expect(told.cappedBlocks).toBe(toldFirst.cappedBlocks);
      expect(told.toleratedRate).toBeCloseTo(toldFirst.toleratedRate, 12);
    }),
    { numRuns: 60 },
  );
});

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
