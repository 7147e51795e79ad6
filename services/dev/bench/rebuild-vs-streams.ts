import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTools } from '../../adapters/foundation/basis.ts';
import { openFoundation } from '../../adapters/foundation/foundation.ts';
import { openKafkaCopyTarget } from '../../adapters/kafka/copy-target.ts';
import { openRedisReadModelStore } from '../../adapters/redis/read-model-store.ts';
import { orderedModels } from '../../core/read-models.ts';
import type { CopyTarget } from '../../ports/migrating.ts';
import type { ProjectionPorts } from '../../ports/projecting.ts';
import type { ReadModelStore } from '../../ports/read-model-store.ts';
import { checkedAgainShare, foldToEnd, rebuildRecordsMax } from '../../projector/catch-up.ts';
import { startNativeKafka } from '../stack/native-kafka.ts';
import type { NativeKafka } from '../stack/native-kafka.ts';
import { startBenchRedis } from './bench-redis.ts';
import type { BenchRedis } from './bench-redis.ts';
import type { Bench, Measured } from './bench.ts';
import { benchCorpus, valueOf } from './corpus.ts';
import { buildStreamsJob, runStreamsJob, streamsMissing } from './peers/streams-job.ts';
import type { Guarantee } from './peers/streams-job.ts';
import { processCpuMicros, processMemoryPeakMb } from './process-usage.ts';

const audience = 'bench';
const topic = `plimsoll.${audience}.log`;
const recordsPerCopy = 500;
/** Live is slow beside a rebuild: a part of the log tells its rate. */
const liveShare = 0.1;

type Running = {
  readonly folder: string;
  readonly kafka: NativeKafka;
  readonly redis: BenchRedis;
  readonly ports: ProjectionPorts;
  readonly classPath: string;
  readonly records: number;
};

const names = {
  live: 'live projection, every signature checked',
  rebuild: 'rebuild, checks remembered',
  once: 'Kafka Streams, exactly once',
  least: 'Kafka Streams, at least once',
} as const;

/**
 * A whole log from Kafka into read models, three ways in turn: our rebuild with what was remembered of its signature
 * checks, into Redis; and a Kafka Streams job (Java, RocksDB, changelogs) that dedupes by marker id and keeps one row
 * a deployment, and does no more than that. CPU is client, broker and Redis together; of the job, time and CPU count
 * from its first record to its last commit, without the start of the JVM.
 */
export const rebuildVsStreams = (markers: number): Bench => {
  let open: Running | undefined;
  let memory: Record<string, number> = {};
  let generation = 1_000;
  const running = (): Running => {
    if (open === undefined) throw new TypeError('the bench is not open');
    return open;
  };

  const fold = async (believed: boolean): Promise<number> => {
    const { ports, records } = running();
    generation += 1;
    const name = `g${generation}`;
    const to = believed ? records : Math.ceil(records * liveShare);
    const { aside } = ports.store;
    valueOf(
      await foldToEnd(ports, name, {
        to,
        ...(believed && {
          recordsMax: rebuildRecordsMax,
          checks: { aside, sampleShare: checkedAgainShare, seed: generation },
        }),
      }),
    );
    return to;
  };
  const tidy = async (): Promise<void> => {
    const { ports } = running();
    for (const name of valueOf(await ports.store.generations()))
      valueOf(await ports.store.drop(name));
  };
  const streams = async (guarantee: Guarantee): Promise<Measured> => {
    const { classPath, kafka, folder, records } = running();
    const job = await runStreamsJob(
      classPath,
      { brokers: kafka.brokers, topic, folder },
      guarantee,
    );
    if (job.records !== records)
      throw new Error(`the job read ${job.records} of ${records} records`);
    memory = { ...memory, [guarantee]: Math.max(memory[guarantee] ?? 0, job.memoryPeakMb) };
    return { operations: records, wallMicros: job.wallMs * 1000, cpuMicros: job.cpuMs * 1000 };
  };

  return {
    name: 'rebuild-vs-streams',
    unit: 'record',
    alternatives: [
      { name: names.live, run: () => fold(false), tidy },
      { name: names.rebuild, run: () => fold(true), tidy },
      { name: names.once, run: () => streams('exactly_once_v2') },
      { name: names.least, run: () => streams('at_least_once') },
    ],
    // Below the line stands the rebuild: above 1 it is ahead.
    ratios: (['live', 'once', 'least'] as const).map((other) => ({
      name: `rebuild-vs-streams: rate of rebuild / of ${names[other]}`,
      of: names[other],
      over: names.rebuild,
    })),
    skipped: async () => streamsMissing(),
    open: async () => {
      const classPath = await buildStreamsJob();
      const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-'));
      const kafka = await startNativeKafka(join(folder, 'kafka'), process.env, console.error);
      const redis = await startBenchRedis();
      const copied = valueOf(
        await openKafkaCopyTarget({
          ...{ brokers: kafka.brokers, topic, partitions: 1, keptMs: 'for-ever' },
          address: topic,
        }),
      );
      const url = redis.url;
      const store = valueOf(await openRedisReadModelStore({ url, audience, orderedModels }));
      const records = await fill(copied, store, markers);
      const log = valueOf(await copied.open());
      await copied.close();
      const ports = { log, store, tools: openTools(), audience, pinnedLogId: null };
      open = { folder, kafka, redis, ports, classPath, records };
    },
    extraCpuMicros: async () => {
      const { kafka, redis } = running();
      return processCpuMicros(kafka.pid()) + (await redis.cpuMicros());
    },
    notes: () => {
      const own = Math.round(process.resourceUsage().maxRSS / 1024);
      const { redis, kafka } = running();
      return [
        `${markers} markers`,
        `memory at its highest: rebuild ${own} MB (this process, the bench included) and Redis ${redis.memoryPeakMb()} MB; ` +
          `Kafka Streams ${memory['exactly_once_v2']} MB exactly once, ${memory['at_least_once']} MB at least once; ` +
          `the broker of both ${processMemoryPeakMb(kafka.pid())} MB`,
      ];
    },
    close: async () => {
      if (open === undefined) return;
      const { ports, redis, kafka, folder } = open;
      open = undefined;
      await ports.store.close();
      await ports.log.close();
      await Promise.all([redis.stop(), kafka.kill()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/**
 * Copies the corpus to Kafka, and what is remembered of its checks to Redis: they are of the same bytes. The records keep
 * their times: appended anew, each would be hours late, and have a row that says so.
 */
const fill = async (
  { copy }: CopyTarget,
  store: ReadModelStore,
  markers: number,
): Promise<number> => {
  const corpus = openFoundation((await benchCorpus(markers)).settings);
  try {
    const from = valueOf(await corpus.stream('log'));
    const folded = valueOf(await corpus.store());
    const { settings, tools } = corpus;
    const ports = {
      log: from,
      store: folded,
      tools,
      audience: settings.audience,
      pinnedLogId: null,
    };
    // Checks every signature where nobody did so yet, and remembers it.
    valueOf(await foldToEnd(ports, 'g1'));
    const { end } = valueOf(await from.range(0));
    for (let next = 0; next < end;) {
      const records = valueOf(await from.read(0, next, recordsPerCopy));
      valueOf(await copy(records));
      next += records.length;
    }
    await copyChecks(folded, store);
    return end;
  } finally {
    await corpus.close();
  }
};

const copyChecks = async (from: ReadModelStore, to: ReadModelStore): Promise<void> => {
  const prefix = 'checks/';
  const rowsMax = 200;
  for (let after: string | undefined; ;) {
    const range = { prefix, rowsMax, ...(after === undefined ? {} : { after }) };
    const entries = valueOf(await from.aside.scan(range));
    if (entries.length > 0) valueOf(await to.aside.write(entries));
    if (entries.length < rowsMax) return;
    after = entries.at(-1)?.key;
  }
};
