import { expect, test } from 'vitest';
import {
  boundariesAboutGaps,
  isAskedByShares,
} from '../../../../services/core/canary/metrics/latency-gap.ts';
import { cutOf } from '../../../../services/core/canary/metrics/latency-tail.ts';
import { latencyBoundaries } from '../../../../services/core/canary/metrics/latency.ts';
import type { Boundary, Durations } from '../../../../services/core/canary/windows/durations.ts';
import {
  boundarySeconds,
  edgeOf,
  totalOf,
} from '../../../../services/core/canary/windows/durations.ts';
import { exponentialOf, normals } from '../../../../services/dev/canary-climates/durations.ts';
import { seededRandom } from '../../../../services/dev/canary-climates/random.ts';
import type { Random } from '../../../../services/dev/canary-climates/random.ts';
import { latencyRule } from '../../../support/canary/metric-windows.ts';
import {
  after,
  afterShapes,
  atScale,
  withMore,
  withSlower,
  yieldOf,
} from '../../../support/canary/shaped-durations.ts';
import type { Part, Parts } from '../../../support/canary/shaped-durations.ts';

const evenly = (seen: Durations) => ({ canaryRequests: totalOf(seen), phi: 1 });

// Nobody can list the shapes that durations have: here are many, drawn once for all.

test('durations that spread about one middle are asked by shifts alone, however few were seen', () => {
  const random = seededRandom(3, 0);
  const normal = normals(random);
  for (let drawn = 0; drawn < 1_500; drawn += 1) {
    const requests = Math.round(50 * 40 ** random());
    const shape = { medianSeconds: 0.001 * 1_000 ** random(), spread: 0.02 + 0.98 * random() };
    const seen = exponentialOf(normal, requests, shape, 1, 3 + Math.floor(4 * random()));
    const boundaries = latencyBoundaries(seen).map(([, boundary]) => boundary);
    const cut = cutOf(boundaries[0] as Boundary, latencyRule);
    const edges = boundaries.map(edgeOf);
    expect(boundariesAboutGaps(latencyRule, cut, edges, seen, evenly(seen))).toEqual([]);
    expect(edges.some((edge) => isAskedByShares(latencyRule, cut, edge, seen))).toBe(false);
  }
});

/** Two to four parts of at least 8 %, each of which takes at least four times as long as the one before. */
const partsApart = (random: Random): Parts => {
  const weights = Array.from({ length: 2 + Math.floor(random() * 3) }, () => random() + 0.35);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let median = 0.001 * 4 ** random();
  return weights.map((weight): Part => {
    median *= 4 * 2 ** random();
    return [weight / total, median, [0, 0.05, 0.1, 0.2][Math.floor(random() * 4)] ?? 0];
  });
};

const shapes = 60;

test('between parts that lie apart a good canary is promoted, and none with a part that is slower or that more are in', () => {
  const random = seededRandom(11, 0);
  let promoted = 0;
  for (let drawn = 0; drawn < shapes; drawn += 1) {
    const buckets = atScale(3 + Math.floor(random() * 3));
    const parts = partsApart(random);
    if (yieldOf(after(buckets, parts, 1)) === 'promoted') promoted += 1;
    const at = Math.floor(random() * parts.length);
    const times = 1.5 + 2 * random();
    const [shape, worse] = [JSON.stringify(parts), `part ${at}, ${times} times`];
    expect(
      yieldOf(afterShapes(buckets, parts, () => withSlower(at, times, parts))),
      `${shape} ${worse}`,
    ).not.toBe('promoted');
    const last = parts.at(-1)?.[0] ?? 0;
    const more = Math.min(last * (1.5 + random()), (1 + last) / 2);
    expect(
      yieldOf(afterShapes(buckets, parts, () => withMore(more / last, parts))),
      `${shape} ${more}`,
    ).not.toBe('promoted');
  }
  expect(promoted).toBeGreaterThan(0.95 * shapes);
});

test('whatever the gaps, there are few tails, and each boundary once', () => {
  const random = seededRandom(17, 0);
  for (let drawn = 0; drawn < 300; drawn += 1) {
    const seen = atScale(3 + Math.floor(random() * 3))(
      Array.from({ length: 2_000 }, () => 0.001 * 3 ** Math.floor(8 * random()) * (1 + random())),
    );
    const boundaries = latencyBoundaries(seen).map(([, boundary]) => boundary);
    const cut = cutOf(boundaries[0] as Boundary, latencyRule);
    const edges = boundaries.map(edgeOf);
    const more = boundariesAboutGaps(latencyRule, cut, edges, seen, evenly(seen));
    expect(more.length).toBeLessThanOrEqual(10);
    const all = [...boundaries, ...more].map(boundarySeconds);
    expect(new Set(all).size).toBe(all.length);
  }
});
