import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import { appendBytes, appendBytesMax } from '../../services/core/log/append-size.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import { fail } from '../../services/core/result.ts';
import { openAppender, queueRecordsMax } from '../../services/gateway/appender.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import { record, text, value } from '../support/records.ts';

const ofBytes = (bytes: number): NewRecord => ({
  key: new Uint8Array(),
  headers: [],
  value: new Uint8Array(bytes),
});

const turn = (): Promise<void> => new Promise((done) => void setImmediate(done));

/** A log whose appends finish when they are told to. */
const slowLog = (): {
  readonly log: RecordLog;
  readonly groups: (readonly NewRecord[])[];
  readonly finish: () => Promise<void>;
} => {
  const memory = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => 0 });
  const groups: (readonly NewRecord[])[] = [];
  const gates: (() => void)[] = [];
  return {
    log: {
      ...memory,
      append: async (partition, records) => {
        groups.push(records);
        await new Promise<void>((open) => gates.push(open));
        return memory.append(partition, records);
      },
    },
    groups,
    finish: async () => {
      gates.shift()?.();
      await turn();
      await turn();
    },
  };
};

describe('group commit', () => {
  test('what comes together, or while an append runs, goes together, in order', async () => {
    const { log, groups, finish } = slowLog();
    const appender = openAppender(log);
    const answers = ['a', 'b'].map((name) => appender.append(record(name)));
    await turn();
    answers.push(...['c', 'd', 'e'].map((name) => appender.append(record(name))));
    expect(groups.map((group) => group.length)).toEqual([2]);
    expect(appender.queued()).toBe(3);
    await finish();
    expect(groups.map((group) => group.length)).toEqual([2, 3]);
    await finish();
    expect((await Promise.all(answers)).map(value)).toEqual([0, 1, 2, 3, 4]);
    const stored = value(await log.read(0, 0, 10));
    expect(stored.map(text)).toEqual(['a', 'b', 'c', 'd', 'e'].map((name) => text(record(name))));
  });

  test('nobody is told of a position before the log has taken the record', async () => {
    const { log, finish } = slowLog();
    let told = false;
    const answer = openAppender(log).append(record('a'));
    void answer.then(() => {
      told = true;
    });
    await turn();
    await turn();
    expect(told).toBe(false);
    await finish();
    expect(value(await answer)).toBe(0);
  });

  test('no group is larger than the log takes, and each record is stored once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 400_000 }), { minLength: 1, maxLength: 40 }),
        async (sizes) => {
          const memory = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => 0 });
          const groups: number[] = [];
          const appender = openAppender({
            ...memory,
            append: async (partition, records) => {
              groups.push(appendBytes(records));
              return memory.append(partition, records);
            },
          });
          const answers = await Promise.all(sizes.map((size) => appender.append(ofBytes(size))));
          expect(answers.map(value)).toEqual(sizes.map((_, index) => index));
          expect(Math.max(...groups)).toBeLessThanOrEqual(appendBytesMax);
          const stored = value(await memory.read(0, 0, 100));
          expect(stored.map((one) => one.value.length)).toEqual(sizes);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('a queue that is full says so at once, and takes again when it has room', async () => {
    const { log, finish } = slowLog();
    const appender = openAppender(log);
    const waiting = Array.from({ length: queueRecordsMax }, () => appender.append(ofBytes(1)));
    expect(await appender.append(record('one too many'))).toMatchObject({
      problem: { code: 'busy' },
    });
    await finish();
    const taken = appender.append(record('later'));
    while (appender.queued() > 0) await finish();
    await finish();
    expect((await Promise.all([...waiting, taken])).every(({ ok }) => ok)).toBe(true);
  });

  test('a queue of large bodies is full by its bytes, and takes again when it has room', async () => {
    const { log, finish } = slowLog();
    const appender = openAppender(log);
    for (let index = 0; index < 20; index++) void appender.append(ofBytes(900_000));
    expect(await appender.append(ofBytes(900_000))).toMatchObject({ problem: { code: 'busy' } });
    while (appender.queued() > 0) await finish();
    const taken = appender.append(ofBytes(900_000));
    while (appender.queued() > 0) await finish();
    await finish();
    expect(await taken).toMatchObject({ ok: true });
  });

  test('a failed append fails those who were in it, and not the next', async () => {
    const memory = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => 0 });
    let appends = 0;
    const appender = openAppender({
      ...memory,
      append: async (partition, records) => {
        appends++;
        if (appends === 2) return fail({ code: 'unreachable', message: 'down' });
        if (appends === 3) throw new Error('a broken promise');
        return memory.append(partition, records);
      },
    });
    expect(value(await appender.append(record('a')))).toBe(0);
    const second = [appender.append(record('b')), appender.append(record('c'))];
    for (const answer of await Promise.all(second))
      expect(answer).toMatchObject({ problem: { code: 'log-unreachable' } });
    expect(await appender.append(record('d'))).toMatchObject({
      problem: { code: 'append-unknown' },
    });
    expect(value(await appender.append(record('e')))).toBe(1);
  });
});
