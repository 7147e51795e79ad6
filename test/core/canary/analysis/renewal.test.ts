import { describe, expect, test } from 'vitest';
import type { PartitionState } from '../../../../services/core/canary/analysis/fold-samples.ts';
import type { Policy } from '../../../../services/core/canary/policy/policy.ts';
import { noBases } from '../../../../services/core/canary/windows/stream-bases.ts';
import { isRenewal } from '../../../../services/core/canary/analysis/renewal.ts';
import { parseMarker } from '../../../../services/core/markers/parse-marker.ts';
import type { Decided } from '../../../../services/core/markers/marker.ts';
import type { Body } from '../../../../services/core/markers/upcast.ts';
import type { Copy, Sample, Tick } from '../../../../services/core/samples/sample.ts';
import {
  baselinePod as pod,
  busy,
  canaryPod as canary,
  cut,
  deployment,
  exportsOf,
  fastPolicy,
  kindsOf,
  openedAt,
  opening,
  run,
  tick,
  copied,
} from '../../../support/canary/sample-streams.ts';
import type { Pod } from '../../../support/canary/sample-streams.ts';

const minutes = 60_000;
const dayMs = 86_400_000;
const analysisId = opening().analysis;
/** 300 s of validity less 60 s, in windows of a second, less one. */
const every = 239;

const failing = (): readonly [number, number] => [busy, busy / 5];

const sent = (lastExportMs: number, ...canaries: readonly Pod[]): readonly Sample[] =>
  cut(exportsOf([pod({ lastExportMs }), ...canaries]), [50]);
const bad = [opening(), ...sent(50_500, canary({ traffic: failing }))];
const good = [opening(), ...sent(50_500, canary())];

const ticks = (fromMs: number, toMs: number, everyMs: number): readonly Tick[] =>
  Array.from({ length: Math.ceil((toMs - fromMs) / everyMs) }, (_, index) =>
    tick(fromMs + (index + 1) * everyMs),
  );

const copy = (fact: Copy['fact']): Copy => copied(fact, { appendedAt: openedAt + 3_000 });

const windowsOf = (decisions: readonly Decided[]): readonly number[] =>
  decisions.map(({ windowIndex }) => windowIndex);
const first = ([decision]: readonly Decided[]): Decided => {
  if (decision === undefined) throw new Error('nothing was decided');
  return decision;
};

describe('what stands is said again', () => {
  test.each([
    ['roll-back', bad],
    ['promote', good],
  ] as const)('a %s, by ticks alone', (kind, samples) => {
    const { decisions } = run([...samples, ...ticks(51_000, 20 * minutes, 1_000)]);
    const standing = first(decisions);
    expect(new Set(kindsOf(decisions))).toStrictEqual(new Set([kind]));
    expect(windowsOf(decisions)).toStrictEqual(
      [0, 1, 2, 3, 4].map((turn) => standing.windowIndex + turn * every),
    );
    expect(decisions.map(isRenewal)).toStrictEqual([false, true, true, true, true]);
  });

  test('also where telemetry goes on, and no tick is needed', () => {
    const long = 10 * minutes;
    const telling = canary({ traffic: failing, lastExportMs: long });
    const { decisions } = run([opening(), ...sent(long, telling)]);
    expect(kindsOf(decisions)).toStrictEqual(['roll-back', 'roll-back', 'roll-back']);
    const silent = run([...bad, ...ticks(51_000, long, 1_000)]).decisions;
    expect(windowsOf(silent)).toStrictEqual(windowsOf(decisions));
  });

  test('as the same decision: another id and a later window, nothing claimed anew', () => {
    const { decisions } = run([...bad, ...ticks(51_000, 6 * minutes, 1_000)]);
    const [standing, renewal] = decisions;
    expect(renewal).toStrictEqual({
      ...standing,
      marker: renewal?.marker,
      windowIndex: (standing?.windowIndex ?? 0) + every,
      windowEndedAt: (standing?.windowEndedAt ?? 0) + every * 1_000,
      occurredAt: (standing?.occurredAt ?? 0) + every * 1_000,
      explanation: `renews the roll-back of window ${standing?.windowIndex}; ${standing?.explanation}`,
    });
    expect(renewal?.marker).not.toBe(standing?.marker);
    expect(parseMarker('decision', renewal as unknown as Body).ok).toBe(true);
  });

  test.each([
    [1_000, 239],
    [5_000, 47],
    [60_000, 3],
    [80_000, 2],
    [120_000, 1],
  ])('with windows of %i ms every %i of them: a minute is left', (windowMs, windows) => {
    const times = { warmUpMs: windowMs, soakMs: windowMs, deadlineMs: 40 * windowMs };
    const policy: Policy = { ...fastPolicy, windowMs, ...times, noDataMs: 20 * windowMs };
    const slow = { exportEveryMs: windowMs, lastExportMs: 30 * windowMs };
    const pods = [pod(slow), canary({ ...slow, traffic: failing })];
    const samples = [
      opening({}, policy),
      ...cut(exportsOf(pods), [1]),
      ...ticks(29 * windowMs + 500, 29 * windowMs + 15 * minutes, windowMs),
    ];
    const said: Decided[] = [];
    const saidAtMs: number[] = [];
    let state: PartitionState | undefined;
    for (const [position, sample] of samples.entries()) {
      const step = run([sample], state, position);
      state = step.state;
      said.push(...step.decisions);
      for (const _ of step.decisions)
        saidAtMs.push(state.analyses[analysisId]?.receiptMs ?? Number.NaN);
    }
    expect(said.length).toBeGreaterThan(3);
    const [one, two] = windowsOf(said);
    expect((two ?? 0) - (one ?? 0)).toBe(windows);
    for (const [index, atMs] of saidAtMs.entries()) {
      expect(atMs - (saidAtMs[index - 1] ?? atMs)).toBeLessThanOrEqual(4 * minutes);
      expect(atMs - (said[index]?.windowEndedAt ?? atMs)).toBeGreaterThanOrEqual(2 * windowMs);
    }
  });

  test('none is left out where time makes a jump', () => {
    const walked = run([...bad, ...ticks(51_000, 60 * minutes, 1_000)]);
    const jumped = run([...bad, tick(60 * minutes)]);
    expect(jumped.decisions).toStrictEqual(walked.decisions);
    expect(jumped.state).toStrictEqual(walked.state);
  });
});

test('a promotion that is renewed is replaced by a roll-back, and only that is renewed', () => {
  const long = 15 * minutes;
  const late = canary({
    lastExportMs: long,
    traffic: (index) => [busy, index < 300 ? 0 : busy / 5],
  });
  const { decisions } = run([opening(), ...sent(long, late)]);
  expect(kindsOf(decisions)).toStrictEqual([
    'promote',
    'promote',
    'roll-back',
    'roll-back',
    'roll-back',
  ]);
});

describe('a silence', () => {
  const lasting: Policy = { ...fastPolicy, deadlineMs: 30 * minutes };
  const silentFrom = (fromMs: number, deadlineMs = lasting.deadlineMs): readonly Decided[] =>
    run([
      opening({}, { ...lasting, deadlineMs }),
      ...sent(fromMs),
      ...ticks(fromMs, 60 * minutes, 1_000),
    ]).decisions;

  test('is said again while it lasts, and no more once the time is over', () => {
    const decisions = silentFrom(50_500);
    const held = decisions.filter(({ reason }) => reason === 'no-data');
    expect(decisions.filter((decision) => !isRenewal(decision))).toStrictEqual([
      held[0],
      decisions.at(-1),
    ]);
    expect(decisions.at(-1)).toMatchObject({
      kind: 'hold',
      reason: 'deadline',
      validForMs: 300_000,
    });
    const [one = 0] = windowsOf(held);
    expect(windowsOf(held)).toStrictEqual(held.map((_, turn) => one + turn * 30));
    // Half an hour less the silence that it took, every 30 s.
    expect(held).toHaveLength(60);
  });

  test.each([
    [1_000, 30 * minutes, 30, 42_000],
    [5_000, 30 * minutes, 6, 50_000],
    [15_000, 30 * minutes, 2, 70_000],
    [60_000, 60 * minutes, 1, 190_000],
    [1_000, 4 * 60 * minutes, 60, 72_000],
    [5_000, dayMs, 56, 300_000],
    [120_000, 60 * minutes, 1, 300_000],
  ])(
    'in windows of %i ms until %i ms is said every %i of them, and counts for %i ms',
    (windowMs, deadlineMs, windows, validForMs) => {
      const times = { warmUpMs: windowMs, soakMs: 2 * windowMs, noDataMs: 2 * windowMs };
      const policy: Policy = { ...fastPolicy, windowMs, ...times, deadlineMs };
      const endMs = Math.min(deadlineMs - 1, 20 * minutes);
      const { decisions } = run([opening({}, policy), ...ticks(0, endMs, windowMs)]);
      expect(new Set(decisions.map((decision) => decision.validForMs))).toStrictEqual(
        new Set([validForMs]),
      );
      const [one, two] = windowsOf(decisions);
      expect((two ?? 0) - (one ?? 0)).toBe(windows);
      // The sample that closes a window may come a window late.
      const latestMs = (windows + 1) * windowMs;
      expect(latestMs).toBeLessThan(windowMs > minutes ? 301_000 + 60_000 : validForMs);
    },
  );

  test('that is over is not said any more, and the next one is another', () => {
    const back = canary({ firstExportMs: 120_500, lastExportMs: 180_500 });
    const { decisions, state } = run([
      opening({}, { ...lasting, soakMs: 20 * minutes }),
      ...sent(300_500, canary({ lastExportMs: 20_500 }), { ...back, name: 'back' }),
    ]);
    const held = decisions.filter(({ kind }) => kind === 'hold');
    const [one, other, ...more] = held.filter((decision) => !isRenewal(decision));
    expect([one?.windowIndex, other?.windowIndex, more]).toStrictEqual([28, 188, []]);
    expect(one?.evidenceDigest).not.toBe(other?.evidenceDigest);
    expect(windowsOf(held.filter(isRenewal))).toStrictEqual([58, 88, 118, 218, 248, 278]);
    expect(state.analyses[analysisId]?.held?.window).toBe(278);
  });

  test('does not keep a step from being said again behind it', () => {
    const policy: Policy = { ...lasting, steps: [0.5], soakMs: 4_000, deadlineMs: 50 * minutes };
    const { decisions } = run([
      opening({}, policy),
      ...sent(
        600_500,
        canary({ lastExportMs: 50_500 }),
        canary({ name: 'back', firstExportMs: 90_500, lastExportMs: 600_500 }),
      ),
    ]);
    const told = decisions.map(
      (decision) => `${decision.kind}${isRenewal(decision) ? ' again' : ''}`,
    );
    expect(told).toStrictEqual([
      ...['advance', 'hold', 'hold again', 'advance again', 'advance again'],
    ]);
  });
});

describe('nothing more is renewed', () => {
  const later = ticks(51_000, 20 * minutes, 1_000);

  test.each(['succeeded', 'failed', 'canceled'] as const)('once it has %s', (fact) => {
    const { state, decisions } = run([...bad, tick(6 * minutes), copy(fact), ...later]);
    expect(decisions).toHaveLength(2);
    expect(state.analyses).toStrictEqual({});
  });

  test("of a promotion, once somebody else's roll-back stands", () => {
    const { decisions } = run([...good, tick(6 * minutes), copy('roll-back'), ...later]);
    expect(kindsOf(decisions)).toStrictEqual(['promote', 'promote']);
  });

  test('a copy of the roll-back itself ends nothing', () => {
    expect(run([...bad, copy('roll-back'), ...later]).decisions).toHaveLength(5);
  });

  test('once a later attempt of the deployment is analysed; the earlier one does not come back', () => {
    const second = opening({
      analysis: '6f1c1a52-0000-8000-8000-00000000000b',
      attempt: 2,
      openedAt: openedAt + 6 * minutes,
    });
    const { state, decisions } = run([...bad, tick(6 * minutes), second, opening(), ...later]);
    expect(kindsOf(decisions.filter(({ stage }) => stage !== 'hold'))).toStrictEqual([
      'roll-back',
      'roll-back',
      'hold',
    ]);
    expect(Object.keys(state.analyses)).toStrictEqual([second.analysis]);
  });

  test.each([
    ['of another deployment', { deployment: '6f1c1a52-0000-8000-8000-000000000009' }],
    ['for another target', { target: 'blue' }],
    ['in another namespace', { namespace: 'shop' }],
  ])('but not because of an attempt %s', (_name, change) => {
    const analysis = '6f1c1a52-0000-8000-8000-00000000000b';
    const other = opening({ analysis, deployment, attempt: 2, ...change });
    const { state } = run([...bad, other]);
    expect(Object.keys(state.analyses)).toHaveLength(2);
  });

  test('a day after the deadline, however time comes there', () => {
    const forgotten = 60_000 + dayMs;
    const walked = run([...bad, ...ticks(51_000, forgotten + 10 * minutes, 10_000)]);
    expect(walked.state.analyses).toStrictEqual({});
    expect(walked.decisions.length).toBeGreaterThan(dayMs / (every * 1_000));
    const jumped = run([...bad, tick(30 * dayMs)]);
    // How long its opening is remembered goes by when it was forgotten.
    expect({ ...jumped, state: jumped.state.analyses }).toStrictEqual({
      ...walked,
      state: walked.state.analyses,
    });
  });

  test('of a promotion a day after the deadline, too', () => {
    const walked = run([...good, ...ticks(51_000, 61_000 + dayMs, 60_000)]).decisions;
    expect(run([...good, tick(2 * dayMs)]).decisions).toStrictEqual(walked);
  });
});

test('what is kept of an analysis that has ended is small', () => {
  const { state } = run([...bad, ...ticks(51_000, 60 * minutes, 1_000)]);
  const kept = state.analyses[analysisId];
  expect(kept?.pending).toStrictEqual([]);
  expect(kept?.bases).toStrictEqual(noBases);
  expect(JSON.stringify(kept).length).toBeLessThan(16 * 1024);
});
