import { describe, expect, test } from 'vitest';
import type { Counted } from '../../../../services/core/canary/windows/stream-bases.ts';
import { withSenderDigit } from '../../../../services/core/telemetry/series-sender.ts';
import { noBases, openBases } from '../../../../services/core/canary/windows/stream-bases.ts';

const openedAtMs = 1_800_000_000_000;
const start = openedAtMs + 100;
const counted = (count: number): Counted => ({ count, errors: 0, durations: null });
type Taken = number | 'new' | 'unknown' | 'over-limit' | 'start-shared';

/** What each value adds, all in one window or each in one of its own. */
const takenOf = (
  values: readonly number[],
  { startMs = start, isApart = false, series = '' } = {},
): readonly Taken[] => {
  let bases = noBases;
  let draft = openBases(bases, openedAtMs);
  return values.map((value, index) => {
    const taken = draft.take(series, startMs, start + (index + 1) * 5_000, counted(value));
    if (isApart) {
      bases = draft.close();
      draft = openBases(bases, openedAtMs);
    }
    return typeof taken === 'object' ? taken.count : taken;
  });
};

/** Whose resource has a `service.instance.id`, and whose has not. */
const named = withSenderDigit('a'.repeat(32), true);
const unnamed = withSenderDigit('a'.repeat(32), false);

describe.each([
  ['in one window', false],
  ['in windows of their own', true],
])('a counter that falls while its start stays, %s', (_how, isApart) => {
  test('of one sender began anew, as often as it does, and counts', () => {
    expect(takenOf([10, 20, 4, 9, 3], { isApart, series: named })).toEqual([
      'new',
      10,
      'new',
      5,
      'new',
    ]);
  });

  test.each<readonly [string, readonly number[], readonly Taken[]]>([
    ['two', [100, 20, 110, 30, 120, 40], ['new']],
    ['four', [20, 60, 80, 100, 30, 70, 90, 110], ['new', 40, 20, 20]],
  ])(
    'where several may send is %s counters, and nothing counts from then on',
    (_many, values, first) => {
      expect(takenOf(values, { isApart, series: unnamed })).toEqual([
        ...first,
        ...values.slice(first.length).map(() => 'start-shared'),
      ]);
    },
  );
});

describe('a counter of one name does what no single one does', () => {
  const of = (...values: readonly number[]): readonly Taken[] => takenOf(values, { series: named });
  const old = (...values: readonly number[]): readonly Taken[] =>
    takenOf(values, { series: named, startMs: openedAtMs - 3_600_000 });

  test('where it falls to more than half, twice: nothing that began anew is as far so soon', () => {
    expect(of(100, 60, 110, 70, 120)).toEqual([
      'new',
      'unknown',
      50,
      'start-shared',
      'start-shared',
    ]);
    expect(of(100, 49, 60)).toEqual(['new', 'new', 11]);
  });

  test('but once is a clock that was set back, or a stray: that adds nothing, and what follows counts', () => {
    expect(of(300, 220, 320, 420)).toEqual(['new', 'unknown', 100, 100]);
    expect(of(100, 200, 160, 300, 400)).toEqual(['new', 100, 'unknown', 140, 100]);
  });

  test('where it is as high again in no time', () => {
    expect(old(5_000, 700, 5_010, 710).slice(2)).toEqual(['start-shared', 'start-shared']);
    expect(of(100, 20, 110, 30, 120, 40).slice(-2)).toEqual(['start-shared', 'start-shared']);
  });

  test('and not where that takes as long as before, at whatever pace it is crashing', () => {
    expect(of(30, 60, 90, 20, 50, 80, 110, 30, 60, 90, 120)).toEqual([
      ...['new', 30, 30, 'new', 30, 30, 30, 'new', 30, 30, 30],
    ]);
    expect(takenOf([90_000, 30, 60, 20, 50, 80], { series: named, startMs: 0 })).not.toContain(
      'start-shared',
    );
  });

  test('but not where its traffic grew ninefold, whenever that was, and it began anew once', () => {
    for (const everyMs of [5_000, 15_000])
      for (const grewMs of [300_000, 900_000, 3_600_000])
        for (const laterMs of [0, 10_000, 60_000, 600_000])
          expect(grown({ everyMs, grewMs, restartsMs: [grewMs + laterMs] })).not.toContain(
            'start-shared',
          );
  });

  test('nor where it begins anew again, once it has gone on for a while', () => {
    const restartsMs = [3_600_000, 4_300_000, 5_000_000];
    expect(grown({ everyMs: 5_000, grewMs: 3_600_000, restartsMs })).not.toContain('start-shared');
  });

  test.each([3, 4, 7])(
    'of %d workers, each with its own part of the work, at the second round',
    (workers) => {
      const round = (times: number): readonly number[] =>
        Array.from({ length: workers }, (_, worker) => 700 + worker * 900 + times * (10 + worker));
      const values = [round(0), round(1), round(2)].flat();
      const taken = takenOf(values, { series: named, startMs: openedAtMs - 3_600_000 });
      expect(taken.indexOf('start-shared')).toBeLessThanOrEqual(2 * workers);
      expect(taken.slice(2 * workers).every((one) => one === 'start-shared')).toBe(true);
    },
  );

  test('but few requests may do anything', () => {
    expect(of(3, 2, 4, 3)).toEqual(['new', 'new', 2, 'new']);
  });
});

/** A counter of three requests a second, and nine times as many from `grewMs` on, which begins anew without saying so. */
const grown = ({
  everyMs,
  grewMs,
  restartsMs,
}: {
  readonly everyMs: number;
  readonly grewMs: number;
  readonly restartsMs: readonly number[];
}): readonly Taken[] => {
  const servedBy = (ms: number): number => (3 * ms + 24 * Math.max(0, ms - grewMs)) / 1_000;
  const began = (ms: number): number => Math.max(0, ...restartsMs.filter((at) => at <= ms));
  // Exports do not come when it restarts.
  const times = Array.from({ length: 1_500 }, (_, index) => (index + 0.4) * everyMs);
  const draft = openBases(noBases, openedAtMs);
  return times.map((ms) => {
    const count = Math.floor(servedBy(ms) - servedBy(began(ms)));
    const taken = draft.take(named, start, Math.round(start + ms), counted(count));
    return typeof taken === 'object' ? taken.count : taken;
  });
};

test('what senders under one name began together is all of nobody: errors must not count without requests', () => {
  const family = unnamed;
  const draft = openBases(noBases, openedAtMs);
  const take = (status: string, index: number, value: number): unknown =>
    draft.take(`${family}${status}`, start, start + index, counted(value));
  for (const [index, value] of [100, 20].entries()) take('200', index + 1, value);
  expect(take('500', 5, 7)).toBe('start-shared');
  const next = openBases(draft.close(), openedAtMs);
  expect(next.take(`${family}500`, start, start + 9, counted(8))).toBe('start-shared');
  // Another process under that name is another matter, and so is another metric.
  expect(next.take(`${family}200`, start + 1, start + 9, counted(8))).toBe('new');
  expect(next.take(`${named}200`, start, start + 9, counted(8))).toBe('new');
});
