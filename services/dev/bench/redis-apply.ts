import { randomUUID } from 'node:crypto';
import { openRedisReadModelStore } from '../../adapters/redis/read-model-store.ts';
import type { Checkpoint, ReadModelStore, RowWrite } from '../../ports/read-model-store.ts';
import { startBenchRedis } from './bench-redis.ts';
import type { BenchRedis } from './bench-redis.ts';
import type { Bench } from './bench.ts';

const markersPerRun = 4_000;
const markersPerBatch = 200;
const batchesPerRun = markersPerRun / markersPerBatch;
/** Of the unfolded alternatives: each run begins with none and meets each four times. */
const placesPerRun = 1_000;
/** A deployment is planned, starts and ends, mostly within one batch. */
const markersPerDeployment = 3;
const slots = 60;
const components = 20;
const environments = 3;

const fieldNames = [
  'marker',
  'attempt',
  'kind',
  'occurredAt',
  'appendedAt',
  'namespace',
  'environment',
  'component',
  'target',
  'version',
  'digest',
  'commit',
  'build',
  'trigger',
  'actor',
  'owner',
  'strategy',
  'signer',
  'status',
  'position',
] as const;

type PlainHset = { readonly key: string; readonly fields: readonly string[] };

type Server = {
  readonly redis: BenchRedis;
  readonly store: ReadModelStore;
};
let server: Server | undefined;

/**
 * What it costs to apply one marker to Redis: to a program that only writes 20 fields per marker, 200 a
 * pipeline, without a checkpoint, against our commits of 200 markers; the last one also reads, as a projector that keeps
 * no rows in memory does, each row before it writes it. The fold itself is not in it. All on one Redis with the append-only
 * file on (`everysec`), one call under way at a time; operations are markers. CPU is client and server together.
 */
export const redisApply: Bench = {
  name: 'redis-apply',
  unit: 'marker',
  alternatives: [
    { name: 'plain pipelined HSET of 20 fields', run: () => plainHset(running()) },
    { name: 'commit, one row of 500 B a marker', run: () => commitAll(running(), oneRowBatches) },
    { name: 'commit, all read models, folded', run: () => commitAll(running(), readModelBatches) },
    {
      name: 'read and commit, all read models, folded',
      run: () => commitAll(running(), readModelBatches, { readsFirst: true }),
    },
  ],
  ratios: [
    {
      name: 'redis-apply: commit of one row / plain HSET',
      of: 'commit, one row of 500 B a marker',
      over: 'plain pipelined HSET of 20 fields',
    },
    {
      name: 'redis-apply: commit of all read models / plain HSET',
      of: 'commit, all read models, folded',
      over: 'plain pipelined HSET of 20 fields',
    },
    {
      name: 'redis-apply: read and commit of all read models / plain HSET',
      of: 'read and commit, all read models, folded',
      over: 'plain pipelined HSET of 20 fields',
    },
  ],
  open: async () => {
    const redis = await startBenchRedis();
    const opened = await openRedisReadModelStore({
      url: redis.url,
      audience: 'bench',
      orderedModels: ['timeline'],
    });
    if (!opened.ok) throw new Error(opened.problem.message);
    server = { redis, store: opened.value };
  },
  extraCpuMicros: () => running().redis.cpuMicros(),
  close: async () => {
    if (server === undefined) return;
    const { redis, store } = server;
    server = undefined;
    await store.close();
    await redis.stop();
  },
};

function running(): Server {
  if (server === undefined) throw new Error('open() comes first');
  return server;
}

/** Made once, because none of the alternatives is to be charged for making them. */
const plainBatches: readonly (readonly PlainHset[])[] = batches((markers) =>
  markers.map((marker) => ({
    key: String(marker % placesPerRun),
    fields: fieldNames.flatMap((name) => [name, `${name}-${marker}`.padEnd(18, '.')]),
  })),
);

const oneRowBatches: readonly (readonly RowWrite[])[] = batches((markers) =>
  markers.map((marker) => ({
    model: 'marker',
    key: String(marker % placesPerRun),
    value: blobOf(marker, 500),
  })),
);

/** One row a marker in the index of ids; the last row of the batch for each deployment, slot and so on. */
const readModelBatches: readonly (readonly RowWrite[])[] = batches((markers) => {
  const rows = new Map<string, RowWrite>();
  for (const marker of markers) {
    const deployment = Math.floor(marker / markersPerDeployment);
    const folded: readonly RowWrite[] = [
      { model: 'marker', key: idOf('a', marker), value: blobOf(marker, 80) },
      { model: 'deployment', key: idOf('d', deployment), value: blobOf(marker, 500) },
      { model: 'timeline', key: idOf('t', deployment), value: blobOf(marker, 300) },
      {
        model: 'slot',
        key: `production/checkout-${deployment % slots}/`,
        value: blobOf(marker, 300),
      },
      {
        model: 'component',
        key: `checkout-${deployment % components}`,
        value: blobOf(marker, 120),
      },
      { model: 'environment', key: `env-${deployment % environments}`, value: blobOf(marker, 120) },
    ];
    for (const row of folded) rows.set(`${row.model}\n${row.key}`, row);
  }
  return [...rows.values()];
});

async function plainHset({ redis: { client } }: Server): Promise<number> {
  const run = randomUUID();
  for (const batch of plainBatches) {
    const pipeline = client.pipeline();
    for (const { key, fields } of batch) pipeline.hset(`${run}:${key}`, ...fields);
    const answers = await pipeline.exec();
    const failed = answers?.find(([error]) => error !== null);
    if (failed !== undefined) throw failed[0] ?? new Error('no answer');
  }
  return markersPerRun;
}

/** Commits the batches to a generation of their own, so that every run starts from nothing. */
async function commitAll(
  { store }: Server,
  steps: readonly (readonly RowWrite[])[],
  { readsFirst }: { readonly readsFirst: boolean } = { readsFirst: false },
): Promise<number> {
  const generation = randomUUID();
  let from: Checkpoint | undefined;
  for (const [index, writes] of steps.entries()) {
    const next = (index + 1) * markersPerBatch;
    const to = {
      logId: 'bench',
      next,
      lastDigest: String(next).padStart(64, 'd'),
      foldVersion: 1,
      rowsDigest: '0'.repeat(32),
    };
    if (readsFirst) {
      const read = await store.rows(generation, writes);
      if (!read.ok) throw new Error(read.problem.message);
    }
    const done = await store.commit(generation, { from, to, writes });
    if (!done.ok || done.value !== 'committed') throw new Error(JSON.stringify(done));
    from = to;
  }
  return markersPerRun;
}

function batches<Batch>(batchOf: (markers: readonly number[]) => Batch): readonly Batch[] {
  const markers = Array.from({ length: markersPerRun }, (_, marker) => marker);
  return Array.from({ length: batchesPerRun }, (_, batch) =>
    batchOf(markers.slice(batch * markersPerBatch, (batch + 1) * markersPerBatch)),
  );
}

function idOf(kind: string, number: number): string {
  return `01999999-0000-7000-8000-${kind}${String(number).padStart(11, '0')}`;
}

/** About what a row of JSON looks like. */
function blobOf(marker: number, bytes: number): string {
  const row = { marker, namespace: 'default', environment: 'production', component: 'checkout' };
  return JSON.stringify({ ...row, version: '2.0.0', links: 'x'.repeat(bytes) }).slice(0, bytes);
}
