import { expect, test } from 'vitest';
import { createMemoryRecordLog } from '../../../services/adapters/memory/record-log.ts';
import type { MemoryRecordLog } from '../../../services/adapters/memory/record-log.ts';
import { recordLogContract } from '../../contract/record-log.contract.ts';
import { record, value } from '../../support/records.ts';

const logs = new WeakMap<object, MemoryRecordLog>();

recordLogContract(
  'memory record log',
  async () => {
    const log = createMemoryRecordLog({ name: 'test', partitions: 2, nowMs: () => Date.now() });
    logs.set(log, log);
    return { log, close: log.close };
  },
  {
    prune: async (log, partition, appendedBeforeMs) => {
      const memory = logs.get(log);
      if (memory !== undefined) value(await memory.prune(partition, appendedBeforeMs));
    },
  },
);

test('a clock that goes back does not take the log with it', async () => {
  const times = [50, 40, 60];
  const log = createMemoryRecordLog({
    name: 'test',
    partitions: 1,
    nowMs: () => times.shift() ?? 0,
  });
  for (const content of ['a', 'b', 'c']) value(await log.append(0, [record(content)]));
  const stored = value(await log.read(0, 0, 10));
  expect(stored.map(({ appendedAtMs }) => appendedAtMs)).toEqual([50, 50, 60]);
});

test('a batch travels by microtasks alone: no timer runs between append and delivery', async () => {
  const log = createMemoryRecordLog({ name: 'test', partitions: 1, nowMs: () => 0 });
  const delivered: number[] = [];
  await log.subscribe('simulation', {
    startFrom: async () => 0,
    onBatch: async ({ records }) => {
      delivered.push(...records.map(({ position }) => position));
    },
  });
  value(await log.append(0, [record('a'), record('b')]));
  // No timer and no I/O can run while only microtasks are awaited.
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  expect(delivered).toEqual([0, 1]);
});
