import { expect, test } from 'vitest';
import { writeExposition } from '../../services/adapters/telemetry/exposition.ts';
import { createMemoryClock } from '../../services/adapters/memory/clock.ts';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import { noFilter } from '../../services/core/record-filter.ts';
import { ok } from '../../services/core/result.ts';
import type { ProjectionPorts } from '../../services/ports/projecting.ts';
import { foldToEnd } from '../../services/projector/catch-up.ts';
import { generationNotes } from '../../services/projector/generation-notes.ts';
import {
  instanceMetrics,
  openProjectorMeasurements,
} from '../../services/projector/measurements.ts';
import { readStanding } from '../../services/projector/standing.ts';
import { startProjector } from '../../services/projector/start.ts';
import type { ProjectorStatus } from '../../services/projector/start.ts';
import { openReplay } from '../../services/replay/replay.ts';
import { eventually } from '../support/eventually.ts';
import { readExposition } from '../support/exposition.ts';
import type { ReadFamily } from '../support/exposition.ts';
import { emptyStore, openedAtMs, tools } from '../support/given.ts';
import { hostileLog } from '../support/hostile-log.ts';
import { audience } from '../support/markers.ts';
import { value } from '../support/records.ts';

const records = await hostileLog({ seed: 9, audience, records: 300 });

/** A projector that is measured, over a log in memory, and what a collector reads of it. */
const openHouse = (): {
  readonly append: (from: number, to: number) => Promise<void>;
  readonly isAt: (next: number) => Promise<void>;
  readonly collect: () => readonly ReadFamily[];
  readonly numberOf: (name: string) => number | undefined;
  readonly passS: (seconds: number) => void;
  readonly projector: ReturnType<typeof startProjector>;
  readonly standing: () => Promise<readonly ReadFamily[]>;
  readonly appliedS: readonly number[];
  readonly ports: ProjectionPorts;
} => {
  const clock = createMemoryClock(openedAtMs);
  let seconds = 0;
  let laterMs = 0;
  const appliedS: number[] = [];
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: clock.nowMs });
  const store = emptyStore();
  const measurements = openProjectorMeasurements(
    { seconds: () => (seconds += 0.25), nowMs: () => clock.nowMs() + laterMs },
    (tookS) => appliedS.push(tookS),
  );
  const { measure } = measurements;
  const ports = { log, store, tools, audience, pinnedLogId: null };
  const projector = startProjector({ ...ports, clock, measure, tell: () => undefined });
  const read = measurements.read(projector.status);
  const collect = (): readonly ReadFamily[] =>
    readExposition(writeExposition(read(), 'openmetrics'), 'openmetrics');
  return {
    append: async (from, to) => void value(await log.append(0, records.slice(from, to))),
    isAt: (next) => eventually('it is there', () => projector.status().next === next),
    collect,
    numberOf: (name) => collect().find((family) => family.name === name)?.samples[0]?.value,
    passS: (more) => {
      laterMs += more * 1000;
    },
    projector,
    standing: async () =>
      readExposition(writeExposition(await readStanding(ports), 'prometheus'), 'prometheus'),
    appliedS,
    ports,
  };
};

test('every record is counted once, under what became of it', async () => {
  const { append, isAt, collect, projector } = openHouse();
  await append(0, 100);
  await isAt(100);
  await append(100, 300);
  await isAt(300);
  const totalOf = (name: string): number =>
    collect()
      .find((family) => family.name === name)
      ?.samples.reduce((sum, sample) => sum + sample.value, 0) ?? NaN;
  const applied = totalOf('plimsoll_records_applied');
  const duplicates = totalOf('plimsoll_records_duplicates');
  const deadLetters = totalOf('plimsoll_dead_letters');
  expect(applied + duplicates + deadLetters).toBe(300);
  for (const number of [applied, duplicates, deadLetters, totalOf('plimsoll_records_conflicts')])
    expect(number).toBeGreaterThan(0);
  expect(totalOf('plimsoll_refusals')).toBe(0);
  await projector.stop();
});

test('places are labels, deployments are exemplars alone', async () => {
  const { append, isAt, collect, projector } = openHouse();
  await append(0, 200);
  await isAt(200);
  const applied = collect().find(({ name }) => name === 'plimsoll_records_applied');
  const placed = applied?.samples.filter(({ labels }) => labels['component'] !== undefined) ?? [];
  expect(placed.length).toBeGreaterThan(3);
  for (const { exemplar } of placed)
    expect(exemplar?.labels['deployment_id']).toMatch(/^[0-9a-f-]{36}$/);
  const labels = collect().flatMap((family) => family.samples.map((sample) => sample.labels));
  const names = new Set(labels.flatMap((each) => Object.keys(each)));
  expect([...names].toSorted()).toEqual([
    'code',
    'component',
    'environment',
    'kind',
    'le',
    'service',
  ]);
  await projector.stop();
});

test('a batch is timed, and its time leads to a deployment', async () => {
  const { append, isAt, collect, projector, appliedS } = openHouse();
  await append(0, 50);
  await isAt(50);
  await append(50, 60);
  await isAt(60);
  const durations = collect().find(({ name }) => name === 'plimsoll_apply_seconds');
  const count = durations?.samples.find(({ name }) => name.endsWith('_count'))?.value;
  expect(count).toBe(appliedS.length);
  expect(appliedS.length).toBeGreaterThan(0);
  expect(new Set(appliedS)).toEqual(new Set([0.25]));
  const filled = durations?.samples.find(({ labels }) => labels['le'] === '0.25');
  expect(filled).toMatchObject({ value: count, exemplar: { value: 0.25 } });
  await projector.stop();
});

test('position, lag and age of the checkpoint are those of the projector', async () => {
  const { append, isAt, numberOf, passS, projector } = openHouse();
  expect(numberOf('plimsoll_checkpoint_position')).toBeUndefined();
  await append(0, 60);
  await isAt(60);
  expect(numberOf('plimsoll_checkpoint_position')).toBe(60);
  expect(numberOf('plimsoll_lag_records')).toBe(0);
  expect(numberOf('plimsoll_lag_seconds')).toBe(0);
  expect(numberOf('plimsoll_active')).toBe(1);
  passS(90);
  expect(numberOf('plimsoll_checkpoint_age_seconds')).toBe(90);
  // The log is quiet, and that is no lag.
  expect(numberOf('plimsoll_lag_seconds')).toBe(0);
  await projector.stop();
  expect(numberOf('plimsoll_active')).toBe(0);
});

test('how far a generation is folded is told by whoever asks the store', async () => {
  const { append, isAt, projector, standing } = openHouse();
  expect((await standing()).map(({ samples }) => samples.length)).toEqual([1, 0, 0]);
  await append(0, 80);
  await isAt(80);
  await projector.stop();
  await append(80, 100);
  expect(
    (await standing()).map(({ name, samples }) => [name, samples[0]?.labels, samples[0]?.value]),
  ).toEqual([
    ['plimsoll_log_end_position', {}, 100],
    ['plimsoll_generation_progress_ratio', { generation: 'g1' }, 0.8],
    ['plimsoll_generation_current', { generation: 'g1' }, 1],
  ]);
});

test('what is kept, and only kept, is behind the log for good and has no progress', async () => {
  const { append, isAt, projector, standing, ports } = openHouse();
  await append(0, 80);
  await isAt(80);
  await projector.stop();
  const clock = createMemoryClock(openedAtMs);
  const replay = openReplay({
    ...{ ...ports, clock, fold: foldToEnd, notes: generationNotes },
    scratch: async () => ok(emptyStore()),
  });
  const wish = {
    ...{ filter: noFilter, sampleShare: 1, seed: 1, rate: null },
    by: { principal: 'admin', reason: 'a test' },
  };
  value(await replay.run({ ...wish, to: null }, {}));
  value(await replay.switchTo('g2', { isForced: false }));
  value(await replay.run({ ...wish, to: 40 }, {}));
  let asked = 0;
  await replay.run({ ...wish, to: 40, rate: 80 }, { isWanted: () => (asked += 1) < 2 });
  await append(80, 160);
  const progress = (await standing())[1]?.samples;
  expect(progress?.map(({ labels }) => labels['generation'])).toEqual(['g2', 'g4']);
  const paused = value(await ports.store.checkpoint('g4'))?.next ?? NaN;
  expect(progress?.map((sample) => sample.value)).toEqual([80 / 160, paused / 40]);
});

const neverActive: ProjectorStatus = {
  ...{ active: false, next: null, lagRecords: null, waitingSinceMs: null },
  ...{ checkpointSeenAtMs: null, generation: null, rowsDigest: null, problem: null },
  counts: {},
};

test.each([
  ['none is known', null, null, undefined],
  ['none waits', 0, 1_000, 0],
  ['one waits since five seconds', 3, 5_000, 5],
  ['one waits and nobody knows since when', 3, null, undefined],
  ['one waits that comes from a clock that is ahead', 3, 20_000, 0],
])('the lag in time where %s', (_, lagRecords, waitingSinceMs, lagS) => {
  const { read } = openProjectorMeasurements({ seconds: () => 0, nowMs: () => 10_000 });
  const families = read(() => ({ ...neverActive, lagRecords, waitingSinceMs }))();
  const told = families.find(({ name }) => name === 'plimsoll_lag_seconds');
  expect(told?.points.map((point) => 'value' in point && point.value)).toEqual(
    lagS === undefined ? [] : [lagS],
  );
});

test('what interrupted a projector is counted by code', () => {
  const { notice, read } = openProjectorMeasurements({ seconds: () => 0, nowMs: () => 0 });
  const stopped = { event: 'stopped-by', message: '', retryInMs: 200 } as const;
  for (const code of ['unreachable', 'unreachable', 'foreign-log']) notice({ ...stopped, code });
  notice({ event: 'active' });
  const status = { ...neverActive, counts: { overtaken: 2, applied: 5 } };
  const refusals = readExposition(writeExposition(read(() => status)(), 'prometheus'), 'prometheus')
    .find(({ name }) => name === 'plimsoll_refusals_total')
    ?.samples.map(({ labels, value: count }) => [labels['code'], count]);
  expect(refusals).toEqual([
    ['overtaken', 2],
    ['unreachable', 2],
    ['foreign-log', 1],
  ]);
});

test('counting instances tells its own lag, what it counted and what it refused', () => {
  const counts = { counted: 7, 'refused:key-unknown': 2 };
  const families = instanceMetrics(() => ({
    ...{ partitions: [3], lagRecords: 4, counts },
    problem: null,
  }))();
  const read = readExposition(writeExposition(families, 'prometheus'), 'prometheus');
  expect(
    read.flatMap(({ samples }) => samples.map(({ labels, value: number }) => [labels, number])),
  ).toEqual([
    [{ service: 'instances' }, 1],
    [{ service: 'instances' }, 4],
    [{}, 7],
    [{ service: 'instances', code: 'key-unknown' }, 2],
  ]);
});
