import { describe, expect, test } from 'vitest';
import { presets } from '../../services/core/canary/policy/presets.ts';
import { isRenewal } from '../../services/core/canary/analysis/renewal.ts';
import type { DecisionRow } from '../../services/core/read-models.ts';
import type { JudgingNote } from '../../services/core/canary/analysis/judging-note.ts';
import { readJudgingNote } from '../../services/core/canary/analysis/judging-note.ts';
import type { AnalyserEvent } from '../../services/analyser/ports.ts';
import { canonicalJson } from '../../services/core/canonical.ts';
import { fail } from '../../services/core/result.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import { partitionOfKey, sampleKey } from '../../services/core/samples/key.ts';
import type { Sample } from '../../services/core/samples/sample.ts';
import { checkSample } from '../../services/core/samples/wire.ts';
import { buildAnalyserHouse, faulty } from '../support/analyser-house.ts';
import type { AnalyserHouse, Server } from '../support/analyser-house.ts';
import { fastPolicy } from '../support/canary/sample-streams.ts';
import { keyOf, tools } from '../support/given.ts';
import { keyState } from '../support/key-state.ts';
import {
  added,
  audience,
  compromised,
  failed,
  logged,
  place,
  planned,
  policySet,
  retired,
  run,
  shifted,
  started,
  succeeded,
} from '../support/markers.ts';
import { CHECKOUT, goodPoint, histogram, jsonOf, requestOf } from '../support/otlp/requests.ts';
import { value } from '../support/records.ts';

const componentName = 'service.name';

const canaryPlan = planned('2.0.0', { canaryShare: 0.5, attempt: 'run-1' });

const server = (change: Partial<Server>): Server => ({
  name: 'baseline',
  version: '1.9.4',
  requests: 500,
  errors: 0,
  fromMs: 0,
  ...change,
});

/** 1.9.4 holds the slot and serves; the analyser's key is trusted. */
const servingHouse = async (): Promise<AnalyserHouse> => {
  const house = await buildAnalyserHouse(fastPolicy);
  await house.say('admin', added(keyOf('analyser'), { roles: ['analyser'] }));
  await house.say('ci', logged('1.9.4'));
  house.servers.push(server({}));
  return house;
};

const deployCanary = async (house: AnalyserHouse, errors: number): Promise<void> => {
  await house.say('ci', canaryPlan);
  await house.say('ci', started({ attempt: 'run-1' }));
  const fromMs = house.sinceOpeningMs() + 300;
  house.servers.push(server({ name: 'canary', version: '2.0.0', errors, fromMs }));
};

/** One policy for all places, of seconds instead of minutes. */
const documentOf = (change: { readonly [setting: string]: string }): string =>
  canonicalJson({
    version: 2,
    policies: [
      {
        component: '*',
        environment: '*',
        preset: 'standard',
        'warm-up': '2s',
        soak: '6s',
        judging: { window: '1s', block: '3s', 'no-data': '8s' },
        ...change,
      },
    ],
  });

const kindsOn = async (house: AnalyserHouse): Promise<readonly string[]> =>
  (await house.decisions()).map(({ kind, note }) => `${kind} ${note}`);

test('a canary that fails more often is rolled back by a signed decision on the log', async () => {
  const house = await servingHouse();
  const analyser = house.start();
  await house.pass(2_000);
  await deployCanary(house, 100);
  await house.pass(40_000);

  expect(await kindsOn(house)).toStrictEqual(['roll-back applied']);
  const [decision] = await house.decisions();
  expect(decision).toMatchObject({
    deployment: run('7'),
    attempt: 1,
    principal: 'analyser',
    verdict: 'fail',
    fromVersion: '2.0.0',
    toVersion: '1.9.4',
    windowMs: 1_000,
  });
  expect(await house.deadLetters()).toStrictEqual([]);
  const status = analyser.status();
  expect(status.state).toBe('running');
  expect(status.rejected).toStrictEqual({ telemetry: {}, samples: {} });
  expect(status.decisions).toHaveLength(1);
  expect(status.parts.map(({ part, state, problem }) => [part, state, problem])).toStrictEqual([
    ['samples', 'following', null],
    ['log', 'following', null],
    ['telemetry', 'following', null],
  ]);
  await analyser.stop();
  expect(analyser.status().state).toBe('stopped');
});

test('a canary as good as its baseline is promoted, and its end ends the analysis', async () => {
  const house = await servingHouse();
  const analyser = house.start();
  await deployCanary(house, 0);
  await house.pass(58_000);
  expect(await kindsOn(house)).toStrictEqual(['promote applied']);
  expect(analyser.status().analyses).toHaveLength(1);
  await house.say('ci', succeeded({ attempt: 'run-1' }));
  await house.pass(1_000);
  expect(analyser.status().analyses).toStrictEqual([]);
  await analyser.stop();
});

test('a roll-back that stands is renewed by ticks alone; of what was missed only the newest is said', async () => {
  const house = await servingHouse();
  const first = house.start();
  await deployCanary(house, 100);
  await house.pass(30_000);
  await first.stop();
  house.servers.length = 0;
  await house.pass(20 * 60_000);
  const second = house.start();
  await house.pass(20_000);
  expect(await kindsOn(house)).toStrictEqual(['roll-back applied', 'roll-back repeat']);
  const [standing, renewal] = await house.decisions();
  expect(standing?.renewal).toMatchObject({ position: renewal?.position });
  expect(second.status().decisions).toHaveLength(1);
  await house.pass(4 * 60_000);
  expect(await kindsOn(house)).toHaveLength(3);
  await second.stop();
});

describe('what is not analysed', () => {
  test.each([
    ['a deployment that is no canary', planned('2.0.0', { attempt: 'run-1' })],
    [
      'a canary where nothing stood before',
      planned('2.0.0', { attempt: 'run-1', canaryShare: 0.5, slot: place('staging') }),
    ],
  ])('%s', async (_name, plan) => {
    const house = await servingHouse();
    const analyser = house.start();
    await house.say('ci', plan);
    await house.say('ci', started({ attempt: 'run-1' }));
    await house.pass(3_000);
    expect(analyser.status().analyses).toStrictEqual([]);
    await analyser.stop();
  });
});

test('a strategy of that name makes a canary, a shift of traffic as well', async () => {
  for (const [plan, later] of [
    [planned('2.0.0', { attempt: 'run-1', strategy: 'canary' }), undefined],
    [planned('2.0.0', { attempt: 'run-1' }), shifted({ attempt: 'run-1', canaryShare: 0.2 })],
  ] as const) {
    const house = await servingHouse();
    const analyser = house.start();
    await house.say('ci', plan);
    await house.say('ci', started({ attempt: 'run-1' }));
    if (later !== undefined) await house.say('ci', later);
    await house.pass(500);
    expect(analyser.status().analyses).toHaveLength(1);
    await analyser.stop();
  }
});

const saidAs = (decision: DecisionRow): string =>
  `${decision.kind}: ${decision.reason}${isRenewal(decision) ? ', again' : ''}`;

test('silence of both is held as inconclusive, moved on by ticks alone', async () => {
  const house = await servingHouse();
  house.servers.length = 0;
  const analyser = house.start();
  await house.say('ci', canaryPlan);
  await house.say('ci', started({ attempt: 'run-1' }));
  await house.pass(70_000);
  expect((await house.decisions()).map(saidAs)).toStrictEqual([
    'hold: no-data',
    // Half a minute later, while it lasts.
    'hold: no-data, again',
    'hold: deadline',
  ]);
  await analyser.stop();
});

test.each([-600_000, 5_000])(
  'a clock that is set by %i ms stops no analysis, and makes no evidence',
  async (stepMs) => {
    const house = await servingHouse();
    house.servers.length = 0;
    let isSet = false;
    const nowMs = (): number => house.clock.nowMs() + (isSet ? stepMs : 0);
    const analyser = house.start({ clock: { nowMs, sleep: house.clock.sleep } });
    await house.say('ci', canaryPlan);
    await house.say('ci', started({ attempt: 'run-1' }));
    await house.pass(17_000);
    isSet = true;
    await house.pass(90_000);
    expect((await house.decisions()).map(saidAs)).toStrictEqual([
      'hold: no-data',
      'hold: no-data, again',
      'hold: deadline',
    ]);
    await analyser.stop();
  },
);

test('a retried attempt is judged anew', async () => {
  const house = await servingHouse();
  const analyser = house.start();
  await deployCanary(house, 100);
  await house.pass(30_000);
  expect(await kindsOn(house)).toStrictEqual(['roll-back applied']);
  await house.say('ci', failed({ attempt: 'run-1' }));
  house.servers.length = 1;
  await house.say('ci', planned('2.0.1', { canaryShare: 0.5, attempt: 'run-2' }));
  await house.say('ci', started({ attempt: 'run-2' }));
  house.servers.push(server({ name: 'again', version: '2.0.1', fromMs: house.sinceOpeningMs() }));
  await house.pass(58_000);
  const decisions = await house.decisions();
  expect(decisions.map(({ kind, attempt }) => [kind, attempt])).toStrictEqual([
    ['roll-back', 1],
    ['promote', 2],
  ]);
  await analyser.stop();
});

describe('a retry of the same artifacts', () => {
  const digest = (name: string): string => `sha256:${name.repeat(64)}`;
  const retried = async (
    canaryDigest: string | null,
    restart: boolean,
  ): Promise<{ readonly house: AnalyserHouse; readonly attempts: readonly unknown[] }> => {
    const house = await buildAnalyserHouse(fastPolicy);
    await house.say('admin', added(keyOf('analyser'), { roles: ['analyser'] }));
    await house.say('ci', logged('1.9.4', { digest: digest('b') }));
    house.servers.push(server({}));
    let analyser = house.start();
    for (const attempt of ['run-1', 'run-2']) {
      const artifact = { canaryShare: 0.5, attempt, digest: canaryDigest };
      await house.say('ci', planned('2.0.0', artifact));
      await house.say('ci', started({ attempt }));
      const errors = attempt === 'run-1' ? 100 : 0;
      const fromMs = house.sinceOpeningMs() + 300;
      house.servers.push(server({ name: attempt, version: '2.0.0', errors, fromMs }));
      await house.pass(40_000);
      house.servers.length = 1;
      await house.say('ci', failed({ attempt }));
      await house.pass(restart ? 2_000 : 0);
      if (!restart) continue;
      await analyser.stop();
      analyser = house.start();
    }
    await analyser.stop();
    const attempts = house.events.flatMap((event) =>
      event.event === 'analysis-opened'
        ? [[event.carriedFrom !== null, event.independentAttempts]]
        : [],
    );
    return { house, attempts };
  };

  test.each([false, true])(
    'goes on from the evidence of the attempt that failed, analysers restarted between them: %s',
    async (restart) => {
      const { house, attempts } = await retried(digest('a'), restart);
      expect(attempts).toStrictEqual([
        [false, 1],
        [true, 1],
      ]);
      const decisions = await house.decisions();
      expect(decisions.map(({ kind, attempt }) => [kind, attempt])).toStrictEqual([
        ['roll-back', 1],
        ['roll-back', 2],
      ]);
      expect(decisions[1]?.carriedFrom).toBe(decisions[0]?.analysis);
    },
  );

  test('that nobody knows by their digests is judged from nothing, with half the budget', async () => {
    const { house, attempts } = await retried(null, false);
    expect(attempts).toStrictEqual([
      [false, 1],
      [false, 2],
    ]);
    expect((await house.decisions()).map(({ kind }) => kind)).toStrictEqual([
      'roll-back',
      'promote',
    ]);
  });
});

describe('policies on the log', () => {
  const operator = added(keyOf('ops'), { roles: ['operator'] });

  test('are those that canaries are judged by which begin from then on', async () => {
    const house = await servingHouse();
    await house.say('admin', operator);
    await house.say('ops', policySet(documentOf({ act: 'dry-run' })));
    const analyser = house.start({ policyFile: null });
    await deployCanary(house, 100);
    await house.pass(40_000);
    await analyser.stop();
    expect(await house.decisions()).toMatchObject([
      { kind: 'roll-back', mode: 'dry-run', windowMs: 1_000 },
    ]);
  });

  test('that this release cannot read let nothing begin, and what goes on is obeyed', async () => {
    const house = await servingHouse();
    await house.say('admin', operator);
    const first = house.start();
    await deployCanary(house, 0);
    await house.pass(2_000);
    await first.stop();
    await house.say('ops', policySet('{"policies":[],"version":99}'));
    const analyser = house.start({ policyFile: null });
    await house.pass(2_000);
    expect(analyser.status().analyses).toHaveLength(1);
    await house.say('ci', failed({ attempt: 'run-1' }));
    await house.say('ci', planned('2.0.1', { canaryShare: 0.5, attempt: 'run-2' }));
    await house.say('ci', started({ attempt: 'run-2' }));
    await house.pass(3_000);
    expect(analyser.status().analyses).toStrictEqual([]);
    expect(house.events.at(-1)).toMatchObject({
      event: 'part-stopped',
      part: 'log',
      message: expect.stringContaining('not for this release') as string,
    });
    await analyser.stop();
  });
});

describe('trust', () => {
  test('nothing is signed before the log trusts the key', async () => {
    const house = await buildAnalyserHouse(fastPolicy);
    await house.say('ci', logged('1.9.4'));
    const analyser = house.start();
    await deployCanary(house, 0);
    await house.pass(4_000);
    expect(analyser.status().state).toBe('waiting-for-key');
    // The log may have been made a moment ago, and its keys not folded yet.
    expect(house.events).toStrictEqual([]);
    await house.pass(2_000);
    expect(house.events.map(({ event }) => event)).toStrictEqual(['key-untrusted']);
    await house.say('admin', added(keyOf('analyser'), { roles: ['analyser'] }));
    await house.pass(2_000);
    expect(analyser.status()).toMatchObject({ state: 'running', analyses: [{ attempt: 1 }] });
    await analyser.stop();
  });

  test('a key that was found compromised starts nothing', async () => {
    const house = await servingHouse();
    await house.say('admin', compromised(keyOf('analyser'), 0));
    const analyser = house.start();
    await house.pass(1_000);
    expect(analyser.status().state).toBe('waiting-for-key');
    await analyser.stop();
  });

  test('a key that is retired while it works is told, once', async () => {
    const house = await servingHouse();
    const analyser = house.start();
    await house.pass(11_000);
    const told = (): readonly string[] =>
      house.events.map(({ event }) => event).filter((event) => event !== 'taken-over');
    expect(told()).toStrictEqual(['started']);
    await house.say('admin', retired(keyOf('analyser')));
    await house.pass(31_000);
    expect(told()).toStrictEqual(['started', 'key-untrusted']);
    expect(analyser.status().state).toBe('waiting-for-key');
    await analyser.stop();
  });

  test('samples of a key that was found compromised are counted and not used', async () => {
    const house = await servingHouse();
    const analyser = house.start();
    await house.say('ci', canaryPlan);
    await house.pass(1_000);
    await house.say('admin', compromised(keyOf('analyser'), 0));
    await house.pass(3_000);
    await house.say('ci', started({ attempt: 'run-1' }));
    await house.pass(2_000);
    expect(analyser.status().analyses).toStrictEqual([]);
    expect(analyser.status().rejected.samples['key-compromised']).toBeGreaterThan(0);
    await analyser.stop();
  });
});

test('telemetry that cannot be read is counted by code and stops nothing', async () => {
  const house = await servingHouse();
  const analyser = house.start();
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const { [componentName]: _unsaid, ...nobody } = CHECKOUT;
  await house.metrics.append(0, [
    { key: bytes(''), headers: [], value: jsonOf(requestOf([histogram([goodPoint])], nobody)) },
    { key: bytes(''), headers: [], value: bytes('{"resourceMetrics":') },
    {
      key: bytes(''),
      headers: [{ name: 'content-type', value: bytes('text/html') }],
      value: bytes('<p>'),
    },
  ]);
  await deployCanary(house, 100);
  await house.pass(30_000);
  expect(analyser.status().rejected.telemetry).toStrictEqual({
    'content-type-unknown': 1,
    'otlp-malformed': 1,
    'service-name-missing': 1,
  });
  expect(await kindsOn(house)).toStrictEqual(['roll-back applied']);
  await analyser.stop();
});

test('a hold where a cohort is silent says what came instead', async () => {
  const house = await servingHouse();
  const analyser = house.start();
  await house.say('ci', canaryPlan);
  await house.say('ci', started({ attempt: 'run-1' }));
  const fromMs = house.sinceOpeningMs() + 300;
  house.servers.push(server({ name: 'canary', version: '2.0.0-rc', fromMs }));
  await house.pass(70_000);
  const [hold] = await house.decisions();
  expect(hold).toMatchObject({
    kind: 'hold',
    reason: 'no-data',
    explanation: expect.stringMatching(/\. Points that are no evidence: other-version \d+$/),
  });
  await analyser.stop();
});

test('points that are no evidence are told while somebody waits for evidence, once a minute', async () => {
  const house = await servingHouse();
  const analyser = house.start();
  await house.pass(5_000);
  house.servers.push(server({ name: 'wrong', version: '9.9.9' }));
  await house.pass(5_000);
  const excluded = (): readonly AnalyserEvent[] =>
    house.events.filter(({ event }) => event === 'excluded');
  expect(excluded()).toEqual([]);
  await house.say('ci', canaryPlan);
  await house.say('ci', started({ attempt: 'run-1' }));
  await house.pass(30_000);
  expect(excluded()).toMatchObject([{ points: { 'other-version': expect.any(Number) } }]);
  await house.pass(25_000);
  expect(excluded()).toHaveLength(1);
  await analyser.stop();
});

test('a metric that nobody sends is told of once, when the warm-up is over', async () => {
  const [errors] = fastPolicy.metrics;
  const typo = presets.standard.metrics.flatMap((metric) =>
    metric.judged === 'level'
      ? [{ ...metric, id: 'heap', source: { names: ['jvm.memory.usd'], where: [] } }]
      : [],
  );
  const metrics = [errors, typo[0]].flatMap((metric) => metric ?? []);
  const house = await buildAnalyserHouse({ ...fastPolicy, metrics });
  await house.say('admin', added(keyOf('analyser'), { roles: ['analyser'] }));
  await house.say('ci', logged('1.9.4'));
  house.servers.push(server({}));
  const analyser = house.start();
  const unsent = (): readonly AnalyserEvent[] =>
    house.events.filter(({ event }) => event === 'metric-unsent');
  await deployCanary(house, 0);
  await house.pass(5_000);
  expect(unsent()).toEqual([]);
  await house.pass(25_000);
  expect(unsent()).toMatchObject([
    { metrics: [{ id: 'heap', critical: false, names: ['jvm.memory.usd'] }] },
  ]);
  await analyser.stop();
});

test('how a canary stands is left beside the read models while it is judged, and taken away behind it', async () => {
  const house = await servingHouse();
  const notes = async (): Promise<readonly (JudgingNote | undefined)[]> =>
    value(await house.store.aside.scan({ prefix: 'judging/', rowsMax: 10 })).map(
      ({ value: text }) => readJudgingNote(text),
    );
  const analyser = house.start();
  await house.say('ci', canaryPlan);
  await house.say('ci', started({ attempt: 'run-1' }));
  await house.pass(15_000);
  const [note, ...others] = await notes();
  expect(others).toStrictEqual([]);
  expect(note).toMatchObject({ version: '2.0.0', attempt: 1, slot: { component: 'checkout' } });
  expect(house.clock.nowMs() - (note?.atMs ?? 0)).toBeLessThanOrEqual(11_000);
  const died = JSON.stringify({ ...note, atMs: house.clock.nowMs() - 90_000_000 });
  value(await house.store.aside.write([{ key: 'judging/of another', value: died }]));
  await house.say('ci', succeeded({ attempt: 'run-1' }));
  await house.pass(15_000);
  await analyser.stop();
  expect(await notes()).toHaveLength(1);
  // What a process left that was killed goes with the next one.
  const next = house.start();
  await house.pass(2_000);
  await next.stop();
  expect(await notes()).toStrictEqual([]);
});

test('an opening that lay too long before it was appended is refused by name, and made anew', async () => {
  const house = await buildAnalyserHouse(fastPolicy);
  await house.say('admin', added(keyOf('analyser'), { roles: ['analyser'] }));
  await house.say('ci', logged('1.9.4'));
  let isDown = true;
  const down = fail({ code: 'unreachable', message: 'the samples are away' } as const);
  const samples: RecordLog = {
    ...house.samples,
    append: async (...given) => (isDown ? down : house.samples.append(...given)),
  };
  const analyser = house.start({ samples });
  await house.pass(1_000);
  await house.say('ci', canaryPlan);
  await house.say('ci', started({ attempt: 'run-1' }));
  // Ten minutes are what an opening may be old.
  await house.pass(11 * 60_000);
  isDown = false;
  await house.pass(20_000);
  const told = (name: AnalyserEvent['event']): readonly AnalyserEvent[] =>
    house.events.filter(({ event }) => event === name);
  expect(told('opening-refused')).toMatchObject([{ why: 'opened-late' }]);
  const [analysis] = analyser.status().analyses;
  expect(analysis?.openedAtMs).toBeGreaterThan(house.clock.nowMs() - 30_000);
  expect(told('analysis-opened')).toHaveLength(2);
  await analyser.stop();
});

test('of two analysers one works, and the other takes over by itself', async () => {
  const house = await servingHouse();
  const first = house.start();
  const second = house.start();
  await deployCanary(house, 100);
  await house.pass(3_000);
  expect(second.status().analyses).toStrictEqual([]);
  await first.stop();
  await house.pass(30_000);
  expect(await kindsOn(house)).toStrictEqual(['roll-back applied']);
  expect(second.status().analyses).toHaveLength(1);
  await second.stop();
});

describe('what stands in samples', () => {
  const samplesOf = async (house: AnalyserHouse): Promise<readonly Sample[]> => {
    const found: Sample[] = [];
    const keys = new Map([[keyOf('analyser').keyId, keyState(keyOf('analyser'))]]);
    for (let partition = 0; partition < house.samples.partitions; partition++)
      for (const record of value(await house.samples.read(partition, 0, 10_000))) {
        const sample = value(checkSample(tools, audience, keys, record));
        expect(partitionOfKey(sampleKey(sample), house.samples.partitions)).toBe(partition);
        found.push(sample);
      }
    return found;
  };

  test('is signed, in the partition of its key, and copies what the log says', async () => {
    const house = await servingHouse();
    const analyser = house.start();
    await deployCanary(house, 100);
    await house.say('ci', shifted({ attempt: 'run-1', canaryShare: 0.3 }));
    await house.pass(30_000);
    await house.say('ci', failed({ attempt: 'run-1' }));
    await house.pass(200);
    await analyser.stop();
    const samples = await samplesOf(house);
    expect(samples.filter(({ kind }) => kind === 'analysis-opened')).toHaveLength(1);
    expect(
      samples.flatMap((sample) =>
        sample.kind === 'copy' ? [[sample.fact, sample.canaryShare]] : [],
      ),
    ).toStrictEqual([
      ['traffic-shifted', 0.3],
      ['roll-back', null],
      ['failed', null],
    ]);
  });

  test('carries the append time of the telemetry, not the time of whoever counted', async () => {
    const house = await servingHouse();
    house.servers.push(server({ name: 'ahead', aheadMs: 700 }));
    const analyser = house.start();
    await house.pass(5_000);
    await analyser.stop();
    const ahead = (await samplesOf(house)).flatMap((sample) =>
      sample.kind === 'points'
        ? sample.points.map(({ time, receivedAt }) => time - receivedAt)
        : [],
    );
    expect(new Set(ahead)).toStrictEqual(new Set([0, 700]));
  });

  test('is a tick a window where nothing came, but not before others had time to bring it', async () => {
    const house = await servingHouse();
    house.servers.length = 0;
    const analyser = house.start();
    await house.pass(1_000);
    await house.say('ci', canaryPlan);
    await house.say('ci', started({ attempt: 'run-1' }));
    const ticks = async (): Promise<number> =>
      (await samplesOf(house)).filter(({ kind }) => kind === 'tick').length;
    await house.pass(13_500);
    expect(await ticks()).toBe(0);
    await house.pass(10_000);
    expect(await ticks()).toBeGreaterThanOrEqual(8);
    expect(await ticks()).toBeLessThanOrEqual(11);
    await analyser.stop();
  });
});

describe('an outage', () => {
  test('of the analyser that is longer than it remembers an analysis ends in its decision', async () => {
    const house = await servingHouse();
    const analyser = house.start();
    await deployCanary(house, 0);
    await house.pass(5_000);
    await analyser.stop();
    await house.clock.advance(3 * 86_400_000);
    const next = house.start();
    await house.pass(20_000);
    expect((await house.decisions()).map(({ kind, attempt }) => [kind, attempt])).toStrictEqual([
      ['hold', 1],
      ['hold', 1],
    ]);
    expect(next.status().parts.map(({ problem }) => problem)).toStrictEqual([null, null, null]);
    await next.stop();
  });

  test('of the logs delays, and doubles nothing', async () => {
    const house = await servingHouse();
    const analyser = house.start({
      samples: faulty(house.samples, ['unreachable', 'unknown', 'unknown', 'unreachable']),
      log: faulty(house.log, ['unreachable', 'unknown']),
    });
    await deployCanary(house, 100);
    await house.pass(35_000);
    await analyser.stop();
    expect(await kindsOn(house)).toStrictEqual(['roll-back applied']);
    expect(house.events.filter(({ event }) => event === 'part-stopped')).toStrictEqual([]);
  });

  test('of the read models just after the start loses no sample', async () => {
    const house = await servingHouse();
    let isAway = false;
    const analyser = house.start({
      store: {
        ...house.store,
        scan: async (...asked) =>
          isAway ? fail({ code: 'unreachable', message: 'away' }) : house.store.scan(...asked),
      },
      tell: ({ event }) => {
        if (event === 'started') isAway = true;
      },
    });
    await house.pass(500);
    await deployCanary(house, 100);
    await house.pass(1_000);
    isAway = false;
    await house.pass(40_000);
    expect(await kindsOn(house)).toStrictEqual(['roll-back applied']);
    expect(analyser.status().rejected.samples).toStrictEqual({});
    await analyser.stop();
  });

  test('that lets no time pass is told once', async () => {
    const house = await servingHouse();
    house.servers.length = 0;
    let isFull = false;
    const analyser = house.start({
      samples: {
        ...house.samples,
        append: async (...given) =>
          isFull ? fail({ code: 'refused', message: 'disk full' }) : house.samples.append(...given),
      },
    });
    await house.say('ci', canaryPlan);
    await house.say('ci', started({ attempt: 'run-1' }));
    await house.pass(17_000);
    isFull = true;
    await house.pass(10_000);
    const told = house.events.filter(({ event }) => event === 'part-stopped');
    expect(told).toMatchObject([
      { part: 'samples', message: expect.stringContaining('disk full') as unknown },
    ]);
    await analyser.stop();
  });

  test('that ends a part is told, and the part begins again where it was', async () => {
    const house = await servingHouse();
    house.servers.length = 0;
    await house.say('ci', canaryPlan);
    await house.say('ci', started({ attempt: 'run-1' }));
    const analyser = house.start({ samples: faulty(house.samples, ['refused']) });
    await house.pass(2_000);
    expect(house.events).toContainEqual(
      expect.objectContaining({ event: 'part-stopped', part: 'log', retryInMs: 200 }),
    );
    expect(analyser.status().analyses).toHaveLength(1);
    expect(analyser.status().parts).toMatchObject([
      { part: 'samples' },
      { part: 'log', state: 'following', problem: expect.stringContaining('refused') as string },
      { part: 'telemetry' },
    ]);
    await analyser.stop();
  });

  test('of the projector stops the openings, and not for good', async () => {
    const house = await servingHouse();
    const analyser = house.start();
    const resume = house.pauseProjector();
    await deployCanary(house, 100);
    await house.pass(30_000);
    expect(analyser.status().analyses).toStrictEqual([]);
    expect(house.events.at(-1)).toMatchObject({ event: 'part-stopped', part: 'log' });
    resume();
    await house.pass(40_000);
    expect(await kindsOn(house)).toStrictEqual(['roll-back applied']);
    await analyser.stop();
  });
});
