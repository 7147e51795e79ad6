import { describe, expect, test } from 'vitest';

import { decide } from '../../../../services/core/canary/judge/decide.ts';
import {
  hasEnded,
  initialFamily,
  judgeWindow,
} from '../../../../services/core/canary/judge/judge.ts';
import type { JudgedWindow } from '../../../../services/core/canary/judge/judged-window.ts';
import type { FamilyRule } from '../../../../services/core/canary/judge/rule.ts';
import type { FamilyState } from '../../../../services/core/canary/judge/state.ts';
import { explain, stageOf, verdictOf } from '../../../../services/core/canary/judge/verdict-of.ts';
import { missingIn } from '../../../../services/core/canary/judge/missing.ts';
import { verdictText } from '../../../../services/core/canary/judge/sentence.ts';
import {
  cpuMetric,
  decisionsOn,
  errorsMetric,
  familyRule,
  healthy,
  judgeShown,
  latencyMetric,
  nothing,
  rate,
  times,
  told,
  trafficMetric,
  windowOf,
} from '../../../support/canary/family.ts';
import type { Shown } from '../../../support/canary/family.ts';
import { durationWindows } from '../../../support/canary/metric-windows.ts';

const rule = familyRule();
const aLevel = { mean: 0.4, series: 3 };
const levels = { canary: aLevel, baseline: aLevel };
const levelAlone: Shown = { level: levels };
const errorsRule = familyRule([errorsMetric]);
const failing: Shown = { ...healthy, errors: rate(10, 1) };

const saidOn = (windows: readonly Shown[], of: FamilyRule = rule): readonly string[] =>
  told(decisionsOn(of, windows).said);
const without = (...kinds: readonly (keyof Shown)[]): Shown =>
  Object.fromEntries(
    Object.entries(healthy).filter(([kind]) => !kinds.includes(kind as keyof Shown)),
  );
const missingAfter = (of: FamilyRule, windows: readonly Shown[]): readonly string[] => {
  const verdict = verdictOf(of, judgeShown(of, windows));
  return verdict.outcome === 'inconclusive'
    ? verdict.missing.map((one) => ('metric' in one ? `${one.what} ${one.metric}` : one.what))
    : [verdict.outcome];
};

test('CPU beside a baseline that has had no requests for a minute is no evidence', () => {
  const more: Shown = {
    ...healthy,
    level: { canary: { mean: 0.8, series: 3 }, baseline: aLevel },
  };
  const { errors, latency, ...others } = more;
  if (errors === undefined || latency === undefined) throw new Error('there are none');
  // All traffic was taken from the baseline.
  const idle: Shown = {
    ...others,
    errors: { ...errors, baseline: null },
    latency: { ...latency, baseline: null },
    traffic: { canary: 500, baseline: 0 },
    share: 1,
  };
  const evidenceAfter = (windows: readonly Shown[]): number =>
    explain(rule, judgeShown(rule, windows)).metrics.find(({ id }) => id === cpuMetric.id)
      ?.explained.rollbackEvidence ?? NaN;
  const busy = times(14, healthy);
  const after = (windows: number): number => evidenceAfter([...busy, ...times(windows, idle)]);
  expect(after(11)).toBeGreaterThan(after(5));
  expect(after(40)).toBe(after(11));
});

test('while nobody knows what servers have, CPU is no evidence, and all else is', () => {
  const more = { canary: { mean: 0.6, series: 3 }, baseline: aLevel };
  const after = (over: Partial<JudgedWindow>): FamilyState =>
    times(100, { ...healthy, level: more }).reduce(
      (state, shown) =>
        judgeWindow(rule, state, { ...windowOf(rule, state.nextIndex, shown), ...over }),
      initialFamily(rule),
    );
  const evidenceOf = (state: FamilyState, of: string): number =>
    explain(rule, state).metrics.find(({ id }) => id === of)?.explained.rollbackEvidence ?? NaN;
  const [known, unsettled] = [after({}), after({ areLoadsUnsettled: true })];
  expect(stageOf(rule, known)).toBe('rolled-back');
  expect(stageOf(rule, unsettled)).not.toBe('rolled-back');
  expect(evidenceOf(unsettled, cpuMetric.id)).toBeCloseTo(1, 5);
  expect(evidenceOf(unsettled, errorsMetric.id)).toBeLessThan(1);
});

describe('what a canary comes to', () => {
  const slower = durationWindows(400, { slower: 1.5 }).map((latency): Shown => ({
    ...healthy,
    latency,
  }));
  test.each<[string, readonly Shown[], readonly string[]]>([
    ['good in everything: promoted with the soak', times(360, healthy), ['promote at 59']],
    ['more errors', times(100, failing), ['roll-back at 24, final']],
    ['slower', slower, ['roll-back at 24, final']],
    [
      'more CPU',
      times(100, {
        ...healthy,
        level: { canary: { mean: 0.6, series: 3 }, baseline: { mean: 0.4, series: 3 } },
      }),
      ['roll-back at 27, final'],
    ],
    [
      'half of its traffic lost',
      times(100, { ...healthy, traffic: { canary: 100, baseline: 400 } }),
      ['roll-back at 30, final'],
    ],
    [
      'nothing at all: held when the silence is one, and at the deadline',
      times(400, nothing),
      ['hold at 23', 'hold at 359, final'],
    ],
    [
      'worse after its promotion: rolled back while it bakes',
      [...times(100, healthy), ...times(100, failing)],
      ['promote at 59', 'roll-back at 121, final'],
    ],
    [
      'worse after the bake: nobody looks any more',
      [...times(200, healthy), ...times(100, failing)],
      ['promote at 59'],
    ],
  ])('%s', (_, windows, said) => {
    expect(saidOn(windows)).toEqual(said);
  });

  test('nothing follows a roll-back, and asking twice gives the same answer', () => {
    const state = judgeShown(rule, times(25, failing));
    expect(decide(rule, state)).toEqual(decide(rule, state));
    expect(decide(rule, state)).toMatchObject({ action: 'roll-back', final: true });
    expect(hasEnded(rule, state)).toBe(true);
    const later = judgeShown(rule, times(50, healthy), state);
    expect(decide(rule, later)).toBeUndefined();
    expect(explain(rule, later).metrics).toEqual(explain(rule, state).metrics);
  });

  test('it blames the metric that suffices alone, and else all that contributed', () => {
    const alone = decisionsOn(rule, times(40, failing)).said[0]?.decision.verdict;
    expect(alone).toMatchObject({ outcome: 'fail', reasons: [{ metric: 'errors' }] });
    const losing = { ...failing, traffic: { canary: 150, baseline: 350 } };
    const [first] = decisionsOn(rule, times(40, losing)).said;
    expect(first?.decision.verdict).toMatchObject({ reasons: [{ metric: 'errors' }] });
    expect(first?.decision.explanation.metrics[3]?.evidence).toBeGreaterThan(0.1);
    const both = familyRule([errorsMetric, { ...errorsMetric, id: 'checkout errors' }, cpuMetric]);
    const together = decisionsOn(both, times(150, { ...healthy, errors: rate(3, 1) })).said[0]
      ?.decision.verdict;
    if (together?.outcome !== 'fail') throw new Error('not rolled back');
    expect(together.reasons.map(({ metric }) => metric)).toEqual(['errors', 'checkout errors']);
    for (const { evidence, evidenceNeeded } of together.reasons)
      expect(evidence).toBeLessThan(evidenceNeeded);
  });
});

describe('a window', () => {
  test('is taken in once, in order', () => {
    const state = judgeShown(rule, times(3, healthy));
    expect(() => judgeWindow(rule, state, windowOf(rule, 2, healthy))).toThrow(
      'window 2 came where 3 was due',
    );
    expect(() => judgeWindow(rule, state, windowOf(rule, 4, healthy))).toThrow(RangeError);
  });

  test('for another rule is refused', () => {
    const state = initialFamily(rule);
    expect(() => judgeWindow(rule, state, windowOf(errorsRule, 0, healthy))).toThrow(
      '1 metrics of 4',
    );
    const swapped = familyRule([latencyMetric, errorsMetric, cpuMetric, trafficMetric]);
    expect(() => judgeWindow(rule, state, windowOf(swapped, 0, healthy))).toThrow(
      'window 0 shows latency where errors was due',
    );
  });

  test.each<[string, Shown]>([
    [
      'NaN counts',
      {
        ...healthy,
        errors: { canary: { total: Number.NaN, events: 1 }, baseline: { total: 250, events: 1 } },
      },
    ],
    ['more errors than requests', { ...healthy, errors: rate(251, 1) }],
    ['counts below 0', { ...healthy, errors: rate(-1, 1) }],
    [
      'halves of requests',
      {
        ...healthy,
        errors: { canary: { total: 250.5, events: 1 }, baseline: { total: 250, events: 1 } },
      },
    ],
    [
      'NaN in a bucket',
      {
        ...healthy,
        latency: {
          canary: { shape: 'explicit', bounds: [1], counts: [250, Number.NaN] },
          baseline: { shape: 'explicit', bounds: [1], counts: [250, 1] },
        },
      },
    ],
    [
      'NaN levels',
      {
        ...healthy,
        level: { canary: { mean: Number.NaN, series: 1 }, baseline: { mean: 0.4, series: 1 } },
      },
    ],
    [
      'infinite levels',
      {
        ...healthy,
        level: { canary: { mean: Infinity, series: 1 }, baseline: { mean: 0.4, series: 1 } },
      },
    ],
    ['NaN requests', { ...healthy, traffic: { canary: Number.NaN, baseline: 250 } }],
    ['a share that is none', { ...healthy, share: Number.NaN }],
  ])(
    'with %s is no evidence, and a canary of such windows is neither promoted nor rolled back',
    (_, bad) => {
      const { said, state } = decisionsOn(rule, times(360, bad));
      expect(said.filter(({ decision }) => decision.action === 'roll-back')).toEqual([]);
      // Without a share the traffic is not judged, and what is passes.
      const isPromoted = said.some(({ decision }) => decision.action === 'promote');
      expect(isPromoted).toBe(Number.isNaN(bad.share));
      const text = JSON.stringify(state);
      expect(JSON.parse(text)).toEqual(state);
      expect(explain(rule, state).evidence).toBeLessThan(1.01);
    },
  );
});

describe('the warm-up', () => {
  test('counts from the first window in which both cohorts have requests, and nothing in it is evidence', () => {
    const idle = times(10, { level: levels });
    const state = judgeShown(rule, [...idle, ...times(12, failing)]);
    expect(state.anchorIndex).toBe(10);
    expect(explain(rule, state).evidence).toBeCloseTo(1, 5);
    expect(stageOf(rule, state)).toBe('warming');
    expect(saidOn([...idle, ...times(30, failing)])).toEqual(['roll-back at 34, final']);
  });

  test('begins with levels alone where nobody asks anything for as long as one waits for data', () => {
    expect(judgeShown(rule, times(24, { level: levels })).anchorIndex).toBeNull();
    expect(judgeShown(rule, times(25, { level: levels })).anchorIndex).toBe(24);
    expect(judgeShown(familyRule([cpuMetric]), times(25, { level: levels })).anchorIndex).toBe(24);
  });

  test('does not begin with traffic that is none', () => {
    const idle = { traffic: { canary: 0, baseline: 250 }, share: 0.5 };
    expect(judgeShown(rule, times(10, idle)).anchorIndex).toBeNull();
    expect(
      judgeShown(rule, times(1, { traffic: { canary: 1, baseline: 250 }, share: 0.5 })).anchorIndex,
    ).toBe(0);
  });
});

describe('presence', () => {
  test('of a metric that neither cohort shows: it weighs nothing, and passes nobody by', () => {
    const shown = without('level', 'traffic');
    expect(saidOn(times(100, shown))).toEqual(['promote at 59']);
    const { metrics } = explain(rule, judgeShown(rule, times(25, shown)));
    expect(metrics.map(({ id, presence, weight }) => [id, presence, weight])).toEqual([
      ['errors', 'both', 0.5 / 0.85],
      ['latency', 'both', 0.35 / 0.85],
      ['cpu', 'none', 0],
      ['traffic', 'none', 0],
    ]);
  });

  test('of a metric that one cohort shows: nothing passes, and it is said when it is decided', () => {
    const shown: Shown = { ...healthy, level: { canary: aLevel, baseline: null } };
    expect(saidOn(times(360, shown))).toEqual(['hold at 24', 'hold at 359, final']);
    expect(missingAfter(rule, times(100, shown))).toEqual(['baseline cpu', 'promote-evidence cpu']);
  });

  test('of a critical metric that neither shows: nothing passes', () => {
    const critical = familyRule([errorsMetric, { ...cpuMetric, critical: true }]);
    expect(saidOn(times(360, without('level')), critical)).toEqual([
      'hold at 24',
      'hold at 359, final',
    ]);
    expect(missingAfter(critical, times(100, without('level')))).toEqual([
      'canary cpu',
      'baseline cpu',
      'promote-evidence cpu',
    ]);
  });

  test('is decided once: what comes later weighs nothing, but must be shown to be good', () => {
    const late = [
      ...times(30, without('level')),
      ...times(100, {
        ...healthy,
        level: { canary: { mean: 0.6, series: 3 }, baseline: { mean: 0.4, series: 3 } },
      }),
    ];
    const { said, state } = decisionsOn(rule, late);
    expect(told(said)).toEqual([]);
    expect(explain(rule, state).metrics[2]).toMatchObject({
      weight: 0,
      presence: 'both',
      evidence: 0,
    });
    expect(missingAfter(rule, late)).toEqual(['promote-evidence cpu']);
  });

  test('of traffic: only while somebody says what share the canary should have', () => {
    const untold: Shown = { ...healthy, share: null };
    expect(saidOn(times(100, untold))).toEqual(['promote at 59']);
    expect(explain(rule, judgeShown(rule, times(50, untold))).metrics[3]).toMatchObject({
      presence: 'none',
      weight: 0,
    });
  });
});

describe('traffic that is lost late', () => {
  const lossy = (part: number): Shown => ({
    ...healthy,
    traffic: { canary: Math.round(250 * part), baseline: 250 },
  });

  test.each([0.7, 0.5, 0.05])('to %f is not promoted for the time before', (part) => {
    const said = saidOn([...times(40, healthy), ...times(160, lossy(part))]);
    expect(said.join()).toMatch(/^roll-back at \d+, final$/);
  });

  test('is what is missing, with when it began', () => {
    const windows = [...times(40, healthy), ...times(25, lossy(0.7))];
    expect(missingAfter(rule, windows)).toEqual(['traffic-lost traffic']);
    const state = judgeShown(rule, windows);
    const text = verdictText(verdictOf(rule, state), explain(rule, state));
    expect(text).toContain('missing: traffic without a loss now;');
    expect(text).toContain(
      'requests are lost now, so nothing is promoted: since window 40 (00:03:20 UTC) the canary has got 0.7x of its share, less than 0.8x;',
    );
  });

  test('and comes back is promoted soon after', () => {
    const windows = [...times(40, healthy), ...times(25, lossy(0.7)), ...times(40, healthy)];
    expect(saidOn(windows)).toEqual(['promote at 65']);
  });

  test('moves no roll-back', () => {
    const never = familyRule(undefined, { beta: 0 });
    const windows = [...times(40, healthy), ...times(160, lossy(0.7))];
    expect(saidOn(windows, never)).toEqual(saidOn(windows));
  });
});

describe('silence', () => {
  test('is held once, and again when it comes back', () => {
    const never = familyRule(undefined, { beta: 0 });
    const silent = (count: number): readonly Shown[] => times(count, without('latency'));
    expect(
      saidOn([...times(30, healthy), ...silent(40), ...times(1, healthy), ...silent(30)], never),
    ).toEqual(['hold at 53', 'hold at 94']);
  });

  test('of one metric keeps a canary from passing, whatever came before', () => {
    const windows = [...times(30, healthy), ...times(330, without('latency'))];
    expect(saidOn(windows)).toEqual(['hold at 53', 'hold at 359, final']);
    expect(missingAfter(rule, times(30, healthy).concat(times(60, without('latency'))))).toEqual([
      'canary latency',
      'baseline latency',
    ]);
    expect(explain(rule, judgeShown(rule, windows.slice(0, 200))).metrics[1]).toMatchObject({
      presence: 'silent',
    });
  });

  describe('shorter than the limit is no hold', () => {
    const ofBaselineAlone = (kind: 'errors' | 'latency' | 'level' | 'traffic'): Shown => ({
      ...healthy,
      [kind]: { ...healthy[kind], canary: null },
    });
    const through = (windows: number, silent: Shown): readonly string[] =>
      saidOn([...times(50, healthy), ...times(windows, silent), ...times(40, healthy)]);

    test.each([
      ['errors', 23, 'promote at 73'],
      ['latency', 12, 'promote at 62'],
      ['level', 23, 'promote at 73'],
      ['traffic', 23, 'promote at 73'],
    ] as const)('and nothing passes while the canary shows no %s', (kind, windows, promoted) => {
      expect(through(windows, ofBaselineAlone(kind))).toEqual([promoted]);
    });

    test('what both lack may come in bursts: nothing passes after half of the limit', () => {
      expect(through(23, without('errors'))).toEqual(['promote at 59']);
      const early = [...times(46, healthy), ...times(23, without('errors'))];
      expect(saidOn([...early, ...times(20, healthy)])).toEqual(['promote at 69']);
    });

    test('gauges alone pass nobody where both had requests', () => {
      expect(through(9, without('errors', 'latency', 'traffic'))).toEqual(['promote at 59']);
      expect(through(10, without('errors', 'latency', 'traffic'))).toEqual(['promote at 60']);
      expect(through(23, without('errors', 'latency', 'traffic'))).toEqual(['promote at 73']);
    });

    test('but a level that is an export late is not silent, and passes', () => {
      expect(saidOn([...times(59, healthy), ...times(9, ofBaselineAlone('level'))])).toEqual([
        'promote at 59',
      ]);
      expect(saidOn([...times(58, healthy), ...times(9, ofBaselineAlone('level'))])).toEqual([]);
    });

    test('nor are few requests, of which none came by chance', () => {
      const few: Shown = { ...levelAlone, errors: rate(0, 0, 2) };
      const none: Shown = { ...few, errors: { ...rate(0, 0, 2), canary: null } };
      const alternately = Array.from({ length: 40 }, () => [few, none]).flat();
      const missing = (silent: number): readonly string[] =>
        missingAfter(familyRule([errorsMetric, cpuMetric]), [
          ...alternately,
          ...times(silent, none),
        ]);
      expect(missing(8)).not.toContain('canary errors');
      expect(missing(15)).toContain('canary errors');
    });
  });

  test('after a promotion is no longer held: the baseline is gone by then', () => {
    expect(saidOn([...times(60, healthy), ...times(300, nothing)])).toEqual(['promote at 59']);
  });

  test('does not keep a worse canary: the other metrics still roll it back', () => {
    const broken: Shown = { errors: rate(10, 1) };
    expect(saidOn([...times(30, healthy), ...times(40, broken)])).toEqual([
      'roll-back at 48, final',
    ]);
  });
});

describe('the test at the deadline', () => {
  /** Too little to be seen early: 1.3 times the errors, tolerated up to 1.1 times. */
  const slightly = familyRule(
    [
      {
        ...errorsMetric,
        rule: { ...errorsMetric.rule, tolerance: { relative: 1, absolute: 0 } },
      },
    ],
    { beta: 0 },
  );
  const worse = times(360, { errors: rate(13, 12, 1_000) });

  test('finds once what looking early has missed', () => {
    const { said, state } = decisionsOn(slightly, worse);
    expect(told(said)).toEqual(['roll-back at 359, final']);
    const [reason] =
      said[0]?.decision.verdict.outcome === 'fail' ? said[0].decision.verdict.reasons : [];
    expect(reason).toMatchObject({ metric: 'errors', code: 'worse-at-deadline' });
    expect(reason?.evidence).toBeGreaterThan(reason?.evidenceNeeded ?? Infinity);
    expect(explain(slightly, state).firstCrossed).toBeNull();
    expect(explain(slightly, state).metrics[0]?.deadline?.z).toBe(reason?.evidence);
  });

  test('is not made before, and not without a budget', () => {
    expect(saidOn(worse.slice(0, 359), slightly)).toEqual([]);
    expect(saidOn(worse, { ...slightly, alphaDeadline: 0 })).toEqual(['hold at 359, final']);
  });

  test.each<[string, Shown]>([
    ['both', nothing],
    ['the canary', { errors: { ...rate(13, 12, 1_000), canary: null } }],
    ['the baseline', { errors: { ...rate(13, 12, 1_000), baseline: null } }],
  ])('is not made of what is silent by then, in %s', (_name, silent) => {
    const noDataWindows = slightly.noDataMs / slightly.windowMs;
    // One window less is no silence yet.
    const heard = worse.length - noDataWindows;
    const { said, state } = decisionsOn(slightly, [
      ...worse.slice(0, heard - 1),
      ...times(noDataWindows + 1, silent),
    ]);
    expect(told(said).at(-1)).toBe('hold at 359, final');
    expect(explain(slightly, state).metrics[0]?.deadline).toBeNull();
    const justHeard = [...worse.slice(0, heard + 1), ...times(noDataWindows - 1, silent)];
    expect(saidOn(justHeard, slightly)).toStrictEqual(['roll-back at 359, final']);
  });

  test('splits its budget by weight among the metrics that have such a test', () => {
    const needed = (of: FamilyRule): number | undefined =>
      explain(of, judgeShown(of, times(360, { ...healthy, errors: rate(4, 4) }))).metrics[0]
        ?.deadline?.zNeeded;
    const noPromotion = { beta: 0 };
    expect(needed(familyRule([errorsMetric, cpuMetric], noPromotion))).toBe(
      needed(familyRule([errorsMetric], noPromotion)),
    );
    expect(needed(familyRule([errorsMetric, latencyMetric], noPromotion))).toBeGreaterThan(
      needed(familyRule([errorsMetric], noPromotion)) ?? Infinity,
    );
  });
});

describe('steps', () => {
  const stepped = familyRule([errorsMetric], { steps: [0.1, 0.25, 0.5] });
  const at = (share: number | null): Shown => ({ errors: rate(1, 1), share });

  test('are said one after the other, a warm-up apart, and then the promotion', () => {
    expect(saidOn(times(200, at(null)), stepped)).toEqual([
      'advance to 0.1 at 59',
      'advance to 0.25 at 71',
      'advance to 0.5 at 83',
      'promote at 95',
    ]);
  });

  test('that the canary has already are left out', () => {
    expect(saidOn(times(75, at(0.3)), stepped)).toEqual(['advance to 0.5 at 59']);
    expect(saidOn(times(75, at(0.5)), stepped)).toEqual(['promote at 59']);
  });

  test('count from when the canary has its share, where that is told', () => {
    const windows = [...times(100, at(0.05)), ...times(12, at(0.1)), ...times(5, at(0.25))];
    expect(saidOn(windows, stepped)).toEqual(['advance to 0.1 at 59', 'advance to 0.25 at 111']);
  });

  test('leave the roll-back armed, and a canary that does not get through them inconclusive', () => {
    expect(
      saidOn([...times(75, at(null)), ...times(60, { errors: rate(10, 1) })], stepped),
    ).toEqual(['advance to 0.1 at 59', 'advance to 0.25 at 71', 'roll-back at 94, final']);
    const state = judgeShown(stepped, times(361, at(0.05)));
    expect(stageOf(stepped, state)).toBe('inconclusive');
    expect(verdictOf(stepped, state)).toMatchObject({
      outcome: 'inconclusive',
      reason: 'deadline',
      missing: [{ what: 'shift', share: 0.1, since: { index: 59, startMs: 295_000 } }],
    });
  });

  test('are missing as a wait once the canary has the share, or where nobody tells it', () => {
    const shifted = judgeShown(stepped, [...times(355, at(0.05)), ...times(5, at(0.1))]);
    expect(verdictOf(stepped, shifted)).toMatchObject({ missing: [{ what: 'steps' }] });
    const untold = judgeShown(stepped, times(59 + 6, at(null)));
    expect(missingIn(stepped, untold)).toEqual([{ what: 'steps' }]);
  });

  test('are a pass of what was let, while they last', () => {
    const state = judgeShown(stepped, times(65, at(null)));
    expect(stageOf(stepped, state)).toBe('advanced');
    expect(verdictOf(stepped, state)).toMatchObject({
      outcome: 'pass',
      reasons: [{ metric: 'errors', code: 'within-promote-tolerance' }],
    });
  });
});

describe('a promotion', () => {
  test('waits for a bound near the durations: a canary that is slower would look the same', () => {
    const above = { shape: 'explicit', bounds: [5, 10], counts: [250, 0, 0] } as const;
    const blind = times(360, { ...healthy, latency: { canary: above, baseline: above } });
    expect(saidOn(blind)).toEqual(['hold at 359, final']);
    expect(missingAfter(rule, blind.slice(0, 100))).toEqual(['no-bound latency']);
  });

  test('waits for a part of the requests that is plainly slower, while it is', () => {
    const at = (counts: readonly number[]) =>
      ({ shape: 'exponential', scale: 4, zeroCount: 0, offset: -50, counts }) as const;
    const [before, slower] = [
      at([10, 230, 10]),
      at([10, 225, 10, ...Array<number>(24).fill(0), 5]),
    ];
    const shown = { ...healthy, latency: { canary: slower, baseline: before } };
    expect(missingAfter(rule, times(100, shown))).toEqual(['slower-part latency']);
    const mended = { ...healthy, latency: { canary: before, baseline: before } };
    const later = [...times(30, shown), ...times(300, mended)];
    expect(saidOn(later).map((said) => said.replace(/ at .*/, ''))).toEqual(['promote']);
  });

  test('waits for histograms with bounds', () => {
    const bare = { shape: 'explicit', bounds: [], counts: [250] } as const;
    const blind = times(100, { ...healthy, latency: { canary: bare, baseline: bare } });
    expect(missingAfter(rule, blind)).toEqual(['promote-evidence latency', 'no-bound latency']);
  });

  test('waits for the soak, for presence and for every metric', () => {
    expect(missingAfter(rule, times(20, healthy))).toContain('soak');
    expect(missingAfter(rule, times(2, healthy))).toContain('warm-up');
    const late = missingAfter(rule, times(20, healthy));
    expect([late.includes('presence'), late.includes('warm-up')]).toEqual([true, false]);
    expect(missingAfter(rule, times(58, healthy))).toEqual(['soak']);
    expect(missingAfter(rule, times(25, { ...healthy, errors: rate(2, 2) }))).toContain(
      'promote-evidence errors',
    );
  });

  test('is vetoed by evidence against the canary', () => {
    const vetoed = familyRule([errorsMetric], { vetoEvidence: 0.1 });
    expect(saidOn(times(100, healthy), vetoed)).toEqual([]);
    expect(missingAfter(vetoed, times(100, healthy))).toEqual(['veto']);
  });

  test('never comes with a budget of 0', () => {
    const never = familyRule([errorsMetric], { beta: 0 });
    expect(saidOn(times(360, healthy), never)).toEqual(['hold at 359, final']);
    expect(explain(never, judgeShown(never, times(10, healthy))).promoteEvidenceNeeded).toBeNull();
  });

  test('is watched for the bake, past the deadline too', () => {
    const late = familyRule([errorsMetric], { soakMs: 1_790_000, bakeMs: 240_000 });
    const windows = [...times(358, healthy), ...times(40, { errors: rate(20, 1) })];
    expect(saidOn(windows, late)).toEqual(['promote at 357', 'roll-back at 381, final']);
    expect(saidOn([...times(410, healthy), ...windows.slice(358)], late)).toEqual([
      'promote at 357',
    ]);
  });

  test('ends the analysis at once where nothing is baked', () => {
    const bare = familyRule([errorsMetric], { bakeMs: 0 });
    expect(saidOn(times(100, healthy), bare)).toEqual(['promote at 59, final']);
  });
});

test('the stage is that of the newest window', () => {
  const after = (windows: readonly Shown[]): string => stageOf(rule, judgeShown(rule, windows));
  const states: readonly [readonly Shown[], ReturnType<typeof stageOf>][] = [
    [[], 'warming'],
    [times(12, healthy), 'warming'],
    [times(13, healthy), 'armed'],
    [times(60, healthy), 'promoted'],
    [times(25, failing), 'rolled-back'],
    [times(24, nothing), 'hold'],
    [times(360, nothing), 'inconclusive'],
  ];
  for (const [windows, stage] of states) expect(after(windows)).toBe(stage);
});

test('the parts of the evidence sum up to it, and the weights to 1', () => {
  const state: FamilyState = judgeShown(rule, times(22, failing));
  const { evidence, metrics } = explain(rule, state);
  expect(metrics.reduce((sum, metric) => sum + metric.evidence, 0)).toBeCloseTo(evidence, 9);
  expect(metrics.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
});
