import { expect, test } from 'vitest';
import { openExportIntervals } from '../../../../services/core/canary/backtest/export-interval.ts';

const slowestOf = (
  heard: readonly (readonly [series: string, version: string | null, s: number])[],
) => {
  const intervals = openExportIntervals();
  for (const [series, version, s] of heard) intervals.hear({ series, version, timeMs: s * 1000 });
  return intervals.slowestMs();
};

const every = (series: string, version: string, everyS: number) =>
  Array.from({ length: 5 }, (_, index) => [series, version, 7 + index * everyS] as const);

test('of two versions the one that exports less often is told', () =>
  expect(slowestOf([...every('a', 'new', 60), ...every('b', 'old', 10)])).toBe(60_000));

test('a series that is hardly used makes its version no slower', () =>
  expect(slowestOf([...every('a', 'new', 10), ...every('b', 'new', 300)])).toBe(10_000));

test('what came twice, or behind its successor, tells nothing', () =>
  expect(slowestOf([0, 20, 20, 10, 40, 40].map((s) => ['a', 'new', s] as const))).toBe(20_000));

test.each([
  ['nothing', []],
  ['two points', [['a', 'new', 0] as const, ['a', 'new', 9] as const]],
  ['nobody knows which version', [0, 1, 2, 3].map((s) => ['a', null, s] as const)],
])('of %s no interval is known', (_, heard) => expect(slowestOf(heard)).toBeNull());
