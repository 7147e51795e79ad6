import { Kafka, logLevel } from 'kafkajs';
import { openKafkaRecordLog } from '../../services/adapters/kafka/record-log.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import { value } from '../support/records.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';
import { recordLogContract } from './record-log.contract.ts';

const { kafkaBrokers } = sharedStack();
// A new member is noticed at the next heartbeat of the others, and every broker answer costs a round trip.
const withinMs = 20_000;
const propertyRuns = 5;

recordLogContract(
  'Kafka',
  async () => {
    const topic = `plimsoll.${freshAudience()}.log`;
    const reopen = async (): Promise<RecordLog> =>
      value(
        await openKafkaRecordLog({
          brokers: kafkaBrokers,
          topic,
          partitions: 2,
          keptMs: 'for-ever',
        }),
      );
    const log = await reopen();
    return { log, reopen, close: log.close };
  },
  { withinMs, propertyRuns, timesMayGoBack: true, prune: deleteRecords },
);

/** What retention does in time, done at once: records go by their append time. */
async function deleteRecords(
  log: RecordLog,
  partition: number,
  appendedBeforeMs: number,
): Promise<void> {
  const admin = new Kafka({ brokers: [...kafkaBrokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsetsByTimestamp(log.name, appendedBeforeMs);
    const offset = offsets.find((each) => each.partition === partition)?.offset ?? '0';
    await admin.deleteTopicRecords({ topic: log.name, partitions: [{ partition, offset }] });
  } finally {
    await admin.disconnect();
  }
}
