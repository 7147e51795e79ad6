import { describe, expect, test } from 'vitest';
import { isRenewal } from '../../../../services/core/canary/analysis/renewal.ts';
import { parseMarker } from '../../../../services/core/markers/parse-marker.ts';
import type { Body } from '../../../../services/core/markers/upcast.ts';
import type { Copy, SamplePoint, Tick } from '../../../../services/core/samples/sample.ts';
import {
  baselinePod as baseline,
  busy,
  canaryPod as canary,
  cut,
  deployment,
  errorsSeen,
  exportsOf,
  fastPolicy,
  fullPolicy,
  kindsOf,
  olderDeployment,
  openedAt,
  opening,
  record,
  run,
  tick,
  tools,
  copied,
} from '../../../support/canary/sample-streams.ts';
import { noBases } from '../../../../services/core/canary/windows/stream-bases.ts';
import type { Pod, Sent } from '../../../support/canary/sample-streams.ts';

const analysisId = opening().analysis;

const failing = (index: number): readonly [number, number] => [busy, index < 3 ? 0 : busy / 5];

const judged = (...pods: readonly Pod[]): ReturnType<typeof run> =>
  run([opening(), ...cut(exportsOf(pods), [7])]);

const windowsSeen = (...pods: readonly Pod[]): unknown => {
  return errorsSeen(judged(...pods).windows, 'baseline');
};

describe('a canary that fails more often than its baseline', () => {
  const { state, decisions } = judged(baseline(), canary({ traffic: failing }));
  const [rollback] = decisions;

  test('is rolled back once, and nothing follows', () => {
    expect(kindsOf(decisions)).toStrictEqual(['roll-back']);
    expect(state.analyses[analysisId]).toMatchObject({
      ended: 'decided',
      pending: [],
      bases: noBases,
    });
  });

  test('the digest of the evidence tells windows apart that led to the same decision', () => {
    const others = judged(
      baseline({ traffic: (index) => [index === 1 ? busy + 1 : busy, 0] }),
      canary({ traffic: failing }),
    );
    const [other] = others.decisions;
    expect(other?.marker).toBe(rollback?.marker);
    expect(other?.evidenceDigest).not.toBe(rollback?.evidenceDigest);
  });

  test('the decision is a marker that passes the door', () => {
    expect(parseMarker('decision', rollback as unknown as Body).ok).toBe(true);
  });

  test('the decision says what it rests on, and where to go back to', () => {
    expect(rollback).toMatchObject({
      analysis: analysisId,
      deployment,
      attempt: 'run-1',
      source: 'plimsoll/analyser',
      verdict: 'fail',
      metric: 'errors',
      fromVersion: '2.0.0',
      toVersion: '1.9.4',
      windowMs: 1_000,
      samplesPartition: 3,
      samplesFrom: 0,
      policyDigest: opening().policyDigest,
    });
    expect(rollback?.occurredAt).toBe(openedAt + ((rollback?.windowIndex ?? 0) + 1) * 1_000);
    expect(rollback?.marker).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab]/);
    expect(rollback?.explanation).toContain('canary');
  });
});

test('a promotion rests on evidence of its own, against the margin of a promotion', () => {
  const [promotion] = judged(baseline(), canary()).decisions;
  expect(promotion).toMatchObject({ kind: 'promote', verdict: 'pass', evidenceNeeded: 20 });
  expect(promotion).toMatchObject({ toleranceRelative: 1.5, toleranceAbsolute: 0.002 });
  expect(promotion?.evidence).toBeGreaterThanOrEqual(20);
});

test('a canary as good as its baseline is promoted, and its roll-back stays armed', () => {
  const sound = judged(baseline(), canary());
  expect(kindsOf(sound.decisions)).toStrictEqual(['promote']);
  const late = judged(baseline(), canary({ traffic: (index) => [busy, index < 30 ? 0 : 200] }));
  expect(kindsOf(late.decisions)).toStrictEqual(['promote', 'roll-back']);
});

describe('cohorts', () => {
  const counted = (...pods: readonly Pod[]): unknown =>
    judged(...pods).state.analyses[analysisId]?.excluded;

  test('a deployment.id makes a canary, whatever the version says', () => {
    const { decisions } = judged(
      baseline(),
      canary({ deployment, version: null, traffic: failing }),
    );
    expect(kindsOf(decisions)).toStrictEqual(['roll-back']);
  });

  test("a pod of another deployment is no canary, though it has the canary's version", () => {
    const other = canary({ deployment: '6f1c1a52-0000-8000-8000-00000000000f', traffic: failing });
    expect(new Set(kindsOf(judged(baseline(), other).decisions))).toStrictEqual(new Set(['hold']));
    expect(counted(baseline(), other)).toMatchObject({ 'other-version': 102 });
  });

  test('a point of the version that both have is in neither cohort, and is counted', () => {
    const same = opening({ canary: { version: '1.9.4', digest: null, deployment } });
    const sent = exportsOf([baseline()]);
    const { state } = run([same, ...cut(sent, [5])]);
    expect(state.analyses[analysisId]?.excluded['either-cohort']).toBe(sent.length);
  });

  test('the same version deployed again is told apart by deployment.id', () => {
    const same = opening({ canary: { version: '1.9.4', digest: null, deployment } });
    const pods = [
      baseline({ deployment: olderDeployment }),
      baseline({ name: 'again', deployment, traffic: failing }),
    ];
    const { decisions } = run([same, ...cut(exportsOf(pods), [5])]);
    expect(kindsOf(decisions)).toStrictEqual(['roll-back']);
  });

  test('a point of another namespace is counted; one that names none counts for every namespace', () => {
    const shop = opening({ namespace: 'shop' });
    const excludedIn = (namespace: string): number | undefined =>
      run([shop, ...cut(exportsOf([baseline({ namespace })]), [5])]).state.analyses[analysisId]
        ?.excluded['other-namespace'];
    expect([excludedIn('blog'), excludedIn('shop'), excludedIn('default')]).toStrictEqual([
      102, 0, 0,
    ]);
  });

  test('two pods of one version count together', () => {
    const both = judged(
      baseline({ name: 'a' }),
      baseline({ name: 'b', firstExportMs: 700 }),
      canary(),
    );
    expect(both.decisions[0]?.baseline.requests).toBe(
      2 * (both.decisions[0]?.canary.requests ?? 0),
    );
  });
});

describe('nothing from before the opening enters', () => {
  test('the first value of a counter that ran before is only what the next is measured from', () => {
    expect(windowsSeen(baseline({ lastExportMs: 4_500 }), canary())).toStrictEqual({
      requests: 4 * busy,
      errors: 0,
    });
  });

  test('a counter that began after the opening counts from its first value', () => {
    expect(
      windowsSeen(baseline({ startMs: 10, already: 0, lastExportMs: 4_500 }), canary()),
    ).toStrictEqual({ requests: 5 * busy, errors: 0 });
  });

  test('a delta that began before is left out', () => {
    expect(
      windowsSeen(baseline({ temporality: 'delta', lastExportMs: 4_500 }), canary()),
    ).toStrictEqual({ requests: 4 * busy, errors: 0 });
  });

  test('a point that was on its way is counted as one from before', () => {
    const { state } = judged(baseline({ firstExportMs: -500, delayMs: () => 600 }), canary());
    expect(state.analyses[analysisId]?.excluded).toMatchObject({ 'before-opening': 4, late: 0 });
  });

  test('a point that stands before the opening in the partition is not there', () => {
    const sent = exportsOf([baseline(), canary({ traffic: failing })]);
    const late = run([...cut(sent, [7]), opening(), tick(80_000)]);
    expect(new Set(kindsOf(late.decisions))).toStrictEqual(new Set(['hold']));
    expect(late.decisions.at(-1)?.baseline.requests).toBe(0);
  });
});

test('of two points with one identity that differ neither stands, whichever came first', () => {
  const seenWith = (order: (sent: readonly Sent[]) => readonly Sent[]): unknown => {
    const sent = exportsOf([baseline({ lastExportMs: 4_500 }), canary({ lastExportMs: 4_500 })]);
    const smaller = sent.map((one) => ({
      ...one,
      point: { ...one.point, count: Math.floor(one.point.count / 2), errors: 0 },
    }));
    const samples = cut(order([...sent, ...smaller]), [1_000]);
    return errorsSeen(run([opening(), ...samples, tick(20_000)]).windows, 'baseline');
  };
  // One window was closed before the second of its points came.
  expect(seenWith((sent) => sent)).toStrictEqual({ requests: busy, errors: 0 });
  expect(seenWith((sent) => sent.toReversed())).toStrictEqual({ requests: 0, errors: 0 });
});

describe('a counter that starts again', () => {
  const whole = windowsSeen(baseline(), canary());

  test('loses nothing when its start says so', () => {
    expect(windowsSeen(baseline({ restartMs: 10_100 }), canary())).toStrictEqual(whole);
  });

  test('loses nothing when only its value falls', () => {
    expect(
      windowsSeen(baseline({ restartMs: 10_100, restartsInSilence: true }), canary()),
    ).toStrictEqual(whole);
  });

  test('two writers of one series are two counters, not one that resets all the time', () => {
    const first = exportsOf([baseline({ name: 'twin' })]);
    const second = exportsOf([baseline({ name: 'twin', startMs: -70_000, firstExportMs: 800 })]);
    const sent = [...first, ...second, ...exportsOf([canary()])].toSorted(
      (left, right) => left.point.receivedAt - right.point.receivedAt,
    );
    const seen = errorsSeen(run([opening(), ...cut(sent, [9])]).windows, 'baseline');
    expect(seen.requests).toBeLessThan(2 * busy * 51);
  });
});

describe('late points', () => {
  const lateOf = (...pods: readonly Pod[]): number | undefined =>
    judged(...pods).state.analyses[analysisId]?.excluded.late;

  test('a pod whose clock is further away than the lateness gives no evidence', () => {
    for (const clockAheadMs of [2_001, -2_001]) {
      const { decisions } = judged(baseline(), canary({ clockAheadMs, traffic: failing }));
      expect(kindsOf(decisions)).not.toContain('roll-back');
      expect(lateOf(baseline(), canary({ clockAheadMs }))).toBeGreaterThan(90);
    }
  });

  test('a pod whose clock is off by less is used', () => {
    expect(lateOf(baseline(), canary({ clockAheadMs: 1_500 }))).toBe(0);
  });

  test('a point for a closed window is counted and moved nowhere', () => {
    const sent = exportsOf([baseline(), canary()]);
    const before = run([opening(), ...cut(sent, [7])]);
    const [first] = sent.filter(({ point }) => point.time > openedAt + 10_000);
    if (first === undefined) throw new Error('nothing was sent');
    const after = run([record([first])], before.state, 500);
    const [was, is] = [before, after].map(({ state }) => state.analyses[analysisId]);
    if (was === undefined || is === undefined) throw new Error('nothing was opened');
    expect(
      is.latePoints.waiting[first.origin.version === '2.0.0' ? 'canary' : 'baseline'],
    ).toHaveLength(1);
    expect({ ...is, latePoints: was.latePoints }).toStrictEqual({
      ...was,
      excluded: { ...was.excluded, late: was.excluded.late + 1 },
    });
  });
});

describe('silence', () => {
  test('of both from the beginning on is a hold, and inconclusive at the deadline', () => {
    const { decisions } = run([opening(), tick(5_000), tick(200_000), tick(900_000)]);
    const said = decisions.filter((decision) => !isRenewal(decision));
    expect(said.map(({ kind, verdict, reason }) => [kind, verdict, reason])).toStrictEqual([
      ['hold', 'inconclusive', 'no-data'],
      ['hold', 'inconclusive', 'deadline'],
    ]);
    expect(parseMarker('decision', decisions[0] as unknown as Body).ok).toBe(true);
  });

  test('of the canary is said once, however long it lasts', () => {
    const { decisions } = judged(
      baseline({ lastExportMs: 40_500 }),
      canary({ lastExportMs: 3_500 }),
    );
    expect(decisions.map(({ kind, reason }) => [kind, reason])).toStrictEqual([
      ['hold', 'no-data'],
    ]);
  });

  test('is no evidence: after it the canary can still be promoted', () => {
    const { decisions } = judged(
      baseline(),
      canary({ startMs: 15_000, firstExportMs: 15_500, already: 0 }),
    );
    expect(kindsOf(decisions)).toStrictEqual(['hold', 'promote']);
  });
});

describe('workers of one process, under one name and one start', () => {
  const workers = (pod: typeof canary, change: Partial<Pod>): readonly Pod[] =>
    [1, 5].map((times) =>
      pod({
        ...change,
        already: (change.already ?? 0) * times,
        firstExportMs: 500 + 100 * (times - 1),
      }),
    );

  test.each([
    ['old, with no id', -60_000, true],
    ['young, with no id', 100, true],
    ['old, with the id of the process that made them', -60_000, false],
    ['young, with the id of the process that made them', 100, false],
  ])(
    'are no evidence, neither of a regression nor of its absence: %s',
    (_which, startMs, hasNoId) => {
      const { state, decisions } = judged(
        ...workers(baseline, { startMs: -60_000, already: 5_000, hasNoId }),
        ...workers(canary, { startMs, already: 700, hasNoId }),
      );
      expect(new Set(kindsOf(decisions))).toStrictEqual(new Set(['hold']));
      expect(state.analyses[analysisId]?.excluded['start-shared']).toBeGreaterThan(150);
    },
  );

  test('pass nobody, however good the others of their version are: what they fail nobody knows', () => {
    const others = [baseline(), canary({ name: 'one' }), canary({ name: 'two' })];
    expect(kindsOf(judged(...others).decisions)).toStrictEqual(['promote']);
    const unheard = workers(canary, { startMs: 100, already: 700 });
    expect(kindsOf(judged(...others, ...unheard).decisions)).toStrictEqual([]);
  });

  test('are no silence to roll back for', () => {
    const { decisions } = run([
      opening({}, { ...fastPolicy, onSilence: 'roll-back' }),
      ...cut(exportsOf([baseline(), ...workers(canary, { startMs: 100, already: 700 })]), [7]),
    ]);
    expect(new Set(kindsOf(decisions))).toStrictEqual(new Set(['hold']));
    expect(decisions[0]).toMatchObject({ reason: 'no-data', onSilence: 'page' });
  });

  test('are left out alone: others of their version are judged', () => {
    const other = canary({ name: 'other', traffic: failing });
    const { decisions } = judged(
      baseline(),
      ...workers(canary, { startMs: 100, already: 700 }),
      other,
    );
    expect(kindsOf(decisions)).toStrictEqual(['roll-back']);
  });
});

describe('the window', () => {
  const windowOf = (...pods: readonly Pod[]): number | null | undefined =>
    judged(...pods).state.analyses[analysisId]?.windowMs;

  test('is the base where exports come as often as that, a late timer included', () => {
    expect(windowOf(baseline({ exportEveryMs: 1_003 }), canary())).toBe(1_000);
  });

  test('is the longest export interval where that is longer', () => {
    expect(windowOf(baseline({ exportEveryMs: 5_000 }), canary())).toBe(5_000);
    expect(windowOf(baseline(), canary({ temporality: 'delta', exportEveryMs: 3_000 }))).toBe(
      3_000,
    );
  });

  test('is rounded up, so that exports a little late leave no window empty', () => {
    expect(windowOf(baseline({ exportEveryMs: 5_003 }), canary())).toBe(6_000);
  });

  test('is frozen: what comes later makes it no longer', () => {
    const slow = canary({ name: 'slow', firstExportMs: 12_000, exportEveryMs: 7_000 });
    expect(windowOf(baseline(), canary(), slow)).toBe(1_000);
  });

  test('is not measured by what comes after the limit of silence', () => {
    expect(windowOf(baseline({ exportEveryMs: 8_500 }))).toBe(1_000);
  });

  test('is not measured by the silence of a delta series: its next point counts one interval', () => {
    const sparse = exportsOf([
      canary({ temporality: 'delta' }),
      baseline({ temporality: 'delta', exportEveryMs: 1_000 }),
    ]).filter(({ point }) => (point.time - openedAt - 500) % 4_000 === 0);
    const { state } = run([opening(), ...cut(sparse, [4])]);
    expect(state.analyses[analysisId]?.windowMs).toBe(1_000);
  });

  describe('of deltas whose start never moves', () => {
    const stuck = { temporality: 'delta', startStays: true } as const;

    test.each([
      ['began before the opening', -60_000],
      ['began after it', 100],
    ])('is their interval, where they %s', (_when, startMs) => {
      for (const exportEveryMs of [1_000, 2_000])
        expect(
          windowOf(
            baseline({ ...stuck, startMs, exportEveryMs }),
            canary({ ...stuck, exportEveryMs }),
          ),
        ).toBe(exportEveryMs);
    });

    test('is not stretched by a cohort that sends alone', () => {
      const late = canary({ ...stuck, startMs: 6_100, firstExportMs: 6_500 });
      expect(windowOf(baseline(stuck), late)).toBe(1_000);
    });

    test('all that came since the opening counts, and nothing before it', () => {
      const of = (change: Partial<Pod>): ReturnType<typeof errorsSeen> =>
        errorsSeen(
          judged(baseline({ ...change, traffic: () => [busy, 5] }), canary()).windows,
          'baseline',
        );
      const honest = of({ temporality: 'delta' });
      expect(of(stuck)).toStrictEqual(honest);
      expect(of({ ...stuck, startMs: 100 }).requests).toBe(honest.requests + busy);
    });
  });

  test('is not measured by how close together senders export that cannot be told apart', () => {
    // No two of them began in the same millisecond: that is how a start looks that does not move.
    const three = (pod: typeof canary): readonly Pod[] =>
      [500, 1_400, 2_300].map((firstExportMs, index) =>
        pod({
          ...{ temporality: 'delta', exportEveryMs: 3_000, firstExportMs },
          startMs: pod().startMs + index,
        }),
      );
    expect(windowOf(...three(baseline), ...three(canary))).toBe(3_000);
  });

  describe('is not measured by levels', () => {
    const cpu = (): number => 0.4;
    const three = (pod: typeof canary, change: Partial<Pod>): readonly Pod[] =>
      [500, 1_400, 2_300].map((firstExportMs, index) =>
        pod({
          ...{ cpu, exportEveryMs: 3_000, firstExportMs, startMs: pod().startMs + index },
          ...change,
        }),
      );
    const windowAt = (
      lastMs: number,
      pods: readonly Pod[],
      isSent: (sent: Sent) => boolean,
    ): number | null | undefined => {
      const sent = exportsOf(pods).filter(
        (one) => one.point.time <= openedAt + lastMs && isSent(one),
      );
      const { state } = run([opening({}, fullPolicy), ...cut(sent, [4])]);
      return state.analyses[analysisId]?.windowMs;
    };
    const isLevel = ({ point }: Sent): boolean => point.level !== null;

    test.each([
      ['no id', { hasNoId: true }],
      ['the same id', {}],
    ])('of several with %s, whose requests tell', (_which, change) => {
      for (const temporality of ['cumulative', 'delta'] as const) {
        const [before, now] = [baseline, canary].map((pod) =>
          three(pod, { temporality, ...change }),
        );
        expect(windowAt(20_000, [...(before ?? []), ...(now ?? [])], () => true)).toBe(3_000);
      }
    });

    test('of several with no id, though they alone are heard: it waits for the limit of silence', () => {
      const pods = [...three(baseline, { hasNoId: true }), ...three(canary, { hasNoId: true })];
      expect(windowAt(7_000, pods, isLevel)).toBeNull();
      expect(windowAt(20_000, pods, isLevel)).toBe(2_000);
    });

    test('unless a server sends nothing else', () => {
      const pods = [baseline({ cpu }), canary({ cpu, exportEveryMs: 3_000 })];
      expect(windowAt(5_000, pods, isLevel)).toBeNull();
      expect(windowAt(6_000, pods, isLevel)).toBe(3_000);
    });
  });

  test('is frozen without a second cohort when nothing was heard of it for long enough', () => {
    expect(windowOf(baseline({ exportEveryMs: 4_000 }))).toBe(4_000);
  });
});

test('where starts move with each export, one that is as far apart as windows is no silence', () => {
  const often = { exportEveryMs: 150_000, firstExportMs: 149_000, lastExportMs: 1_800_000 };
  const sent = exportsOf([baseline(often), canary(often)]).map(({ origin, point }) => ({
    origin,
    point:
      origin.version === '2.0.0' && point.count > 0 ? { ...point, start: point.time - 900 } : point,
  }));
  const patient = { ...fastPolicy, noDataMs: 600_000, deadlineMs: 1_800_000 };
  const { state } = run([opening({}, patient), ...cut(sent, [3]), tick(2_400_000)]);
  const { windowMs, excluded } = state.analyses[analysisId] ?? {};
  expect(windowMs).toBe(150_000);
  expect(excluded?.['start-missing']).toBe(11);
});

describe('a canary whose servers begin anew again and again', () => {
  const lives = (pod: typeof canary): readonly Pod[] =>
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((life) =>
      pod({
        ...(life > 0 && { startMs: 5_000 * life + 100, already: 0 }),
        ...{ firstExportMs: 5_000 * life + 500, lastExportMs: 5_000 * life + 4_500 },
      }),
    );

  // Of one server each it takes seven.
  const patient = { ...fastPolicy, soakMs: 40_000, deadlineMs: 48_000 };
  const decided = (...pods: readonly Pod[]): ReturnType<typeof run> =>
    run([opening({}, patient), ...cut(exportsOf(pods), [7]), tick(60_000)]);

  test('is not promoted, nor rolled back for it, and says so', () => {
    const { decisions, windows } = decided(baseline(), ...lives(canary));
    expect(kindsOf(decisions)).toStrictEqual(['hold']);
    expect(decisions[0]?.explanation).toContain(
      "servers that stay up (in the last twenty minutes the canary's 1 server 9 times, the baseline's 1 server 0 times)",
    );
    const told = windows.map(({ window: { restarts } }) => restarts);
    expect(told.findIndex((restarts) => restarts !== undefined)).toBe(35);
    expect(told.at(-1)).toStrictEqual({
      ...{ canary: 9, baseline: 0, canaryServers: 1, baselineServers: 1 },
    });
  });

  test('is as good as a baseline that does so, too', () => {
    const { decisions } = decided(...lives(baseline), ...lives(canary));
    expect(kindsOf(decisions)).toStrictEqual(['promote']);
    expect(kindsOf(decided(baseline(), canary()).decisions)).toStrictEqual(['promote']);
  });

  test('is rolled back for what it fails, all the same', () => {
    const failed = lives(canary).map((life) => ({ ...life, traffic: failing }));
    expect(kindsOf(judged(baseline(), ...failed).decisions)).toContain('roll-back');
  });
});

describe('what the log says since', () => {
  const copy = (fact: Copy['fact']): Copy => copied(fact, { appendedAt: openedAt + 3_000 });
  const rest = cut(exportsOf([baseline(), canary({ traffic: failing })]), [9]);

  test('the end of the attempt ends the analysis, and its copy may come twice', () => {
    const { state, decisions } = run([opening(), copy('failed'), copy('failed'), ...rest]);
    expect([state.analyses, decisions]).toStrictEqual([{}, []]);
  });

  test("somebody's roll-back ends it too", () => {
    expect(run([opening(), copy('roll-back'), ...rest]).decisions).toStrictEqual([]);
  });

  test('a retried attempt is an analysis of its own, with its own baseline and nothing of the first', () => {
    const second = opening({
      analysis: '6f1c1a52-0000-8000-8000-00000000000b',
      attempt: 2,
      openedAt: openedAt + 20_000,
      baseline: [{ version: '1.9.5', digest: null, deployment: olderDeployment }],
    });
    const pods = [
      baseline({ version: '1.9.5', name: 'newer' }),
      canary({ firstExportMs: 20_500, startMs: 20_100 }),
    ];
    const { decisions } = run([
      opening(),
      ...cut(
        exportsOf([baseline(), canary({ lastExportMs: 18_500, traffic: failing })]),
        [9],
      ).slice(0, 4),
      copy('failed'),
      second,
      ...cut(exportsOf(pods), [9]),
    ]);
    expect(decisions.map(({ kind, analysis }) => [kind, analysis])).toStrictEqual([
      ['promote', second.analysis],
    ]);
  });

  test('of several copies of an opening the first stands', () => {
    const again = opening({ openedAt: openedAt + 9_000, baseline: opening().baseline });
    const samples = [opening(), ...rest.slice(0, 3), again, ...rest.slice(3)];
    expect(run(samples).state.analyses[analysisId]?.opening.openedAt).toBe(openedAt);
  });
});

describe('an analysis that was opened for another release', () => {
  test.each([
    ['judge-unknown', { judge: 99 }],
    ['policy-unreadable', { policyDigest: tools.digest('another policy') }],
    ['policy-unreadable', { policy: '{', policyDigest: tools.digest('{') }],
  ])('ends inconclusive: %s', (reason, change) => {
    const { decisions } = run([opening(change), tick(5_000), tick(100_000)]);
    expect(decisions).toMatchObject([{ kind: 'hold', verdict: 'inconclusive', reason }]);
    expect(parseMarker('decision', decisions[0] as unknown as Body).ok).toBe(true);
  });
});

test('a value that no server can have counted is left out, and nobody knows what the others come to', () => {
  const absurd = baseline({ name: 'absurd', startMs: 20, traffic: () => [2 ** 50, 0], already: 0 });
  const { state, decisions } = judged(absurd, baseline(), canary({ traffic: failing }));
  expect(state.analyses[analysisId]?.excluded.implausible).toBeGreaterThan(0);
  expect(windowsSeen(absurd, baseline(), canary())).toStrictEqual({ requests: 0, errors: 0 });
  expect(kindsOf(decisions)).not.toContain('roll-back');
});

test('however often a fleet sends, the window is measured ten times in the base of it', () => {
  const pods = Array.from({ length: 1_000 }, (_, index) =>
    canary({ name: `pod ${index}`, firstExportMs: index, exportEveryMs: 60_000 }),
  );
  let { state } = run([opening()]);
  const measurings = new Set<unknown>();
  for (const [index, points] of cut(exportsOf(pods), [2]).entries()) {
    ({ state } = run([{ ...points, points: points.points.map(later) }], state, 1 + index));
    measurings.add(state.analyses[analysisId]?.measuring?.lastMs);
  }
  expect(measurings.size).toBeGreaterThan(5);
  expect(measurings.size).toBeLessThan(15);
});

/** Received so much later that it is measured at once. */
const later = (point: SamplePoint): SamplePoint => ({
  ...point,
  receivedAt: point.receivedAt + 2 * fastPolicy.windowMs,
});

test('an analysis hears only samples of its own environment and component', () => {
  const foreign = exportsOf([baseline(), canary({ traffic: failing })]);
  const elsewhere = cut(foreign, [9]).map((points) => ({ ...points, environment: 'staging' }));
  const { state, decisions } = run([opening(), ...elsewhere]);
  expect(decisions).toStrictEqual([]);
  expect(state).toStrictEqual(run([opening()]).state);
});

test('an attempt that nobody ends is forgotten a day after its deadline', () => {
  const day = 86_400_000;
  const kept = run([opening(), tick(100_000), tick(day)]);
  expect(Object.keys(kept.state.analyses)).toHaveLength(1);
  expect(run([tick(day + 61_000)], kept.state, 9).state.analyses).toStrictEqual({});
});

test('what has decided is forgotten then also if only others are heard; what goes on is not', () => {
  const day = 86_400_000;
  const elsewhere = (afterMs: number): Tick => ({ ...tick(afterMs), component: 'cart' });
  const decided = run([opening(), tick(100_000)]);
  expect(decided.state.analyses[analysisId]?.ended).toBe('decided');
  const silent = run([elsewhere(day)], decided.state, 9);
  expect(silent.state).toBe(decided.state);
  expect(run([elsewhere(day + 61_000)], silent.state, 10).state.analyses).toStrictEqual({});
  const going = run([opening(), elsewhere(2 * day)]);
  expect(Object.keys(going.state.analyses)).toHaveLength(1);
});

test('policies with the base of the standard preset close windows as well', () => {
  const policy = { ...fastPolicy, windowMs: 5_000, noDataMs: 10_000 };
  const { state } = run([opening({}, policy), tick(31_000)]);
  expect(state.analyses[analysisId]?.judge?.nextIndex).toBe(4);
});

test('a fold leaves the state that it was given as it was', () => {
  const sent = exportsOf([baseline(), canary()]);
  for (const share of [3, 40]) {
    const { state } = run([opening(), ...cut(sent.slice(0, share), [1])]);
    const before = JSON.stringify(state);
    run([...cut(sent.slice(share), [5]), tick(90_000)], state, 500);
    expect(JSON.stringify(state)).toBe(before);
  }
});

test('where more came than can wait, nobody is said to have lost requests', () => {
  const metrics = fullPolicy.metrics.filter(({ id }) => id === 'traffic');
  const short = { temporality: 'delta', startMs: 0, already: 0 } as const;
  const many = canary({ ...short, routes: 51_000, firstExportMs: 1_600, lastExportMs: 1_600 });
  const { windows, state } = run([
    opening({ canaryShare: 0.5 }, { ...fullPolicy, metrics }),
    ...cut(exportsOf([baseline({ ...short, lastExportMs: 1_500 }), many]), [20_000]),
    tick(150_000),
  ]);
  expect(state.analyses[analysisId]?.excluded['over-limit']).toBeGreaterThan(1_000);
  const seen = windows.map(({ window }) => window.metrics[0]);
  expect(seen.length).toBeGreaterThan(1);
  expect(seen.filter((metric) => metric?.canary !== null)).toStrictEqual([]);
});
