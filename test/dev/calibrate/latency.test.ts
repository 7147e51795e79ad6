import { describe, expect, test } from 'vitest';

import { countAbove } from '../../../services/core/canary/windows/durations.ts';
import {
  medianSeconds,
  openLatencySource,
  plainLatency,
  quantileSeconds,
  scale,
} from '../../../services/dev/calibrate/latency.ts';
import type { Histogram, LatencyShape } from '../../../services/dev/calibrate/latency.ts';
import { randomOf } from '../../../services/dev/calibrate/random.ts';
import { truths } from '../../../services/dev/calibrate/truths.ts';

const MEAN = 100_000;

const drawn = (shape: LatencyShape, slowdown: number, mean = MEAN): Histogram =>
  openLatencySource()(randomOf(1, 'latency', 0), shape, mean, slowdown).latency;

const quantile = ({ counts, offset }: Histogram, share: number): number =>
  quantileSeconds(counts, offset, share);

describe('drawn durations', () => {
  test('are log-normal about 120 ms', () => {
    const plain = drawn(plainLatency, 1);
    expect(quantile(plain, 0.5) / medianSeconds).toBeCloseTo(1, 1);
    expect(quantile(plain, 0.95) / (medianSeconds * Math.exp(1.6449 * 0.8))).toBeCloseTo(1, 1);
  });

  test('add up to the requests', () => {
    const { requests, latency } = openLatencySource()(
      randomOf(1, 'latency', 0),
      plainLatency,
      250,
      1,
    );
    expect(latency.counts.reduce((sum, count) => sum + count, 0)).toBe(requests);
    expect(countAbove(latency, { shape: 'exponential', scale, edge: -100 })).toBe(requests);
  });

  test('twice as slow lie sixteen buckets higher, bucket for bucket', () => {
    const plain = drawn(plainLatency, 1);
    expect(drawn(plainLatency, 2)).toEqual({ ...plain, offset: plain.offset + 16 });
  });

  test.each([1.1, 1.25])('%d times slower are so at every quantile', (slowdown) => {
    const slower = drawn(plainLatency, slowdown);
    const plain = drawn(plainLatency, 1);
    for (const share of [0.1, 0.5, 0.9]) {
      expect(
        Math.abs(quantile(slower, share) / quantile(plain, share) / slowdown - 1),
      ).toBeLessThan(0.02);
    }
  });

  test.each([
    { name: 'tail +25 %', rise: 1.25 },
    { name: 'tail +100 %', rise: 2 },
  ])('$name: the 95th percentile rises so much, the median hardly', ({ name, rise }) => {
    const shape = truths.find((truth) => truth.name === name)?.latency ?? plainLatency;
    const slower = drawn(shape, 1);
    const plain = drawn(plainLatency, 1);
    expect(Math.abs(quantile(slower, 0.95) / quantile(plain, 0.95) / rise - 1)).toBeLessThan(0.03);
    expect(quantile(slower, 0.5) / quantile(plain, 0.5)).toBeLessThan(1.13);
  });

  test('are as many where few requests are drawn one by one', () => {
    const source = openLatencySource();
    const random = randomOf(2, 'latency', 0);
    let requests = 0;
    let slow = 0;
    for (let window = 0; window < 4_000; window += 1) {
      const few = source(random, plainLatency, 5, 1);
      requests += few.requests;
      slow += countAbove(few.latency, { shape: 'exponential', scale, edge: -32 }) ?? 0;
    }
    expect(Math.abs(requests / 4_000 - 5)).toBeLessThan(0.15);
    // Edge -32 is 250 ms: 18 % of the requests are slower.
    expect(Math.abs(slow / requests - 0.1795)).toBeLessThan(0.012);
  });
});
