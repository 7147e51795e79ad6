import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../../services/core/canonical.ts';
import {
  areServersLosing,
  busierAt,
  isBusierThanShare,
  loadsAtNewShare,
  mayBeBusier,
  noLoadsLately,
  serverLoads,
  withLoads,
} from '../../../../services/core/canary/windows/server-loads.ts';
import type {
  LoadsLately,
  ServerLoads,
} from '../../../../services/core/canary/windows/server-loads.ts';
import type { Cohort } from '../../../../services/core/canary/windows/cohorts.ts';
import { judgedCapture, shortPolicy } from '../../../support/canary/backtests.ts';
import {
  baselineVersion,
  canaryVersion,
  captureSinceMs,
  everySeconds,
  lineOf,
} from '../../../support/canary/capture-lines.ts';
import { everywhere, fullPolicy } from '../../../support/canary/sample-streams.ts';

const windowMs = 5_000;

/** What servers were asked in one window, by version; the names are theirs alone. */
type Asked = {
  readonly [Name in Cohort]: { readonly [server: string]: number };
};

const counted = (asked: Asked): Parameters<typeof withLoads>[1] =>
  (['canary', 'baseline'] as const).flatMap((cohort) =>
    Object.entries(asked[cohort]).map(([server, count]) => ({
      point: { cohort, sender: JSON.stringify([cohort, server]), instance: server },
      added: { count },
    })),
  );

const after = (windows: readonly Asked[], before: LoadsLately = noLoadsLately): LoadsLately =>
  windows.reduce((loads, asked) => withLoads(loads, counted(asked), windowMs), before);

const same = (windows: number, asked: Asked): readonly Asked[] =>
  Array.from({ length: windows }, () => asked);

const even: Asked = { canary: { a: 60, b: 60 }, baseline: { a: 60, b: 60, c: 60 } };

const known = (windows: readonly Asked[]): ServerLoads => {
  const loads = serverLoads(after(windows), windowMs);
  if (loads === null) throw new Error('nobody is heard');
  return loads;
};

describe('a server', () => {
  test('has as many requests as it is asked in a window', () => {
    expect(known(same(30, even))).toEqual({
      ...{ canaryServers: 2, baselineServers: 3, busier: 1, canaryGone: 0, isRising: false },
      ...{ canary: expect.closeTo(60, 1), baselineUsual: expect.closeTo(60, 1) },
    });
  });

  test('that is not heard any more is none, and one that is asked nothing has none', () => {
    const { b, ...others } = even.canary;
    expect(b).toBe(60);
    const gone = [...same(20, even), ...same(2, { ...even, canary: others })];
    expect(known(gone)).toMatchObject({
      ...{ canaryServers: 1, canaryGone: 1 },
      canary: expect.closeTo(60, 1),
    });
    // A step takes what servers have from them, and not that they are.
    const stepped = after(same(3, { ...even, canary: others }), loadsAtNewShare(after(gone), 5));
    expect(serverLoads(stepped, windowMs)?.canaryGone).toBe(1);
    const idle = [...same(20, even), ...same(60, { ...even, canary: { a: 60, b: 0 } })];
    expect(known(idle).canary).toBeLessThan(31);
  });

  test('that is busier than all others does not move what is usual', () => {
    const loud = { ...even, baseline: { a: 60, b: 60, c: 900 } };
    expect(known(same(30, loud)).baselineUsual).toBeCloseTo(60, 1);
    const oneOfTwo = { ...even, baseline: { a: 60, b: 180 } };
    expect(known(same(30, oneOfTwo)).baselineUsual).toBeCloseTo(60, 1);
  });

  test('that names no instance makes all unknown', () => {
    const nameless = counted(even).map(({ point, added }) => ({
      point: { ...point, instance: point.cohort === 'canary' ? null : point.instance },
      added,
    }));
    expect(serverLoads(withLoads(after(same(9, even)), nameless, windowMs), windowMs)).toBe(null);
  });
});

test.each([
  ['twice as busy', 120, 60, expect.closeTo(2, 2)],
  ['by chance a little busier', 62, 60, 1],
  ['half as busy', 30, 60, expect.closeTo(0.5, 2)],
])('a canary that is %s', (_name, canary, baseline, busier) => {
  const asked = { canary: { a: canary, b: canary }, baseline: { a: baseline, b: baseline } };
  expect(known(same(30, asked)).busier).toEqual(busier);
});

describe('a canary to which connections move one by one', () => {
  const rising = (tauSeconds: number, seconds: number): boolean =>
    known(
      Array.from({ length: seconds / 5 }, (_, index) => {
        const share = 0.5 * (1 - Math.exp((-5 * (index + 0.5)) / tauSeconds));
        const [canary, baseline] = [Math.round(150 * share), Math.round(150 * (1 - share))];
        return { canary: { a: canary, b: canary }, baseline: { a: baseline, b: baseline } };
      }),
    ).isRising;

  test.each([
    [120, 120, true],
    [120, 180, true],
    [180, 300, true],
    [10, 240, false],
  ])('with a time of %d s, after %d s: %s', (tauSeconds, seconds, isRising) => {
    expect(rising(tauSeconds, seconds)).toBe(isRising);
  });

  test('is none that loses half of it at once, nor one whose baseline and it grow alike', () => {
    const lost = { ...even, canary: { a: 30, b: 30 } };
    const doubled = { canary: { a: 120, b: 120 }, baseline: { a: 120, b: 120, c: 120 } };
    expect(known([...same(20, even), ...same(4, lost)]).isRising).toBe(false);
    expect(known([...same(20, even), ...same(4, doubled)]).isRising).toBe(false);
  });
});

test('by chance a few requests more make nobody busier, and hardly any are still some', () => {
  const few = same(26, { canary: { a: 1, b: 0 }, baseline: { a: 0, b: 1 } });
  expect(known(few).busier).toBe(1);
  const hardly = { canary: { a: 1 }, baseline: { a: 9_000 } };
  expect(known(same(30, hardly)).busier).toBe(0.001);
});

describe('what servers have is not to be gone by', () => {
  const nameless = (count: number): Parameters<typeof withLoads>[1] => [
    ...counted(even),
    { point: { cohort: 'canary', sender: 'nobody', instance: null }, added: { count } },
  ];

  test('for a minute after the share was changed', () => {
    const changed = after(same(3, even), loadsAtNewShare(noLoadsLately, windowMs));
    expect([
      changed.unsettledMs,
      after(same(12, even), loadsAtNewShare(noLoadsLately, windowMs)).unsettledMs,
    ]).toEqual([45_000, 0]);
  });

  test('for a minute after it was not known whose requests are', () => {
    const lost = withLoads(after(same(9, even)), nameless(60), windowMs);
    expect([serverLoads(lost, windowMs), lost.unsettledMs]).toEqual([null, 60_000]);
    expect(after(same(12, even), lost).unsettledMs).toBe(0);
    // Who never names itself is judged as he is.
    expect(withLoads(noLoadsLately, nameless(60), windowMs).unsettledMs).toBe(0);
  });

  test('but a few of nobody say nothing of the others', () => {
    const loads = withLoads(after(same(9, even)), nameless(5), windowMs);
    expect([serverLoads(loads, windowMs)?.canaryServers, loads.unsettledMs]).toEqual([2, 0]);
  });
});

test('what is known is the same whoever is heard first, and after any restart', () => {
  const asked = fc.record({
    canary: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.nat(1_000)),
    baseline: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(1_000)),
  });
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 12 }), (windows) => {
      const whole = after(windows);
      const restarted = windows.reduce<LoadsLately>(
        (loads, one) =>
          JSON.parse(
            canonicalJson(withLoads(loads, counted(one).toReversed(), windowMs)),
          ) as LoadsLately,
        noLoadsLately,
      );
      expect(canonicalJson(restarted)).toBe(canonicalJson(whole));
      expect(serverLoads(restarted, windowMs)).toEqual(serverLoads(whole, windowMs));
    }),
  );
});

const loads = (over: Partial<ServerLoads>): ServerLoads => ({
  ...{ canaryServers: 2, baselineServers: 2, canary: 60, baselineUsual: 60, busier: 1 },
  ...{ canaryGone: 0, isRising: false },
  ...over,
});

const one: Partial<ServerLoads> = { canaryServers: 1, baselineServers: 1 };
test.each<readonly [string, Partial<ServerLoads>, number, boolean]>([
  ['all have as much', {}, 0.5, false],
  ['the canary has one of two that is not heard', { canaryServers: 1 }, 0.5, false],
  ['each of the canary has half', { canary: 30 }, 0.5, true],
  ['each of the canary has nine tenths', { canary: 54 }, 0.5, false],
  [
    'ten servers should be behind the busy one that is heard',
    { canaryServers: 1, canary: 90 },
    0.9,
    true,
  ],
  [
    'ten should be behind four busy ones, and were',
    { canaryServers: 4, canary: 90, canaryGone: 6 },
    0.9,
    false,
  ],
  ['ten should be behind four busy ones', { canaryServers: 4, canary: 90 }, 0.9, true],
  // Who spreads by servers gives more to a baseline that has grown.
  ['all are as busy, and the baseline has twice as many', { baselineServers: 12 }, 0.25, false],
  ['all are as busy, and three of four are not heard', { baselineServers: 24 }, 0.25, true],
  ['one is as busy as one, and should have nine times that', one, 0.9, true],
  [
    'each of the canary has half, and gets more and more',
    { canary: 30, isRising: true },
    0.5,
    false,
  ],
])('where %s, requests are lost: %j at a share of %d', (_name, over, share, isLosing) => {
  expect(areServersLosing(loads(over), share, 0.8)).toBe(isLosing);
});

test.each([
  ['half of the traffic for as many servers', 2, 2, 0.5, 2, 1.1, false, true],
  ['half of it for half as many', 2, 4, 0.5, 2, 2, true, false],
  ['half of it for half as many, and more than that follows from', 2, 4, 0.5, 5, 2.2, true, true],
  ['a tenth of it for a tenth of the servers', 1, 9, 0.1, 1, 1, false, false],
  ['a share that nobody told', 2, 2, null, 3, 3, true, false],
] as const)(
  'of %s',
  (_name, canaryServers, baselineServers, share, busier, granted, may, isMore) => {
    const told = loads({ canaryServers, baselineServers, busier });
    expect(busierAt(told, share)).toBeCloseTo(granted, 9);
    expect(mayBeBusier(told, share)).toBe(may);
    expect(isBusierThanShare(told, share)).toBe(isMore);
  },
);

describe('in a backtest of CPU', () => {
  const kinds = ['errors', 'level', 'traffic'];
  const metrics = fullPolicy.metrics.filter(({ judged }) => kinds.includes(judged));
  const policy = {
    ...shortPolicy,
    metrics,
    warmUpMs: 60_000,
    soakMs: 300_000,
    deadlineMs: 1_200_000,
  };
  const noise = [
    { id: 'cpu', judged: 'level', variance: 0.0005, batches: 500, note: 'measured' } as const,
  ];

  /** So many times the requests, and as many times the CPU; the share changes every so many seconds. */
  const outcomeOf = (
    busier: number,
    cpu: number,
    stepSeconds = Infinity,
    more: (line: string, version: string) => string = (line) => line,
    asked = 100,
  ): string => {
    const seconds = 700;
    const lines = Array.from({ length: seconds / everySeconds }, (_, index) =>
      [canaryVersion, baselineVersion].flatMap((version, place) =>
        [0, 1].map((pod) => {
          const at = (index + 1) * everySeconds - place - pod / 2;
          const isCanary = version === canaryVersion;
          const requests = Math.round(asked * (isCanary ? busier : 1));
          const level = 0.2 * (isCanary ? cpu : 1) * (1 + 0.02 * Math.sin(7 * index + pod));
          const line = lineOf({ version, instance: `pod-${pod}`, at, requests, errors: 0 });
          return more(withLevel(line, at, level), version);
        }),
      ),
    ).flat();
    const canaryShare = busier / (1 + busier);
    const shares = Array.from(
      { length: Math.max(1, Math.ceil(seconds / stepSeconds)) },
      (_, step) => ({
        atMs: captureSinceMs + (step === 0 ? 0 : step * stepSeconds * 1_000),
        share: canaryShare + 0.01 * (step % 2),
      }),
    );
    const judged = judgedCapture(lines, { placed: everywhere(policy), noise }, { shares });
    const { outcome, metric } = judged.result();
    return outcome === 'roll-back' ? `${outcome} for ${metric ?? ''}` : outcome;
  };

  const withLevel = (line: string, at: number, level: number): string => {
    const gauge = {
      name: 'process.cpu.utilization',
      unit: '1',
      gauge: { dataPoints: [{ timeUnixNano: nanosAt(at), asDouble: level }] },
    };
    return line.replace('"metrics":[', `"metrics":[${JSON.stringify(gauge)},`);
  };
  const nanosAt = (second: number): string =>
    `${captureSinceMs + Math.round(second * 1_000)}000000`;

  test.each([
    ['as busy as the baseline', 1, 1, 'promote'],
    ['twice as busy, and takes twice as much', 2, 2, 'promote'],
    ['as busy, and takes twice as much', 1, 2, 'roll-back for cpu'],
    ['twice as busy, and takes four times as much', 2, 4, 'roll-back for cpu'],
  ])('a canary that is %s', (_name, busier, cpu, outcome) => {
    expect(outcomeOf(busier, cpu)).toBe(outcome);
  });

  test.each([120, 300])('steps of the share every %d s blame nobody', (stepSeconds) => {
    const asIs = (line: string): string => line;
    expect(outcomeOf(1.5, 1.5, stepSeconds, asIs, 40)).toBe('promote');
  });

  test('who tells its requests under the older name of the metric, too, is no busier by that', () => {
    const both = (line: string, version: string): string => {
      if (version !== canaryVersion) return line;
      const told = JSON.parse(line) as {
        readonly resourceMetrics: readonly [
          { readonly scopeMetrics: readonly [{ readonly metrics: { readonly name: string }[] }] },
        ];
      };
      const { metrics: sent } = told.resourceMetrics[0].scopeMetrics[0];
      const newer = sent.find(({ name }) => name === 'http.server.request.duration');
      if (newer !== undefined) sent.push({ ...newer, name: 'http.server.duration' });
      return JSON.stringify(told);
    };
    expect(outcomeOf(1, 2, Infinity, both)).toBe('roll-back for cpu');
  });
});

describe('in a backtest', () => {
  const requests = 200;
  const seconds = 200;
  const metrics = fullPolicy.metrics.filter(
    ({ judged }) => judged === 'errors' || judged === 'traffic',
  );
  const placed = everywhere({ ...shortPolicy, metrics });
  const shares = [{ atMs: captureSinceMs, share: 0.5 }];
  type Pod = { readonly version: string; readonly pod: number; readonly at: number };
  /** Two pods of each version, or more: `askedOf` says what each is asked in an export; null: it is not heard. */
  const outcomeOf = (pods: number, askedOf: (pod: Pod) => number | null): string | undefined => {
    const lines = Array.from({ length: seconds / everySeconds }, (_, index) =>
      [canaryVersion, baselineVersion].flatMap((version, place) =>
        Array.from({ length: pods }, (__, pod) => {
          const at = (index + 1) * everySeconds - place - pod / 2;
          const asked = askedOf({ version, pod, at });
          if (asked === null) return [];
          const instance = `pod-${pod}`;
          const from = Math.max(0, at - everySeconds);
          return [lineOf({ version, instance, at, from, requests: asked, errors: 2 })];
        }).flat(),
      ),
    ).flat();
    const { outcome, metric } = judgedCapture(lines, { placed }, { shares }).result();
    return outcome === 'roll-back' ? `${outcome} for ${metric ?? ''}` : outcome;
  };

  test.each<readonly [string, number, (pod: Pod) => number | null, string]>([
    ['all pods are asked alike', 2, () => requests, 'promote'],
    [
      'one pod of the canary is never heard',
      2,
      ({ version, pod }) => (version === canaryVersion && pod === 1 ? null : requests),
      'inconclusive',
    ],
    [
      'one pod of the canary is heard late',
      2,
      ({ version, pod, at }) =>
        version === canaryVersion && pod === 1 && at < 80 ? null : requests,
      'inconclusive',
    ],
    [
      'one pod of the baseline has three times the requests',
      3,
      ({ version, pod }) => (version === baselineVersion && pod === 1 ? 3 * requests : requests),
      'inconclusive',
    ],
    [
      'each pod of the canary loses half of its requests',
      2,
      ({ version }) => (version === canaryVersion ? requests / 2 : requests),
      'roll-back for traffic',
    ],
    [
      'one pod of the canary, which is heard, has a fifth of them',
      2,
      ({ version, pod }) => (version === canaryVersion && pod === 1 ? requests / 5 : requests),
      'roll-back for traffic',
    ],
  ])('where %s', (_name, pods, askedOf, outcome) => {
    expect(outcomeOf(pods, askedOf)).toBe(outcome);
  });
});
