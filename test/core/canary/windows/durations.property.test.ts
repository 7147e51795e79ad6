import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  addDurations,
  boundaryNearest,
  boundarySeconds,
  countAbove,
  countAboveEdge,
  downscaled,
  logMoments,
  marginOfShift,
  shiftOfMargin,
  totalOf,
} from '../../../../services/core/canary/windows/durations.ts';
import type { Durations } from '../../../../services/core/canary/windows/durations.ts';
import { value } from '../../../support/records.ts';

type Exponential = Extract<Durations, { readonly shape: 'exponential' }>;

const exponential: fc.Arbitrary<Exponential> = fc.record({
  shape: fc.constant('exponential' as const),
  scale: fc.integer({ min: 1, max: 8 }),
  zeroCount: fc.nat(5),
  offset: fc.integer({ min: -900, max: 900 }),
  counts: fc.array(fc.nat(20), { maxLength: 160 }),
});

const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const explicit: fc.Arbitrary<Durations> = fc.subarray(bounds, { minLength: 2 }).chain((chosen) =>
  fc.record({
    shape: fc.constant('explicit' as const),
    bounds: fc.constant(chosen),
    counts: fc.array(fc.nat(50), { minLength: chosen.length + 1, maxLength: chosen.length + 1 }),
  }),
);

const sumOf = (histograms: readonly Durations[]): unknown => {
  let [sum] = histograms;
  for (const next of histograms.slice(1)) {
    if (sum === undefined) break;
    const added = addDurations(sum, next);
    if (!added.ok) return added.problem;
    sum = added.value;
  }
  return sum;
};

describe('histograms of one cohort', () => {
  test('add up to the same in any order, exponential', () => {
    fc.assert(
      fc.property(
        fc
          .array(exponential, { minLength: 2, maxLength: 5 })
          .chain((list) =>
            fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
          ),
        ([list, shuffled]) => {
          expect(sumOf(shuffled)).toEqual(sumOf(list));
        },
      ),
    );
  });

  test('add up to the same in any order, explicit', () => {
    fc.assert(
      fc.property(
        fc
          .array(explicit, { minLength: 2, maxLength: 5 })
          .chain((list) =>
            fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
          ),
        ([list, shuffled]) => {
          expect(sumOf(shuffled)).toEqual(sumOf(list));
        },
      ),
    );
  });

  test('add up to the same whether their scale is lowered before or after', () => {
    fc.assert(
      fc.property(exponential, exponential, fc.nat(5), (left, right, steps) => {
        const scale = Math.min(left.scale, right.scale) - steps;
        const before = value(addDurations(downscaled(left, scale), downscaled(right, scale)));
        const sum = value(addDurations(left, right));
        if (sum.shape !== 'exponential') throw new Error('no exponential sum');
        expect(downscaled(sum, scale)).toEqual(downscaled(before as Exponential, scale));
      }),
    );
  });

  test('lose no request, and keep to 320 buckets however far apart they are', () => {
    fc.assert(
      fc.property(exponential, exponential, (left, right) => {
        const sum = value(addDurations(left, right));
        expect(totalOf(sum)).toBe(totalOf(left) + totalOf(right));
        expect(sum.counts.length).toBeLessThanOrEqual(320);
      }),
    );
    const far = (offset: number): Durations => ({
      shape: 'exponential',
      scale: 20,
      zeroCount: 0,
      offset,
      counts: [1],
    });
    expect(value(addDurations(far(-(2 ** 31)), far(2 ** 31))).counts.length).toBeLessThanOrEqual(
      320,
    );
  });

  test('are counted above a boundary as each of them is', () => {
    fc.assert(
      fc.property(
        exponential,
        exponential,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (left, right, at) => {
          const sum = value(addDurations(left, right));
          if (sum.shape !== 'exponential') throw new Error('no exponential sum');
          const boundary = {
            shape: 'exponential' as const,
            scale: sum.scale,
            edge: sum.offset + Math.floor(at * (sum.counts.length + 2)),
          };
          expect(countAbove(sum, boundary)).toBe(
            (countAbove(left, boundary) ?? Number.NaN) +
              (countAbove(right, boundary) ?? Number.NaN),
          );
        },
      ),
    );
  });
});

describe('what cannot be compared is said, not thrown', () => {
  const buckets: Durations = {
    shape: 'exponential',
    scale: 3,
    zeroCount: 1,
    offset: -4,
    counts: [1, 2, 3],
  };
  const few: Durations = { shape: 'explicit', bounds: [0.1, 1], counts: [1, 2, 3] };

  test('histograms of two shapes', () => {
    expect(addDurations(buckets, few)).toEqual({ ok: false, problem: 'shapes-differ' });
    expect(addDurations(few, buckets)).toEqual({ ok: false, problem: 'shapes-differ' });
  });

  test('explicit histograms without a bound in common', () => {
    const others: Durations = { shape: 'explicit', bounds: [0.2, 2], counts: [1, 2, 3] };
    expect(addDurations(few, others)).toEqual({ ok: false, problem: 'no-shared-bound' });
  });

  test('a boundary that the buckets do not have', () => {
    expect(countAbove(few, { shape: 'explicit', seconds: 0.3 })).toBeUndefined();
    expect(countAbove(few, { shape: 'exponential', scale: 0, edge: 0 })).toBeUndefined();
    expect(countAbove(buckets, { shape: 'explicit', seconds: 1 })).toBeUndefined();
    expect(countAbove(buckets, { shape: 'exponential', scale: 4, edge: 3 })).toBeUndefined();
    expect(countAbove(buckets, { shape: 'exponential', scale: 4, edge: -6 })).toBe(5);
  });
});

test('histograms without bounds are one bucket, which shows how many there were', () => {
  const none: Durations = { shape: 'explicit', bounds: [], counts: [9] };
  expect(addDurations(none, none)).toEqual({ ok: true, value: { ...none, counts: [18] } });
});

describe('explicit bounds that differ', () => {
  test('are merged on those that both have', () => {
    const left: Durations = { shape: 'explicit', bounds: [0.1, 0.5, 1], counts: [1, 2, 3, 4] };
    const right: Durations = { shape: 'explicit', bounds: [0.1, 0.2, 1], counts: [10, 20, 30, 40] };
    expect(addDurations(left, right)).toEqual({
      ok: true,
      value: { shape: 'explicit', bounds: [0.1, 1], counts: [11, 55, 44] },
    });
  });
});

describe('a shift by whole buckets', () => {
  test('is a margin, exactly: what is slower by it is counted above the higher boundary', () => {
    fc.assert(
      fc.property(
        exponential,
        fc.nat(6),
        fc.integer({ min: -900, max: 1_060 }),
        (durations, buckets, edge) => {
          const slower: Durations = { ...durations, offset: durations.offset + buckets };
          const boundary = { shape: 'exponential' as const, scale: durations.scale, edge };
          const lowered = { ...boundary, edge: edge - buckets };
          expect(countAbove(slower, boundary)).toBe(
            countAboveEdge(durations, boundary, edge - buckets),
          );
          expect(countAbove(slower, boundary)).toBe(countAbove(durations, lowered));
          expect(boundarySeconds(boundary) / boundarySeconds(lowered)).toBeCloseTo(
            1 + marginOfShift(durations.scale, buckets),
            9,
          );
        },
      ),
    );
  });

  test.each([
    [3, 1, 0.0905],
    [4, 1, 0.0443],
    [5, 2, 0.0443],
    [8, 16, 0.0443],
  ])('at scale %i a margin of 4.43 %% is %i buckets: %f', (scale, buckets, margin) => {
    expect(shiftOfMargin(scale, 0.0443)).toBe(buckets);
    expect(marginOfShift(scale, buckets)).toBeCloseTo(margin, 4);
    expect(shiftOfMargin(scale, 0)).toBe(0);
  });
});

describe('a boundary nearest to a quantile', () => {
  test('leaves that share of the durations above it', () => {
    const even: Durations = {
      shape: 'exponential',
      scale: 4,
      zeroCount: 0,
      offset: -100,
      counts: Array<number>(100).fill(10),
    };
    for (const quantile of [0.5, 0.9, 0.99]) {
      const nearest = boundaryNearest(even, quantile);
      if (nearest === undefined) throw new Error('no boundary');
      expect(countAbove(even, nearest.boundary)).toBe(Math.round(1_000 * (1 - quantile)));
    }
  });

  test('is the nearest there is among explicit bounds, and none where nothing came', () => {
    const coarse: Durations = { shape: 'explicit', bounds: [0.1, 1], counts: [480, 500, 20] };
    const tenth = { shape: 'explicit', seconds: 0.1 } as const;
    const second = { shape: 'explicit', seconds: 1 } as const;
    expect(boundaryNearest(coarse, 0.5)?.boundary).toEqual(tenth);
    expect(boundaryNearest(coarse, 0.99)?.boundary).toEqual(second);
    expect(boundaryNearest(coarse, 0.5, [tenth])?.boundary).toEqual(second);
    expect(boundaryNearest(coarse, 0.5, [tenth, second])).toBeUndefined();
    expect(boundaryNearest({ ...coarse, counts: [0, 0, 0] }, 0.5)).toBeUndefined();
  });
});

describe('log-durations', () => {
  test('have mean and spread of the middles of their buckets', () => {
    const two: Durations = {
      shape: 'exponential',
      scale: 0,
      zeroCount: 0,
      offset: 0,
      counts: [3, 0, 1],
    };
    const moments = logMoments(two, 1, 10);
    expect(moments?.count).toBe(4);
    expect(moments?.mean).toBeCloseTo(Math.LN2 * ((3 * 0.5 + 2.5) / 4), 12);
    expect(moments?.squares).toBeCloseTo(Math.LN2 ** 2 * 3, 12);
  });

  test('shift by the logarithm of what all of them grow by', () => {
    const wide = 10_000;
    const some = exponential.map((durations): Exponential => ({
      ...durations,
      zeroCount: 0,
      counts: [...durations.counts, 1],
    }));
    fc.assert(
      fc.property(some, fc.integer({ min: 0, max: 30 }), (durations, buckets) => {
        const before = logMoments(durations, 0.1, wide);
        const after = logMoments({ ...durations, offset: durations.offset + buckets }, 0.1, wide);
        expect(before?.count).toBe(totalOf(durations));
        expect((after?.mean ?? Number.NaN) - (before?.mean ?? Number.NaN)).toBeCloseTo(
          Math.log1p(marginOfShift(durations.scale, buckets)),
          6,
        );
      }),
    );
  });

  test('that are absurd count as a hundred times the middle, and what took no time as a hundredth', () => {
    const absurd: Durations = {
      shape: 'exponential',
      scale: 3,
      zeroCount: 1,
      offset: 8_000,
      counts: [1],
    };
    const moments = logMoments(absurd, 1, Math.log(100));
    expect(moments?.mean).toBeCloseTo(0, 12);
    expect(moments?.squares).toBeCloseTo(2 * Math.log(100) ** 2, 9);
  });
});
