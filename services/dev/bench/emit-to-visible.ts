import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Kafka, Partitioners, logLevel } from 'kafkajs';
import type { Consumer, Producer } from 'kafkajs';
import { openFoundation } from '../../adapters/foundation/foundation.ts';
import type { Foundation } from '../../adapters/foundation/foundation.ts';
import { readKey } from '../../adapters/foundation/open-keys.ts';
import { signMarker } from '../../core/markers/wire.ts';
import { positionKey } from '../../core/read-models.ts';
import { parseSettings } from '../../core/settings.ts';
import type { ReadModelStore } from '../../ports/read-model-store.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import type { Signer } from '../../ports/signer.ts';
import { startNativeKafka } from '../stack/native-kafka.ts';
import type { NativeKafka } from '../stack/native-kafka.ts';
import { startOwn } from '../stack/own-process.ts';
import type { OwnProcess } from '../stack/own-process.ts';
import { startBenchRedis } from './bench-redis.ts';
import type { BenchRedis } from './bench-redis.ts';
import type { Bench, Measured } from './bench.ts';
import { valueOf } from './corpus.ts';
import { deploymentMarkers } from './markers.ts';
import { processCpuMicros } from './process-usage.ts';

const audience = 'bench';
const rawTopic = 'raw';
const markersPerRun = 60;
const settleMs = 3_000;
const visibleWithinMs = 20_000;
/** A reader that never rests would take the core that the projector needs. */
const betweenLooksMs = 1;
const plimsoll = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

const raw = 'raw kafkajs, produce to consume';
const ours = 'emit to visible in Redis';

type Running = {
  readonly folder: string;
  readonly kafka: NativeKafka;
  readonly redis: BenchRedis;
  readonly foundation: Foundation;
  readonly log: RecordLog;
  readonly store: ReadModelStore;
  readonly signer: Signer;
  readonly projector: OwnProcess;
  readonly rawOnce: (value: Uint8Array) => Promise<void>;
  readonly closeRaw: () => Promise<void>;
};

/**
 * How long a marker takes from the append that a command makes (signed, acknowledged by the log) until a reader of
 * Redis sees its row, while a projector runs as a process of its own; beside a record of the same size that kafkajs
 * produces and a kafkajs consumer in this process is handed. One at a time. The reader asks every millisecond: what that
 * costs is in our figure. Wall is the median of a round; CPU is that of all processes.
 */
export const emitToVisible = (): Bench => {
  let open: Running | undefined;
  const times: Record<string, number[]> = { [raw]: [], [ours]: [] };
  let deployments = 0;
  const running = (): Running => {
    if (open === undefined) throw new TypeError('the bench is not open');
    return open;
  };
  const timed = async (name: string, once: () => Promise<void>): Promise<Measured> => {
    const micros: number[] = [];
    for (let done = 0; done < markersPerRun; done += 1) {
      const startedMs = performance.now();
      await once();
      micros.push((performance.now() - startedMs) * 1000);
    }
    times[name]?.push(...micros);
    // The median stands for each: late answers of a busy machine are told by the 99th percentile.
    const wallMicros = quantile(micros, 0.5) * markersPerRun;
    return { operations: markersPerRun, wallMicros, cpuMicros: 0 };
  };
  const emitOnce = async (): Promise<void> => {
    const { foundation, log, store, signer } = running();
    const { tools, ids, clock } = foundation;
    deployments += 1;
    const of = { audience, index: deployments, uuid: ids.uuidV7, atMs: clock.nowMs() };
    const [marker] = deploymentMarkers(of);
    if (marker === undefined) throw new TypeError('a deployment begins with a plan');
    const record = await signMarker(tools.codec, tools.text, marker, signer);
    const [appended] = valueOf(await log.append(0, [record]));
    await visible(store, appended?.position ?? NaN);
  };

  return {
    name: 'emit-to-visible',
    unit: 'marker',
    alternatives: [
      { name: raw, run: () => timed(raw, () => running().rawOnce(sample)) },
      { name: ours, run: () => timed(ours, emitOnce) },
    ],
    extraCpuMicros: async () => {
      const { kafka, redis, projector } = running();
      const servers = processCpuMicros(kafka.pid()) + (await redis.cpuMicros());
      return servers + processCpuMicros(projector.pid);
    },
    ratios: [
      { name: 'emit-to-visible: p50 / p50 of raw kafkajs', of: ours, over: raw, by: 'wall' },
    ],
    notes: () =>
      [raw, ours].map((name) => {
        const ms = (share: number): string =>
          (quantile(times[name] ?? [], share) / 1000).toFixed(1);
        return `${name}: p50 ${ms(0.5)} ms, p99 ${ms(0.99)} ms of ${times[name]?.length} (the first round included)`;
      }),
    open: async () => {
      const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-'));
      const kafka = await startNativeKafka(join(folder, 'kafka'), process.env, console.error);
      const redis = await startBenchRedis();
      const env = {
        PLIMSOLL_LOG: `kafka://${kafka.brokers.join(',')}`,
        PLIMSOLL_STORE: redis.url,
        PLIMSOLL_AUDIENCE: audience,
      };
      const foundation = openFoundation({
        ...valueOf(parseSettings(env)),
        dataFolder: join(folder, 'plimsoll-data'),
      });
      const log = valueOf(await foundation.stream('log'));
      const store = valueOf(await foundation.store());
      const signer = valueOf(await readKey(foundation.settings.dataFolder, 'local'));
      const projector = startOwn(process.execPath, [plimsoll, 'projector'], folder, {
        env: { ...process.env, ...env },
      });
      const connected = await connectRaw(kafka.brokers);
      open = { folder, kafka, redis, foundation, log, store, signer, projector, ...connected };
      await visible(store, valueOf(await log.range(0)).end - 1);
    },
    close: async () => {
      if (open === undefined) return;
      const { folder, kafka, redis, foundation, projector, closeRaw } = open;
      open = undefined;
      await projector.stop();
      await Promise.all([closeRaw(), foundation.close()]);
      await Promise.all([redis.stop(), kafka.kill()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** As large as a plan with its headers. */
const sample = Buffer.alloc(700, 1);

/** Resolves when the generation that readers use holds the record at this position. */
const visible = async (store: ReadModelStore, position: number): Promise<void> => {
  const giveUpAtMs = performance.now() + visibleWithinMs;
  for (;;) {
    const current = valueOf(await store.current());
    if (current !== undefined) {
      const { checkpoint } = valueOf(
        await store.rows(current, [{ model: 'timeline', key: positionKey(position) }]),
      );
      if ((checkpoint?.next ?? 0) > position) return;
    }
    if (performance.now() > giveUpAtMs)
      throw new Error(`record ${position} does not become visible`);
    await sleep(betweenLooksMs);
  }
};

const connectRaw = async (
  brokers: readonly string[],
): Promise<Pick<Running, 'rawOnce' | 'closeRaw'>> => {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: rawTopic, numPartitions: 1 }] });
  await admin.disconnect();
  const producer: Producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  const consumer: Consumer = kafka.consumer({ groupId: `raw-${randomUUID()}` });
  await Promise.all([producer.connect(), consumer.connect()]);
  await consumer.subscribe({ topics: [rawTopic], fromBeginning: true });
  let came: (key: string) => void = () => undefined;
  await consumer.run({
    eachMessage: async ({ message }) => came(message.key?.toString() ?? ''),
  });
  // The group is shared out when the first record comes.
  await sleep(settleMs);
  return {
    rawOnce: async (value) => {
      const key = randomUUID();
      const { promise, resolve } = Promise.withResolvers<void>();
      came = (which) => {
        if (which === key) resolve();
      };
      await producer.send({
        topic: rawTopic,
        acks: -1,
        messages: [{ key, value: Buffer.from(value) }],
      });
      await promise;
    },
    closeRaw: async () => {
      await consumer.disconnect();
      await producer.disconnect();
    },
  };
};

const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
};
