import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PendingPoint } from '../../../../services/core/canary/windows/cohort-windows.ts';
import { takeWindow } from '../../../../services/core/canary/windows/cohort-windows.ts';
import type { Durations } from '../../../../services/core/canary/windows/durations.ts';
import type { MetricWindow } from '../../../../services/core/canary/judge/judged-window.ts';
import { noBases } from '../../../../services/core/canary/windows/stream-bases.ts';
import type { Bases } from '../../../../services/core/canary/windows/stream-bases.ts';
import {
  exponential,
  explicit,
  level,
  metrics,
  openedAtMs,
  requests,
  windowMs,
} from '../../../support/canary/pending-points.ts';

const few = fc.nat({ max: 3 });
const anyDurations: fc.Arbitrary<Durations | null> = fc.oneof(
  fc.constant(null),
  fc.tuple(few, few, few).map(([fast, usual, slow]) => explicit(fast, usual, slow)),
  fc
    .tuple(few, few, few)
    .map((counts): Durations => ({ shape: 'explicit', bounds: [0.2, 0.5], counts })),
  fc
    .tuple(fc.integer({ min: 2, max: 4 }), fc.integer({ min: -9, max: 9 }), fc.array(few), few)
    .map(([scale, offset, counts, zeroCount]) => exponential(scale, offset, counts, zeroCount)),
  // Beyond what a request can take.
  few.map((count) => exponential(3, 130 + 10 * count, [count, count])),
  fc
    .tuple(fc.integer({ min: -9, max: 9 }), fc.array(few))
    .map(([offset, counts]): Durations => ({ ...exponential(3, offset, counts), unit: 'ms' })),
);

const none = Array<undefined>(12).fill(undefined);

/** What one series always is, as its digest says. */
const seriesOf = (index: number, isLevel: boolean): Partial<PendingPoint> => ({
  cohort: index % 2 === 0 ? 'canary' : 'baseline',
  // Of every third several may be the senders.
  series: `${index % 3 === 0 ? '0' : 'f'} series ${index}`,
  instance: index % 5 === 0 ? null : `pod ${index % 7}`,
  sender: `pod ${index % 7}`,
  ...(isLevel
    ? { unit: index % 3 === 0 ? '%' : '1' }
    : { name: index % 4 === 0 ? 'http.server.duration' : 'http.server.request.duration' }),
});

const anyRequests: fc.Arbitrary<PendingPoint> = fc
  .record({
    index: fc.nat({ max: 12 }),
    temporality: fc.constantFrom('delta' as const, 'cumulative' as const),
    startMs: fc
      .constantFrom(-9_000, -8_999, -8_996, 0, 1, 300, -openedAtMs)
      .map((ms) => openedAtMs + ms),
    timeMs: fc.integer({ min: 300, max: 4_999 }).map((ms) => openedAtMs + ms),
    extra: fc.constantFrom(0, 0, 0, 0, 5_000_000, 600_000_000),
    failed: fc.boolean(),
    durations: anyDurations,
    refused: fc.constantFrom(...none, 'count-invalid' as const, 'bounds-invalid' as const),
  })
  .map(({ index, extra, failed, durations, refused, ...point }) => {
    if (refused !== undefined) return { ...requests(point), ...seriesOf(index, false), refused };
    const inBuckets = durations === null ? 3 : totalOf(durations);
    const count = inBuckets + (durations === null ? extra : 0);
    return requests({
      ...seriesOf(index, false),
      ...point,
      count,
      errors: failed ? count : 0,
      durations,
    });
  });
const totalOf = (durations: Durations): number =>
  durations.counts.reduce(
    (sum, count) => sum + count,
    durations.shape === 'exponential' ? durations.zeroCount : 0,
  );
const anyLevel: fc.Arbitrary<PendingPoint> = fc
  .record({
    index: fc.nat({ max: 12 }),
    timeMs: fc.integer({ min: 300, max: 4_999 }).map((ms) => openedAtMs + ms),
    level: fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1e18, noNaN: true }),
    ),
  })
  .map(({ index, ...point }) => level({ ...seriesOf(index, true), ...point }));
const anyPoints = fc.array(fc.oneof({ weight: 4, arbitrary: anyRequests }, anyLevel), {
  maxLength: 30,
});

/** Windows one after the other; between them everything goes through JSON, as through a snapshot. */
const taken = (windows: readonly (readonly PendingPoint[])[]): string => {
  let bases: Bases = noBases;
  const texts = windows.map((points) => {
    const took = takeWindow(metrics, bases, points, openedAtMs);
    bases = JSON.parse(JSON.stringify(took.bases)) as Bases;
    return JSON.stringify(took);
  });
  return texts.join('\n');
};
const later = (points: readonly PendingPoint[]): readonly PendingPoint[] =>
  points.map((point) => ({ ...point, timeMs: point.timeMs + windowMs }));

test('neither the order of the points inside a window nor a way through JSON makes a difference', () => {
  const shuffled = anyPoints.chain((points) =>
    fc.tuple(
      fc.constant(points),
      fc.shuffledSubarray([...points], { minLength: points.length, maxLength: points.length }),
    ),
  );
  fc.assert(
    fc.property(shuffled, shuffled, ([first, firstAnew], [second, secondAnew]) => {
      const plain = taken([first, later(second)]);
      const anew = JSON.parse(JSON.stringify([firstAnew, later(secondAnew)])) as PendingPoint[][];
      expect(taken(anew)).toBe(plain);
    }),
    { numRuns: 500 },
  );
});

test('points that come twice change nothing but how many came twice', () => {
  fc.assert(
    fc.property(anyPoints, fc.array(fc.nat()), (points, again) => {
      const twice = [...points, ...again.flatMap((at) => points[at % points.length] ?? [])];
      const [once, more] = [points, twice].map((window) => {
        const { excluded, ...rest } = takeWindow(metrics, noBases, window, openedAtMs);
        return { rest, excluded: { ...excluded, duplicate: 0 } };
      });
      expect(more).toStrictEqual(once);
    }),
    { numRuns: 300 },
  );
});

test('swapped cohorts show the same the other way round, but for units that nobody shares', () => {
  fc.assert(
    fc.property(anyPoints, (points) => {
      const inOneUnit = points.map((point) =>
        point.temporality === null ? { ...point, unit: '1' } : point,
      );
      const swapped = inOneUnit.map((point) => ({
        ...point,
        cohort: point.cohort === 'canary' ? ('baseline' as const) : ('canary' as const),
      }));
      const straight = takeWindow(metrics, noBases, inOneUnit, openedAtMs);
      const turned = takeWindow(metrics, noBases, swapped, openedAtMs);
      expect(
        turned.metrics.map(({ canary, baseline, ...rest }) => ({
          ...rest,
          canary: baseline,
          baseline: canary,
        })),
      ).toStrictEqual(straight.metrics);
      expect(turned.excluded).toStrictEqual(straight.excluded);
    }),
    { numRuns: 300 },
  );
});

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const isUsable = (values: MetricWindow['canary']): boolean => {
  if (values === null) return true;
  if (typeof values === 'number') return isCount(values);
  if ('mean' in values) return values.mean >= 0 && values.mean <= 1e18 && values.series > 0;
  if ('counts' in values) return values.counts.every(isCount);
  return isCount(values.total) && isCount(values.events) && values.events <= values.total;
};

test('what is shown is always something that the judge can take', () => {
  fc.assert(
    fc.property(anyPoints, anyPoints, (first, second) => {
      const { bases } = takeWindow(metrics, noBases, first, openedAtMs);
      const { metrics: shown } = takeWindow(metrics, bases, later(second), openedAtMs);
      for (const { canary, baseline } of shown)
        expect([canary, baseline].every(isUsable)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('windows of cumulative streams add up to what the streams counted, however they are cut', () => {
  const step = fc.tuple(few, few, few);
  const stream = fc.record({
    already: step,
    steps: fc.array(fc.record({ step, everyMs: fc.integer({ min: 1, max: 4_000 }) }), {
      minLength: 1,
      maxLength: 12,
    }),
  });
  fc.assert(
    fc.property(fc.array(stream, { minLength: 1, maxLength: 4 }), (streams) => {
      const points: PendingPoint[] = [];
      const expected = [0, 0, 0];
      for (const [index, { already, steps }] of streams.entries()) {
        const counts = [...already];
        let timeMs = openedAtMs;
        for (const [at, { step: more, everyMs }] of steps.entries()) {
          timeMs += everyMs;
          for (const bucket of [0, 1, 2]) {
            counts[bucket] = (counts[bucket] ?? 0) + (more[bucket] ?? 0);
            // The first value is only the base.
            if (at > 0) expected[bucket] = (expected[bucket] ?? 0) + (more[bucket] ?? 0);
          }
          const [fast = 0, usual = 0, slow = 0] = counts;
          const durations = explicit(fast, usual, slow);
          points.push(
            requests({
              ...{ series: `s${index}`, sender: `s${index}`, instance: `s${index}` },
              ...{ temporality: 'cumulative', startMs: openedAtMs - 1, timeMs },
              ...{ count: totalOf(durations), durations },
            }),
          );
        }
      }
      const windows = Map.groupBy(points, ({ timeMs }) =>
        Math.floor((timeMs - openedAtMs) / windowMs),
      );
      let bases = noBases;
      const sums = [0, 0, 0];
      for (const index of [...windows.keys()].toSorted((left, right) => left - right)) {
        const took = takeWindow(metrics, bases, windows.get(index) ?? [], openedAtMs);
        bases = took.bases;
        const [, latency] = took.metrics;
        if (latency?.judged !== 'latency' || latency.canary === null) continue;
        for (const bucket of [0, 1, 2])
          sums[bucket] = (sums[bucket] ?? 0) + (latency.canary.counts[bucket] ?? 0);
      }
      expect(sums).toStrictEqual(expected);
    }),
    { numRuns: 200 },
  );
});
