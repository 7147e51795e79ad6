import { describe, expect, test } from 'vitest';

import { decidedMetric } from '../../../../services/core/canary/decision/decided-metric.ts';
import { verdictSentences, verdictText } from '../../../../services/core/canary/judge/sentence.ts';
import type { FamilyRule } from '../../../../services/core/canary/judge/rule.ts';
import { initialFamily } from '../../../../services/core/canary/judge/judge.ts';
import { explain, verdictOf } from '../../../../services/core/canary/judge/verdict-of.ts';
import {
  cpuMetric,
  errorsMetric,
  familyRule,
  healthy,
  judgeShown,
  latencyMetric,
  nothing,
  rate,
  times,
  trafficMetric,
} from '../../../support/canary/family.ts';
import type { Shown } from '../../../support/canary/family.ts';
import { durationWindows } from '../../../support/canary/metric-windows.ts';

const rule = familyRule();
const sentences = (windows: readonly Shown[], of: FamilyRule = rule): readonly string[] => {
  const state = judgeShown(of, windows);
  return verdictSentences(verdictOf(of, state), explain(of, state));
};

test('bounds that are far from the durations are told, with what mends it', () => {
  const above = { shape: 'explicit', bounds: [5, 10], counts: [250, 0, 0] } as const;
  const blind: Shown = { ...healthy, latency: { canary: above, baseline: above } };
  const [first, , second] = sentences(times(80, blind));
  expect(first).toContain('; missing: a bound near the durations of latency; evidence');
  expect(second).toContain(
    'the bounds that both versions send are too far from its durations, or too far apart, to show a slower canary, so nothing is promoted: 0.00 % (0/17,000) of baseline requests took longer than 5 s, the nearest one; let both versions send bounds near their durations, each at most five times the one before, or exponential histograms; or say by fine-below',
  );
});

describe('a roll-back says', () => {
  test('what was counted, how far apart, what is tolerated, how sure, and when', () => {
    expect(sentences(times(40, { ...healthy, errors: rate(10, 1) })).slice(0, 2)).toEqual([
      'worse than tolerated in errors: evidence 1:428 of 1:200 needed, first crossed with window 24 (00:02:00 UTC)',
      'errors: canary 130/3,250 errors (4.00 %), baseline 13/3,250 errors (0.40 %): ' +
        '10x (3.51x to 48.4x with 99 % confidence); tolerated up to 0.49 %; ' +
        'its part of the evidence 1:428 of 1:200; ' +
        'most of it from windows 18 (00:01:30 UTC), 21 (00:01:45 UTC) and 24 (00:02:00 UTC); blocks capped: 4',
    ]);
  });

  test('for latency, how many requests were slower than a boundary', () => {
    const slower = durationWindows(60, { slower: 1.5 }).map((latency): Shown => ({
      ...healthy,
      latency,
    }));
    const [first, second] = sentences(slower);
    expect(first).toMatch(/^worse than tolerated in latency: /);
    expect(second).toMatch(
      /^latency: \d+\.\d\d % \([\d,]+\/3,250\) of canary requests slower than 310 ms vs \d+\.\d\d % \([\d,]+\/3,250\) of baseline requests: 2x \(.* with 99 % confidence\); tolerated up to \d+\.\d\d % \(4\.43 % slower\); its part/,
    );
  });

  test('that nothing would be too much where most of the baseline fails', () => {
    const text = sentences(times(60, { ...healthy, errors: rate(249, 248) })).join('\n');
    expect(text).toMatch(/^errors: .*; any share is tolerated, so large is the baseline's;/m);
    expect(text).not.toMatch(/up to 1\d\d/);
  });

  test('for levels and traffic, what they were and should have been', () => {
    const worse: Shown = {
      ...healthy,
      level: { canary: { mean: 0.9, series: 3 }, baseline: { mean: 0.4, series: 3 } },
      traffic: { canary: 20, baseline: 480 },
    };
    const text = sentences(times(60, worse)).join('\n');
    expect(text).toContain('cpu: canary at 0.9, baseline at 0.4: 2.25x (');
    expect(text).toContain('tolerated up to 1.1x');
    expect(text).toMatch(
      /traffic: canary \d+ requests of [\d,]+ that were its share, baseline [\d,]+: 0\.042x \(/,
    );
    expect(text).toContain('of it; tolerated down to 0.8x');
  });

  test('why the others are not blamed', () => {
    const [, , latency, cpu] = sentences(times(40, { ...healthy, errors: rate(10, 1) }));
    expect(latency).toMatch(
      /^latency is not blamed: 1\.20 % \(39\/3,250\) of canary requests slower than 648 ms vs 1\.20 %/,
    );
    expect(latency).toMatch(/shown good enough, 1:330; its part of the evidence below 1:1$/);
    expect(cpu).toMatch(/^cpu is not blamed: canary at 0\.4, baseline at 0\.4: 1x/);
  });

  test('by how much the test at the deadline found it', () => {
    const strict = familyRule(
      [
        {
          ...errorsMetric,
          rule: { ...errorsMetric.rule, tolerance: { relative: 1, absolute: 0 } },
        },
      ],
      { beta: 0 },
    );
    const [first, second] = sentences(times(360, { errors: rate(13, 12, 1_000) }), strict);
    expect(first).toBe('worse than tolerated in errors, by the test at the deadline');
    expect(second).toMatch(/; 3\.\d standard deviations above that at the deadline, 2\.6 needed/);
  });

  describe('where all of it together is tolerated, that it became worse later', () => {
    const later = /within that: it became worse later/;
    const unpromoted = familyRule(undefined, { beta: 0 });
    const ofLower = familyRule(
      [errorsMetric, { ...cpuMetric, rule: { ...cpuMetric.rule, worse: 'lower' } }],
      { beta: 0 },
    );
    const failing = (canary: number): Shown => ({ ...healthy, errors: rate(canary, 20) });
    const slower = (factor: number, count: number): readonly Shown[] =>
      durationWindows(count, { slower: factor }).map((latency) => ({ ...healthy, latency }));
    const busy = (canary: number): Shown => ({
      ...healthy,
      level: { canary: { mean: canary, series: 3 }, baseline: { mean: 0.4, series: 3 } },
    });
    const lost: Shown = { ...healthy, traffic: { canary: 20, baseline: 480 } };

    test.each([
      ['errors', [...times(300, failing(20)), ...times(59, failing(60))], unpromoted],
      ['latency', [...slower(1, 300), ...slower(1.3, 59)], unpromoted],
      ['cpu', [...times(300, healthy), ...times(59, busy(0.55))], unpromoted],
      ['cpu', [...times(300, healthy), ...times(59, busy(0.26))], ofLower],
      ['traffic', [...times(300, healthy), ...times(59, lost)], unpromoted],
    ] as const)('in %s', (metric, windows, of) => {
      const [first, second] = sentences(windows, of);
      expect(first).toContain(`worse than tolerated in ${metric}: `);
      expect(second).toMatch(later);
    });

    test.each([
      ['errors', times(90, failing(60)), unpromoted],
      ['latency', slower(1.3, 90), unpromoted],
      ['cpu', times(90, busy(0.55)), unpromoted],
      ['cpu', times(90, busy(0.26)), ofLower],
      ['traffic', times(90, lost), unpromoted],
    ] as const)('and not of %s that were worse from the start', (metric, windows, of) => {
      const [first, second] = sentences(windows, of);
      expect(first).toContain(`worse than tolerated in ${metric}: `);
      expect(second).not.toMatch(later);
    });

    test('and not where a part of the evidence is of an earlier attempt', () => {
      const metrics = [
        { id: 'errors', logCapital: Math.log(100), logPromote: 0, worseAtDeadline: null },
      ];
      const carried = { attempts: 1, deadlineTested: false, metrics };
      const windows = [...times(300, healthy), ...times(59, lost)];
      const state = judgeShown(unpromoted, windows, initialFamily(unpromoted, carried));
      const text = verdictText(verdictOf(unpromoted, state), explain(unpromoted, state));
      expect(text).toMatch(/^worse than tolerated in .*traffic: /);
      expect(text).not.toMatch(later);
    });
  });

  test('what it began with', () => {
    const carried = {
      attempts: 2,
      deadlineTested: false,
      metrics: [{ id: 'errors', logCapital: Math.log(40), logPromote: 0, worseAtDeadline: null }],
    };
    const state = judgeShown(rule, times(20, healthy), initialFamily(rule, carried));
    expect(verdictText(verdictOf(rule, state), explain(rule, state))).toContain(
      '. it began with evidence 1:40 from 2 earlier attempts with the same artifact and baseline. ',
    );
  });

  test('how much it scatters by itself, and what could not be used', () => {
    const noisy = familyRule([
      { ...errorsMetric, rule: { ...errorsMetric.rule, phi: 7 } },
      { ...cpuMetric, rule: { ...cpuMetric.rule, variance: null } },
    ]);
    const [, errors] = sentences(
      times(200, {
        errors: rate(30, 1),
        level: { canary: { mean: Number.NaN, series: 1 }, baseline: { mean: 0.4, series: 1 } },
      }),
      noisy,
    );
    expect(errors).toContain('; scatter 7 times that of chance');
  });

  test('that scatter was raised, and from where to where, when there is more traffic than in the history', () => {
    const { rule: ofErrors } = errorsMetric;
    const measuredAt = { weight: 50, batches: 72, kept: Math.exp(-1 / 12) };
    const grown = familyRule([{ ...errorsMetric, rule: { ...ofErrors, phi: 2, measuredAt } }]);
    const shown = (tenfold: number): Shown => ({
      errors: {
        canary: { total: 100 * tenfold, events: 20 * tenfold },
        baseline: { total: 100 * tenfold, events: tenfold },
      },
    });
    const windows = [...times(15, shown(1)), ...times(60, shown(10))];
    const [, errors] = sentences(windows, grown);
    expect(errors).toMatch(
      /; scatter 2 to \d+(\.\d+)? times that of chance \(raised for more traffic than in the history\)/,
    );
    const [part] = explain(grown, judgeShown(grown, windows)).metrics;
    if (part?.explained.judged !== 'errors') throw new Error('no errors');
    const measured = {
      id: 'errors',
      judged: 'errors',
      batches: 72,
      note: 'measured',
      phi: 2,
      weight: 3_000,
    } as const;
    expect(decidedMetric(part, measured, 'worse-than-tolerated')).toMatchObject({
      dispersion: part.explained.phi,
      dispersionFrom: 'raised-for-traffic',
    });
    const asMeasured = { ...part, explained: { ...part.explained, isPhiRaised: false } };
    expect(decidedMetric(asMeasured, measured, 'worse-than-tolerated').dispersionFrom).toBe(
      'measured',
    );
    expect(decidedMetric(asMeasured, undefined, 'worse-than-tolerated').dispersionFrom).toBe(
      'unknown',
    );
  });
});

describe('no decision says', () => {
  test('why durations cannot be compared', () => {
    const [explicit] = durationWindows(1, { explicit: true });
    const [exponential] = durationWindows(1);
    const latency = { canary: explicit?.canary ?? null, baseline: exponential?.canary ?? null };
    expect(sentences(times(40, { ...healthy, latency })).join('\n')).toContain(
      'latency: durations cannot be compared: the versions send different kinds of buckets',
    );
  });

  test('which part of the requests is plainly slower', () => {
    const at = (counts: readonly number[]) =>
      ({ shape: 'exponential', scale: 4, zeroCount: 0, offset: -50, counts }) as const;
    const canary = at([10, 225, 10, ...Array<number>(24).fill(0), 5]);
    const latency = { canary, baseline: at([10, 230, 10]) };
    const [first, , durations] = sentences(times(100, { ...healthy, latency }));
    expect(first).toContain('; missing: latency without a part that is plainly slower; ');
    expect(durations).toContain(
      'a part of its requests is plainly slower, so nothing is promoted: 2.00 % (440/22,000) of canary requests took longer than ',
    );
    expect(durations).toMatch(
      / longer than [\d.]+ ms, 0\.00 % \(0\/22,000\) of baseline requests longer than [\d.]+ ms;/,
    );
  });

  test('that the mean of logarithms decided, where no share beyond a boundary did', () => {
    const at = (counts: readonly number[]) =>
      ({ shape: 'exponential', scale: 4, zeroCount: 0, offset: -100, counts }) as const;
    const zeros = Array<number>(50).fill(0);
    // What was fast is slower, and what was slow is faster.
    const baseline = at([75, ...zeros, 175]);
    const canary = at([0, ...zeros.slice(0, 35), 175, ...zeros.slice(36), 75]);
    const windows = times(60, { ...healthy, latency: { canary, baseline } });
    const text = sentences(windows).join('\n');
    expect(text).not.toMatch(/became worse later/);
    expect(text).toMatch(
      /this share is not what decided: the durations as a whole took longer, by the mean of their logarithms: 77\.6 ms instead of 63 ms, 1\.23x \(1\.16x to 1\.31x with 99 % confidence\), evidence 1:[\d,]+/,
    );
    const state = judgeShown(rule, windows);
    const [, latency] = explain(rule, state).metrics;
    if (latency === undefined) throw new Error('no latency');
    // No event decided: the numbers of the decision are those of the mean.
    const decided = decidedMetric(latency, undefined, 'worse-than-tolerated');
    expect(decided).toMatchObject({
      ...{ isBlamed: true, canaryCount: 4_000, canaryEvents: 0, baselineEvents: 0 },
      canaryLevel: expect.closeTo(0.0776, 4),
      baselineLevel: expect.closeTo(0.063, 4),
    });
    expect(decided.ratio).toBeCloseTo((decided.canaryLevel ?? 0) / (decided.baselineLevel ?? 1), 9);
    expect(decided.ratioLow).toBeGreaterThan(1);
    expect(decided.tolerated).toBeCloseTo(2 ** (1 / 16), 9);
    // Of the test at the deadline, and of what is not blamed, they are those of the tail.
    for (const blame of ['worse-at-deadline', null] as const)
      expect(decidedMetric(latency, undefined, blame)).toMatchObject({
        ...{ canaryEvents: 4_000, baselineEvents: 2_800, canaryLevel: null },
        ratio: expect.closeTo(1 / 0.7, 2),
      });
  });

  test('that histograms have no bounds', () => {
    const bare = { shape: 'explicit', bounds: [], counts: [250] } as const;
    const latency = { canary: bare, baseline: bare };
    expect(sentences(times(40, { ...healthy, latency })).join('\n')).toContain(
      'the histograms that both versions send have no bounds, and so show no slower canary: nothing is promoted',
    );
  });

  test('what is missing', () => {
    expect(sentences([])).toEqual([
      'warming up after 0 windows; missing: errors, latency, cpu and traffic of both cohorts, ' +
        'evidence that errors, latency, cpu and traffic are good enough, a metric that both cohorts show, ' +
        'the end of the warm-up, the end of the soak; evidence 1:1 of 1:200 needed',
      'errors: not seen yet',
      'latency: not seen yet',
      'cpu: not seen yet',
      'traffic: not seen yet',
    ]);
  });

  test('to which share it was to be shifted, and since when', () => {
    const stepped = familyRule([errorsMetric], { steps: [0.125, 0.5] });
    const at = (share: number): Shown => ({ errors: rate(1, 1), share });
    const [first] = sentences(times(360, at(0.05)), stepped);
    expect(first).toBe(
      'not decided at the deadline after 360 windows; missing: the shift to 12.5 % of the traffic, to which it was advanced with window 59 (00:04:55 UTC); evidence below 1:1 of 1:200 needed',
    );
    const [shifted] = sentences([...times(355, at(0.05)), ...times(5, at(0.125))], stepped);
    expect(shifted).toContain('; missing: the wait after the last step; ');
  });

  test('who is silent, and what was seen before', () => {
    const [first, errors] = sentences([...times(40, healthy), ...times(30, nothing)]);
    expect(first).toMatch(
      /^held, for want of data after 70 windows; missing: errors, latency, cpu and traffic of both cohorts; /,
    );
    expect(errors).toMatch(
      /^errors: silent by now, so nothing passes; before, canary 28\/7,000 errors \(0\.40 %\)/,
    );
  });

  test('what was never seen, and what that means', () => {
    const critical = familyRule([errorsMetric, latencyMetric, { ...cpuMetric, critical: true }]);
    const [first, , ...others] = sentences(times(360, { errors: rate(1, 1) }), critical);
    expect(first).toMatch(
      /^not decided at the deadline after 360 windows; missing: cpu of both cohorts, /,
    );
    expect(others).toEqual([
      'latency: never seen, so it weighs nothing',
      'cpu: never seen, and nothing passes without it',
    ]);
  });

  test('that nobody said a share, where the traffic was there to be seen', () => {
    const critical = familyRule([errorsMetric, { ...trafficMetric, critical: true }]);
    const untold: Shown = { ...healthy, share: null };
    const of = (given: FamilyRule, shown: Shown): string =>
      sentences(times(60, shown), given).at(-1) ?? '';
    expect(of(familyRule(), untold)).toBe(
      "traffic: nobody said which share of the requests is the canary's (the plan, or --weight of a backtest), so it weighs nothing",
    );
    expect(of(critical, untold)).toMatch(/so nothing passes$/);
    expect(of(familyRule(), { errors: rate(1, 1), share: 0.5 })).toBe(
      'traffic: never seen, so it weighs nothing',
    );
  });

  test('what was seen and counted in no window yet', () => {
    const settling = { ...trafficMetric, rule: { ...trafficMetric.rule, settleWindows: 100 } };
    const text = sentences(times(30, healthy), familyRule([errorsMetric, settling]));
    expect(text.at(-1)).toBe('traffic: nothing was compared yet');
  });

  test('what one cohort alone shows', () => {
    const shown: Shown = { ...healthy, level: { canary: { mean: 1, series: 1 }, baseline: null } };
    expect(sentences(times(60, shown))[3]).toBe('cpu: seen in one cohort alone, so nothing passes');
  });
});

test('a promotion says what each metric has shown', () => {
  const [first, errors] = sentences(times(60, healthy));
  expect(first).toBe(
    'shown good enough by errors, latency, cpu and traffic, each 1:20 or more; against it evidence below 1:1 of 1:200 needed',
  );
  expect(errors).toMatch(/; shown good enough, 1:875; its part of the evidence below 1:1$/);
});

test('a promotion by what is fast enough says what is beyond it', () => {
  // Of the baseline most are below 5 ms; the canary's take longer, and stay below 10 ms.
  const of = (counts: readonly number[]) =>
    ({ shape: 'explicit', bounds: [0.005, 0.01, 0.025], counts }) as const;
  const fast: Shown = {
    ...healthy,
    latency: { canary: of([227, 23, 0, 0]), baseline: of([228, 22, 0, 0]) },
  };
  const all = sentences(times(120, fast));
  expect(all[0]).toMatch(/^shown good enough by /);
  expect(all.find((sentence) => sentence.startsWith('latency: '))).toMatch(
    /^latency: .* slower than 5 ms vs .*; fast enough up to 10 ms: 0\.00 % \(0\/[\d,]+\) slower than that vs 0\.00 % \(0\/[\d,]+\); shown good enough, /,
  );
});

test('twelve metrics stay within what a decision has room for', () => {
  const twelve = familyRule(
    Array.from({ length: 12 }, (_, index) => ({
      ...latencyMetric,
      id: `latency {route=/checkout/${index}}`,
    })),
  );
  const slower = durationWindows(60, { slower: 1.5 }).map((latency): Shown => ({ latency }));
  const state = judgeShown(twelve, slower);
  const text = verdictText(verdictOf(twelve, state), explain(twelve, state));
  expect(text.length).toBeLessThanOrEqual(4_000);
  expect(text).toMatch(/\. 3 more metrics$/);
});
