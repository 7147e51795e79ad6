import { appendBytes, appendBytesMax } from '../core/log/append-size.ts';
import type { LogRecord, Position } from '../core/log/record.ts';
import { isSameRecord } from '../core/log/same-record.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { CopyProblem, CopyTarget } from '../ports/migrating.ts';
import type { ReadProblem, RecordLog } from '../ports/record-log.ts';

/** Records of one read, and of one append as far as their bytes let them. */
const batchRecordsMax = 500;

export type CopyRecordsProblem =
  | CopyProblem
  | ReadProblem
  | { readonly code: 'target-differs'; readonly message: string };

/** Copies a log to a target, further with each call. */
export type Copying = {
  /**
   * Copies records [0, to) from where an earlier run stopped, after comparing what that run copied record by record.
   * Answers how many were copied now. A target that holds more than `to` keeps it.
   */
  readonly upTo: (to: Position) => Promise<Result<number, CopyRecordsProblem>>;
};

export const openCopying = (
  source: Pick<RecordLog, 'read'>,
  target: CopyTarget,
  onProgress: (next: Position, end: Position) => void,
): Copying => {
  /** Records of the target before this one were compared or copied by this run. */
  let known = 0;
  return {
    upTo: async (to) => {
      const range = await target.range(0);
      if (!range.ok) return range;
      const there = Math.min(range.value.end, to);
      const same = await compare(source, target, known, there, (next) => onProgress(next, to));
      if (!same.ok) return same;
      for await (const batch of batchesOf(source, there, to)) {
        if (!batch.ok) return batch;
        for (const part of partsOf(batch.value)) {
          const copied = await target.copy(part);
          if (!copied.ok) return copied;
        }
        onProgress((batch.value.at(-1)?.position ?? to) + 1, to);
      }
      known = Math.max(known, to);
      return ok(to - there);
    },
  };
};

const compare = async (
  source: Pick<RecordLog, 'read'>,
  target: CopyTarget,
  start: Position,
  to: Position,
  onProgress: (next: Position) => void,
): Promise<Result<void, CopyRecordsProblem>> => {
  for await (const batch of batchesOf(source, start, to)) {
    if (!batch.ok) return batch;
    const from = batch.value[0]?.position ?? to;
    const copies = await readAll(target, from, batch.value.length);
    if (!copies.ok) return copies;
    const differs = batch.value.findIndex(
      (record, index) => !isSameRecord(record, copies.value[index]),
    );
    if (differs !== -1)
      return fail({
        code: 'target-differs',
        message: `record ${from + differs} of ${target.address} is not that of the log which is copied`,
      });
    onProgress(from + batch.value.length);
  }
  return ok(undefined);
};

/** Records [from, to), batch by batch. A problem is the last that comes. */
export const batchesOf = async function* (
  log: Pick<RecordLog, 'read'>,
  from: Position,
  to: Position,
): AsyncGenerator<Result<readonly LogRecord[], ReadProblem>> {
  for (let next = from; next < to;) {
    const records = await log.read(0, next, Math.min(batchRecordsMax, to - next));
    if (records.ok && records.value.length === 0) {
      yield fail({ code: 'beyond-end', message: `the log ends at ${next}, before ${to}` });
      return;
    }
    yield records;
    if (!records.ok) return;
    next += records.value.length;
  }
};

const readAll = async (
  log: Pick<RecordLog, 'read'>,
  from: Position,
  count: number,
): Promise<Result<readonly LogRecord[], ReadProblem>> => {
  const records: LogRecord[] = [];
  for await (const batch of batchesOf(log, from, from + count)) {
    if (!batch.ok) return batch;
    records.push(...batch.value);
  }
  return ok(records);
};

/** In parts that one append may carry. */
const partsOf = function* (records: readonly LogRecord[]): Generator<readonly LogRecord[]> {
  let part: LogRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const more = appendBytes([record]);
    if (part.length > 0 && bytes + more > appendBytesMax) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(record);
    bytes += more;
  }
  if (part.length > 0) yield part;
};
