import { describe, expect, test } from 'vitest';
import type { AnalyserEvent, AnalyserPorts } from '../../services/analyser/ports.ts';
import { openTrustedKeys } from '../../services/analyser/trusted-keys.ts';
import { decisionBytes, undisturbed } from '../support/canary/undisturbed.ts';
import { fastPolicy } from '../support/canary/sample-streams.ts';
import { buildAnalyserHouse, buildCanaryHouse } from '../support/analyser-house.ts';
import type { AnalyserHouse } from '../support/analyser-house.ts';
import { keyOf } from '../support/given.ts';
import { added, audience, compromised, retired } from '../support/markers.ts';
import { value } from '../support/records.ts';

/** Kept so often that a test of seconds sees it. */
const snapshotPace = { records: 5, ms: 2_000, msMin: 500 };
const second = keyOf('analyser#2');

const canaryHouse = async (errors: number): Promise<AnalyserHouse> => {
  const house = await buildCanaryHouse(fastPolicy);
  await house.say('admin', added(second, { roles: ['analyser'] }));
  house.servers.push(
    { name: 'baseline', version: '1.9.4', requests: 500, errors: 5, fromMs: -60_000 },
    { name: 'canary', version: '2.0.0', requests: 500, errors, fromMs: 500 },
  );
  return house;
};

const start = (
  house: AnalyserHouse,
  change: Partial<AnalyserPorts> = {},
): { stop(): Promise<void> } => house.start({ snapshotPace, ...change });

/** Lives for a while, dies, and comes again. */
const restart = async (
  house: AnalyserHouse,
  ms: number,
  change: Partial<AnalyserPorts> = {},
): Promise<void> => {
  const analyser = start(house, change);
  await house.pass(ms);
  await analyser.stop();
};

const endsOf = async ({ samples }: AnalyserHouse): Promise<readonly number[]> =>
  Promise.all(
    Array.from(
      { length: samples.partitions },
      async (_, partition) => value(await samples.range(partition)).end,
    ),
  );

type TakenOver = Extract<AnalyserEvent, { event: 'taken-over' }>;
/** Of the partition with the analysis. */
const takings = async (house: AnalyserHouse): Promise<readonly TakenOver[]> => {
  const busy = (await endsOf(house)).findIndex((end) => end > 0);
  return house.events.filter(
    (event): event is TakenOver => event.event === 'taken-over' && event.partition === busy,
  );
};

/** That there is one outcome, and that it is the bytes which a reader of the samples comes to. */
const expectUndisturbed = async (house: AnalyserHouse, kind: string): Promise<void> => {
  const keys = await openTrustedKeys(house.ports).forKeys([]);
  const decided = await undisturbed(house.samples, audience, keys);
  const outcome = [...decided.values()].find(({ decision }) => decision.kind === kind);
  const onLog = await decisionBytes(house.log);
  expect(onLog).toContain(outcome?.bytes);
  const all = [...decided.values()].map(({ bytes }) => bytes);
  for (const bytes of onLog) expect(all).toContain(bytes);
};

const restSnapshots = async (house: AnalyserHouse): Promise<number> =>
  value(await house.store.aside.scan({ prefix: 'snapshot/', rowsMax: 1_000 })).length;

describe('whoever takes a partition over', () => {
  test('goes on from the newest snapshot, and reads no more than the pace again', async () => {
    const house = await canaryHouse(0);
    const readAgain: number[] = [];
    for (let life = 0; life < 6; life++) {
      const ends = await endsOf(house);
      await restart(house, 4_000);
      const [taken] = (await takings(house)).slice(-1);
      if (taken?.from === 'snapshot') readAgain.push((ends[taken.partition] ?? 0) - taken.position);
    }
    // Two seconds of exports, and what came while the snapshot was being kept.
    expect(Math.max(...readAgain)).toBeLessThan(12);
    const last = start(house);
    await house.pass(35_000);
    await last.stop();
    const taken = await takings(house);
    expect(taken.map(({ from }) => from)).toStrictEqual(['samples', ...Array(6).fill('snapshot')]);
    const positions = taken.map(({ position }) => position);
    expect(positions).toStrictEqual(positions.toSorted((left, right) => left - right));
    expect(new Set(positions).size).toBe(positions.length);
    await expectUndisturbed(house, 'promote');
  });

  test('comes to the same roll-back, whether it has snapshots or not', async () => {
    for (const pace of [snapshotPace, { records: 1e9, ms: 1e9, msMin: 1e9 }]) {
      const house = await canaryHouse(60);
      for (let life = 0; life < 5; life++) await restart(house, 2_500, { snapshotPace: pace });
      await restart(house, 25_000, { snapshotPace: pace });
      await expectUndisturbed(house, 'roll-back');
    }
  });

  test('reads the samples again where the store has lost the snapshot, or has another', async () => {
    for (const spoil of [
      () => null,
      () => '{}',
      (text: string) => text.replace('"count":', '"count":1'),
    ]) {
      const house = await canaryHouse(60);
      await restart(house, 6_000);
      const entries = value(await house.store.aside.scan({ prefix: 'snapshot/', rowsMax: 1_000 }));
      expect(entries).not.toHaveLength(0);
      value(
        await house.store.aside.write(
          entries.map(({ key, value: text }) => ({ key, value: spoil(text) })),
        ),
      );
      await restart(house, 25_000);
      expect((await takings(house)).map(({ from }) => from)).toStrictEqual(['samples', 'samples']);
      await expectUndisturbed(house, 'roll-back');
    }
  });

  test('reads the samples again where the log behind the snapshot is another', async () => {
    const house = await canaryHouse(60);
    await restart(house, 6_000);
    const other: AnalyserPorts['samples'] = {
      ...house.samples,
      read: async (partition, from, recordsMax) => {
        const read = await house.samples.read(partition, from, recordsMax);
        return recordsMax === 1 && read.ok
          ? {
              ok: true,
              value: read.value.map((record) => ({ ...record, value: new Uint8Array(1) })),
            }
          : read;
      },
    };
    await restart(house, 25_000, { samples: other });
    expect((await takings(house)).map(({ from }) => from)).toStrictEqual(['samples', 'samples']);
  });

  test('is not stopped by a store that keeps nothing; it is told once', async () => {
    const house = await canaryHouse(60);
    const store: AnalyserPorts['store'] = {
      ...house.store,
      aside: {
        ...house.store.aside,
        write: async () => ({ ok: false, problem: { code: 'refused', message: 'full' } }),
      },
    };
    await restart(house, 30_000, { store });
    expect(house.events.filter(({ event }) => event === 'not-kept')).toStrictEqual([
      { event: 'not-kept', what: 'progress', message: 'full' },
      { event: 'not-kept', what: 'snapshot', message: 'full' },
    ]);
    await expectUndisturbed(house, 'roll-back');
  });

  test('keeps nothing while nobody is judged', async () => {
    const house = await buildAnalyserHouse(fastPolicy);
    await house.say('admin', added(keyOf('analyser'), { roles: ['analyser'] }));
    house.servers.push({
      name: 'baseline',
      version: '1.9.4',
      requests: 500,
      errors: 5,
      fromMs: -60_000,
    });
    await restart(house, 10_000);
    expect(await restSnapshots(house)).toBe(0);
  });
});

describe('when the key of the analyser changes while a canary is judged', () => {
  test.each([
    ['with a snapshot', snapshotPace],
    ['without one', { records: 1e9, ms: 1e9, msMin: 1e9 }],
  ])('the analysis goes on to the same verdict, %s', async (_how, pace) => {
    const house = await canaryHouse(12);
    const first = start(house, { snapshotPace: pace });
    await house.pass(6_000);
    const next = start(house, { snapshotPace: pace, signer: second });
    await house.say('admin', retired(keyOf('analyser')));
    await house.pass(20_000);
    await first.stop();
    await next.stop();
    // Long after, from the first sample on, it is the same.
    await house.pass(120_000);
    await restart(house, 40_000, { snapshotPace: pace, signer: second });
    const keys = await openTrustedKeys({ ...house.ports, signer: second }).forKeys([]);
    const decided = await undisturbed(house.samples, audience, keys);
    const onLog = await decisionBytes(house.log);
    expect(onLog.length).toBeGreaterThan(0);
    const all = [...decided.values()].map(({ bytes }) => bytes);
    for (const bytes of onLog) expect(all).toContain(bytes);
    expect(house.events.filter(({ event }) => event === 'analysis-opened')).toHaveLength(1);
  });

  test('all that it had is handed over, so nothing is signed in vain', async () => {
    const house = await canaryHouse(60);
    const first = start(house);
    await house.pass(3_000);
    const next = start(house, { signer: second });
    await house.say('admin', retired(keyOf('analyser')));
    await house.pass(30_000);
    expect(house.events.filter(({ event }) => event === 'key-untrusted')).toHaveLength(1);
    await first.stop();
    await next.stop();
    const keys = await openTrustedKeys({ ...house.ports, signer: second }).forKeys([]);
    const decided = await undisturbed(house.samples, audience, keys);
    expect([...decided.values()].map(({ decision }) => decision.kind)).toContain('roll-back');
    expect(await decisionBytes(house.log)).toContain(
      [...decided.values()].find(({ decision }) => decision.kind === 'roll-back')?.bytes,
    );
  });

  test('what a compromised key brought counts no more, with or without a snapshot, and in a state that is held', async () => {
    const house = await canaryHouse(60);
    const first = start(house);
    await house.pass(5_000);
    const next = start(house, { signer: second });
    await house.pass(1_000);
    await first.stop();
    await house.pass(2_000);
    expect(await restSnapshots(house)).toBeGreaterThan(0);
    await house.say('admin', compromised(keyOf('analyser'), 0));
    await house.pass(30_000);
    await next.stop();
    const keys = await openTrustedKeys({ ...house.ports, signer: second }).forKeys([]);
    // The opening was the compromised key's.
    expect(await undisturbed(house.samples, audience, keys)).toStrictEqual(new Map());
    expect(await decisionBytes(house.log)).toStrictEqual([]);
    expect(house.events).toContainEqual(
      expect.objectContaining({ event: 'part-stopped', part: 'samples' }),
    );
  });
});
