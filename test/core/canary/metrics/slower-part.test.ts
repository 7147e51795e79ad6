import { describe, expect, test } from 'vitest';
import { logRollbackIn } from '../../../../services/core/canary/judge/metric-judge.ts';
import { initialOne } from '../../../../services/dev/canary-climates/one-metric.ts';
import {
  boundariesIn,
  latencyJudge,
  latencySlowerPart,
} from '../../../../services/core/canary/metrics/latency.ts';
import type {
  LatencyRule,
  LatencyState,
} from '../../../../services/core/canary/metrics/latency.ts';
import {
  runningLadderLength,
  settledLadderLength,
} from '../../../../services/core/canary/metrics/slower-part.ts';
import { advisedBounds } from '../../../../services/dev/canary-climates/durations.ts';
import { judgeEach, latencyRule, warmUpWindows } from '../../../support/canary/metric-windows.ts';
import {
  advised,
  afterShapes,
  atScale,
  between,
  mixOf,
  shapedWindows,
  yieldOf,
} from '../../../support/canary/shaped-durations.ts';
import type { Buckets, Parts, Yields } from '../../../support/canary/shaped-durations.ts';

// Tails are cut near a few quantiles. What becomes slower between them, or beyond the last, is seen by a ladder of
// boundaries: it rolls nothing back, and lets nothing pass.

const fine = atScale(4);
const quiet = mixOf('120ms ±0.05');
const tailOf = (share: number, times: number): Parts => [
  [1 - share, 0.12, 0.05],
  [share, 0.12 * times, 0.05],
];

const shapes: readonly (readonly [string, Buckets, Parts, Parts, Yields])[] = [
  ['nothing slower, by fine buckets', fine, quiet, quiet, 'promoted'],
  [
    'nothing slower, by bounds of the SDKs',
    advised,
    mixOf('120ms ±0.5'),
    mixOf('120ms ±0.5'),
    'promoted',
  ],
  ['all of it a tenth slower, which is promised', fine, quiet, mixOf('130ms ±0.05'), 'promoted'],
  ['5 % of it 3 times slower', fine, quiet, tailOf(0.05, 3), 'slower-part'],
  ['3 % of it 5 times slower', fine, quiet, tailOf(0.03, 5), 'slower-part'],
  ['2 % of it 10 times slower', fine, quiet, tailOf(0.02, 10), 'slower-part'],
  ['1 % of it 25 times slower', fine, quiet, tailOf(0.01, 25), 'slower-part'],
  [
    'its fast half slower and its slow half faster',
    fine,
    mixOf('45% 20ms ±0.3, 55% 400ms ±0.3'),
    mixOf('45% 60ms ±0.3, 55% 160ms ±0.3'),
    // The tail inside of the fast half says so before.
    'unproven',
  ],
  [
    '40 % of it 10 times slower, below what is slow in both',
    advised,
    mixOf('40% 20ms ±0.3, 60% 600ms ±0.3'),
    mixOf('40% 200ms ±0.3, 60% 600ms ±0.3'),
    'slower-part',
  ],
  [
    'a quarter of it 7 times slower, between what is fast and slow in both',
    advised,
    mixOf('60% 4ms ±0.2, 25% 30ms ±0.2, 15% 800ms ±0.3'),
    mixOf('60% 4ms ±0.2, 25% 200ms ±0.2, 15% 800ms ±0.3'),
    'slower-part',
  ],
];

describe('a canary', () => {
  test.each(shapes)('given %s', (_shape, buckets, baseline, canary, yields) => {
    expect(yieldOf(afterShapes(buckets, baseline, () => canary))).toBe(yields);
  });
});

describe('what is found', () => {
  test('is the boundary at which it is plainest, counted in both cohorts', () => {
    const state = afterShapes(fine, quiet, () => tailOf(0.04, 5));
    const found = latencyJudge.explain(latencyRule, state).slowerPart;
    expect(found).toMatchObject({
      canary: { total: 15_000, events: 600 },
      baseline: { events: 0 },
    });
    // The canary is counted beyond what a promotion lets it be slower: 3 buckets of a sixteenth of an octave.
    expect((found?.canaryMs ?? 0) / (found?.baselineMs ?? 0)).toBeCloseTo(2 ** (3 / 16), 9);
  });

  test('stakes nothing, and the tails do not know of it', () => {
    const state = afterShapes(fine, quiet, () => tailOf(0.02, 3));
    expect(latencySlowerPart(latencyRule, state)).not.toBeNull();
    expect(logRollbackIn(state)).toBeLessThan(Math.log(200));
    expect(latencyJudge.logPromote(latencyRule, state)).toBeGreaterThan(Math.log(20));
  });

  test('is nothing before a window was judged, or with too few requests to tell', () => {
    expect(latencySlowerPart(latencyRule, initialOne(latencyJudge, latencyRule))).toBeNull();
    const few = afterShapes(fine, quiet, (window) => (window === 50 ? tailOf(0.05, 3) : quiet));
    expect(latencySlowerPart(latencyRule, few)).toBeNull();
  });

  test('is less plain where requests scatter more', () => {
    const rule: LatencyRule = { ...latencyRule, phi: { tails: [1, 1, 1, 40], meanLog: 1 } };
    const [plain, scattering] = [latencyRule, rule].map((each) =>
      latencySlowerPart(
        each,
        afterShapes(fine, quiet, () => tailOf(0.02, 10), each),
      ),
    );
    expect([plain === null, scattering]).toEqual([false, null]);
  });

  test('is nothing that is fast enough', () => {
    const state = afterShapes(advised, mixOf('2.5ms ±0.3'), () => mixOf('3.8ms ±0.3'));
    expect(yieldOf(state)).toBe('promoted');
  });

  test('is nothing that the policy lets a promotion be', () => {
    const loose: LatencyRule = {
      ...latencyRule,
      promoteTolerance: { relative: 1.25, absolute: 0.1 },
    };
    const baseline = mixOf('120ms ±0.5');
    const canary = mixOf('94% 120ms ±0.5, 6% 4000ms ±0.2');
    const found = [latencyRule, loose].map((rule) =>
      latencySlowerPart(
        rule,
        afterShapes(advised, baseline, () => canary, rule),
      ),
    );
    expect([found[0] === null, found[1]]).toEqual([false, null]);
  });
});

describe('a canary that was slower for a while', () => {
  const slowIn =
    (...slow: readonly number[]) =>
    (window: number): Parts =>
      slow.includes(window) ? mixOf('1200ms ±0.05') : quiet;

  test('by one pause of 20 s is not held for it', () => {
    // Two blocks.
    const state = afterShapes(fine, quiet, slowIn(50, 51, 52, 53));
    expect(latencySlowerPart(latencyRule, state)).toBeNull();
  });

  test('by pauses again and again is', () => {
    const state = afterShapes(fine, quiet, slowIn(20, 21, 35, 36, 50, 51, 65, 66, 80, 81));
    expect(latencySlowerPart(latencyRule, state)).not.toBeNull();
  });

  test('is held no longer when that is few of its requests', () => {
    const early = (window: number): Parts => (window < 12 ? tailOf(0.04, 5) : quiet);
    const until = (judgedWindows: number): boolean =>
      latencySlowerPart(
        latencyRule,
        judgeEach(latencyJudge, latencyRule, shapedWindows(judgedWindows, fine, quiet, early)),
      ) !== null;
    expect([12, 24, 100].map(until)).toEqual([true, true, false]);
  });
});

/** The settled numbers of the ladder. */
const ladderIn = ({ settled, at, settledLength, ladderRows }: LatencyState): readonly number[] =>
  settled.slice(at + settledLength - settledLadderLength(ladderRows), at + settledLength);

describe('buckets that change', () => {
  test('to coarser ones keep what those have of the ladder', () => {
    const windows = shapedWindows(20, fine, quiet, () => tailOf(0.05, 3));
    const coarser = shapedWindows(20, atScale(3), quiet, () => tailOf(0.05, 3)).slice(
      warmUpWindows,
    );
    const state = judgeEach(latencyJudge, latencyRule, [...windows, ...coarser]);
    expect(latencySlowerPart(latencyRule, state)?.canary.events).toBeGreaterThan(
      latencySlowerPart(latencyRule, judgeEach(latencyJudge, latencyRule, windows))?.canary
        .events ?? Infinity,
    );
  });

  test('and lose a bound are not looked at there any more', () => {
    const few = between(...advisedBounds.filter((bound) => bound !== 0.25));
    const shape = mixOf('120ms ±0.5');
    const windows = [advised, few].flatMap((each) => shapedWindows(5, each, shape, () => shape));
    const ladder = ladderIn(judgeEach(latencyJudge, latencyRule, windows));
    expect(ladder).not.toContain(0.25);
    expect(ladder).toContain(0.5);
    expect(ladder.some(Number.isNaN)).toBe(false);
  });

  test('to another kind add nothing', () => {
    const windows = shapedWindows(20, fine, quiet, () => quiet);
    const other = shapedWindows(3, advised, quiet, () => quiet);
    const [before, then] = [windows, [...windows, ...other]].map((each) => {
      const state = judgeEach(latencyJudge, latencyRule, each);
      const runningAt = state.from + state.runningLength - runningLadderLength(state.ladderRows);
      return (ladderIn(state)[0] ?? 0) + (state.running[runningAt] ?? 0);
    });
    expect(then).toBe(before);
  });
});

test('the ladder is short, however wide durations are, and made of whole numbers', () => {
  const wide = mixOf('50ms ±2');
  const many = between(...Array.from({ length: 120 }, (_, index) => 0.001 * 1.1 ** index));
  for (const buckets of [fine, atScale(0), atScale(-1), advised, many])
    for (const parts of [quiet, wide]) {
      const ladder = ladderIn(afterShapes(buckets, parts, () => parts));
      expect((ladder.length - 3) / 6).toBeLessThanOrEqual(24);
      const numbers = ladder.filter((_, index) => index < 3 || (index - 3) % 6 > 0);
      expect(numbers.every(Number.isSafeInteger)).toBe(true);
    }
});

describe('a plateau of bounds with the same share beyond', () => {
  test('is cut at its lower end, where what becomes slower is seen first', () => {
    const halves = mixOf('45% 3ms ±0.2, 55% 400ms ±0.3');
    const state = afterShapes(advised, halves, () => halves);
    expect(boundariesIn(state)[0]).toEqual({ shape: 'explicit', seconds: 0.005 });
    const slower = afterShapes(advised, halves, () => mixOf('45% 60ms ±0.3, 55% 400ms ±0.3'));
    expect(logRollbackIn(slower)).toBeGreaterThan(Math.log(200 / 0.35));
  });

  test('is none among durations that spread', () => {
    const spread = mixOf('120ms ±0.8');
    expect(boundariesIn(afterShapes(advised, spread, () => spread))).toEqual(
      [0.1, 0.25, 0.5, 0.75].map((seconds) => ({ shape: 'explicit', seconds })),
    );
  });
});
