import { expect, test } from 'vitest';
import { logRollbackIn } from '../../../../services/core/canary/judge/metric-judge.ts';
import type { Durations, Exponential } from '../../../../services/core/canary/windows/durations.ts';
import {
  addDurations,
  boundaryAtScale,
  boundaryNearest,
  boundarySeconds,
  countAbove,
  downscaled,
  logMoments,
  sumOfExponential,
} from '../../../../services/core/canary/windows/durations.ts';
import { latencyJudge } from '../../../../services/core/canary/metrics/latency.ts';
import type { LatencyRule } from '../../../../services/core/canary/metrics/latency.ts';
import {
  durationWindows,
  judgeEach,
  latencyRule,
  warmUpWindows,
} from '../../../support/canary/metric-windows.ts';
import { exponential } from '../../../support/canary/pending-points.ts';

// The grid of milliseconds lies between the edges of that of seconds: no number of buckets is a factor of 1000.

const seconds = exponential(3, -4, [10, 80, 10]);
const milliseconds: Exponential = { ...exponential(3, 76, [10, 80, 10]), unit: 'ms' };

test('histograms on different grids are not added, whatever their order', () => {
  for (const [left, right] of [
    [seconds, milliseconds],
    [milliseconds, seconds],
  ] as const)
    expect(addDurations(left, right)).toStrictEqual({ ok: false, problem: 'units-differ' });
});

test('what becomes of a histogram keeps its grid', () => {
  const coarse: Exponential = { ...exponential(2, 38, [90, 10]), unit: 'ms' };
  expect(addDurations(milliseconds, milliseconds)).toMatchObject({ value: { unit: 'ms' } });
  expect(downscaled(milliseconds, 2)).toStrictEqual(coarse);
  expect(sumOfExponential(milliseconds, [coarse])).toMatchObject({ unit: 'ms', scale: 2 });
  expect(downscaled(seconds, 2)).not.toHaveProperty('unit');
  const empty: Durations = { ...milliseconds, counts: [0, 0, 0] };
  expect(addDurations(empty, empty)).toMatchObject({ value: { unit: 'ms', counts: [] } });
});

test('a boundary is of the grid that it was chosen on', () => {
  const boundary = boundaryNearest(milliseconds, 0.9)?.boundary;
  expect(boundary).toStrictEqual({ shape: 'exponential', unit: 'ms', scale: 3, edge: 78 });
  if (boundary === undefined) return;
  expect(boundarySeconds(boundary)).toBeCloseTo(2 ** (78 / 8) / 1000, 12);
  expect(countAbove(milliseconds, boundary)).toBe(10);
  expect(countAbove(seconds, boundary)).toBeUndefined();
  expect(boundaryAtScale(boundary, 2)).toMatchObject({ unit: 'ms', scale: 2, edge: 39 });
});

test('logarithms are of seconds on either grid', () => {
  const shift = Math.log(2 ** (80 / 8) / 1000);
  const [one, other] = [seconds, milliseconds].map((each) => logMoments(each, 0.7, 50));
  expect((other?.mean ?? 0) - (one?.mean ?? 0)).toBeCloseTo(shift, 9);
  expect(other?.squares).toBeCloseTo(one?.squares ?? NaN, 9);
});

test('a canary that measures in another unit than its baseline is not judged, and told why', () => {
  const windows = durationWindows(warmUpWindows + 20, {}).map((window, index) => {
    const { canary } = window;
    return index < warmUpWindows || canary?.shape !== 'exponential'
      ? window
      : { ...window, canary: { ...canary, unit: 'ms' as const } };
  });
  const rule: LatencyRule = {
    ...latencyRule,
    margin: 0,
    tolerance: { relative: 1, absolute: 0 },
  };
  const state = judgeEach(latencyJudge, rule, windows);
  expect(logRollbackIn(state)).toBeLessThanOrEqual(0);
  expect(latencyJudge.explain(rule, state)).toMatchObject({
    problem: 'units-differ',
    unusableWindows: 20,
  });
});
