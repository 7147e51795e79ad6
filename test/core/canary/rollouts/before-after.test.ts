import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../../services/core/canonical.ts';
import type { MetricWindow } from '../../../../services/core/canary/judge/judged-window.ts';
import { presets } from '../../../../services/core/canary/policy/presets.ts';
import { isRenewal } from '../../../../services/core/canary/analysis/renewal.ts';
import type { Policy } from '../../../../services/core/canary/policy/policy.ts';
import type { Before } from '../../../../services/core/canary/rollouts/before.ts';
import { beforeText } from '../../../../services/core/canary/rollouts/before.ts';
import { parseMarker } from '../../../../services/core/markers/parse-marker.ts';
import type { Body } from '../../../../services/core/markers/upcast.ts';
import type { AnalysisOpened, Copy } from '../../../../services/core/samples/sample.ts';
import {
  bytesOf,
  cut,
  everywhere,
  exportsOf,
  kindsOf,
  openedAt,
  opening,
  run,
  tick,
  tools,
  copied,
} from '../../../support/canary/sample-streams.ts';
import type { Pod } from '../../../support/canary/sample-streams.ts';
import { policyText } from '../../../../services/core/canary/policy/policy-text.ts';

const minute = 60_000;
const policy: Policy = {
  ...presets.standard,
  metrics: presets.standard.metrics.filter(({ judged }) => judged === 'errors'),
  rollouts: { beforeAfter: true, blueGreen: true },
};

const past = (
  errors: (window: number) => number,
  season: readonly number[] | null = [1],
  windows = 30,
): Before => ({
  season,
  windows: Array.from({ length: windows }, (_, index): readonly MetricWindow[] => [
    { judged: 'errors', canary: null, baseline: { total: 6_000, events: errors(index) } },
  ]),
});

const text = policyText(everywhere(policy));
const begun = (before: Before, change: Partial<AnalysisOpened> = {}): AnalysisOpened => ({
  ...opening({ policy: text, policyDigest: tools.digest(text), canaryShare: null }),
  comparison: 'before-after',
  before: beforeText(before),
  ...change,
});

/** Sends every 10 s, a thousand requests each time, from the first minute on. */
const pod = (errorsAt: (minute: number) => number, change: Partial<Pod> = {}): Pod => ({
  name: 'new',
  version: '2.0.0',
  temporality: 'cumulative',
  startMs: 100,
  exportEveryMs: 10_000,
  firstExportMs: 5_000,
  lastExportMs: 34 * minute,
  traffic: (index) => [1_000, errorsAt(Math.floor((index * 10_000) / minute))],
  ...change,
});

const judged = (begins: AnalysisOpened, ...pods: readonly Pod[]): ReturnType<typeof run> =>
  run([begins, ...cut(exportsOf(pods), [20]), tick(40 * minute)]);

const healthy = (): number => 5;
const usual = past(() => 30);

describe('a whole rollout, before and after', () => {
  const worse = judged(
    begun(usual),
    pod(() => 30),
  );
  const [rollback] = worse.decisions;

  test('that fails six times as often is rolled back, and the decision says how weak that is', () => {
    expect(kindsOf(worse.decisions)).toContain('roll-back');
    expect(rollback).toMatchObject({ metric: 'errors', mode: 'decide', windowMs: minute });
    expect(rollback?.explanation).toMatch(
      /^before and after, not side by side: weaker than a canary\./,
    );
    expect(parseMarker('decision', rollback as unknown as Body).ok).toBe(true);
  });

  test('every window is held against the one half an hour before it, and each of those once', () => {
    const rising = past((window) => window);
    const { windows } = judged(begun(rising), pod(healthy));
    const held = windows.map(({ window }) => {
      const [metric] = window.metrics;
      return metric?.judged === 'errors' ? (metric.baseline?.events ?? null) : undefined;
    });
    expect(held.slice(0, 30)).toStrictEqual(Array.from({ length: 30 }, (_, index) => index));
    expect(held.slice(30).every((events) => events === null)).toBe(true);
  });

  test('of a half-hour that was not whole the beginning is missing, not the end', () => {
    const { windows } = judged(begun(past((window) => window, [1], 10)), pod(healthy));
    const held = windows.map(({ window }) => {
      const [metric] = window.metrics;
      return metric?.judged === 'errors' ? (metric.baseline?.events ?? null) : undefined;
    });
    expect(held.slice(19, 22)).toStrictEqual([null, 0, 1]);
  });

  test('that is as good is promoted, within half an hour', () => {
    const { decisions } = judged(begun(usual), pod(healthy));
    expect(kindsOf(decisions)[0]).toBe('promote');
    expect(decisions[0]?.explanation).toMatch(/^before and after, not side by side/);
    const minutes = ((decisions[0]?.windowEndedAt ?? 0) - openedAt) / minute;
    expect(minutes).toBeGreaterThanOrEqual(15);
    expect(minutes).toBeLessThanOrEqual(30);
  });

  test('that nobody hears of ends inconclusive after half an hour', () => {
    const { decisions } = judged(begun(usual));
    const said = decisions.filter((decision) => !isRenewal(decision));
    expect(kindsOf(said)).toStrictEqual(['hold', 'hold']);
    expect(decisions.at(-1)).toMatchObject({ verdict: 'inconclusive', reason: 'deadline' });
    expect((decisions.at(-1)?.windowEndedAt ?? 0) - openedAt).toBe(30 * minute);
  });

  test('of which nothing is known from before ends inconclusive, however bad it is', () => {
    const { decisions } = judged(
      begun({ windows: [], season: null }),
      pod(() => 500),
    );
    expect(kindsOf(decisions)).not.toContain('roll-back');
    expect(decisions.at(-1)?.verdict).toBe('inconclusive');
  });

  test('what the old version sends meanwhile is counted, and no evidence', () => {
    const old = pod(() => 900, { name: 'old', version: '1.9.4', lastExportMs: 5 * minute });
    const { state, decisions } = judged(begun(usual), pod(healthy), old);
    expect(kindsOf(decisions)[0]).toBe('promote');
    const excluded = Object.values(state.analyses)[0]?.excluded;
    expect(excluded?.['old-version']).toBe(exportsOf([old]).length);
  });
});

test('the same samples give the same bytes, however they are cut, and from any snapshot', () => {
  const sent = exportsOf([pod(() => 20), pod(() => 25, { name: 'second', temporality: 'delta' })]);
  const begins = begun(usual);
  const whole = bytesOf(run([begins, ...cut(sent, [1_000]), tick(40 * minute)]).decisions);
  expect(whole.length).toBeGreaterThan(0);
  const small = cut(sent, [1, 17, 4]);
  expect(bytesOf(run([begins, ...small, tick(40 * minute)]).decisions)).toStrictEqual(whole);
  const half = Math.floor(small.length / 2);
  const first = run([begins, ...small.slice(0, half)]);
  const kept = JSON.parse(JSON.stringify(first.state)) as typeof first.state;
  const second = run([...small.slice(half), tick(40 * minute)], kept, half + 1);
  expect([...bytesOf(first.decisions), ...bytesOf(second.decisions)]).toStrictEqual(whole);
});

describe('the time of day', () => {
  test('when the day before became six times worse at the same time nobody is rolled back', () => {
    const { decisions } = judged(
      begun(past(() => 30, [6])),
      pod(() => 30),
    );
    expect(kindsOf(decisions)).not.toContain('roll-back');
  });

  test('when it is not known the decision is a dry run, and says so', () => {
    const [decision] = judged(
      begun(past(() => 30, null)),
      pod(() => 30),
    ).decisions;
    expect(decision).toMatchObject({ kind: 'roll-back', mode: 'dry-run' });
    expect(decision?.explanation).toContain('the day before is not known, so nobody may act on it');
  });

  test('twice as many errors are within what half an hour does by itself', () => {
    const { decisions } = judged(
      begun(usual),
      pod(() => 10),
    );
    expect(kindsOf(decisions)).not.toContain('roll-back');
  });
});

describe('an opening that cannot be used', () => {
  test.each([
    ['nothing', null],
    ['no JSON', '{'],
    [
      'another number of metrics',
      canonicalJson({ layouts: [], season: null, windows: [[null, null]] }),
    ],
    ['errors beyond requests', canonicalJson({ layouts: [], season: null, windows: [[[1, 2]]] })],
    ['a season below one', canonicalJson({ layouts: [], season: [0.5], windows: [] })],
  ])('with %s before ends at once, inconclusive', (_name, before) => {
    const { decisions } = run([begun(usual, { before })]);
    expect(decisions).toMatchObject([
      { kind: 'hold', verdict: 'inconclusive', reason: 'before-unreadable' },
    ]);
  });
});

describe('blue/green', () => {
  const shift = (share: number | null): Copy =>
    copied('traffic-shifted', { logPosition: 99, canaryShare: share });
  const colours = (before: Before): AnalysisOpened => begun(before, { comparison: 'colours' });
  const old = (errorsAt: (minute: number) => number, change: Partial<Pod> = {}): Pod =>
    pod(errorsAt, { name: 'blue', version: '1.9.4', ...change });

  test('while both colours are served they are compared side by side', () => {
    // Both became worse with the switch: something else did that.
    const { decisions } = judged(
      colours(usual),
      pod(() => 40),
      old(() => 40),
    );
    expect(kindsOf(decisions)).not.toContain('roll-back');
  });

  test('once one has all the traffic it is held against what ran before', () => {
    const drained = old(() => 5, { lastExportMs: 2 * minute });
    const { decisions } = judged(
      colours(usual),
      pod(() => 40),
      drained,
    );
    expect(kindsOf(decisions)).toContain('roll-back');
    expect(decisions[0]?.explanation).toMatch(
      /^where one colour had all the traffic, before and after, not side by side/,
    );
  });

  test('the few requests that the old one still answers are nothing to compare with', () => {
    // Stragglers fail: held against them, the new colour would look good.
    const stragglers = old(() => 9, { traffic: () => [10, 9] });
    const { decisions } = judged(
      colours(usual),
      pod(() => 40),
      stragglers,
    );
    expect(kindsOf(decisions)).toContain('roll-back');
  });

  test('a further shift changes nothing', () => {
    const sent = cut(exportsOf([pod(healthy)]), [20]);
    const with100 = run([colours(usual), shift(1), ...sent, tick(40 * minute)]);
    const without = run([colours(usual), ...sent, tick(40 * minute)]);
    expect(kindsOf(with100.decisions)).toStrictEqual(kindsOf(without.decisions));
    expect(with100.windows.every(({ window }) => window.canaryShare === null)).toBe(true);
  });
});
