import { describe, expect, test } from 'vitest';
import {
  completeNoise,
  familyRuleOf,
} from '../../../../services/core/canary/policy/family-rule.ts';
import { presets } from '../../../../services/core/canary/policy/presets.ts';
import { policyOf } from '../../../support/canary/policies.ts';

const { standard } = presets;
const ruleOf = (id: string, windowMs = 5_000) =>
  familyRuleOf(standard, [], windowMs).metrics.find((metric) => metric.id === id);

describe('the rule of a family', () => {
  test('has the times and the budget of its policy; half is kept for the deadline', () => {
    expect(familyRuleOf(standard, [], 15_000)).toMatchObject({
      windowMs: 15_000,
      warmUpMs: 60_000,
      soakMs: 300_000,
      deadlineMs: 1_800_000,
      restartsEveryMs: 300_000,
      alphaAnytime: 0.005,
      alphaDeadline: 0.005,
      beta: 0.05,
      vetoEvidence: 5,
    });
  });

  test('gives each further independent attempt half of the budget before it', () => {
    const alphas = [0, 1, 2].map((before) => familyRuleOf(standard, [], 5_000, before));
    expect(alphas.map(({ alphaAnytime, alphaDeadline }) => [alphaAnytime, alphaDeadline])).toEqual([
      [0.005, 0.005],
      [0.0025, 0.0025],
      [0.00125, 0.00125],
    ]);
  });

  test('judges errors by the numbers that were calibrated', () => {
    expect(ruleOf('errors')).toEqual({
      id: 'errors',
      weight: 0.5,
      critical: true,
      judged: 'errors',
      rule: {
        blockCapNats: 1.5,
        restarts: { count: 5, weightEach: 0.03 },
        tolerance: { relative: 1.1, absolute: 0.0005 },
        promoteTolerance: { relative: 1.5, absolute: 0.002 },
        grids: {
          rollback: [1.3, 1.8, 3.4, 9, 13, 20, 35],
          logShares: [0.1, 0.12, 0.16, 0.2, 0.16, 0.14, 0.12].map((share) => Math.log(share)),
          promote: [0.2, 0.35, 0.5, 0.65, 0.8],
        },
        prior: { rate: 0.005, total: 100 },
        burstBlocks: 8,
        measuredAt: null,
        phi: 2,
      },
    });
  });

  test('takes latency margins as shares', () => {
    expect(ruleOf('latency')).toMatchObject({
      rule: {
        margin: expect.closeTo(0.0443, 12) as number,
        promoteMargin: expect.closeTo(0.139, 12) as number,
      },
    });
  });

  test('without history says that nothing is known, and takes counts to scatter twice as much', () => {
    expect(completeNoise(standard, [])).toEqual([
      { id: 'errors', judged: 'errors', batches: 0, note: 'unknown', phi: 2 },
      {
        id: 'latency',
        judged: 'latency',
        batches: 0,
        note: 'unknown',
        phi: { tails: [2, 2, 2, 2], meanLog: 2 },
      },
      { id: 'cpu', judged: 'level', batches: 0, note: 'unknown', variance: null },
      { id: 'memory', judged: 'level', batches: 0, note: 'unknown', variance: null },
      { id: 'traffic', judged: 'traffic', batches: 0, note: 'unknown', phi: 2 },
    ]);
  });

  test('takes what history says of a metric, and of another kind of metric nothing', () => {
    const noise = [
      { id: 'errors', judged: 'errors', batches: 72, note: 'measured', phi: 7 },
      { id: 'latency', judged: 'errors', batches: 72, note: 'measured', phi: 9 },
    ] as const;
    const [errors, latency] = familyRuleOf(standard, noise, 5_000).metrics;
    expect(errors).toMatchObject({ rule: { phi: 7 } });
    expect(latency).toMatchObject({ rule: { phi: { meanLog: 2 } } });
  });

  test('takes phi with the traffic that it was measured at, counted in windows', () => {
    const noise = [
      { id: 'errors', judged: 'errors', batches: 72, note: 'measured', phi: 7, weight: 600 },
      {
        id: 'latency',
        judged: 'latency',
        batches: 60,
        note: 'measured',
        phi: { tails: [1, 2, 1, 2], meanLog: 3 },
        weight: 1_200,
      },
    ] as const;
    const of = (windowMs: number): readonly unknown[] =>
      familyRuleOf(standard, noise, windowMs).metrics.slice(0, 2);
    expect(of(5_000)).toMatchObject([
      { rule: { measuredAt: { weight: 10, batches: 72, kept: Math.exp(-1 / 12) } } },
      { rule: { measuredAt: { weight: 20, batches: 60 } } },
    ]);
    expect(of(60_000)).toMatchObject([
      { rule: { measuredAt: { weight: 120, kept: Math.exp(-1) } } },
      { rule: { measuredAt: { weight: 240 } } },
    ]);
    const [unweighed, unmeasured] = familyRuleOf(
      standard,
      [{ id: 'errors', judged: 'errors', batches: 72, note: 'measured', phi: 7 }],
      5_000,
    ).metrics;
    expect(unweighed).toMatchObject({ rule: { phi: 7, measuredAt: null } });
    expect(unmeasured).toMatchObject({ rule: { phi: { meanLog: 2 }, measuredAt: null } });
  });

  test('a level scatters less in a longer window, and is batched by the minute', () => {
    const noise = [
      { id: 'cpu', judged: 'level', batches: 72, note: 'measured', variance: 0.06 },
    ] as const;
    const cpu = [5_000, 15_000, 60_000, 120_000].map(
      (windowMs) => familyRuleOf(standard, noise, windowMs).metrics[2],
    );
    expect(cpu).toMatchObject([
      { rule: { variance: 0.012, windowsPerBatch: 12 } },
      { rule: { variance: 0.004, windowsPerBatch: 4 } },
      { rule: { variance: 0.001, windowsPerBatch: 1 } },
      { rule: { variance: 0.0005, windowsPerBatch: 1 } },
    ]);
  });

  test('waits half a minute after the traffic was shifted', () => {
    expect([5_000, 15_000, 60_000].map((windowMs) => ruleOf('traffic', windowMs))).toMatchObject([
      { rule: { settleWindows: 6, least: 0.8, promoteLeast: 0.67 } },
      { rule: { settleWindows: 2 } },
      { rule: { settleWindows: 1 } },
    ]);
  });

  test('has one metric for each route of a policy that judges routes', () => {
    const { policy } = policyOf({
      metrics: [{ name: 'latency', per: { attribute: 'http.route', values: ['/pay', '/cart'] } }],
    });
    expect(familyRuleOf(policy, [], 5_000).metrics.map(({ id, weight }) => [id, weight])).toEqual([
      ['errors', 0.5],
      ['cpu', 0.05],
      ['memory', 0.05],
      ['traffic', 0.05],
      ['latency{http.route=/pay}', 0.175],
      ['latency{http.route=/cart}', 0.175],
    ]);
  });
});
