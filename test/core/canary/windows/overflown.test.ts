import { describe, expect, test } from 'vitest';
import type { Cohort } from '../../../../services/core/canary/windows/cohorts.ts';
import { takeWindow } from '../../../../services/core/canary/windows/cohort-windows.ts';
import type {
  PendingPoint,
  WindowTaken,
} from '../../../../services/core/canary/windows/cohort-windows.ts';
import { judgedAs, mayBeFailed } from '../../../../services/core/canary/windows/judged-as.ts';
import {
  areOverflown,
  closeOverflown,
  noneOverflown,
  overflownLately,
  withoutOverflown,
} from '../../../../services/core/canary/windows/overflown.ts';
import type {
  Overflown,
  OverflownMetrics,
} from '../../../../services/core/canary/windows/overflown.ts';
import type { MetricPolicy } from '../../../../services/core/canary/policy/policy.ts';
import { noBases } from '../../../../services/core/canary/windows/stream-bases.ts';
import type { Bases } from '../../../../services/core/canary/windows/stream-bases.ts';
import {
  cpu,
  explicit,
  httpDuration,
  metrics,
  openedAtMs,
  requests,
  windowMs,
} from '../../../support/canary/pending-points.ts';

// Requests for whose attributes an SDK had no room: how many there were is known, and how long they took.

const none: OverflownMetrics = { canary: new Set(), baseline: new Set() };
const overflow = [{ name: 'plimsoll.overflow', value: 'yes' }];
const posts = { attribute: 'method', test: { kind: 'in', values: ['POST'] } } as const;
const ofPosts: readonly MetricPolicy[] = metrics.map((metric) => ({
  ...metric,
  source: { ...metric.source, where: [posts] },
}));
const asOverflown = (of: readonly MetricPolicy[] = metrics) =>
  judgedAs(of, { metric: httpDuration, attributes: overflow }, false);

describe('a point without its attributes', () => {
  test('is no word of errors, and is latency and traffic as any other', () => {
    expect(asOverflown()).toStrictEqual([
      { metric: 0, fails: null, isOverflown: true },
      { metric: 1, fails: null },
      { metric: 3, fails: null },
    ]);
  });

  test('may be of all that a policy judges by attributes', () => {
    expect(asOverflown(ofPosts)).toStrictEqual(
      [0, 1, 3].map((metric) => ({ metric, fails: null, isOverflown: true })),
    );
  });

  test('is nothing of a level', () => {
    expect(judgedAs(ofPosts, { metric: cpu, attributes: overflow }, true)).toStrictEqual([]);
    expect(judgedAs(metrics, { metric: cpu, attributes: overflow }, true)).toStrictEqual([
      { metric: 2, fails: null },
    ]);
  });

  test('may be of requests that failed', () => {
    expect(mayBeFailed({ errors: 0, judgedAs: asOverflown() })).toBe(true);
    const usual = judgedAs(metrics, { metric: httpDuration, attributes: [] }, false);
    expect(mayBeFailed({ errors: 0, judgedAs: usual })).toBe(false);
  });
});

const many = (series: string, count: number, change: Partial<PendingPoint> = {}): PendingPoint => ({
  ...requests({ series, count, durations: explicit(0, count, 0) }),
  ...change,
});
const take = (points: readonly PendingPoint[], before: Bases = noBases): WindowTaken =>
  takeWindow(metrics, before, points, openedAtMs);
const knownIn = ({ metrics: shown, overflown }: WindowTaken): object =>
  Object.fromEntries(
    withoutOverflown(shown, overflown).map(({ judged, canary, baseline }) => [
      judged,
      [canary !== null, baseline !== null],
    ]),
  );

describe('a window with such a point', () => {
  test.each([
    ['canary', [false, true]],
    ['baseline', [true, false]],
  ] as const)('shows no errors of the %s, and all the rest', (cohort, errors) => {
    const taken = take([
      many('a', 90),
      many('b', 90, { cohort: 'baseline' }),
      many('c', 10, { cohort, judgedAs: asOverflown() }),
    ]);
    const both = [true, true];
    expect(knownIn(taken)).toMatchObject({ errors, latency: both, traffic: both });
    const [, latency, , traffic] = taken.metrics;
    expect(latency?.[cohort]).toMatchObject({ counts: [0, 100, 0] });
    expect(traffic?.[cohort]).toBe(100);
    expect(taken).toMatchObject({ isUnheard: false, excluded: { 'attributes-overflown': 1 } });
  });

  test('shows nothing of what a policy judges by attributes', () => {
    const others = many('a', 90, {
      judgedAs: judgedAs(metrics, { metric: httpDuration, attributes: [] }, false),
    });
    const taken = takeWindow(
      ofPosts,
      noBases,
      [
        others,
        { ...others, cohort: 'baseline', series: 'b' },
        many('c', 10, { judgedAs: asOverflown(ofPosts) }),
      ],
      openedAtMs,
    );
    expect(knownIn(taken)).toMatchObject({
      errors: [false, true],
      latency: [false, true],
      traffic: [false, true],
    });
  });

  test('knows all where it has no requests: a counter that stands still', () => {
    const startMs = openedAtMs - 60_000;
    const counter = (count: number, window: number): readonly PendingPoint[] =>
      ['a', 'c'].map((series) =>
        many(series, series === 'a' ? 100 * window : count, {
          ...{ temporality: 'cumulative', startMs, timeMs: openedAtMs + window * windowMs + 1_000 },
          ...(series === 'c' && { judgedAs: asOverflown() }),
        }),
      );
    const first = take(counter(30, 1));
    const still = take(counter(30, 2), first.bases);
    const going = take(counter(31, 3), still.bases);
    expect([first, still, going].map(({ overflown }) => areOverflown(overflown))).toStrictEqual([
      false,
      false,
      true,
    ]);
  });
});

describe('what is unknown for them', () => {
  const errorsOf = (cohort: Cohort): OverflownMetrics => ({ ...none, [cohort]: new Set([0]) });
  const after = (windows: readonly OverflownMetrics[], noDataMs: number): readonly boolean[] => {
    let lately: Overflown = noneOverflown;
    return windows.map((now, index) => {
      lately = closeOverflown(lately, now, openedAtMs + (index + 1) * windowMs, noDataMs);
      // A restart between any two.
      lately = JSON.parse(JSON.stringify(lately)) as Overflown;
      return areOverflown(overflownLately(lately));
    });
  };

  test.each(['canary', 'baseline'] as const)(
    'stays so for four times the limit of silence: windows of the %s without them are those without failures',
    (cohort) => {
      const windows = Array.from({ length: 12 }, (_, at) => (at === 1 ? errorsOf(cohort) : none));
      const unknown = after(windows, 2 * windowMs);
      expect(unknown.map(Number).join('')).toBe('011111111100');
    },
  );

  test('is of that version and metric alone', () => {
    const shown = take([many('a', 9), many('b', 9, { cohort: 'baseline' })]).metrics;
    const lately = closeOverflown(noneOverflown, errorsOf('baseline'), openedAtMs, windowMs);
    const left = withoutOverflown(shown, overflownLately(lately));
    expect(left[0]).toStrictEqual({ ...shown[0], baseline: null });
    expect(left.slice(1)).toStrictEqual(shown.slice(1));
    expect(withoutOverflown(shown, none)).toBe(shown);
  });
});
