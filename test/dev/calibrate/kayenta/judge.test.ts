import { describe, expect, test } from 'vitest';

import { kayenta } from '../../../../services/dev/calibrate/kayenta/judge.ts';
import type { KayentaMetric, Schedule } from '../../../../services/dev/calibrate/kayenta/judge.ts';
import { outcomeOf } from '../../../../services/dev/calibrate/kayenta/score.ts';
import {
  classifyMetric,
  defaultRule,
} from '../../../../services/dev/calibrate/kayenta/classify.ts';
import type { Judged } from '../../../../services/dev/calibrate/judge-plug.ts';
import type { LivedArm, LivedWindow } from '../../../../services/dev/calibrate/lived-window.ts';

const arm = (requests: number, errors: number, bucket: number): LivedArm => ({
  requests,
  errors,
  latency: { shape: 'exponential', scale: 3, zeroCount: 0, offset: bucket, counts: [requests] },
  levels: { cpu: { mean: 40, series: 3 }, memory: { mean: 500, series: 3 } },
});

/** Thirty minutes; errors of a minute differ a little, so that values are not all the same. */
const windows = (
  canaryAt: (minute: number) => LivedArm,
  baselineAt: (minute: number) => LivedArm,
): readonly LivedWindow[] =>
  Array.from({ length: 360 }, (_, index) => {
    const minute = Math.floor(index / 12);
    return {
      index,
      startMs: index * 5_000,
      canary: canaryAt(minute),
      baseline: baselineAt(minute),
      canaryShare: 0.5,
    };
  });

const judged = (
  schedule: Schedule,
  stream: readonly LivedWindow[],
  metrics?: readonly KayentaMetric[],
): Judged => kayenta('under test', 'under test', schedule, metrics).learn([])(stream);

const fewErrors = (minute: number): LivedArm => arm(1_000, 5 + (minute % 3), 0);
const manyErrors = (minute: number): LivedArm => arm(1_000, 50 + (minute % 7), 0);
const slow = (minute: number): LivedArm => arm(1_000, 5 + (minute % 3), 8);

const regression = windows(manyErrors, fewErrors);
const good = windows(fewErrors, (minute) => fewErrors(minute + 1));

describe('a regression is found', () => {
  test('once at the end', () => {
    expect(judged({ judged: 'at-end' }, regression)).toEqual({
      rolledBackMs: 1_800_000,
      promotedMs: null,
      blamed: 'errors',
    });
  });

  test.each([2, 5])('at minute %d by one who looks from then on', (fromMinute) => {
    const { rolledBackMs } = judged({ judged: 'growing', fromMinute }, regression);
    expect(rolledBackMs).toBe(fromMinute * 60_000);
  });

  test('when it is new, by one who looks back five minutes', () => {
    const late = windows(
      (minute) => (minute < 15 ? fewErrors(minute) : manyErrors(minute)),
      (minute) => fewErrors(minute + 1),
    );
    const { rolledBackMs } = judged({ judged: 'lookback', minutes: 5 }, late);
    expect(rolledBackMs).toBeGreaterThan(16 * 60_000);
    expect(rolledBackMs).toBeLessThanOrEqual(21 * 60_000);
  });

  test('by the metric that shows it', () => {
    const stream = windows(slow, (minute) => fewErrors(minute + 1));
    expect(judged({ judged: 'at-end' }, stream)).toMatchObject({ blamed: 'latency' });
    expect(judged({ judged: 'at-end' }, stream, ['errors'])).toMatchObject({
      rolledBackMs: null,
      promotedMs: 1_800_000,
    });
  });
});

test('a good canary passes at the end, and so does one that is better', () => {
  expect(judged({ judged: 'growing', fromMinute: 5 }, good)).toEqual({
    rolledBackMs: null,
    promotedMs: 1_800_000,
    blamed: null,
  });
  expect(judged({ judged: 'at-end' }, windows(fewErrors, manyErrors))).toMatchObject({
    rolledBackMs: null,
  });
});

test('a minute without requests has no value: a critical metric without any fails', () => {
  const silent = windows(() => arm(0, 0, 0), fewErrors);
  expect(judged({ judged: 'at-end' }, silent, ['errors'])).toMatchObject({
    rolledBackMs: 1_800_000,
    blamed: 'errors',
  });
});

test('one value a side that differs cannot be judged, and is an error as published', () => {
  expect(classifyMetric([2], [1], defaultRule)).toMatchObject({ label: 'error', critical: false });
});

test('thresholds include their own score', () => {
  const thresholds = { pass: 75, marginal: 50 };
  expect([75, 74.99, 50, 49.99].map((score) => outcomeOf(score, thresholds))).toEqual([
    'pass',
    'marginal',
    'marginal',
    'fail',
  ]);
});
