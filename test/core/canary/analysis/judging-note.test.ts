import { describe, expect, test } from 'vitest';
import {
  isFreshNote,
  judgingLine,
  judgingNoteOf,
  readJudgingNote,
} from '../../../../services/core/canary/analysis/judging-note.ts';
import { beforeText } from '../../../../services/core/canary/rollouts/before.ts';
import type { JudgingNote } from '../../../../services/core/canary/analysis/judging-note.ts';
import { overflowSaid } from '../../../../services/core/telemetry/status-said.ts';
import type { Policy } from '../../../../services/core/canary/policy/policy.ts';
import {
  baselinePod,
  busy,
  canaryPod,
  cut,
  exportsOf,
  fastPolicy,
  fullPolicy,
  openedAt,
  opening,
  run,
  tick,
} from '../../../support/canary/sample-streams.ts';
import type { Pod } from '../../../support/canary/sample-streams.ts';

const nowMs = openedAt + 1_000_000;
const noteAfter = (
  lastExportMs: number,
  change: Partial<Pod> = {},
  policy: Policy = fastPolicy,
): JudgingNote | undefined => {
  const pods = [baselinePod({ lastExportMs }), canaryPod({ lastExportMs, ...change })];
  const { state } = run([opening({}, policy), ...cut(exportsOf(pods), [7])]);
  const [analysis] = Object.values(state.analyses);
  return analysis && judgingNoteOf(analysis, nowMs);
};

describe('how an analysis stands', () => {
  test('before anything is measured: where and what it is about, and no window', () => {
    expect(noteAfter(500)).toMatchObject({
      atMs: nowMs,
      attempt: 1,
      slot: { environment: 'production', component: 'checkout', target: null },
      version: '2.0.0',
      openedAtMs: openedAt,
      windowMs: null,
      windows: 0,
      pairedWindows: null,
      warmUpWindows: null,
      stage: null,
      evidence: null,
    });
  });

  test('in the warm-up: how many windows of how many', () => {
    // The first value of an old counter is only a base.
    expect(noteAfter(4_500)).toMatchObject({
      windowMs: 1_000,
      windows: 2,
      pairedWindows: 1,
      warmUpWindows: 2,
      stage: 'warming',
      evidence: 1,
      evidenceNeeded: 200,
    });
  });

  test('armed: the evidence so far, which rises while the canary fails more often', () => {
    const failing = { traffic: (): readonly [number, number] => [busy, busy / 100] };
    const [early, late] = [7_500, 10_500].map((atMs) => noteAfter(atMs, failing));
    expect(early?.stage).toBe('armed');
    expect(late?.evidence).toBeGreaterThan(early?.evidence ?? Infinity);
    expect(late?.evidence).toBeLessThan(200);
  });

  test('before and after, before the first window is closed: it waits for that, and misses nobody', () => {
    const before = beforeText({ windows: [], season: null });
    const begun = { ...opening({}), comparison: 'before-after', before } as const;
    const noteAt = (lastExportMs: number): JudgingNote | undefined => {
      const pods = [canaryPod({ exportEveryMs: 10_000, lastExportMs })];
      const { state } = run([begun, ...cut(exportsOf(pods), [7])]);
      const [analysis] = Object.values(state.analyses);
      return analysis && judgingNoteOf(analysis, nowMs);
    };
    expect(noteAt(100_000)).toMatchObject({ windowMs: 60_000, windows: 0, unheard: [] });
    expect(noteAt(300_000)).toMatchObject({ windows: 2, unheard: ['baseline'] });
  });

  test('while the canary is not heard no warm-up has begun', () => {
    expect(noteAfter(10_500, { firstExportMs: 60_000 })).toMatchObject({ pairedWindows: null });
  });

  test('what nobody sends is named from the end of the warm-up on', () => {
    expect(noteAfter(4_500, {}, fullPolicy)?.unsent).toEqual([]);
    const { unsent } = noteAfter(16_500, {}, fullPolicy) ?? { unsent: [] };
    expect(unsent.map(({ id }) => id)).toEqual(['cpu', 'memory']);
    expect(unsent[0]).toMatchObject({ critical: false, names: ['process.cpu.utilization'] });
  });

  test('a metric that passes nobody is named, with the bound that is nearest', () => {
    const noBoundAt = (lastExportMs: number, shares: readonly number[]): unknown => {
      const slowness = (): readonly number[] => shares;
      const pods = [baselinePod({ lastExportMs, slowness }), canaryPod({ lastExportMs, slowness })];
      const { state } = run([opening({}, fullPolicy), ...cut(exportsOf(pods), [7])]);
      const [analysis] = Object.values(state.analyses);
      return analysis && judgingNoteOf(analysis, nowMs)?.noBound.map(({ metric }) => metric);
    };
    expect(noBoundAt(16_500, [0, 1, 0, 0])).toEqual(['latency']);
    expect(noBoundAt(16_500, [0.2, 0.4, 0.3, 0.1])).toEqual([]);
    // Histograms without bounds.
    expect(noteAfter(16_500, {}, fullPolicy)?.noBound).toMatchObject([
      { metric: 'latency', boundaryMs: null, baseline: { total: 6_500, events: 0 } },
    ]);
    // Too few requests yet.
    expect(noBoundAt(4_500, [0, 1, 0, 0])).toEqual([]);
  });

  test('of which version nothing is received, and what is received instead', () => {
    const heard = (change: Partial<Pod>, lastExportMs: number) => {
      const note = noteAfter(lastExportMs, change);
      return [note?.windowMs, note?.unheard, note?.otherVersions];
    };
    expect(heard({}, 500)).toEqual([null, [], 0]);
    expect(heard({}, 9_500)).toEqual([1_000, [], 0]);
    expect(heard({ version: '2.0.0-rc1' }, 500)).toEqual([null, ['canary'], 2]);
    // Of one version alone no window is measured, and after a while that of the policy counts.
    expect(heard({ version: '2.0.0-rc1' }, 14_500)).toEqual([1_000, ['canary'], 30]);
    const { state } = run([opening(), tick(2_000)]);
    const [analysis] = Object.values(state.analyses);
    expect(analysis && judgingNoteOf(analysis, nowMs)).toMatchObject({
      unheard: ['canary', 'baseline'],
      otherVersions: 0,
    });
  });

  test('that many of its points come late, or that one instance of few hides a metric', () => {
    const cpu = (): number => 0.4;
    const heldOf = (...canaries: readonly Partial<Pod>[]): unknown => {
      const pods = [
        ...['a', 'b'].map((name) => baselinePod({ name, lastExportMs: 30_000, cpu })),
        ...canaries.map((change, index) =>
          canaryPod({ name: `canary ${index}`, lastExportMs: 30_000, cpu, ...change }),
        ),
      ];
      const { state } = run([
        opening({ canaryShare: 0.5 }, fullPolicy),
        ...cut(exportsOf(pods), [7]),
      ]);
      const [analysis] = Object.values(state.analyses);
      const note = analysis && judgingNoteOf(analysis, nowMs);
      // Nobody sends memory; what is late or drowned is sent.
      expect(note?.unsent.map(({ id }) => id)).not.toContain('traffic');
      expect(note?.unsent.map(({ id }) => id)).not.toContain('cpu');
      return note?.held;
    };
    expect(heldOf({}, {})).toEqual([]);
    expect(heldOf({}, { clockAheadMs: -10_000 })).toEqual([
      {
        metric: null,
        code: 'points-late',
        message: expect.stringMatching(
          /^more than three points in a hundred of a version came too late/,
        ),
        hint: expect.stringMatching(/^do all servers have the same time \(NTP\)/),
      },
    ]);
    expect(heldOf({}, { refusedEvery: 2 })).toMatchObject([
      {
        metric: null,
        code: 'points-unknown',
        message: expect.stringMatching(
          /^requests were left out lately that nobody can count \(so far: count-invalid \d+\), so nothing/,
        ),
        hint: 'a count is a whole number from 0 on',
      },
    ]);
    expect(heldOf({}, { cpu: () => 8.1 })).toEqual([
      {
        metric: null,
        code: 'instance-loud',
        message: expect.stringMatching(/^an instance says far more than the others of its version/),
        hint: expect.stringMatching(/^look at the instance/),
      },
    ]);
  });

  test('that its servers begin anew again and again', () => {
    const lives = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((life) =>
      canaryPod({
        startMs: 3_000 * life + 100,
        ...{ firstExportMs: 3_000 * life + 500, lastExportMs: 3_000 * life + 2_500 },
      }),
    );
    const sent = cut(exportsOf([baselinePod({ lastExportMs: 26_500 }), ...lives]), [7]);
    const { state } = run([opening({}, { ...fastPolicy, soakMs: 50_000 }), ...sent]);
    const [analysis] = Object.values(state.analyses);
    expect(analysis && judgingNoteOf(analysis, nowMs)?.held).toEqual([
      {
        metric: null,
        code: 'servers-restart',
        message: expect.stringMatching(
          /so nothing is promoted: in the last twenty minutes the canary's 1 server 7 times, the baseline's 1 server 0 times$/,
        ),
        hint: expect.stringMatching(/^look why they end/),
      },
    ]);
  });

  test('that its servers have more requests than its share explains, where CPU is asked for', () => {
    const cpu = (): number => 0.4;
    const heldOf = (requests: number, canaryShare: number | null, policy: Policy = fullPolicy) => {
      const traffic = (): readonly [number, number] => [requests, 0];
      const pods = [
        ...['a', 'b'].map((name) => baselinePod({ name, lastExportMs: 120_000, cpu })),
        ...['c', 'd'].map((name) => canaryPod({ name, lastExportMs: 120_000, cpu, traffic })),
      ];
      const lasting = { ...policy, soakMs: 200_000, deadlineMs: 300_000 };
      const { state } = run([opening({ canaryShare }, lasting), ...cut(exportsOf(pods), [7])]);
      const [analysis] = Object.values(state.analyses);
      return analysis && judgingNoteOf(analysis, nowMs)?.held;
    };
    expect(heldOf(3 * busy, 0.5)).toEqual([
      {
        metric: 'cpu',
        code: 'servers-busier',
        message:
          'a server of the canary has 3x the requests of one of the baseline, of which its share explains 1.1x: what it takes for the others nobody knows, so nothing is promoted by it',
        hint: expect.stringMatching(/^declare the share that it has/),
      },
    ]);
    expect(heldOf(3 * busy, 0.75)).toEqual([]);
    expect(heldOf(3 * busy, null)).toEqual([]);
    expect(heldOf(3 * busy, 0.5, fastPolicy)).toEqual([]);
  });

  test('that an SDK had no room for the attributes of its requests', () => {
    const traffic = (): readonly [number, number] => [busy, 5];
    const pods = [baselinePod({ traffic }), canaryPod({ traffic })];
    const told = [{ name: overflowSaid, value: 'yes' }];
    const sent = exportsOf(pods).map(({ origin, point }) => ({
      origin: point.errors > 0 ? { ...origin, attributes: told } : origin,
      point: { ...point, errors: 0 },
    }));
    const { state } = run([opening({ canaryShare: 0.5 }, fullPolicy), ...cut(sent, [7])]);
    const [analysis] = Object.values(state.analyses);
    const note = analysis && judgingNoteOf(analysis, nowMs);
    expect(note?.held).toEqual([
      {
        metric: null,
        code: 'attributes-overflown',
        message: expect.stringMatching(
          /^an SDK had no room for the attributes of requests \(otel\.metric\.overflow.*nothing is promoted$/,
        ),
        hint: expect.stringMatching(/^drop the attribute with many values by a view/),
      },
    ]);
    // They are sent, and their attributes are not.
    expect(note?.unsent.map(({ id }) => id)).toEqual(['cpu', 'memory']);
  });

  test('that its traffic is lost now, where the policy asks for traffic', () => {
    const lossy: Partial<Pod> = { traffic: (second) => [second < 36 ? busy : busy / 2, 0] };
    const heldIn = (policy: Policy, lastExportMs: number) => {
      const pods = [baselinePod({ lastExportMs }), canaryPod({ lastExportMs, ...lossy })];
      const half = opening({ canaryShare: 0.5 }, { ...policy, soakMs: 50_000 });
      const { state } = run([half, ...cut(exportsOf(pods), [7])]);
      const [analysis] = Object.values(state.analyses);
      return analysis && judgingNoteOf(analysis, nowMs)?.held;
    };
    expect(heldIn(fullPolicy, 34_500)).toEqual([]);
    expect(heldIn(fullPolicy, 48_500)).toEqual([
      {
        metric: 'traffic',
        code: 'traffic-lost',
        message: expect.stringMatching(
          /^requests are lost now, so nothing is promoted: since window \d+ /,
        ),
        hint: expect.stringMatching(/^look for what takes requests from the canary/),
      },
    ]);
    expect(heldIn(fastPolicy, 48_500)).toEqual([]);
  });

  describe('what it lacks to pass', () => {
    const [asked] = fastPolicy.metrics;
    const lackingAfter = (lastExportMs: number, change: Partial<Policy> = {}) =>
      noteAfter(lastExportMs, {}, { ...fastPolicy, ...change })?.lacking;

    test('is time and evidence, less and less of both, and nothing once it is promoted', () => {
      const [early, late] = [lackingAfter(4_500), lackingAfter(7_500)];
      expect(early).toEqual({
        soakMs: 5_000,
        unshown: [{ metric: asked?.id, evidence: 1 }],
        ...{ evidenceNeeded: 20, silent: [], isVetoed: false, step: null },
      });
      expect(late?.soakMs).toBe(2_000);
      expect(noteAfter(48_500)).toMatchObject({ stage: 'promoted', lacking: null });
    });

    test('is told from the least evidence on', () => {
      const { unshown = [] } = noteAfter(9_500, {}, fullPolicy)?.lacking ?? {};
      const odds = unshown.map(({ evidence }) => evidence);
      expect(odds.length).toBeGreaterThan(1);
      expect(odds).toEqual(odds.toSorted((one, other) => one - other));
    });

    test('is nothing that neither version may ever send, before that is decided', () => {
      const patient = { ...fullPolicy, noDataMs: 20_000 };
      const { unshown = [], silent } = noteAfter(9_500, {}, patient)?.lacking ?? {};
      expect(unshown.map(({ metric }) => metric).toSorted()).toEqual([
        'errors',
        'latency',
        'traffic',
      ]);
      expect(silent).toEqual([]);
    });

    test('is a version that has fallen silent', () => {
      const pods = [baselinePod({ lastExportMs: 40_500 }), canaryPod({ lastExportMs: 12_500 })];
      const { state } = run([
        opening({}, { ...fastPolicy, soakMs: 50_000 }),
        ...cut(exportsOf(pods), [7]),
      ]);
      const [analysis] = Object.values(state.analyses);
      expect(analysis && judgingNoteOf(analysis, nowMs)?.lacking?.silent).toEqual([
        { metric: asked?.id, cohort: 'canary' },
      ]);
    });

    test('is less evidence against it', () => {
      const failing = { traffic: (): readonly [number, number] => [busy, busy / 100] };
      const vetoed = noteAfter(10_500, failing, { ...fastPolicy, vetoEvidence: 1.5 });
      expect(vetoed?.lacking?.isVetoed).toBe(true);
    });

    test('is nothing where nothing is promoted', () => {
      expect(lackingAfter(7_500, { beta: 0 })).toBe(null);
    });
  });

  test('what holds a promotion is told until it is promoted, and not in the bake', () => {
    const lossy: Partial<Pod> = { traffic: (second) => [second < 36 ? busy : busy / 2, 0] };
    const pods = [
      baselinePod({ lastExportMs: 48_500 }),
      canaryPod({ lastExportMs: 48_500, ...lossy }),
    ];
    const metrics = fullPolicy.metrics.filter(({ judged }) => /errors|traffic/.test(judged));
    const heldWith = (soakMs: number) => {
      const half = opening({ canaryShare: 0.5 }, { ...fullPolicy, metrics, soakMs });
      const [analysis] = Object.values(run([half, ...cut(exportsOf(pods), [7])]).state.analyses);
      const note = analysis && judgingNoteOf(analysis, nowMs);
      return [note?.stage, note?.held.map(({ code }) => code)];
    };
    expect(heldWith(50_000)).toEqual(['armed', ['traffic-lost']]);
    expect(heldWith(6_000)).toEqual(['promoted', []]);
  });

  test('nor is a part that is slower in the bake alone', () => {
    const lastExportMs = 48_500;
    const traffic = (): readonly [number, number] => [10 * busy, 0];
    const slowness = (second: number): readonly number[] => [0, 0.2, 0.1, second < 30 ? 0.01 : 0.1];
    const pods = [
      baselinePod({ lastExportMs, traffic, slowness: () => slowness(0) }),
      canaryPod({ lastExportMs, traffic, slowness }),
    ];
    const metrics = fullPolicy.metrics.filter(({ judged }) => judged === 'latency');
    const slowerWith = (soakMs: number) => {
      const asked = opening({ canaryShare: 0.5 }, { ...fullPolicy, metrics, soakMs });
      const [analysis] = Object.values(run([asked, ...cut(exportsOf(pods), [7])]).state.analyses);
      const note = analysis && judgingNoteOf(analysis, nowMs);
      return [note?.stage, note?.slowerPart.length];
    };
    expect(slowerWith(50_000)).toEqual(['armed', 1]);
    expect(slowerWith(6_000)).toEqual(['promoted', 0]);
  });

  test('once it has ended nothing', () => {
    expect(noteAfter(50_500, { traffic: () => [busy, busy / 5] })).toBe(undefined);
  });
});

describe('a note', () => {
  const note = noteAfter(16_500, {}, fullPolicy);
  const text = JSON.stringify(note);

  test('is read as it was written, and counts for a minute', () => {
    expect(readJudgingNote(text)).toEqual(note);
    if (note === undefined) throw new Error('there is no note');
    expect(isFreshNote(note, nowMs + 60_000)).toBe(true);
    expect(isFreshNote(note, nowMs + 60_001)).toBe(false);
    expect(isFreshNote(note, nowMs - 60_001)).toBe(false);
    expect(judgingLine(note)['unsent']).toHaveLength(2);
  });

  test('of an older analyser, which does not say what is lacking, is read all the same', () => {
    const { lacking: _, ...older } = note ?? {};
    expect(readJudgingNote(JSON.stringify(older))).toEqual({ ...note, lacking: null });
  });

  test.each([
    ['no JSON', 'x'],
    ['a list', '[]'],
    ['no time', text.replace(String(nowMs), 'null')],
    ['a stage that is a number', text.replace('"armed"', '3')],
    ['a place that is none', text.replace('"environment":"production"', '"environment":7')],
    ['a lack of what is no time', text.replace(/"soakMs":\d+/, '"soakMs":"x"')],
    ['a lack of evidence by nobody', text.replace('"unshown":[', '"unshown":[{}')],
    ['a lack of telemetry by nobody', text.replace('"silent":[', '"silent":[{}')],
    ['a lack that is no word', text.replace('"isVetoed":false', '"isVetoed":0')],
    ['a step that is no word', text.replace('"step":null', '"step":"x"')],
    ['unheard, and neither cohort', text.replace('"unheard":[', '"unheard":["x"')],
    ['targets that are none', text.replace('"targets":[', '"targets":[7,')],
    ['bounds that are none', text.replace('"noBound":[', '"noBound":[7,')],
    ['slower parts that are none', text.replace('"slowerPart":[', '"slowerPart":[{}')],
    ['what is unsaid, and is nothing', text.replace('"unsaid":[', '"unsaid":[{}')],
    [
      'held back by nothing known',
      text.replace('"held":[', '"held":[{"metric":"x","code":"y","message":"","hint":""}'),
    ],
    [
      'what is unsaid in no window',
      text.replace(
        '"unsaid":[',
        '"unsaid":[{"metric":"e","cohort":"canary","by":"s","canary":0,"baseline":1,"window":7}',
      ),
    ],
    ['metrics that are none', text.replace('"unsent":[', '"unsent":[7,')],
  ])('that is %s is none', (_what, other) => {
    expect(other).not.toBe(text);
    expect(readJudgingNote(other)).toBe(undefined);
  });
});

test('time alone does not end what is judged', () => {
  const { state } = run([opening(), tick(30_000)]);
  const [analysis] = Object.values(state.analyses);
  expect(analysis && judgingNoteOf(analysis, nowMs)).toMatchObject({ stage: 'hold' });
});
