import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logRollbackIn } from '../../../../services/core/canary/judge/metric-judge.ts';

import { trafficJudge } from '../../../../services/core/canary/metrics/traffic.ts';
import type {
  TrafficRule,
  TrafficState,
} from '../../../../services/core/canary/metrics/traffic.ts';
import { judgeEach, stakeRules, warmUpWindows } from '../../../support/canary/metric-windows.ts';

type Shown = {
  readonly canary: number | null;
  readonly baseline: number | null;
  readonly canaryShare: number | null;
  readonly areServersLosing?: boolean;
};

const rule: TrafficRule = {
  ...stakeRules,
  least: 0.8,
  promoteLeast: 0.67,
  phi: 2,
  settleWindows: 6,
};

const same = (count: number, window: Shown): readonly Shown[] =>
  Array.from({ length: count }, () => window);

const after = (
  windows: readonly Shown[],
  from?: { readonly state: TrafficState; readonly index: number },
): TrafficState =>
  judgeEach(
    trafficJudge,
    rule,
    windows.map((window) => ({ areServersLosing: true, ...window })),
    from,
  );

const healthy: Shown = { canary: 25, baseline: 225, canaryShare: 0.1 };
const losing: Shown = { canary: 12, baseline: 238, canaryShare: 0.1 };
const blame = Math.log(200 / 0.05);

describe('a canary', () => {
  test('that gets half of its share is found, and told as a part of it', () => {
    const state = after(same(warmUpWindows + 60, losing));
    expect(logRollbackIn(state)).toBeGreaterThan(blame);
    const told = trafficJudge.explain(rule, state);
    expect(told).toMatchObject({ expectedRequests: expect.closeTo(1_500, 6), toleratedRatio: 0.8 });
    expect(told.canaryRequests).toBe(720);
    expect(told.ratio).toBeCloseTo((12 / 238) * 9, 9);
    expect(told.interval.high).toBeLessThan(0.8);
  });

  test('that gets its share is shown to be good, and one that gets more, too', () => {
    for (const canary of [25, 60]) {
      const state = after(same(warmUpWindows + 60, { ...healthy, canary }));
      expect(logRollbackIn(state)).toBeLessThan(0);
      expect(trafficJudge.logPromote(rule, state)).toBeGreaterThan(Math.log(20));
    }
  });

  test('that gets nine tenths of it is not held to lose traffic', () => {
    const state = after(same(warmUpWindows + 120, { ...healthy, canary: 23 }));
    expect(logRollbackIn(state)).toBeLessThan(Math.log(5));
  });

  test('that reports, and no request reaches it, is found', () => {
    const state = after(same(warmUpWindows + 60, { ...healthy, canary: 0 }));
    expect(logRollbackIn(state)).toBeGreaterThan(blame);
  });
});

test('while the servers that are heard have as much as the others nobody is blamed, and nothing is promoted', () => {
  const windows = same(warmUpWindows + 60, { ...losing, areServersLosing: false });
  const state = after(windows);
  expect(logRollbackIn(state)).toBeLessThanOrEqual(0);
  expect(trafficJudge.explain(rule, state).lost?.ratio).toBeCloseTo((12 / 238) * 9, 6);
  const from = { state, index: windows.length };
  expect(logRollbackIn(after(same(60, losing), from))).toBeGreaterThan(blame);
});

test('windows that blame nobody speak for the canary all the same', () => {
  const windows = same(warmUpWindows + 60, { ...healthy, canary: 40, areServersLosing: false });
  const state = after(windows);
  expect(logRollbackIn(state)).toBeCloseTo(
    logRollbackIn(after(windows.map((window) => ({ ...window, areServersLosing: true })))),
    9,
  );
});

describe('a loss now', () => {
  const usual = same(warmUpWindows + 30, healthy);
  const before = { state: after(usual), index: usual.length };
  const lostAfter = (windows: readonly Shown[]) =>
    trafficJudge.explain(rule, after(windows, before)).lost;
  /** Seven tenths of its share. */
  const late: Shown = { canary: 180, baseline: 2_320, canaryShare: 0.1 };

  test('is told with its beginning, whatever was shown before, and as what it is since then', () => {
    const lost = lostAfter(same(40, late));
    expect(lost?.since.index).toBe(usual.length);
    expect(lost?.ratio).toBeCloseTo((180 / 2_320) * 9, 6);
    expect(trafficJudge.logPromote(rule, after(same(40, late), before))).toBeGreaterThan(
      Math.log(20),
    );
  });

  test('is none with the first window that has less', () => {
    expect(lostAfter(same(1, late))).toBe(undefined);
  });

  test('is over a few windows after the canary gets its share again, however long it was', () => {
    const again = same(20, { canary: 250, baseline: 2_250, canaryShare: 0.1 });
    expect(lostAfter([...same(200, late), ...again])).toBe(undefined);
    expect(after([...same(200, late), ...again], before).lately).toBe(null);
  });

  test('is none where the canary gets nine tenths, or more than its share', () => {
    for (const canary of [230, 250, 600])
      expect(lostAfter(same(200, { canary, baseline: 2_500 - canary, canaryShare: 0.1 }))).toBe(
        undefined,
      );
  });

  test('is not counted while a new share settles', () => {
    const raised: Shown = { ...late, canaryShare: 0.5 };
    expect(lostAfter(same(6, raised))).toBe(undefined);
    expect(lostAfter(same(7, raised))?.since.index).toBe(usual.length + 6);
  });
});

describe('no evidence is', () => {
  const usual = same(warmUpWindows + 30, healthy);
  const before = after(usual);
  const promote = trafficJudge.logPromote(rule, before);
  const next = { state: before, index: usual.length };

  test.each<readonly [string, Shown]>([
    ['a canary that does not report', { ...losing, canary: null }],
    ['a baseline that does not report', { ...losing, baseline: null }],
    ['a share that nobody said', { ...losing, canaryShare: null }],
    ['a share of everything', { ...losing, canaryShare: 1 }],
    ['a share of nothing', { ...losing, canaryShare: 0 }],
    ['no request at all', { canary: 0, baseline: 0, canaryShare: 0.1 }],
  ])('%s', (_name, window) => {
    const state = after(same(60, window), next);
    expect(logRollbackIn(state)).toBeCloseTo(logRollbackIn(before), 5);
    expect(trafficJudge.logPromote(rule, state)).toBeCloseTo(promote, 5);
    const told = trafficJudge.explain(rule, state);
    expect(told.canaryRequests).toBe(trafficJudge.explain(rule, before).canaryRequests);
  });

  test('the half minute after the share was changed: traffic follows slowly', () => {
    const raised: Shown = { ...healthy, canaryShare: 0.5 };
    const state = after(same(6, raised), next);
    expect(logRollbackIn(state)).toBeCloseTo(logRollbackIn(before), 5);
    const later = after(same(60, raised), { state, index: usual.length + 6 });
    expect(logRollbackIn(later)).toBeGreaterThan(blame);
  });
});

const shown = fc.record({
  canary: fc.nat(5_000),
  baseline: fc.nat(5_000),
  canaryShare: fc.constantFrom(0.01, 0.1, 0.5),
});
const stream = fc.array(shown, { maxLength: 50 });

test('swapping the cohorts and their shares inverts ratio and interval', () => {
  fc.assert(
    fc.property(stream, (windows) => {
      const one = trafficJudge.explain(rule, after(windows));
      const other = trafficJudge.explain(
        rule,
        after(
          windows.map(({ canary, baseline, canaryShare }) => ({
            canary: baseline,
            baseline: canary,
            canaryShare: 1 - canaryShare,
          })),
        ),
      );
      for (const [end, opposite] of [
        [other.interval.low, one.interval.high],
        [other.interval.high, one.interval.low],
      ])
        expect((end ?? 0) * (opposite ?? 0)).toBeCloseTo(
          end === null && opposite === null ? 0 : 1,
          7,
        );
    }),
  );
});

test('going on from the stored state changes nothing, and the state stays small', () => {
  fc.assert(
    fc.property(stream, fc.nat(50), (windows, at) => {
      const cut = Math.min(at, windows.length);
      const stored = JSON.stringify(after(windows.slice(0, cut)));
      expect(stored.length).toBeLessThan(3_000);
      const resumed = after(windows.slice(cut), {
        state: JSON.parse(stored) as TrafficState,
        index: cut,
      });
      expect(resumed).toEqual(after(windows));
    }),
  );
});
