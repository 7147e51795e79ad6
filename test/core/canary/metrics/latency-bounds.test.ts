import { describe, expect, test } from 'vitest';
import { logRollbackIn } from '../../../../services/core/canary/judge/metric-judge.ts';
import { initialOne } from '../../../../services/dev/canary-climates/one-metric.ts';
import {
  boundariesIn,
  latencyJudge,
  noBoundIn,
} from '../../../../services/core/canary/metrics/latency.ts';
import type { LatencyRule } from '../../../../services/core/canary/metrics/latency.ts';
import { timesShown } from '../../../../services/core/canary/metrics/latency-tail.ts';
import { advisedBounds } from '../../../../services/dev/canary-climates/durations.ts';
import { latencyRule } from '../../../support/canary/metric-windows.ts';
import {
  advised,
  after,
  atScale,
  baselineRequests,
  between,
  mixOf,
  yieldOf,
} from '../../../support/canary/shaped-durations.ts';
import type { Buckets, Parts, Yields } from '../../../support/canary/shaped-durations.ts';

// Buckets show that a canary is slower only where a bound lies near its durations. Where none does, everything passes the
// bounds that there are, and that is no evidence.

const usual = mixOf('120ms ±0.8');
const milliseconds = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];
const ten = mixOf('1ms ±0.5');

/** Below 10 ms but for a few, and none of them near a quantile that is looked at. */
const fastShapes: readonly Parts[] = [
  mixOf('3.3ms ±0.3'),
  mixOf('3.5ms ±0.3'),
  mixOf('4ms ±0.3'),
  mixOf('4.2ms ±0.2'),
  mixOf('4.5ms ±0.1'),
  mixOf('90% 1ms ±0.3, 10% 7ms ±0.1'),
];
/** Of the client libraries of Prometheus, in seconds. */
const prometheus = between(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10);

const shapes: readonly (readonly [string, Buckets, Parts, Yields])[] = [
  ['advised bounds about usual durations', advised, usual, 'promoted'],
  ['bounds a decade apart', between(0.001, 0.01, 0.1, 1, 10), usual, 'no-bound'],
  ['bounds five times apart', between(0.008, 0.04, 0.2, 1, 5), usual, 'promoted'],
  ['four bounds, the durations among them', between(0.1, 0.3, 1.2, 5), usual, 'promoted'],
  ['durations of little spread across a bound', advised, mixOf('35ms ±0.3'), 'promoted'],
  ['one in six of them slow', advised, mixOf('84% 1ms ±0.3, 16% 30ms ±0.5'), 'promoted'],
  ['bounds for milliseconds, and values in seconds', between(...milliseconds), usual, 'no-bound'],
  ['bounds of 5 and 10 s alone', between(5, 10), usual, 'no-bound'],
  ['a bound far below and one far above', between(0.001, 10), usual, 'no-bound'],
  ['nearly all in the open bucket', advised, mixOf('40000ms ±0.5'), 'no-bound'],
  ['all durations in one bucket', advised, mixOf('35ms'), 'no-bound'],
  [
    'nearly all below the lowest bound',
    between(0.5, 1, 2.5),
    mixOf('99% 50ms ±0.3, 1% 800ms ±0.3'),
    'no-bound',
  ],
  [
    'hits fast, misses in one wide bucket',
    between(0.005, 0.1, 10),
    mixOf('70% 1ms ±0.3, 30% 400ms ±0.3'),
    'no-bound',
  ],
  [
    'hits and misses, and no bound inside of either',
    advised,
    mixOf('50% 0.5ms ±0.2, 50% 30ms ±0.1'),
    'no-bound',
  ],
  [
    'a third that is slow, and no bound inside of it',
    advised,
    mixOf('10% 5ms ±0.2, 54% 18ms ±1.2, 36% 600ms ±0.05'),
    'no-bound',
  ],
  ['a half beyond the highest bound', advised, mixOf('12000ms ±0.8'), 'no-bound'],
  ['all faster than the lowest bound, which is 5 ms', advised, ten, 'promoted'],
  ['the same with a bound of 0', between(0, ...advisedBounds), ten, 'promoted'],
  ['all faster than the lowest bound, which is 100 ms', between(0.1, 1), ten, 'no-bound'],
  ['coarse exponential buckets about usual durations', atScale(0), usual, 'promoted'],
  ['all in one coarse exponential bucket', atScale(-3), mixOf('20ms ±0.3'), 'no-bound'],
  ['all in one exponential bucket that is fine', atScale(4), mixOf('35ms'), 'promoted'],
];

describe('a canary that is as fast as its baseline', () => {
  test.each(shapes)('given %s', (_shape, buckets, parts, yields) => {
    expect(yieldOf(after(buckets, parts, 1))).toBe(yields);
  });
});

describe('a canary that takes longer is not promoted, whatever the buckets', () => {
  test.each(
    shapes.flatMap(([shape, ...rest]) =>
      [1.5, 2, 3].map((times) => [times, shape, ...rest] as const),
    ),
  )('%s times as long, given %s', (times, _shape, buckets, parts) => {
    // Where all is below 10 ms it is fine by the rule's own word.
    const isFine = parts === ten && yieldOf(after(buckets, ten, 1)) === 'promoted';
    expect(yieldOf(after(buckets, parts, isFine ? 10 * times : times))).not.toBe('promoted');
  });
});

describe.each([
  ['of the SDKs', advised],
  ['of Prometheus', prometheus],
])('a fast service by bounds %s', (_bounds, buckets) => {
  test.each(fastShapes)('is promoted, given %j, %j', (...parts) => {
    expect(yieldOf(after(buckets, parts, 1))).toBe('promoted');
  });

  test.each(fastShapes)('is not where it is no longer fast, given %j, %j', (...parts) => {
    for (const times of [2.5, 4, 20])
      expect(yieldOf(after(buckets, parts, times))).toBe('unproven');
  });

  test.each(fastShapes)('stakes nothing more, given %j, %j', (...parts) => {
    const blind: LatencyRule = { ...latencyRule, fineBelowMs: 0 };
    for (const times of [1, 1.3, 4])
      expect(logRollbackIn(after(buckets, parts, times))).toBe(
        logRollbackIn(after(buckets, parts, times, blind)),
      );
  });
});

describe('what is fine by itself', () => {
  const fast = mixOf('20ms ±0.3');
  const buckets = between(0.1, 1);

  test.each([10, 25, 60, 100, 1000])('is a tail of its own: below %d ms', (fineBelowMs) => {
    const rule: LatencyRule = { ...latencyRule, fineBelowMs };
    const parts = mixOf('50ms ±0.1');
    const yields = fineBelowMs < 100 ? 'no-bound' : 'promoted';
    expect(yieldOf(after(advised, parts, 1, rule), rule)).toBe(yields);
  });

  test('may become slower below that', () => {
    const parts = mixOf('2.5ms ±0.3');
    expect(yieldOf(after(advised, parts, 1.5))).toBe('promoted');
    const state = after(advised, parts, 1.5);
    expect(latencyJudge.explain(latencyRule, state).tails).toMatchObject([
      { boundaryMs: 5, rollbackEvidence: expect.any(Number) as number },
      { boundaryMs: 10, rollbackEvidence: 0 },
    ]);
  });

  test('is a bound of 70 ms where 70 ms are fine, whatever 1000 times 0.07 is', () => {
    const rule: LatencyRule = { ...latencyRule, fineBelowMs: 70 };
    expect(yieldOf(after(between(0.07, 1), mixOf('20ms ±0.1'), 1, rule), rule)).toBe('promoted');
  });

  test('is told by coarse exponential buckets as well', () => {
    const rule: LatencyRule = { ...latencyRule, fineBelowMs: 100 };
    expect(yieldOf(after(atScale(-2), fast, 1, rule), rule)).toBe('promoted');
    expect(yieldOf(after(atScale(-2), fast, 60, rule), rule)).toBe('unproven');
  });

  test('passes a bound that the policy calls fast', () => {
    const rule: LatencyRule = { ...latencyRule, fineBelowMs: 100 };
    expect(yieldOf(after(buckets, fast, 1))).toBe('no-bound');
    expect(yieldOf(after(buckets, fast, 1, rule), rule)).toBe('promoted');
    expect(yieldOf(after(buckets, fast, 2, rule), rule)).toBe('promoted');
    expect(yieldOf(after(buckets, fast, 6, rule), rule)).toBe('unproven');
  });

  test('is nothing where the policy says 0', () => {
    const rule: LatencyRule = { ...latencyRule, fineBelowMs: 0 };
    expect(yieldOf(after(advised, ten, 1, rule), rule)).toBe('no-bound');
  });
});

describe('bounds that changed with the release', () => {
  test('show nothing where the only ones in common are far off', () => {
    const [old, fresh] = [between(0.05, 0.1, 0.25, 5, 10), between(0.06, 0.12, 0.24, 5, 10)];
    for (const times of [1, 2, 4])
      expect(yieldOf(after(old, usual, times, latencyRule, fresh))).toBe('no-bound');
  });

  test('show it by one that both have, with what the baseline has below it', () => {
    const [old, fresh] = [between(0.05, 0.1, 0.25, 5), between(0.25, 5)];
    expect(yieldOf(after(old, usual, 1, latencyRule, fresh))).toBe('promoted');
    expect(yieldOf(after(old, usual, 1.5, latencyRule, fresh))).toBe('unproven');
  });
});

describe('what is told', () => {
  test('is the bound that is nearest, and what of the baseline is beyond it', () => {
    const state = after(between(...milliseconds), usual, 1);
    const { noBound } = latencyJudge.explain(latencyRule, state);
    expect(noBound).toEqual({
      boundaryMs: 5_000,
      baseline: { total: baselineRequests, events: 0 },
    });
  });

  test('is nothing before the first window that is judged', () => {
    expect(noBoundIn(latencyRule, initialOne(latencyJudge, latencyRule))).toBeNull();
  });
});

test('what is near is what is sure to be beyond the bound at so many times the duration', () => {
  // At 20 and 100 ms: all are beyond the bound below 90 ms, and that counts where it is at a fifth of it.
  const parts = mixOf('85% 20ms, 15% 100ms');
  expect(timesShown).toBe(5);
  expect(yieldOf(after(between(0.018, 0.09), parts, 1))).toBe('promoted');
  expect(yieldOf(after(between(0.0179, 0.09), parts, 1))).toBe('no-bound');
});

test('where one bucket holds nearly all, the middle is cut at its upper bound', () => {
  const state = after(advised, mixOf('35ms'), 1);
  expect(boundariesIn(state)).toEqual([{ shape: 'explicit', seconds: 0.05 }]);
  const slower = after(advised, mixOf('35ms'), 1.5);
  expect(logRollbackIn(slower)).toBeGreaterThan(Math.log(200 / 0.35));
});
