import { join } from 'node:path';
import { openTools } from '../../adapters/foundation/basis.ts';
import { openLog } from '../../adapters/foundation/open-log.ts';
import { createMemoryIds } from '../../adapters/memory/ids.ts';
import { createMemoryReadModelStore } from '../../adapters/memory/read-model-store.ts';
import { createMemoryRecordLog } from '../../adapters/memory/record-log.ts';
import { createMemorySigner } from '../../adapters/memory/signer.ts';
import { openRedisReadModelStore } from '../../adapters/redis/read-model-store.ts';
import { openSqliteFile } from '../../adapters/sqlite/file.ts';
import { openSqliteReadModelStore } from '../../adapters/sqlite/read-model-store.ts';
import { createSystemClock } from '../../adapters/system/clock.ts';
import { openTurn } from '../../adapters/system/turn.ts';
import type { FoldState } from '../../core/projection.ts';
import type { LogRecord, NewRecord } from '../../core/log/record.ts';
import {
  markerType,
  preAuthenticationEncoding,
  readHeaders,
  signMarker,
} from '../../core/markers/wire.ts';
import { orderedModels } from '../../core/read-models.ts';
import type { ReadModelStore } from '../../ports/read-model-store.ts';
import { applyBatch, batchRecordsMax, loadState } from '../../projector/project.ts';
import { startBenchRedis } from './bench-redis.ts';
import type { BenchRedis } from './bench-redis.ts';
import type { Bench } from './bench.ts';
import { deploymentMarkers } from './markers.ts';
import { measureSlices, slicesLine } from './slices.ts';

const audience = 'bench';
const deployments = 2000;
const batchesPerRun = 3;
const runsToWarmUp = 4;
const runsWatched = 4;

type Target = {
  readonly store: ReadModelStore;
  generation: number;
  state: FoldState | undefined;
  next: number;
};

type Running = {
  readonly records: readonly LogRecord[];
  readonly publicKey: Uint8Array;
  readonly targets: { readonly [name: string]: Target };
  readonly redis: BenchRedis;
};
let open: Running | undefined;
let slices: readonly string[] = [];
// Records 0 and 1 are the administrator's.
let verifyFrom = 1;

const tools = openTools();
const turn = openTurn();
const bare = 'bare signature checks';

/**
 * What the whole fold costs beside the one thing it cannot do without: checking each signature. Records are real
 * ones, a plan, a start and an end for each deployment, in batches of 300; each projection checks, decodes, folds,
 * reads and commits all read models. CPU is client and server together.
 */
export const liveProjection: Bench = {
  name: 'live-projection',
  unit: 'marker',
  alternatives: [
    { name: bare, run: () => verifyAll(running()) },
    { name: 'projection into memory', run: () => project(running(), 'memory') },
    { name: 'projection into SQLite', run: () => project(running(), 'sqlite') },
    { name: 'projection into Redis', run: () => project(running(), 'redis') },
  ],
  // Below the line stands the slower one: the ratio is the share of the bare rate that is left.
  ratios: ['memory', 'SQLite', 'Redis'].map((name) => ({
    name: `live-projection: rate into ${name} / rate of bare signature checks`,
    of: bare,
    over: `projection into ${name}`,
  })),
  open: async () => {
    const redis = await startBenchRedis();
    const { records, publicKey } = await makeRecords();
    open = {
      records,
      publicKey,
      redis,
      targets: {
        memory: target(createMemoryReadModelStore({ orderedModels })),
        sqlite: target(await sqliteStore(redis.folder)),
        redis: target(await redisStore(redis.url)),
      },
    };
    slices = await slicesOf(open);
  },
  extraCpuMicros: () => running().redis.cpuMicros(),
  notes: () => slices,
  close: async () => {
    if (open === undefined) return;
    const { redis, targets } = open;
    open = undefined;
    for (const { store } of Object.values(targets)) await store.close();
    await redis.stop();
  },
};

const running = (): Running => {
  if (open === undefined) throw new TypeError('the bench is not open');
  return open;
};

const target = (store: ReadModelStore): Target => ({
  store,
  generation: 0,
  state: undefined,
  next: 0,
});

/** Of each projection, when it is warm: how long it keeps the main thread to itself. */
const slicesOf = async (warm: Running): Promise<readonly string[]> => {
  const lines: string[] = [];
  for (const name of Object.keys(warm.targets)) {
    for (let run = 0; run < runsToWarmUp; run++) await project(warm, name);
    const seen = await measureSlices(async () => {
      for (let run = 0; run < runsWatched; run++) await project(warm, name);
    });
    lines.push(slicesLine(`live-projection into ${name}`, seen));
  }
  return lines;
};

const verifyAll = ({ records, publicKey }: Running): number => {
  const count = batchesPerRun * batchRecordsMax;
  for (let done = 0; done < count; done++) {
    verifyFrom = verifyFrom + 1 < records.length ? verifyFrom + 1 : 2;
    const record = records[verifyFrom];
    const headers = record === undefined ? undefined : readHeaders(tools.text, record);
    if (record === undefined || headers?.ok !== true)
      throw new TypeError('a record of ours has no headers');
    const { schemaDigest, signature } = headers.value;
    const message = preAuthenticationEncoding(
      tools.text,
      markerType(schemaDigest, audience),
      record.value,
    );
    if (!tools.crypto.verify('ed25519', publicKey, message, signature))
      throw new TypeError('a signature of ours is bad');
  }
  return count;
};

const project = async ({ records, targets }: Running, name: string): Promise<number> => {
  const into = targets[name];
  if (into === undefined) throw new TypeError(`no target ${name}`);
  let applied = 0;
  for (let batch = 0; batch < batchesPerRun; batch++) {
    if (into.next >= records.length) {
      into.generation += 1;
      into.state = undefined;
      into.next = 0;
    }
    const slice = records.slice(into.next, into.next + batchRecordsMax);
    const done = await applyBatch(
      { log, store: into.store, tools, audience, pinnedLogId: null, turn },
      `g${into.generation}`,
      into.state,
      slice,
    );
    if (!done.ok) throw new Error(done.problem.message);
    if (into.state === undefined) {
      await switchTo(into);
      // As one that did not begin with record 0 itself, and cannot know which markers are new.
      into.state = await stateOf(into);
    } else into.state = done.value.state;
    into.next += slice.length;
    applied += slice.length;
  }
  return applied;
};

const stateOf = async ({ store, generation }: Target): Promise<FoldState | undefined> => {
  const loaded = await loadState({ store, tools }, `g${generation}`);
  if (!loaded.ok) throw new Error(loaded.problem.message);
  return loaded.value;
};

/** A generation that is read is kept with more care than one that is being built. */
const switchTo = async ({ store, generation }: Target): Promise<void> => {
  const switched = await store.switchTo(
    generation === 0 ? undefined : `g${generation - 1}`,
    `g${generation}`,
  );
  if (!switched.ok) throw new Error(switched.problem.message);
};

const log = createMemoryRecordLog({ name: 'bench', partitions: 1, nowMs: () => 0 });

const makeRecords = async (): Promise<{
  readonly records: readonly LogRecord[];
  readonly publicKey: Uint8Array;
}> => {
  const startMs = 1_795_000_000_000;
  const ids = createMemoryIds('bench', () => startMs);
  const admin = createMemorySigner('admin', 'bench-admin');
  const emitter = createMemorySigner('ci', 'bench-ci');
  const house = { audience, tools, clock: { nowMs: () => startMs }, ids };
  const opening = createMemoryRecordLog({ name: 'opening', partitions: 1, nowMs: () => startMs });
  await openLog({ ...house, newLogId: () => '5e0f6c3e-6a0c-4c39-8d8b-6f0f51d6a001' }, opening, {
    admin,
    trusted: [{ signer: emitter, roles: ['emitter'] }],
  });
  const opened = await opening.read(0, 0, 10);
  if (!opened.ok) throw new Error(opened.problem.message);
  const records: NewRecord[] = [...opened.value];
  for (let index = 0; index < deployments; index++)
    for (const marker of deploymentMarkers({
      audience,
      index,
      uuid: ids.uuidV7,
      atMs: startMs + index * 30,
    }))
      records.push(await signMarker(tools.codec, tools.text, marker, emitter));
  return {
    publicKey: emitter.publicKey,
    records: records.map((record, position) => ({
      ...record,
      position,
      appendedAtMs: startMs + position * 10,
    })),
  };
};

const sqliteStore = async (folder: string): Promise<ReadModelStore> => {
  const file = await openSqliteFile(join(folder, 'bench.db'), {
    create: true,
    sleep: createSystemClock().sleep,
  });
  if (!file.ok) throw new Error(file.problem.message);
  return openSqliteReadModelStore(file.value, { audience, orderedModels });
};

const redisStore = async (url: string): Promise<ReadModelStore> => {
  const store = await openRedisReadModelStore({ url, audience, orderedModels });
  if (!store.ok) throw new Error(store.problem.message);
  return store.value;
};
