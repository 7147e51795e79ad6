import type { LogRecord, NewRecord, Position } from '../../core/log/record.ts';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { Appended, LogRange, ReadProblem } from '../../ports/record-log.ts';
import type { SqliteFile } from './file.ts';
import { StepProblem } from './problem.ts';
import { framedColumns, toRecord, toRow } from './record-row.ts';
import type { FramedRow, RecordRow } from './record-row.ts';

/** Records of one pruning step: short, so that appends get between them. */
const prunedAtOnceMax = 2_000;

/** The tables of the log, asked inside a step of the file. */
export type RecordTable = {
  /** Makes a log that is not there yet. */
  readonly define: (log: string, partitions: number) => void;
  /** The ids of a log's partitions, by number; empty where there is no such log. */
  readonly partitionIds: (log: string) => readonly number[];
  readonly append: (id: number, records: readonly NewRecord[], nowMs: number) => Appended[];
  readonly range: (id: number) => LogRange;
  readonly read: (
    id: number,
    from: Position,
    recordsMax: number,
  ) => Result<{ readonly records: readonly LogRecord[]; readonly end: Position }, ReadProblem>;
  /** Appends records with the positions and times they have; the first must be the next one. */
  readonly copy: (id: number, records: readonly LogRecord[]) => void;
  readonly rename: (from: string, to: string) => void;
  /** Takes away a log that holds nothing. */
  readonly remove: (log: string) => void;
  /** Forgets some of the records appended before a time; answers how many. */
  readonly prune: (id: number, appendedBeforeMs: number) => number;
};

const insertSql = `INSERT INTO log_records (partition_id, position, appended_at_ms, key, headers, value, checksum)
  VALUES (?, ?, ?, ?, ?, ?, ?)`;

type PartitionRow = { start: Position; end: Position; lastAppendedAtMs: number };

export const recordTable = (file: SqliteFile): RecordTable => {
  const partitionOf = (id: number): PartitionRow => {
    const row = file
      .prepare(
        `SELECT start_position AS start, end_position AS "end", last_appended_at_ms AS lastAppendedAtMs
         FROM log_partitions WHERE id = ?`,
      )
      .get(id) as PartitionRow | undefined;
    if (row === undefined) throw new StepProblem('corrupt', `partition ${id} is gone`);
    return row;
  };

  const advance = (id: number, end: Position, lastAppendedAtMs: number): void => {
    file
      .prepare('UPDATE log_partitions SET end_position = ?, last_appended_at_ms = ? WHERE id = ?')
      .run(end, lastAppendedAtMs, id);
  };

  return {
    define: (log, partitions) => {
      const insert = file.prepare(
        `INSERT INTO log_partitions (log, partition, start_position, end_position, last_appended_at_ms)
         VALUES (?, ?, 0, 0, 0) ON CONFLICT DO NOTHING`,
      );
      for (let partition = 0; partition < partitions; partition += 1) insert.run(log, partition);
    },

    partitionIds: (log) =>
      (
        file.prepare('SELECT id FROM log_partitions WHERE log = ? ORDER BY partition').all(log) as {
          id: number;
        }[]
      ).map(({ id }) => id),

    append: (id, records, nowMs) => {
      const { end, lastAppendedAtMs } = partitionOf(id);
      const appendedAtMs = Math.max(lastAppendedAtMs, nowMs);
      const insert = file.prepare(insertSql);
      const appended = records.map((record, index): Appended => {
        const row = toRow(record, end + index, appendedAtMs);
        insert.run(id, row.position, appendedAtMs, row.key, row.headers, row.value, row.checksum);
        return { position: row.position, appendedAtMs };
      });
      advance(id, end + records.length, appendedAtMs);
      return appended;
    },

    copy: (id, records) => {
      const { end, lastAppendedAtMs } = partitionOf(id);
      let latestMs = lastAppendedAtMs;
      const insert = file.prepare(insertSql);
      for (const [index, record] of records.entries()) {
        if (record.position !== end + index)
          throw new RangeError(`record ${record.position} cannot follow at ${end + index}`);
        const row = toRow(record, record.position, record.appendedAtMs);
        insert.run(
          ...[id, row.position, row.appendedAtMs, row.key, row.headers, row.value, row.checksum],
        );
        latestMs = Math.max(latestMs, record.appendedAtMs);
      }
      advance(id, end + records.length, latestMs);
    },

    rename: (from, to) => {
      file.prepare('UPDATE log_partitions SET log = ? WHERE log = ?').run(to, from);
    },

    remove: (log) => {
      file.prepare('DELETE FROM log_partitions WHERE log = ? AND end_position = 0').run(log);
    },

    range: (id) => {
      const { start, end } = partitionOf(id);
      return { start, end };
    },

    read: (id, from, recordsMax) => {
      const { start, end } = partitionOf(id);
      if (from < start)
        return fail({
          code: 'before-start',
          message: `the log begins at position ${start} now; ${from} is gone`,
        });
      if (from > end)
        return fail({ code: 'beyond-end', message: `${from} is past the end, ${end}` });
      const select = file.prepare(
        `SELECT ${framedColumns} FROM log_records
         WHERE partition_id = ? AND position >= ? ORDER BY position LIMIT ?`,
      );
      select.setReturnArrays(true);
      const rows = select.all(id, from, recordsMax) as unknown as FramedRow[];
      checkWhole(rows, from, Math.min(recordsMax, end - from));
      return ok({ records: rows.map(toRecord), end });
    },

    prune: (id, appendedBeforeMs) => {
      const { start, end } = partitionOf(id);
      const oldest = file
        .prepare(
          `SELECT position, appended_at_ms AS appendedAtMs FROM log_records
           WHERE partition_id = ? ORDER BY position LIMIT ?`,
        )
        .all(id, prunedAtOnceMax) as Pick<RecordRow, 'position' | 'appendedAtMs'>[];
      // Times never go back along positions, so the first young one ends what goes.
      const young = oldest.findIndex(({ appendedAtMs }) => appendedAtMs >= appendedBeforeMs);
      const pruned = young === -1 ? oldest.length : young;
      if (pruned === 0) return 0;
      const kept = Math.min(start + pruned, end);
      file.prepare('DELETE FROM log_records WHERE partition_id = ? AND position < ?').run(id, kept);
      file.prepare('UPDATE log_partitions SET start_position = ? WHERE id = ?').run(kept, id);
      return pruned;
    },
  };
};

/** Positions have no gaps: a row that is not where it must be was lost. */
const checkWhole = (rows: readonly FramedRow[], from: Position, expected: number): void => {
  const missing = rows.findIndex(([position], index) => position !== from + index);
  if (missing === -1 && rows.length === expected) return;
  const position = from + (missing === -1 ? rows.length : missing);
  throw new StepProblem('corrupt', `the record at position ${position} is missing`);
};
