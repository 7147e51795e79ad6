import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { historyBatchMs } from '../../../../services/core/canary/noise/history-batch.ts';
import { noiseOfBatches, openHistory } from '../../../../services/core/canary/noise/history.ts';
import type { HistoryBatch } from '../../../../services/core/canary/noise/history.ts';
import { presets } from '../../../../services/core/canary/policy/presets.ts';
import type { Copy, Points, Sample } from '../../../../services/core/samples/sample.ts';
import { overflowSaid } from '../../../../services/core/telemetry/status-said.ts';
import { cut, exportsOf, openedAt, opening, tick } from '../../../support/canary/sample-streams.ts';
import type { Pod } from '../../../support/canary/sample-streams.ts';

const { metrics } = presets.standard;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** `openedAt` is a whole hour, and all times are from it. */
const hoursOf = (batches: readonly HistoryBatch[]): readonly number[] => [
  ...new Set(batches.map(({ startMs }) => Math.floor((startMs - openedAt) / hourMs))),
];

const pod = (name: string, change: Partial<Pod> = {}): Pod => ({
  name,
  version: '1.9.4',
  temporality: 'cumulative',
  startMs: -hourMs,
  exportEveryMs: minuteMs,
  firstExportMs: 0,
  lastExportMs: 8 * hourMs,
  traffic: () => [1_000, 10],
  ...change,
});
const fleet = [pod('a'), pod('b'), pod('c'), pod('d')];

const historyOf = (samples: readonly Sample[], versions = ['1.9.4']): readonly HistoryBatch[] => {
  const history = openHistory(metrics, new Set(versions), openedAt);
  for (const sample of samples) history.add(sample);
  return history.close();
};
const learned = (pods: readonly Pod[]): readonly HistoryBatch[] =>
  historyOf(cut(exportsOf(pods), [50]));
const errorsOf = (
  batches: readonly HistoryBatch[],
): { readonly phi: number; readonly batches: number; readonly note: string } => {
  const [errors] = noiseOfBatches(metrics, batches);
  if (errors?.judged !== 'errors') throw new Error('no errors');
  return errors;
};

test('hours without news become batches of two halves of the same size', () => {
  const batches = learned(fleet);
  expect(batches.length).toBe((8 * hourMs) / historyBatchMs - 2);
  for (const { metrics: shown } of batches)
    expect(shown[0]).toStrictEqual({
      judged: 'errors',
      canary: { total: 10_000, events: 100 },
      baseline: { total: 10_000, events: 100 },
    });
});

test('servers that all fail alike have phi 1, and errors in clusters more', () => {
  const chance = fc.sample(fc.integer({ min: 0, max: 20 }), { numRuns: 5_000, seed: 7 });
  expect(errorsOf(learned(fleet))).toMatchObject({
    phi: 1,
    note: 'measured',
    weight: 5_000,
  });
  // Whole bursts, now of one server and now of another.
  const bursts =
    (from: number): Pod['traffic'] =>
    (index) => [1_000, (chance[from + index] ?? 0) > 17 ? 200 : 0];
  const clustered = learned([
    pod('a', { traffic: bursts(0) }),
    pod('b', { traffic: bursts(1_000) }),
  ]);
  expect(errorsOf(clustered).phi).toBeGreaterThan(20);
});

test('metrics that nobody sent are not known', () => {
  const noise = noiseOfBatches(metrics, learned(fleet));
  expect(noise.map(({ id, note }) => `${id} ${note}`)).toStrictEqual([
    'errors measured',
    'latency unknown',
    'cpu unknown',
    'memory unknown',
    'traffic measured',
  ]);
});

test('one server, or servers without a name, are no two halves', () => {
  expect(errorsOf(learned([pod('alone')]))).toMatchObject({ batches: 0, note: 'unknown' });
  const sent = exportsOf(fleet).map(({ origin, point }) => ({
    origin: { ...origin, instance: null },
    point,
  }));
  expect(errorsOf(historyOf(cut(sent, [50])))).toMatchObject({ batches: 0, note: 'unknown' });
});

test('errors of who had no room for the attributes of requests are no evidence', () => {
  const told = [{ name: overflowSaid, value: 'yes' }];
  const sent = exportsOf(fleet).map(({ origin, point }) =>
    point.errors > 0 && origin.instance === 'a'
      ? { origin: { ...origin, attributes: told }, point: { ...point, errors: 0 } }
      : { origin, point },
  );
  const batches = historyOf(cut(sent, [50]));
  expect(errorsOf(batches)).toMatchObject({ batches: 0, note: 'unknown' });
  expect(noiseOfBatches(metrics, batches).at(-1)).toMatchObject({
    id: 'traffic',
    note: 'measured',
  });
});

test('who does not run what holds the slot is no evidence, and its hours are left out', () => {
  const other = pod('x', {
    version: '2.0.0',
    startMs: 3 * hourMs + 1,
    firstExportMs: 3.5 * hourMs,
    lastExportMs: 4.5 * hourMs,
    traffic: () => [1_000, 500],
  });
  const batches = learned([...fleet, other]);
  expect(hoursOf(batches)).toStrictEqual([0, 1, 2, 5, 6, 7]);
  expect(errorsOf(batches).phi).toBe(1);
});

describe('hours in which a canary was judged are left out', () => {
  const points = cut(exportsOf(fleet), [50]);
  const receivedAt = (sample: Points): number => sample.points[0]?.receivedAt ?? 0;
  const atHour = (hour: number): number => openedAt + hour * hourMs;
  const between = (hour: number, said: Sample): readonly Sample[] => [
    ...points.filter((sample) => receivedAt(sample) < atHour(hour)),
    said,
    ...points.filter((sample) => receivedAt(sample) >= atHour(hour)),
  ];
  const judged = opening({ openedAt: atHour(2.2) });
  const over = (hour: number): Copy => ({
    kind: 'copy',
    audience: judged.audience,
    environment: judged.environment,
    component: judged.component,
    analysis: judged.analysis,
    logPosition: 9,
    logDigest: 'd'.repeat(64),
    appendedAt: atHour(hour),
    marker: judged.analysis,
    fact: 'succeeded',
    canaryShare: null,
  });

  test('from its opening to its end', () => {
    expect(hoursOf(historyOf([judged, over(4.1), ...points]))).toStrictEqual([0, 1, 5, 6, 7]);
  });
  test('to the end, where it has none', () => {
    expect(hoursOf(historyOf(between(2.2, judged)))).toStrictEqual([0, 1]);
  });
  test('from the beginning, where it was opened before that', () => {
    expect(hoursOf(historyOf(between(4.1, over(4.1))))).toStrictEqual([5, 6, 7]);
  });
});

test('what came far too late, or says a far other time, moves no batch', () => {
  const late = exportsOf([
    pod('late', { delayMs: () => 3 * minuteMs, traffic: () => [1_000, 900] }),
  ]);
  const straight = exportsOf(fleet);
  const mixed = [...straight, ...late].toSorted(
    (left, right) => left.point.receivedAt - right.point.receivedAt,
  );
  expect(errorsOf(historyOf(cut(mixed, [50]))).phi).toBe(errorsOf(learned(fleet)).phi);
});

test('a silence of hours is passed over', () => {
  const after = fleet.map((one) => ({
    ...one,
    firstExportMs: 20 * hourMs,
    lastExportMs: 22 * hourMs,
  }));
  const morning = fleet.map((one) => ({ ...one, lastExportMs: 2 * hourMs }));
  const batches = historyOf([morning, after].flatMap((pods) => cut(exportsOf(pods), [50])));
  expect(hoursOf(batches)).toStrictEqual([0, 1, 2, 20, 21]);
  expect(hoursOf(historyOf([tick(0), tick(1_000 * hourMs)]))).toStrictEqual([]);
});
