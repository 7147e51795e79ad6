import { describe, expect, test } from 'vitest';
import { logRollbackIn } from '../../../../services/core/canary/judge/metric-judge.ts';
import {
  boundariesAboutGaps,
  isAskedByShares,
} from '../../../../services/core/canary/metrics/latency-gap.ts';
import { cutOf, lineOfShares } from '../../../../services/core/canary/metrics/latency-tail.ts';
import { boundariesIn, latencyJudge } from '../../../../services/core/canary/metrics/latency.ts';
import type { LatencyRule } from '../../../../services/core/canary/metrics/latency.ts';
import type { Boundary, Durations } from '../../../../services/core/canary/windows/durations.ts';
import { boundarySeconds, edgeOf } from '../../../../services/core/canary/windows/durations.ts';
import { judgeEach, latencyRule } from '../../../support/canary/metric-windows.ts';
import {
  after,
  afterShapes,
  atScale,
  mixOf,
  shapedWindows,
  withMore,
  withSlower,
  yieldOf,
} from '../../../support/canary/shaped-durations.ts';
import type { Parts } from '../../../support/canary/shaped-durations.ts';

// Where the boundary of a tail lies in a gap of the durations, a shift of it moves nothing, and by shifts alone no number
// of requests would show that a canary is good enough. There its share is what is asked.

const misses = mixOf('90% 2ms ±0.3, 10% 300ms ±0.3');
const timeouts = mixOf('98% 100ms ±0.3, 2% 5000ms');
const threeParts = mixOf('50% 2ms ±0.2, 40% 30ms ±0.2, 10% 800ms ±0.3');

const gaps: readonly (readonly [string, Parts])[] = [
  ['one in ten misses the cache', misses],
  ['half of them miss it', mixOf('50% 20ms ±0.2, 50% 400ms ±0.3')],
  ['nine in ten take just as long, and the others nearly none', mixOf('10% 1ms ±0.3, 90% 100ms')],
  ['2 % time out after 5 s', timeouts],
  ['one in twenty times out, far from any quantile', mixOf('95% 100ms ±0.3, 5% 5000ms')],
  [
    'one in thirty is slow, and the last quantile is among those',
    mixOf('60% 4ms ±0.2, 37% 50ms ±0.2, 3% 2000ms ±0.1'),
  ],
  ['two gaps have a tail each', threeParts],
];

describe.each([3, 4, 5])('with buckets of scale %d', (scale) => {
  const buckets = atScale(scale);

  test.each(gaps)('a canary as fast as its baseline is promoted where %s', (_gap, parts) => {
    expect(yieldOf(after(buckets, parts, 1))).toBe('promoted');
  });

  test.each(gaps)('no part of one may be slower where %s', (_gap, parts) => {
    for (const times of [1.5, 2, 4])
      for (const at of parts.keys())
        expect(
          yieldOf(afterShapes(buckets, parts, () => withSlower(at, times, parts))),
          `part ${at}, ${times} times`,
        ).not.toBe('promoted');
  });

  test.each(gaps.filter(([, parts]) => (parts.at(-1)?.[0] ?? 0) < 0.5))(
    'nor may more of it be slow where %s',
    (_gap, parts) => {
      for (const times of [1.5, 2, 3])
        expect(yieldOf(afterShapes(buckets, parts, () => withMore(times, parts)))).not.toBe(
          'promoted',
        );
    },
  );

  test.each(gaps)('a roll-back is asked the same where %s', (_gap, parts) => {
    // Nothing is promised by shares there, so nothing is asked by them.
    const byShifts: LatencyRule = {
      ...latencyRule,
      promoteTolerance: { relative: 1, absolute: 0 },
    };
    for (const canary of [parts, withMore(1.05, parts), withSlower(0, 1.1, parts)]) {
      const [asked, shifted] = [latencyRule, byShifts].map((rule) =>
        logRollbackIn(afterShapes(buckets, parts, () => canary, rule)),
      );
      expect(asked).toBe(shifted);
    }
  });
});

test.each([0, 0.2, 0.4])('parts that move together in both versions, by %d, hold nobody', (by) => {
  const parts = mixOf('15% 8.5ms ±0.6, 25% 146ms ±0.05, 60% 1080ms ±0.24');
  const moved = (window: number): Parts =>
    parts.map(([share, median, spread]) => [
      share,
      median * (1 + by * Math.sin(window / 9)),
      spread,
    ]);
  expect(yieldOf(afterShapes(atScale(4), moved, moved))).toBe('promoted');
});

/** So many requests in each of these buckets of scale 4. */
const counted = (...at: readonly (readonly [bucket: number, count: number])[]): Durations =>
  atScale(4)(
    at.flatMap(([bucket, count]) => Array<number>(count).fill(2 ** ((bucket + 0.5) / 16))),
  );

/** At the upper edge of such a bucket. */
const isAsked = (seen: Durations, bucket: number, rule: LatencyRule = latencyRule): boolean => {
  const boundary: Boundary = { shape: 'exponential', scale: 4, edge: bucket + 1 };
  return isAskedByShares(rule, cutOf(boundary, rule), edgeOf(boundary), seen);
};

describe('a boundary is asked by shares', () => {
  test('in a gap of half an octave, and not in a narrower one', () => {
    expect(isAsked(counted([0, 100], [9, 100]), 4)).toBe(true);
    expect(isAsked(counted([0, 100], [8, 100]), 4)).toBe(false);
  });

  test('or no further off than the shift, which is of three buckets', () => {
    const above = (bucket: number): Durations => counted([0, 4_000], [bucket, 5], [30, 995]);
    expect([2, 3, 4].map((bucket) => isAsked(above(bucket + 3), bucket))).toEqual([
      false,
      true,
      true,
    ]);
  });

  test('not where too few are on either side', () => {
    for (const [fewer, isEnough] of [
      [34, true],
      [33, false],
    ] as const) {
      expect(isAsked(counted([0, 400], [40, fewer]), 20)).toBe(isEnough);
      expect(isAsked(counted([0, fewer], [40, 400]), 20)).toBe(isEnough);
    }
  });

  test('with few strays in the gap, and not with many', () => {
    const withStrays = (each: number): Durations =>
      counted([0, 400], [8, each], [15, each], [22, each], [29, each], [40, 400]);
    expect([0, 5, 20].map((each) => isAsked(withStrays(each), 20))).toEqual([true, true, false]);
  });

  test('not where the shift itself shows it, as all that is below is just below', () => {
    expect([0, 2, 3].map((bucket) => isAsked(counted([0, 100], [40, 100]), bucket))).toEqual([
      false,
      false,
      true,
    ]);
  });

  test('between coarse buckets in a way of their own', () => {
    const coarse: Boundary = { shape: 'exponential', scale: 2, edge: 5 };
    const seen = atScale(2)([...Array<number>(100).fill(1), ...Array<number>(100).fill(5)]);
    expect(isAskedByShares(latencyRule, cutOf(coarse, latencyRule), 5, seen)).toBe(false);
  });
});

describe('what is promised by shares', () => {
  test('is what the tolerance lets few be', () => {
    expect(lineOfShares(latencyRule, 0.02)).toEqual(latencyRule.promoteTolerance);
  });

  test('is, where many are beyond, what it lets those below be', () => {
    const { relative, absolute } = lineOfShares(latencyRule, 0.9);
    const fewer = 1 - (relative * 0.9 + absolute);
    expect(1.25 * fewer + 0.002).toBeCloseTo(0.1, 12);
  });
});

describe('inside of what gaps enclose', () => {
  const secondsOf = (parts: Parts): readonly number[] =>
    boundariesIn(after(atScale(4), parts, 1)).map(boundarySeconds);

  test('a tail is cut where none was: beyond the last gap, below the first and between two', () => {
    const within = (low: number, high: number): boolean =>
      seconds.some((each) => each > low && each < high);
    let seconds = secondsOf(timeouts);
    expect(within(4.9, 5.3)).toBe(true);
    seconds = secondsOf(threeParts);
    expect([within(0.0018, 0.0024), within(0.027, 0.035), within(0.7, 2)]).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('none is where durations spread', () => {
    expect(secondsOf(mixOf('120ms ±0.8'))).toHaveLength(3);
    expect(secondsOf(misses)).toHaveLength(3);
  });

  test('it goes with its gap to coarser buckets', () => {
    const parts = threeParts;
    const [fine, coarser, coarse] = [5, 3, 1].map((scale) =>
      shapedWindows(60, atScale(scale), parts, () => parts),
    );
    const windows = [...(fine ?? []), ...(coarser ?? []).slice(12), ...(coarse ?? []).slice(12)];
    const state = judgeEach(latencyJudge, latencyRule, windows);
    expect(state.unusableWindows).toBe(2);
    expect(boundariesIn(state)).toHaveLength(5);
    expect(yieldOf(state)).toBe('promoted');
  });
});

describe('tails beside those at quantiles are asked only where they can be shown in time', () => {
  /** A warm-up of 200 requests a second, of which one in two hundred takes thirty times as long. */
  const seen = counted([0, 9_940], [80, 60]);
  const edges = [0, 1];
  const [cut] = edges.map((edge) =>
    cutOf({ shape: 'exponential', scale: 4, edge: edge + 1 }, latencyRule),
  );
  const asked = (canaryRequests: number, phi: number): number =>
    cut === undefined
      ? 0
      : boundariesAboutGaps(latencyRule, cut, edges, seen, { canaryRequests, phi }).length;

  test.each([
    ['as many requests of the canary', 10_000, 1, true],
    ['a twentieth of them, as a canary of five percent has', 500, 1, false],
    ['as many that scatter a hundred times as much', 10_000, 100, false],
    ['none of the canary', 0, 1, false],
  ])('%s', (_, canaryRequests, phi, isAskedMore) => {
    expect(asked(canaryRequests, phi) > 0).toBe(isAskedMore);
  });
});

test('a gap is found between buckets as fine as they may be', () => {
  const seen = atScale(20)([...Array<number>(900).fill(0.001), ...Array<number>(100).fill(0.002)]);
  const boundary: Boundary = { shape: 'exponential', scale: 20, edge: Math.floor(-9.5 * 2 ** 20) };
  const cut = cutOf(boundary, latencyRule);
  expect(isAskedByShares(latencyRule, cut, edgeOf(boundary), seen)).toBe(true);
});
