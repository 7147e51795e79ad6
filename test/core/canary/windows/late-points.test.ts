import { expect, test } from 'vitest';
import type { Cohort } from '../../../../services/core/canary/windows/cohorts.ts';
import {
  addLate,
  areExportsLate,
  areFailedUnheard,
  areManyLate,
  closeLatePoints,
  noLatePoints,
  openLatePoints,
} from '../../../../services/core/canary/windows/late-points.ts';
import type { LatePointsDraft } from '../../../../services/core/canary/windows/late-points.ts';

type Points = Parameters<typeof closeLatePoints>[1];

const windowsKept = 24;
/** One point of each of so many pods in a window. */
const pointsOf = (cohort: Cohort, count: number, window: number, from = 0): Points =>
  Array.from({ length: count }, (_, index) => ({
    ...{ cohort, series: `${cohort} ${from + index}`, startMs: 0, timeMs: window * 5_000 },
    ...{ count: 1, errors: 0, judgedAs: [{ metric: 0, fails: null }] },
  }));

/** After windows from `from` to before `to`, in which so many of the canary's hundred come late. */
const after = (
  before: LatePointsDraft,
  from: number,
  to: number,
  late: (window: number) => number,
): LatePointsDraft => {
  let points = before;
  for (let window = from; window < to; window += 1) {
    const count = late(window);
    const draft = openLatePoints(points);
    for (const point of pointsOf('canary', count, window)) addLate(draft, point);
    const due = [
      ...pointsOf('canary', 100 - count, window, count),
      ...pointsOf('baseline', 100, window),
    ];
    points = closeLatePoints(draft, due, [], windowsKept);
  }
  return points;
};
const begin = (): LatePointsDraft => openLatePoints(noLatePoints);

test('one export of a large fleet that is late now and then is not many, and one in each window is', () => {
  expect(areManyLate(begin())).toBe(false);
  expect(areManyLate(after(begin(), 0, 100, () => 0))).toBe(false);
  for (let to = 25; to < 80; to += 1)
    expect(areManyLate(after(begin(), 0, to, (window) => (window % 24 === 23 ? 1 : 0)))).toBe(
      false,
    );
  expect(areManyLate(after(begin(), 0, 100, () => 1))).toBe(false);
  expect(areManyLate(after(begin(), 0, 100, () => 4))).toBe(true);
});

test('what was late is forgotten after about two limits of silence, even if it was all', () => {
  const half = after(begin(), 0, 50, () => 50);
  expect(areManyLate(after(half, 50, 60, () => 0))).toBe(true);
  expect(areManyLate(after(half, 50, 50 + 2 * windowsKept, () => 0))).toBe(false);
  const all = after(begin(), 0, 50, () => 100);
  expect(areManyLate(after(all, 50, 60, () => 0))).toBe(true);
  expect(areManyLate(after(all, 50, 50 + 2 * windowsKept, () => 0))).toBe(false);
});

test('either cohort counts by itself', () => {
  const ofOne = (cohort: Cohort): LatePointsDraft => {
    const draft = openLatePoints(begin());
    for (const point of pointsOf(cohort, 1, 0, 99)) addLate(draft, point);
    const due = [...pointsOf('canary', 3, 0), ...pointsOf('baseline', 5_000, 0)];
    return closeLatePoints(draft, due, [], windowsKept);
  };
  expect(areManyLate(ofOne('canary'))).toBe(true);
  expect(areManyLate(ofOne('baseline'))).toBe(false);
});

test('where exports are a minute apart, and two windows are the limit of silence, one in each is many', () => {
  let points = begin();
  for (let window = 0; window < 8; window += 1) {
    const draft = openLatePoints(points);
    const [failed, ...others] = pointsOf('canary', 60, window);
    if (failed === undefined) throw new Error('no points');
    addLate(draft, { ...failed, errors: 1 });
    points = closeLatePoints(draft, others, [], 2);
  }
  expect(areFailedUnheard(points, 'canary')).toBe(true);
});

test('a point that goes on counting at a time that stays is late each time', () => {
  const [stuck] = pointsOf('canary', 1, 0);
  if (stuck === undefined) throw new Error('no point');
  let points = begin();
  for (let window = 0; window < 6; window += 1) {
    const draft = openLatePoints(points);
    addLate(draft, { ...stuck, count: 5 + window, errors: 5 + window });
    points = closeLatePoints(draft, pointsOf('canary', 50, window, 1), [], windowsKept);
  }
  expect(areFailedUnheard(points, 'canary')).toBe(true);
});

const fails = { judgedAs: [{ metric: 0, fails: true }] };

/** Windows of a hundred points of the canary in which so many tell of failed requests; late are so many of either kind. */
const withFailed = (
  windows: number,
  failed: number,
  lateOf: (window: number) => { readonly failed: number; readonly others: number },
  mayBe: Partial<Points[number]> = { errors: 1 },
): LatePointsDraft => {
  let points = begin();
  for (let window = 0; window < windows; window += 1) {
    const late = lateOf(window);
    const all = pointsOf('canary', 100, window).map((point, index) => ({
      ...point,
      ...(index < failed && mayBe),
    }));
    const isLate = (index: number): boolean =>
      index < failed ? index < late.failed : index - failed < late.others;
    const draft = openLatePoints(points);
    for (const point of all.filter((_, index) => isLate(index))) addLate(draft, point);
    const due = [...all.filter((_, index) => !isLate(index)), ...pointsOf('baseline', 100, window)];
    points = closeLatePoints(draft, due, [], windowsKept);
  }
  return points;
};

test.each<[string, LatePointsDraft, isTold: boolean, isMany: boolean]>([
  ['one of two in each window', withFailed(30, 2, () => ({ failed: 1, others: 0 })), true, true],
  [
    'that of one series, in one window of eight',
    withFailed(30, 1, (window) => ({ failed: window % 8 === 0 ? 1 : 0, others: 0 })),
    false,
    false,
  ],
  [
    'those that cannot be counted',
    withFailed(30, 2, () => ({ failed: 2, others: 0 }), { refused: 'count-invalid', ...fails }),
    true,
    true,
  ],
  [
    'those of which nobody knows how long they took',
    withFailed(30, 2, () => ({ failed: 2, others: 0 }), { refused: 'durations-negative' }),
    false,
    false,
  ],
  [
    'twice in all',
    withFailed(30, 2, (window) => ({ failed: window < 2 ? 1 : 0, others: 0 })),
    false,
    false,
  ],
  ['half, like the others', withFailed(30, 40, () => ({ failed: 20, others: 30 })), false, true],
  [
    'all, beside half of the others',
    withFailed(30, 40, () => ({ failed: 40, others: 30 })),
    true,
    true,
  ],
  [
    'all, beside three quarters of the others',
    withFailed(30, 40, () => ({ failed: 40, others: 45 })),
    true,
    true,
  ],
  ['most, like the others', withFailed(30, 40, () => ({ failed: 30, others: 45 })), false, true],
  [
    'all, beside a tenth of the others',
    withFailed(30, 40, () => ({ failed: 40, others: 6 })),
    true,
    true,
  ],
])('late points of failed requests: %s', (_name, points, isTold, isMany) => {
  expect(areFailedUnheard(points, 'canary')).toBe(isTold);
  expect(areManyLate(points)).toBe(isMany);
});

/** Of the baseline's hundred in each window so many of those that failed, and of the others, are refused. */
const withRefused = (
  windows: number,
  failedRefused: number,
  failed: number,
  othersRefused: number,
  as: Partial<Points[number]> = {},
): LatePointsDraft => {
  let points = begin();
  for (let window = 0; window < windows; window += 1) {
    const due = pointsOf('baseline', 100, window).map((point, index) => ({
      ...point,
      ...(index < failed && { errors: index < failedRefused ? 0 : 1 }),
      ...(index < failedRefused && { refused: 'count-invalid' as const, ...fails, ...as }),
      ...(index >= 100 - othersRefused && { refused: 'count-invalid' as const }),
    }));
    points = closeLatePoints(openLatePoints(points), due, [], windowsKept);
  }
  return points;
};

test.each<[string, LatePointsDraft, isTold: boolean]>([
  ['two of two', withRefused(30, 2, 2, 0), true],
  ['one of forty, and no others', withRefused(30, 1, 40, 0), false],
  ['half, like the others', withRefused(30, 20, 40, 30), false],
  ['all, beside half of the others', withRefused(30, 40, 40, 30), true],
  ['none, beside half of the others', withRefused(30, 0, 40, 30), false],
  ['twice in all', withRefused(2, 1, 1, 0), false],
  [
    'some whose attributes nobody could read',
    withRefused(30, 2, 2, 0, { refused: 'attributes-too-large', judgedAs: [] }),
    true,
  ],
  [
    'some of which the policy has no failures',
    withRefused(30, 2, 2, 0, { judgedAs: [{ metric: 0, fails: false }] }),
    false,
  ],
])('failed requests that nobody could count: %s', (_name, points, isTold) => {
  expect(areFailedUnheard(points, 'baseline')).toBe(isTold);
  expect(areManyLate(points)).toBe(isTold);
  expect(areExportsLate(points)).toBe(false);
});

test.each<[string, number, number, isTold: boolean]>([
  ['as large a part of them as of the others', 2, 50, false],
  ['alone', 1, 0, true],
])('what may be of either cohort tells of failed requests: %s', (_name, failed, others, isTold) => {
  let points = begin();
  for (let window = 0; window < 30; window += 1) {
    const due = ['canary' as const, 'baseline' as const].flatMap((cohort) =>
      pointsOf(cohort, 100, window).map((point, index) => ({
        ...point,
        errors: index < 4 && (cohort === 'canary' || others > 0) ? 1 : 0,
      })),
    );
    const either = { failed: window % 2 === 0 ? failed : 0, others };
    points = closeLatePoints(openLatePoints(points), due, [], windowsKept, either);
  }
  expect(areFailedUnheard(points, 'baseline')).toBe(isTold);
});

test.each<
  [string, (draft: LatePointsDraft, points: Points) => LatePointsDraft, isWaiting: boolean]
>([
  ['was judged before', (draft, points) => closeLatePoints(draft, points, [], windowsKept), false],
  ['waits for its window', (draft) => draft, true],
  [
    'was late before',
    (draft, points) => {
      for (const point of points) addLate(draft, point);
      return closeLatePoints(draft, [], [], windowsKept);
    },
    false,
  ],
])('a late point that %s is none', (_name, first, isWaiting) => {
  const again = pointsOf('canary', 50, 7);
  const draft = openLatePoints(first(begin(), again));
  for (const point of again) addLate(draft, point);
  const closed = closeLatePoints(draft, [], isWaiting ? again : [], windowsKept);
  expect(closed.late.canary).toBeLessThanOrEqual(draft.late.canary);
});

test('a late point that comes twice is late once', () => {
  const draft = openLatePoints(begin());
  for (const point of [...pointsOf('canary', 3, 0), ...pointsOf('canary', 3, 0)])
    addLate(draft, point);
  expect(closeLatePoints(draft, [], [], windowsKept).late).toStrictEqual({
    canary: 3,
    baseline: 0,
  });
});

test('a flood of late points, or of points, takes no more memory than it may', () => {
  const flooded = openLatePoints(begin());
  for (let index = 0; index < 20_000; index += 1)
    addLate(flooded, {
      ...{ cohort: 'canary', series: 'a', startMs: 0, timeMs: index, count: 1, errors: 1 },
      judgedAs: [],
    });
  expect(flooded.waiting.canary).toHaveLength(10_000);
  expect(flooded.waitingFailed.canary).toHaveLength(10_000);
  const large = pointsOf('baseline', 90_000, 0);
  let points = begin();
  for (let window = 0; window < 4; window += 1)
    points = closeLatePoints(openLatePoints(points), large, [], windowsKept);
  expect(points.known.flat().length).toBeLessThanOrEqual(200_000);
  const steady = after(begin(), 0, 100, () => 0);
  expect(steady.known).toHaveLength(24);
});
