import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ProducerRow } from '../../services/core/producers.ts';
import {
  evolveProducer,
  missingCount,
  missingRangesMax,
  producerKey,
} from '../../services/core/producers.ts';
import { by, given } from '../support/given.ts';
import { planned, run, started, succeeded } from '../support/markers.ts';

const heard = (...sequences: readonly number[]): ProducerRow => {
  const row = sequences.reduce<ProducerRow | undefined>(
    (before, sequence, position) =>
      evolveProducer(before, {
        principal: 'ci',
        producer: 'laptop',
        sequence,
        position,
        atMs: position,
      }),
    undefined,
  );
  if (row === undefined) throw new RangeError('nothing was heard');
  return row;
};

const ranges = ({ missing }: ProducerRow): readonly string[] =>
  missing.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));

test('numbers in their order miss nothing', () => {
  expect(heard(1, 2, 3)).toMatchObject({ highest: 3, missing: [], repeats: 0, lastPosition: 2 });
});

test('what was passed over is missing, and told with the marker that showed it', () => {
  const row = heard(7, 8, 12);
  expect(row).toMatchObject({ lowest: 7, highest: 12, highestPosition: 2 });
  expect(row.missing).toEqual([{ from: 9, to: 11, position: 2 }]);
  expect(missingCount(row)).toBe(3);
});

test('a late number fills its gap, and splits it where it stands in the middle', () => {
  expect(ranges(heard(1, 5))).toEqual(['2-4']);
  expect(ranges(heard(1, 5, 3))).toEqual(['2', '4']);
  expect(ranges(heard(1, 5, 3, 4, 2))).toEqual([]);
});

test('a number that another marker had is a repeat', () => {
  expect(heard(1, 2, 2, 1)).toMatchObject({ repeats: 2, repeatedAt: 3, missing: [] });
});

test('numbering begins at the lowest number that came', () => {
  expect(ranges(heard(48_213, 48_210))).toEqual(['48211-48212']);
});

test('of more holes than are listed the lowest are counted on', () => {
  const holes = missingRangesMax + 10;
  const everySecond = Array.from({ length: holes + 1 }, (_, index) => 1 + 2 * index);
  const row = heard(...everySecond);
  expect(row.missing).toHaveLength(missingRangesMax);
  expect(row).toMatchObject({ missingUnlisted: 10, unlistedTo: 20 });
  expect(missingCount(row)).toBe(holes);
  // The late ones are taken off the count; when none is missing there any more, one more is a repeat.
  const late = [2, 4, 6, 8, 10, 12, 14, 16, 18, 20];
  expect(heard(...everySecond, ...late)).toMatchObject({ missingUnlisted: 0, repeats: 0 });
  expect(heard(...everySecond, ...late, 2)).toMatchObject({ missingUnlisted: 0, repeats: 1 });
});

test('in whatever order numbers come, those that never came are missing', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 40 }),
      (numbers) => {
        const row = heard(...numbers);
        const lowest = Math.min(...numbers);
        const highest = Math.max(...numbers);
        const never = Array.from({ length: highest - lowest }, (_, step) => lowest + step).filter(
          (number) => !numbers.includes(number),
        );
        expect({ lowest: row.lowest, highest: row.highest, repeats: row.repeats }).toEqual({
          lowest,
          highest,
          repeats: 0,
        });
        const listed = row.missing.flatMap(({ from, to }) =>
          Array.from({ length: to - from + 1 }, (_, step) => from + step),
        );
        expect(listed).toEqual(never);
      },
    ),
  );
});

const numbered = (producer: string, sequence: number) => ({ producer, sequence });

test('a producer is a name under a principal, and a repeated record is no repeated number', async () => {
  const house = await given(
    by('ci', planned('2.0.0', numbered('laptop', 1))),
    by('ci', started(numbered('laptop', 4))),
    by('other', succeeded(numbered('laptop', 2))),
    { again: 2 },
    by('ci', planned('3.0.0', { ...numbered('run/ner', 1), deployment: run('8') })),
  );
  const row = (principal: string, producer: string) =>
    house.row<ProducerRow>('producer', producerKey(principal, producer));
  expect(await row('ci', 'laptop')).toMatchObject({
    highest: 4,
    missing: [{ from: 2, to: 3 }],
    repeats: 0,
  });
  expect(await row('other', 'laptop')).toMatchObject({ lowest: 2, highest: 2, missing: [] });
  expect(await row('ci', 'run/ner')).toMatchObject({ highest: 1 });
});
