import { expect, test } from 'vitest';
import { openSampleArchive } from '../../services/adapters/archive/samples.ts';
import { openArchiving } from '../../services/analyser/archiving.ts';
import { openTrustedKeys } from '../../services/analyser/trusted-keys.ts';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import type { Decided } from '../../services/core/markers/marker.ts';
import { ok } from '../../services/core/result.ts';
import { signSample } from '../../services/core/samples/wire.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import type { SampleArchive } from '../../services/ports/sample-archive.ts';
import { buildAnalyserHouse } from '../support/analyser-house.ts';
import type { AnalyserHouse } from '../support/analyser-house.ts';
import { fastPolicy } from '../support/canary/sample-streams.ts';
import { decisionBytes, undisturbed } from '../support/canary/undisturbed.ts';
import { keyOf, tools } from '../support/given.ts';
import { added, audience, failed, logged, place, planned, started } from '../support/markers.ts';
import { value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const snapshotPace = { records: 1, ms: 1, msMin: 0 };

const canaryHouse = async (): Promise<AnalyserHouse> => {
  const house = await buildAnalyserHouse(fastPolicy);
  await house.say('admin', added(keyOf('analyser'), { roles: ['analyser'] }));
  await house.say('ci', logged('1.9.4'));
  await house.say('ci', logged('1.0.0', { slot: place('production', 'basket') }));
  await house.say('ci', planned('2.0.0', { canaryShare: 0.5, attempt: 'run-1' }));
  await house.say('ci', started({ attempt: 'run-1' }));
  house.servers.push(
    { name: 'baseline', version: '1.9.4', requests: 500, errors: 0, fromMs: -60_000 },
    { name: 'canary', version: '2.0.0', requests: 500, errors: 100, fromMs: 500 },
  );
  return house;
};

const rollback = async (
  house: AnalyserHouse,
): Promise<{
  readonly analysis: string;
  readonly samplesTo: number;
  readonly decision: Decided;
  readonly bytes: string;
}> => {
  const keys = await openTrustedKeys(house.ports).forKeys([]);
  const decided = await undisturbed(house.samples, audience, keys);
  const found = [...decided.values()].find(({ decision }) => decision.kind === 'roll-back');
  if (found === undefined) throw new Error('no roll-back');
  const { analysis, samplesTo } = found.decision;
  return { ...found, analysis, samplesTo };
};

/** Disks take time of their own, which the clock of the house does not know. */
const passUntil = async (house: AnalyserHouse, isSo: () => Promise<boolean>): Promise<void> => {
  for (let turn = 0; turn < 2_000 && !(await isSo()); turn++) {
    await house.pass(100);
    await new Promise((done) => setTimeout(done, 1));
  }
};

/** A log that holds these records at their places and nothing else. */
const logOf = async (archive: SampleArchive, analysis: string): Promise<RecordLog> => {
  const kept = value(await archive.read(analysis));
  if (kept === undefined) throw new Error('nothing was kept');
  const { range, records } = kept;
  const log = createMemoryRecordLog({ name: 'samples', partitions: 12, nowMs: () => 0 });
  return {
    ...log,
    range: async (partition) => ({
      ok: true,
      value:
        partition === range.partition ? { start: 0, end: records.length } : { start: 0, end: 0 },
    }),
    read: async (_partition, from) => ({ ok: true, value: records.slice(from) }),
  };
};

test('what a decision rests on is kept, and says the same by itself', async () => {
  const house = await canaryHouse();
  const sampleArchive = openSampleArchive(scratchFolder(), house.samples.name);
  const analyser = house.start({ sampleArchive });
  await house.pass(30_000);
  const { analysis, bytes, samplesTo } = await rollback(house);
  await passUntil(house, async () => value(await sampleArchive.keptTo(analysis)) === samplesTo);
  await analyser.stop();
  expect(await decisionBytes(house.log)).toContain(bytes);
  expect(value(await sampleArchive.keptTo(analysis))).toBe(samplesTo);
  const keys = await openTrustedKeys(house.ports).forKeys([]);
  const again = await undisturbed(await logOf(sampleArchive, analysis), audience, keys);
  expect([...again.values()].map((one) => one.bytes)).toContain(bytes);
});

test('whoever is killed before it is kept leaves it to the next, also when the attempt has ended meanwhile', async () => {
  const house = await canaryHouse();
  const folder = scratchFolder();
  const kept = openSampleArchive(folder, house.samples.name);
  let isFull = true;
  const sampleArchive: SampleArchive = {
    ...kept,
    keep: async (...asked) =>
      isFull
        ? { ok: false, problem: { code: 'unreachable', message: 'no space left' } }
        : kept.keep(...asked),
  };
  const first = house.start({ sampleArchive, snapshotPace });
  await house.pass(25_000);
  const { analysis, samplesTo } = await rollback(house);
  await house.say('ci', failed({ attempt: 'run-1' }));
  await house.pass(1_000);
  const isNotKept = ({ event }: { readonly event: string }): boolean => event === 'not-kept';
  await passUntil(house, async () => house.events.some(isNotKept));
  await first.stop();
  expect(house.events.find(isNotKept)).toEqual({
    event: 'not-kept',
    what: 'samples',
    message: `${analysis}: no space left`,
  });
  expect(value(await kept.keptTo(analysis))).toBeUndefined();
  isFull = false;
  const next = house.start({ sampleArchive, snapshotPace });
  await passUntil(house, async () => value(await kept.keptTo(analysis)) !== undefined);
  await next.stop();
  expect(value(await kept.keptTo(analysis))).toBe(samplesTo);
});

test('a disk that takes nothing stops nothing: the decision stands, and after a while it is given up', async () => {
  const house = await canaryHouse();
  const kept = openSampleArchive(scratchFolder(), house.samples.name);
  const sampleArchive: SampleArchive = {
    ...kept,
    keep: async () => ({ ok: false, problem: { code: 'unreachable', message: 'no space left' } }),
  };
  const analyser = house.start({ sampleArchive, snapshotPace });
  await house.pass(150_000);
  await analyser.stop();
  const { bytes } = await rollback(house);
  expect(await decisionBytes(house.log)).toContain(bytes);
  expect(house.events.filter(({ event }) => event === 'not-kept')).toHaveLength(1);
  expect(
    value(await house.store.aside.scan({ prefix: 'snapshot/', rowsMax: 10 })),
  ).not.toHaveLength(0);
});

test('of two decisions the later range is kept, and of the samples only those of the component', async () => {
  const house = await canaryHouse();
  house.servers.push(
    ...house.servers.map((server) => ({
      ...server,
      component: 'basket',
      name: `b ${server.name}`,
    })),
  );
  const analyser = house.start();
  await house.pass(30_000);
  await analyser.stop();
  const { decision, analysis, samplesTo } = await rollback(house);
  const partition = decision.samplesPartition;
  const other = await signSample(
    tools.codec,
    tools.text,
    { kind: 'tick', audience, environment: 'production', component: 'other', at: 5 },
    keyOf('analyser'),
  );
  const lie: RecordLog = {
    ...house.samples,
    // Every third record is somebody else's.
    read: async (...asked) => {
      const read = await house.samples.read(...asked);
      return read.ok
        ? ok(read.value.map((one) => (one.position % 3 === 1 ? { ...one, ...other } : one)))
        : read;
    },
  };
  const sampleArchive = openSampleArchive(scratchFolder(), house.samples.name);
  const stop = new AbortController();
  const archiving = openArchiving({ ...house.ports, samples: lie, sampleArchive }, stop.signal);
  archiving.offer({ ...decision, samplesTo: samplesTo - 4 });
  archiving.offer(decision);
  archiving.offer({ ...decision, samplesTo: samplesTo - 2 });
  expect(archiving.pendingFrom(partition)).toBe(decision.samplesFrom);
  expect(archiving.pendingFrom(partition + 1)).toBeUndefined();
  const over = archiving.keepArchiving();
  await passUntil(house, async () => archiving.pendingFrom(partition) === undefined);
  stop.abort();
  await over;
  expect(archiving.pendingFrom(partition)).toBeUndefined();
  const kept = value(await sampleArchive.read(analysis));
  expect(kept?.range).toStrictEqual({
    analysis,
    partition,
    from: decision.samplesFrom,
    to: samplesTo,
  });
  const positions = kept?.records.map(({ position }) => position) ?? [];
  expect(positions.some((position) => position % 3 === 1)).toBe(false);
  expect(positions.length).toBeGreaterThan(5);
});
