import { expect, test } from 'vitest';
import { openArrivals } from '../../../../services/core/canary/backtest/arrival.ts';

const at = (timeMs: number) => ({ timeMs });
const minute = 60_000;

test('the latest time so far is what time it is', () => {
  const arrivals = openArrivals(0, Infinity);
  expect(arrivals.add([at(5_000)])).toEqual([{ point: at(5_000), receivedAt: 5_000 }]);
  expect(arrivals.add([at(3_000)])).toEqual([{ point: at(3_000), receivedAt: 5_000 }]);
});

test('points of one line arrive in the order of their times', () => {
  const arrivals = openArrivals(0, Infinity);
  expect(arrivals.add([at(9_000), at(1_000)]).map(({ receivedAt }) => receivedAt)).toEqual([
    1_000, 9_000,
  ]);
});

test('a line that is far ahead waits until others say what time it is', () => {
  const arrivals = openArrivals(0, Infinity);
  expect(arrivals.add([at(60 * minute)])).toEqual([]);
  expect(arrivals.add([at(5_000)])).toEqual([
    { point: at(60 * minute), receivedAt: 0 },
    { point: at(5_000), receivedAt: 5_000 },
  ]);
});

test('twenty such lines in a row were a gap, and nothing of them is lost', () => {
  const arrivals = openArrivals(0, Infinity);
  const lines = Array.from({ length: 20 }, (_, index) => at(60 * minute + index * 1_000));
  const arrived = lines.flatMap((line) => arrivals.add([line]));
  expect(arrived.map(({ point, receivedAt }) => receivedAt - point.timeMs)).toEqual(
    lines.map(() => 0),
  );
});

test('what waits at the end has a clock that nobody confirmed', () => {
  const arrivals = openArrivals(0, Infinity);
  arrivals.add([at(1_000)]);
  arrivals.add([at(99 * minute)]);
  expect(arrivals.rest()).toEqual([{ point: at(99 * minute), receivedAt: 1_000 }]);
  expect(arrivals.rest()).toEqual([]);
});

test('time never goes on beyond its end', () => {
  const arrivals = openArrivals(0, 10_000);
  expect(arrivals.add([at(12_000)])[0]?.receivedAt).toBe(10_000);
});
