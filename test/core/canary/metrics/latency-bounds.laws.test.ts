import { expect, test } from 'vitest';
import { normalShareBelow } from '../../../../services/core/canary/statistics/normal.ts';
import { advisedBounds } from '../../../../services/dev/canary-climates/durations.ts';
import { seededRandom } from '../../../../services/dev/canary-climates/random.ts';
import type { Random } from '../../../../services/dev/canary-climates/random.ts';
import { after, between, yieldOf } from '../../../support/canary/shaped-durations.ts';
import type { Part } from '../../../support/canary/shaped-durations.ts';

// Nobody can list the shapes that durations have: here are many, drawn once for all.

const shapes = 240;
/** Of the client libraries of Prometheus, in seconds. */
const prometheusBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
const lists: readonly (readonly number[])[] = [
  advisedBounds,
  [0, ...advisedBounds],
  prometheusBounds,
  [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  [0.1, 0.3, 1.2, 5],
  [0.001, 0.01, 0.1, 1, 10],
  [0.02, 0.2, 2],
  [0.5, 1, 5],
  [0.005, 0.1, 10],
];
const spreads: readonly number[] = [0.05, 0.05, 0.2, 0.5, 0.8];
const pick = <Item>(random: Random, items: readonly Item[], otherwise: Item): Item =>
  items[Math.floor(random() * items.length)] ?? otherwise;

/** One to three humps between 0.5 ms and 2 s. */
const humps = (random: Random): readonly Part[] => {
  const weights = Array.from({ length: 1 + Math.floor(random() * 3) }, () => random() + 0.05);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => [
    weight / total,
    0.0005 * 4_000 ** random(),
    pick(random, spreads, 1),
  ]);
};

test('a canary that takes twice or thrice as long is promoted nowhere, but where all of it is fine', () => {
  let promoted = 0;
  const random = seededRandom(8, 0);
  for (let shape = 0; shape < shapes; shape += 1) {
    const buckets = between(...pick(random, lists, advisedBounds));
    const parts = humps(random);
    if (yieldOf(after(buckets, parts, 1)) !== 'promoted') continue;
    promoted += 1;
    // Under 10 ms nobody asks how fast it is; nor of one in five that is slower, if it takes as long as no bound is near.
    const isFine = (times: number): boolean =>
      parts.every(
        ([share, median, spread]) => share < 0.2 || median * times * Math.exp(2 * spread) < 0.01,
      );
    for (const times of [2, 3].filter((each) => !isFine(each)))
      expect([yieldOf(after(buckets, parts, times)), times, parts]).toEqual([
        'unproven',
        times,
        parts,
      ]);
  }
  expect(promoted).toBeGreaterThan(shapes / 6);
});

const shareBeyond = (seconds: number, [, median, spread]: Part): number =>
  1 - normalShareBelow(Math.log(seconds / median) / spread);

test('a fast service is promoted by bounds in wide use, and a canary that is no longer fast is not', () => {
  let [fast, fine] = [0, 0];
  for (const spread of [0.05, 0.1, 0.2, 0.3, 0.5])
    for (let median = 0.001; median < 0.008; median *= 1.08) {
      const part: Part = [1, median, spread];
      // In between it depends on what chance puts beyond 10 ms.
      if (shareBeyond(0.01, part) > 0.04) continue;
      fast += 1;
      for (const list of [advisedBounds, prometheusBounds]) {
        const buckets = between(...list);
        expect([part, yieldOf(after(buckets, [part], 1))]).toEqual([part, 'promoted']);
        const times = 0.012 / median;
        expect([part, yieldOf(after(buckets, [part], times))]).toEqual([part, 'unproven']);
        // Slower, and as fine as before.
        const little = [1, median * 1.2, spread] as const;
        if (shareBeyond(0.01, little) > 0.001) continue;
        fine += 1;
        expect([part, yieldOf(after(buckets, [part], 1.2))]).toEqual([part, 'promoted']);
      }
    }
  expect(fast).toBeGreaterThan(80);
  expect(fine).toBeGreaterThan(80);
});
