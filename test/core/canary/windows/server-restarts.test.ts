import { describe, expect, test } from 'vitest';
import type { Cohort } from '../../../../services/core/canary/windows/cohorts.ts';
import type { PendingPoint } from '../../../../services/core/canary/windows/cohort-windows.ts';
import {
  closeServerRestarts,
  manyRestarts,
  noServerRestarts,
} from '../../../../services/core/canary/windows/server-restarts.ts';
import type { ServerRestarts } from '../../../../services/core/canary/windows/server-restarts.ts';
import { withSenderDigit } from '../../../../services/core/telemetry/series-sender.ts';

const openedAtMs = 1_800_000_000_000;
const windowMs = 15_000;
const warmUpMs = 60_000;

/** One export of one series of a server; times are from the opening, seconds. */
type Told = {
  readonly cohort: Cohort;
  readonly server: string;
  readonly atS: number;
  readonly startS: number;
  readonly count: number;
  readonly series?: string;
  readonly change?: Partial<PendingPoint>;
};

const digitOf = (name: string): string =>
  withSenderDigit(name.padEnd(32, 'f').replace(/[^0-9a-f]/g, 'e'), true);

const pointOf = ({ cohort, server, atS, startS, count, series, change }: Told): PendingPoint => ({
  ...{ cohort, sender: `["${cohort}","${server}"]`, instance: server, name: 'http', unit: 's' },
  series: `${digitOf(`${cohort}${server}`)}${series ?? ''}`,
  temporality: 'cumulative',
  startMs: openedAtMs + startS * 1_000,
  timeMs: openedAtMs + atS * 1_000,
  ...{ delayMs: 0, judgedAs: [], count, errors: 0, level: 0, durations: null },
  ...change,
});

/** After all windows up to the newest of these, each told once. */
const after = (told: readonly Told[], fromS = warmUpMs / 1_000): ServerRestarts => {
  let restarts = noServerRestarts;
  const ofSeries: { [series: string]: { [startMs: number]: { timeMs: number; count: number } } } =
    {};
  const points = told.map(pointOf);
  const last = Math.max(...points.map(({ timeMs }) => timeMs));
  for (let endMs = openedAtMs + windowMs; endMs <= last + windowMs; endMs += windowMs) {
    const due = points.filter(({ timeMs }) => timeMs >= endMs - windowMs && timeMs < endMs);
    const bases = Object.fromEntries(
      Object.entries(ofSeries).map(([series, streams]) => [
        series,
        Object.fromEntries(
          Object.entries(streams).map(([start, one]) => [
            start,
            { ...one, errors: 0, durations: null },
          ]),
        ),
      ]),
    );
    const fromMs = openedAtMs + fromS * 1_000;
    restarts = closeServerRestarts(
      restarts,
      due.toReversed(),
      { ofSeries: bases },
      { endMs, windowMs, fromMs },
    );
    // A restart of the analyser between any two.
    restarts = JSON.parse(JSON.stringify(restarts)) as ServerRestarts;
    for (const { series, startMs, timeMs, count } of due)
      ofSeries[series] = { ...ofSeries[series], [startMs]: { timeMs, count } };
  }
  return restarts;
};

/** Exports every fifteen seconds, of one that begins anew every so many seconds; 0: never. */
const server = (
  cohort: Cohort,
  name: string,
  everyS: number,
  { untilS = 900, change = {} }: { untilS?: number; change?: Partial<PendingPoint> } = {},
): readonly Told[] =>
  Array.from({ length: Math.floor(untilS / 15) }, (_, index) => {
    const atS = 7 + 15 * index;
    const startS = everyS === 0 ? -500 : Math.floor(atS / everyS) * everyS + 2;
    return { cohort, server: name, atS, startS, count: 10 * (atS - startS), change };
  });
const versions = (
  canaryEveryS: number,
  baselineEveryS: number,
  change: Partial<PendingPoint> = {},
): readonly Told[] =>
  ['a', 'b'].flatMap((name) => [
    ...server('canary', name, canaryEveryS, { change }),
    ...server('baseline', name, baselineEveryS),
  ]);
const manyAfter = (...given: Parameters<typeof after>): unknown => manyRestarts(after(...given));

test('servers of the canary that begin anew again and again are told, with those of the baseline', () => {
  expect(manyAfter(versions(120, 0))).toStrictEqual({
    ...{ canary: 14, baseline: 0, canaryServers: 2, baselineServers: 2 },
  });
  expect(manyAfter(versions(120, 450))).toMatchObject({ canary: 14, baseline: 2 });
});

describe('nothing is told', () => {
  test.each<[string, readonly Told[]]>([
    ['nobody begins anew', versions(0, 0)],
    ['both do', versions(120, 130)],
    ['the baseline does', versions(0, 120)],
    ['few do', versions(400, 0)],
    [
      'each does it once',
      ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].flatMap((name) => [
        ...server('canary', name, 500),
        ...server('baseline', name, 0),
      ]),
    ],
    ['there is no baseline', server('canary', 'a', 60)],
    ['they name no instance', versions(120, 0, { instance: null })],
    ['they say no start', versions(120, 0, { startMs: 0 })],
    ['they send deltas', versions(120, 0, { temporality: 'delta' })],
    ['what they say is refused', versions(120, 0, { refused: 'count-invalid' })],
    ['several may send', versions(120, 0, { series: withSenderDigit('a'.repeat(32), false) })],
    ['it counts on while its start moves', versions(120, 0, { count: 500 })],
    [
      'other pods take their places',
      versions(120, 0).map((one) => ({ ...one, server: `${one.server} ${one.startS}` })),
    ],
    [
      'each export begins where the one before it ended',
      versions(0, 0).map((one) =>
        one.cohort === 'canary' ? { ...one, startS: one.atS - 15, count: one.atS % 7 } : one,
      ),
    ],
  ])('where %s', (_which, told) => {
    expect(manyAfter(told)).toBeNull();
  });

  test('of the warm-up', () => {
    expect(manyAfter(versions(120, 0), 900)).toBeNull();
    expect(manyAfter(versions(120, 0), 200)).toMatchObject({ canary: 12 });
  });

  test('of one counter of several that is forgotten, and comes back', () => {
    const rare = versions(120, 0).map((one) => ({ ...one, series: 'rare' }));
    expect(manyAfter([...rare, ...versions(0, 0)])).toBeNull();
  });

  test('where two go on under one name', () => {
    const second = server('canary', 'a', 0).map((one, index) => ({
      ...one,
      atS: one.atS + 5,
      startS: 100 * Math.floor(index / 8),
      count: 5,
    }));
    const one = server('canary', 'a', 0);
    const { restarts } = after([...one, ...second, ...server('baseline', 'a', 0)]);
    expect(restarts.length).toBeLessThan(2);
  });
});

test('restarts are forgotten after twenty minutes, and servers that went away have no part', () => {
  const calm = (cohort: Cohort, name: string): readonly Told[] =>
    server(cohort, name, 0, { untilS: 2_600 }).map((one) =>
      cohort === 'canary' && one.atS > 600 ? { ...one, startS: 602 } : one,
    );
  const crashing = [
    ...server('canary', 'a', 90, { untilS: 600 }),
    ...calm('canary', 'a').filter(({ atS }) => atS > 600),
  ];
  const told = [
    ...crashing,
    ...calm('baseline', 'a'),
    ...server('baseline', 'b', 0, { untilS: 300 }),
  ];
  const until = (lastS: number): unknown => manyAfter(told.filter(({ atS }) => atS < lastS));
  expect(until(1_200)).toMatchObject({ canary: 6, canaryServers: 1, baselineServers: 1 });
  expect(until(1_700)).toBeNull();
});
