import { describe, expect, test } from 'vitest';
import type { Counted } from '../../../../services/core/canary/windows/stream-bases.ts';
import type { Durations, Exponential } from '../../../../services/core/canary/windows/durations.ts';
import { exponential } from '../../../support/canary/pending-points.ts';
import { withSenderDigit } from '../../../../services/core/telemetry/series-sender.ts';
import { noBases, openBases } from '../../../../services/core/canary/windows/stream-bases.ts';

const openedAtMs = 1_800_000_000_000;
const start = openedAtMs + 100;
const counted = (count: number): Counted => ({ count, errors: 0, durations: null });
type Taken = number | 'new' | 'unknown' | 'lost' | 'over-limit' | 'start-shared';

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
    expect(of(100, 60, 110, 70, 120)).toEqual(['new', ...shared, ...shared, ...shared, ...shared]);
    expect(markedAt([100, 60, 110, 70, 120])).toBe(3);
    expect(of(100, 49, 60)).toEqual(['new', 'new', 11]);
  });

  test('but once is a clock that was set back, or a stray: that and the way back are of nobody, and what follows counts', () => {
    expect(of(300, 220, 320, 420)).toEqual(['new', ...shared, ...shared, 100]);
    expect(of(100, 200, 160, 300, 400)).toEqual(['new', 100, ...shared, ...shared, 100]);
    expect(markedAt([300, 220, 320, 420])).toBe(-1);
    expect(of(300, 220, 240, 320)).toEqual(['new', ...shared, 20, 80]);
  });

  test('where it is as high again in one step, a second time, however long nothing was exported', () => {
    const once = [300, 2, 32, 4, 601, 6, 62];
    const gapsMs = [5_000, 200, 1_400, 400, 3_000, 200, 1_400, 400, 3_000];
    expect(markedAt(once, { gapsMs })).toBe(-1);
    expect(markedAt([...once, 7, 930], { gapsMs })).toBe(8);
  });

  test('where several have less, one after the other, and one of them has most: that is one fall', () => {
    expect(markedAt([300, 30, 3, 601], { gapsMs: [5_000, 200, 1_400, 3_400] })).toBe(3);
    expect(of(300, 30, 3, 33, 63, 93)).toEqual(['new', 'new', 'new', 30, 30, 30]);
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

  test('but few requests may do anything, once or twice', () => {
    expect(of(3, 2, 4, 5, 6)).toEqual(['new', ...shared, ...shared, 1, 1]);
    expect(of(9, 2, 4, 6, 8, 11, 1, 3)).toEqual(['new', 'new', 2, 2, 2, 3, 'new', 2]);
    expect(markedAt([3, 2, 4, 3])).toBe(3);
    expect(markedAt([10, 1, 10, 1])).toBe(3);
    expect(of(10, 1, 10)).toEqual(['new', 'new', ...shared]);
  });

  test('and what crashes at every fourth export has as few, for as long as it likes', () => {
    const rounds = Array.from({ length: 40 }, (_, index) => 2 + (index % 3) + 5 * (index % 4));
    expect(markedAt(rounds)).toBe(-1);
    expect(of(...rounds).filter((one) => one === 'new')).toHaveLength(10);
  });
});

const shared = ['start-shared'] as const;

/** Behind which of its values all of its family is of nobody; -1: none. */
const markedAt = (
  values: readonly (number | Counted)[],
  { startMs = start, gapsMs = [] }: { startMs?: number; gapsMs?: readonly number[] } = {},
): number => {
  const draft = openBases(noBases, openedAtMs);
  let timeMs = start;
  return values.findIndex((value, index) => {
    timeMs += gapsMs[index] ?? 5_000;
    draft.take(named, startMs, timeMs, typeof value === 'number' ? counted(value) : value);
    return draft.take(`${named}probe`, startMs, timeMs, counted(0)) === 'start-shared';
  });
};

describe('two workers that are as busy as each other', () => {
  const bounds = [0.1, 0.5];
  const shapes = {
    explicit: (counts: readonly number[]): Durations => ({ shape: 'explicit', bounds, counts }),
    exponential: (counts: readonly number[]): Durations => exponential(2, 0, counts),
  };
  /** The second has always served a little more than the first had by its export, not of each duration. */
  const rounds = (requests: number, ofShape: (counts: readonly number[]) => Durations): Counted[] =>
    [1, 2, 3, 4].flatMap((times) =>
      [
        [10 * requests, 6 * requests, 2 * requests],
        [11 * requests, 5 * requests, 4 * requests],
      ].map((each): Counted => {
        const counts = each.map((count) => count * times);
        const count = counts.reduce((sum, more) => sum + more, 0);
        return { count, errors: 0, durations: ofShape(counts) };
      }),
    );

  describe.each(['explicit', 'exponential'] as const)('(%s)', (shape) => {
    test.each([
      ['many requests', 100, 3],
      ['few', 1, 5],
      ['fewer', 0.1, 7],
    ])('are found where a bucket falls though the count rises: %s', (_which, requests, most) => {
      const values = rounds(requests, (counts) => shapes[shape](counts.map(Math.ceil)));
      for (const startMs of [start, openedAtMs - 3_600_000]) {
        expect(markedAt(values, { startMs })).toBeGreaterThan(0);
        expect(markedAt(values, { startMs })).toBeLessThanOrEqual(most);
      }
    });

    test('and none of them counts from zero meanwhile', () => {
      const values = rounds(100, shapes[shape]);
      const draft = openBases(noBases, openedAtMs);
      const taken = values.map((value, index) =>
        draft.take(named, start, start + (index + 1) * 1_000, value),
      );
      expect(taken[0]).toBe('new');
      expect(taken.slice(1)).not.toContain('new');
    });
  });

  test('not where what counts as zero may have widened', () => {
    const values = rounds(100, shapes.exponential).map(({ count }, index) => ({
      ...{ count, errors: 0 },
      durations: exponential(2, 0, [count - 3 * index, 3 * index]),
    }));
    expect(markedAt(values)).toBe(-1);
    const widened = [exponential(2, 0, [5, 5, 5], 0), exponential(2, 0, [0, 2, 6], 9)];
    expect(markedAt([...widened, ...widened].map(countedFrom))).not.toBe(1);
    const draft = openBases(noBases, openedAtMs);
    const [first, second] = widened.map(countedFrom);
    if (first === undefined || second === undefined) throw new Error('two are there');
    draft.take(named, start, start + 1_000, first);
    expect(draft.take(named, start, start + 2_000, second)).toMatchObject({
      ...{ count: 2, durations: null },
    });
  });
});

const countedFrom = (durations: Exponential): Counted => ({
  count: durations.counts.reduce((sum, more) => sum + more, durations.zeroCount),
  ...{ errors: 0, durations },
});

describe('a counter whose start moves', () => {
  const minuteMs = 60_000;
  type Given = readonly [startMs: number, timeMs: number, count: number];
  const moved = (series: string, ...given: readonly Given[]): readonly Taken[] =>
    movedIn(0, series, ...given);
  const movedIn = (
    windowMs: number,
    series: string,
    ...given: readonly Given[]
  ): readonly Taken[] => {
    const draft = openBases(noBases, openedAtMs, windowMs);
    return given.map(([startMs, timeMs, count]) => {
      const taken = draft.take(series, openedAtMs + startMs, openedAtMs + timeMs, counted(count));
      return typeof taken === 'object' ? taken.count : taken;
    });
  };

  test('to the time of its point is a base where its series is new, and has lost requests where it is not', () => {
    expect(moved(named, [500, 500, 7], [500, 1_500, 9])).toEqual(['unknown', 2]);
    expect(moved(named, [0, 500, 7], [1_500, 1_500, 2], [1_500, 2_500, 5])).toEqual([
      ...['new', 'lost', 3],
    ]);
    expect(moved(named, [10, 10, 7], [20, 20, 8], [30, 30, 9])).toEqual([
      'unknown',
      'lost',
      'lost',
    ]);
    expect(moved(named, [-9, 500, 7], [1_500, 1_500, 2])).toEqual(['unknown', 'lost']);
  });

  test('to where another was told already, though that is no time of a point', () => {
    const given = [
      [0, 1_500, 70],
      [400, 2_500, 80],
      [1_400, 3_500, 90],
    ] as const;
    expect(moved(named, ...given)).toEqual(['new', 'lost', 'lost']);
  });

  test('and lost none where it has counted none', () => {
    expect(moved(named, [0, 500, 7], [1_500, 1_500, 0], [1_500, 2_500, 5])).toEqual([
      ...['new', 'unknown', 5],
    ]);
  });

  test('to before the opening, though it was told by another since, has lost them, too', () => {
    const at = (minutes: number): Given => [
      10 * minutes - 99,
      minutes * minuteMs + 500,
      10 * minutes,
    ];
    expect(moved(named, at(0), at(1), at(2), at(3))).toEqual([
      ...['unknown', 'unknown', 'lost', 'lost'],
    ]);
    const young: Given = [2 * minuteMs, 3 * minuteMs, 5];
    expect(moved(named, young, [-9, 4 * minuteMs, 5])).toEqual(['new', 'lost']);
  });

  describe('after a silence', () => {
    /** Of an export of fifteen seconds. */
    const back = (seconds: number, count: number, everyMs = 15_000): Given => [
      seconds * 1_000 - everyMs,
      seconds * 1_000,
      count,
    ];

    test('was forgotten meanwhile, as by a Collector that makes counters of deltas: it counts anew', () => {
      const given = [back(15, 1), back(350, 1), back(800, 2), back(1_300, 1)];
      expect(moved(named, ...given)).toEqual(['new', 'new', 'new', 'new']);
      expect(moved(named, back(15, 30), back(350, 40))).toEqual(['new', 'new']);
    });

    test('has lost requests where one export cannot have so many, or has them in no time', () => {
      expect(moved(named, back(300, 30, 300_000), back(900, 40))).toEqual(['new', 'lost']);
      expect(moved(named, back(15, 1), back(350, 1, 400))).toEqual(['new', 'lost']);
      expect(moved(named, back(15, 1), back(350, 1, 0))).toEqual(['new', 'lost']);
    });

    test('goes on where it has more each time', () => {
      const given = [back(15, 1), back(350, 2), back(800, 3), back(1_300, 5), back(1_800, 1)];
      expect(moved(named, ...given)).toEqual(['new', 'new', 'lost', 'lost', 'new']);
    });

    test('that is no longer than from one export to the next, or to the one after it, has lost them', () => {
      const soon = [back(15, 1, 900), back(115, 1, 900)];
      expect(moved(named, ...soon)).toEqual(['new', 'lost']);
      const seldom = [back(60, 1, 900), back(210, 1, 900)];
      expect(moved(named, ...seldom)).toEqual(['new', 'new']);
      expect(movedIn(60_000, named, ...seldom)).toEqual(['new', 'lost']);
    });
  });

  test('is of several, each with a start of its own, where all are heard in the first minute', () => {
    const [one, another] = [-99, -9];
    expect(
      moved(
        unnamed,
        ...([
          [one, 10_000, 700],
          [another, 55_000, 50],
          [one, 70_000, 710],
          [another, 115_000, 65],
        ] as const),
      ),
    ).toEqual(['unknown', 'unknown', 10, 15]);
  });

  test('is none where other series of that start are known: it is told for the first time', () => {
    const draft = openBases(noBases, openedAtMs);
    const take = (attributes: string, startMs: number, timeMs: number, count: number): unknown =>
      draft.take(
        `${named}${attributes}`,
        openedAtMs + startMs,
        openedAtMs + timeMs,
        counted(count),
      );
    for (const second of [1, 61, 121, 181]) {
      take('200', -99, second * 1_000, 100 * second);
      take('500', -99, second * 1_000, second);
      take('200', -9, second * 1_000 + 700, 100 * second);
    }
    expect(take('500', -9, 181_700, 3)).toBe('new');
    expect(take('500', -9, 182_700, 4)).toMatchObject({ count: 1 });
    expect(take('404', -9, 182_700, 90_000)).toBe('unknown');
    // How much of that is older than the opening is as unknown as ever, and nobody's fault.
    for (const second of [1, 61, 121]) take('503', -99, second * 1_000, second);
    expect(take('503', -9, 183_700, 90_000)).toBe('unknown');
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
  expect(next.take(`${family}200`, start + 100, start + 109, counted(8))).toBe('new');
  expect(next.take(`${named}200`, start, start + 9, counted(8))).toBe('new');
});

test('a series of ever new starts has no room for more, and those that it has go on', () => {
  const draft = openBases(noBases, openedAtMs);
  const take = (index: number, count: number) =>
    draft.take(named, start + index * 10_000, start + index * 10_000 + 5_000, counted(count));
  for (let index = 0; index < 500; index += 1) expect(take(index, 5)).toBe('new');
  expect(take(500, 5)).toBe('over-limit');
  expect(take(499, 9)).toMatchObject({ count: 4 });
  expect(draft.take(`${named}other`, start, start + 5_000, counted(5))).toBe('new');
});
