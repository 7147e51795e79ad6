import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openKafkaRecordLog } from '../../services/adapters/kafka/record-log.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import type { KafkaNode } from '../../services/dev/stack/native-kafka.ts';
import { partsOf, startStack } from '../../services/dev/stack/stack.ts';
import type { Stack } from '../../services/dev/stack/stack.ts';
import { isKafkaProduce } from '../../services/dev/stack/tcp-proxy.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import { eventually } from '../support/eventually.ts';
import { onStack, seededChance } from '../support/fed-log.ts';
import type { FedLog } from '../support/fed-log.ts';
import { hostileLog } from '../support/hostile-log.ts';
import { leaseMsOn, projectorProcesses } from '../support/projector-processes.ts';
import type { ProjectorProcess } from '../support/projector-processes.ts';
import { record, value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience } from '../support/stack.ts';

// Three Kafka nodes and a Redis of this file's own, each behind a proxy: nodes are killed and paused, lines are cut.

const folder = scratchFolder();
const startProcess = projectorProcesses();
const recoverMs = 100_000;
const testTimeoutMs = 300_000;

let stack: Stack;
let nodes: readonly KafkaNode[];
beforeAll(async () => {
  stack = await startStack({ nodes: 3, proxied: true, env: { ...process.env, ...noAddresses } });
  nodes = partsOf(stack).kafka;
}, testTimeoutMs);
/** Given addresses belong to servers that are not ours to kill. */
const noAddresses = { PLIMSOLL_TEST_KAFKA: '', PLIMSOLL_TEST_REDIS: '' };

afterEach(async () => {
  for (const { proxy, resume } of [...nodes, partsOf(stack).redis]) {
    resume();
    proxy?.heal();
  }
  await Promise.all(nodes.map((node) => node.start()));
}, testTimeoutMs);
afterAll(async () => stack?.stop());

/** Asks the nodes other than `except`: kafkajs cannot use one that takes connections and does not answer. */
const leaderOf = async (topic: string, except?: KafkaNode): Promise<KafkaNode> => {
  const admin = new Kafka({
    brokers: stack.kafkaBrokers.filter((_, at) => nodes[at] !== except),
    logLevel: logLevel.NOTHING,
  }).admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  await admin.disconnect();
  const leader = nodes.find(({ nodeId }) => nodeId === topics[0]?.partitions[0]?.leader);
  if (leader === undefined) throw new Error(`${topic} has no leader`);
  return leader;
};

const openLog = async (answerWithinMs: number): Promise<RecordLog> =>
  value(
    await openKafkaRecordLog({
      brokers: stack.kafkaBrokers,
      topic: `plimsoll.${freshAudience()}.log`,
      partitions: 1,
      keptMs: 'for-ever',
      answerWithinMs,
    }),
  );

/** Appends without a pause from three sides, and remembers what was acknowledged. */
const keepAppending = (
  log: RecordLog,
): { readonly acknowledged: ReadonlyMap<number, string>; readonly stop: () => Promise<void> } => {
  const acknowledged = new Map<number, string>();
  let working = true;
  const append = async (who: number): Promise<void> => {
    for (let at = 0; working; at += 1) {
      const content = `${who}/${at}`;
      const answer = await log.append(0, [record(content)]);
      if (answer.ok) acknowledged.set(answer.value[0]?.position ?? -1, content);
      else expect(['unknown', 'unreachable']).toContain(answer.problem.code);
    }
  };
  const appending = Promise.all([append(1), append(2), append(3)]);
  return {
    acknowledged,
    stop: async () => {
      working = false;
      await appending;
    },
  };
};

const readAll = async (log: RecordLog): Promise<readonly string[]> => {
  const contents: string[] = [];
  const { end } = value(await log.range(0));
  while (contents.length < end)
    for (const each of value(await log.read(0, contents.length, 1_000)))
      contents.push(Buffer.from(each.value).toString());
  return contents;
};

const expectAllKept = async (
  log: RecordLog,
  acknowledged: ReadonlyMap<number, string>,
): Promise<void> => {
  const stored = await readAll(log);
  const lost = [...acknowledged].filter(([position, content]) => stored[position] !== content);
  expect(lost).toEqual([]);
};

test.each([
  ['killed', (leader: KafkaNode) => leader.kill()],
  ['stopped for longer than its session', async (leader: KafkaNode) => leader.pause()],
])(
  'a leader that is %s under load: another leads, and nothing acknowledged is lost',
  async (_, fault) => {
    const log = await openLog(3_000);
    const { acknowledged, stop } = keepAppending(log);
    await eventually('some are acknowledged', () => acknowledged.size > 100);
    const leader = await leaderOf(log.name);
    await fault(leader);
    const before = acknowledged.size;
    await eventually('another leads', () => acknowledged.size > before + 100, recoverMs);
    expect((await leaderOf(log.name, leader)).nodeId).not.toBe(leader.nodeId);
    await leader.start();
    leader.resume();
    const back = acknowledged.size;
    await eventually('appends go on', () => acknowledged.size > back + 100, recoverMs);
    await stop();
    await expectAllKept(log, acknowledged);
    await log.close();
  },
  testTimeoutMs,
);

test(
  'a log behind a slow line takes appends and is read whole',
  async () => {
    const log = await openLog(20_000);
    for (const { proxy } of nodes) proxy?.slow(40_000, 5);
    const acknowledged = new Map<number, string>();
    for (let at = 0; at < 10; at += 1) {
      const content = `${at} ${'x'.repeat(2_000)}`;
      acknowledged.set(value(await log.append(0, [record(content)]))[0]?.position ?? -1, content);
    }
    await expectAllKept(log, acknowledged);
    await log.close();
  },
  testTimeoutMs,
);

test(
  'a log behind a half-open line is said to be out of reach in time, and comes back by itself',
  async () => {
    const log = await openLog(3_000);
    const first = value(await log.append(0, [record('before')]));
    expect(first).toMatchObject([{ position: 0 }]);
    for (const { proxy } of nodes) proxy?.halfOpen();
    expect(await log.append(0, [record('into the void')])).toMatchObject({
      problem: { code: 'unknown' },
    });
    expect(await log.read(0, 0, 10)).toMatchObject({ problem: { code: 'unreachable' } });
    for (const { proxy } of nodes) proxy?.heal();
    await eventually(
      'appends work again',
      async () => (await log.append(0, [record('after')])).ok,
      recoverMs,
    );
    const stored = await readAll(log);
    expect(stored[0]).toBe('before');
    expect(stored.filter((content) => content === 'after').length).toBeGreaterThan(0);
    await log.close();
  },
  testTimeoutMs,
);

type House = {
  readonly fed: FedLog;
  readonly audience: string;
  readonly projector: ProjectorProcess;
  readonly left: NewRecord[];
};

/** A projector that has projected the first records of a hostile log. */
const openHouse = async (): Promise<House> => {
  const audience = freshAudience();
  const { seed } = seededChance();
  const fed = await onStack(stack, audience);
  const left: NewRecord[] = [...(await hostileLog({ seed, audience, records: 400 }))];
  const projector = startProcess({
    log: `kafka://${stack.kafkaBrokers.join(',')}`,
    store: stack.redisUrl,
    audience,
    folder,
    leaseMs: leaseMsOn({ how: 'native' }),
  });
  await fed.append(left.splice(0, 100));
  await eventually('it is active', projector.isActive, recoverMs);
  // The fault before may not be over for the servers.
  await fed.compareAtEnd(recoverMs);
  return { fed, audience, projector, left };
};

const wentOnByItself = (projector: ProjectorProcess): void => {
  expect(projector.said('ended')).toEqual([]);
  for (const { code } of projector.said('stopped-by')) expect(code).toBe('unreachable');
};

test(
  'an append whose answer was lost is unknown; sent again, it changes the read models once',
  async () => {
    const { fed, audience, projector, left } = await openHouse();
    // A log of its own: the house's own gives up later than this one.
    const log = value(
      await openKafkaRecordLog({
        brokers: stack.kafkaBrokers,
        topic: `plimsoll.${audience}.log`,
        partitions: 1,
        keptMs: 'for-ever',
        answerWithinMs: 3_000,
      }),
    );
    const [before, ...records] = left.splice(0, 21);
    value(await log.append(0, before === undefined ? [] : [before]));
    const end = value(await log.range(0)).end;

    const leader = await leaderOf(log.name);
    const dropped = leader.proxy?.dropAnswer(isKafkaProduce);
    const appending = log.append(0, records);
    expect(await dropped).toBe(true);
    for (const { proxy } of nodes) proxy?.refuse();
    expect(await appending).toMatchObject({ problem: { code: 'unknown' } });
    for (const { proxy } of nodes) proxy?.heal();

    // The fault was the one meant: the answer is lost, the records are not.
    await eventually('it answers', async () => (await log.range(0)).ok, recoverMs);
    expect(value(await log.range(0)).end).toBe(end + records.length);
    const resent = value(await log.append(0, records));
    expect(resent[0]?.position).toBe(end + records.length);
    await fed.append(left.splice(0, 20));
    // The pure fold of what lies on the log takes each marker once; the product must give the same bytes.
    await fed.compareAtEnd();
    wentOnByItself(projector);
    await log.close();
  },
  testTimeoutMs,
);

test.each(['hold', 'halfOpen', 'refuse'] as const)(
  'a projector whose lines to Kafka and Redis are broken in turn (%s) goes on by itself',
  async (fault) => {
    const { fed, projector, left } = await openHouse();
    const { redis } = partsOf(stack);
    await fed.append(left.splice(0, 50));
    redis.proxy?.[fault]();
    await fed.append(left.splice(0, 50));
    await sleep(500);
    redis.proxy?.heal();
    await fed.compareAtEnd();
    for (const { proxy } of nodes) proxy?.[fault]();
    await sleep(2 * leaseMsOn({ how: 'native' }));
    for (const { proxy } of nodes) proxy?.heal();
    await eventually('it answers', async () => (await fed.log.range(0)).ok, recoverMs);
    await fed.append(left.splice(0, 50));
    await fed.compareAtEnd();
    wentOnByItself(projector);
  },
  testTimeoutMs,
);
