import { describe, expect, test } from 'vitest';
import type {
  PendingPoint,
  WindowTaken,
} from '../../../../services/core/canary/windows/cohort-windows.ts';
import {
  noWindowExclusions,
  pendingPointOf,
  takeWindow,
} from '../../../../services/core/canary/windows/cohort-windows.ts';
import type { Durations } from '../../../../services/core/canary/windows/durations.ts';
import type { MetricWindow } from '../../../../services/core/canary/judge/judged-window.ts';
import { judgedAs } from '../../../../services/core/canary/windows/judged-as.ts';
import { noBases } from '../../../../services/core/canary/windows/stream-bases.ts';
import type { Bases } from '../../../../services/core/canary/windows/stream-bases.ts';
import { waitingFrom } from '../../../../services/core/canary/windows/waiting-durations.ts';
import {
  cpu,
  exponential,
  explicit,
  httpDuration,
  level,
  metrics,
  openedAtMs,
  requests,
  windowMs,
} from '../../../support/canary/pending-points.ts';
import type { GivenPoint } from '../../../support/canary/pending-points.ts';

const take = (points: readonly PendingPoint[], before: Bases = noBases): WindowTaken =>
  takeWindow(metrics, before, points, openedAtMs);

type Shown = {
  readonly [Judged in MetricWindow['judged']]: Extract<MetricWindow, { readonly judged: Judged }>;
};
/** What one window shows of each metric. */
const shown = (taken: WindowTaken): Shown =>
  Object.fromEntries(taken.metrics.map((metric) => [metric.judged, metric])) as Shown;
/** Reasons that are not 0. */
const excluded = (taken: WindowTaken): object =>
  Object.fromEntries(Object.entries(taken.excluded).filter(([, count]) => count > 0));

test('a window without points shows nothing of any metric', () => {
  const taken = take([]);
  expect(taken.metrics).toStrictEqual(
    ['errors', 'latency', 'level', 'traffic'].map((judged) => ({
      judged,
      canary: null,
      baseline: null,
    })),
  );
  expect(taken.excluded).toStrictEqual(noWindowExclusions);
});

describe('deltas', () => {
  test('add up by cohort: requests, errors, durations, traffic', () => {
    const taken = take([
      requests({ series: 'a', count: 10, durations: explicit(4, 6, 0) }),
      requests({ series: 'b', count: 2, errors: 2, durations: explicit(0, 0, 2) }),
      requests({ cohort: 'baseline', series: 'c', count: 5, durations: explicit(5, 0, 0) }),
    ]);
    const { errors, latency, traffic } = shown(taken);
    expect(errors.canary).toStrictEqual({ total: 12, events: 2 });
    expect(errors.baseline).toStrictEqual({ total: 5, events: 0 });
    expect(latency.canary).toStrictEqual(explicit(4, 6, 2));
    expect(latency.baseline).toStrictEqual(explicit(5, 0, 0));
    expect([traffic.canary, traffic.baseline]).toStrictEqual([12, 5]);
  });

  test('that began before the opening are left out', () => {
    const taken = take([requests({ startMs: openedAtMs - 1, count: 10 })]);
    expect(shown(taken).errors.canary).toBeNull();
    expect(excluded(taken)).toStrictEqual({ 'before-opening': 1 });
  });
});

const totalOf = (durations: Durations | null | undefined): number =>
  durations?.counts.reduce((sum, count) => sum + count, 0) ?? 0;

describe('cumulative values', () => {
  const running = (
    timeMs: number,
    durations: Durations,
    change: Partial<GivenPoint> = {},
  ): PendingPoint => {
    const count = durations.counts.reduce(
      (sum, more) => sum + more,
      durations.shape === 'exponential' ? durations.zeroCount : 0,
    );
    return requests({
      temporality: 'cumulative',
      startMs: openedAtMs - 60_000,
      timeMs: openedAtMs + timeMs,
      count,
      durations,
      ...change,
    });
  };
  /** What the last of some windows shows. */
  const after = (...windows: readonly (readonly PendingPoint[])[]): WindowTaken => {
    let taken = take([]);
    for (const points of windows) taken = take(points, JSON.parse(JSON.stringify(taken.bases)));
    return taken;
  };

  test('of a stream that began before the opening are only a base at first', () => {
    const taken = take([running(1_000, explicit(100, 50, 7))]);
    expect(shown(taken).errors.canary).toBeNull();
    expect(excluded(taken)).toStrictEqual({ 'before-opening': 1 });
  });

  test('count from the one before, bucket by bucket, across windows and within one', () => {
    const taken = after(
      [running(1_000, explicit(100, 50, 7))],
      [running(6_000, explicit(103, 50, 8)), running(8_000, explicit(103, 51, 8))],
    );
    expect(shown(taken).errors.canary).toStrictEqual({ total: 5, events: 0 });
    expect(shown(taken).latency.canary).toStrictEqual(explicit(3, 1, 1));
    expect(excluded(taken)).toStrictEqual({});
  });

  test('that stand still are a cohort that reported no request', () => {
    const taken = after(
      [running(1_000, explicit(100, 50, 7))],
      [running(6_000, explicit(100, 50, 7))],
    );
    expect(shown(taken).errors.canary).toStrictEqual({ total: 0, events: 0 });
    expect(shown(taken).traffic.canary).toBe(0);
  });

  test('count from zero after a count that fell', () => {
    const startMs = openedAtMs + 500;
    const taken = after(
      [running(1_000, explicit(100, 50, 7), { startMs })],
      [running(6_000, explicit(3, 0, 1), { startMs })],
    );
    expect(shown(taken).latency.canary).toStrictEqual(explicit(3, 0, 1));
  });

  test('of which a bucket fell, though the count has passed what it was, may be of another: nothing passes', () => {
    const startMs = openedAtMs + 500;
    const windows = [
      [running(1_000, explicit(100, 50, 7), { startMs })],
      [running(6_000, explicit(0, 200, 1), { startMs })],
    ] as const;
    const taken = after(...windows);
    expect(shown(taken).errors.canary).toBeNull();
    expect(excluded(taken)).toStrictEqual({ 'start-shared': 1 });
    expect(taken.isUnheard).toBe(true);
    const next = after(...windows, [running(11_000, explicit(2, 203, 1), { startMs })]);
    expect(shown(next).latency.canary).toStrictEqual(explicit(2, 3, 0));
    expect(next.isUnheard).toBe(false);
  });

  test('that fell in a stream that began before the opening count from zero if they can be of since', () => {
    const before = [
      [running(1_000, explicit(100, 50, 7))],
      [running(6_000, explicit(104, 50, 7))],
    ] as const;
    const fewer = after(...before, [running(11_000, explicit(3, 0, 1))]);
    expect(shown(fewer).latency.canary).toStrictEqual(explicit(3, 0, 1));
    const asMany = after(...before, [running(11_000, explicit(40, 20, 3))]);
    expect(shown(asMany).latency.canary).toBeNull();
    expect(excluded(asMany)).toStrictEqual({ 'before-opening': 1 });
  });

  test('of a stream that began with its first value are only a base at first', () => {
    const startMs = openedAtMs + 1_000;
    const first = running(1_000, explicit(100, 50, 7), { startMs });
    expect(shown(take([first])).errors.canary).toBeNull();
    const taken = after([first], [running(6_000, explicit(103, 50, 7), { startMs })]);
    expect(shown(taken).errors.canary).toStrictEqual({ total: 3, events: 0 });
  });

  describe('of a series that began with others before the opening', () => {
    const family = 'f'.repeat(32);
    const fine = (timeMs: number, fast: number): PendingPoint =>
      running(timeMs, explicit(fast, 0, 0), { series: `${family} fine` });
    const failed = (timeMs: number, slow: number): PendingPoint =>
      running(timeMs, explicit(0, 0, slow), { series: `${family} failed`, errors: slow });

    test('count from zero where two exports before did not have it', () => {
      const taken = after(
        [fine(1_000, 100)],
        [fine(6_000, 120)],
        [fine(11_000, 140), failed(11_000, 2)],
      );
      expect(shown(taken).errors.canary).toStrictEqual({ total: 22, events: 2 });
      expect(excluded(taken)).toStrictEqual({});
    });

    test('are only a base where one export alone did not have it', () => {
      const taken = after([fine(1_000, 100)], [fine(6_000, 120), failed(6_000, 2)]);
      expect(shown(taken).errors.canary).toStrictEqual({ total: 20, events: 0 });
    });

    test('are only a base where they are more than all the others counted since', () => {
      const taken = after(
        [fine(1_000, 100)],
        [fine(6_000, 120)],
        [fine(11_000, 140), failed(11_000, 41)],
      );
      expect(shown(taken).errors.canary).toStrictEqual({ total: 20, events: 0 });
      expect(excluded(taken)).toStrictEqual({ 'before-opening': 1 });
    });

    test('of another sender say nothing of it', () => {
      const taken = after(
        [fine(1_000, 100)],
        [fine(6_000, 120)],
        [running(11_000, explicit(0, 0, 2), { series: `${'g'.repeat(32)} failed` })],
      );
      expect(shown(taken).errors.canary).toBeNull();
    });
  });

  test('count from zero in a new stream that began after the opening', () => {
    const startMs = openedAtMs + 2_000;
    const taken = after(
      [running(1_000, explicit(100, 50, 7))],
      [running(6_000, explicit(3, 0, 1), { startMs })],
    );
    expect(shown(taken).errors.canary).toStrictEqual({ total: 4, events: 0 });
  });

  test('of other bounds are requests without durations: the buckets may be older than the opening', () => {
    const other: Durations = { shape: 'explicit', bounds: [0.2, 0.5], counts: [90, 70, 9] };
    const taken = after([running(1_000, explicit(100, 50, 7))], [running(6_000, other)]);
    expect(shown(taken).errors.canary).toStrictEqual({ total: 12, events: 0 });
    expect(shown(taken).latency.canary).toBeNull();
    const next = after(
      [running(1_000, explicit(100, 50, 7))],
      [running(6_000, other)],
      [running(11_000, { ...other, counts: [91, 70, 9] })],
    );
    expect(shown(next).latency.canary).toStrictEqual({ ...other, counts: [1, 0, 0] });
  });

  test('of an exponential histogram may come at a lower scale', () => {
    const taken = after(
      [running(1_000, exponential(4, -8, [2, 3, 0, 5], 1))],
      [running(6_000, exponential(3, -4, [5, 6, 2], 3))],
    );
    expect(shown(taken).latency.canary).toStrictEqual(exponential(3, -3, [1, 2], 2));
  });

  test('of an exponential histogram may begin lower down than before', () => {
    const taken = after(
      [running(1_000, exponential(3, -4, [2, 3]))],
      [running(6_000, exponential(3, -6, [1, 0, 2, 4, 1]))],
    );
    expect(shown(taken).latency.canary).toStrictEqual(exponential(3, -6, [1, 0, 0, 1, 1]));
  });

  test.each([
    ['on the grid of another unit', { ...exponential(3, -4, [9, 9]), unit: 'ms' } as const],
    ['at a higher scale', exponential(4, -8, [9, 9])],
    ['of which a bucket fell, because zero may have widened', exponential(3, -4, [1, 17])],
  ])('of an exponential histogram %s are requests without durations', (_name, durations) => {
    const taken = after([running(1_000, exponential(3, -4, [2, 3]))], [running(6_000, durations)]);
    expect(shown(taken).errors.canary).toStrictEqual({ total: 13, events: 0 });
    expect(shown(taken).latency.canary).toBeNull();
  });

  test('leave the bases before as they were', () => {
    const first = take([running(1_000, explicit(100, 50, 7))]);
    const text = JSON.stringify(first.bases);
    take([running(6_000, explicit(103, 50, 7))], first.bases);
    expect(JSON.stringify(first.bases)).toBe(text);
  });

  test('of streams beyond 20,000 are left out, and what the others come to says nothing', () => {
    const crowd = Array.from({ length: 20_001 }, (_, index) =>
      running(1_000, explicit(1, 0, 0), { series: `series ${String(index).padStart(5, '0')}` }),
    );
    const first = take(crowd);
    expect(excluded(first)).toStrictEqual({ 'before-opening': 20_000, 'over-limit': 1 });
    const later = crowd.map((point) => ({
      ...point,
      timeMs: point.timeMs + windowMs,
      count: 2,
      durations: waitingFrom(explicit(2, 0, 0)),
    }));
    const second = take(later, first.bases);
    expect(excluded(second)).toStrictEqual({ 'over-limit': 1 });
    expect(shown(second).errors.canary).toBeNull();
    expect(second.isUnheard).toBe(true);
    const without = take(later.slice(0, -1), first.bases);
    expect(shown(without).errors.canary).toStrictEqual({ total: 20_000, events: 0 });
  });

  test('need little room: bounds are kept once, and no bucket that is empty', () => {
    const bounds = Array.from({ length: 14 }, (_, index) => index + 0.005);
    const counts = bounds.map(() => 0).concat(0);
    counts[5] = 1;
    const points = Array.from({ length: 1_000 }, (_, index) =>
      running(1_000, { shape: 'explicit', bounds, counts }, { series: `${index}`.repeat(16) }),
    );
    const { bases } = take(points);
    expect(bases.layouts).toStrictEqual([bounds]);
    const perStream = JSON.stringify(bases.ofSeries).length / points.length;
    expect(perStream).toBeLessThan(200);
  });
});

describe('durations of several kinds', () => {
  const [seconds, milliseconds] = [
    exponential(3, -4, [1, 1]),
    { ...exponential(3, 70, [1, 1]), unit: 'ms' } as const,
  ];

  test('count as the kind that both cohorts have', () => {
    const taken = take([
      requests({ series: 'a', count: 2, durations: seconds }),
      requests({ series: 'b', count: 90, durations: explicit(90, 0, 0) }),
      requests({ cohort: 'baseline', series: 'c', count: 2, durations: seconds }),
      requests({ cohort: 'baseline', series: 'd', count: 2, durations: milliseconds }),
    ]);
    expect(shown(taken).latency).toMatchObject({ canary: seconds, baseline: seconds });
    expect(shown(taken).errors.canary).toStrictEqual({ total: 92, events: 0 });
    expect(excluded(taken)).toStrictEqual({ 'other-buckets': 2 });
  });

  test('of which both have several count as the one that both have most of', () => {
    const canary = [
      requests({ series: 'a', count: 2, durations: milliseconds }),
      requests({ series: 'b', count: 4, durations: exponential(3, -4, [2, 2]) }),
      requests({ series: 'c', count: 9, durations: explicit(9, 0, 0) }),
    ];
    const baseline = [
      requests({ series: 'd', count: 9, durations: { ...milliseconds, counts: [4, 5] } }),
      requests({ series: 'e', count: 5, durations: exponential(3, -4, [2, 3]) }),
      requests({ series: 'f', count: 1, durations: explicit(0, 1, 0) }),
    ].map((point) => ({ ...point, cohort: 'baseline' as const }));
    const taken = take([...canary, ...baseline]);
    expect(shown(taken).latency).toMatchObject({
      canary: exponential(3, -4, [2, 2]),
      baseline: exponential(3, -4, [2, 3]),
    });
    expect(excluded(taken)).toStrictEqual({ 'other-buckets': 4 });
  });

  test('that no two cohorts share are left to the judge, each as what it has most of', () => {
    const taken = take([
      requests({ series: 'a', count: 2, durations: milliseconds }),
      requests({ cohort: 'baseline', series: 'c', count: 2, durations: seconds }),
    ]);
    expect(shown(taken).latency).toMatchObject({ canary: milliseconds, baseline: seconds });
  });
});

describe('an absurd duration', () => {
  const fine = exponential(4, -60, [30, 50, 15, 4]);
  const fleet = (absurd: Durations): PendingPoint[] => [
    requests({ series: 'a', count: 99, durations: fine }),
    requests({ series: 'b', count: 99, durations: absurd }),
    requests({ cohort: 'baseline', series: 'c', count: 99, durations: fine }),
  ];
  /** The time in 1970 as a duration, which takes 1.7 thousand million seconds. */
  const absurdOf = (scale: number): Durations => {
    const [usual, most] = [-3.5, 30.7].map((power) => Math.floor(power * 2 ** scale));
    const counts = Array<number>((most ?? 0) - (usual ?? 0) + 1).fill(0);
    counts[0] = 98;
    counts[counts.length - 1] = 1;
    return exponential(scale, usual ?? 0, counts);
  };

  test.each([2, 3])('among buckets of scale %i is the longest plausible one', (scale) => {
    const taken = take(fleet(absurdOf(scale)));
    const { canary, baseline } = shown(taken).latency;
    expect(canary).toMatchObject({ shape: 'exponential', scale });
    expect(totalOf(canary)).toBe(198);
    expect(baseline).toStrictEqual(fine);
    expect(excluded(taken)).toStrictEqual({});
  });

  test.each([
    ['that widened all buckets of its server', absurdOf(1)],
    ['beyond any scale', exponential(-10, -1, [98, 1])],
  ])('%s makes nobody else coarser, and is counted', (_what, absurd) => {
    const taken = take(fleet(absurd));
    expect(shown(taken).latency).toMatchObject({ canary: fine, baseline: fine });
    expect(excluded(taken)).toStrictEqual({ implausible: 1 });
    // Its requests are counted all the same.
    expect(shown(taken).errors.canary).toStrictEqual({ total: 198, events: 0 });
    expect(shown(taken).traffic.canary).toBe(198);
  });

  test('that all servers of the canary have is not left out: it would hide what the version does', () => {
    const [, absurd, baseline] = fleet(absurdOf(1));
    const taken = take([absurd, baseline].flatMap((point) => point ?? []));
    expect(totalOf(shown(taken).latency.canary)).toBe(99);
    expect(excluded(taken)).toStrictEqual({});
  });

  test('in a sum makes it no coarser than scale 3, and leaves what is usual in its place', () => {
    const far = exponential(4, 0, [...Array<number>(700).fill(0), 1]);
    const taken = take(fleet(far));
    expect(shown(taken).latency.canary).toMatchObject({ scale: 3 });
    const near = exponential(4, -330, [1]);
    const { canary } = shown(
      take([...fleet(far), requests({ series: 'd', durations: near })]),
    ).latency;
    expect(canary).toMatchObject({ scale: 3 });
  });

  test('wide buckets of honest servers stay as they are', () => {
    // From a microsecond to an hour in 64 buckets.
    const wide = exponential(1, -40, Array<number>(63).fill(1));
    const taken = take(fleet(wide));
    expect(shown(taken).latency.canary).toMatchObject({ scale: 1 });
    expect(totalOf(shown(taken).latency.canary)).toBe(99 + 63);
    expect(excluded(taken)).toStrictEqual({});
  });

  test('a histogram without buckets has no say in how fine the others may be', () => {
    const taken = take(fleet(exponential(-10, 0, [], 5)));
    expect(shown(taken).latency.canary).toStrictEqual({ ...fine, zeroCount: 5 });
  });
});

describe('points that are there twice', () => {
  test('count once, and where two differ nobody knows which is true', () => {
    const point = requests({ count: 10, durations: explicit(10, 0, 0) });
    const larger = { ...point, count: 11, durations: waitingFrom(explicit(10, 1, 0)) };
    for (const points of [
      [point, larger, point],
      [larger, point, larger],
    ]) {
      const taken = take(points);
      expect(shown(taken).errors.canary).toBeNull();
      expect(shown(taken).latency.canary).toBeNull();
      expect(taken.isUnheard).toBe(true);
      expect(excluded(taken)).toStrictEqual({ duplicate: 2, 'start-shared': 1 });
    }
    const same = take([point, point, point]);
    expect(shown(same).errors.canary).toStrictEqual({ total: 10, events: 0 });
    expect(excluded(same)).toStrictEqual({ duplicate: 2 });
  });

  test('and tell other buckets count as one of them, whichever came first', () => {
    const point = requests({ count: 10, durations: explicit(10, 0, 0) });
    const other = { ...point, durations: waitingFrom(explicit(0, 10, 0)) };
    expect(take([point, other]).metrics).toStrictEqual(take([other, point]).metrics);
  });

  test('under an old and a new name of their metric count once a sender', () => {
    const old = { name: 'http.server.duration', unit: 'ms' };
    const taken = take([
      requests({ sender: 'pod 1', series: 'a', count: 10 }),
      requests({ ...old, sender: 'pod 1', series: 'b', count: 10 }),
      requests({ ...old, sender: 'pod 2', series: 'c', count: 7 }),
    ]);
    expect(shown(taken).errors.canary).toStrictEqual({ total: 17, events: 0 });
    expect(excluded(taken)).toStrictEqual({ 'older-name': 1 });
  });

  test('but not where only the old name tells of failures', () => {
    const old = { name: 'http.server.duration', unit: 'ms' };
    const both = (underOld: number, underNew: number): ReturnType<typeof take> =>
      take([
        requests({ sender: 'pod 1', series: 'a', count: 10, errors: underNew }),
        requests({ ...old, sender: 'pod 1', series: 'b', count: 10, errors: underOld }),
        requests({ cohort: 'baseline', sender: 'pod 2', series: 'c', count: 9 }),
      ]);
    expect(shown(both(3, 3)).errors.canary).toStrictEqual({ total: 10, events: 3 });
    expect(shown(both(0, 3)).errors.canary).toStrictEqual({ total: 10, events: 3 });
    const hidden = both(3, 0);
    expect(shown(hidden).errors).toMatchObject({ canary: null, baseline: { total: 9 } });
    expect(hidden.isUnheard).toBe(true);
  });
});

test('what no service can have counted in a window is left out, however many points say it', () => {
  const points = Array.from({ length: 1_000 }, (_, index) =>
    requests({ series: `series ${index}`, instance: null, count: 600_000_000 }),
  );
  const taken = take([...points, requests({ cohort: 'baseline', series: 'b', count: 7 })]);
  // Nobody knows how many there were, nor how many of them failed.
  expect(shown(taken).errors).toMatchObject({ canary: null, baseline: { total: 7 } });
  expect(taken.isUnheard).toBe(true);
  expect(shown(taken).traffic).toMatchObject({ canary: null, baseline: null });
  expect(excluded(taken)).toStrictEqual({ implausible: 999 });
});

describe('a loud instance', () => {
  /** One instance each; the last of the canary says 10,000 times as much, and that all is well. */
  const crowd = (canaries: number, baselines: number, loudest = 1_000_000): PendingPoint[] => [
    ...Array.from({ length: canaries }, (_, index) =>
      requests({
        ...{ instance: `c${index}`, sender: `c${index}`, series: `c${index}` },
        count: index === canaries - 1 ? loudest : 100,
        errors: index === canaries - 1 ? 0 : 100,
      }),
    ),
    ...Array.from({ length: baselines }, (_, index) =>
      requests({
        cohort: 'baseline',
        ...{ instance: `b${index}`, sender: `b${index}`, series: `b${index}` },
        count: 100,
      }),
    ),
  ];

  test('is left out where both cohorts are large enough for the rule', () => {
    const taken = take(crowd(6, 5));
    expect(shown(taken).errors).toMatchObject({
      canary: { total: 500, events: 500 },
      baseline: { total: 500, events: 0 },
    });
    expect(shown(taken).traffic).toMatchObject({ canary: null, baseline: null });
    expect(excluded(taken)).toStrictEqual({ loud: 1 });
  });

  test('makes the window say nothing where the other cohort is too small for it', () => {
    const taken = take(crowd(6, 2));
    for (const metric of ['errors', 'latency', 'traffic'] as const)
      expect(shown(taken)[metric]).toMatchObject({ canary: null, baseline: null });
    expect(excluded(taken)).toStrictEqual({ loud: 1 });
  });

  test.each([
    ['one of two', crowd(2, 9)],
    ['one of two with a little more than ten times as much', crowd(2, 9, 1_001)],
    ['one of four, beside a cohort of one', crowd(4, 1)],
  ])('makes it say nothing in a small cohort: %s', (_name, points) => {
    const taken = take(points);
    for (const metric of ['errors', 'latency', 'traffic'] as const)
      expect(shown(taken)[metric]).toMatchObject({ canary: null, baseline: null });
    expect(excluded(taken)).toStrictEqual({ loud: 1 });
    expect(taken.leftOut.map((index) => metrics[index]?.judged)).toStrictEqual([
      'errors',
      'latency',
      'traffic',
    ]);
  });

  test.each([
    ['alone in its cohort', crowd(1, 9)],
    ['one of two with ten times as much as the other', crowd(2, 9, 1_000)],
    [
      'beside one that had no requests',
      crowd(2, 9).map((point) =>
        point.sender === 'c0' ? { ...point, count: 0, errors: 0 } : point,
      ),
    ],
    ['with ten times as much as the others', crowd(6, 6, 1_000)],
  ])('%s is none', (_name, points) => {
    const taken = take(points);
    expect(excluded(taken)).toStrictEqual({});
    expect(shown(taken).errors.canary?.total).toBeGreaterThan(1_000);
  });

  test('is none while there is hardly any traffic', () => {
    const points = crowd(6, 6).map((point) => ({
      ...point,
      count: point.count > 100 ? 99 : 1,
      errors: 0,
    }));
    expect(excluded(take(points))).toStrictEqual({});
  });

  test('of which nobody knows the name is none', () => {
    const points = crowd(6, 6).map((point) => ({ ...point, instance: null }));
    expect(excluded(take(points))).toStrictEqual({});
  });
});

describe('levels', () => {
  test('are the mean over instances of what each was on the average', () => {
    const taken = take([
      level({ instance: 'a', series: 'a user', level: 0.2 }),
      level({ instance: 'a', series: 'a user', level: 0.4, timeMs: openedAtMs + 2_000 }),
      level({ instance: 'a', series: 'a system', level: 0.1 }),
      level({ instance: 'b', series: 'b user', level: 0.6 }),
      level({ cohort: 'baseline', instance: null, series: 'c', level: 0.5 }),
      level({ cohort: 'baseline', instance: null, series: 'd', level: 0.7 }),
    ]);
    const { canary, baseline } = shown(taken).level;
    expect(canary?.mean).toBeCloseTo((0.2 + 0.6) / 2, 12);
    expect(canary?.series).toBe(2);
    expect(baseline?.mean).toBeCloseTo(0.6, 12);
    expect(baseline?.series).toBe(2);
  });

  const of = (cohort: 'canary' | 'baseline', name: string, value: number): PendingPoint =>
    level({ cohort, instance: name, series: name, level: value });

  test('beyond ten times the median of all instances of both cohorts count as that', () => {
    const taken = take([
      of('canary', 'a', 1e18),
      of('baseline', 'b', 1),
      of('baseline', 'c', 1),
      of('baseline', 'd', 2),
      of('baseline', 'e', 1),
    ]);
    expect(shown(taken).level).toMatchObject({
      canary: { mean: 10, series: 1 },
      baseline: { mean: 5 / 4 },
    });
    expect(excluded(taken)).toStrictEqual({});
  });

  test.each(['canary', 'baseline'] as const)(
    'of one of two to four instances that is wild leave nothing to compare: %s',
    (cohort) => {
      const other = cohort === 'canary' ? 'baseline' : 'canary';
      for (const size of [2, 3, 4]) {
        const taken = take([
          ...Array.from({ length: size }, (_, index) =>
            of(cohort, `${index}`, index === 1 ? 8.1 : 0.4),
          ),
          ...[0.4, 0.4, 0.8, 0.8, 0.8, 0.8].map((one, index) => of(other, `other ${index}`, one)),
        ]);
        expect(shown(taken).level).toMatchObject({ canary: null, baseline: null });
        expect(excluded(taken)).toStrictEqual({ loud: 1 });
        expect(taken.leftOut.map((index) => metrics[index]?.judged)).toStrictEqual(['level']);
        // Requests are known all the same.
        const asked = take([
          of(cohort, 'a', 0.4),
          of(cohort, 'b', 40),
          requests({ cohort, instance: 'a', series: 'requests', count: 7 }),
        ]);
        expect(shown(asked).traffic[cohort]).toBe(7);
      }
    },
  );

  test.each<[string, readonly PendingPoint[]]>([
    ['all instances are higher', [of('canary', 'a', 40), of('canary', 'b', 41)]],
    ['one is twenty times as high, no more', [of('canary', 'a', 0.4), of('canary', 'b', 8)]],
    [
      'one of three is idle',
      [of('canary', 'x', 0.03), of('canary', 'y', 0.7), of('canary', 'z', 0.7)],
    ],
    ['the others are idle', [of('canary', 'a', 0), of('canary', 'b', 4)]],
    [
      'nobody knows whose they are',
      [0.01, 4].map((one) => level({ instance: null, series: `${one}`, level: one })),
    ],
  ])('are compared where %s', (_name, canary) => {
    const taken = take([...canary, of('baseline', 'c', 0.4), of('baseline', 'd', 0.4)]);
    expect(shown(taken).level.canary?.mean).toBeGreaterThan(0.4);
    expect(excluded(taken)).toStrictEqual({});
  });

  test('of one instance that says anything count for nothing where both cohorts have five', () => {
    const all = (cohort: 'canary' | 'baseline', values: readonly number[]): PendingPoint[] =>
      values.map((value, index) =>
        level({
          cohort,
          instance: `${cohort} ${index}`,
          series: `${cohort} ${index}`,
          level: value,
        }),
      );
    const around = [0.38, 0.39, 0.4, 0.41, 0.42];
    for (const liar of [0, 1e18]) {
      const taken = take([
        ...all('canary', [...around, liar]),
        ...all('baseline', [...around, ...around, ...around, liar]),
      ]);
      const { canary, baseline } = shown(taken).level;
      expect(canary?.mean).toBeGreaterThan(0.385);
      expect(canary?.mean).toBeLessThan(0.415);
      expect(baseline?.mean).toBeGreaterThan(0.385);
      expect(baseline?.mean).toBeLessThan(0.415);
    }
  });

  test('of another unit are left out, and never compared', () => {
    const taken = take([
      level({ series: 'a', level: 40, unit: '%' }),
      level({ cohort: 'baseline', series: 'b', instance: 'b', level: 0.4 }),
      level({ cohort: 'baseline', series: 'c', instance: 'c', level: 0.5 }),
    ]);
    expect(shown(taken).level).toMatchObject({ canary: null, baseline: { series: 2 } });
    expect(excluded(taken)).toStrictEqual({ 'other-unit': 1 });
  });
});

test('a sample point becomes a pending one', () => {
  const pending = pendingPointOf(
    {
      ...{ kind: 'points', audience: 'local', environment: 'production', component: 'checkout' },
      origins: [
        {
          ...{ namespace: 'default', version: '2.0.0', deployment: null, instance: 'pod-1' },
          ...{ metric: httpDuration, temporality: 'delta', unit: 's', target: null },
          attributes: [{ name: 'http.route', value: '/pay' }],
        },
      ],
      points: [],
      bounds: [{ seconds: [0.1, 0.5] }],
    },
    {
      ...{ origin: 0, series: 'a', receivedAt: 6_000, start: 1_000, time: 5_000 },
      ...{ count: 4, errors: 0, level: null, refused: null },
      durations: { bounds: 0, scale: 0, zeroCount: 0, offset: 1, counts: Uint8Array.of(4) },
    },
    'canary',
    [{ metric: 0, fails: null }],
  );
  expect(pending).toStrictEqual({
    cohort: 'canary',
    sender: '["default","2.0.0",null,null,"pod-1"]',
    instance: 'pod-1',
    name: httpDuration,
    unit: 's',
    series: 'a',
    temporality: 'delta',
    startMs: 1_000,
    timeMs: 5_000,
    delayMs: 1_000,
    judgedAs: [{ metric: 0, fails: null }],
    count: 4,
    errors: 0,
    level: 0,
    durations: waitingFrom(explicit(0, 4, 0)),
  });
});

describe('what a point is for', () => {
  const routed = (...attributes: readonly (readonly [string, string])[]) => ({
    metric: httpDuration,
    attributes: attributes.map(([name, value]) => ({ name, value })),
  });

  test('goes by name and kind', () => {
    expect(judgedAs(metrics, routed(), false).map(({ metric }) => metric)).toStrictEqual([0, 1, 3]);
    expect(judgedAs(metrics, { ...routed(), metric: cpu }, true)).toHaveLength(1);
    expect(judgedAs(metrics, routed(), true)).toStrictEqual([]);
    expect(judgedAs(metrics, { ...routed(), metric: 'other' }, false)).toStrictEqual([]);
  });

  test('goes by all conditions of the source, and of what an error is', () => {
    const [errors] = metrics;
    if (errors?.judged !== 'errors') throw new Error('not errors');
    const filtered = [
      {
        ...errors,
        source: {
          names: [httpDuration],
          where: [
            { attribute: 'route', test: { kind: 'in', values: ['/pay'] } },
            { attribute: 'retry', test: { kind: 'absent' } },
          ],
        },
        errors: [{ attribute: 'status', test: { kind: 'starts-with', text: '5' } }],
      },
    ] as const;
    const of = (...attributes: readonly (readonly [string, string])[]): unknown =>
      judgedAs(filtered, routed(...attributes), false);
    expect(of(['route', '/pay'], ['status', '503'])).toStrictEqual([
      { metric: 0, fails: true, by: 'status' },
    ]);
    expect(of(['route', '/pay'], ['status', '404'])).toStrictEqual([
      { metric: 0, fails: false, by: 'status' },
    ]);
    expect(of(['route', '/pay'])).toStrictEqual([{ metric: 0, fails: false }]);
    expect(of(['route', '/pay'], ['retry', '1'])).toStrictEqual([]);
    expect(of(['status', '503'])).toStrictEqual([]);
  });

  test('and then all or none of its requests failed, whatever it says itself', () => {
    const [failed, fine] = [true, false].map((fails) => [{ metric: 0, fails }]);
    const taken = take([
      requests({ series: 'a', count: 10, errors: 0, judgedAs: failed ?? [] }),
      requests({ series: 'b', count: 7, errors: 7, judgedAs: fine ?? [] }),
    ]);
    expect(shown(taken).errors.canary).toStrictEqual({ total: 17, events: 10 });
  });
});
