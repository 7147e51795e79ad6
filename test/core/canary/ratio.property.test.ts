import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  initialRatio,
  addToRatio,
  ratioInterval,
  ratioOf,
} from '../../../services/core/canary/ratio.ts';
import type { RatioState } from '../../../services/core/canary/ratio.ts';
import type { Counts } from '../../support/canary/streams.ts';
import { pairedStream } from '../../support/canary/arbitraries.ts';

const ratioAfter = (windows: readonly Counts[]): RatioState =>
  windows.reduce(
    (state, [canaryRequests, canaryErrors, baselineRequests, baselineErrors]) =>
      addToRatio(
        state,
        { requests: canaryRequests, errors: canaryErrors },
        { requests: baselineRequests, errors: baselineErrors },
      ),
    initialRatio,
  );

const CONFIDENCE = 0.99;

/** ln of the likelihood of the split of errors at a ratio, straight from the windows. */
const logLikelihood = (windows: readonly Counts[], ratio: number): number =>
  windows.reduce((sum, [canaryRequests, canaryErrors, baselineRequests, baselineErrors]) => {
    const chance = (canaryRequests * ratio) / (canaryRequests * ratio + baselineRequests);
    return sum + canaryErrors * Math.log(chance) + baselineErrors * Math.log1p(-chance);
  }, 0);

/** ln of the mean likelihood over 1/64 .. 64 in steps of an eighth of a doubling. */
const logMeanLikelihood = (windows: readonly Counts[]): number => {
  const values = Array.from({ length: 97 }, (_, index) =>
    logLikelihood(windows, 2 ** ((index - 48) / 8)),
  );
  const highest = Math.max(...values);
  const sum = values.reduce((total, value) => total + Math.exp(value - highest), 0);
  return highest + Math.log(sum / 97);
};

describe('the interval of the ratio', () => {
  test('holds every ratio that the e-process has not refuted', () => {
    fc.assert(
      fc.property(pairedStream, (windows) => {
        const { low, high } = ratioInterval(ratioAfter(windows), CONFIDENCE, 1);
        // What stands is an interval, so it is enough that just outside its ends nothing stands.
        const outside = [
          ...(low === null ? [] : [low * (1 - 1e-9)]),
          ...(high === null ? [] : [high * (1 + 1e-9)]),
        ];
        const needed = Math.log(1 / (1 - CONFIDENCE));
        for (const ratio of outside) {
          const logEvidence = logMeanLikelihood(windows) - logLikelihood(windows, ratio);
          expect(logEvidence).toBeGreaterThan(needed - 1e-6);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('is hardly wider than that', () => {
    const windows: readonly Counts[] = Array.from({ length: 100 }, () => [250, 5, 250, 1]);
    const { low, high } = ratioInterval(ratioAfter(windows), CONFIDENCE, 1);
    const evidenceAgainst = (ratio: number): number =>
      Math.exp(logMeanLikelihood(windows) - logLikelihood(windows, ratio));
    expect(evidenceAgainst((low ?? 0) / 1.001)).toBeGreaterThan(100);
    expect(evidenceAgainst((high ?? Infinity) * 1.001)).toBeGreaterThan(100);
    expect(ratioOf(ratioAfter(windows))).toBeCloseTo(5, 12);
  });

  test('is open on both sides before any error, and on one side while one cohort has none', () => {
    expect(ratioInterval(initialRatio, CONFIDENCE, 1)).toEqual({ low: null, high: null });
    const oneSided = ratioInterval(ratioAfter([[1000, 30, 1000, 0]]), CONFIDENCE, 1);
    expect(oneSided.low).toBeGreaterThan(3);
    expect(oneSided.high).toBeNull();
  });

  test('is not misled by a change of traffic weights while the rate drifts', () => {
    // Pooled, the canary has 4.7 % against 1.5 %: it got its traffic when errors were frequent.
    const windows: readonly Counts[] = [
      [100, 1, 9_900, 99],
      [900, 45, 900, 45],
    ];
    expect(ratioOf(ratioAfter(windows))).toBeCloseTo(1, 12);
  });

  test('narrows less when the counts scatter more than independent requests', () => {
    const state = ratioAfter([[10_000, 300, 10_000, 100]]);
    const plain = ratioInterval(state, CONFIDENCE, 1);
    const scattered = ratioInterval(state, CONFIDENCE, 4);
    expect(scattered.low).toBeLessThan(plain.low ?? 0);
    expect(scattered.high).toBeGreaterThan(plain.high ?? Infinity);
  });
});
