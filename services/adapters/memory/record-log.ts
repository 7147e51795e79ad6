import { appendBytes, appendBytesMax } from '../../core/log/append-size.ts';
import { batchRecordsDefault } from '../../core/log/batch-size.ts';
import type { LogRecord, NewRecord, Position } from '../../core/log/record.ts';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type {
  Appended,
  ReadProblem,
  RecordBatch,
  RecordLog,
  Subscriber,
  Subscription,
} from '../../ports/record-log.ts';
import { createFollowing } from '../following/following.ts';
import type { Following } from '../following/following.ts';

export type MemoryRecordLog = RecordLog & {
  /** Forgets records appended before the given time, milliseconds since 1970; answers how many. */
  readonly prune: (
    partition: number,
    appendedBeforeMs: number,
  ) => Promise<Result<number, ReadProblem>>;
};

type Partition = { start: Position; readonly records: LogRecord[]; lastAppendedAtMs: number };
type Group = { readonly members: Following[]; readonly hints: Map<number, Position> };

/**
 * A log in the memory of one process, for tests and simulation: the same calls give the same records, and
 * batches travel by microtasks alone, so no timer takes part.
 */
export const createMemoryRecordLog = (options: {
  readonly name: string;
  readonly partitions: number;
  readonly nowMs: () => number;
}): MemoryRecordLog => {
  const partitions = Array.from({ length: options.partitions }, (): Partition => {
    return { start: 0, records: [], lastAppendedAtMs: 0 };
  });
  const groups = new Map<string, Group>();
  let closed = false;

  const at = (partition: number): Partition => {
    const found = partitions[partition];
    if (found === undefined) throw new RangeError(`${options.name} has no partition ${partition}`);
    return found;
  };
  const closedProblem = { code: 'closed', message: `${options.name} is closed` } as const;

  const append = (
    partition: number,
    records: readonly NewRecord[],
  ): Result<readonly Appended[], { code: 'unreachable' | 'refused'; message: string }> => {
    const log = at(partition);
    if (closed) return fail({ code: 'unreachable', message: closedProblem.message });
    const bytes = appendBytes(records);
    if (bytes > appendBytesMax)
      return fail({
        code: 'refused',
        message: `${bytes} bytes in one append to ${options.name}; ${appendBytesMax} is the most`,
      });
    const appendedAtMs = Math.max(log.lastAppendedAtMs, options.nowMs());
    log.lastAppendedAtMs = appendedAtMs;
    const appended = records.map((record): Appended => {
      const position = log.start + log.records.length;
      log.records.push({ ...copyOf(record), position, appendedAtMs });
      return { position, appendedAtMs };
    });
    for (const group of groups.values()) group.members[0]?.wake();
    return ok(appended);
  };

  const read = (
    partition: number,
    from: Position,
    recordsMax: number,
  ): Result<readonly LogRecord[], ReadProblem> => {
    const { start, records } = at(partition);
    if (closed) return fail(closedProblem);
    const end = start + records.length;
    if (from < start)
      return fail({
        code: 'before-start',
        message: `the log begins at position ${start} now; ${from} is gone`,
      });
    if (from > end) return fail({ code: 'beyond-end', message: `${from} is past the end, ${end}` });
    return ok(records.slice(from - start, from - start + recordsMax));
  };

  const readBatch = (
    partition: number,
    from: Position,
    recordsMax: number,
  ): Result<RecordBatch | undefined, ReadProblem> => {
    const records = read(partition, from, recordsMax);
    if (!records.ok) return records;
    if (records.value.length === 0) return ok(undefined);
    const { start, records: held } = at(partition);
    return ok({ partition, records: records.value, end: start + held.length });
  };

  const groupOf = (name: string): Group => {
    const group = groups.get(name) ?? { members: [], hints: new Map<number, Position>() };
    groups.set(name, group);
    return group;
  };

  /** The member that came first owns every partition; the others stand by. */
  const handOver = (group: Group): void => {
    for (const partition of partitions.keys())
      group.members[0]?.take(partition, group.hints.get(partition) ?? null);
  };

  const subscribe = (groupName: string, subscriber: Subscriber): Subscription => {
    const group = groupOf(groupName);
    const following = createFollowing({
      subscriber,
      read: async (partition, from) =>
        readBatch(partition, from, subscriber.batchRecordsMax ?? batchRecordsDefault),
      release: async () => {
        group.members.splice(group.members.indexOf(following), 1);
        handOver(group);
      },
    });
    group.members.push(following);
    if (closed) void following.finish(closedProblem);
    else handOver(group);
    return {
      owned: following.owned,
      hint: async (partition, position) => {
        if (following.owned().includes(partition)) group.hints.set(partition, position);
      },
      ended: following.ended,
      stop: () => following.finish(undefined),
    };
  };

  return {
    name: options.name,
    partitions: options.partitions,
    append: async (partition, records) => append(partition, records),
    read: async (partition, from, recordsMax) => read(partition, from, recordsMax),
    range: async (partition) => {
      const { start, records } = at(partition);
      return closed ? fail(closedProblem) : ok({ start, end: start + records.length });
    },
    subscribe: async (group, subscriber) => subscribe(group, subscriber),
    prune: async (partition, appendedBeforeMs) => {
      const log = at(partition);
      if (closed) return fail(closedProblem);
      const kept = log.records.findIndex((record) => record.appendedAtMs >= appendedBeforeMs);
      const pruned = log.records.splice(0, kept === -1 ? log.records.length : kept).length;
      log.start += pruned;
      return ok(pruned);
    },
    close: async () => {
      closed = true;
      const members = [...groups.values()].flatMap((group) => group.members);
      await Promise.all(members.map((member) => member.finish(closedProblem)));
    },
  };
};

/** The caller may reuse its buffers; what lies on the log must not change with them. */
const copyOf = (record: NewRecord): NewRecord => ({
  key: Uint8Array.from(record.key),
  headers: record.headers.map(({ name, value }) => ({ name, value: Uint8Array.from(value) })),
  value: Uint8Array.from(record.value),
});
