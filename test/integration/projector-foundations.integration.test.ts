import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { FedLog } from '../support/fed-log.ts';
import { onDatabase, onStack, seededChance } from '../support/fed-log.ts';
import { hostileLog } from '../support/hostile-log.ts';
import { leaseMsOn, projectorProcesses } from '../support/projector-processes.ts';
import { text, value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

const stack = sharedStack();
const folder = scratchFolder();
const startProcess = projectorProcesses();
const caughtUpMs = 30_000;
const testTimeoutMs = 60_000;

const dumpOf = async ({ store }: FedLog): Promise<readonly string[]> =>
  value(await store.dump(value(await store.current()) ?? ''));

test(
  'the same records give the same bytes on Kafka with Redis, on SQLite, and on Kafka with SQLite',
  async () => {
    const audience = freshAudience();
    const { seed, random } = seededChance();
    const records = await hostileLog({ seed, audience, records: 600 });
    const distributed = await onStack(stack, audience);
    for (let at = 0; at < records.length;) {
      const count = 1 + Math.floor(random() * 60);
      await distributed.append(records.slice(at, at + count));
      at += count;
    }

    // The rows hold append times, so the embedded log is told the times that Kafka gave.
    let nowMs = 0;
    const embedded = await onDatabase(folder, audience, () => nowMs);
    const timesOf = ({ records: stored }: FedLog): readonly number[] =>
      stored.map(({ appendedAtMs }) => appendedAtMs);
    const byTime = Map.groupBy(records, (_, at) => timesOf(distributed)[at] ?? 0);
    for (const [appendedAtMs, appended] of byTime) {
      nowMs = appendedAtMs;
      await embedded.append(appended);
    }
    expect(embedded.records.map(text)).toEqual(distributed.records.map(text));
    expect(timesOf(embedded)).toEqual(timesOf(distributed));

    const kafka = `kafka://${stack.kafkaBrokers.join(',')}`;
    const shared = { audience, folder, leaseMs: leaseMsOn(stack) };
    const first = startProcess({ ...shared, log: kafka, store: stack.redisUrl });
    startProcess({ ...shared, log: `sqlite:${folder}`, store: `sqlite:${folder}` });
    await Promise.all([distributed.compareAtEnd(), embedded.compareAtEnd()]);
    const dump = await dumpOf(distributed);
    expect(dump.length).toBeGreaterThan(records.length);
    expect(await dumpOf(embedded)).toEqual(dump);

    // Of the projectors on one log one is active, whatever its store.
    first.send('stop');
    expect(await first.over).toBe(0);
    const other = join(folder, 'other');
    const { store } = await onDatabase(other, audience);
    startProcess({ ...shared, log: kafka, store: `sqlite:${other}` });
    const caughtUp = async (): Promise<boolean> =>
      value(await store.current()) !== undefined &&
      value(await store.checkpoint('g1'))?.next === records.length;
    await eventually('it has projected everything', caughtUp, caughtUpMs);
    expect(value(await store.dump('g1'))).toEqual(dump);

    await Promise.all([distributed.log.close(), distributed.store.close()]);
  },
  testTimeoutMs,
);
