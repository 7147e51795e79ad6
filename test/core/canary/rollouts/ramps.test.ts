import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../../services/core/canary/policy/policy.ts';
import type { Copy, Sample } from '../../../../services/core/samples/sample.ts';
import {
  cut,
  exportsOf,
  fullPolicy,
  kindsOf,
  openedAt,
  opening,
  run,
  copied,
} from '../../../support/canary/sample-streams.ts';
import type { Pod } from '../../../support/canary/sample-streams.ts';

// The canary's share of the traffic changes while it is judged. What is compared is compared within a window, at the
// share that both had there.

const shifted = (atMs: number, share: number): Copy =>
  copied('traffic-shifted', {
    logPosition: 100 + atMs,
    appendedAt: openedAt + atMs,
    marker: `6f1c1a52-0000-8000-8000-${String(atMs).padStart(12, '0')}`,
    canaryShare: share,
  });

/** A share from a second of the analysis on. */
type Step = readonly [second: number, share: number];

/** So many that whole numbers are near what they stand for, also of a small part. */
const requestsPerSecond = 40_000;

/** Both cohorts by the share of each second: the errors of both follow one rate that may drift. */
const podsOf = (
  shareAt: (second: number) => number,
  rateAt: (second: number) => number,
  canaryWorse: number,
  seconds: number,
): readonly Pod[] => {
  const pod = (
    name: string,
    version: string,
    partAt: (second: number) => number,
    worse: number,
  ): Pod => ({
    name,
    version,
    temporality: 'delta',
    startMs: 0,
    exportEveryMs: 1_000,
    firstExportMs: 900,
    lastExportMs: seconds * 1_000 - 100,
    traffic: (second) => {
      const requests = Math.round(requestsPerSecond * partAt(second));
      return [requests, Math.round(requests * Math.min(1, rateAt(second) * worse))];
    },
    slowness: (second) => [0, rateAt(second), 0, 0, 0],
  });
  return [
    pod('old', '1.9.4', (second) => 1 - shareAt(second), 1),
    pod('new', '2.0.0', shareAt, canaryWorse),
  ];
};

const stepsAt =
  (first: number, steps: readonly Step[]) =>
  (second: number): number =>
    steps.filter(([from]) => from <= second).at(-1)?.[1] ?? first;

/** Samples with the shifts at their place in the order of receipt. */
const woven = (pods: readonly Pod[], copies: readonly Copy[]): readonly Sample[] => {
  const sent = cut(exportsOf(pods), [8]);
  const timed = [
    ...sent.map((sample) => ({ sample, atMs: sample.points.at(-1)?.receivedAt ?? 0 })),
    ...copies.map((sample) => ({ sample, atMs: sample.appendedAt })),
  ];
  return timed.toSorted((a, b) => a.atMs - b.atMs).map(({ sample }) => sample);
};

const ramp = (
  policy: Policy,
  first: number,
  steps: readonly Step[],
  {
    rateAt = () => 0.005,
    worse = 1,
    /** Share that the canary really has. */
    real = stepsAt(first, steps),
    seconds = 58,
  }: {
    readonly rateAt?: (second: number) => number;
    readonly worse?: number;
    readonly real?: (second: number) => number;
    readonly seconds?: number;
  } = {},
): ReturnType<typeof run> =>
  run([
    opening({ canaryShare: first, logPosition: 7 }, policy),
    ...woven(
      podsOf(real, rateAt, worse, seconds),
      steps.map(([second, share]) => shifted(second * 1_000, share)),
    ),
  ]);

const countsOnly: Policy = {
  ...fullPolicy,
  metrics: fullPolicy.metrics.filter(({ judged }) => judged === 'errors' || judged === 'traffic'),
};

/** The share that every window was judged with. */
const sharesOf = ({ windows }: ReturnType<typeof run>): readonly (number | null)[] =>
  windows.map(({ window }) => window.canaryShare);

const climb: readonly Step[] = [
  [12, 0.05],
  [24, 0.25],
  [36, 0.5],
];

describe('a ramp from 1 % to 50 % of the traffic', () => {
  test('every window has the share that it ends with', () => {
    const { windows } = ramp(fullPolicy, 0.01, climb);
    for (const { window } of windows) {
      const second = Math.ceil((window.startMs + 1_000 - openedAt) / 1_000) - 1;
      expect(window.canaryShare).toBe(stepsAt(0.01, climb)(second));
    }
    expect(new Set(sharesOf({ windows } as ReturnType<typeof run>)).size).toBe(4);
  });

  test('a canary as good as its baseline is promoted, though errors triple meanwhile on both sides', () => {
    const told = ramp({ ...countsOnly, deadlineMs: 120_000 }, 0.01, climb, {
      rateAt: (second) => 0.005 + second * 0.0002,
      seconds: 100,
    });
    expect(kindsOf(told.decisions)).toStrictEqual(['promote']);
    // Totals over the whole ramp would say that the canary is much worse: it had its traffic when errors were many.
    const total = { canary: [0, 0], baseline: [0, 0] };
    for (const { window } of told.windows)
      for (const metric of window.metrics)
        if (metric.judged === 'errors')
          for (const cohort of ['canary', 'baseline'] as const) {
            total[cohort][0] = (total[cohort][0] ?? 0) + (metric[cohort]?.total ?? 0);
            total[cohort][1] = (total[cohort][1] ?? 0) + (metric[cohort]?.events ?? 0);
          }
    const rate = ([requests = 1, errors = 0]: readonly number[]): number => errors / requests;
    expect(rate(total.canary) / rate(total.baseline)).toBeGreaterThan(1.2);
  });

  test('a canary that fails more often is found at the share at which it can be seen', () => {
    const [decision] = ramp(fullPolicy, 0.01, climb, { worse: 4 }).decisions;
    expect(decision).toMatchObject({ kind: 'roll-back', metric: 'errors' });
  });

  test('of two shifts within a window the later one is its share', () => {
    const hasty: readonly Step[] = [
      [12.2, 0.05],
      [12.7, 0.25],
    ];
    const told = sharesOf(ramp(fullPolicy, 0.01, hasty));
    expect(told.slice(11, 14)).toStrictEqual([0.01, 0.25, 0.25]);
  });

  test('traffic that takes its time to follow is no loss of traffic', () => {
    const lagged = (second: number): number => stepsAt(0.01, climb)(second - 6);
    expect(kindsOf(ramp(fullPolicy, 0.01, climb, { real: lagged }).decisions)).not.toContain(
      'roll-back',
    );
  });

  test('a canary that loses its traffic at a step is found', () => {
    const told = ramp(fullPolicy, 0.25, [[3, 0.5]], { real: () => 0.05 });
    expect(told.decisions.at(-1)).toMatchObject({ kind: 'roll-back', metric: 'traffic' });
  });
});

test('whatever the ramp and the drift of both sides, nobody who is as good is rolled back', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(
        fc.tuple(fc.integer({ min: 1, max: 55 }), fc.double({ min: 0.02, max: 0.95, noNaN: true })),
        { maxLength: 5, selector: ([second]) => second },
      ),
      fc.double({ min: 0.02, max: 0.05, noNaN: true }),
      fc.double({ min: -0.5, max: 4, noNaN: true }),
      (steps, base, growth) => {
        const rising = steps.toSorted(([a], [b]) => a - b);
        const told = ramp(fullPolicy, 0.1, rising, {
          rateAt: (second) => base * (1 + (growth * second) / 58),
        });
        expect(kindsOf(told.decisions)).not.toContain('roll-back');
      },
    ),
    { numRuns: 25 },
  );
});

describe('steps of a policy', () => {
  const stepped: Policy = {
    ...countsOnly,
    steps: [0.25, 0.5],
    deadlineMs: 120_000,
  };

  /** Somebody obeys each advance two seconds after it was said. */
  const obeyed = (worseFrom = Infinity): ReturnType<typeof run> => {
    let steps: readonly Step[] = [];
    for (;;) {
      const real = stepsAt(0.1, steps);
      const told = run([
        opening({ canaryShare: 0.1, logPosition: 7 }, stepped),
        ...woven(
          podsOf(real, () => 0.005, 1, 100).map((pod) =>
            pod.name === 'new'
              ? {
                  ...pod,
                  traffic: (second: number) => {
                    const [requests, errors] = pod.traffic(second);
                    return [
                      requests,
                      second >= worseFrom ? Math.round(requests / 10) : errors,
                    ] as const;
                  },
                }
              : pod,
          ),
          steps.map(([second, share]) => shifted(second * 1_000, share)),
        ),
      ]);
      const asked = told.decisions.filter(
        ({ kind, explanation }) => kind === 'advance' && !explanation.startsWith('renews'),
      );
      const next = asked[steps.length];
      if (next === undefined) return told;
      const second = Math.ceil((next.windowEndedAt - openedAt) / 1_000) + 4;
      steps = [...steps, [second, next.share ?? 0]];
    }
  };

  test('each is asked for once the one before was taken, and then the whole', () => {
    const { decisions } = obeyed();
    expect(decisions.map(({ kind, share }) => [kind, share])).toStrictEqual([
      ['advance', 0.25],
      ['advance', 0.5],
      ['promote', null],
    ]);
  });

  test('a step that nobody takes is not followed by another', () => {
    const { decisions } = run([
      opening({ canaryShare: 0.1, logPosition: 7 }, stepped),
      ...woven(
        podsOf(
          () => 0.1,
          () => 0.005,
          1,
          100,
        ),
        [],
      ),
    ]);
    expect(decisions.map(({ kind, share }) => [kind, share])).toStrictEqual([['advance', 0.25]]);
  });

  test('the roll-back stays armed after each of them', () => {
    const { decisions } = obeyed(40);
    expect(decisions[0]).toMatchObject({ kind: 'advance', share: 0.25 });
    expect(decisions.at(-1)).toMatchObject({ kind: 'roll-back', metric: 'errors' });
  });
});
