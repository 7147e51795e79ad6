import { describe, expect, test } from 'vitest';
import { openCappedNames } from '../../../services/core/own-metrics/capped-names.ts';
import type { MetricName } from '../../../services/core/own-metrics/family.ts';
import { counter, gauge } from '../../../services/core/own-metrics/family.ts';
import { openHistogram } from '../../../services/core/own-metrics/histogram.ts';
import { joined } from '../../../services/core/own-metrics/joined.ts';
import { openPlaceCounter } from '../../../services/core/own-metrics/place-counter.ts';

test('names above the cap are called other, and those known before stay', () => {
  const nameOf = openCappedNames(2);
  expect(['a', 'b', 'c', 'a', 'd', 'b'].map(nameOf)).toEqual([
    'a',
    'b',
    'other',
    'a',
    'other',
    'b',
  ]);
});

describe('counts by place', () => {
  test('keep each environment and component, and the deployment counted last', () => {
    const places = openPlaceCounter();
    const checkout = { environment: 'production', component: 'checkout' };
    places.count(checkout, 'd-1', 5);
    places.count({ ...checkout, environment: 'staging' }, 'd-2', 6);
    places.count(checkout, 'd-3', 7);
    expect(places.read()).toEqual([
      { ...checkout, total: 2, last: { deployment: 'd-3', atMs: 7 } },
      { ...checkout, environment: 'staging', total: 1, last: { deployment: 'd-2', atMs: 6 } },
    ]);
  });

  test('lose none and stay small, whatever names somebody makes up', () => {
    const places = openPlaceCounter();
    const count = 30_000;
    for (let at = 0; at < count; at += 1)
      places.count({ environment: `e${at % 150}`, component: `c${at}` }, 'd', 0);
    const read = places.read();
    expect(read.length).toBeLessThanOrEqual(1_001);
    expect(new Set(read.map(({ component }) => component)).size).toBeLessThanOrEqual(201);
    expect(read.reduce((sum, { total }) => sum + total, 0)).toBe(count);
  });

  test('stay small also where few names make many pairs', () => {
    const places = openPlaceCounter();
    for (let environment = 0; environment < 150; environment += 1)
      for (let component = 0; component < 150; component += 1)
        places.count({ environment: `e${environment}`, component: `c${component}` }, 'd', 0);
    const read = places.read();
    expect(read.length).toBe(1_001);
    expect(read.at(-1)).toMatchObject({
      environment: 'other',
      component: 'other',
      total: 150 * 150 - 1_000,
    });
  });

  test('do not take one pair for another, whatever characters are in the names', () => {
    const places = openPlaceCounter();
    places.count({ environment: 'a', component: 'b","c' }, 'd', 0);
    places.count({ environment: 'a","b', component: 'c' }, 'd', 0);
    expect(places.read().length).toBe(2);
  });
});

test('a histogram counts a value in its bucket and all above, the bound included', () => {
  const histogram = openHistogram([1, 2]);
  for (const value of [0.5, 1, 1.5, 99])
    histogram.record(value, { deployment: `${value}`, atMs: 3 });
  histogram.record(1.7);
  const { buckets, sum, count } = histogram.read();
  expect(buckets.map((bucket) => [bucket.upTo, bucket.count, bucket.exemplar?.deployment])).toEqual(
    [
      [1, 2, '1'],
      [2, 4, '1.5'],
      [Infinity, 5, '99'],
    ],
  );
  expect([sum, count]).toEqual([103.7, 5]);
});

describe('families of several services', () => {
  const lag: MetricName = { name: 'lag', otelName: 'lag', unit: '1', help: '' };

  test('are one family with the points of all', () => {
    const of = (service: string): ReturnType<typeof gauge> =>
      gauge(lag, [{ labels: { service }, value: 1 }]);
    const other = counter({ ...lag, name: 'other' }, []);
    expect(joined([of('a'), other, of('b')])).toEqual([
      { ...lag, kind: 'gauge', points: [...of('a').points, ...of('b').points] },
      other,
    ]);
  });

  test('of one name and two kinds are a fault of ours', () => {
    expect(() => joined([gauge(lag, []), counter(lag, [])])).toThrow(
      'lag is a gauge and a counter',
    );
  });
});
