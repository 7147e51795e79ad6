import { afterEach, expect, test } from 'vitest';
import { openKafkaRecordLog } from '../../services/adapters/kafka/record-log.ts';
import { openRedisReadModelStore } from '../../services/adapters/redis/read-model-store.ts';
import {
  generationOfPartition,
  orderedInstanceModels,
} from '../../services/core/instances/fold.ts';
import { instanceKeptMs, instancePartitions } from '../../services/core/instances/instance.ts';
import type { SlotInstances } from '../../services/core/instances/running.ts';
import { partitionOfInstance } from '../../services/core/instances/wire.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import { eventually } from '../support/eventually.ts';
import { onStack } from '../support/fed-log.ts';
import { tools } from '../support/given.ts';
import { hostileLog } from '../support/hostile-log.ts';
import { startRecord } from '../support/instances.ts';
import { place } from '../support/markers.ts';
import { startPlimsoll } from '../support/plimsoll.ts';
import { value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

const stack = sharedStack();
const folder = scratchFolder();
const running: ReturnType<typeof startPlimsoll>[] = [];
afterEach(async () => {
  for (const { signal } of running) signal('SIGKILL');
  await Promise.all(running.map(({ ended }) => ended));
});

const slots = 6;
const perSlot = 50;
const repeats = 40;
const floodRecords = slots * perSlot * repeats;
const underWayMs = 60_000;

const foldedOf = async (store: ReadModelStore): Promise<number> => {
  let folded = 0;
  for (let partition = 0; partition < instancePartitions; partition++)
    folded += value(await store.checkpoint(generationOfPartition(partition)))?.next ?? 0;
  return folded;
};

test(
  'a flood of instances delays no marker, moves no row of the log, and is counted once, also after a kill',
  async () => {
    const audience = freshAudience();
    const fed = await onStack(stack, audience);
    const records = await hostileLog({ seed: 11, audience, records: 400 });
    await fed.append(records.slice(0, 60));
    const topic = value(
      await openKafkaRecordLog({
        brokers: stack.kafkaBrokers,
        topic: `plimsoll.${audience}.instances`,
        partitions: instancePartitions,
        keptMs: instanceKeptMs,
      }),
    );
    const counted = value(
      await openRedisReadModelStore({
        url: stack.redisUrl,
        audience,
        prefix: 'plimsoll.instances',
        orderedModels: orderedInstanceModels,
      }),
    );
    const byPartition = new Map<number, NewRecord[]>();
    for (let slot = 0; slot < slots; slot++)
      for (let instance = 0; instance < perSlot; instance++) {
        const over = { audience, slot: place(`place-${slot}`) };
        const record = await startRecord('wide', `pod-${instance}`, over);
        const partition = partitionOfInstance(tools.text, record);
        byPartition.set(partition, [...(byPartition.get(partition) ?? []), record]);
      }
    for (let repeat = 0; repeat < repeats; repeat++)
      for (const [partition, starts] of byPartition) value(await topic.append(partition, starts));

    const env = {
      PLIMSOLL_LOG: `kafka://${stack.kafkaBrokers.join(',')}`,
      PLIMSOLL_STORE: stack.redisUrl,
      PLIMSOLL_AUDIENCE: audience,
    };
    const project = (): ReturnType<typeof startPlimsoll> => {
      const projector = startPlimsoll(folder, ['projector'], env);
      running.push(projector);
      return projector;
    };
    const first = project();
    const isUnderWay = async (): Promise<boolean> => (await foldedOf(counted)) > 0;
    await eventually('the flood is under way', isUnderWay, underWayMs);
    for (let at = 60; at < records.length; at += 20) await fed.append(records.slice(at, at + 20));
    await fed.compareAtEnd();
    const folded = await foldedOf(counted);
    expect(folded).toBeLessThan(floodRecords);

    first.signal('SIGKILL');
    await first.ended;
    project();
    const isOver = async (): Promise<boolean> => (await foldedOf(counted)) === floodRecords;
    await eventually('the flood is over', isOver, 2 * underWayMs);
    const rows: SlotInstances[] = [];
    for (let partition = 0; partition < instancePartitions; partition++) {
      const page = value(
        await counted.scan(generationOfPartition(partition), 'running', { rowsMax: 100 }),
      );
      rows.push(...page.rows.map((row) => JSON.parse(row.value) as SlotInstances));
    }
    expect(
      rows.map(({ slot, instances }) => `${slot.environment} ${instances}`).toSorted(),
    ).toEqual(Array.from({ length: slots }, (_, slot) => `place-${slot} ${perSlot}`));
    expect(rows.every(({ uncounted }) => uncounted === 0)).toBe(true);
    expect(await fed.compare()).toBe(records.length);
    expect(value(await fed.store.generations())).toEqual(['g1']);
    await Promise.all([topic.close(), counted.close(), fed.log.close(), fed.store.close()]);
  },
  5 * underWayMs,
);
