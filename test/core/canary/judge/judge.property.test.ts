import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { decide } from '../../../../services/core/canary/judge/decide.ts';
import { logEvidence } from '../../../../services/core/canary/judge/family-evidence.ts';
import {
  carriedEvidence,
  initialFamily,
  judgeWindow,
} from '../../../../services/core/canary/judge/judge.ts';
import type { FamilyRule } from '../../../../services/core/canary/judge/rule.ts';
import type { CarriedEvidence, FamilyState } from '../../../../services/core/canary/judge/state.ts';
import { explain, verdictOf } from '../../../../services/core/canary/judge/verdict-of.ts';
import type { MetricPart } from '../../../../services/core/canary/judge/verdict.ts';
import { binomialExpectation } from '../../../support/canary/exact-expectation.ts';
import {
  cpuMetric,
  decisionsOn,
  errorsMetric,
  familyRule,
  healthy,
  judgeShown,
  latencyMetric,
  rate,
  trafficMetric,
  windowOf,
} from '../../../support/canary/family.ts';
import type { Shown } from '../../../support/canary/family.ts';
import { durationWindows } from '../../../support/canary/metric-windows.ts';

const durations = [1, 1.3, 2].flatMap((slower) =>
  durationWindows(4, { slower, canary: 60, baseline: 60 }),
);
const coarse = durationWindows(4, { explicit: true, canary: 60, baseline: 60 });

const orNothing = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> =>
  fc.option(arbitrary, { freq: 6 });

const count = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 250 }));
const level = orNothing(
  fc.record({ mean: fc.double({ min: 0.01, max: 2, noNaN: true }), series: fc.constant(3) }),
);

/** One window of everything, in which any cohort may show nothing of any metric. */
const shown: fc.Arbitrary<Shown> = fc.record({
  errors: fc.record({
    canary: orNothing(count.map((events) => ({ total: 250, events }))),
    baseline: orNothing(count.map((events) => ({ total: 250, events }))),
  }),
  latency: fc
    .tuple(fc.constantFrom(...durations, ...coarse), fc.boolean(), fc.boolean())
    .map(([pair, hasCanary, hasBaseline]) => ({
      canary: hasCanary ? pair.canary : null,
      baseline: hasBaseline ? pair.baseline : null,
    })),
  level: fc.record({ canary: level, baseline: level }),
  traffic: fc.record({ canary: orNothing(count), baseline: orNothing(count) }),
  share: orNothing(fc.constantFrom(0.5, 0.5, 0.1)),
});

const short: Partial<FamilyRule> = {
  warmUpMs: 10_000,
  soakMs: 40_000,
  noDataMs: 20_000,
  deadlineMs: 300_000,
  bakeMs: 60_000,
  restartsEveryMs: 30_000,
};
const rule = familyRule(undefined, short);
const stream = fc.array(shown, { maxLength: 70 });

const swapped = ({ errors, latency, level: levels, traffic, share = null }: Shown): Shown => ({
  errors: { canary: errors?.baseline ?? null, baseline: errors?.canary ?? null },
  latency: { canary: latency?.baseline ?? null, baseline: latency?.canary ?? null },
  level: { canary: levels?.baseline ?? null, baseline: levels?.canary ?? null },
  traffic: { canary: traffic?.baseline ?? null, baseline: traffic?.canary ?? null },
  share: share === null ? null : 1 - share,
});

type Compared = Pick<
  Extract<MetricPart['explained'], { readonly judged: 'errors' }>,
  'ratio' | 'interval'
>;

/** 0 and open (null) are each other's inverse. */
const inverse = (ratio: number | null): number | null => {
  if (ratio === null) return 0;
  return ratio === 0 ? null : 1 / ratio;
};
const expectNear = (actual: number | null, expected: number | null, slack: number): void => {
  if (actual === null || expected === null) expect(actual).toBe(expected);
  else expect(Math.abs(actual - expected)).toBeLessThanOrEqual(slack * Math.abs(expected));
};
const expectInverse = (straight: Compared, mirrored: Compared, slack: number): void => {
  // Nothing seen is nothing either way.
  if (straight.ratio !== null || mirrored.ratio !== null)
    expectNear(mirrored.ratio, inverse(straight.ratio), 1e-9);
  const { low, high } = straight.interval;
  expectNear(mirrored.interval.low, high === null ? null : 1 / high, slack);
  expectNear(mirrored.interval.high, low === null ? null : 1 / low, slack);
};

describe('swapped cohorts', () => {
  test('invert every ratio and its interval', () => {
    // Nothing is settled in so few windows of little evidence, so both streams are taken in whole.
    const open = { ...rule, alphaAnytime: 1e-300, beta: 0 };
    fc.assert(
      fc.property(stream, (windows) => {
        const straight = explain(open, judgeShown(open, windows)).metrics;
        const mirrored = explain(open, judgeShown(open, windows.map(swapped))).metrics;
        for (const [index, { explained }] of straight.entries()) {
          const other = mirrored[index]?.explained;
          if (explained.judged === 'latency' || other === undefined || other.judged === 'latency')
            continue;
          expectInverse(explained, other, 1e-3);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('are not rolled back both: what is worse one way is not worse the other way', () => {
    const bad = fc.array(
      fc
        .tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 8 }))
        .map(([canary, baseline]): Shown => ({ errors: rate(canary, baseline) })),
      { minLength: 30, maxLength: 60 },
    );
    const isRolledBack = (windows: readonly Shown[]): boolean =>
      judgeShown(rule, windows).failed?.code === 'worse-than-tolerated';
    fc.assert(
      fc.property(bad, (windows) => {
        expect(isRolledBack(windows) && isRolledBack(windows.map(swapped))).toBe(false);
      }),
      { numRuns: 100 },
    );
  });
});

test('a metric that is never seen changes nothing: the verdict is that of a family without it', () => {
  // Presence is decided with the warm-up, when nothing is evidence yet.
  const prompt = { ...short, noDataMs: 10_000 };
  const whole = familyRule(
    [errorsMetric, cpuMetric, latencyMetric, { ...cpuMetric, id: 'disk', weight: 0.7 }],
    prompt,
  );
  const part = familyRule([errorsMetric, latencyMetric], prompt);
  fc.assert(
    fc.property(fc.array(shown, { maxLength: 70 }), (windows) => {
      const bare = windows.map(({ errors, latency }) => ({ errors, latency }) as Shown);
      const withIt = decisionsOn(whole, bare);
      const without = decisionsOn(part, bare);
      const seen = ({
        decision: { explanation, ...decision },
        window,
      }: (typeof withIt.said)[number]): string =>
        JSON.stringify({
          window,
          decision,
          explanation: {
            ...explanation,
            metrics: explanation.metrics.filter(
              ({ presence, weight }) => presence !== 'none' || weight > 0,
            ),
          },
        });
      // Before presence is decided the listing has metrics that may still come.
      if (withIt.state.presenceIndex === null) return;
      expect(withIt.said.filter(({ window }) => window >= 3).map(seen)).toEqual(
        without.said.filter(({ window }) => window >= 3).map(seen),
      );
      expect(verdictOf(whole, withIt.state)).toEqual(verdictOf(part, without.state));
    }),
    { numRuns: 60 },
  );
});

test('a metric that falls silent in either cohort, whenever that is, promotes nobody later than the limit of silence', () => {
  const kinds = ['errors', 'latency', 'level', 'traffic'] as const;
  const cohorts = ['canary', 'baseline'] as const;
  /** Mostly what passes soon, and sometimes anything. */
  const windows = fc.array(
    fc.oneof({ weight: 30, arbitrary: fc.constant(healthy) }, { weight: 1, arbitrary: shown }),
    { minLength: 60, maxLength: 60 },
  );
  const anyTimes = fc.record({
    soakMs: fc.integer({ min: 8, max: 50 }).map((many) => many * rule.windowMs),
    noDataMs: fc.integer({ min: 3, max: 8 }).map((many) => many * rule.windowMs),
    steps: fc.constantFrom([], [0.6]),
  });
  const laterWithout = new Set<string>();
  fc.assert(
    fc.property(
      windows,
      anyTimes,
      fc.constantFrom(...kinds),
      fc.constantFrom(...cohorts),
      fc.integer({ min: 0, max: 50 }),
      (heard, changed, kind, cohort, from) => {
        const family = familyRule(undefined, { ...short, ...changed });
        const silent = heard.map((one, index): Shown => {
          const { canary = null, baseline = null } = one[kind] ?? {};
          const pair = { canary, baseline, ...(index < from ? {} : { [cohort]: null }) };
          return { ...one, [kind]: pair };
        });
        const lastPassed = (of: readonly Shown[]): number =>
          Math.max(
            -1,
            ...decisionsOn(family, of).said.flatMap(({ window, decision: { action } }) =>
              action === 'promote' || action === 'advance' ? [window] : [],
            ),
          );
        // Its last window was the one before, and the limit counts from there.
        const silentFrom = from - 1 + changed.noDataMs / family.windowMs;
        expect(lastPassed(silent)).toBeLessThan(Math.max(0, silentFrom));
        if (lastPassed(heard) >= silentFrom) laterWithout.add(`${kind} ${cohort}`);
      },
    ),
    { numRuns: 300 },
  );
  // Without this the law could hold because nothing was ever promoted so late.
  expect(laterWithout.size).toBe(kinds.length * cohorts.length);
});

test('a state put away as JSON anywhere goes on to the same bytes', () => {
  fc.assert(
    fc.property(stream, fc.nat(70), (windows, at) => {
      const straight = decisionsOn(rule, windows);
      const before = decisionsOn(rule, windows.slice(0, at));
      const kept = JSON.parse(JSON.stringify(before.state)) as FamilyState;
      const after = decisionsOn(rule, windows.slice(at), kept);
      expect(JSON.stringify(after.state)).toBe(JSON.stringify(straight.state));
      expect(JSON.stringify([...before.said, ...after.said])).toBe(JSON.stringify(straight.said));
    }),
    { numRuns: 60 },
  );
});

test('what came in is not touched', () => {
  fc.assert(
    fc.property(stream, (windows) => {
      let state = initialFamily(rule);
      for (const [index, window] of windows.entries()) {
        const text = JSON.stringify(state);
        const next = judgeWindow(rule, state, windowOf(rule, index, window));
        expect(JSON.stringify(state)).toBe(text);
        expect(decide(rule, next)).toEqual(decide(rule, next));
        state = next;
      }
    }),
    { numRuns: 20 },
  );
});

describe('the combined evidence is not expected to grow while no metric is worse than tolerated', () => {
  /** Two rates that see the same requests: as dependent as can be. */
  const twins = familyRule(
    [errorsMetric, { ...errorsMetric, id: 'again', weight: 0.3 }, cpuMetric, trafficMetric],
    { ...short, alphaAnytime: 1e-300, beta: 0 },
  );
  const past = fc.array(
    fc.record({
      errors: fc
        .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }))
        .map(([canary, baseline]) => rate(canary, baseline, 40)),
    }),
    { minLength: 1, maxLength: 30 },
  );

  test.each([
    ['from the beginning', null],
    [
      'from what an earlier attempt left',
      {
        attempts: 1,
        deadlineTested: false,
        metrics: [
          { id: 'errors', logCapital: 1.5, logPromote: 0, worseAtDeadline: null },
          { id: 'traffic', logCapital: -1, logPromote: 0, worseAtDeadline: null },
          { id: 'gone', logCapital: 0.5, logPromote: 0, worseAtDeadline: null },
        ],
      } satisfies CarriedEvidence,
    ],
  ])('over any window, that in which presence is decided included, %s', (_, carried) => {
    fc.assert(
      fc.property(past, fc.constantFrom(0.005, 0.05, 0.3), (windows, baseline) => {
        const before = judgeShown(twins, windows, initialFamily(twins, carried));
        const index = before.nextIndex;
        const growth = (canaryErrors: number, baselineErrors: number): number => {
          const next = judgeWindow(
            twins,
            before,
            windowOf(twins, index, { errors: rate(canaryErrors, baselineErrors, 12) }),
          );
          return logEvidence(twins, next) - logEvidence(twins, before);
        };
        for (const canary of [1.1 * baseline + 0.0005, 0.5 * baseline])
          expect(
            binomialExpectation({ canary: 12, baseline: 12 }, { canary, baseline }, growth),
          ).toBeLessThanOrEqual(1 + 1e-9);
      }),
      { numRuns: 15 },
    );
  });

  test('and deciding presence late creates none', () => {
    const late = { ...twins, warmUpMs: 0, noDataMs: 60_000 };
    fc.assert(
      fc.property(past, (windows) => {
        const filler = Array.from({ length: 12 }, (): Shown => ({ errors: rate(1, 0, 40) }));
        const before = judgeShown(late, [...windows, ...filler].slice(0, 12));
        expect(before.presenceIndex).toBeNull();
        // A window without requests, with which nothing but the stakes changes.
        const after = judgeShown(late, [{}], before);
        expect(after.presenceIndex).toBe(12);
        expect(after.logStakes.slice(2)).toEqual([null, null]);
        // Rounded down, by millionths.
        expect(logEvidence(late, after)).toBeCloseTo(logEvidence(late, before), 4);
        expect(logEvidence(late, after)).toBeLessThanOrEqual(logEvidence(late, before) + 1e-9);
      }),
      { numRuns: 30 },
    );
  });
});

describe('what is carried over', () => {
  const open = { ...rule, alphaAnytime: 1e-300, beta: 0 };

  test('is worth what it was, whatever metrics have come and gone', () => {
    const others = familyRule(
      [{ ...errorsMetric, weight: 2 }, cpuMetric, { ...cpuMetric, id: 'disk' }],
      short,
    );
    fc.assert(
      fc.property(stream, (windows) => {
        const state = judgeShown(open, windows);
        const carried = carriedEvidence(open, state);
        expect(JSON.parse(JSON.stringify(carried))).toEqual(carried);
        for (const next of [open, others])
          expect(logEvidence(next, initialFamily(next, carried))).toBeCloseTo(
            logEvidence(open, state),
            9,
          );
      }),
      { numRuns: 40 },
    );
  });

  test('may be as much as it likes', () => {
    for (const logCapital of [2_000, -2_000]) {
      const carried: CarriedEvidence = {
        attempts: 900,
        deadlineTested: false,
        metrics: [{ id: 'errors', logCapital, logPromote: 0, worseAtDeadline: null }],
      };
      expect(logEvidence(rule, initialFamily(rule, carried))).toBeCloseTo(logCapital, 9);
    }
  });

  test('is a product: the retry of a canary that was rolled back is rolled back with its first judged window', () => {
    const bad = Array.from({ length: 40 }, (): Shown => ({ errors: rate(10, 1) }));
    const failed = judgeShown(rule, bad);
    const carried = carriedEvidence(rule, failed);
    const good = Array.from({ length: 40 }, (): Shown => ({ errors: rate(1, 1) }));
    const { said, state } = decisionsOn(rule, good, initialFamily(rule, carried));
    expect(said.map(({ window, decision }) => [decision.action, window])).toEqual([
      ['roll-back', 2],
    ]);
    expect(explain(rule, state).carried).toMatchObject({ attempts: 1 });
    expect(carriedEvidence(rule, state)).toMatchObject({ attempts: 2 });
  });

  test('has the test at the deadline in it, which is never made twice', () => {
    const strict = familyRule(
      [
        {
          ...errorsMetric,
          rule: { ...errorsMetric.rule, tolerance: { relative: 1, absolute: 0 } },
        },
      ],
      { beta: 0 },
    );
    const year = (canary: number): readonly Shown[] =>
      Array.from({ length: 360 }, () => ({ errors: rate(canary, 12, 1_000) }));
    const found = carriedEvidence(strict, judgeShown(strict, year(13)));
    expect(found).toMatchObject({
      deadlineTested: true,
      metrics: [{ worseAtDeadline: { z: expect.any(Number) } }],
    });
    const again = decisionsOn(strict, year(12), initialFamily(strict, found)).said;
    expect(again[0]).toMatchObject({
      window: 12,
      decision: { action: 'roll-back', verdict: { reasons: [{ code: 'worse-at-deadline' }] } },
    });
    const passed = carriedEvidence(strict, judgeShown(strict, year(12)));
    const second = judgeShown(strict, year(13), initialFamily(strict, passed));
    expect(second).toMatchObject({ failed: null, deadline: null });
  });
});
