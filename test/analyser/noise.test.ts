import { beforeAll, describe, expect, test } from 'vitest';
import { keepNoise, noiseMsMax, openNoiseFor } from '../../services/analyser/noise-kept.ts';
import type { KnownNoise } from '../../services/analyser/noise-kept.ts';
import { noisePace } from '../../services/analyser/paces.ts';
import { keepNoiseFresh, nextNightMs } from '../../services/analyser/noise-refresh.ts';
import type { NoiseRefresh } from '../../services/analyser/noise-refresh.ts';
import type { AnalyserPorts } from '../../services/analyser/ports.ts';
import { openTrustedKeys } from '../../services/analyser/trusted-keys.ts';
import type { OnBehalf } from '../../services/core/canary/policy/policy.ts';
import { onBehalfSource } from '../../services/core/trust/on-behalf.ts';
import type { Noise } from '../../services/core/canary/judge/noise.ts';
import { presets } from '../../services/core/canary/policy/presets.ts';
import { partitionOfKey, sampleKey } from '../../services/core/samples/key.ts';
import type { Sample } from '../../services/core/samples/sample.ts';
import { checkSample, signSample } from '../../services/core/samples/wire.ts';
import { buildAnalyserHouse, settled } from '../support/analyser-house.ts';
import type { AnalyserHouse } from '../support/analyser-house.ts';
import { cut, exportsOf, fastPolicy } from '../support/canary/sample-streams.ts';
import type { Pod } from '../support/canary/sample-streams.ts';
import { recordsOf } from '../support/canary/undisturbed.ts';
import { keyState } from '../support/key-state.ts';
import { keyOf, tools } from '../support/given.ts';
import {
  added,
  audience,
  compromised,
  failed,
  logged,
  planned,
  retired,
  started,
} from '../support/markers.ts';
import { value } from '../support/records.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const { metrics } = presets.standard;
const place = { environment: 'production', component: 'checkout' };
const asked = { ...place, policy: presets.standard };
const signer = keyOf('analyser');
const measured: Noise = [
  { id: 'errors', judged: 'errors', phi: 3.5, batches: 100, note: 'measured' },
];

const house = async (): Promise<AnalyserHouse> => {
  const built = await buildAnalyserHouse(fastPolicy);
  await built.say('admin', added(signer, { roles: ['analyser'] }));
  await built.say('ci', logged('1.9.4'));
  return built;
};

describe('what was learned', () => {
  const keepIn = async (
    { ports }: AnalyserHouse,
    noise: Noise,
    change: Partial<AnalyserPorts> = {},
  ): Promise<void> =>
    keepNoise({ ...ports, ...change }, openTrustedKeys(ports), place, metrics, noise);
  const knownIn = (
    { ports }: AnalyserHouse,
    change: Partial<AnalyserPorts> = {},
    what = asked,
  ): Promise<KnownNoise> => {
    const at = { ...ports, ...change };
    return openNoiseFor(at, openTrustedKeys(at))(what);
  };
  const after = ({ clock }: AnalyserHouse, ms: number): Partial<AnalyserPorts> => ({
    clock: { ...clock, nowMs: () => clock.nowMs() + ms },
  });

  test('is known to whoever opens an analysis, with its age', async () => {
    const built = await house();
    await keepIn(built, measured);
    expect(await knownIn(built, after(built, hourMs))).toStrictEqual({
      noise: measured,
      ageMs: hourMs,
    });
  });

  test('is not known when it is too old, of another component, or never was', async () => {
    const built = await house();
    const nothing = { noise: [], ageMs: null };
    expect(await knownIn(built)).toStrictEqual(nothing);
    await keepIn(built, measured);
    expect((await knownIn(built, after(built, noiseMsMax))).ageMs).toBe(noiseMsMax);
    expect(await knownIn(built, after(built, noiseMsMax + 1))).toStrictEqual(nothing);
    expect(await knownIn(built, {}, { ...asked, component: 'basket' })).toStrictEqual(nothing);
  });

  test('is of the metric as it was made then', async () => {
    const built = await house();
    await keepIn(built, measured);
    const [errors, ...others] = metrics;
    if (errors === undefined) throw new Error('no metrics');
    const source = { ...errors.source, names: ['other.duration'] };
    const policy = { ...presets.standard, metrics: [{ ...errors, source }, ...others] };
    expect((await knownIn(built, {}, { ...asked, policy })).noise).toStrictEqual([]);
    // What is judged too much makes no difference to how it scatters.
    const weighty = { ...presets.standard, metrics: [{ ...errors, weight: 0.9 }, ...others] };
    expect((await knownIn(built, {}, { ...asked, policy: weighty })).noise).toStrictEqual(measured);
  });

  test('stays where a later night could not measure it, and grows old', async () => {
    const built = await house();
    await keepIn(built, measured);
    const traffic: Noise = [
      { id: 'traffic', judged: 'traffic', phi: 2.5, batches: 90, note: 'measured' },
      { id: 'errors', judged: 'errors', phi: 2, batches: 0, note: 'unknown' },
    ];
    await keepIn(built, traffic, after(built, dayMs));
    expect(await knownIn(built, after(built, dayMs))).toStrictEqual({
      noise: [...measured, ...traffic.slice(0, 1)],
      ageMs: dayMs,
    });
  });

  test('is not believed to a store, nor to a key that has ended; a store that is away is no noise', async () => {
    const built = await house();
    await keepIn(built, measured);
    const [entry] = value(await built.store.aside.scan({ prefix: 'noise/', rowsMax: 10 })).slice(1);
    if (entry === undefined) throw new Error('nothing was kept');
    const louder = entry.value.replace('3.5', '9.5');
    expect(louder).not.toBe(entry.value);
    value(await built.store.aside.write([{ key: entry.key, value: louder }]));
    expect(await knownIn(built)).toStrictEqual({ noise: [], ageMs: null });
    value(await built.store.aside.write([entry]));
    expect((await knownIn(built)).noise).toStrictEqual(measured);
    const away: AnalyserPorts['store'] = {
      ...built.store,
      aside: { ...built.store.aside, read: async () => Promise.reject(new Error('away')) },
    };
    expect(await knownIn(built, { store: away })).toStrictEqual({ noise: [], ageMs: null });
    await built.say('admin', compromised(signer, 0));
    expect(await knownIn(built)).toStrictEqual({ noise: [], ageMs: null });
  });
});

test('a night comes once a day', () => {
  const atMsOfDay = 2 * hourMs;
  const midnight = 20_000 * dayMs;
  expect(nextNightMs(midnight, atMsOfDay)).toBe(midnight + atMsOfDay);
  expect(nextNightMs(midnight + atMsOfDay, atMsOfDay)).toBe(midnight + dayMs + atMsOfDay);
  expect(nextNightMs(midnight + 1.5 * hourMs, atMsOfDay)).toBe(midnight + dayMs + atMsOfDay);
  expect(nextNightMs(midnight + 23 * hourMs, atMsOfDay)).toBe(midnight + dayMs + atMsOfDay);
});

describe('at night', () => {
  const partition = partitionOfKey(sampleKey(place), 12);
  const pod = (name: string, errors: (index: number) => number): Pod => ({
    name,
    version: '1.9.4',
    temporality: 'cumulative',
    startMs: -hourMs,
    exportEveryMs: 60_000,
    firstExportMs: 0,
    lastExportMs: 8 * hourMs,
    traffic: (index) => [1_000, errors(index)],
  });
  /** Eight hours of four servers, as records whose times are those of the house. */
  const history = async (
    built: AnalyserHouse,
    versions: readonly string[] = ['1.9.4'],
  ): Promise<void> => {
    const nowMs = built.clock.nowMs();
    const shiftMs = nowMs - 8 * hourMs - 1_800_000_000_000;
    const pods = versions.flatMap((version) =>
      ['a', 'b', 'c', 'd'].map((name, at) => ({
        ...pod(`${name} ${version}`, (index) => ((index + at * 7) % 29 === 0 ? 290 : 0)),
        version,
      })),
    );
    for (const sample of cut(exportsOf(pods), [100])) {
      const points = sample.points.map((point) => ({
        ...point,
        receivedAt: point.receivedAt + shiftMs,
        start: point.start + shiftMs,
        time: point.time + shiftMs,
      }));
      const said: Sample = { ...sample, points };
      value(
        await built.samples.append(partition, [
          await signSample(tools.codec, tools.text, said, signer),
        ]),
      );
    }
  };

  const refresh: NoiseRefresh = {
    owned: () => [partition],
    isBusy: () => false,
    policyFor: async () => presets.standard,
  };
  const nights = async (
    built: AnalyserHouse,
    looks: number,
    change: Partial<NoiseRefresh> = {},
    ports: Partial<AnalyserPorts> = {},
  ): Promise<void> => {
    const stop = new AbortController();
    const at = { ...built.ports, ...ports };
    const over = keepNoiseFresh(at, stop.signal, openTrustedKeys(at), { ...refresh, ...change });
    for (let look = 0; look < looks; look++) {
      await built.clock.advance(noisePace.lookEveryMs);
      for (let turn = 0; turn < 60; turn++) {
        await settled();
        await built.clock.advance(20);
      }
    }
    stop.abort();
    await over;
  };
  const known = ({ ports }: AnalyserHouse): Promise<KnownNoise> =>
    openNoiseFor(ports, openTrustedKeys(ports))(asked);

  let built: AnalyserHouse;
  beforeAll(async () => {
    built = await house();
    await history(built);
  });

  test('what clusters in the samples is learned, once', async () => {
    await nights(built, 3);
    const { noise } = await known(built);
    expect(noise.map(({ id, note }) => `${id} ${note}`)).toStrictEqual([
      'errors measured',
      'traffic measured',
    ]);
    const [errors] = noise;
    expect(errors?.judged === 'errors' ? errors.phi : 0).toBeGreaterThan(5);
    expect(built.events.filter(({ event }) => event === 'noise-learned')).toStrictEqual([
      { event: 'noise-learned', ...place, batches: expect.any(Number) },
    ]);
  });

  test('and it stands in the opening of the next analysis, with its age', async () => {
    const analyser = built.start();
    await built.pass(1_000);
    await built.say('ci', planned('2.0.0', { canaryShare: 0.5, attempt: 'run-1' }));
    await built.say('ci', started({ attempt: 'run-1' }));
    await built.pass(1_000);
    const [analysis] = analyser.status().analyses;
    await built.say('ci', failed({ attempt: 'run-1' }));
    await analyser.stop();
    const opened = (await recordsOf(built.samples, partition)).flatMap((record) => {
      const sample = checkSample(
        tools,
        audience,
        new Map([[signer.keyId, keyState(signer)]]),
        record,
      );
      return sample.ok && sample.value.kind === 'analysis-opened' ? [sample.value] : [];
    });
    expect(opened.map((opening) => opening.analysis)).toStrictEqual([analysis?.analysis]);
    const { noise } = await known(built);
    // It is judged by errors alone.
    const errors = noise.filter(({ id }) => id === 'errors');
    expect(JSON.parse(opened[0]?.noise ?? '[]')).toStrictEqual(errors);
    expect(opened[0]?.noiseAgeMs).toBeGreaterThan(0);
  });

  test('and again the next night, by whoever has the partition then', async () => {
    const another = keyOf('analyser#2');
    await built.say('admin', added(another, { roles: ['analyser'] }));
    await nights(built, 2, {}, { signer: another });
    expect(built.events.filter(({ event }) => event === 'noise-learned')).toHaveLength(1);
    await built.clock.advance(dayMs);
    await history(built);
    await nights(built, 1, {}, { signer: another });
    expect(built.events.filter(({ event }) => event === 'noise-learned')).toHaveLength(2);
    expect((await known(built)).ageMs).toBeLessThan(hourMs);
    // A retired key has signed at a time that nobody can tell.
    await built.say('admin', retired(another));
    expect(await known(built)).toStrictEqual({ noise: [], ageMs: null });
  });

  test('while judging is behind nothing is read', async () => {
    const behind = await house();
    await history(behind);
    let reads = 0;
    let isBusy = true;
    const samples: AnalyserPorts['samples'] = {
      ...behind.samples,
      read: async (of, from, recordsMax) => {
        if (recordsMax > 1) reads += 1;
        return behind.samples.read(of, from, recordsMax);
      },
    };
    await nights(behind, 1, { isBusy: () => isBusy }, { samples });
    expect(reads).toBe(0);
    isBusy = false;
    await behind.clock.advance(dayMs);
    await history(behind);
    await nights(behind, 1, { isBusy: () => isBusy }, { samples });
    expect(reads).toBeGreaterThan(0);
    expect(behind.events.filter(({ event }) => event === 'noise-learned')).toHaveLength(1);
  });

  describe('where a token has said that another version runs there', () => {
    const told = async (versions: readonly string[]): Promise<AnalyserHouse> => {
      const built1 = await house();
      await built1.say('admin', added(keyOf('gateway'), { roles: ['gateway'] }));
      await built1.say('gateway', logged('6.6.6', { source: onBehalfSource('shop') }));
      await history(built1, versions);
      return built1;
    };
    const under = (onBehalf: OnBehalf): Partial<NoiseRefresh> => ({
      policyFor: async () => ({ ...presets.standard, onBehalf }),
    });

    test.each([
      ["the key's version alone is learned all the same", ['1.9.4'], 'ignore', 1],
      ['and where tokens are taken, too', ['1.9.4'], 'accept', 1],
      ["hours with the token's version are none where tokens are ignored", ['6.6.6'], 'ignore', 0],
      ['and are some where they are taken', ['6.6.6'], 'accept', 1],
      ['a token does not make two versions one', ['1.9.4', '6.6.6'], 'ignore', 0],
    ] as const)('%s', async (_what, versions, onBehalf, learned) => {
      const built1 = await told(versions);
      await nights(built1, 1, under(onBehalf));
      expect(built1.events.filter(({ event }) => event === 'noise-learned')).toHaveLength(learned);
    });
  });

  test('too little is no noise: hours with another version, and a fleet of today', async () => {
    const mixed = await house();
    await history(mixed, ['1.9.4', '2.0.0']);
    await nights(mixed, 1);
    expect(await known(mixed)).toStrictEqual({ noise: [], ageMs: null });
    const young = await house();
    await history(young);
    await nights(young, 1, {}, { noisePace: { ...noisePace, batchesMin: 200 } });
    expect(await known(young)).toStrictEqual({ noise: [], ageMs: null });
  });

  test('what cannot be read is told, and nothing stops', async () => {
    const broken = await house();
    await history(broken);
    const samples: AnalyserPorts['samples'] = {
      ...broken.samples,
      range: async () => ({ ok: false, problem: { code: 'unreachable', message: 'away' } }),
    };
    await nights(broken, 1, {}, { samples });
    expect(broken.events).toContainEqual({
      event: 'not-kept',
      what: 'noise',
      message: 'Error: away',
    });
  });
});
