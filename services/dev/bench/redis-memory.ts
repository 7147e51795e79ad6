import { openTools } from '../../adapters/foundation/basis.ts';
import { openLog } from '../../adapters/foundation/open-log.ts';
import { createMemoryIds } from '../../adapters/memory/ids.ts';
import { createMemoryRecordLog } from '../../adapters/memory/record-log.ts';
import { createMemorySigner } from '../../adapters/memory/signer.ts';
import { openRedisReadModelStore } from '../../adapters/redis/read-model-store.ts';
import type { CheckTools } from '../../core/check/check-record.ts';
import type { FoldState } from '../../core/projection.ts';
import type { LogRecord, NewRecord } from '../../core/log/record.ts';
import type { Marker } from '../../core/markers/marker.ts';
import { signMarker } from '../../core/markers/wire.ts';
import { orderedModels } from '../../core/read-models.ts';
import { applyBatch, batchRecordsMax } from '../../projector/project.ts';
import { startBenchRedis } from './bench-redis.ts';
import type { Bench } from './bench.ts';
import { deploymentMarkers } from './markers.ts';

const audience = 'bench';
const deployments = 5_000;
const markersPerDeployment = 5;
const startMs = 1_795_000_000_000;

let figures: readonly string[] = [];

/**
 * What read models take in Redis: a marker's id in the index, and a whole deployment of five markers (its row, its line in
 * `timeline`, its marks in its slot, its ids), both by the server's own count of its memory. Nothing is timed.
 */
export const redisMemory: Bench = {
  name: 'redis-memory',
  unit: 'marker',
  alternatives: [],
  ratios: [],
  open: async () => {
    figures = await measureMemory();
  },
  notes: () => figures,
};

/** Bytes a marker id and bytes a deployment, as lines. */
const measureMemory = async (): Promise<readonly string[]> => {
  const redis = await startBenchRedis();
  try {
    const opened = await openRedisReadModelStore({ url: redis.url, audience, orderedModels });
    if (!opened.ok) throw new Error(opened.problem.message);
    const used = async (): Promise<number> =>
      Number(/^used_memory_dataset:(\d+)/m.exec(await redis.client.info('memory'))?.[1]);
    const records = await makeRecords();
    let state: FoldState | undefined;
    const fold = async (from: number, to: number): Promise<void> => {
      for (let at = from; at < to; at += batchRecordsMax) {
        const done = await applyBatch(
          { log, store: opened.value, tools: trusting, audience, pinnedLogId: null },
          'g1',
          state,
          records.slice(at, Math.min(at + batchRecordsMax, to)),
        );
        if (!done.ok) throw new Error(done.problem.message);
        ({ state } = done.value);
      }
    };
    // The first deployments bring what is there once: slots, scripts, connections.
    const first = 2 + (records.length - 2) / 10;
    await fold(0, first);
    const before = await used();
    await fold(first, records.length);
    const added = (await used()) - before;
    const ids = records.length - 2;
    const index = await memoryOf(redis.client, '*:small:marker*');
    await opened.value.close();
    return [
      `redis-memory: ${(index / ids).toFixed(1)} B a marker id (${ids} ids), ` +
        `${Math.round(added / ((ids * 0.9) / markersPerDeployment))} B a deployment of ${markersPerDeployment} markers`,
    ];
  } finally {
    await redis.stop();
  }
};

/** MEMORY USAGE of all keys of the pattern, each with its place in the server's own table. */
const memoryOf = async (
  client: Awaited<ReturnType<typeof startBenchRedis>>['client'],
  pattern: string,
): Promise<number> => {
  let bytes = 0;
  for (const key of await client.keys(pattern))
    bytes += Number(await client.call('MEMORY', 'USAGE', key, 'SAMPLES', '0'));
  return bytes;
};

const tools = openTools();
/** What signatures cost is measured elsewhere. */
const trusting: CheckTools = {
  ...tools,
  signatures: { known: () => true, found: () => undefined },
};
const log = createMemoryRecordLog({ name: 'bench', partitions: 1, nowMs: () => 0 });

const makeRecords = async (): Promise<readonly LogRecord[]> => {
  const ids = createMemoryIds('memory', () => startMs);
  const admin = createMemorySigner('admin', 'bench-admin');
  const emitter = createMemorySigner('ci', 'bench-ci');
  const house = { audience, tools, clock: { nowMs: () => startMs }, ids };
  const opening = createMemoryRecordLog({ name: 'opening', partitions: 1, nowMs: () => startMs });
  await openLog({ ...house, newLogId: () => '5e0f6c3e-6a0c-4c39-8d8b-6f0f51d6a001' }, opening, {
    admin,
    trusted: [{ signer: emitter, roles: ['emitter'] }],
  });
  const begun = await opening.read(0, 0, 10);
  if (!begun.ok) throw new Error(begun.problem.message);
  const unsigned = { keyId: emitter.keyId, sign: async () => new Uint8Array(64).fill(7) };
  const records: NewRecord[] = [...begun.value];
  for (let index = 0; index < deployments; index++) {
    const atMs = startMs + index * 30;
    for (const marker of fiveMarkers(
      deploymentMarkers({ audience, index, uuid: ids.uuidV7, atMs }),
      ids.uuidV7,
    ))
      records.push(await signMarker(tools.codec, tools.text, marker, unsigned));
  }
  return records.map((record, position) => ({
    ...record,
    position,
    appendedAtMs: startMs + position * 10,
  }));
};

/** Two shifts of traffic between its start and its end. */
const fiveMarkers = (markers: readonly Marker[], uuid: () => string): readonly Marker[] => {
  const [planned, started, ended] = markers;
  if (planned === undefined || started === undefined || ended === undefined)
    throw new TypeError('a deployment of the bench has three markers');
  const shift = (canaryShare: number): Marker =>
    ({ ...started, marker: uuid(), kind: 'traffic-shifted', canaryShare }) as Marker;
  return [planned, started, shift(0.1), shift(0.5), ended];
};
