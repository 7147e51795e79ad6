import { expect, test } from 'vitest';
import type { PendingPoint } from '../../../services/core/canary/series.ts';
import { takePoints } from '../../../services/core/canary/series.ts';

const openedAtMs = 1_000;

const delta = (change: Partial<PendingPoint>): PendingPoint => ({
  cohort: 'canary',
  series: 'a',
  temporality: 'delta',
  startMs: openedAtMs,
  timeMs: openedAtMs + 500,
  delayMs: 0,
  count: 0,
  errors: 0,
  ...change,
});

test('what no service can have counted in a window is left out, however many points say it', () => {
  const points = Array.from({ length: 1_000 }, (_, index) =>
    delta({ series: `series ${index}`, count: 600_000_000 }),
  );
  const taken = takePoints({}, [...points, delta({ cohort: 'baseline', count: 7 })], openedAtMs);
  expect(taken.canary).toStrictEqual({ requests: 600_000_000, errors: 0 });
  expect(taken.baseline).toStrictEqual({ requests: 7, errors: 0 });
  expect(taken.implausible).toBe(999);
});
