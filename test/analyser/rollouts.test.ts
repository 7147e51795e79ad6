import { describe, expect, test } from 'vitest';
import { openTelemetryReader } from '../../services/adapters/otlp/metrics-request.ts';
import { openBeforeLearner } from '../../services/core/canary/backtest/learn-before.ts';
import type { Judging } from '../../services/core/canary/backtest/opening.ts';
import { openBacktest } from '../../services/core/canary/backtest/run.ts';
import type { BacktestSetup } from '../../services/core/canary/backtest/setup.ts';
import { selectionOf } from '../../services/core/canary/policy/selection.ts';
import type { Comparison } from '../../services/core/canary/rollouts/comparison.ts';
import type { Decided } from '../../services/core/markers/marker.ts';
import type { TelemetryPoint } from '../../services/core/telemetry/telemetry-point.ts';
import { beforeText, readBefore } from '../../services/core/canary/rollouts/before.ts';
import { presets } from '../../services/core/canary/policy/presets.ts';
import type { Policy } from '../../services/core/canary/policy/policy.ts';
import { buildAnalyserHouse, settled } from '../support/analyser-house.ts';
import type { AnalyserHouse } from '../support/analyser-house.ts';
import { openingsIn } from '../support/canary/openings.ts';
import { everywhere } from '../support/canary/sample-streams.ts';
import { keyOf, tools } from '../support/given.ts';
import { added, logged, planned, shifted, started } from '../support/markers.ts';
import {
  attributes,
  DELTA,
  histogram,
  jsonOf,
  protobufOf,
  requestOf,
} from '../support/otlp/requests.ts';
import { value } from '../support/records.ts';

// Rollouts without a canary, from OTLP and markers to a decision on the log: what ran before is read from the samples.

const minuteMs = 60_000;
const dayMs = 86_400_000;

const policy: Policy = {
  ...presets.standard,
  metrics: presets.standard.metrics.filter(({ judged }) => judged === 'errors'),
  rollouts: { beforeAfter: true, blueGreen: true },
};

type Sends = { readonly version: string; readonly errors: number };
const requests = 6_000;

/** What a Collector would have written to its file. */
const captured = new WeakMap<AnalyserHouse, string[]>();

/** A minute goes by, and each version exports what it counted in it. */
const passMinute = async (house: AnalyserHouse, sends: readonly Sends[]): Promise<void> => {
  await house.clock.advance(minuteMs);
  const nowMs = house.clock.nowMs();
  for (const { version, errors } of sends) {
    const point = (status: number, count: number): object => ({
      startTimeUnixNano: `${nowMs - minuteMs}000000`,
      timeUnixNano: `${nowMs - 1}000000`,
      count: String(count),
      sum: 1,
      bucketCounts: [String(count)],
      explicitBounds: [],
      attributes: attributes({ 'http.response.status_code': status }),
    });
    const request = requestOf(
      [histogram([point(200, requests - errors), point(500, errors)], { temporality: DELTA })],
      {
        'service.name': 'checkout',
        'service.version': version,
        'service.instance.id': `pod of ${version}`,
        'deployment.environment.name': 'production',
      },
    );
    const lines = captured.get(house) ?? [];
    lines.push(new TextDecoder().decode(jsonOf(request)));
    captured.set(house, lines);
    const record = {
      key: new Uint8Array(),
      headers: [{ name: 'content-type', value: tools.text.encodeUtf8('application/x-protobuf') }],
      value: protobufOf(request),
    };
    value(await house.metrics.append(0, [record]));
  }
  await settled();
};

const passMinutes = async (
  house: AnalyserHouse,
  minutes: number,
  sends: readonly Sends[],
): Promise<void> => {
  for (let minute = 0; minute < minutes; minute += 1) await passMinute(house, sends);
};

const old = (errors: number): Sends => ({ version: '1.9.4', errors });
const fresh = (errors: number): Sends => ({ version: '2.0.0', errors });

/** The day before, as far as the samples tell it: an hour that became so much worse in its middle; or nothing. */
const houseAfterADay = async (
  dayBefore: readonly [first: number, second: number] | null,
  change: Partial<Policy> = {},
): Promise<{
  readonly house: AnalyserHouse;
  readonly analyser: ReturnType<AnalyserHouse['start']>;
}> => {
  const house = await buildAnalyserHouse({ ...policy, ...change });
  await house.say('admin', added(keyOf('analyser'), { roles: ['analyser'] }));
  await house.say('ci', logged('1.9.4'));
  if (dayBefore !== null) {
    const before = house.start();
    const beginsMs = house.clock.nowMs();
    await passMinutes(house, 36, [old(dayBefore[0])]);
    await passMinutes(house, 36, [old(dayBefore[1])]);
    await before.stop();
    await house.clock.advance(beginsMs + dayMs - house.clock.nowMs());
  }
  const analyser = house.start();
  await passMinutes(house, 36, [old(30)]);
  return { house, analyser };
};

const whole = planned('2.0.0', { attempt: 'run-1', strategy: 'rolling' });

const toldBy = async (house: AnalyserHouse): Promise<readonly string[]> =>
  (await house.decisions()).map(({ kind, mode }) => `${kind}, ${mode}`);

describe('a rolling rollout that fails six times as often', () => {
  const rollOut = async (
    dayBefore: readonly [number, number] | null,
    change: Partial<Policy> = {},
  ): Promise<AnalyserHouse> => {
    const { house, analyser } = await houseAfterADay(dayBefore, change);
    await house.say('ci', whole);
    await house.say('ci', started({ attempt: 'run-1' }));
    await passMinutes(house, 35, [fresh(180)]);
    await analyser.stop();
    return house;
  };

  test('is rolled back: what ran before is read from the samples and travels in the opening', async () => {
    const house = await rollOut([30, 30]);
    const [opening] = await openingsIn(house);
    expect(opening).toMatchObject({ comparison: 'before-after', canaryShare: null });
    const before = readBefore(opening?.before ?? '', policy.metrics);
    expect(before?.windows).toHaveLength(30);
    for (const [metric] of before?.windows ?? [])
      expect(metric).toMatchObject({ baseline: { total: requests, events: 30 } });
    expect(before?.season).toStrictEqual([1]);
    expect((await toldBy(house))[0]).toBe('roll-back, decide');
    expect(await house.deadLetters()).toStrictEqual([]);
  });

  test('is not, when the day before did the same at that time', async () => {
    const house = await rollOut([30, 180]);
    const [opening] = await openingsIn(house);
    const [errors] = readBefore(opening?.before ?? '', policy.metrics)?.season ?? [];
    expect(errors).toBeGreaterThan(5);
    expect(await toldBy(house)).not.toContainEqual(expect.stringMatching(/^roll-back/));
  });

  test('is told of as a dry run, when nobody knows what the day before did', async () => {
    const house = await rollOut(null);
    expect((await toldBy(house))[0]).toBe('roll-back, dry-run');
  });

  test('is not judged where the policy does not ask for it', async () => {
    const house = await rollOut(null, { rollouts: { beforeAfter: false, blueGreen: true } });
    expect(await openingsIn(house)).toStrictEqual([]);
    expect(await house.decisions()).toStrictEqual([]);
  });
});

describe('blue/green', () => {
  const blueGreen = planned('2.0.0', { attempt: 'run-1', strategy: 'blue-green' });

  test('the comparison begins when the traffic is shifted to the colour', async () => {
    const { house, analyser } = await houseAfterADay([30, 30]);
    await house.say('ci', blueGreen);
    await house.say('ci', started({ attempt: 'run-1' }));
    await passMinutes(house, 3, [old(30)]);
    expect(await openingsIn(house)).toStrictEqual([]);
    await house.say('ci', shifted({ attempt: 'run-1', canaryShare: 1, colour: 'green' }));
    await passMinutes(house, 33, [fresh(180)]);
    const [opening] = await openingsIn(house);
    expect(opening).toMatchObject({ comparison: 'colours', canaryShare: null });
    const [decision] = await house.decisions();
    expect(decision).toMatchObject({ kind: 'roll-back', mode: 'decide', toVersion: '1.9.4' });
    expect(decision?.explanation).toMatch(/not side by side/);
    await analyser.stop();
  });

  test('a colour that gets a part of the traffic is a canary, side by side', async () => {
    const { house, analyser } = await houseAfterADay(null);
    await house.say('ci', blueGreen);
    await house.say('ci', started({ attempt: 'run-1' }));
    await house.say('ci', shifted({ attempt: 'run-1', canaryShare: 0.5, colour: 'green' }));
    await passMinute(house, [old(30), fresh(30)]);
    expect(await openingsIn(house)).toMatchObject([{ comparison: 'concurrent', canaryShare: 0.5 }]);
    await analyser.stop();
  });
});

/** The captured lines judged as a backtest does, about what the analyser opened. */
const backtestOf = async (house: AnalyserHouse): Promise<Decided | null> => {
  const [opening] = await openingsIn(house);
  const lines = captured.get(house);
  if (opening === undefined || lines === undefined) throw new Error('nothing was opened');
  const setup: BacktestSetup = {
    ...{ audience: 'local', namespace: 'default', environment: 'production' },
    ...{ component: 'checkout', target: null, shares: [], ended: null, isByVersion: false },
    deployment: opening.deployment,
    canary: opening.canary,
    baseline: opening.baseline,
    sinceMs: opening.openedAt,
    comparison: opening.comparison as Comparison,
  };
  const learner = openBeforeLearner(policy, setup);
  const { add, close } = learner.openCapture();
  for (const line of lines) add(pointsIn(line));
  close();
  const before = learner.before();
  expect(beforeText(before)).toBe(opening.before);
  const placed = everywhere(policy);
  const how: Judging = { placed, noise: [], before, mayPromote: true, endMs: null };
  const backtest = openBacktest({ digest, partition: 0 }, setup, how);
  for (const [index, line] of lines.entries()) backtest.add(pointsIn(line), index + 1);
  backtest.finish();
  expect(backtest.weakness).toMatch(/not side by side/);
  return backtest.settled();
};

const digest = (text: string): string => tools.crypto.sha256Hex(tools.text.encodeUtf8(text));
const readTelemetry = openTelemetryReader();
const pointsIn = (line: string): readonly TelemetryPoint[] =>
  value(readTelemetry(Buffer.from(line), 'application/json', selectionOf([policy]))).points;

describe('a capture of it leads a backtest to the same decision, digit for digit', () => {
  const expectSame = async (house: AnalyserHouse): Promise<void> => {
    const [live] = await house.decisions();
    const told = await backtestOf(house);
    if (live === undefined || told === null) throw new Error('nothing was decided');
    // Where its samples stand, and which attempt it is about, a capture cannot tell.
    const { samplesFrom, samplesTo, samplesPartition, marker, analysis, ...same } = live;
    const { position, at, principal, key, note, renewal, deployment, attempt, slot, ...says } =
      same;
    expect(told).toMatchObject(says);
  };

  test.each([
    ['fails', 180, [30, 30]],
    ['is as good', 30, [30, 30]],
    ['fails, with no day before', 180, null],
  ] as const)('of a rolling rollout that %s', async (_how, errors, dayBefore) => {
    const { house, analyser } = await houseAfterADay(dayBefore);
    await house.say('ci', whole);
    await house.say('ci', started({ attempt: 'run-1' }));
    await passMinutes(house, 35, [fresh(errors)]);
    await analyser.stop();
    await expectSame(house);
  });

  test('which is none, where the day before failed alike', async () => {
    const { house, analyser } = await houseAfterADay([30, 180]);
    await house.say('ci', whole);
    await house.say('ci', started({ attempt: 'run-1' }));
    await passMinutes(house, 35, [fresh(180)]);
    await analyser.stop();
    expect((await house.decisions()).map(({ stage }) => stage)).toStrictEqual(['inconclusive']);
    expect(await backtestOf(house)).toBe(null);
  });

  test('of a switch of colours, side by side while both are served', async () => {
    const { house, analyser } = await houseAfterADay([30, 30]);
    await house.say('ci', planned('2.0.0', { attempt: 'run-1', strategy: 'blue-green' }));
    await house.say('ci', started({ attempt: 'run-1' }));
    await house.say('ci', shifted({ attempt: 'run-1', canaryShare: 1, colour: 'green' }));
    await passMinutes(house, 5, [fresh(180), old(60)]);
    await passMinutes(house, 30, [fresh(180)]);
    await analyser.stop();
    await expectSame(house);
  });
});
