import { describe, expect, test } from 'vitest';
import type { Outlook } from '../../../../services/core/canary/policy/plan-policy.ts';
import {
  changesThatHelp,
  planPolicy,
} from '../../../../services/core/canary/policy/plan-policy.ts';
import type { Policy } from '../../../../services/core/canary/policy/policy.ts';
import { presets } from '../../../../services/core/canary/policy/presets.ts';
import { policyOf } from '../../../support/canary/policies.ts';

const at = (canaryRps: number, baselineRps: number, over: Partial<Outlook> = {}): Outlook => ({
  traffic: [{ fromSeconds: 0, canaryRps, baselineRps }],
  baselineErrorRate: 0.005,
  dispersion: 1,
  latencySpread: 0.8,
  noBound: [],
  ...over,
});

const foundBy = (policy: Policy, outlook: Outlook, id: string): number | null =>
  planPolicy(policy, outlook).metrics.find((metric) => metric.id === id)?.found ?? null;

describe('a plan', () => {
  /** Simulated medians of canaries as good as their baseline, in seconds after the warm-up. */
  test.each([
    [50, 50, 95, 160],
    [5, 45, 475, 870],
    [5, 5, 870, 1435],
  ])(
    'at %d and %d requests a second says when a good canary has shown it, as simulated',
    (canary, baseline, errors, latency) => {
      const { metrics } = planPolicy(presets.standard, at(canary, baseline));
      const shownSeconds = metrics.slice(0, 2).map(({ shownMs }) => (shownMs ?? 0) / 1_000 - 60);
      expect((shownSeconds[0] ?? 0) / errors).toBeGreaterThan(0.95);
      expect((shownSeconds[0] ?? 0) / errors).toBeLessThan(1.25);
      expect((shownSeconds[1] ?? 0) / latency).toBeGreaterThan(0.95);
      expect((shownSeconds[1] ?? 0) / latency).toBeLessThan(1.25);
    },
  );

  test('promotes after the soak where there is much traffic, and waits for the slowest metric where there is little', () => {
    expect(planPolicy(presets.standard, at(50, 450))).toMatchObject({
      promotionMs: 300_000,
      promotionWaitsFor: null,
    });
    expect(planPolicy(presets.standard, at(5, 45))).toMatchObject({ promotionWaitsFor: 'latency' });
    expect(planPolicy(presets.standard, at(0.2, 1.8))).toMatchObject({
      promotionMs: null,
      promotionWaitsFor: 'errors',
    });
  });

  test('finds less the less traffic there is, never below what is tolerated', () => {
    for (const id of ['errors', 'latency']) {
      const found = [500, 50, 5, 0.5].map(
        (rps) => foundBy(presets.standard, at(rps, rps), id) ?? Infinity,
      );
      expect(found).toEqual(found.toSorted((a, b) => a - b));
      expect(found[0]).toBeGreaterThan(id === 'errors' ? 0.006 : 1.0443);
    }
  });

  test('finds more where counts scatter as chance does', () => {
    const [unknown, known] = [2, 1].map((dispersion) =>
      foundBy(presets.standard, at(5, 45, { dispersion }), 'errors'),
    );
    expect(unknown).toBeGreaterThan(known ?? Infinity);
  });

  test('counts nothing of the warm-up, and what comes after the deadline', () => {
    const none = { traffic: [{ fromSeconds: 1_800, canaryRps: 1e6, baselineRps: 1e6 }] };
    expect(foundBy(presets.standard, at(0, 0, none), 'errors')).toBeNull();
    const warm = {
      traffic: [
        { fromSeconds: 0, canaryRps: 1e6, baselineRps: 1e6 },
        { fromSeconds: 60, canaryRps: 5, baselineRps: 45 },
      ],
    };
    expect(foundBy(presets.standard, at(0, 0, warm), 'errors')).toBe(
      foundBy(presets.standard, at(5, 45), 'errors'),
    );
  });

  test('of a share that rises lies between the plans of its ends', () => {
    const rising = {
      traffic: [
        { fromSeconds: 0, canaryRps: 1, baselineRps: 99 },
        { fromSeconds: 900, canaryRps: 25, baselineRps: 75 },
      ],
    };
    const found = foundBy(presets.standard, at(0, 0, rising), 'errors') ?? 0;
    expect(found).toBeLessThan(foundBy(presets.standard, at(1, 99), 'errors') ?? 0);
    expect(found).toBeGreaterThan(foundBy(presets.standard, at(25, 75), 'errors') ?? Infinity);
  });

  test('says of levels and of routes that the traffic does not tell', () => {
    const { policy } = policyOf({
      metrics: [{ name: 'errors', per: { attribute: 'route', values: ['/a', '/b'] } }],
    });
    const { metrics } = planPolicy(policy, at(5, 45));
    expect(
      metrics.map(({ id, isFiltered, tolerated }) => [id, isFiltered, tolerated !== null]),
    ).toEqual([
      ['latency', false, true],
      ['cpu', false, false],
      ['memory', false, false],
      ['traffic', false, false],
      ['errors{route=/a}', true, true],
      ['errors{route=/b}', true, true],
    ]);
  });
});

describe('what would help', () => {
  test('is what shows clearly more than the plan as it is', () => {
    const changes = changesThatHelp(presets.standard, at(5, 45, { dispersion: 2 }));
    expect(changes.map(({ change }) => change)).toEqual([
      'history of both versions alike',
      'twice the traffic to the canary',
      '1.1 times the traffic',
      'deadline: 1h',
      'the tolerances of preset: sensitive',
    ]);
  });

  test('with little traffic, how many times that would be enough', () => {
    for (const [canary, baseline] of [
      [0.2, 1.8],
      [1, 1],
    ] as const) {
      const changes = changesThatHelp(presets.standard, at(canary, baseline));
      const more = changes.find(({ change }) => change.endsWith(' times the traffic'));
      const times = Number(more?.change.split(' ')[0]);
      expect(more?.plan.promotionMs).toBeLessThanOrEqual(presets.standard.deadlineMs);
      const less = planPolicy(
        presets.standard,
        at((canary * times) / 1.2, (baseline * times) / 1.2),
      );
      expect(less.promotionMs).toBe(null);
    }
  });

  test('is not what was done already', () => {
    const changes = changesThatHelp(presets.sensitive, at(50, 50));
    expect(changes.map(({ change }) => change)).toEqual(['deadline: 1h']);
  });

  test('is not a deadline beyond a day', () => {
    const { policy } = policyOf({ deadline: '1d' });
    const changes = changesThatHelp(policy, at(5, 45, { dispersion: 2 }));
    expect(changes.map(({ change }) => change)).not.toContain('deadline: 1d');
  });
});
