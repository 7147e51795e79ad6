import { expect, test } from 'vitest';
import { latencySlowerPart } from '../../../../services/core/canary/metrics/latency.ts';
import { normalShareBelow } from '../../../../services/core/canary/statistics/normal.ts';
import { advisedBounds } from '../../../../services/dev/canary-climates/durations.ts';
import { seededRandom } from '../../../../services/dev/canary-climates/random.ts';
import type { Random } from '../../../../services/dev/canary-climates/random.ts';
import { latencyRule } from '../../../support/canary/metric-windows.ts';
import {
  after,
  afterShapes,
  atScale,
  between,
  yieldOf,
} from '../../../support/canary/shaped-durations.ts';
import type { Part, Parts } from '../../../support/canary/shaped-durations.ts';

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

const timesSlower = (random: Random): number => 2 ** (1 + Math.floor(random() * 3));

/**
 * Some hump of at least 2 % takes at least twice as long. It is plain where it is more than half of what is slower in
 * both, or of what is faster: the rest of the requests does not hide it.
 */
const withSlowerHump = (
  random: Random,
): {
  readonly parts: Parts;
  readonly slower: Parts;
  readonly hump: Part;
  readonly times: number;
} => {
  for (;;) {
    const parts = humps(random).map(([share, median]): Part => [
      share,
      median,
      pick(random, [0.02, 0.05, 0.1], 0.1),
    ]);
    const at = Math.floor(random() * parts.length);
    const hump = parts[at];
    if (hump === undefined || hump[0] < 0.02) continue;
    const times = timesSlower(random);
    const others = parts.filter((part) => part !== hump);
    const sum = (beside: readonly Part[]): number =>
      beside.reduce((total, [share]) => total + share, 0);
    const above = sum(others.filter((part) => edgesOf(part)[1] > edgesOf(hump)[0]));
    const below = sum(others.filter((part) => edgesOf(part)[0] < times * edgesOf(hump)[1]));
    if (hump[0] < 0.6 * Math.min(above, below) + 0.015) continue;
    const slower = parts.map((part): Part =>
      part === hump ? [part[0], part[1] * times, part[2]] : part,
    );
    return { parts, slower, hump, times };
  }
};

/** Nearly all of a hump lies between them. */
const edgesOf = ([, median, spread]: Part): readonly [number, number] => [
  median * Math.exp(-2.5 * spread),
  median * Math.exp(2.5 * spread),
];

test('a canary of which any hump takes twice as long is not promoted by fine buckets', () => {
  const random = seededRandom(9, 0);
  let vetoed = 0;
  for (let shape = 0; shape < shapes; shape += 1) {
    const { parts, slower, hump, times } = withSlowerHump(random);
    const buckets = atScale(3 + Math.floor(random() * 3));
    const yields = yieldOf(afterShapes(buckets, parts, () => slower));
    expect([yields === 'promoted', hump, times, parts]).toEqual([false, hump, times, parts]);
    if (yields === 'slower-part') vetoed += 1;
    expect(
      latencySlowerPart(
        latencyRule,
        afterShapes(buckets, parts, () => parts),
      ),
    ).toBeNull();
  }
  expect(vetoed).toBeGreaterThan(0);
});

test('nor by the bounds of SDKs, where one of them lies between before and after', () => {
  const random = seededRandom(10, 0);
  let [shown, vetoed] = [0, 0];
  for (let shape = 0; shape < shapes; shape += 1) {
    const { parts, slower, hump, times } = withSlowerHump(random);
    const bounds = pick(random, [advisedBounds, prometheusBounds], advisedBounds);
    const [from, to] = [edgesOf(hump)[1], times * edgesOf(hump)[0]];
    // Below 10 ms it is fine.
    if (!bounds.some((bound) => bound >= 0.01 && from <= bound && bound <= to)) continue;
    shown += 1;
    const yields = yieldOf(afterShapes(between(...bounds), parts, () => slower));
    expect([yields === 'promoted', hump, times, parts]).toEqual([false, hump, times, parts]);
    if (yields === 'slower-part') vetoed += 1;
  }
  expect(shown).toBeGreaterThan(shapes / 4);
  expect(vetoed).toBeGreaterThan(0);
});
