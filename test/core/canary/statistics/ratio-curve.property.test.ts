import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  addToCurve,
  curveInterval,
  curveRatio,
  initialCurve,
} from '../../../../services/core/canary/statistics/ratio-curve.ts';
import type { RatioCurve } from '../../../../services/core/canary/statistics/ratio-curve.ts';
import { pairedStream } from '../../../support/canary/arbitraries.ts';
import type { Counts } from '../../../support/canary/streams.ts';

const blockWindows = 3;
const confidence = 0.99;

/** The windows of each block together. */
const blocksOf = (windows: readonly Counts[]): readonly Counts[] => {
  const blocks: Counts[] = [];
  for (let at = 0; at < windows.length; at += blockWindows) {
    const sum = [0, 0, 0, 0];
    for (const window of windows.slice(at, at + blockWindows))
      for (const [index, count] of window.entries()) sum[index] = (sum[index] ?? 0) + count;
    blocks.push(sum as unknown as Counts);
  }
  return blocks;
};

const curveAfter = (windows: readonly Counts[], phi = 1): RatioCurve =>
  blocksOf(windows).reduce(
    (curve: RatioCurve, [n, e, m, f]) =>
      addToCurve(
        curve,
        { canary: { total: n, events: e }, baseline: { total: m, events: f } },
        phi,
      ),
    initialCurve,
  );

const logLikelihood = (windows: readonly Counts[], ratio: number): number =>
  windows.reduce((sum, [n, e, m, f]) => {
    const chance = (n * ratio) / (n * ratio + m);
    return sum + e * Math.log(chance) + f * Math.log1p(-chance);
  }, 0);

const steps = [
  0.02, 0.045, 0.08, 0.12, 0.17, 0.23, 0.31, 0.41, 0.53, 0.68, 0.87, 1.15, 1.5, 1.9, 2.5, 3.4, 5, 9,
];
const candidates = [...steps.map((step) => -step), 0, ...steps];

const logMeanLikelihood = (windows: readonly Counts[]): number => {
  const values = candidates.map((candidate) => logLikelihood(windows, Math.exp(candidate)));
  const highest = Math.max(...values);
  const sum = values.reduce((total, value) => total + Math.exp(value - highest), 0);
  return highest + Math.log(sum / values.length);
};

/**
 * Whether no candidate was ever refuted by more nats than a curve keeps, and then spoken for by later blocks: of such
 * blocks, a thousand failures against each other, no interval is right.
 */
const isKept = (blocks: readonly Counts[]): boolean =>
  blocks.every((_, index) => {
    const values = candidates.map((at) => logLikelihood(blocks.slice(0, index + 1), Math.exp(at)));
    return Math.max(...values) - Math.min(...values) < 999;
  });

describe('the interval of the ratio', () => {
  test('holds every ratio that the e-process has not refuted', () => {
    fc.assert(
      fc.property(pairedStream, (windows) => {
        const blocks = blocksOf(windows);
        fc.pre(isKept(blocks));
        const { low, high } = curveInterval(curveAfter(windows), confidence);
        const outside = [
          ...(low === null ? [] : [low * (1 - 1e-9)]),
          ...(high === null ? [] : [high * (1 + 1e-9)]),
        ];
        for (const ratio of outside) {
          const logEvidence = logMeanLikelihood(blocks) - logLikelihood(blocks, ratio);
          expect(logEvidence).toBeGreaterThan(Math.log(100) - 1e-6);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('is hardly wider than that: 5x is told from 3.5x, and 1.1x of a share of one half from 1x', () => {
    const five = curveInterval(
      curveAfter(Array.from({ length: 400 }, () => [250, 5, 250, 1])),
      confidence,
    );
    expect(five.low).toBeGreaterThan(3.5);
    expect(five.high).toBeLessThan(7);
    const tenth = curveInterval(
      curveAfter(Array.from({ length: 100 }, () => [250, 138, 250, 125])),
      confidence,
    );
    expect(tenth.low).toBeGreaterThan(1.03);
    expect(tenth.high).toBeLessThan(1.18);
  });

  test('is inverted, with the ratio, where the cohorts are swapped', () => {
    /** 0 and open (null) are each other's inverse. */
    const expectInverse = (actual: number | null, of: number | null): void => {
      const product = (actual ?? Infinity) * (of ?? Infinity);
      // Nothing at all on both sides is unknown both ways.
      const isUnknown = actual === null && of === null;
      const isInverse = isUnknown || Math.abs(product - 1) < 1e-8 || Number.isNaN(product);
      expect(isInverse).toBe(true);
    };
    fc.assert(
      fc.property(pairedStream, (windows) => {
        const straight = curveAfter(windows);
        const mirrored = curveAfter(windows.map(([n, e, m, f]) => [m, f, n, e]));
        const one = curveInterval(straight, confidence);
        const other = curveInterval(mirrored, confidence);
        expectInverse(other.low, one.high);
        expectInverse(other.high, one.low);
        expectInverse(curveRatio(mirrored), curveRatio(straight));
      }),
      { numRuns: 200 },
    );
  });

  test('holds the ratio that is told beside it, however much blocks contradict each other', () => {
    const arm = fc
      .integer({ min: 1, max: 20_000 })
      .chain((total) =>
        fc.tuple(
          fc.constant(total),
          fc.oneof(fc.integer({ min: 0, max: total }), fc.integer({ min: 0, max: 5 })),
        ),
      );
    const block = fc
      .tuple(arm, arm)
      .map(([[n, e], [m, f]]): Counts => [n, Math.min(e, n), m, Math.min(f, m)]);
    fc.assert(
      fc.property(
        fc.array(block, { minLength: 1, maxLength: 30 }),
        fc.constantFrom(1, 2, 7.5),
        (blocks, phi) => {
          const curve = blocks.reduce(
            (sum: RatioCurve, [n, e, m, f]) =>
              addToCurve(
                sum,
                { canary: { total: n, events: e }, baseline: { total: m, events: f } },
                phi,
              ),
            initialCurve,
          );
          const ratio = curveRatio(curve);
          const { low, high } = curveInterval(curve, confidence);
          // No ratio: nothing bounds it from above.
          expect(high ?? Infinity).toBeGreaterThanOrEqual(ratio ?? Infinity);
          expect(low ?? 0).toBeLessThanOrEqual(ratio ?? Infinity);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('is closed by a handful of events of the baseline, and open above only where it has none', () => {
    const few: Counts = [1_083, 63, 1_072, 6];
    const { low, high } = curveInterval(curveAfter([few], 2), confidence);
    expect(low).toBeGreaterThan(1.5);
    expect(high).toBeGreaterThan(63 / 6);
    expect(high).toBeLessThan(400);
    const two = curveInterval(curveAfter([[1_083, 63, 1_072, 2]], 2), confidence);
    expect(two.high).toBeLessThan(1e6);
    const none = curveInterval(curveAfter([[1_083, 63, 1_072, 0]], 2), confidence);
    expect(none.low).toBeGreaterThan(1);
    expect(none.high).toBeNull();
  });

  test('is open on both sides before any event, and wider where counts scatter more', () => {
    expect(curveInterval(initialCurve, confidence)).toEqual({ low: null, high: null });
    expect(curveRatio(initialCurve)).toBeNull();
    const counts: Counts = [10_000, 300, 10_000, 100];
    expect(curveInterval(curveAfter([counts], 4), confidence).low).toBeLessThan(
      curveInterval(curveAfter([counts]), confidence).low ?? 0,
    );
  });
});

test('a curve is short text that JSON takes as it is, whatever it has seen', () => {
  const pair = fc.tuple(fc.nat(50), fc.nat(50));
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 60 }), (blocks) => {
      let curve = initialCurve;
      for (const [canary, baseline] of blocks)
        curve = addToCurve(
          curve,
          { canary: { total: 1_000, events: canary }, baseline: { total: 900, events: baseline } },
          1,
        );
      expect(JSON.stringify(curve.heights)).toHaveLength(curve.heights.length + 2);
      expect(curve.heights.length).toBeLessThanOrEqual(148);
      const { low, high } = curveInterval(curve, confidence);
      const ratio = curveRatio(curve);
      expect(low ?? 0).toBeLessThanOrEqual(ratio ?? Infinity);
      expect(high ?? Infinity).toBeGreaterThanOrEqual(ratio ?? 0);
    }),
  );
});
