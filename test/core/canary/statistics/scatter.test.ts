import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addToOne } from '../../../../services/dev/canary-climates/one-metric.ts';
import { logRollbackIn } from '../../../../services/core/canary/judge/metric-judge.ts';

import {
  addLineToDeadline,
  deadlineTest,
  noDeadlineSums,
} from '../../../../services/core/canary/statistics/deadline-test.ts';
import type { DeadlineSums } from '../../../../services/core/canary/statistics/deadline-test.ts';
import { latencyJudge } from '../../../../services/core/canary/metrics/latency.ts';
import type {
  LatencyRule,
  LatencyState,
} from '../../../../services/core/canary/metrics/latency.ts';
import { ratesDeadline, ratesJudge } from '../../../../services/core/canary/metrics/rates.ts';
import type { RatesRule, RatesState } from '../../../../services/core/canary/metrics/rates.ts';
import type { RatePair } from '../../../../services/core/canary/statistics/rate-counts.ts';
import {
  addToCurve,
  initialCurve,
} from '../../../../services/core/canary/statistics/ratio-curve.ts';
import {
  noTrafficSeen,
  raisedPhi,
  raisedTimes,
  usedPhi,
  withTraffic,
} from '../../../../services/core/canary/statistics/scatter.ts';
import type {
  MeasuredAt,
  TrafficSeen,
} from '../../../../services/core/canary/statistics/scatter.ts';
import { normal, randomOf } from '../../../../services/dev/calibrate/random.ts';
import { binomial } from '../../../../services/dev/canary-climates/random.ts';
import { stream } from '../../../support/canary/arbitraries.ts';
import { binomialExpectation } from '../../../support/canary/exact-expectation.ts';
import { errorsMetric } from '../../../support/canary/family.ts';
import {
  durationWindows,
  judgeEach,
  placeAt,
  latencyRule,
  warmUpWindows,
} from '../../../support/canary/metric-windows.ts';
import type { Counts } from '../../../support/canary/streams.ts';
import { repeat } from '../../../support/canary/streams.ts';

/** History at 5 and 45 requests a second: 25 and 225 in a window of 5 s; remembered for a minute. */
const at: MeasuredAt = { weight: 22.5, batches: 72, kept: Math.exp(-1 / 12) };

const seenAfter = (windows: readonly (readonly [number, number])[]): TrafficSeen =>
  windows.reduce<TrafficSeen>(
    (seen, [canary, baseline]) => withTraffic(at, seen, canary, baseline, true),
    noTrafficSeen,
  );
const times = (...windows: readonly (readonly [number, number])[]): number =>
  raisedTimes(at, seenAfter(windows));
const many = (
  count: number,
  one: readonly [number, number],
): readonly (readonly [number, number])[] => Array.from({ length: count }, () => one);

describe('the traffic of the canary', () => {
  test('is that of the history, or less, or hardly more: phi stays what was measured', () => {
    for (const one of [
      [25, 225],
      [2, 18],
      [1, 249],
      [30, 230],
    ] as const)
      expect(times(...many(20, one))).toBe(1);
    expect(raisedTimes(at, noTrafficSeen)).toBe(1);
    expect(raisedPhi(at, 3, 1)).toBe(3);
  });

  test('is ten times that of the history: phi - 1 is ten times what was measured, and what was left open with it', () => {
    expect(times(...many(20, [250, 2_250]))).toBeCloseTo(10, 3);
    const open = 2 * 3 * Math.sqrt(2 / 72);
    expect(raisedPhi(at, 3, 10)).toBeCloseTo(1 + 10 * 2 + 9 * open, 9);
  });

  test('grows with a weight ramp and is seen within a minute or two, and falls with it again', () => {
    const few = many(60, [25, 2_475]);
    const half = many(24, [1_250, 1_250]);
    expect(times(...few)).toBe(1);
    const grown = times(...few, ...half);
    expect(grown).toBeGreaterThan(20);
    expect(grown).toBeLessThan(28);
    expect(times(...few, ...half, ...few, ...few)).toBe(1);
    expect(usedPhi(at, 3, seenAfter([...few, ...half, ...few]))).toMatchObject({
      phiLeast: 3,
      phi: raisedPhi(at, 3, grown),
      isPhiRaised: true,
    });
  });

  test('is not that of a single lucky window', () => {
    expect(times(...many(30, [25, 225]), [80, 225])).toBe(1);
  });

  test('is not that of a lucky minute of a dozen requests, of which chance makes half as many more', () => {
    const hardlyAny: MeasuredAt = { ...at, weight: 0.9 };
    const timesOf = (one: readonly [number, number]): number =>
      raisedTimes(
        hardlyAny,
        many(20, one).reduce<TrafficSeen>(
          (seen, [canary, baseline]) => withTraffic(hardlyAny, seen, canary, baseline, true),
          noTrafficSeen,
        ),
      );
    expect(timesOf([1.4, 9])).toBe(1);
    expect(timesOf([3, 27])).toBeCloseTo(3, 3);
    // As much more of many requests is no chance.
    expect(times(...many(20, [35, 225]))).toBeGreaterThan(1.3);
  });

  test('is the same with the cohorts swapped', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 5_000 }))),
        (windows) => {
          const swapped = windows.map(([canary, baseline]) => [baseline, canary] as const);
          expect(times(...swapped)).toBe(times(...windows));
        },
      ),
    );
  });
});

const strict: RatesRule = {
  ...errorsMetric.rule,
  tolerance: { relative: 1, absolute: 0 },
  phi: 3,
  measuredAt: at,
};

const ratesAfter = (
  windows: readonly Counts[],
  rule: RatesRule = strict,
  from?: { readonly state: RatesState; readonly index: number },
): RatesState =>
  judgeEach(
    ratesJudge,
    rule,
    windows.map(([canary, errors, baseline, baselineErrors]) => ({
      canary: canary === 0 ? null : { total: canary, events: errors },
      baseline: baseline === 0 ? null : { total: baseline, events: baselineErrors },
    })),
    from,
  );

const scattered: LatencyRule = {
  ...latencyRule,
  phi: { tails: [3, 1, 2, 1], meanLog: 3 },
  measuredAt: at,
};

describe('evidence at more traffic than in the history', () => {
  const warm = repeat(warmUpWindows, [20, 2, 20, 2]);

  test('is worth less by as much', () => {
    const windows = repeat(60, [250, 6, 250, 1]);
    const raised = ratesAfter(windows);
    const measured = ratesAfter(windows, { ...strict, measuredAt: null });
    expect(logRollbackIn(raised)).toBeLessThan(logRollbackIn(measured) / 2);
    const told = ratesJudge.explain(strict, raised);
    expect(told.phi).toBeCloseTo(raisedPhi(at, 3, 125 / 22.5), 1);
    expect(told.phiLeast).toBeCloseTo(told.phi, 1);
    expect(told.isPhiRaised).toBe(true);
    expect(told.interval.low).toBeLessThan(
      ratesJudge.explain({ ...strict, measuredAt: null }, measured).interval.low ?? 0,
    );
  });

  test('of latency is worth less in every tail and in the mean', () => {
    const windows = durationWindows(80, { slower: 1.2 });
    const after = (rule: LatencyRule): LatencyState => judgeEach(latencyJudge, rule, windows);
    const told = latencyJudge.explain(scattered, after(scattered));
    const asMeasured = { ...scattered, measuredAt: null };
    const measured = latencyJudge.explain(asMeasured, after(asMeasured));
    expect(told.meanLogEvidence).toBeLessThan(measured.meanLogEvidence ?? 0);
    for (const [index, tail] of told.tails.entries()) {
      expect(tail.isPhiRaised).toBe(true);
      expect(tail.phi).toBeGreaterThan(measured.tails[index]?.phi ?? Infinity);
      expect(tail.rollbackEvidence).toBeLessThan(measured.tails[index]?.rollbackEvidence ?? 0);
    }
  });

  test.each([
    [5, 5],
    [20, 20],
    [40, 25],
  ])(
    'is expected not to grow in a window of %i and %i, whatever came before',
    (canary, baseline) => {
      const exposure = { canary, baseline };
      const low: RatesRule = { ...strict, measuredAt: { ...at, weight: 4 } };
      for (const before of [warm, [...warm, [20, 9, 20, 1]], [...warm, [90, 5, 60, 9]]] as const) {
        const state = ratesAfter(before as readonly Counts[], low);
        const index = before.length;
        const growth = (canaryEvents: number, baselineEvents: number): number =>
          logRollbackIn(
            addToOne(
              ratesJudge,
              low,
              state,
              {
                canary: { total: canary, events: canaryEvents },
                baseline: { total: baseline, events: baselineEvents },
              },
              placeAt(index),
            ),
          ) - logRollbackIn(state);
        const phis = [growth(canary, 0), growth(0, 0)];
        expect(phis[0]).toBeGreaterThan(phis[1] ?? 0);
        for (const rate of [0.01, 0.1, 0.4])
          expect(
            binomialExpectation(exposure, { canary: rate, baseline: rate }, growth),
          ).toBeLessThanOrEqual(1 + 1e-9);
      }
    },
  );

  test('goes on from a stored state as if it had never been stored', () => {
    fc.assert(
      fc.property(stream, fc.nat(60), (windows, cut) => {
        const stored = JSON.stringify(ratesAfter(windows.slice(0, cut)));
        const state = JSON.parse(stored) as RatesState;
        const index = Math.min(cut, windows.length);
        expect(ratesAfter(windows.slice(index), strict, { state, index })).toEqual(
          ratesAfter(windows),
        );
      }),
      { numRuns: 30 },
    );
    const windows = durationWindows(warmUpWindows + 9, { canary: 60, baseline: 60 });
    for (const cut of [3, warmUpWindows, warmUpWindows + 4]) {
      const stored = JSON.stringify(judgeEach(latencyJudge, scattered, windows.slice(0, cut)));
      const resumed = judgeEach(latencyJudge, scattered, windows.slice(cut), {
        state: JSON.parse(stored) as LatencyState,
        index: cut,
      });
      expect(resumed).toEqual(judgeEach(latencyJudge, scattered, windows));
    }
  });
});

const pair = (n: number, e: number, m: number, f: number): RatePair => ({
  canary: { total: n, events: e },
  baseline: { total: m, events: f },
});
const line = { relative: 1, absolute: 0 };

describe('blocks that scatter differently', () => {
  test('count as events that come in bundles: four times as many of scatter four say the same', () => {
    const one = pair(200, 2, 300, 3);
    const four = pair(800, 8, 1_200, 12);
    const sums = addLineToDeadline(noDeadlineSums, line, one, 1);
    const fours = addLineToDeadline(noDeadlineSums, line, four, 4);
    // Their sizes differ, and one event more is a smaller step.
    const expected = sums.with(3, sums[3] * (3 / 2 - 1 / 32)).with(5, sums[5] / 4);
    fours.forEach((sum, index) => expect(sum).toBeCloseTo(expected[index] ?? 0, 5));
    expect(addToCurve(initialCurve, four, 4)).toEqual(addToCurve(initialCurve, one, 1));
  });

  test('at the deadline are weighed so that as few good canaries fail as were allowed', () => {
    const random = randomOf(1, 'blocks of two kinds', 0);
    const alpha = 0.05;
    const runs = 1_000;
    const worseIn = (phiTaken: number): number => {
      let worse = 0;
      for (let run = 0; run < runs; run += 1) {
        let sums: DeadlineSums = noDeadlineSums;
        for (let block = 0; block < 40; block += 1) {
          // The second half has ten times the traffic, and what all requests of a cohort share.
          const isLoud = block >= 20;
          const n = isLoud ? 20_000 : 2_000;
          const p = 0.02;
          const phi = 9;
          const sharedSd = isLoud ? Math.sqrt(((phi - 1) * p * (1 - p)) / n) : 0;
          const drawn = (): number =>
            binomial(random, n, Math.max(0, p + sharedSd * normal(random)));
          const shown = pair(n, drawn(), n, drawn());
          sums = addLineToDeadline(sums, line, shown, isLoud ? phiTaken : 1);
        }
        if (deadlineTest(sums, alpha).isWorse) worse += 1;
      }
      return worse / runs;
    };
    expect(worseIn(9)).toBeLessThan(1.3 * alpha);
    expect(worseIn(1)).toBeGreaterThan(2 * alpha);
  });

  test('leave the test at the deadline of a canary that is worse all the time its power', () => {
    const worse = repeat(360, [250, 3, 250, 1] as Counts);
    expect(ratesDeadline(strict, ratesAfter(worse), 0.0025).isWorse).toBe(true);
    const even = repeat(360, [250, 2, 250, 2] as Counts);
    expect(ratesDeadline(strict, ratesAfter(even), 0.0025).isWorse).toBe(false);
  });
});
