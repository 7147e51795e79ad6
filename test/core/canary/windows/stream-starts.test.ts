import { describe, expect, test } from 'vitest';
import { noBases, openBases } from '../../../../services/core/canary/windows/stream-bases.ts';
import type { Bases, Counted } from '../../../../services/core/canary/windows/stream-bases.ts';
import { withSenderDigit } from '../../../../services/core/telemetry/series-sender.ts';

const openedAtMs = 1_800_000_000_000;
const none = -openedAtMs;
const oldMs = -3_600_000;
const youngMs = 100;

/** Whose resource has a `service.instance.id`, and whose has not. */
const named = withSenderDigit('a'.repeat(32), true);
const unnamed = withSenderDigit('a'.repeat(32), false);

/** From the opening on. `series`: what stands for the attributes. */
type Given = readonly [startMs: number, timeMs: number, count: number, series?: string];

/** What each adds, in windows of its own or all in one; between windows everything goes through JSON. */
const takenOf = (
  given: readonly Given[],
  { sender = named, isApart = false } = {},
): readonly unknown[] => {
  let draft = openBases(noBases, openedAtMs);
  return given.map(([startMs, timeMs, count, series = '']) => {
    const value: Counted = { count, errors: 0, durations: null };
    const taken = draft.take(sender + series, openedAtMs + startMs, openedAtMs + timeMs, value);
    if (isApart) draft = openBases(JSON.parse(JSON.stringify(draft.close())) as Bases, openedAtMs);
    return typeof taken === 'object' ? taken.count : taken;
  });
};
const totalOf = (taken: readonly unknown[]): number =>
  taken.reduce<number>((sum, one) => sum + (typeof one === 'number' ? one : 0), 0);

/** Ten requests in each export, under one of these starts after the other. */
const under = (starts: readonly number[], exports = 12): readonly Given[] =>
  Array.from({ length: exports }, (_, index) => [
    starts[index % starts.length] ?? 0,
    (index + 1) * 5_000,
    100 + 10 * (index + 1),
  ]);

describe.each([
  ['in one window', false],
  ['in windows of their own', true],
])('a counter is counted once, %s,', (_how, isApart) => {
  test.each([
    ['whose start is a moment off', [0, 1, 0, -1]],
    ['whose start is two milliseconds off, either way', [2, 0, -2]],
    ['that leaves its start out now and then', [0, none]],
    ['that leaves it out of all but a few', [0, none, none, none, none]],
    ['that leaves it out at first', [none, none, 0]],
    ['whose start is a moment off, or left out', [1, none, 0, none]],
  ])('%s', (_which, starts) => {
    for (const startMs of [oldMs, youngMs])
      for (const sender of [named, unnamed]) {
        const own = starts.map((off) => (off === none ? none : startMs + off));
        // Of several senders the door takes none without a start.
        if (sender === unnamed && own.includes(none)) continue;
        const taken = takenOf(under(own), { isApart, sender });
        const isKnown = startMs === youngMs && starts[0] !== none;
        expect(taken[0]).toBe(isKnown ? 'new' : 'unknown');
        expect(taken.slice(1)).toStrictEqual(Array.from({ length: 11 }, () => 10));
      }
  });

  test.each([
    ['a moment off', youngMs + 1],
    ['left out', none],
  ])('and is its family where its start is %s at a new series', (_which, startMs) => {
    const routine = under([youngMs, youngMs + 1, none, youngMs], 4);
    const first: Given = [startMs, 20_000, 3, '500'];
    const [one, ...others] = [startMs, youngMs, none].map((said, index): Given => {
      return [said, 25_000 + 5_000 * index, 5 + index, '500'];
    });
    if (one === undefined) throw new Error('three are there');
    expect(takenOf([...routine, first, one, ...others], { isApart }).slice(4)).toStrictEqual([
      ...['new', 2, 1, 1],
    ]);
  });

  test('and is its family, of an old server too: one that two exports did not have is new', () => {
    for (const starts of [
      [oldMs, oldMs + 1],
      [oldMs, none],
      [none, oldMs],
    ])
      for (const startMs of starts) {
        const first: Given = [startMs, 61_000, 3, '500'];
        expect(takenOf([...under(starts), first], { isApart }).at(-1)).toBe('new');
      }
  });

  test('where it begins again, in the same way', () => {
    const again = youngMs + 62_000;
    for (const off of [again + 1, none]) {
      const second: readonly Given[] = [
        [again, 65_000, 7],
        [off, 70_000, 9],
        [again, 75_000, 12],
      ];
      expect(takenOf([...under([youngMs]), ...second], { isApart }).slice(-3)).toStrictEqual([
        ...['new', 2, 3],
      ]);
    }
    // How much it had counted before nobody knows where that is said without a start.
    const unsaid: readonly Given[] = [
      [none, 65_000, 7],
      [again, 70_000, 9],
      [none, 75_000, 12],
    ];
    expect(takenOf([...under([youngMs]), ...unsaid], { isApart }).slice(-3)).toStrictEqual([
      ...['unknown', 2, 3],
    ]);
  });

  test('and another one where it has begun since, or has less than was told without a start', () => {
    const unsaid = under([none]);
    expect(takenOf([...unsaid, [62_000, 65_000, 900]], { isApart }).at(-1)).toBe('lost');
    expect(takenOf([...unsaid, [62_000, 65_000, 9]], { isApart }).at(-1)).toBe('new');
    expect(takenOf([...unsaid, [oldMs, 65_000, 9]], { isApart }).at(-1)).toBe('unknown');
  });

  test('of a new series that leaves its start out, where its family began last', () => {
    const given: readonly Given[] = [
      [youngMs, 5_000, 5, '200'],
      [oldMs, 6_000, 900, '404'],
      [none, 7_000, 3, '500'],
      [youngMs, 8_000, 4, '500'],
    ];
    expect(takenOf(given, { isApart }).slice(2)).toStrictEqual(['new', 1]);
  });

  test('without a start it begins anew where it falls, as ever', () => {
    const counts = [10, 20, 4, 9, 3];
    const given = counts.map((count, index): Given => [none, 5_000 * (index + 1), count]);
    const taken = takenOf(given, { isApart });
    expect(taken.slice(0, 2)).toStrictEqual(['unknown', 10]);
    expect(taken.slice(3, 4)).toStrictEqual([5]);
  });

  test('whose start is that of its first point', () => {
    const given: readonly Given[] = [
      [5_000, 5_000, 7],
      [5_000, 10_000, 9],
      [15_000, 15_000, 2],
      [15_000, 20_000, 6],
    ];
    expect(takenOf(given, { isApart })).toStrictEqual(['unknown', 2, 'lost', 4]);
  });
});

describe('several workers of one name, each with a start of its own,', () => {
  /** Each with its own part of the work, as balanced as can be or not at all. */
  const workers = (
    startsMs: readonly number[],
    shares: readonly number[],
    rounds = 60,
  ): readonly Given[] =>
    Array.from({ length: rounds }, (_, round) =>
      startsMs.map((startMs, worker): Given => {
        const timeMs = 5_000 * round + 1_700 * worker + 2_000 + youngMs;
        return [startMs, timeMs, Math.floor((shares[worker] ?? 1) * 10 * (round + 1))];
      }),
    ).flat();

  test.each([
    ['50 ms apart', 50],
    ['a second apart', 1_000],
    ['five seconds apart', 1_999],
    ['minutes apart', -180_000],
  ])('are counted each: %s', (_which, apartMs) => {
    for (const sender of [named, unnamed])
      for (const shares of [
        [1, 1, 1],
        [1, 4, 30],
      ]) {
        const startsMs = [0, 1, 2].map((worker) => youngMs - 50 * 60_000 + worker * apartMs);
        const taken = takenOf(workers(startsMs, shares), { sender });
        const each = shares.reduce((sum, share) => sum + 10 * share, 0);
        expect(totalOf(taken)).toBe(59 * each);
        expect(taken).not.toContain('start-shared');
      }
  });

  test('are told apart by what they count, though they began in the same milliseconds', () => {
    for (const sender of [named, unnamed])
      for (const apartMs of [1, 2, 5])
        for (const shares of [
          [1, 1.2, 1.5],
          [1, 4, 30],
          [30, 1, 4],
        ]) {
          const startsMs = [0, 1, 2].map((worker) => youngMs + worker * apartMs);
          const taken = takenOf(workers(startsMs, shares), { sender, isApart: apartMs === 2 });
          // In the first rounds they may pass for one that falls.
          const later = taken.slice(taken.length / 2);
          const each = shares.reduce((sum, share) => sum + 10 * share, 0);
          expect(later).not.toContain('start-shared');
          expect(Math.abs(totalOf(later) - 30 * each)).toBeLessThanOrEqual(3);
        }
  });

  test('are told apart in all their series once they are in one', () => {
    const near = youngMs + 2;
    const given: readonly Given[] = [
      [youngMs, 1_000, 10, '404'],
      [near, 2_000, 30, '404'],
      [youngMs, 3_000, 100, '200'],
      [near, 4_000, 50, '200'],
      [near, 5_000, 35, '404'],
      [near, 6_000, 40, '404'],
      [youngMs, 7_000, 15, '404'],
      [youngMs, 8_000, 18, '404'],
      [near, 9_000, 7, '500'],
      [youngMs, 10_000, 5, '500'],
      [near, 11_000, 8, '500'],
    ];
    for (const isApart of [false, true])
      expect(takenOf(given, { sender: unnamed, isApart })).toStrictEqual([
        ...[
          'new',
          20,
          'new',
          'start-shared',
          'start-shared',
          5,
          'start-shared',
          3,
          'new',
          'new',
          1,
        ],
      ]);
  });

  test('are nobody where they began in the very same one, also where they leave it out now and then', () => {
    const startsMs = [youngMs, youngMs];
    for (const sender of [named, unnamed])
      expect(takenOf(workers(startsMs, [1, 3]), { sender }).at(-1)).toBe('start-shared');
    const unsaid = [100, 20, 110, 30, 120, 40].map((count, index): Given => {
      return [count >= 110 ? none : youngMs, 5_000 * (index + 1), count];
    });
    expect(takenOf([...unsaid, [youngMs, 35_000, 1, '500']]).at(-1)).toBe('start-shared');
  });

  test('nor where two of their points say different things, whatever the start of that is known by', () => {
    const draft = openBases(noBases, openedAtMs);
    const take = (startMs: number, timeMs: number, count: number): unknown =>
      draft.take(unnamed, openedAtMs + startMs, openedAtMs + timeMs, {
        ...{ count, errors: 0, durations: null },
      });
    expect(take(youngMs, 5_000, 10)).toBe('new');
    draft.share(unnamed, openedAtMs + youngMs + 1, 'cumulative');
    expect(take(youngMs + 1, 10_000, 20)).toBe('start-shared');
    expect(take(youngMs, 15_000, 30)).toMatchObject({ count: 20 });
  });
});
