import { describe, expect, test } from 'vitest';

import {
  errorsBoundSeconds,
  latencyBoundSeconds,
  orderInformation,
  partFactor,
} from '../../../services/dev/calibrate/bounds.ts';
import type { Traffic } from '../../../services/dev/calibrate/bounds.ts';

// The bounds were computed before, by another program, and rounded as they stand here.

const alpha = 0.01;
const baseRate = 0.005;
const spread = 0.8;

const rps = (canaryRps: number, baselineRps: number): Traffic => ({ canaryRps, baselineRps });

const strict = { relative: 1, absolute: 0 };
const close = { relative: 1.1, absolute: 0.0005 };
const wide = { relative: 1.25, absolute: 0.001 };

/** Equal as far as a value printed with so many decimals can be. */
const expectPrinted = (
  found: readonly number[],
  printed: readonly number[],
  decimals: number,
): void => {
  for (const [index, value] of found.entries()) {
    expect(Math.abs(value - (printed[index] ?? Number.NaN))).toBeLessThan(0.6 * 10 ** -decimals);
  }
};

describe('errors from 0.5 %: seconds with no tolerance, 1.1x + 0.05 points, 1.25x + 0.1 points', () => {
  test.each([
    { traffic: rps(50, 50), rate: 0.01, decimals: 0, seconds: [108, 183, 437] },
    { traffic: rps(50, 50), rate: 0.02, decimals: 1, seconds: [18.9, 23.5, 31.7] },
    { traffic: rps(50, 50), rate: 0.05, decimals: 1, seconds: [4.2, 4.8, 5.6] },
    { traffic: rps(50, 450), rate: 0.01, decimals: 0, seconds: [54, 94, 223] },
    { traffic: rps(50, 450), rate: 0.02, decimals: 1, seconds: [8.5, 10.7, 14.2] },
    { traffic: rps(50, 450), rate: 0.05, decimals: 1, seconds: [1.7, 1.9, 2.1] },
    { traffic: rps(5, 5), rate: 0.01, decimals: 0, seconds: [1076, 1833, 4366] },
    { traffic: rps(5, 5), rate: 0.02, decimals: 0, seconds: [189, 235, 317] },
    { traffic: rps(5, 5), rate: 0.05, decimals: 0, seconds: [42, 48, 56] },
    { traffic: rps(5, 45), rate: 0.01, decimals: 0, seconds: [542, 937, 2225] },
    { traffic: rps(5, 45), rate: 0.02, decimals: 0, seconds: [86, 107, 142] },
    { traffic: rps(5, 45), rate: 0.05, decimals: 1, seconds: [16.7, 18.7, 21.5] },
  ])('$rate at $traffic.canaryRps/$traffic.baselineRps rps: $seconds', (row) => {
    const found = [strict, close, wide].map((tolerance) =>
      errorsBoundSeconds(row.traffic, { canary: row.rate, baseline: baseRate }, tolerance, alpha),
    );
    expectPrinted(found, row.seconds, row.decimals);
  });
});

test.each([
  { traffic: rps(50, 450), seconds: [51, 168] },
  { traffic: rps(50, 50), seconds: [88, 294] },
  { traffic: rps(5, 45), seconds: [510, 1679] },
  { traffic: rps(5, 5), seconds: [884, 2944] },
])('promotion at $traffic.canaryRps/$traffic.baselineRps rps with beta 5 %: $seconds', (row) => {
  const rates = { canary: baseRate, baseline: baseRate };
  const margins = [
    { relative: 1.5, absolute: 0.002 },
    { relative: 1.25, absolute: 0.001 },
  ];
  const found = margins.map((margin) => errorsBoundSeconds(row.traffic, rates, margin, 0.05));
  expectPrinted(found, row.seconds, 0);
});

describe('latency, log-normal with a spread of 0.8: seconds with no margin and with one of 4.4 %', () => {
  const oneBucketOfScale4 = 2 ** (1 / 16);

  test.each([
    { traffic: rps(50, 50), factor: 1.1, decimals: 0, seconds: [26, 87] },
    { traffic: rps(50, 50), factor: 1.25, decimals: 1, seconds: [4.8, 7.3] },
    { traffic: rps(50, 50), factor: 2, decimals: 1, seconds: [0.5, 0.6] },
    { traffic: rps(5, 45), factor: 1.1, decimals: 0, seconds: [144, 485] },
    { traffic: rps(5, 45), factor: 1.25, decimals: 0, seconds: [26, 41] },
    { traffic: rps(5, 45), factor: 2, decimals: 1, seconds: [2.8, 3.2] },
    { traffic: rps(5, 5), factor: 1.1, decimals: 0, seconds: [260, 873] },
    { traffic: rps(50, 450), factor: 1.25, decimals: 1, seconds: [2.6, 4.1] },
  ])('all of it $factor times slower at $traffic.canaryRps/$traffic.baselineRps rps', (row) => {
    const found = [1, oneBucketOfScale4].map((margin) =>
      latencyBoundSeconds(row.traffic, { of: 'all', factor: row.factor }, spread, margin, alpha),
    );
    expectPrinted(found, row.seconds, row.decimals);
  });

  test.each([
    { rise: 1.25, decimals: 0, seconds: [15, 25] },
    { rise: 2, decimals: 1, seconds: [3.3, 3.7] },
  ])('a tenth of it slower, so that the 95th percentile is $rise times higher', (row) => {
    const part = 0.1;
    const factor = partFactor(part, row.rise, spread);
    const found = [1, oneBucketOfScale4].map((margin) =>
      latencyBoundSeconds(rps(50, 50), { of: 'part', part, factor }, spread, margin, alpha),
    );
    expectPrinted(found, row.seconds, row.decimals);
  });
});

describe('the information against "no slower"', () => {
  test('is none where the canary is faster at every quantile', () => {
    expect(orderInformation([0.5, 0.3, 0.2], [0.2, 0.3, 0.5], 10, 10)).toBeCloseTo(0, 12);
  });

  test('counts only the part in which the canary is slower', () => {
    // Both shift inside the first two cells, which no order forbids; only the second canary has a slower tail.
    const baseline = [0.4, 0.4, 0.2];
    const harmless = orderInformation([0.5, 0.3, 0.2], baseline, 10, 10);
    const harmful = orderInformation([0.5, 0.1, 0.4], baseline, 10, 10);
    expect(harmless).toBeCloseTo(0, 12);
    expect(harmful).toBeGreaterThan(0.3);
  });
});
