import { isDeepStrictEqual } from 'node:util';
import type { LogRecord, Position } from '../../core/log/record.ts';
import { ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { ReadProblem } from '../../ports/record-log.ts';
import { fetchBytesMax } from './fetch-answer.ts';
import type { Fetched, PositionReader } from './position-reader.ts';

/** Whoever reads on later than this asks the broker again: a log may be replaced while nobody looks. */
const keptMs = 1_000;
/** More than any batch has. Kafka's number for it has 32 bits. */
const roomBytesMax = 2 ** 30;

/** Reads one partition in pieces of any size. Each piece is of one log: all of it lay there at one moment. */
export type PieceReader = {
  /** Up to `recordsMax` records from a position on; fewer only at the end. */
  readonly read: (
    from: Position,
    recordsMax: number,
    withinMs: number,
  ) => Promise<Result<readonly LogRecord[], ReadProblem>>;
};

/**
 * Batches come whole, so a read may leave some of what was fetched for the next one. Between two fetches the topic may be
 * made anew: each fetch begins with the last record that is held, and where another one lies there now, or none, nothing
 * that is held counts, and the read begins again.
 *
 * `nowMs`: a clock that never goes back, milliseconds.
 */
export const createPieceReader = (
  fetch: PositionReader['fetch'],
  nowMs: () => number,
): PieceReader => {
  let left: readonly LogRecord[] = [];
  let leftUntilMs = 0;
  let roomBytes = fetchBytesMax;

  const leftFrom = (from: Position, recordsMax: number): LogRecord[] => {
    const at = from - (left[0]?.position ?? Infinity);
    return at >= 0 && nowMs() < leftUntilMs ? left.slice(at, at + recordsMax) : [];
  };

  return {
    read: async (from, recordsMax, withinMs) => {
      const deadlineMs = nowMs() + withinMs;
      const records = leftFrom(from, recordsMax);
      while (records.length < recordsMax) {
        const held = records.at(-1);
        const first = held?.position ?? from;
        const fetched = await fetch(first, {
          waitMs: 0,
          withinMs: deadlineMs - nowMs(),
          bytesMax: roomBytes,
        });
        if (held !== undefined && !isStillThere(held, fetched)) {
          left = [];
          records.length = 0;
          continue;
        }
        if (!fetched.ok) return fetched;
        const { records: found, end } = fetched.value;
        const next = from + records.length;
        for (const record of found.slice(next - first, from + recordsMax - first))
          records.push(record);
        // With the last one that is taken: a fold begins its next read with it.
        left = found.slice(from + records.length - 1 - first);
        leftUntilMs = nowMs() + keptMs;
        if (from + records.length >= end) break;
        // The batch of the record that is held may leave no room for the next one.
        if (from + records.length === next) roomBytes = Math.min(2 * roomBytes, roomBytesMax);
      }
      return ok(records);
    },
  };
};

/** Whether the log still has a record where it was. An outage does not say that it has not. */
const isStillThere = (held: LogRecord, fetched: Result<Fetched, ReadProblem>): boolean => {
  if (!fetched.ok) return fetched.problem.code !== 'beyond-end';
  const { records, end } = fetched.value;
  return records[0] === undefined ? end > held.position : isDeepStrictEqual(records[0], held);
};
