import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { createPositionReader } from '../../../services/adapters/kafka/position-reader.ts';
import { readRecordBatches } from '../../../services/adapters/kafka/record-batches.ts';

const batchBytes = 512 * 1024;
/** Of the format that we read, and of no length. */
const noBatch = Buffer.alloc(61);
noBatch.writeInt8(2, 16);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** The part of kafkajs that reads: each answer holds the one record that was asked for, or the one after it. Or it never answers. */
const kafkaOf = (answers: 'always' | 'never' | 'the next' | 'no batches'): Kafka => {
  const fetch = async (request: {
    readonly topics: readonly {
      readonly partitions: readonly { readonly fetchOffset: string }[];
    }[];
  }): Promise<unknown> => {
    await setImmediate();
    if (answers === 'never') return new Promise(() => undefined);
    if (answers === 'no batches') readRecordBatches(noBatch, 0);
    const asked = request.topics[0]?.partitions[0]?.fetchOffset ?? '';
    const offset = answers === 'the next' ? String(Number(asked) + 1) : asked;
    const record = { offset, timestamp: '1', key: null, headers: {}, isControlRecord: false };
    const messages = [{ ...record, value: Buffer.alloc(batchBytes) }];
    return {
      responses: [{ partitions: [{ highWatermark: String(Number(offset) + 1), messages }] }],
    };
  };
  const cluster = {
    connect: async () => undefined,
    disconnect: async () => undefined,
    addTargetTopic: async () => undefined,
    findLeaderForPartitions: () => ({ '1': [0] }),
    findBroker: async () => ({ fetch }),
  };
  return { [Symbol('private:Kafka:createCluster')]: () => cluster } as unknown as Kafka;
};

describe('a reader that stays open', () => {
  test('keeps nothing of what it has read', async () => {
    const reader = createPositionReader(kafkaOf('always'), 'topic', 0);
    const readAndForget = async (from: number): Promise<WeakRef<object>> => {
      const fetched = await reader.fetch(from, { waitMs: 0, withinMs: 10_000 });
      if (!fetched.ok) throw new Error(fetched.problem.message);
      return new WeakRef(fetched.value.records);
    };
    const read: WeakRef<object>[] = [];
    for (let from = 0; from < 20; from++) read.push(await readAndForget(from));
    await setImmediate();
    collectGarbage();
    const kept = read.slice(0, -1).filter((records) => records.deref() !== undefined);
    expect(kept).toHaveLength(0);
    await reader.close();
  });

  test('answers whoever waits as soon as it is closed', async () => {
    const reader = createPositionReader(kafkaOf('never'), 'topic', 0);
    const fetching = reader.fetch(0, { waitMs: 0, withinMs: 600_000 });
    await setImmediate();
    await reader.close();
    expect(await fetching).toMatchObject({ ok: false, problem: { code: 'closed' } });
  });
});

test('a position that is missing is damage, and is not passed over', async () => {
  const reader = createPositionReader(kafkaOf('the next'), 'topic', 0);
  const fetched = await reader.fetch(7, { waitMs: 0, withinMs: 10_000 });
  expect(fetched).toMatchObject({ ok: false, problem: { code: 'corrupt' } });
  expect(fetched.ok ? '' : fetched.problem.message).toContain('position 7 is missing');
  await reader.close();
});

test('so are bytes that are no batches: they are not asked for again', async () => {
  const reader = createPositionReader(kafkaOf('no batches'), 'topic', 0);
  const fetched = await reader.fetch(0, { waitMs: 0, withinMs: 10_000 });
  expect(fetched).toMatchObject({ ok: false, problem: { code: 'corrupt' } });
  expect(fetched.ok ? '' : fetched.problem.message).toBe(
    'topic/0: the broker sent a record batch without a head',
  );
  await reader.close();
});
