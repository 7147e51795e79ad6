import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openFoundation } from '../../services/adapters/foundation/foundation.ts';
import type { Foundation } from '../../services/adapters/foundation/foundation.ts';
import { kafkaClient } from '../../services/adapters/kafka/client.ts';
import { openKafkaRecordLog } from '../../services/adapters/kafka/record-log.ts';
import { parseSettings } from '../../services/core/settings.ts';
import { outcomesOn } from '../support/opening.ts';
import { value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

const { kafkaBrokers } = sharedStack();
const folder = scratchFolder();

const installation = (audience: string, dataFolder: string): Foundation => {
  const settings = parseSettings({
    PLIMSOLL_LOG: `kafka://${kafkaBrokers.join(',')}`,
    PLIMSOLL_AUDIENCE: audience,
  });
  return openFoundation({ ...value(settings), dataFolder });
};

test('several installations make first use of one Kafka at once: one opens the log, each other leaves one dead letter', async () => {
  const audience = freshAudience();
  const all = ['a', 'b', 'c', 'd'].map((name) => installation(audience, join(folder, name)));
  const [log] = await Promise.all(all.map(async (one) => value(await one.stream('log'))));
  if (log === undefined) throw new TypeError('four were opened');
  expect(all.filter((one) => one.firstUse() !== null)).toHaveLength(1);
  const { 'key-unknown': late = 0, ...others } = await outcomesOn(log, audience);
  expect(late).toBeLessThanOrEqual(3);
  expect(others).toEqual({ trust: 4 });
  await Promise.all(all.map((one) => one.close()));
});

test('several processes of one installation do so without a refused key', async () => {
  const audience = freshAudience();
  const all = Array.from({ length: 4 }, () => installation(audience, join(folder, 'one')));
  const [log] = await Promise.all(all.map(async (one) => value(await one.stream('log'))));
  if (log === undefined) throw new TypeError('four were opened');
  const outcomes = await outcomesOn(log, audience);
  const { 'log-already-open': late = 0, duplicate: _again, ...others } = outcomes;
  expect(late).toBeLessThanOrEqual(3);
  expect(others).toEqual({ trust: 4 });
  await Promise.all(all.map((one) => one.close()));
});

/** A broker that takes connections and answers nothing, in front of those that work. */
const withHungBroker = async (
  use: (brokers: readonly string[]) => Promise<void>,
): Promise<void> => {
  const taken: Socket[] = [];
  const hung = createServer((socket) => void taken.push(socket));
  hung.listen(0, '127.0.0.1');
  await once(hung, 'listening');
  const { port } = hung.address() as AddressInfo;
  await use([`127.0.0.1:${port}`, ...kafkaBrokers]);
  for (const socket of taken) socket.destroy();
  hung.close();
};

test('a broker that takes connections and answers nothing is asked once, and then another', () =>
  withHungBroker(async (brokers) => {
    const kafka = kafkaClient({ brokers });
    const admins = brokers.map(() => kafka.admin());
    const answers: boolean[] = [];
    // As who gives up sooner than a request times out, and begins anew.
    for (const admin of admins) {
      const answered = admin.connect().then(
        () => true,
        () => false,
      );
      answers.push(await Promise.race([answered, sleep(4_000, false)]));
    }
    expect(answers.filter((answered) => !answered)).toHaveLength(1);
    await Promise.all(admins.map((admin) => admin.disconnect()));
  }));

test('a log is opened although one of its brokers takes connections and answers nothing', () =>
  withHungBroker(async (brokers) => {
    // Which one is asked first is chance: of so many, some begin with the one that hangs.
    const opened = await Promise.all(
      Array.from({ length: 12 }, () =>
        openKafkaRecordLog({
          brokers,
          topic: `plimsoll.${freshAudience()}.log`,
          partitions: 1,
          keptMs: 'for-ever',
        }),
      ),
    );
    await Promise.all(opened.map(async (log) => value(log).close()));
  }));
