import { appendBytes, appendBytesMax } from '../../core/log/append-size.ts';
import { batchRecordsDefault } from '../../core/log/batch-size.ts';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ReadProblem, RecordBatch, RecordLog, Subscription } from '../../ports/record-log.ts';
import type { Ending } from '../following/following.ts';
import type { SqliteFile } from './file.ts';
import { toAppendProblem, toReadProblem } from './port-problems.ts';
import type { SqliteProblem } from './problem.ts';
import { recordTable } from './record-table.ts';
import { subscribeSqlite } from './subscription.ts';

/** How long a subscriber that died keeps others waiting, milliseconds. */
const leaseMsDefault = 5_000;

export type SqliteRecordLogOptions = {
  readonly name: string;
  readonly partitions: number;
  readonly nowMs: Clock['nowMs'];
  readonly sleep: Clock['sleep'];
  /** How long a subscriber that died, or hangs, keeps others waiting. 5,000 unless told. */
  readonly leaseMs?: number;
};

export type SqliteRecordLog = RecordLog & {
  /** Forgets records appended before the given time, milliseconds since 1970; answers how many. */
  readonly prune: (
    partition: number,
    appendedBeforeMs: number,
  ) => Promise<Result<number, ReadProblem>>;
};

/**
 * Opens one log of a file, and makes it where it is not there yet. Many processes may append at once: each
 * append is one step of the file. `close` leaves the file open, for others may use it.
 * Fails with `refused` where the log was made with another number of partitions.
 */
export const openSqliteRecordLog = async (
  file: SqliteFile,
  options: SqliteRecordLogOptions,
): Promise<Result<SqliteRecordLog, SqliteProblem>> => {
  const { name, partitions, nowMs, sleep, leaseMs = leaseMsDefault } = options;
  const table = recordTable(file);
  const ids = await partitionIds(file, name, partitions);
  if (!ids.ok) return ids;
  const subscriptions = new Set<(reason: Ending) => Promise<void>>();
  const closedProblem = { code: 'closed', message: `${name} is closed` } as const;
  let closed = false;

  const idOf = (partition: number): number => {
    const id = ids.value[partition];
    if (id === undefined) throw new RangeError(`${name} has no partition ${partition}`);
    return id;
  };

  const ask = async <Value>(work: () => Value): Promise<Result<Value, ReadProblem>> => {
    if (closed) return fail(closedProblem);
    const done = await file.read(work);
    return done.ok ? done : fail(toReadProblem(done.problem));
  };

  const append: RecordLog['append'] = async (partition, records) => {
    const id = idOf(partition);
    if (closed) return fail({ code: 'unreachable', message: closedProblem.message });
    if (records.length === 0) return ok([]);
    const bytes = appendBytes(records);
    if (bytes > appendBytesMax)
      return fail({
        code: 'refused',
        message: `${bytes} bytes in one append to ${name}; ${appendBytesMax} is the most`,
      });
    const appended = await file.write(() => table.append(id, records, nowMs()));
    return appended.ok ? appended : fail(toAppendProblem(appended.problem));
  };

  const read: RecordLog['read'] = async (partition, from, recordsMax) => {
    const id = idOf(partition);
    const found = await ask(() => table.read(id, from, recordsMax));
    if (!found.ok) return found;
    return found.value.ok ? ok(found.value.value.records) : found.value;
  };

  const readBatch = async (
    partition: number,
    from: number,
    recordsMax: number,
    isMine: () => boolean,
  ): Promise<Result<RecordBatch | undefined, ReadProblem>> => {
    const id = idOf(partition);
    const found = await ask(() => (isMine() ? table.read(id, from, recordsMax) : undefined));
    if (!found.ok) return found;
    if (found.value === undefined) return ok(undefined);
    if (!found.value.ok) return found.value;
    const { records, end } = found.value.value;
    return ok(records.length === 0 ? undefined : { partition, records, end });
  };

  const subscribe: RecordLog['subscribe'] = async (group, subscriber) => {
    if (closed) return endedAlready(closedProblem);
    const member = await subscribeSqlite({
      file,
      group,
      subscriber,
      partitionIds: ids.value,
      leaseMs,
      nowMs,
      sleep,
      readBatch: (partition, from, isMine) =>
        readBatch(partition, from, subscriber.batchRecordsMax ?? batchRecordsDefault, isMine),
    });
    subscriptions.add(member.finish);
    void member.subscription.ended.then(() => subscriptions.delete(member.finish));
    return member.subscription;
  };

  const prune: SqliteRecordLog['prune'] = async (partition, appendedBeforeMs) => {
    const id = idOf(partition);
    let pruned = 0;
    for (;;) {
      if (closed) return fail(closedProblem);
      const step = await file.write(() => table.prune(id, appendedBeforeMs));
      if (!step.ok) return fail(toReadProblem(step.problem));
      if (step.value === 0) return ok(pruned);
      pruned += step.value;
    }
  };

  return ok({
    name,
    partitions,
    append,
    read,
    range: async (partition) => {
      const id = idOf(partition);
      return ask(() => table.range(id));
    },
    subscribe,
    prune,
    close: async () => {
      closed = true;
      await Promise.all([...subscriptions].map((finish) => finish(closedProblem)));
    },
  });
};

const partitionIds = async (
  file: SqliteFile,
  name: string,
  partitions: number,
): Promise<Result<readonly number[], SqliteProblem>> => {
  const table = recordTable(file);
  const known = await file.read(() => table.partitionIds(name));
  if (!known.ok) return known;
  const ids =
    known.value.length > 0
      ? known
      : await file.write(() => {
          // Someone else may have made it since we looked.
          if (table.partitionIds(name).length === 0) table.define(name, partitions);
          return table.partitionIds(name);
        });
  if (!ids.ok || ids.value.length === partitions) return ids;
  return fail({
    code: 'refused',
    message: `${name} in ${file.path} has ${ids.value.length} partitions, not ${partitions}`,
  });
};

const endedAlready = (problem: ReadProblem): Subscription => ({
  owned: () => [],
  hint: async () => undefined,
  ended: Promise.resolve(problem),
  stop: async () => undefined,
});
