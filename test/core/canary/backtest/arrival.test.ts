import { describe, expect, test } from 'vitest';
import { openArrivals } from '../../../../services/core/canary/backtest/arrival.ts';
import { timeless } from '../../../../services/core/telemetry/telemetry-point.ts';

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

describe('a line that tells no time', () => {
  const untimed = at(timeless);

  test('comes when the newest line before it did', () => {
    const arrivals = openArrivals(0, Infinity);
    expect(arrivals.add([untimed])).toEqual([{ point: untimed, receivedAt: 0 }]);
    arrivals.add([at(5_000)]);
    arrivals.add([at(3_000)]);
    expect(arrivals.add([untimed])).toEqual([{ point: untimed, receivedAt: 5_000 }]);
    expect(arrivals.rest()).toEqual([]);
  });

  test('says nothing of what is held back', () => {
    const arrivals = openArrivals(0, Infinity);
    arrivals.add([at(1_000)]);
    const lines = Array.from({ length: 20 }, (_, index) => at(60 * minute + index * 1_000));
    const arrived = lines.flatMap((line) => [...arrivals.add([untimed]), ...arrivals.add([line])]);
    expect(arrived.slice(0, 20)).toEqual(lines.map(() => ({ point: untimed, receivedAt: 1_000 })));
    expect(arrived.slice(20).map(({ point, receivedAt }) => receivedAt - point.timeMs)).toEqual(
      lines.map(() => 0),
    );
  });

  test('is no clock, and before the start it comes when the others did', () => {
    const arrivals = openArrivals<{ readonly sender: string; readonly timeMs: number }>(
      60_000,
      Infinity,
      ({ sender }) => sender,
    );
    const add = (sender: string, timeMs: number) =>
      arrivals.add([{ sender, timeMs }]).map(({ receivedAt }) => receivedAt);
    add('a', 20_000);
    add('b', 21_000);
    expect(add('d', timeless)).toEqual([21_000]);
    expect(add('c', 22_000)).toEqual([21_000, 21_000, 21_000]);
    expect(add('d', timeless)).toEqual([21_000]);
    add('a', 65_000);
    add('b', 66_000);
    expect(add('d', timeless)).toEqual([65_000]);
  });
});

test('time never goes on beyond its end', () => {
  const arrivals = openArrivals(0, 10_000);
  expect(arrivals.add([at(12_000)])[0]?.receivedAt).toBe(10_000);
});

describe('whose clocks they are, where that is known', () => {
  type Sent = { readonly sender: string; readonly timeMs: number };
  const open = () => openArrivals<Sent>(0, Infinity, ({ sender }) => sender);
  /** So many senders export every five seconds, one after the other; `ahead` is how far the clock of the first is. */
  const fleet = (senders: number, exports: number, ahead: number): readonly Sent[] =>
    Array.from({ length: senders * exports }, (_, index) => ({
      sender: `pod ${index % senders}`,
      timeMs: (index * 5_000) / senders + (index % senders === 0 ? ahead : 0),
    }));
  const latenessOf = (sent: readonly Sent[]): ReadonlyMap<string, number> => {
    const arrivals = open();
    const arrived = [...sent.flatMap((one) => arrivals.add([one])), ...arrivals.rest()];
    expect(arrived).toHaveLength(sent.length);
    const worst = new Map<string, number>();
    for (const { point, receivedAt } of arrived)
      worst.set(
        point.sender,
        Math.max(worst.get(point.sender) ?? 0, Math.abs(receivedAt - point.timeMs)),
      );
    return worst;
  };

  test.each([3, 4, 10])('of %d one that is ahead is late itself, and nobody else', (senders) => {
    const [first = 0, ...others] = latenessOf(fleet(senders, 30, 5 * minute)).values();
    expect(first).toBeGreaterThan(4 * minute);
    expect(Math.max(...others)).toBeLessThan(10_000);
  });

  test('also where the metrics of one export have times of their own', () => {
    const sent = fleet(4, 30, 30_000).flatMap((one) =>
      [0, 10, 20].map((laterMs) => ({ ...one, timeMs: one.timeMs + laterMs })),
    );
    const [first = 0, ...others] = latenessOf(sent).values();
    expect(first).toBeGreaterThan(20_000);
    expect(Math.max(...others)).toBeLessThan(10_000);
  });

  test.each([1, 2, 3, 10])('of %d that agree nobody is late', (senders) => {
    expect(Math.max(...latenessOf(fleet(senders, 30, 0)).values())).toBeLessThanOrEqual(5_000);
  });

  test('where all but one have stopped, time goes on by that one', () => {
    const before = fleet(3, 10, 0);
    const alone = Array.from({ length: 20 }, (_, index) => ({
      sender: 'pod 1',
      timeMs: 50_000 + index * 5_000,
    }));
    const arrivals = open();
    const arrived = [...before, ...alone].flatMap((one) => arrivals.add([one]));
    expect(arrived.at(-1)?.receivedAt).toBe(alone.at(-1)?.timeMs);
  });
});
