import { expect, test } from 'vitest';
import { takeWindow } from '../../../../services/core/canary/windows/cohort-windows.ts';
import type { PendingPoint } from '../../../../services/core/canary/windows/cohort-windows.ts';
import { noBases } from '../../../../services/core/canary/windows/stream-bases.ts';
import type { Bases } from '../../../../services/core/canary/windows/stream-bases.ts';
import {
  countersIn,
  noStuckDeltas,
} from '../../../../services/core/canary/windows/stuck-deltas.ts';
import { metrics, openedAtMs, requests, windowMs } from '../../../support/canary/pending-points.ts';

const series = ['1', '2'].map((digit) => 'a'.repeat(32) + digit.repeat(32));
const longAgoMs = openedAtMs - 3_600_000;

/** Exports of one server, by series: which of them are not known to be of deltas; with a snapshot between them. */
const unknownOf = (
  exports: readonly (readonly number[])[],
  change: (timeMs: number) => Partial<Omit<PendingPoint, 'durations'>> = () => ({}),
  everyMs = windowMs,
): readonly number[] => {
  let bases = noBases;
  return exports.map((counts, index) => {
    const timeMs = openedAtMs + index * windowMs + 1_000;
    const points = counts.map((count, of) =>
      requests({ series: series[of] ?? '', startMs: longAgoMs, timeMs, count, ...change(timeMs) }),
    );
    const taken = takeWindow(metrics, bases, points, openedAtMs, false, everyMs);
    bases = JSON.parse(JSON.stringify(taken.bases)) as Bases;
    expect(taken.isUnheard).toBe(taken.unknown.length > 0);
    expect(taken.excluded['temporality-unspecified']).toBe(taken.unknown.length);
    return taken.unknown.length;
  });
};

const counter = [
  [100, 1],
  [140, 1],
  [180, 2],
  [220, 2],
];

test('a counter that is called a delta is unknown, with all of its series, as soon as it rises', () =>
  expect(unknownOf(counter)).toStrictEqual([0, 2, 2, 2]));

test('one that began after the opening is as soon as its start has not moved for long', () => {
  const exports = [...counter, [260, 2], [300, 2]];
  const startMs = openedAtMs;
  expect(unknownOf(exports, () => ({ startMs }))).toStrictEqual([0, 0, 0, 0, 2, 2]);
});

test('deltas of which one fell once are deltas, whatever they do later', () =>
  expect(unknownOf([[40, 2], [44, 2], [45, 1], ...counter])).toStrictEqual([0, 2, 0, 0, 0, 0, 0]));

test('in whatever series it falls', () =>
  expect(
    unknownOf([
      [40, 2],
      [44, 1],
      [50, 2],
    ]),
  ).toStrictEqual([0, 0, 0]));

test('deltas that stay as they are say nothing', () =>
  expect(
    unknownOf([
      [40, 2],
      [40, 2],
      [40, 2],
    ]),
  ).toStrictEqual([0, 0, 0]));

test('nothing is asked of deltas whose start moves, nor of counters, nor where nobody knows how often is exported', () => {
  const none = [0, 0, 0, 0];
  expect(unknownOf(counter, (timeMs) => ({ startMs: timeMs - windowMs }))).toStrictEqual(none);
  expect(unknownOf(counter, (timeMs) => ({ startMs: timeMs - 60_000 }))).toStrictEqual(none);
  expect(unknownOf(counter, () => ({ temporality: 'cumulative' }))).toStrictEqual(none);
  expect(unknownOf(counter, () => ({}), 0)).toStrictEqual(none);
});

test('beyond so many series nothing more is remembered', () => {
  const newest = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, index) => [`series ${index}`, { startMs: 1, count: 1 }]),
  );
  const full = { ...noStuckDeltas, newest };
  const points = [requests({ series: series[0] ?? '', startMs: longAgoMs, count: 5 })];
  expect(countersIn(full, points, windowMs).stuck).toStrictEqual(full);
});
