import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { expect, onTestFailed } from 'vitest';
import { orderedModels } from '../../services/core/read-models.ts';
import { openKafkaRecordLog } from '../../services/adapters/kafka/record-log.ts';
import { openSqliteFile } from '../../services/adapters/sqlite/file.ts';
import { openSqliteReadModelStore } from '../../services/adapters/sqlite/read-model-store.ts';
import { openSqliteRecordLog } from '../../services/adapters/sqlite/record-log.ts';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import { openRedisReadModelStore } from '../../services/adapters/redis/read-model-store.ts';
import type { LogRecord, NewRecord, Position } from '../../services/core/log/record.ts';
import type { Random } from '../../services/dev/canary-climates/random.ts';
import { seededRandom } from '../../services/dev/canary-climates/random.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import { eventually } from './eventually.ts';
import type { PureFold } from './pure-fold.ts';
import { pureFold } from './pure-fold.ts';
import { value } from './records.ts';

// A log that a test feeds while projectors work on it, and the read models that it must give.

export type FedLog = {
  readonly log: RecordLog;
  readonly store: ReadModelStore;
  /** What lies on the log, by position. */
  readonly records: readonly LogRecord[];
  readonly append: (records: readonly NewRecord[]) => Promise<void>;
  /** Where the generation that readers use stands; 0 where there is none. */
  readonly next: () => Promise<Position>;
  /**
   * Compares the generation that readers use with the pure fold of the records before its checkpoint, byte for byte.
   * Answers that position; undefined where the checkpoint moved meanwhile.
   */
  readonly compare: () => Promise<Position | undefined>;
  /** Waits until everything is projected, and compares. */
  readonly compareAtEnd: (withinMs?: number) => Promise<void>;
  readonly fold: PureFold;
};

export const feedLog = (log: RecordLog, store: ReadModelStore, audience: string): FedLog => {
  const records: LogRecord[] = [];
  const fold = pureFold(records, audience);

  const stand = async (): Promise<{ generation: string; next: Position } | undefined> => {
    const generation = value(await store.current()) ?? 'g1';
    const checkpoint = value(await store.checkpoint(generation));
    return checkpoint && { generation, next: checkpoint.next };
  };
  const next = async (): Promise<Position> => (await stand())?.next ?? 0;
  const compare = async (): Promise<Position | undefined> => {
    const before = await stand();
    if (before === undefined) return 0;
    const dump = await store.dump(before.generation);
    const after = await stand();
    // Redis gives up reading what changes all the time.
    if (!dump.ok || after?.next !== before.next || after.generation !== before.generation)
      return undefined;
    expect(difference(dump.value, fold.dumpAt(before.next)), `at ${before.next}`).toEqual([]);
    return before.next;
  };

  return {
    log,
    store,
    records,
    fold,
    append: async (more) => {
      for (let at = 0; at < more.length; at += recordsPerAppend)
        value(await log.append(0, more.slice(at, at + recordsPerAppend)));
      while (records.length < value(await log.range(0)).end)
        records.push(...value(await log.read(0, records.length, 1_000)));
    },
    next,
    compare,
    compareAtEnd: async (withinMs = caughtUpMs) => {
      await eventually('the store answers', async () => (await store.current()).ok, withinMs);
      const caughtUp = async (): Promise<boolean> => (await next()) === records.length;
      await eventually('everything is projected', caughtUp, withinMs);
      expect(await compare()).toBe(records.length);
    },
  };
};

const caughtUpMs = 30_000;
/** Some records of a hostile log are too large on purpose, and one append holds a megabyte. */
const recordsPerAppend = 100;

/** Lines that only one of the two dumps has. */
const difference = (stored: readonly string[], folded: readonly string[]): readonly string[] => {
  const has = { stored: new Set(stored), folded: new Set(folded) };
  return [
    ...stored.filter((line) => !has.folded.has(line)).map((line) => `only stored: ${line}`),
    ...folded.filter((line) => !has.stored.has(line)).map((line) => `only folded: ${line}`),
  ];
};

/** The log and the store of one audience on real servers, as the foundation opens them. */
export const onStack = async (
  stack: { readonly kafkaBrokers: readonly string[]; readonly redisUrl: string },
  audience: string,
): Promise<FedLog> => {
  const log = value(
    await openKafkaRecordLog({
      brokers: stack.kafkaBrokers,
      topic: `plimsoll.${audience}.log`,
      partitions: 1,
      keptMs: 'for-ever',
    }),
  );
  const url = stack.redisUrl;
  const store = value(await openRedisReadModelStore({ url, audience, orderedModels }));
  return feedLog(log, store, audience);
};

/** Log and store of the database of a folder, made where there is none; the log takes its times from `nowMs`. */
export const onDatabase = async (
  folder: string,
  audience: string,
  nowMs: () => number = Date.now,
): Promise<FedLog> => {
  const { sleep } = createSystemClock();
  const path = join(folder, 'plimsoll.db');
  const file = value(await openSqliteFile(path, { create: true, sleep }));
  const options = { name: `plimsoll.${audience}.log`, partitions: 1, nowMs, sleep };
  const log = value(await openSqliteRecordLog(file, options));
  return feedLog(log, openSqliteReadModelStore(file, { audience, orderedModels }), audience);
};

/** Chance that can be had again: a test that failed says its seed, and PLIMSOLL_TEST_SEED takes it. */
export const seededChance = (): { readonly seed: number; readonly random: Random } => {
  const seed = Number(process.env['PLIMSOLL_TEST_SEED'] ?? randomInt(1_000_000));
  onTestFailed(() => console.log(`PLIMSOLL_TEST_SEED=${seed}`));
  return { seed, random: seededRandom(seed, 1) };
};
