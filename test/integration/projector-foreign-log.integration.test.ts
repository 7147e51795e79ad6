import { Kafka, logLevel } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import type { NewRecord } from '../../services/core/log/record.ts';
import { eventually } from '../support/eventually.ts';
import type { FedLog } from '../support/fed-log.ts';
import { onStack, seededChance } from '../support/fed-log.ts';
import { hostileLog } from '../support/hostile-log.ts';
import type { ProjectorProcess } from '../support/projector-processes.ts';
import { leaseMsOn, projectorProcesses } from '../support/projector-processes.ts';
import { value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

const stack = sharedStack();
const folder = scratchFolder();
const startProcess = projectorProcesses();
const takeOverMs = 30_000;
const testTimeoutMs = 60_000;

const start = (audience: string, logId?: string): ProjectorProcess =>
  startProcess({
    log: `kafka://${stack.kafkaBrokers.join(',')}`,
    store: stack.redisUrl,
    audience,
    folder,
    leaseMs: leaseMsOn(stack),
    ...(logId === undefined ? {} : { logId }),
  });

/** Kafka's topic goes, and comes again with these records. */
const recreate = async (audience: string, records: readonly NewRecord[]): Promise<FedLog> => {
  const brokers = [...stack.kafkaBrokers];
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const topic = `plimsoll.${audience}.log`;
  await admin.deleteTopics({ topics: [topic] });
  await eventually('it is gone', async () => !(await admin.listTopics()).includes(topic));
  await admin.disconnect();
  const fed = await onStack(stack, audience);
  await fed.append(records);
  return fed;
};

/** A log whose first 150 records are projected, and whose projector still runs. */
const openHouse = async (): Promise<{
  readonly audience: string;
  readonly fed: FedLog;
  readonly records: readonly NewRecord[];
  readonly others: readonly NewRecord[];
  readonly projector: ProjectorProcess;
}> => {
  const audience = freshAudience();
  const { seed } = seededChance();
  const records = (await hostileLog({ seed, audience, records: 300 })).slice(0, 150);
  const others = await hostileLog({ seed: seed + 1, audience, records: 300 });
  const fed = await onStack(stack, audience);
  await fed.append(records);
  const projector = start(audience);
  await eventually('it is active', projector.isActive, takeOverMs);
  await fed.compareAtEnd();
  return { audience, fed, records, others, projector };
};

const stopped = async (projector: ProjectorProcess): Promise<void> => {
  projector.send('stop');
  expect(await projector.over).toBe(0);
};

const endsWith = async (projector: ProjectorProcess, code: string): Promise<void> => {
  await eventually('it ends', () => projector.said('ended').length > 0, takeOverMs);
  expect(projector.said('ended')).toMatchObject([{ code }]);
  expect(await projector.over).toBe(1);
};

/** Every row and the checkpoint of the generation in use. */
const everything = async ({ store }: FedLog): Promise<unknown> => ({
  generations: value(await store.generations()),
  checkpoint: value(await store.checkpoint(value(await store.current()) ?? '')),
  rows: value(await store.dump(value(await store.current()) ?? '')),
});

describe('read models of another log are refused by name, and not touched', () => {
  test(
    'where the topic was made anew and is shorter',
    async () => {
      const { audience, fed, others, projector } = await openHouse();
      await stopped(projector);
      const before = await everything(fed);
      await recreate(audience, others.slice(0, 100));
      await endsWith(start(audience), 'log-shortened');
      expect(await everything(fed)).toEqual(before);
    },
    testTimeoutMs,
  );

  test(
    'where the topic was made anew and is longer',
    async () => {
      const { audience, fed, others, projector } = await openHouse();
      await stopped(projector);
      const before = await everything(fed);
      await recreate(audience, others);
      await endsWith(start(audience), 'foreign-log');
      expect(await everything(fed)).toEqual(before);
    },
    testTimeoutMs,
  );

  test(
    'where the topic is made anew under a projector that runs, and is shorter',
    async () => {
      const { audience, fed, others, projector } = await openHouse();
      const before = await everything(fed);
      await recreate(audience, others.slice(0, 100));
      await endsWith(projector, 'log-shortened');
      expect(await everything(fed)).toEqual(before);
    },
    testTimeoutMs,
  );

  test(
    'where the topic is made anew under a projector that runs, and is longer',
    async () => {
      const { audience, fed, others, projector } = await openHouse();
      const before = await everything(fed);
      await recreate(audience, others);
      await endsWith(projector, 'foreign-log');
      expect(await everything(fed)).toEqual(before);
    },
    testTimeoutMs,
  );

  test(
    'where another log id is expected',
    async () => {
      const { audience, fed, projector } = await openHouse();
      await stopped(projector);
      const before = await everything(fed);
      await endsWith(start(audience, '00000000-0000-7000-8000-000000000000'), 'foreign-log');
      expect(await everything(fed)).toEqual(before);
    },
    testTimeoutMs,
  );
});

test(
  'a log that is not opened by its record 0 is not projected',
  async () => {
    const audience = freshAudience();
    const [, ...headless] = await hostileLog({ seed: 1, audience, records: 20 });
    const fed = await onStack(stack, audience);
    await fed.append(headless);
    await endsWith(start(audience), 'log-not-opened');
    expect(value(await fed.store.generations())).toEqual([]);
  },
  testTimeoutMs,
);
