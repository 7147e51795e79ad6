import { describe, expect, test } from 'vitest';
import type {
  PendingPoint,
  WindowTaken,
} from '../../../../services/core/canary/windows/cohort-windows.ts';
import { takeWindow } from '../../../../services/core/canary/windows/cohort-windows.ts';
import type { MetricWindow } from '../../../../services/core/canary/judge/judged-window.ts';
import { pointsJudgedAs } from '../../../../services/core/canary/windows/judged-as.ts';
import { noBases } from '../../../../services/core/canary/windows/stream-bases.ts';
import type { Bases } from '../../../../services/core/canary/windows/stream-bases.ts';
import type { Origin } from '../../../../services/core/samples/sample.ts';
import { unreadAttributes } from '../../../../services/core/telemetry/series-sender.ts';
import {
  explicit,
  level,
  metrics,
  openedAtMs,
  requests,
  windowMs,
} from '../../../support/canary/pending-points.ts';

// What nobody could count, or nobody can tell apart, is not known: never a pass, never a roll-back.

const take = (points: readonly PendingPoint[], before: Bases = noBases): WindowTaken =>
  takeWindow(metrics, before, points, openedAtMs);
const excluded = (taken: WindowTaken): object =>
  Object.fromEntries(Object.entries(taken.excluded).filter(([, count]) => count > 0));
/** Of each metric, whether something is known of the canary and of the baseline. */
const known = ({ metrics: shown }: WindowTaken): object =>
  Object.fromEntries(
    shown.map(({ judged, canary, baseline }) => [judged, [canary !== null, baseline !== null]]),
  );
const of = <Judged extends MetricWindow['judged']>(
  { metrics: shown }: WindowTaken,
  judged: Judged,
): Extract<MetricWindow, { readonly judged: Judged }> => {
  const found = shown.find((metric) => metric.judged === judged);
  return found as Extract<MetricWindow, { readonly judged: Judged }>;
};

const canary = requests({ series: 'a', count: 10, durations: explicit(4, 6, 0) });
const baseline = requests({
  ...{ cohort: 'baseline', series: 'b', count: 20, durations: explicit(9, 11, 0) },
});
const refused = (change: Partial<PendingPoint> = {}): PendingPoint => ({
  ...requests({ series: 'failed' }),
  refused: 'count-invalid',
  ...change,
});

describe('a refused point', () => {
  test('leaves what its cohort shows of requests unknown, and levels as they are', () => {
    const taken = take([canary, baseline, refused(), level({ level: 0.5 })]);
    expect(known(taken)).toStrictEqual({
      errors: [false, true],
      latency: [false, true],
      level: [true, false],
      traffic: [false, false],
    });
    expect(excluded(taken)).toStrictEqual({ 'count-invalid': 1 });
    expect(taken.isUnheard).toBe(true);
  });

  test('of the baseline does the same to the baseline', () => {
    const taken = take([canary, baseline, refused({ cohort: 'baseline' })]);
    expect(known(taken)).toMatchObject({ errors: [true, false], latency: [true, false] });
    expect(taken.isUnheard).toBe(true);
  });

  test('is of the metrics alone that it would have been of', () => {
    const taken = take([canary, baseline, refused({ judgedAs: [{ metric: 1, fails: null }] })]);
    expect(known(taken)).toMatchObject({ errors: [true, true], latency: [false, true] });
  });

  test('of its window alone, where it is a delta', () => {
    const next = { startMs: openedAtMs + windowMs, timeMs: openedAtMs + windowMs + 1_000 };
    const taken = take(
      [{ ...canary, ...next }, requests({ ...next, series: 'failed', count: 1 })],
      take([canary, refused()]).bases,
    );
    expect(taken.isUnheard).toBe(false);
    expect(of(taken, 'errors').canary).toMatchObject({ total: 11 });
  });

  test('that came twice counts once; one of another reason is another', () => {
    const taken = take([refused(), refused(), refused({ refused: 'bounds-invalid' })]);
    expect(excluded(taken)).toStrictEqual({
      ...{ duplicate: 1, 'count-invalid': 1, 'bounds-invalid': 1 },
    });
  });

  test('beside a good one of its identity leaves both: nobody knows which came first', () => {
    const both = [canary, refused({ series: 'a' })];
    expect(take(both)).toStrictEqual(take(both.toReversed()));
    expect(known(take(both))).toMatchObject({ errors: [false, false] });
  });

  test('under an older name, where its sender says the same under the newer, is nothing', () => {
    const older = refused({ name: 'http.server.duration' });
    expect(take([canary, baseline, older]).isUnheard).toBe(false);
    expect(take([canary, baseline, { ...older, sender: 'another' }]).isUnheard).toBe(true);
  });
});

describe('a point whose durations are none', () => {
  const untimed = (change: Partial<PendingPoint> = {}): PendingPoint => ({
    ...requests({ series: 'untimed', count: 12, errors: 2 }),
    refused: 'durations-negative',
    ...change,
  });

  test.each([
    ['canary', [false, true], 22],
    ['baseline', [true, false], 32],
  ] as const)(
    'leaves the latency of its cohort unknown, and nothing else: %s',
    (cohort, latency, total) => {
      const taken = take([canary, baseline, untimed({ cohort })]);
      expect(known(taken)).toMatchObject({ errors: [true, true], latency, traffic: [true, true] });
      expect(of(taken, 'errors')[cohort]).toMatchObject({ total, events: 2 });
      expect(of(taken, 'traffic')[cohort]).toBe(total);
      expect(excluded(taken)).toStrictEqual({ 'durations-negative': 1 });
      expect(taken).toMatchObject({ isUnheard: false, isUnmeasured: true });
    },
  );

  test('is nothing where nothing is judged by how long it took', () => {
    const taken = take([canary, baseline, untimed({ judgedAs: [{ metric: 0, fails: null }] })]);
    expect(known(taken)).toMatchObject({ latency: [true, true] });
    expect(taken.isUnmeasured).toBe(false);
  });

  test('of a counter leaves no gap: what nobody was asked since took no time', () => {
    const series = 'a'.repeat(64);
    const at = (window: number, count: number): PendingPoint =>
      untimed({
        ...{ temporality: 'cumulative', startMs: openedAtMs, series, count },
        timeMs: openedAtMs + window * windowMs + 1_000,
      });
    const next = { startMs: openedAtMs + windowMs, timeMs: openedAtMs + windowMs + 1_000 };
    const more = [canary, baseline].map((point) => ({ ...point, ...next }));
    const first = take([at(0, 12)]);
    expect(first.isUnmeasured).toBe(true);
    const still = take([at(1, 12), ...more], first.bases);
    expect(known(still)).toMatchObject({ errors: [true, true], latency: [true, true] });
    expect(still.isUnmeasured).toBe(false);
    const asked = take([at(1, 15), ...more], first.bases);
    expect(known(asked)).toMatchObject({ errors: [true, true], latency: [false, true] });
    expect(of(asked, 'errors').canary?.total).toBe(13);
  });

  test('contradicts another of its identity', () => {
    const series = 'f'.repeat(64);
    const taken = take([untimed({ series }), { ...canary, series }, baseline]);
    expect(known(taken)).toMatchObject({ errors: [false, true], latency: [false, true] });
    expect(taken.isUnheard).toBe(true);
  });
});

describe('of a counter, what the next point adds is not of its window alone', () => {
  const at = (window: number, change: Partial<PendingPoint> = {}): PendingPoint => ({
    ...requests({ temporality: 'cumulative', startMs: openedAtMs, series: 'a'.repeat(64) }),
    timeMs: openedAtMs + window * windowMs + 1_000,
    count: 10 * (window + 1),
    ...change,
  });
  const gapAt = (window: number, change: Partial<PendingPoint> = {}): PendingPoint =>
    at(window, { count: 0, refused: 'buckets-mismatch', ...change });

  test('so that window is unknown, too, and the one behind it is not', () => {
    const first = take([at(0)]);
    const second = take([gapAt(1)], first.bases);
    const third = take([at(2)], second.bases);
    const fourth = take([at(3)], third.bases);
    const all = [first, second, third, fourth];
    expect(all.map(({ isUnheard }) => isUnheard)).toStrictEqual([false, true, true, false]);
    expect(all.map((taken) => of(taken, 'errors').canary?.total)).toStrictEqual([
      ...[10, undefined, undefined, 10],
    ]);
    expect(fourth.bases).toMatchObject({ gaps: {}, streams: first.bases.streams });
  });

  test('where it is new as well', () => {
    const second = take([at(1)], take([gapAt(0)]).bases);
    expect(known(second)).toMatchObject({ errors: [false, false] });
  });

  test('other series go on', () => {
    const second = take([at(1, { series: 'c'.repeat(64) })], take([gapAt(0)]).bases);
    expect(second.isUnheard).toBe(false);
  });

  test('one that cannot be read at all may be of any series of its sender', () => {
    const unread = gapAt(0, { series: 'a'.repeat(32) + unreadAttributes });
    const { bases } = take([unread]);
    expect(take([at(1)], bases).isUnheard).toBe(true);
    expect(take([at(1, { series: 'c'.repeat(64) })], bases).isUnheard).toBe(false);
  });

  test('more of them than can be remembered: nothing is known from then on', () => {
    const flood = Array.from({ length: 20_001 }, (_, index) => gapAt(0, { series: `s${index}` }));
    const { bases } = take(flood);
    const next = take([at(1), { ...baseline, timeMs: openedAtMs + windowMs + 1 }], bases);
    expect(known(next)).toMatchObject({ errors: [false, false], latency: [false, false] });
    expect(next.isUnheard).toBe(true);
  });
});

describe('a counter whose start is that of its point', () => {
  const at = (window: number, change: Partial<PendingPoint> = {}): PendingPoint => {
    const timeMs = openedAtMs + window * windowMs + 1_000;
    const count = 10 * (window + 1);
    return {
      ...requests({ temporality: 'cumulative', series: 'a'.repeat(64), startMs: timeMs }),
      ...{ timeMs, count, ...change },
    };
  };
  const takenOf = (...points: readonly PendingPoint[]): readonly WindowTaken[] => {
    let { bases } = take([]);
    return points.map((point) => {
      const taken = take([point, baseline], bases);
      ({ bases } = taken);
      return taken;
    });
  };
  const unheardOf = (...points: readonly PendingPoint[]): readonly boolean[] =>
    takenOf(...points).map(({ isUnheard }) => isUnheard);

  test('leaves its window unknown where its series was heard before, and the next ones not', () => {
    const { startMs } = at(1);
    const points = [at(0, { startMs: openedAtMs }), at(1), at(2, { startMs }), at(3, { startMs })];
    expect(unheardOf(...points)).toStrictEqual([false, true, false, false]);
    const [, second, third] = takenOf(...points);
    if (second === undefined || third === undefined) throw new Error('four are there');
    expect(known(second)).toMatchObject({ errors: [false, true], traffic: [false, false] });
    expect(excluded(second)).toMatchObject({ 'start-missing': 1 });
    expect(of(third, 'errors').canary).toMatchObject({ total: 10 });
  });

  test('leaves each unknown where it moves with each, so that nothing passes and nobody is blamed', () => {
    expect(unheardOf(at(0), at(1), at(2), at(3))).toStrictEqual([false, true, true, true]);
  });

  test('is a base alone where its series was never heard', () => {
    const [taken] = takenOf(at(0));
    expect(taken && excluded(taken)).toStrictEqual({ 'before-opening': 1 });
  });
});

describe('points of one series, start and time that differ', () => {
  const [several, single] = ['0'.repeat(64), 'f'.repeat(64)];
  const pod = (count: number, change: Partial<PendingPoint> = {}): PendingPoint => ({
    ...requests({ series: several, instance: null, count }),
    ...change,
  });

  test.each(['delta', 'cumulative'] as const)(
    '(%s) of one sender contradict each other: two pods with one instance id, or somebody who lies',
    (temporality) => {
      const one = { series: single, temporality };
      const taken = take([pod(7, one), pod(9, one), baseline]);
      expect(known(taken)).toMatchObject({ errors: [false, true], traffic: [false, false] });
      expect(excluded(taken)).toStrictEqual({ duplicate: 1, 'start-shared': 1 });
      expect(taken.isUnheard).toBe(true);
    },
  );

  test.each(['delta', 'cumulative'] as const)(
    '(%s) where several may send are of senders that nobody can tell apart',
    (temporality) => {
      const points = [pod(7), pod(9), pod(9), pod(3, { timeMs: openedAtMs + 2_000 })].map(
        (point) => ({ ...point, temporality }),
      );
      const taken = take([...points, baseline]);
      expect(known(taken)).toMatchObject({ errors: [false, true], traffic: [false, false] });
      expect(excluded(taken)).toStrictEqual({ duplicate: 1, 'start-shared': 3 });
      expect(taken.isUnheard).toBe(true);
      expect(take([baseline, ...points.toReversed()])).toStrictEqual(taken);
    },
  );

  test('mark all series of that sender, in the windows behind, too', () => {
    const { bases } = take([pod(7), pod(9)]);
    const startMs = openedAtMs + windowMs;
    const next = { startMs, timeMs: startMs + 1_000 };
    const others = { ...next, series: '0'.repeat(32) + 'a'.repeat(32) };
    const taken = take([pod(5, next), pod(5, next), pod(4, others)], bases);
    expect(excluded(taken)).toStrictEqual({ duplicate: 1, 'start-shared': 2 });
    expect(taken.isUnheard).toBe(true);
    const elsewhere = take([pod(4, { ...next, series: '1'.repeat(64) })], bases);
    expect(elsewhere.isUnheard).toBe(false);
  });

  test('that are equal in all are one, whoever sends', () => {
    const taken = take([pod(7), pod(7), baseline]);
    expect(excluded(taken)).toStrictEqual({ duplicate: 1 });
    expect(taken.isUnheard).toBe(false);
  });

  test('of levels keep the larger', () => {
    const one = level({ series: several, level: 0.2 });
    const taken = take([one, { ...one, level: 0.4 }]);
    expect(of(taken, 'level').canary?.mean).toBe(0.4);
    expect(taken.isUnheard).toBe(false);
  });
});

test('a point whose attributes nobody knows may be of any metric of its name', () => {
  const origin: Origin = {
    ...{ namespace: 'default', version: '2.0.0', deployment: null, instance: 'pod', target: null },
    ...{ metric: 'http.server.request.duration', temporality: 'delta', unit: 's' },
    attributes: [],
  };
  const filtered = metrics.map((metric) => ({
    ...metric,
    source: {
      ...metric.source,
      where: [{ attribute: 'http.route', test: { kind: 'present' } as const }],
    },
  }));
  const as = pointsJudgedAs(filtered, origin);
  const placesOf = (reason: 'count-invalid' | 'string-too-long' | null): readonly number[] =>
    as({ level: null, refused: reason }).map(({ metric }) => metric);
  expect(placesOf(null)).toStrictEqual([]);
  expect(placesOf('count-invalid')).toStrictEqual([]);
  expect(placesOf('string-too-long')).toStrictEqual([0, 1, 3]);
});
