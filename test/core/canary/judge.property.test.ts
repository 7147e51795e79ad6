import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { explain, initialJudge, verdictOf } from '../../../services/core/canary/judge.ts';
import type { Explanation, JudgeState } from '../../../services/core/canary/judge.ts';
import { standardPreset } from '../../../services/core/canary/policy.ts';
import type { JudgePolicy } from '../../../services/core/canary/policy.ts';
import { stream } from '../../support/canary/arbitraries.ts';
import { emptyWindow, judgeAll, repeat } from '../../support/canary/streams.ts';
import type { Counts } from '../../support/canary/streams.ts';

/** Times so short that a stream of some dozen windows goes through all of them. */
const policy: JudgePolicy = {
  ...standardPreset,
  warmUpMs: 10_000,
  soakMs: 60_000,
  noDataMs: 20_000,
  restarts: { everyMs: 30_000, count: 5, weightEach: 0.1 },
};

const swapped = (windows: readonly Counts[]): readonly Counts[] =>
  windows.map(([canaryRequests, canaryErrors, baselineRequests, baselineErrors]) => [
    baselineRequests,
    baselineErrors,
    canaryRequests,
    canaryErrors,
  ]);

const errorsIn = (state: JudgeState): Explanation['metrics'][number] => {
  const [errors] = explain(policy, state).metrics;
  if (errors === undefined) throw new Error('the judge explains no metric');
  return errors;
};

/** 0 and open (null) are each other's inverse. */
const inverse = (ratio: number | null): number | null => {
  if (ratio === null) return 0;
  return ratio === 0 ? null : 1 / ratio;
};

const expectSame = (actual: number | null, expected: number | null): void => {
  if (actual === null || expected === null) expect(actual).toBe(expected);
  else expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-9 * Math.abs(expected));
};

const evidenceIn = (state: JudgeState): readonly [number, number] => [
  state.metrics.errors.logRollback,
  state.metrics.errors.logPromote,
];

test('swapping canary and baseline inverts ratio and interval', () => {
  fc.assert(
    fc.property(stream, (windows) => {
      const straight = errorsIn(judgeAll(policy, windows));
      const mirrored = errorsIn(judgeAll(policy, swapped(windows)));
      expect(mirrored.canary).toEqual(straight.baseline);
      expect(mirrored.baseline).toEqual(straight.canary);
      if (straight.canary.errors + straight.baseline.errors > 0) {
        expectSame(mirrored.ratio, inverse(straight.ratio));
      }
      const { low, high } = straight.interval;
      expectSame(mirrored.interval.low, high === null ? null : 1 / high);
      expectSame(mirrored.interval.high, low === null ? null : 1 / low);
    }),
    { numRuns: 300 },
  );
});

test('empty windows before or after change no evidence', () => {
  fc.assert(
    fc.property(stream, fc.nat(40), fc.nat(40), (windows, before, after) => {
      const plain = judgeAll(policy, windows);
      const padded = judgeAll(policy, [
        ...repeat(before, emptyWindow),
        ...windows,
        ...repeat(after, emptyWindow),
      ]);
      expect(evidenceIn(padded)).toEqual(evidenceIn(plain));
      expect(errorsIn(padded).ratio).toEqual(errorsIn(plain).ratio);
      expect(errorsIn(padded).interval).toEqual(errorsIn(plain).interval);
    }),
  );
});

test('a window that lacks one cohort changes no evidence, wherever it comes', () => {
  fc.assert(
    fc.property(
      stream,
      fc.nat(500),
      fc.boolean(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (windows, requests, isCanary, luck) => {
        const errors = Math.floor(requests * luck);
        const alone: Counts = isCanary ? [requests, errors, 0, 0] : [0, 0, requests, errors];
        const before = judgeAll(policy, windows);
        const after = judgeAll(policy, [alone], before);
        expect(evidenceIn(after)).toEqual(evidenceIn(before));
        expect(after.passed).toEqual(before.passed);
        expect(after.failed).toEqual(before.failed);
      },
    ),
  );
});

test('a cohort that never has a request leads to neither pass nor fail', () => {
  fc.assert(
    fc.property(stream, fc.boolean(), (windows, isCanary) => {
      const oneArmed = windows.map(([requests, errors]): Counts =>
        isCanary ? [requests, errors, 0, 0] : [0, 0, requests, errors],
      );
      expect(verdictOf(policy, judgeAll(policy, oneArmed)).outcome).toBe('inconclusive');
    }),
  );
});

test('stopping anywhere and going on from the stored state changes nothing', () => {
  fc.assert(
    fc.property(stream, fc.nat(60), (windows, cut) => {
      const stored = JSON.stringify(judgeAll(policy, windows.slice(0, cut)));
      const resumed = judgeAll(policy, windows.slice(cut), JSON.parse(stored) as JudgeState);
      expect(resumed).toEqual(judgeAll(policy, windows));
    }),
  );
});

test('no counts are too large for it: every number stays a number', () => {
  const huge = fc
    .tuple(fc.maxSafeNat(), fc.maxSafeNat(), fc.maxSafeNat(), fc.maxSafeNat())
    .map(([canary, canaryErrors, baseline, baselineErrors]): Counts => [
      canary,
      Math.min(canary, canaryErrors),
      baseline,
      Math.min(baseline, baselineErrors),
    ]);
  fc.assert(
    fc.property(fc.array(huge, { maxLength: 20 }), (windows) => {
      const state = judgeAll(policy, windows);
      // JSON writes NaN and infinities as null.
      expect(JSON.parse(JSON.stringify(state))).toEqual(state);
      const { evidence, metrics } = explain(policy, state);
      expect(Number.isFinite(evidence)).toBe(true);
      expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics);
    }),
  );
});

test('the state stays below 10 KB, with the longest grids and most restarts a policy may have', () => {
  const longest: JudgePolicy = {
    ...policy,
    restarts: { everyMs: 15_000, count: 10, weightEach: 0.05 },
    grids: {
      rollback: Array.from({ length: 12 }, (_, index) => 1.3 * 1.37 ** index),
      promote: Array.from({ length: 12 }, (_, index) => 0.071 * (index + 1)),
    },
  };
  fc.assert(
    fc.property(stream, (windows) => {
      const repeated = [...windows, ...windows];
      const state = judgeAll(longest, repeated, initialJudge(longest));
      expect(JSON.stringify(state).length).toBeLessThan(10_000);
    }),
  );
});
