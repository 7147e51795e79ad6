import { describe, expect, test } from 'vitest';
import { carriedText } from '../../../../services/core/canary/judge/carried-text.ts';
import { carriedEvidence } from '../../../../services/core/canary/judge/judge.ts';
import { backtestResult } from '../../../../services/core/canary/backtest/result.ts';
import { noiseText } from '../../../../services/core/canary/judge/noise-text.ts';
import type { Policy } from '../../../../services/core/canary/policy/policy.ts';
import { ruleIn } from '../../../../services/core/canary/attempts/frozen.ts';
import { isRenewal } from '../../../../services/core/canary/analysis/renewal.ts';
import { parseMarker } from '../../../../services/core/markers/parse-marker.ts';
import type { Body } from '../../../../services/core/markers/upcast.ts';
import { upcast } from '../../../../services/core/markers/upcast.ts';
import type { Decided } from '../../../../services/core/markers/marker.ts';
import type { AnalysisOpened, Copy, Sample } from '../../../../services/core/samples/sample.ts';
import {
  baselinePod,
  busy,
  canaryPod,
  cut,
  exportsOf,
  fastPolicy,
  fullPolicy,
  kindsOf,
  openedAt,
  opening,
  run,
  tick,
  tools,
  copied,
} from '../../../support/canary/sample-streams.ts';
import type { Pod, Run } from '../../../support/canary/sample-streams.ts';

// What an analysis does with everything that its opening and its policy say.

const withAll: Partial<Pod> = {
  lastExportMs: 58_500,
  traffic: () => [busy, 1],
  slowness: () => [0, 0.3, 0.1, 0.02],
  cpu: (at) => 0.4 + 0.01 * (at % 3),
};
const pod = (change: Partial<Pod>): Pod => baselinePod({ ...withAll, ...change });
const canary = (change: Partial<Pod> = {}): Pod => canaryPod({ ...withAll, ...change });
const failing = { traffic: (): readonly [number, number] => [busy, 100] };

const measured = noiseText([
  { id: 'errors', judged: 'errors', phi: 1, batches: 72, note: 'measured' },
  { id: 'cpu', judged: 'level', variance: 0.001, batches: 72, note: 'raised-for-traffic' },
]);
const policy: Policy = {
  ...fullPolicy,
  metrics: fullPolicy.metrics.filter(({ id }) => id !== 'memory'),
};

const judged = (
  change: Partial<AnalysisOpened>,
  by: Policy,
  pods: readonly Pod[],
  more: readonly Sample[] = [],
): Run =>
  run([
    opening({ canaryShare: 0.5, noise: measured, noiseAgeMs: 60_000, ...change }, by),
    ...more,
    ...cut(exportsOf(pods), [7]),
    tick(75_000),
  ]);
const first = ({ decisions: [decision] }: Run): Decided => {
  if (decision === undefined) throw new Error('nothing was decided');
  return decision;
};
const expectMarker = (decision: Decided): void =>
  expect(parseMarker('decision', decision as unknown as Body)).toMatchObject({ ok: true });

const copy = (afterMs: number, canaryShare: number, logPosition: number): Copy =>
  copied('traffic-shifted', { appendedAt: openedAt + afterMs, canaryShare, logPosition });

describe('a decision', () => {
  const rollback = first(judged({}, policy, [pod({}), canary(failing)]));

  test('says what each metric came to, in the order of the policy', () => {
    expect(
      rollback.metrics.map(({ id, isBlamed, dispersionFrom }) => [id, isBlamed, dispersionFrom]),
    ).toStrictEqual([
      ['errors', true, 'measured'],
      ['latency', false, 'unknown'],
      ['cpu', false, 'raised-for-traffic'],
      ['traffic', false, 'unknown'],
    ]);
    const [errors, latency, cpu, traffic] = rollback.metrics;
    expect(errors?.canaryEvents).toBe(rollback.canary.errors);
    expect(errors?.baselineCount).toBe(rollback.baseline.requests);
    expect(latency?.canaryCount).toBe(errors?.canaryCount);
    expect(cpu?.canaryLevel).toBeCloseTo(0.41, 2);
    expect(traffic?.judged).toBe('traffic');
    expect(rollback).toMatchObject({ metric: 'errors', stage: 'rolled-back', mode: 'decide' });
    expect(rollback.explanation).toMatch(
      /latency is not blamed.*cpu is not blamed.*traffic: nothing/,
    );
    expectMarker(rollback);
  });

  test('names the noise that it was judged with', () => {
    expect(rollback.noiseDigest).toBe(tools.digest(measured));
    expect(first(judged({ noise: '[]' }, fastPolicy, [pod({}), canary(failing)]))).toMatchObject({
      noiseDigest: null,
    });
  });

  test('has the mode of its policy', () => {
    for (const act of ['dry-run', 'ask'] as const)
      expect(first(judged({}, { ...fastPolicy, act }, [pod({}), canary(failing)])).mode).toBe(act);
  });

  test('blames latency where that is what is worse, and a level where that is', () => {
    const slow = canary({ slowness: () => [0, 0.3, 0.3, 0.2] });
    const hungry = canary({ cpu: (at) => 0.6 + 0.01 * (at % 3) });
    expect(first(judged({}, policy, [pod({}), slow]))).toMatchObject({
      kind: 'roll-back',
      metric: 'latency',
    });
    const level = first(judged({}, policy, [pod({}), hungry]));
    expect(level).toMatchObject({ kind: 'roll-back', metric: 'cpu', toleranceRelative: 1.1 });
    expect(level.ratio).toBeGreaterThan(1.3);
    expectMarker(level);
  });
});

test('the numbers of a promotion are of one metric: of what showed least, by its name', () => {
  const long = 58_500;
  const soon = { slowness: () => [0, 0.3, 0.1, 0.02] };
  const promotion = first(
    judged({}, { ...policy, soakMs: 20_000 }, [
      pod({ lastExportMs: long, ...soon, traffic: () => [50 * busy, 50] }),
      canary({ lastExportMs: long, ...soon, traffic: () => [50 * busy, 50] }),
    ]),
  );
  expect(promotion).toMatchObject({ kind: 'promote', verdict: 'pass' });
  const shown = promotion.metrics.filter(({ weight }) => weight > 0);
  const least = shown.toSorted((one, other) => one.promoteEvidence - other.promoteEvidence)[0];
  expect(promotion.metric).toBe(least?.id);
  expect(promotion.metric).not.toBe('errors');
  expect(promotion.evidence).toBe(Number(least?.promoteEvidence.toPrecision(6)));
  for (const number of ['ratio', 'ratioLow', 'ratioHigh', 'strongest'] as const)
    expect(promotion[number]).toEqual(least?.[number]);
  // What a backtest ends with is of the same metric.
  const result = backtestResult(promotion, openedAt, promotion.windows, {});
  expect(result).toMatchObject({ outcome: 'promote', metric: least?.id, ratio: least?.ratio });
  expectMarker(promotion);
});

describe('the share of the canary', () => {
  const sharesIn = (samples: readonly Sample[]): readonly (number | null)[] =>
    judged({ canaryShare: 0.1 }, policy, [pod({}), canary()], samples).windows.map(
      ({ window }) => window.canaryShare,
    );

  test('changes with the window in which the log says so', () => {
    const shares = sharesIn([copy(10_400, 0.25, 12), copy(20_999, 0.5, 13)]);
    expect([shares[9], shares[10], shares[19], shares[20], shares[40]]).toStrictEqual([
      0.1, 0.25, 0.25, 0.5, 0.5,
    ]);
  });

  test('is not set back by what is copied again, or is older than the opening', () => {
    const twice = [copy(3_000, 0.25, 12), copy(4_000, 0.5, 13), copy(3_000, 0.25, 12)];
    expect(sharesIn(twice).slice(4)).toStrictEqual(sharesIn(twice.slice(0, 2)).slice(4));
    expect(sharesIn([copy(3_000, 0.9, 7)])[30]).toBe(0.1);
  });
});

describe('steps', () => {
  const stepped: Policy = { ...fastPolicy, deadlineMs: 600_000, steps: [0.25, 0.5] };
  const long = 500_500;
  const good = [pod({ lastExportMs: long }), canary({ lastExportMs: long })];
  const stages = judged({ canaryShare: null, noise: '[]' }, stepped, good).decisions;

  test('are said one after the other, each with its share, before the promotion', () => {
    expect(
      stages
        .filter((decision) => !isRenewal(decision))
        .map(({ kind, share, verdict, stage }) => [kind, share, verdict, stage]),
    ).toStrictEqual([
      ['advance', 0.25, 'pass', 'advanced'],
      ['advance', 0.5, 'pass', 'advanced'],
      ['promote', null, 'pass', 'promoted'],
    ]);
    for (const decision of stages) expectMarker(decision);
  });

  test('are renewed while the next is waited for, and not while somebody is silent', () => {
    const waiting = { canaryShare: 0.1, noise: '[]' };
    const first20 = [pod({ lastExportMs: long }), canary({ lastExportMs: long })];
    const renewed = judged(waiting, { ...stepped, metrics: fastPolicy.metrics }, first20).decisions;
    // The share stays .1: the step was not obeyed, and is said again.
    expect(kindsOf(renewed)).toStrictEqual(['advance', 'advance']);
    expect(renewed.map(isRenewal)).toStrictEqual([false, true]);
    const silent = judged(waiting, stepped, [pod({ lastExportMs: long }), canary()]);
    expect(kindsOf(silent.decisions.slice(0, 2))).toStrictEqual(['advance', 'hold']);
    // The silence is, while it lasts.
    expect(new Set(kindsOf(silent.decisions.slice(1)))).toStrictEqual(new Set(['hold']));
  });
});

describe('silence', () => {
  const silentUnder = (onSilence: Policy['onSilence']): Decided =>
    first(judged({}, { ...fastPolicy, onSilence }, [pod({}), canary({ lastExportMs: 2_500 })]));

  test.each(['hold', 'page'] as const)('is a hold that says: %s', (onSilence) => {
    const decision = silentUnder(onSilence);
    expect(decision).toMatchObject({ kind: 'hold', reason: 'no-data', onSilence, stage: 'hold' });
    expectMarker(decision);
  });

  test('is a roll-back where the policy asks for it, named as one, and no evidence', () => {
    const decision = silentUnder('roll-back');
    expect(decision).toMatchObject({
      kind: 'roll-back',
      verdict: 'inconclusive',
      reason: 'silence',
      stage: 'rolled-back',
      onSilence: 'roll-back',
      metric: null,
      toVersion: '1.9.4',
    });
    expect(decision.metrics.every(({ isBlamed }) => !isBlamed)).toBe(true);
    expectMarker(decision);
  });

  test('is none where points came and were left out: a person is asked', () => {
    const fleet = Array.from({ length: 6 }, (_, index) =>
      pod({
        name: `baseline ${index}`,
        ...(index === 0 ? { traffic: () => [busy * 1_000, 0] } : {}),
      }),
    );
    const { decisions } = judged({}, { ...fastPolicy, onSilence: 'roll-back' }, [
      ...fleet,
      canary(),
    ]);
    expect(first({ decisions } as Run)).toMatchObject({
      kind: 'hold',
      reason: 'no-data',
      onSilence: 'page',
    });
    expect(decisions.map(({ kind }) => kind)).not.toContain('roll-back');
  });

  test('of a baseline that has no traffic left is none: nothing is rolled back, and the hold says why', () => {
    const leaves = pod({ lastExportMs: 4_500 });
    const { decisions } = judged(
      { canaryShare: 0.1 },
      { ...fastPolicy, onSilence: 'roll-back', soakMs: 50_000 },
      [leaves, canary()],
      [copy(4_000, 1, 9)],
    );
    expect(first({ decisions } as Run)).toMatchObject({
      kind: 'hold',
      reason: 'no-data',
      onSilence: null,
    });
    expect(decisions[0]?.explanation).toMatch(/^the canary has all the traffic, so nothing/);
    expect(decisions.map(({ kind }) => kind)).not.toContain('roll-back');
    const partly = judged(
      { canaryShare: 0.1 },
      { ...fastPolicy, onSilence: 'roll-back', soakMs: 50_000 },
      [leaves, canary()],
    );
    expect(partly.decisions[0]).toMatchObject({ kind: 'roll-back', reason: 'silence' });
  });

  test('that lasts until the deadline is no roll-back, whatever the policy asks for', () => {
    const { decisions } = judged({}, { ...fastPolicy, onSilence: 'roll-back' }, [
      pod({}),
      canary(),
    ]);
    expect(decisions.map(({ onSilence }) => onSilence)).toStrictEqual([null]);
  });
});

describe('the target of a sender', () => {
  const place = 'cloud.region';
  const pods = [
    pod({ target: 'eu' }),
    canary({ target: 'eu' }),
    canary({ ...failing, name: 'far', target: 'us' }),
  ];
  const excludedBy = (
    targetAttribute: string | null,
    target: string | null,
  ): number | undefined => {
    const { state } = judged({ target }, { ...fastPolicy, targetAttribute }, pods);
    return Object.values(state.analyses)[0]?.excluded['other-target'];
  };

  test('keeps it out of the cohorts of another target', () => {
    expect(excludedBy(place, 'eu')).toBeGreaterThan(100);
    expect(
      kindsOf(judged({ target: 'eu' }, { ...fastPolicy, targetAttribute: place }, pods).decisions),
    ).toStrictEqual(['promote']);
  });

  test('says nothing where no policy asks for it, or the slot has none', () => {
    expect([excludedBy(null, 'eu'), excludedBy(place, null)]).toStrictEqual([0, 0]);
  });
});

describe('an analysis that this release cannot judge ends inconclusive', () => {
  test.each<[string, Partial<AnalysisOpened>]>([
    ['comparison-unknown', { comparison: 'next-door' }],
    ['noise-unreadable', { noise: '{}' }],
    ['noise-unreadable', { noise: '[{"id":"errors","judged":"errors","phi":0.5}]' }],
    ['evidence-unreadable', { carried: '{"attempts":0}' }],
  ])('%s', (reason, change) => {
    const { decisions } = judged(change, policy, [pod({}), canary(failing)]);
    expect(decisions).toMatchObject([{ kind: 'hold', verdict: 'inconclusive', reason }]);
    for (const decision of decisions) expectMarker(decision);
  });

  test('one that was opened for judge 1', () => {
    const {
      noise: _noise,
      noiseAgeMs: _age,
      carried: _carried,
      carriedFrom: _from,
      independentAttempts: _attempts,
      comparison: _comparison,
      before: _before,
      ...older
    } = opening({ judge: 1, policy: '{}', policyDigest: tools.digest('{}') });
    const lifted = upcast('analysis', 1, older) as unknown as AnalysisOpened;
    expect(run([lifted, tick(90_000)]).decisions).toMatchObject([
      { kind: 'hold', reason: 'judge-unknown', judge: '1' },
    ]);
  });
});

describe('an attempt with the same artifacts', () => {
  const leftBy = (pods: readonly Pod[]): Partial<AnalysisOpened> => {
    const { state } = judged({}, fastPolicy, pods);
    const [analysis] = Object.values(state.analyses);
    if (analysis?.judge === null || analysis?.windowMs === null || analysis === undefined)
      throw new Error('nothing was judged');
    const rule = ruleIn(analysis.opening, analysis.windowMs);
    return {
      carried: carriedText(carriedEvidence(rule, analysis.judge)),
      carriedFrom: '6f1c1a52-0000-8000-8000-0000000000cc',
    };
  };

  test('of which the one before failed fails with the first window that is judged', () => {
    const again = first(
      judged(leftBy([pod({}), canary(failing)]), fastPolicy, [pod({}), canary()]),
    );
    expect(again).toMatchObject({
      kind: 'roll-back',
      carriedFrom: '6f1c1a52-0000-8000-8000-0000000000cc',
    });
    expect(again.windowIndex).toBeLessThan(4);
    expect(again.evidence).toBeGreaterThanOrEqual(again.evidenceNeeded);
    expect(again.explanation).toContain('an earlier attempt with the same artifact');
    expectMarker(again);
  });

  test('of which the one before was good goes on from there', () => {
    const fresh = first(judged({}, fastPolicy, [pod({}), canary()]));
    const again = first(judged(leftBy([pod({}), canary()]), fastPolicy, [pod({}), canary()]));
    expect([fresh.kind, again.kind]).toStrictEqual(['promote', 'promote']);
    expect(again.windowIndex).toBeLessThanOrEqual(fresh.windowIndex);
  });

  test('that begins from nothing has half the budget of the one before', () => {
    const needed = (independentAttempts: number): number =>
      first(judged({ independentAttempts }, fastPolicy, [pod({}), canary(failing)])).evidenceNeeded;
    expect([needed(1), needed(2), needed(3)]).toStrictEqual([200, 400, 800]);
  });
});
