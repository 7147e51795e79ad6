import { describe, expect, test } from 'vitest';

import {
  explain,
  initialJudge,
  judgeWindow,
  verdictOf,
} from '../../../services/core/canary/judge.ts';
import { standardPreset } from '../../../services/core/canary/policy.ts';
import type { JudgePolicy } from '../../../services/core/canary/policy.ts';
import {
  decisionsOn,
  emptyWindow,
  judgeAll,
  repeat,
  windowAt,
} from '../../support/canary/streams.ts';
import type { Counts } from '../../support/canary/streams.ts';

const policy = standardPreset;

/** At 50 requests a second: 0.4 % in both cohorts; 2 % and 40 % in the canary alone. */
const healthy: Counts = [250, 1, 250, 1];
const failing: Counts = [250, 5, 250, 1];
const broken: Counts = [250, 100, 250, 1];
const noErrors: Counts = [250, 0, 250, 0];

const WARM_UP_WINDOWS = 12;
const SOAK_WINDOWS = 60;
const BLOCK_WINDOWS = 3;
const DEADLINE_WINDOWS = 360;

const verdictAfter = (windows: readonly Counts[]): ReturnType<typeof verdictOf> =>
  verdictOf(policy, judgeAll(policy, windows));

describe('the verdict is', () => {
  test('inconclusive, warming, before the first window', () => {
    expect(verdictOf(policy, initialJudge(policy))).toEqual({
      outcome: 'inconclusive',
      reason: 'warming',
      missing: ['warm-up', 'soak', 'promote-evidence'],
    });
  });

  test('inconclusive, warming, however bad the warm-up is', () => {
    expect(verdictAfter(repeat(WARM_UP_WINDOWS, broken))).toMatchObject({ reason: 'warming' });
  });

  test('fail once a canary fails more often than tolerated for long enough', () => {
    const verdict = verdictAfter(repeat(40, failing));
    expect(verdict).toMatchObject({
      outcome: 'fail',
      reasons: [{ metric: 'errors', code: 'worse-than-tolerated', evidenceNeeded: 200 }],
    });
  });

  test('pass once a healthy canary has soaked', () => {
    expect(verdictAfter(repeat(SOAK_WINDOWS - 1, healthy))).toMatchObject({
      outcome: 'inconclusive',
      reason: 'collecting',
    });
    expect(verdictAfter(repeat(SOAK_WINDOWS + 15, healthy))).toMatchObject({
      outcome: 'pass',
      reasons: [{ metric: 'errors', code: 'within-promote-tolerance', evidenceNeeded: 20 }],
    });
  });

  test('pass after the soak when neither cohort ever has an error', () => {
    expect(verdictAfter(repeat(SOAK_WINDOWS, [5_000, 0, 5_000, 0])).outcome).toBe('pass');
  });

  test('inconclusive for errors within the tolerance but not within the promote tolerance', () => {
    // 0.4 % against 0.8 %, in a policy that tolerates 2x and promotes below 2.1x.
    const narrow: JudgePolicy = {
      ...policy,
      tolerance: { relative: 2, absolute: 0 },
      promoteTolerance: { relative: 2.1, absolute: 0 },
    };
    const state = judgeAll(narrow, repeat(DEADLINE_WINDOWS, [250, 2, 250, 1]));
    expect(verdictOf(narrow, state)).toEqual({
      outcome: 'inconclusive',
      reason: 'deadline',
      missing: ['promote-evidence'],
    });
  });

  test('inconclusive, no-data, as soon as the canary has been silent for two minutes', () => {
    const silent: Counts = [0, 0, 250, 1];
    const before = [...repeat(30, healthy), ...repeat(23, silent)];
    expect(verdictAfter(before)).toMatchObject({ reason: 'collecting' });
    expect(verdictAfter([...before, silent])).toMatchObject({
      outcome: 'inconclusive',
      reason: 'no-data',
      missing: ['canary-requests', 'soak', 'promote-evidence'],
    });
  });

  test('inconclusive, no-data, when the baseline falls silent or nothing ever comes', () => {
    expect(verdictAfter(repeat(24, [250, 1, 0, 0]))).toMatchObject({
      missing: ['baseline-requests', 'warm-up', 'soak', 'promote-evidence'],
    });
    expect(verdictAfter(repeat(24, emptyWindow))).toMatchObject({ reason: 'no-data' });
  });
});

describe('a pass', () => {
  test('is never given in a window without requests in both cohorts', () => {
    // The evidence suffices long before the soak is over; then the canary falls silent.
    const early = repeat(SOAK_WINDOWS - 1, [5_000, 0, 5_000, 0]);
    expect(explain(policy, judgeAll(policy, early)).metrics[0]?.promoteEvidence).toBeGreaterThan(
      20,
    );
    for (const gap of [emptyWindow, [0, 0, 5_000, 0], [5_000, 0, 0, 0]] as const) {
      expect(verdictAfter([...early, ...repeat(20, gap)]).outcome).toBe('inconclusive');
    }
    expect(verdictAfter([...early, noErrors]).outcome).toBe('pass');
  });

  test('is vetoed while there is some evidence of a regression', () => {
    // Between the two lines (0.49 % and 0.8 %) both kinds of evidence grow.
    const between: Counts = [5_000, 34, 5_000, 20];
    const patient: JudgePolicy = { ...policy, alphaAnytime: 1e-30 };
    const state = judgeAll(patient, repeat(SOAK_WINDOWS, between));
    expect(state.metrics.errors.logPromote).toBeGreaterThan(Math.log(20));
    expect(state.metrics.errors.logRollback).toBeGreaterThan(Math.log(5));
    expect(verdictOf(patient, state)).toMatchObject({ reason: 'collecting', missing: ['veto'] });
  });

  test('does not keep a later regression from failing', () => {
    const late = [...repeat(120, healthy), ...repeat(30, failing)];
    const actions = decisionsOn(policy, late).map(({ decision }) => decision.action);
    expect(actions).toEqual(['promote', 'roll-back']);
  });
});

describe('evidence', () => {
  test('of one bad block is at most the cap, and three blocks are not enough', () => {
    const calm = repeat(WARM_UP_WINDOWS + 30, noErrors);
    const before = judgeAll(policy, calm);
    const after = judgeAll(policy, repeat(BLOCK_WINDOWS, broken), before);
    const gains = after.metrics.errors.rollback.settled.map(
      (sum, component) => sum - (before.metrics.errors.rollback.settled[component] ?? 0),
    );
    expect(Math.max(...gains)).toBeCloseTo(policy.blockCapNats, 12);
    const gain = after.metrics.errors.logRollback - before.metrics.errors.logRollback;
    expect(gain).toBeGreaterThan(0);
    expect(gain).toBeLessThanOrEqual(policy.blockCapNats);
    const threeBlocks = judgeAll(policy, repeat(3 * BLOCK_WINDOWS, broken), before);
    expect(verdictOf(policy, threeBlocks).outcome).toBe('inconclusive');
    expect(explain(policy, threeBlocks).metrics[0]?.cappedBlocks).toBe(3);
  });

  test('would jump over the line in that block without the cap', () => {
    const uncapped: JudgePolicy = { ...policy, blockCapNats: 1e9 };
    const windows = [...repeat(WARM_UP_WINDOWS + 30, noErrors), broken];
    expect(verdictOf(uncapped, judgeAll(uncapped, windows)).outcome).toBe('fail');
  });

  test('gathers sooner after a restart when a regression begins late', () => {
    const windows = [...repeat(240, healthy), ...repeat(60, [250, 3, 250, 1] as const)];
    const without: JudgePolicy = { ...policy, restarts: { ...policy.restarts, count: 0 } };
    const failedAt = (given: JudgePolicy): number =>
      judgeAll(given, windows).failed?.index ?? Number.POSITIVE_INFINITY;
    expect(failedAt(policy)).toBeLessThan(failedAt(without));
  });

  test('grows more slowly when the counts scatter more than independent requests', () => {
    const initial = initialJudge(policy);
    const scattered = {
      ...initial,
      metrics: { errors: { ...initial.metrics.errors, dispersion: 4 } },
    };
    const windows = repeat(20, failing);
    const plain = judgeAll(policy, windows).metrics.errors.logRollback;
    expect(judgeAll(policy, windows, scattered).metrics.errors.logRollback).toBeLessThan(plain);
  });

  test('does not come from 0.02 % where the baseline has no errors at all', () => {
    const rare = Array.from({ length: DEADLINE_WINDOWS }, (_, index): Counts => [
      250,
      index % 20 === 0 ? 1 : 0,
      250,
      0,
    ]);
    expect(judgeAll(policy, rare).failed).toBeNull();
  });
});

describe('the explanation', () => {
  test('holds the counts after the warm-up, ratio, interval, line and the windows that spoke', () => {
    const windows = [
      ...repeat(WARM_UP_WINDOWS, broken),
      ...repeat(20, [250, 3, 250, 1] as const),
      failing,
      ...repeat(3, healthy),
    ];
    const explanation = explain(policy, judgeAll(policy, windows));
    expect(explanation).toMatchObject({
      evidenceNeeded: 200,
      promoteEvidenceNeeded: 20,
      windows: 36,
    });
    const [errors] = explanation.metrics;
    expect(errors).toMatchObject({
      metric: 'errors',
      canary: { requests: 6_000, errors: 68 },
      baseline: { requests: 6_000, errors: 24 },
      interval: { confidence: 0.99 },
      dispersion: 1,
    });
    expect(errors?.ratio).toBeCloseTo(68 / 24, 12);
    expect(errors?.interval.low).toBeLessThan(68 / 24);
    expect(errors?.interval.high).toBeGreaterThan(68 / 24);
    expect(errors?.toleratedRate).toBeCloseTo(1.1 * 0.004 + 0.0005, 12);
    expect(errors?.strongestWindows).toHaveLength(3);
    expect(errors?.strongestWindows[0]).toMatchObject({
      index: 32,
      startMs: 160_000,
      canary: { requests: 250, errors: 5 },
    });
  });

  test('keeps the evidence of the first crossing, whatever comes after it', () => {
    const crossed = judgeAll(policy, repeat(40, failing));
    const later = judgeAll(policy, repeat(100, [250, 0, 250, 5]), crossed);
    expect(later.metrics.errors.logRollback).toBeLessThan(Math.log(200));
    expect(verdictOf(policy, later)).toEqual(verdictOf(policy, crossed));
    expect(explain(policy, later).firstCrossed).toEqual(explain(policy, crossed).firstCrossed);
  });

  test('names the window of the first crossing', () => {
    const state = judgeAll(policy, repeat(60, failing));
    const { firstCrossed } = explain(policy, state);
    expect(firstCrossed).toEqual({ index: state.failed?.index, startMs: expect.any(Number) });
    const before = judgeAll(policy, repeat(firstCrossed?.index ?? 0, failing));
    expect(before.failed).toBeNull();
  });
});

describe('a window is refused by a throw when', () => {
  const refusedWindows: readonly [why: string, index: number, counts: Counts][] = [
    ['it comes twice or out of order', 1, healthy],
    ['it has more errors than requests', 0, [1, 2, 1, 0]],
    ['it has a negative count', 0, [-1, 0, 1, 0]],
    ['it has half a request', 0, [0.5, 0, 1, 0]],
    ['it has no number', 0, [Number.NaN, 0, 1, 0]],
  ];
  test.each(refusedWindows)('%s', (_why, index, counts) => {
    const window = windowAt(policy, index, counts);
    expect(() => judgeWindow(policy, initialJudge(policy), window)).toThrow(RangeError);
  });
});
