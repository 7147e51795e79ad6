import { expect, test } from 'vitest';
import { openKafkaRecordLog } from '../../services/adapters/kafka/record-log.ts';
import type { RecordLog, Subscription } from '../../services/ports/record-log.ts';
import { eventually } from '../support/eventually.ts';
import { record, value } from '../support/records.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

const { kafkaBrokers } = sharedStack();
const withinMs = 60_000;

const open = async (topic: string): Promise<RecordLog> =>
  value(
    await openKafkaRecordLog({
      ...{ brokers: kafkaBrokers, topic, partitions: 1, keptMs: 'for-ever' },
      leaseMs: 6_000,
      batchPendingMaxMs: 1_000,
    }),
  );

test(
  'a member whose batch does not end hands the partition over, and comes back when it has ended',
  async () => {
    const topic = `plimsoll.${freshAudience()}.log`;
    const [near, far] = [await open(topic), await open(topic)];
    const stalled = Promise.withResolvers<void>();
    const heard: string[] = [];
    const follow = (log: RecordLog, name: string, onBatch: () => Promise<void>) =>
      log.subscribe('readers', {
        startFrom: async () => 0,
        onBatch: async ({ records }) => {
          heard.push(...records.map(({ position }) => `${name} ${position}`));
          await onBatch();
        },
        onLost: () => heard.push(`${name} lost it`),
      });
    const slow = await follow(near, 'slow', () => stalled.promise);
    await eventually('the slow one has it', () => slow.owned().length === 1, withinMs);
    const other = await follow(far, 'other', async () => undefined);
    value(await near.append(0, [record('a')]));

    await eventually('the other one was given it', () => heard.includes('other 0'), withinMs);
    expect(heard.slice(0, 2)).toEqual(['slow 0', 'slow lost it']);
    expect([slow.owned(), other.owned()]).toEqual([[], [0]]);

    stalled.resolve();
    await other.stop();
    value(await near.append(0, [record('b')]));
    await eventually('the slow one is back', () => heard.includes('slow 1'), withinMs);
    let ending: Awaited<Subscription['ended']> | 'none' = 'none';
    void slow.ended.then((why) => (ending = why));
    await slow.stop();
    expect(ending).toBeUndefined();
    await Promise.all([near.close(), far.close()]);
  },
  3 * withinMs,
);
