import { expect, test } from 'vitest';
import { openKafkaRecordLog } from '../../services/adapters/kafka/record-log.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import { kcat } from '../support/kcat.ts';
import { value } from '../support/records.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

const { kafkaBrokers } = sharedStack();
const utf8 = new TextEncoder();

test('another program reads position, time, key, headers and value as they were appended', async () => {
  const opened = { brokers: kafkaBrokers, topic: `plimsoll.${freshAudience()}.log`, partitions: 1 };
  const log = value(await openKafkaRecordLog({ ...opened, keptMs: 'for-ever' }));
  const appended: NewRecord = {
    key: utf8.encode('0192d1f0-7c4e-8a00-8000-00000000cafe'),
    headers: [
      { name: 'ce_specversion', value: utf8.encode('1.0') },
      { name: 'ce_type', value: utf8.encode('plimsoll.planned.v1') },
      { name: 'content-type', value: utf8.encode('application/avro') },
    ],
    // Every byte there is, line ends and zeros too.
    value: Uint8Array.from({ length: 256 }, (_, at) => at),
  };
  const [first] = value(await log.append(0, [appended]));
  await log.close();

  expect(await kcat(kafkaBrokers, log.name)).toEqual([
    {
      partition: 0,
      position: 0,
      appendedAtMs: first?.appendedAtMs,
      key: '0192d1f0-7c4e-8a00-8000-00000000cafe',
      headers: [
        ['ce_specversion', '1.0'],
        ['ce_type', 'plimsoll.planned.v1'],
        ['content-type', 'application/avro'],
      ],
      value: Buffer.from(appended.value),
    },
  ]);
});
