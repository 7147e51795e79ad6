import { describe, expect, test } from 'vitest';
import { noiseText } from '../../../services/core/canary/judge/noise-text.ts';
import type { Durations } from '../../../services/core/canary/windows/durations.ts';
import { packDurations } from '../../../services/core/samples/durations.ts';
import type { AnalysisState } from '../../../services/core/canary/analysis/analysis-state.ts';
import { parseSample } from '../../../services/core/samples/parse-sample.ts';
import { failureSaid, overflowSaid } from '../../../services/core/telemetry/status-said.ts';
import type { Body } from '../../../services/core/markers/upcast.ts';
import type { AnalysisOpened, Points, SamplePoint } from '../../../services/core/samples/sample.ts';
import {
  asRefused,
  bytesOf,
  cut,
  exportsOf,
  fullPolicy,
  kindsOf,
  openedAt,
  opening,
  record,
  run,
  tick,
  tools,
} from '../../support/canary/sample-streams.ts';
import type { Pod, Run, Sent } from '../../support/canary/sample-streams.ts';

// Whatever telemetry does, it never passes a canary that nobody has seen to be good, and never rolls back one that
// nobody has seen to be bad.

const busy = 500;
/** Six pods of each version, all alike. */
const pods = 6;

const pod = (version: string, index: number): Pod => ({
  name: `${version} ${index}`,
  version,
  temporality: 'cumulative',
  startMs: -60_000,
  already: 5_000,
  exportEveryMs: 1_000,
  firstExportMs: 500 + 20 * index,
  lastExportMs: 58_900,
  traffic: (at) => [busy, at % 4 === 0 ? 1 : 0],
  slowness: () => [0, 0.3, 0.1, 0.02],
  cpu: (at) => 0.4 + 0.01 * (at % 3),
});
const fleetOf = (version: string, change: Partial<Pod> = {}, changed = pods): readonly Pod[] =>
  Array.from({ length: pods }, (_, index) => ({
    ...pod(version, index),
    ...(version === '2.0.0' ? { startMs: 100, already: 0 } : {}),
    ...(index < changed ? change : {}),
  }));
const good = (change: Partial<Pod> = {}, changed = pods): readonly Pod[] =>
  fleetOf('1.9.4', change, changed);
const canary = (change: Partial<Pod> = {}, changed = pods): readonly Pod[] =>
  fleetOf('2.0.0', change, changed);
const bad = { traffic: (): readonly [number, number] => [busy, 100] };

const opened = opening(
  {
    canaryShare: 0.5,
    noise: noiseText([
      { id: 'errors', judged: 'errors', phi: 1, batches: 72, note: 'measured' },
      { id: 'traffic', judged: 'traffic', phi: 1, batches: 72, note: 'measured' },
      { id: 'cpu', judged: 'level', variance: 0.001, batches: 72, note: 'measured' },
    ]),
    noiseAgeMs: 3_600_000,
  },
  { ...fullPolicy, metrics: fullPolicy.metrics.filter(({ id }) => id !== 'memory') },
);
const fold = (sent: readonly Sent[], change: Partial<AnalysisOpened> = {}): Run =>
  run([{ ...opened, ...change }, ...cut(sent, [40]), tick(70_000), tick(75_000)]);
const judgedAs = (change: Partial<AnalysisOpened>, ...fleets: readonly (readonly Pod[])[]): Run =>
  fold(exportsOf(fleets.flat()), change);
const judged = (...fleets: readonly (readonly Pod[])[]): Run => judgedAs({}, ...fleets);
const excludedIn = ({ state }: Run): AnalysisState['excluded'] => {
  const [analysis] = Object.values(state.analyses);
  if (analysis === undefined) throw new Error('nothing was opened');
  return analysis.excluded;
};

/** Neither passed nor rolled back. */
const expectNothing = (folded: Run): void => {
  expect(kindsOf(folded.decisions).filter((kind) => kind !== 'hold')).toStrictEqual([]);
  expect(kindsOf(folded.decisions)).toContain('hold');
};

/** Every point of the fleet as it might be sent by somebody who counts wrong. */
const spoilt = (
  fleets: readonly (readonly Pod[])[],
  version: string,
  change: (point: SamplePoint, index: number) => Partial<SamplePoint>,
): readonly Sent[] =>
  exportsOf(fleets.flat()).map((one, index) =>
    one.origin.version === version
      ? { ...one, point: { ...one.point, ...change(one.point, index) } }
      : one,
  );

describe('without poison', () => {
  test('the good canary passes and the bad one is rolled back', () => {
    expect(kindsOf(judged(good(), canary()).decisions)).toStrictEqual(['promote']);
    expect(kindsOf(judged(good(), canary(bad)).decisions)).toStrictEqual(['roll-back']);
  });
});

describe('the door takes no point', () => {
  const [sent] = exportsOf(canary());
  if (sent === undefined) throw new Error('nothing was sent');
  const level = exportsOf(canary()).find(({ point }) => point.level !== null);
  if (level === undefined) throw new Error('no level was sent');
  test.each<[string, Sent, Partial<SamplePoint>]>([
    ['with a count that is NaN', sent, { count: NaN }],
    ['with an infinite count', sent, { count: Infinity }],
    ['with a negative count', sent, { count: -1 }],
    ['with a count beyond whole numbers', sent, { count: 2 ** 53 }],
    ['with more errors than requests', sent, { count: 3, errors: 4 }],
    ['with a level that is NaN', level, { level: NaN }],
    ['with an infinite level', level, { level: Infinity }],
    ['with a negative level', level, { level: -0.5 }],
    ['with a level beyond anything', level, { level: 1e300 }],
    ['that ends before it begins', sent, { start: sent.point.time + 1 }],
    ['of a time that no calendar has', sent, { time: 9e15, start: 0 }],
  ])('%s', (_name, { origin, point }, change) => {
    const points: Points = record([{ origin, point: { ...point, ...change } }]);
    expect(parseSample('points', points as unknown as Body).ok).toBe(false);
    const sound: Points = record([{ origin, point }]);
    expect(parseSample('points', sound as unknown as Body).ok).toBe(true);
  });
});

describe('neither a pass nor a roll-back comes from', () => {
  test('silence of both', () => expectNothing(run([opened, tick(20_000), tick(70_000)])));

  test.each([0, 0.2])('silence of the canary, good or bad (%s)', (share) =>
    expectNothing(
      judged(good(), canary({ lastExportMs: 2_900, traffic: () => [busy, busy * share] })),
    ),
  );

  test('silence of the baseline, however good the canary', () =>
    expectNothing(judged(good({ lastExportMs: 5_500 }), canary())));

  test('one cohort alone, however bad it is', () => {
    expectNothing(judged(canary(bad)));
    expectNothing(judged(good()));
  });

  test('a canary that reports and that nobody asks anything, where nobody said that somebody should', () =>
    expectNothing(judgedAs({ canaryShare: null }, good(), canary({ traffic: () => [0, 0] }))));

  describe('failed requests that cannot be counted', () => {
    const refused = (
      version: string,
      temporality: Pod['temporality'],
      canaries: readonly Pod[],
      baselines = good(),
    ) =>
      exportsOf([...baselines, ...canaries].map((one) => ({ ...one, temporality }))).map(
        (sent): Sent =>
          sent.origin.version === version && sent.point.errors > 0
            ? {
                origin: {
                  ...sent.origin,
                  attributes: [...sent.origin.attributes, { name: failureSaid, value: 'yes' }],
                },
                point: {
                  ...{ ...sent.point, count: 0, errors: 0, durations: null },
                  refused: 'count-invalid',
                },
              }
            : sent,
      );

    test.each(['delta', 'cumulative'] as const)('(%s) of a bad canary', (temporality) => {
      const folded = fold(refused('2.0.0', temporality, canary(bad)));
      expectNothing(folded);
      expect(excludedIn(folded)['count-invalid']).toBeGreaterThan(100);
      const hold = folded.decisions.find(({ kind }) => kind === 'hold');
      expect(hold?.explanation).toMatch(/count-invalid \d+ \(a count is a whole number/);
    });

    test.each<readonly [string, string, readonly Pod[]]>([
      ['a bad canary', '2.0.0', canary(bad)],
      ['the baseline', '1.9.4', canary()],
    ])('of %s, as no server can have had so many', (_name, version, canaries) => {
      const absurd = 2 ** 52;
      const sending = [...good(), ...canaries].map((one): Pod => ({
        ...one,
        temporality: 'delta',
      }));
      const folded = fold(
        exportsOf(sending).map((sent) =>
          sent.origin.version === version && sent.point.errors > 0
            ? { ...sent, point: { ...sent.point, count: absurd, errors: absurd, durations: null } }
            : sent,
        ),
      );
      expectNothing(folded);
      expect(excludedIn(folded).implausible).toBeGreaterThan(50);
    });

    test.each(['delta', 'cumulative'] as const)('(%s) of the baseline', (temporality) =>
      expectNothing(fold(refused('1.9.4', temporality, canary()))),
    );

    test.each(['delta', 'cumulative'] as const)(
      '(%s) of a baseline that fails now and then, as the canary does: the windows without them are no better ones',
      (temporality) => {
        const inBursts = {
          traffic: (at: number): readonly [number, number] => [busy, at % 10 < 2 ? 25 : 0],
        };
        const steadily = { traffic: (): readonly [number, number] => [busy, 5] };
        expectNothing(fold(refused('1.9.4', temporality, canary(steadily), good(inBursts))));
        expect(kindsOf(judged(good(inBursts), canary(steadily)).decisions)).not.toContain(
          'roll-back',
        );
      },
    );

    test.each<[string, (point: SamplePoint) => readonly SamplePoint[]]>([
      [
        'contradict themselves',
        (point) => [point, { ...point, errors: point.errors + 1, count: point.count + 1 }],
      ],
      [
        'are more than any server has',
        (point) => [{ ...point, count: 2 ** 52, errors: 2 ** 52, durations: null }],
      ],
    ])('that %s, of a baseline that fails now and then, blame nobody', (_name, spoil) => {
      const inBursts = {
        ...{ temporality: 'delta' as const },
        traffic: (at: number): readonly [number, number] => [busy, at % 10 < 2 ? 25 : 0],
      };
      const steadily = {
        ...{ temporality: 'delta' as const },
        traffic: (): readonly [number, number] => [busy, 5],
      };
      const sent = exportsOf([...good(inBursts), ...canary(steadily)]);
      expectNothing(
        fold(
          sent.flatMap(({ origin, point }) =>
            origin.version === '1.9.4' && point.errors > 0
              ? spoil(point).map((one) => ({ origin, point: one }))
              : [{ origin, point }],
          ),
        ),
      );
    });

    test('of a clock that is ahead are heard as they come', () => {
      const ahead = refused('2.0.0', 'delta', canary(bad)).map((sent): Sent =>
        sent.point.refused === null
          ? sent
          : { ...sent, point: { ...sent.point, time: sent.point.time + 30_000 } },
      );
      const folded = fold(ahead);
      expectNothing(folded);
      expect(excludedIn(folded)['count-invalid']).toBeGreaterThan(100);
      // While windows are measured all wait.
      expect(excludedIn(folded).late).toBeLessThan(30);
    });

    test('also where a silence is rolled back: it is none', () => {
      const rolled = opening(
        { canaryShare: 0.5 },
        {
          ...fullPolicy,
          metrics: fullPolicy.metrics.filter(({ id }) => id !== 'memory'),
          onSilence: 'roll-back',
        },
      );
      const silent = { lastExportMs: 2_900 };
      const kindsFrom = (sent: readonly Sent[]): readonly string[] =>
        kindsOf(run([rolled, ...cut(sent, [40]), tick(70_000)]).decisions);
      expect(kindsFrom(exportsOf([...good(), ...canary(silent)]))).toContain('roll-back');
      const kinds = kindsFrom(refused('2.0.0', 'delta', canary(bad)));
      expect([...new Set(kinds)]).toStrictEqual(['hold']);
    });

    test('and no window is measured by them', () => {
      const sent = exportsOf([...good(), ...canary()]);
      const [one] = sent;
      if (one === undefined) throw new Error('nothing was sent');
      const longAs = (reason: SamplePoint['refused']): readonly Sent[] =>
        [
          [0, 100],
          [100, 1_450],
        ].map(([from = 0, to = 0]) => ({
          origin: { ...one.origin, temporality: 'delta' },
          point: {
            ...{ ...one.point, count: 0, errors: 0, durations: null, refused: reason },
            ...{ series: 'f'.repeat(64), start: openedAt + from, time: openedAt + to },
          },
        }));
      const windowMsOf = (more: readonly Sent[]): unknown =>
        Object.values(fold([...more, ...sent]).state.analyses).map(({ windowMs }) => windowMs);
      expect(windowMsOf(longAs('start-missing'))).toStrictEqual([1_000]);
      for (const reason of [null, 'durations-negative'] as const)
        expect(windowMsOf(longAs(reason))).toStrictEqual([2_000]);
    });

    test.each([
      ['promote', good({ temporality: 'delta' }), canary({ temporality: 'delta' })],
      ['roll-back', good({ temporality: 'delta' }), canary({ ...bad, temporality: 'delta' })],
    ])('one of them does not end the judging of too many: %s', (kind, ...fleets) => {
      const sent = exportsOf(fleets.flat());
      const middle = sent.length >> 2;
      const level = sent.slice(0, middle).findLast(({ point }) => point.level !== null);
      const one = sent.slice(0, middle).findLast(({ point }) => point.count > 0);
      if (level === undefined || one === undefined) throw new Error('nothing was sent');
      const many = Array.from({ length: 100_100 }, () => level);
      const folded = run([
        opened,
        ...cut(
          [
            ...sent.slice(0, middle),
            asRefused(one.origin.instance ?? '')(one, 0),
            ...many,
            ...sent.slice(middle),
          ],
          [5_000],
        ),
        tick(70_000),
      ]);
      expect(kindsOf(folded.decisions)).toContain(kind);
      expect(excludedIn(folded)['over-limit']).toBeGreaterThan(0);
    });

    test('a flood of them, which keeps others out', () => {
      const [one] = refused('2.0.0', 'delta', canary(bad)).filter(
        ({ point }) => point.refused !== null,
      );
      if (one === undefined) throw new Error('nothing was refused');
      const flood = Array.from({ length: 100_100 }, (_, index): Sent => {
        const series = index.toString(16).padStart(64, 'f');
        return { ...one, point: { ...one.point, series } };
      });
      const sent = exportsOf([...good(), ...canary(bad)]);
      const at = sent.findIndex(({ point }) => point.receivedAt > one.point.receivedAt);
      const folded = run([
        opened,
        ...cut([...sent.slice(0, at), ...flood, ...sent.slice(at)], [5_000]),
        tick(70_000),
      ]);
      expectNothing(folded);
      expect(excludedIn(folded)['over-limit']).toBeGreaterThan(0);
    });
  });

  test('pods that nobody can tell apart, of which all that is left are their health checks', () => {
    const twin = { name: 'twin', hasNoId: true, temporality: 'delta', firstExportMs: 500 } as const;
    const twins = few('1.9.4', 2, (index) => ({
      ...twin,
      traffic: () => [busy + index, 20 + index],
    }));
    const checks = exportsOf([{ ...pod('1.9.4', 0), ...twin, traffic: () => [200, 0] }]).map(
      ({ origin, point }) => ({
        origin: { ...origin, metric: 'rpc.server.call.duration' },
        point: { ...point, series: `${point.series.slice(0, -1)}0` },
      }),
    );
    const canaries = few('2.0.0', 2, () => failing(0.04));
    const sent = [...exportsOf([...twins, ...canaries]), ...checks].toSorted(
      (one, other) => one.point.receivedAt - other.point.receivedAt,
    );
    const folded = fold(sent);
    expectNothing(folded);
    expect(excludedIn(folded)['start-shared']).toBeGreaterThan(200);
  });

  /** Of a fleet, the first two are workers under one name that are as busy as each other. */
  const twinned = (fleet: readonly Pod[], change: Partial<Pod> = {}): readonly Pod[] =>
    fleet.map((one, index) =>
      index > 1
        ? one
        : {
            ...one,
            ...{ name: `${one.version} twin`, ...change },
            slowness: (at) => [0, 0.3, index === at % 2 ? 0.12 : 0.08, 0.02],
            firstExportMs: 500 + 340 * index,
          },
    );

  const neither = ['promote', 'roll-back'];
  test.each([
    ['the bad part of a canary', good(), twinned(canary(), bad), neither],
    ['part of a canary that is all bad', good(), twinned(canary(bad)), ['promote']],
    ['of the baseline of a bad canary', twinned(good()), canary(bad), ['promote']],
    ['of a good canary', good(), twinned(canary()), neither],
    ['of the baseline of a good canary', twinned(good()), canary(), neither],
  ])(
    'two workers of one name and start, as busy as each other: %s',
    (_which, one, other, never) => {
      const folded = judged(one, other);
      expect(kindsOf(folded.decisions).filter((kind) => never.includes(kind))).toStrictEqual([]);
      expect(excludedIn(folded)['start-shared']).toBeGreaterThan(40);
    },
  );

  const calledDeltas = (version: string, fleets: readonly (readonly Pod[])[]): readonly Sent[] =>
    exportsOf(fleets.flat()).map((one) =>
      one.origin.version === version && one.point.level === null
        ? { ...one, origin: { ...one.origin, temporality: 'delta' } }
        : one,
    );
  test.each([
    ['of the baseline of a good canary', '1.9.4', canary()],
    ['of a good canary', '2.0.0', canary()],
    ['of a bad canary', '2.0.0', canary(bad)],
  ])('counters that are called deltas: %s', (_which, version, other) =>
    expectNothing(fold(calledDeltas(version, [good(), other]))),
  );

  /** As two paths tell it under a resource of their own each: what they say, and in every other sample the second comes first. */
  const twice = (version: string, ...fleets: readonly (readonly Pod[])[]): readonly Sent[] =>
    exportsOf(fleets.flat()).flatMap((one, index) => {
      if (one.origin.version !== version || one.point.level !== null) return [one];
      const byPath = ['c', 'd'].map((path) => {
        const family = `${path}${tools.digest(one.origin.instance ?? '')}`.slice(0, 32);
        return { ...one, point: { ...one.point, series: family + one.point.series.slice(32) } };
      });
      return index % 2 === 0 ? byPath : byPath.toReversed();
    });
  test.each([
    ['of the baseline of a good canary', '1.9.4', canary(), ['promote']],
    ['of a good canary', '2.0.0', canary(), ['promote']],
    ['of the baseline of a bad canary', '1.9.4', canary(bad), ['roll-back']],
    ['of a bad canary', '2.0.0', canary(bad), ['roll-back']],
  ])('every export twice, by two paths: %s', (_which, version, other, expected) => {
    const folded = fold(twice(version, good(), other));
    expect(kindsOf(folded.decisions)).toStrictEqual(expected);
    expect(excludedIn(folded).duplicate).toBeGreaterThan(expected[0] === 'promote' ? 300 : 20);
  });

  describe('counters whose start moves to the time of each of their points:', () => {
    const isFailed = ({ errors }: SamplePoint): boolean => errors > 0;
    const isFine = ({ errors }: SamplePoint): boolean => errors === 0;

    test.each([
      ['the failed requests of a bad canary', '2.0.0', bad, isFailed],
      ['those of the baseline of a good one', '1.9.4', {}, isFailed],
      ['the good ones of a good one', '2.0.0', {}, isFine],
      ['all of a bad one', '2.0.0', bad, () => true],
    ] as const)('%s', (_which, version, change, isMoved) => {
      const folded = fold(
        spoilt([good(), canary(change)], version, (point) =>
          point.level === null && isMoved(point) ? { start: point.time } : {},
        ),
      );
      expectNothing(folded);
      expect(excludedIn(folded)['start-missing']).toBeGreaterThan(200);
    });
  });

  test('points of another version, another namespace, or of no version', () => {
    for (const [version, reason] of [
      ['2.0.1', 'other-version'],
      [null, 'either-cohort'],
    ] as const) {
      const folded = judged(good(), canary({ ...bad, version }));
      expectNothing(folded);
      expect(excludedIn(folded)[reason]).toBeGreaterThan(100);
    }
  });

  test.each(['2.0.0', '1.9.4'])(
    'failed requests of %s that do not say their version: who else fails is not to blame',
    (version) => {
      for (const temporality of ['delta', 'cumulative'] as const) {
        const fleet = [...good(failing(0.01)), ...canary(failing(0.01))];
        const sent = exportsOf(fleet.map((one) => ({ ...one, temporality })));
        expectNothing(
          fold(
            sent.map(({ origin, point }) =>
              origin.version === version && point.errors > 0
                ? { origin: { ...origin, version: null }, point }
                : { origin, point },
            ),
          ),
        );
      }
    },
  );

  test('one pod of six that does not say its version: its failures pass nobody, its requests are not lost', () => {
    for (const change of [bad, {}]) {
      const folded = judged(good(), canary({ ...change, version: null }, 1));
      expectNothing(folded);
      expect(folded.decisions.at(-1)?.explanation).toContain('which version they run');
      expect(excludedIn(folded)['either-cohort']).toBeGreaterThan(100);
    }
  });

  test.each([
    ['start a moment before their time', (point: SamplePoint) => ({ start: point.time - 1 })],
    ['are of one time', () => ({ time: openedAt + 5_000 })],
  ])('failed requests of a counter whose points %s', (_name, moved) => {
    for (const [version, baselines, canaries] of [
      ['2.0.0', good(failing(0.002)), canary(failing(0.04))],
      ['1.9.4', good(failing(0.04)), canary(failing(0.04))],
      ['2.0.0', good(failing(0.002)), canary(failing(0.002))],
    ] as const) {
      const sent = spoilt([baselines, canaries], version, (point) =>
        point.errors > 0 && point.time > openedAt + 5_000 ? moved(point) : {},
      );
      // The first seconds are honest: too few to suffice, and silent at the deadline.
      expectNothing(fold(sent));
    }
  });

  test('one that does not say its version and serves nobody holds nobody', () => {
    const idle: Partial<Pod> = { version: null, temporality: 'delta', traffic: () => [0, 0] };
    const beside = [{ ...pod('2.0.0', 0), ...idle, name: 'a worker' }];
    expect(kindsOf(judged(good(), canary(), beside).decisions)).toStrictEqual(['promote']);
  });

  test('points that come later than the lateness, by their own clock or by the wire', () => {
    for (const change of [
      { delayMs: () => 2_500 },
      { clockAheadMs: 2_500 },
      { clockAheadMs: -2_500 },
    ]) {
      const folded = judged(good(), canary({ ...bad, ...change }));
      expectNothing(folded);
      expect(excludedIn(folded).late).toBeGreaterThan(100);
    }
  });

  test('counts that no server can have', () => {
    const folded = fold(
      spoilt([good(), canary()], '2.0.0', (point) =>
        point.level === null ? { count: point.count + 2 ** 50, errors: 0, durations: null } : {},
      ).map(({ origin, point }) => ({
        origin,
        // Each of them a counter of its own that begins after the opening.
        point: point.level === null ? { ...point, start: point.time - 400 } : point,
      })),
    );
    expect(kindsOf(folded.decisions)).not.toContain('roll-back');
    const { implausible, 'start-missing': moved } = excludedIn(folded);
    expect(implausible).toBeGreaterThan(5);
    expect(implausible + moved).toBeGreaterThan(100);
  });

  test('levels that are absurd in both cohorts', () => {
    const folded = judged(good({ cpu: () => 1e17 }), canary({ cpu: () => 1e17 }));
    expect(kindsOf(folded.decisions)).not.toContain('roll-back');
  });
});

describe('counters are judged as ever whose start is', () => {
  const second = ({ time }: SamplePoint): number => Math.floor(time / 1_000);
  const off: { readonly [How in string]: (point: SamplePoint) => number } = {
    'a moment off in every other export': (point) => point.start + (second(point) % 2),
    'up to four milliseconds off': (point) => point.start + (((second(point) * 7) % 5) - 2),
    'left out of every other export': (point) => (second(point) % 2 === 0 ? 0 : point.start),
    'left out of all but every fifth': (point) => (second(point) % 5 === 0 ? point.start : 0),
  };

  test.each(
    Object.entries(off).flatMap(([how, startOf]) =>
      ['1.9.4', '2.0.0'].map((version) => [how, version, startOf] as const),
    ),
  )('%s, by %s', (_how, version, startOf) => {
    for (const change of [{}, bad])
      for (const isMeant of [() => true, ({ errors }: SamplePoint) => errors > 0]) {
        const { decisions } = judged(good(), canary(change));
        const moved = spoilt([good(), canary(change)], version, (point) =>
          point.level === null && isMeant(point) ? { start: startOf(point) } : {},
        );
        expect(kindsOf(fold(moved).decisions)).toStrictEqual(kindsOf(decisions));
      }
  });
});

describe('a good canary is not rolled back by', () => {
  const sound = (folded: Run): void => expect(kindsOf(folded.decisions)).not.toContain('roll-back');

  test('every point coming two, three or seven times', () => {
    for (const times of [2, 3, 7]) {
      const sent = exportsOf([...good(), ...canary()]).flatMap((one) =>
        Array.from({ length: times }, () => one),
      );
      const folded = fold(sent);
      sound(folded);
      expect(kindsOf(folded.decisions)).toStrictEqual(kindsOf(judged(good(), canary()).decisions));
      expect(excludedIn(folded).duplicate).toBeGreaterThan(100);
    }
  });

  test('counters that start again, with and without saying so', () => {
    sound(judged(good(), canary({ restartMs: 12_100 })));
    sound(judged(good(), canary({ restartMs: 12_100, restartsInSilence: true })));
    sound(judged(good({ restartMs: 20_100, restartsInSilence: true }), canary()));
  });

  test('one loud pod of its own, however much it says, and however bad', () => {
    sound(judged(good(), canary({ traffic: () => [busy * 1_000, busy * 500] }, 1)));
    sound(judged(good(), canary({ cpu: () => 1e6 }, 1)));
  });

  test('one loud pod of the baseline that says how well it is', () => {
    const folded = judged(good({ traffic: () => [busy * 1_000, 0] }, 1), canary());
    sound(folded);
    expect(excludedIn(folded).loud).toBeGreaterThan(100);
  });
});

describe('a bad canary is not promoted by', () => {
  const held = (folded: Run): void => expect(kindsOf(folded.decisions)).not.toContain('promote');

  test('one loud pod of its own that says how well it is', () =>
    held(
      fold(
        exportsOf([
          ...good(),
          ...canary(bad).slice(1),
          ...canary({ traffic: () => [busy * 1_000, 0] }).slice(0, 1),
        ]),
      ),
    ));

  test('every second of its exports being lost', () =>
    held(
      fold(
        exportsOf([...good(), ...canary(bad)]).filter(
          ({ origin, point }) =>
            origin.version === '1.9.4' || Math.floor(point.receivedAt / 1_000) % 2 === 0,
        ),
      ),
    ));

  test('errors that it stops counting', () =>
    held(
      judged(good(), canary({ ...bad, lastExportMs: 4_500 }), canary({ traffic: () => [0, 0] })),
    ));

  test('counters that start again all the time', () =>
    held(
      fold(
        spoilt([good(), canary(bad)], '2.0.0', (point) =>
          point.level === null ? { start: point.time - 300 } : {},
        ),
      ),
    ));
});

/** Fewer than have a rule, or many of which few are poisoned. */
const few = (
  version: string,
  count: number,
  change: (index: number) => Partial<Pod> = () => ({}),
): readonly Pod[] =>
  Array.from({ length: count }, (_, index) => ({
    ...pod(version, index),
    name: `${version} of few ${index}`,
    ...(version === '2.0.0' ? { startMs: 100, already: 0 } : {}),
    ...change(index),
  }));
const failing = (share: number, requests = busy): Partial<Pod> => ({
  traffic: () => [requests, requests * share],
});

describe('points that come too late', () => {
  const [clocksOff, exportsLate] = [
    (index: number): Partial<Pod> =>
      index < 2 ? { clockAheadMs: index === 0 ? 10_000 : -10_000 } : {},
    (index: number): Partial<Pod> => (index < 2 ? { delayMs: () => 7_000 } : {}),
  ];
  const outcomes = (folded: Run): readonly string[] =>
    kindsOf(folded.decisions).filter((kind) => kind !== 'hold');
  const lastOf = ({ decisions }: Run): string => decisions.at(-1)?.explanation ?? '';

  test.each([
    ['clocks', clocksOff],
    // What they say is of before the opening, by their own time.
    ['clocks far behind', (index: number) => (index < 2 ? { clockAheadMs: -90_000 } : {})],
    ['exports', exportsLate],
  ])('are no lost traffic, in either cohort: %s', (_name, change) => {
    for (const folded of [
      judged(few('1.9.4', 4), few('2.0.0', 4, change)),
      judged(few('1.9.4', 4, change), few('2.0.0', 4)),
    ]) {
      expectNothing(folded);
      expect(lastOf(folded)).toContain('points that came too late to be judged');
      expect(lastOf(folded)).toMatch(/NTP.*Points that are no evidence: late \d+/);
    }
  });

  test('of one pod of ten that fails every request pass nobody', () => {
    const poisoned = (index: number): Partial<Pod> =>
      index === 0 ? { clockAheadMs: -10_000, ...failing(1) } : {};
    expectNothing(judged(few('1.9.4', 10), few('2.0.0', 10, poisoned)));
  });

  test.each([
    ['clocks', clocksOff],
    ['exports', exportsLate],
  ])('pass nobody where no share is told either: %s', (_name, change) => {
    const poisoned = (index: number): Partial<Pod> => ({
      ...change(index),
      ...(index < 2 ? failing(0.5) : {}),
    });
    expectNothing(judgedAs({ canaryShare: null }, few('1.9.4', 4), few('2.0.0', 4, poisoned)));
  });

  /** Where alone the failed requests of a version come late. */
  const failedLate = (version: string, ...fleets: readonly (readonly Pod[])[]): readonly Sent[] =>
    spoilt(fleets, version, ({ errors, receivedAt }) =>
      errors > 0 ? { receivedAt: receivedAt + 2_600 } : {},
    ).toSorted((one, other) => one.point.receivedAt - other.point.receivedAt);

  test.each(['2.0.0', '1.9.4'])(
    'of failed requests alone pass nobody, and blame nobody: those of %s',
    (version) => {
      const asBad = failing(0.04);
      const theirs = version === '2.0.0' ? {} : asBad;
      const folded = fold(failedLate(version, good(theirs), canary(asBad)));
      expectNothing(folded);
      expect(lastOf(folded)).toContain('or as many of its failed requests');
      // All of them in time: the same canary beside the same baseline.
      expect(kindsOf(judged(good(theirs), canary(asBad)).decisions)).toStrictEqual([
        version === '2.0.0' ? 'roll-back' : 'promote',
      ]);
    },
  );

  test('of failed requests alone pass nobody where they are less than three points in a hundred, either', () => {
    const one = (index: number): Partial<Pod> => failing(index === 0 ? 1 : 0);
    const sent = failedLate('2.0.0', few('1.9.4', 20), few('2.0.0', 20, one));
    expectNothing(fold(sent, { canaryShare: null }));
  });

  test('shield nobody: the others of the canary that fail roll it back, and their errors are blamed', () => {
    const { decisions } = judged(
      few('1.9.4', 4),
      few('2.0.0', 4, (index) => ({ ...clocksOff(index), ...failing(0.2) })),
    );
    expect(kindsOf(decisions)).toContain('roll-back');
    expect(decisions.find(({ kind }) => kind === 'roll-back')).toMatchObject({ metric: 'errors' });
  });

  test('of slow requests leave the fast ones, which are no measure of how long all take', () => {
    const slow = { slowness: () => [0, 0, 0.1, 0.3] };
    const [someSlow, someLate] = [
      (index: number): Partial<Pod> => (index < 2 ? slow : {}),
      (index: number): Partial<Pod> => (index < 2 ? { ...slow, ...exportsLate(index) } : {}),
    ];
    expectNothing(judged(few('1.9.4', 4, someLate), few('2.0.0', 4, someSlow)));
    expectNothing(judged(few('1.9.4', 4, someSlow), few('2.0.0', 4, someLate)));
    expect(
      kindsOf(judged(few('1.9.4', 4, someSlow), few('2.0.0', 4, someSlow)).decisions),
    ).toStrictEqual(['promote']);
  });

  test('are no silence to roll back for', () => {
    const { decisions } = run([
      opening({ canaryShare: 0.5 }, { ...fullPolicy, onSilence: 'roll-back' }),
      ...cut(exportsOf([...good(), ...canary({ clockAheadMs: 10_000 })]), [40]),
    ]);
    expect(new Set(kindsOf(decisions))).toStrictEqual(new Set(['hold']));
    expect(decisions[0]).toMatchObject({ reason: 'no-data', onSilence: 'page' });
  });

  test('hold for a while alone: when they come in time again the canary passes', () => {
    const untilMs = 15_000;
    const folded = judged(
      good(),
      canary({ delayMs: (index) => (index * 1_000 < untilMs ? 7_000 : 0) }, 2),
    );
    expect(outcomes(folded)).toStrictEqual(['promote']);
    const promoted = folded.decisions.find(({ kind }) => kind === 'promote');
    expect(promoted?.occurredAt).toBeGreaterThan(openedAt + untilMs + fullPolicy.noDataMs);
  });

  test('that came in time before are duplicates, however late they come again', () => {
    const sent = exportsOf([...good(), ...canary()]);
    const again = sent.map(({ origin, point }) => ({
      origin,
      point: { ...point, receivedAt: point.receivedAt + 7_000 },
    }));
    const both = [...sent, ...again].toSorted((a, b) => a.point.receivedAt - b.point.receivedAt);
    const [once, twice] = [fold(sent), fold(both)];
    expect(excludedIn(twice).late).toBeGreaterThan(1_000);
    expect(bytesOf(twice.decisions)).toStrictEqual(bytesOf(once.decisions));
  });
});

describe('exports that are sparser than windows', () => {
  /** From some time on a sender exports every so many seconds, what it had since. */
  const thinned = (version: string, every: number, sent: readonly Sent[]): readonly Sent[] =>
    sent.filter(
      ({ origin, point }) =>
        origin.version !== version ||
        point.time < openedAt + 8_000 ||
        Math.floor((point.time - openedAt) / 1_000) % every === 0,
    );
  const fleets = exportsOf([...good(), ...canary()]);

  test.each([3, 5, 7])(
    'of the baseline roll no canary back, nor promote one: every %i s',
    (every) => {
      expectNothing(fold(thinned('1.9.4', every, fleets)));
    },
  );

  test('of a canary that has half of its traffic promote nobody', () => {
    const half = {
      traffic: (at: number): readonly [number, number] => [at < 8 ? busy : busy / 2, 0],
    };
    expectNothing(fold(thinned('2.0.0', 3, exportsOf([...good(), ...canary(half)]))));
    expect(kindsOf(judged(good(), canary(half)).decisions)).toContain('roll-back');
  });

  test('of both are no less than a promotion needs to know, but for the traffic', () => {
    const { decisions } = fold(thinned('1.9.4', 3, thinned('2.0.0', 3, fleets)));
    expect(decisions.at(-1)?.explanation).toContain('exports as often as windows are long');
  });
});

describe('durations below zero', () => {
  const slow = { ...failing(0), slowness: () => [0, 0, 0.1, 0.3] };
  const belowZero = (name: string, sent: readonly Sent[]): readonly Sent[] =>
    sent.map((one): Sent =>
      one.origin.instance === name && one.point.count > 0
        ? { ...one, point: { ...one.point, durations: null, refused: 'durations-negative' } }
        : one,
    );
  const calm = failing(0);
  const sentBy = (change: Partial<Pod>): readonly Sent[] =>
    exportsOf([...few('1.9.4', 2, () => calm), ...few('2.0.0', 2, () => change)]);

  test('without them the slow one is rolled back, and the good one passes', () => {
    expect(kindsOf(fold(sentBy(slow)).decisions)).toContain('roll-back');
    expect(kindsOf(fold(sentBy(calm)).decisions)).toStrictEqual(['promote']);
  });

  test.each([
    ['of all of a slow canary', ['2.0.0 of few 0', '2.0.0 of few 1'], slow],
    ['of one of a slow canary', ['2.0.0 of few 0'], slow],
    ['of one of the baseline', ['1.9.4 of few 0'], calm],
  ])('%s pass nobody and blame nobody', (_name, names, change) => {
    const folded = fold(names.reduce((sent, name) => belowZero(name, sent), sentBy(change)));
    expectNothing(folded);
    expect(folded.decisions.at(-1)?.explanation).toMatch(
      /durations-negative \d+ \(a duration is not below zero/,
    );
  });

  test('are no silence to roll back for', () => {
    const rolled = opening(
      { canaryShare: 0.5 },
      {
        ...fullPolicy,
        metrics: fullPolicy.metrics.filter((metric) => metric.judged !== 'level'),
        onSilence: 'roll-back',
      },
    );
    const sent = belowZero('2.0.0 of few 0', sentBy(calm));
    const { decisions } = run([rolled, ...cut(sent, [40]), tick(70_000)]);
    expect([...new Set(kindsOf(decisions))]).toStrictEqual(['hold']);
  });

  test('do not hide failed requests, nor lost traffic', () => {
    const blamed = (change: Partial<Pod>): unknown =>
      fold(belowZero('2.0.0 of few 0', sentBy(change))).decisions.find(
        ({ kind }) => kind === 'roll-back',
      )?.metric;
    expect(blamed(failing(0.05))).toBe('errors');
    expect(blamed(failing(0, busy / 2))).toBe('traffic');
  });
});

describe('durations beyond what a request can take', () => {
  /** By how many buckets the longer ones are longer. */
  const steps = [0, 4, 8, 12];
  const inBuckets = (count: number, slower: number): Durations => {
    const longer = steps.map((_, step) => (step === 0 ? 0 : Math.floor(count / 4 ** step)));
    const counts = Array<number>(13).fill(0);
    for (const [step, at] of steps.entries()) counts[at] = longer[step] ?? 0;
    counts[0] = count - longer.reduce((sum, one) => sum + one, 0);
    return { shape: 'exponential', scale: 3, zeroCount: 0, offset: -30 + slower, counts };
  };
  /** `slower`: by how many eighths of an octave. */
  const sentBy = (slower: number, absurd: readonly string[]): readonly Sent[] =>
    exportsOf([
      ...few('1.9.4', 2, () => ({ ...failing(0), temporality: 'delta' })),
      ...few('2.0.0', 2, () => ({ ...failing(0), temporality: 'delta' })),
    ]).map(({ origin, point }): Sent => {
      if (point.count === 0) return { origin, point };
      const isCanary = origin.version === '2.0.0';
      const buckets = inBuckets(point.count, isCanary ? slower : 0);
      const huge = absurd.includes(origin.instance ?? '') ? { ...buckets, offset: 400 } : buckets;
      return { origin, point: { ...point, durations: packDurations(huge, () => 0) } };
    });

  test('without them the slow one is rolled back, and the good one passes', () => {
    expect(kindsOf(fold(sentBy(8, [])).decisions)).toContain('roll-back');
    expect(kindsOf(fold(sentBy(0, [])).decisions)).toStrictEqual(['promote']);
  });

  test.each([
    ['of one pod of a good canary', 0, ['2.0.0 of few 1']],
    ['of a good canary', 0, ['2.0.0 of few 0', '2.0.0 of few 1']],
    ['of a slow canary', 8, ['2.0.0 of few 0', '2.0.0 of few 1']],
    ['of one pod beside a slow canary', 8, ['1.9.4 of few 0']],
    ['of all beside a slow canary', 8, ['1.9.4 of few 0', '1.9.4 of few 1']],
    [
      'of all, beside each other',
      8,
      ['1.9.4', '2.0.0'].flatMap((of) => [0, 1].map((at) => `${of} of few ${at}`)),
    ],
  ])('%s pass nobody and blame nobody', (_name, slower, absurd) => {
    const folded = fold(sentBy(slower, absurd));
    expectNothing(folded);
    expect(folded.decisions.at(-1)?.explanation).toMatch(
      /durations-implausible \d+ \(no request takes 36 hours/,
    );
  });
});

describe('requests for whose attributes an SDK had no room', () => {
  const told = [{ name: overflowSaid, value: 'yes' }];
  /** Those of the failed ones that are among them, which are born last. */
  const overflown = (
    version: string,
    sent: readonly Sent[],
    isOne: (point: SamplePoint) => boolean = () => true,
  ): readonly Sent[] => {
    const origins = new Map<Sent['origin'], Sent['origin']>();
    return sent.map((one): Sent => {
      const { origin, point } = one;
      if (origin.version !== version || point.errors === 0 || !isOne(point)) return one;
      const without = origins.get(origin) ?? { ...origin, attributes: told };
      origins.set(origin, without);
      return { origin: without, point: { ...point, errors: 0 } };
    });
  };
  const failingAs = (share: number, temporality: 'delta' | 'cumulative') => () => ({
    ...failing(share),
    temporality,
  });
  const words = /attributes of all requests: an SDK had no room for those of some \(otel\.metric/;

  describe.each(['delta', 'cumulative'] as const)('%s', (temporality) => {
    const old = few('1.9.4', 3, failingAs(0.01, temporality));
    test.each<[string, string, Partial<Pod>]>([
      ['of a bad canary pass nobody', '2.0.0', failing(0.04)],
      ['of a baseline blame no good canary', '1.9.4', failing(0.01)],
      ['of a baseline pass no bad canary', '1.9.4', failing(0.04)],
    ])('%s', (_name, version, change) => {
      const young = few('2.0.0', 3, () => ({ ...change, temporality }));
      const folded = fold(overflown(version, exportsOf([...old, ...young])));
      expectNothing(folded);
      expect(folded.decisions.at(-1)?.explanation).toMatch(words);
      expect(excludedIn(folded)['attributes-overflown']).toBeGreaterThan(100);
    });
  });

  test('where failures are rare, windows without them are no evidence of a good baseline', () => {
    const rare = (index: number): Partial<Pod> => ({
      temporality: 'delta',
      traffic: (at) => [busy, at % 6 === 2 * index ? 12 : 0],
    });
    const sent = exportsOf([...few('1.9.4', 3, rare), ...few('2.0.0', 3, rare)]);
    expect(kindsOf(fold(sent).decisions)).toContain('promote');
    expectNothing(fold(overflown('1.9.4', sent)));
  });

  test('are no silence to roll back for', () => {
    const rolled = opening(
      { canaryShare: 0.5 },
      {
        ...fullPolicy,
        metrics: fullPolicy.metrics.filter((metric) => metric.judged !== 'level'),
        onSilence: 'roll-back',
      },
    );
    const fleets = [
      ...few('1.9.4', 3, () => failing(0.01)),
      ...few('2.0.0', 3, () => failing(0.01)),
    ];
    const late = ({ time }: SamplePoint): boolean => time > openedAt + 10_000;
    const sent = overflown('2.0.0', exportsOf(fleets), late);
    const { decisions } = run([rolled, ...cut(sent, [40]), tick(70_000)]);
    expect([...new Set(kindsOf(decisions))]).toStrictEqual(['hold']);
  });

  test('do not hide lost traffic, nor durations', () => {
    const blamed = (change: Partial<Pod>): unknown =>
      fold(
        overflown(
          '1.9.4',
          exportsOf([...few('1.9.4', 3, () => failing(0.01)), ...few('2.0.0', 3, () => change)]),
        ),
      ).decisions.find(({ kind }) => kind === 'roll-back')?.metric;
    expect(blamed(failing(0, busy / 2))).toBe('traffic');
    expect(blamed({ ...failing(0), slowness: () => [0, 0, 0.1, 0.3] })).toBe('latency');
  });

  test('hold nobody where they are long ago: a counter that stands still', () => {
    const once = { traffic: (at: number): readonly [number, number] => [busy, at === 0 ? 7 : 0] };
    const sent = exportsOf([...few('1.9.4', 3, () => once), ...few('2.0.0', 3)]);
    const folded = fold(overflown('1.9.4', sent));
    expect(kindsOf(folded.decisions)).toStrictEqual(['promote']);
    expect(excludedIn(folded)).toMatchObject({ 'before-opening': 6, 'attributes-overflown': 0 });
  });
});

describe('one loud pod of few', () => {
  const one =
    (loud: Partial<Pod>, others: Partial<Pod> = {}) =>
    (index: number): Partial<Pod> =>
      index === 0 ? loud : others;

  test.each<[string, readonly Pod[], readonly Pod[]]>([
    [
      'one of two with half of its requests failed',
      few('1.9.4', 2),
      few('2.0.0', 2, one(failing(0.5, busy * 40))),
    ],
    [
      'one of four with 5 % failed',
      few('1.9.4', 4),
      few('2.0.0', 4, one(failing(0.05, busy * 50))),
    ],
    [
      'one of two of the baseline, all healthy',
      few('1.9.4', 2, one(failing(0, busy * 30))),
      few('2.0.0', 2),
    ],
    [
      'one of two without errors among a canary that fails',
      few('1.9.4', 2),
      few('2.0.0', 2, one(failing(0, busy * 40), failing(0.05))),
    ],
    [
      'one of two that a smoke test asks as well, fifteen times as much',
      few('1.9.4', 2),
      few('2.0.0', 2, one(failing(0.05 / 15, busy * 15), failing(0.05))),
    ],
  ])('rolls nobody back and passes nobody: %s', (_name, baselines, canaries) => {
    const folded = judged(baselines, canaries);
    expectNothing(folded);
    expect(excludedIn(folded).loud).toBeGreaterThan(100);
    expect(folded.decisions.at(-1)?.explanation).toMatch(/Points that are no evidence: loud \d+/);
  });

  test.each<[string, readonly Pod[], readonly Pod[]]>([
    ['of the canary', few('1.9.4', 2), few('2.0.0', 2, one({ cpu: () => 1e6 }))],
    [
      'of the baseline, beside a canary that takes twice as much',
      few('1.9.4', 2, one({ cpu: () => 50 })),
      few('2.0.0', 2, () => ({ cpu: () => 0.8 })),
    ],
  ])('by its level holds: %s', (_name, baselines, canaries) => {
    const folded = judged(baselines, canaries);
    expectNothing(folded);
    expect(folded.decisions.at(-1)?.explanation).toContain(
      'far more than the others of its version',
    );
  });

  test.each([3, 5, 8])('is none with %i times as much: what fails is found', (times) => {
    const asked = one(failing(0.05 / times, busy * times), failing(0.05));
    const { decisions } = judged(few('1.9.4', 2), few('2.0.0', 2, asked));
    expect(kindsOf(decisions)).toStrictEqual(['roll-back']);
  });

  test('now and then holds nobody for traffic without a share, or for what nobody sends', () => {
    const burst = one({ traffic: (at) => [at % 8 === 7 ? 40 * busy : busy, 0] }, failing(0));
    const fleets = [few('1.9.4', 2, () => failing(0)), few('2.0.0', 2, burst)].map((fleet) =>
      fleet.map(({ cpu: _none, ...sent }) => sent),
    );
    const folded = judgedAs({ canaryShare: null }, ...fleets);
    expect(excludedIn(folded).loud).toBeGreaterThan(5);
    expect(kindsOf(folded.decisions)).toStrictEqual(['promote']);
  });

  test('does not hide lost traffic by its level', () => {
    const losing = few('2.0.0', 2, (index) => ({
      ...failing(0, busy / 2),
      ...(index === 0 ? { cpu: () => 1e6 } : {}),
    }));
    const { decisions } = judged(few('1.9.4', 2), losing);
    expect(decisions.find(({ kind }) => kind === 'roll-back')).toMatchObject({ metric: 'traffic' });
  });

  test('does not hide a canary of which all take more', () => {
    const higher = few('2.0.0', 2, () => ({ cpu: () => 8 }));
    expect(kindsOf(judged(few('1.9.4', 2), higher).decisions)).toStrictEqual(['roll-back']);
  });
});
