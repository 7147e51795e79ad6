import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ConfigResourceTypes, Kafka, Partitioners, logLevel } from 'kafkajs';
import type { Admin, ITopicConfig } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { openFoundation } from '../../services/adapters/foundation/foundation.ts';
import { openKafkaRecordLog } from '../../services/adapters/kafka/record-log.ts';
import type { KafkaRecordLogOptions } from '../../services/adapters/kafka/record-log.ts';
import type { LogRecord } from '../../services/core/log/record.ts';
import { parseSettings } from '../../services/core/settings.ts';
import { startNativeKafka } from '../../services/dev/stack/native-kafka.ts';
import type { NativeKafka } from '../../services/dev/stack/native-kafka.ts';
import type { Appended, RecordLog } from '../../services/ports/record-log.ts';
import { eventually } from '../support/eventually.ts';
import { lossySockets } from '../support/lossy-sockets.ts';
import { positionsOf, record, text, value } from '../support/records.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

const { kafkaBrokers } = sharedStack();
const run = promisify(execFile);

const open = async (options: Partial<KafkaRecordLogOptions> = {}): Promise<RecordLog> =>
  value(
    await openKafkaRecordLog({
      brokers: kafkaBrokers,
      topic: `plimsoll.${freshAudience()}.log`,
      partitions: 1,
      keptMs: 'for-ever',
      ...options,
    }),
  );

const readAll = async (log: RecordLog): Promise<readonly LogRecord[]> =>
  value(await log.read(0, 0, 100_000));

const client = (): Kafka => new Kafka({ brokers: [...kafkaBrokers], logLevel: logLevel.NOTHING });

const withAdmin = async <Value>(use: (admin: Admin) => Promise<Value>): Promise<Value> => {
  const admin = client().admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
};

describe('answers that are lost after the broker has written', () => {
  test('lose nothing and double nothing, however many appends are under way', async () => {
    const sockets = lossySockets('answer', (request) => request % 3 === 0);
    const log = await open({ socketFactory: sockets.factory });
    const appends = Array.from({ length: 60 }, (_, at) => [record(`${at}a`), record(`${at}b`)]);
    const answers: Appended[][] = [];
    // Some together, some after others: merged requests and single ones.
    for (let at = 0; at < appends.length; at += 6) {
      const together = appends.slice(at, at + 6).map((records) => log.append(0, records));
      answers.push(...(await Promise.all(together)).map((answer) => [...value(answer)]));
    }

    expect(sockets.lost()).toBeGreaterThan(3);
    const stored = await readAll(log);
    expect(stored.length).toBe(120);
    for (const [at, records] of appends.entries()) {
      const positions = positionsOf(answers[at] ?? []);
      expect(positions.map((position) => text(stored[position] ?? record('missing')))).toEqual(
        records.map(text),
      );
    }
    await log.close();
  });

  test('are told as unknown when no answer comes in time, and the next append works', async () => {
    let broken = true;
    const sockets = lossySockets('answer', () => broken);
    const log = await open({ socketFactory: sockets.factory, answerWithinMs: 4_000 });
    expect(await log.append(0, [record('perhaps')])).toMatchObject({
      ok: false,
      problem: { code: 'unknown' },
    });
    broken = false;
    value(await log.append(0, [record('surely')]));

    const stored = (await readAll(log)).map(text);
    // It was written once, and the try that was given up wrote nothing more.
    expect(stored).toEqual([text(record('perhaps')), text(record('surely'))]);
    await log.close();
  });
});

describe('requests that are lost before the broker sees them', () => {
  test('are sent again, in order', async () => {
    const sockets = lossySockets('request', (request) => request % 2 === 1);
    const log = await open({ socketFactory: sockets.factory });
    for (const content of ['a', 'b', 'c']) value(await log.append(0, [record(content)]));
    expect(sockets.lost()).toBeGreaterThan(2);
    expect((await readAll(log)).map(text)).toEqual(
      ['a', 'b', 'c'].map((each) => text(record(each))),
    );
    await log.close();
  });

  test('are not sent again once the caller was told that the time is up', async () => {
    let broken = true;
    const sockets = lossySockets('request', () => broken);
    const log = await open({ socketFactory: sockets.factory, answerWithinMs: 4_000 });
    expect(await log.append(0, [record('given up')])).toMatchObject({ ok: false });
    broken = false;
    // Longer than kafkajs's longest pause between two tries.
    await sleep(1_500);
    value(await log.append(0, [record('later')]));
    expect((await readAll(log)).map(text)).toEqual([text(record('later'))]);
    await log.close();
  });
});

test('a partition that is added to a topic is read by whoever subscribes to it, and the others go on', async () => {
  const options = {
    brokers: kafkaBrokers,
    topic: `plimsoll.${freshAudience()}.more`,
    keptMs: 'for-ever',
  } as const;
  const log = await open({ ...options, partitionsLookMs: 500 });
  const seen = new Set<string>();
  const subscription = await log.subscribe('readers', {
    startFrom: async (partition) => value(await log.range(partition)).start,
    onBatch: async ({ partition, records }) => {
      for (const each of records) seen.add(`${partition}: ${text(each)}`);
    },
  });
  const wrote = async (to: RecordLog, partition: number, content: string): Promise<void> => {
    value(await to.append(partition, [record(content)]));
    await eventually(
      `what partition ${partition} holds is read`,
      () => seen.has(`${partition}: ${text(record(content))}`),
      60_000,
    );
  };
  await wrote(log, 0, 'before');
  await withAdmin((admin) =>
    admin.createPartitions({ topicPartitions: [{ topic: log.name, count: 3 }] }),
  );
  // A busy broker needs a moment until everybody knows of them.
  let wider: RecordLog | undefined;
  await eventually('the topic has three partitions', async () => {
    const opened = await openKafkaRecordLog({ ...options, partitions: 3 });
    if (opened.ok) wider = opened.value;
    return opened.ok;
  });
  if (wider === undefined) throw new Error('no log');
  await wrote(wider, 2, 'elsewhere');
  await wrote(log, 0, 'after');
  expect(subscription.owned()).toEqual([0, 1, 2]);
  await Promise.all([log.close(), wider.close()]);
});

describe('a topic that is already there', () => {
  const existing = async (
    configEntries: ITopicConfig['configEntries'],
    numPartitions = 1,
  ): Promise<string> => {
    const topic = `plimsoll.${freshAudience()}.log`;
    await withAdmin((admin) =>
      admin.createTopics({
        waitForLeaders: true,
        topics: [{ topic, numPartitions, configEntries: configEntries ?? [] }],
      }),
    );
    return topic;
  };
  const appendTime = { name: 'message.timestamp.type', value: 'LogAppendTime' };
  const forEver = { name: 'retention.ms', value: '-1' };

  test.each([
    ['takes its times from producers', [forEver], 1, 'message.timestamp.type'],
    ['forgets', [appendTime], 1, 'retention.ms'],
    [
      'is compacted',
      [appendTime, forEver, { name: 'cleanup.policy', value: 'compact' }],
      1,
      'cleanup.policy',
    ],
    ['has another number of partitions', [appendTime, forEver], 2, 'partitions'],
  ])(
    'and %s is refused, and the message says which setting',
    async (_, configEntries, partitions, named) => {
      const topic = await existing(configEntries, partitions);
      const answer = await openKafkaRecordLog({
        brokers: kafkaBrokers,
        topic,
        partitions: 1,
        keptMs: 'for-ever',
      });
      expect(answer).toMatchObject({ ok: false, problem: { code: 'misfit' } });
      expect(!answer.ok && answer.problem.message).toContain(named);
    },
  );

  test('for telemetry, with the times of producers, is refused with the line that mends it', async () => {
    const audience = freshAudience();
    const topic = `plimsoll.${audience}.otlp_metrics`;
    await withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions: 3 }] }));
    const settings = parseSettings({
      PLIMSOLL_LOG: `kafka://${kafkaBrokers.join(',')}`,
      PLIMSOLL_AUDIENCE: audience,
    });
    const foundation = openFoundation(value(settings));
    const refused = await foundation.stream('otlp_metrics');
    expect(refused).toMatchObject({
      problem: {
        code: 'misfit',
        hint: `kafka-configs --bootstrap-server ${kafkaBrokers.join(',')} --alter --entity-type topics --entity-name ${topic} --add-config message.timestamp.type=LogAppendTime`,
      },
    });
    await withAdmin((admin) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [appendTime] }],
      }),
    );
    expect(value(await foundation.stream('otlp_metrics')).partitions).toBe(3);
    await foundation.close();
  });

  test('and fits is used', async () => {
    const log = await open({ topic: await existing([appendTime, forEver]) });
    expect(positionsOf(value(await log.append(0, [record('a')])))).toEqual([0]);
    await log.close();
  });

  test('may be made by many at once', async () => {
    const topic = `plimsoll.${freshAudience()}.log`;
    const logs = await Promise.all([open({ topic }), open({ topic }), open({ topic })]);
    await Promise.all(logs.map(async (log) => value(await log.append(0, [record('a')]))));
    const [log] = logs;
    expect(log && value(await log.range(0))).toEqual({ start: 0, end: 3 });
    await Promise.all(logs.map((each) => each.close()));
  });

  test('has the settings that the log needs, when we made it', async () => {
    const log = await open();
    const { resources } = await withAdmin((admin) =>
      admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: log.name }] }),
    );
    const settings = new Map(
      resources[0]?.configEntries.map((entry) => [entry.configName, entry.configValue]),
    );
    expect(settings.get('message.timestamp.type')).toBe('LogAppendTime');
    expect(settings.get('retention.ms')).toBe('-1');
    expect(settings.get('cleanup.policy')).toBe('delete');
    expect(settings.get('compression.type')).toBe('uncompressed');
    await log.close();
  });
});

describe("a stranger's records", () => {
  test('with odd header names, null keys and null values are read as they are', async () => {
    const log = await open();
    const producer = client().producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    const headers: Record<string, string | string[]> = Object.create(null);
    for (const name of ['__proto__', 'constructor', 'toString', ''])
      headers[name] = `value of ${name}`;
    headers['twice'] = ['one', 'two'];
    await producer.send({
      topic: log.name,
      messages: [{ partition: 0, key: null, value: null, headers }],
    });
    await producer.disconnect();

    const [stored] = await readAll(log);
    expect(stored?.key.length).toBe(0);
    expect(stored?.value.length).toBe(0);
    const read = stored?.headers.map((header) => [
      header.name,
      Buffer.from(header.value).toString(),
    ]);
    expect(read).toEqual([
      ['__proto__', 'value of __proto__'],
      ['constructor', 'value of constructor'],
      ['toString', 'value of toString'],
      ['', 'value of '],
      ['twice', 'one'],
      ['twice', 'two'],
    ]);
    await log.close();
  });

  test('in transactions, kept and aborted, leave no gap', async () => {
    const log = await open();
    const producer = client().producer({
      transactionalId: log.name,
      maxInFlightRequests: 1,
      idempotent: true,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    for (const end of ['commit', 'abort'] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: log.name, messages: [{ partition: 0, value: end }] });
      await transaction[end]();
    }
    await producer.disconnect();
    value(await log.append(0, [record('ours')]));

    const values = (await readAll(log)).map((each) => Buffer.from(each.value).toString());
    expect(values).toEqual(['commit', '', 'abort', '', 'ours']);
    await log.close();
  });

  test('in a transaction that is still open, do not hold up the log', async () => {
    const log = await open();
    const producer = client().producer({
      transactionalId: log.name,
      maxInFlightRequests: 1,
      idempotent: true,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic: log.name, messages: [{ partition: 0, value: 'open' }] });
    value(await log.append(0, [record('ours')]));
    expect(value(await log.range(0))).toEqual({ start: 0, end: 2 });
    expect((await readAll(log)).length).toBe(2);
    await transaction.abort();
    await producer.disconnect();
    await log.close();
  });

  test('packed by the producer are stored so that any reader can read them', async () => {
    const log = await open();
    const args = ['-P', '-b', kafkaBrokers.join(','), '-t', log.name, '-p', '0', '-z', 'lz4'];
    const sending = run('kcat', args);
    sending.child.stdin?.end(`${'packed '.repeat(200)}\n`.repeat(20));
    await sending;
    expect((await readAll(log)).length).toBe(20);
    await log.close();
  });
});

describe('a broker that is killed', () => {
  const withOwnKafka = async (use: (kafka: NativeKafka) => Promise<void>): Promise<void> => {
    const folder = mkdtempSync(join(tmpdir(), 'plimsoll-kafka-'));
    try {
      const kafka = await startNativeKafka(folder, process.env, () => undefined);
      try {
        await use(kafka);
      } finally {
        await kafka.stop();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };

  test('keeps what was acknowledged; appends go on when it is back, and so does a subscription', async () => {
    await withOwnKafka(async (kafka) => {
      const log = await open({ brokers: kafka.brokers, answerWithinMs: 3_000 });
      const delivered: number[] = [];
      const subscription = await log.subscribe('readers', {
        startFrom: async () => delivered.length,
        onBatch: async ({ records }) => {
          for (const { position } of records)
            if (position === delivered.length) delivered.push(position);
        },
      });
      const acknowledged = new Map<number, string>();
      const problems = new Set<string>();
      let working = true;
      const append = async (who: number): Promise<void> => {
        for (let at = 0; working; at += 1) {
          const content = `${who}/${at}`;
          const answer = await log.append(0, [record(content)]);
          if (answer.ok) acknowledged.set(answer.value[0]?.position ?? -1, content);
          else problems.add(answer.problem.code);
        }
      };
      const appending = Promise.all([append(1), append(2), append(3)]);
      await eventually('some are acknowledged', () => acknowledged.size > 20);
      await kafka.kill();
      await eventually('appends fail', () => problems.size > 0, 20_000);
      await kafka.start();
      const before = acknowledged.size;
      await eventually('appends work again', () => acknowledged.size > before + 20, 30_000);
      working = false;
      await appending;

      const stored = await readAll(log);
      for (const [position, content] of acknowledged) {
        expect(Buffer.from(stored[position]?.value ?? []).toString()).toBe(content);
      }
      for (const problem of problems) expect(['unknown', 'unreachable']).toContain(problem);
      await eventually('the subscription has all', () => delivered.length >= stored.length, 40_000);
      await subscription.stop();
      await log.close();
    });
  }, 180_000);

  test('that never answers is said to be unreachable, within the time given', async () => {
    const answer = await openKafkaRecordLog({
      brokers: ['127.0.0.1:1'],
      topic: 'plimsoll.nowhere.log',
      partitions: 1,
      keptMs: 'for-ever',
      answerWithinMs: 800,
    });
    expect(answer).toMatchObject({ ok: false, problem: { code: 'unreachable' } });
  });
});
