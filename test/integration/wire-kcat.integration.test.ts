import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { openKafkaRecordLog } from '../../services/adapters/kafka/record-log.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import { findProgram } from '../../services/dev/stack/prerequisites.ts';
import { value } from '../support/records.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

const { kafkaBrokers } = sharedStack();
const utf8 = new TextEncoder();

/** Debian's kcat is librdkafka: it shares no code with us nor with kafkajs. Reads to the end and quits. */
const kcat = (topic: string, format: string): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const program = findProgram('kcat') ?? 'kcat';
    const args = [
      '-C',
      '-q',
      '-e',
      '-b',
      kafkaBrokers.join(','),
      '-t',
      topic,
      '-p',
      '0',
      '-f',
      format,
    ];
    execFile(program, args, { encoding: 'buffer' }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });

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

  // %R is the length of the value in four bytes.
  const output = await kcat(log.name, '%o\n%T\n%k\n%h\n%R%s');
  const lines = output
    .subarray(0, output.length - 260)
    .toString()
    .trimEnd()
    .split('\n');
  expect(lines).toEqual([
    '0',
    `${first?.appendedAtMs}`,
    '0192d1f0-7c4e-8a00-8000-00000000cafe',
    'ce_specversion=1.0,ce_type=plimsoll.planned.v1,content-type=application/avro',
  ]);
  expect(output.readUInt32BE(output.length - 260)).toBe(256);
  expect([...output.subarray(-256)]).toEqual([...appended.value]);
});
