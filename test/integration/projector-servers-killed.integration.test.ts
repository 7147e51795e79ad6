import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NativeKafka } from '../../services/dev/stack/native-kafka.ts';
import { startNativeKafka } from '../../services/dev/stack/native-kafka.ts';
import type { NativeRedis } from '../../services/dev/stack/native-redis.ts';
import { startNativeRedis } from '../../services/dev/stack/native-redis.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import { eventually } from '../support/eventually.ts';
import type { FedLog } from '../support/fed-log.ts';
import { onStack, seededChance } from '../support/fed-log.ts';
import { hostileLog } from '../support/hostile-log.ts';
import type { ProjectorProcess } from '../support/projector-processes.ts';
import { leaseMsOn, projectorProcesses } from '../support/projector-processes.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience } from '../support/stack.ts';

// Servers of this file's own: they are killed, torn and emptied.

const folder = scratchFolder();
const startProcess = projectorProcesses();
const takeOverMs = 30_000;
const testTimeoutMs = 90_000;
const quiet = (): void => undefined;

let kafka: NativeKafka;
let redis: NativeRedis;
beforeAll(async () => {
  kafka = await startNativeKafka(join(folder, 'kafka'), process.env, quiet);
  redis = await startNativeRedis(join(folder, 'redis'), process.env, quiet);
});
afterAll(async () => {
  await Promise.all([kafka.stop(), redis.stop()]);
});

type House = {
  readonly fed: FedLog;
  readonly projector: ProjectorProcess;
  readonly feed: (count: number) => Promise<void>;
  readonly random: () => number;
};

/** A projector that has projected the first records of a hostile log. */
const openHouse = async (): Promise<House> => {
  const audience = freshAudience();
  const { seed, random } = seededChance();
  const fed = await onStack({ kafkaBrokers: kafka.brokers, redisUrl: redis.url }, audience);
  const left: NewRecord[] = [...(await hostileLog({ seed, audience, records: 900 }))];
  const feed = async (count: number): Promise<void> => fed.append(left.splice(0, count));
  const projector = startProcess({
    log: `kafka://${kafka.brokers.join(',')}`,
    store: redis.url,
    audience,
    folder,
    leaseMs: leaseMsOn({ how: 'native' }),
  });
  await feed(100);
  await eventually('it is active', projector.isActive, takeOverMs);
  await fed.compareAtEnd();
  return { fed, projector, feed, random };
};

/** Nobody had to do anything, and nothing ended. */
const wentOnByItself = (projector: ProjectorProcess): void => {
  expect(projector.said('ended')).toEqual([]);
  for (const { code } of projector.said('stopped-by')) expect(code).toBe('unreachable');
};

test(
  'a Redis that is killed and started while records are projected costs nothing',
  async () => {
    const { fed, projector, feed, random } = await openHouse();
    for (let kill = 0; kill < 3; kill += 1) {
      const feeding = feed(80);
      await sleep(random() * 60);
      await redis.kill();
      await feeding;
      await redis.start();
      await fed.compareAtEnd();
    }
    wentOnByItself(projector);
  },
  testTimeoutMs,
);

test(
  'a Redis that comes back without its last writes is folded on from where it stands',
  async () => {
    const { fed, projector, feed } = await openHouse();
    const appendOnly = join(folder, 'redis', 'appendonlydir');
    const tail = readdirSync(appendOnly).find((name) => name.endsWith('.incr.aof')) ?? '';
    const bytesNow = (): number => statSync(join(appendOnly, tail)).size;
    const bytesBefore = bytesNow();
    await feed(200);
    await fed.compareAtEnd();
    projector.signal('SIGSTOP');
    await redis.kill();
    // Half of what it wrote since: the very last writes are remembered checks, beside the read models.
    truncateSync(join(appendOnly, tail), Math.floor((bytesBefore + bytesNow()) / 2));
    await redis.start();
    await eventually('the store answers', async () => (await fed.store.current()).ok);
    expect(await fed.compare()).toBeLessThan(fed.records.length);
    projector.signal('SIGCONT');
    // Nothing new comes: it must look by itself.
    await fed.compareAtEnd();
    wentOnByItself(projector);
  },
  testTimeoutMs,
);

test(
  'a Redis that lost everything is filled again from the log, also when nothing new comes',
  async () => {
    const { fed, projector, feed } = await openHouse();
    const client = new Redis(redis.url);
    await feed(100);
    await fed.compareAtEnd();
    await client.flushall();
    await fed.compareAtEnd();
    await client.flushall();
    await feed(50);
    await fed.compareAtEnd();
    client.disconnect();
    wentOnByItself(projector);
  },
  testTimeoutMs,
);

test(
  'a Kafka that is killed and started while records are projected costs nothing',
  async () => {
    const { fed, projector, feed, random } = await openHouse();
    await feed(300);
    await sleep(random() * 60);
    await kafka.kill();
    await kafka.start();
    await feed(50);
    await fed.compareAtEnd();
    wentOnByItself(projector);
  },
  testTimeoutMs,
);
