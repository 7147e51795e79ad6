import type { LogRecord, Position } from '../../core/log/record.ts';

/** Whoever reads on later than this asks the broker again: a log may be replaced while nobody looks. */
const keptMs = 1_000;

/** What was fetched last of each partition: batches come whole, so a read may leave some of it for the next one. */
export type LeftOver = {
  readonly keep: (partition: number, records: readonly LogRecord[]) => void;
  /** The records that are left from a position on; none where that one is not among them. */
  readonly from: (partition: number, from: Position) => LogRecord[];
};

/** `nowMs`: a clock that never goes back, milliseconds. */
export const openLeftOver = (nowMs: () => number): LeftOver => {
  const left = new Map<
    number,
    { readonly records: readonly LogRecord[]; readonly untilMs: number }
  >();
  return {
    keep: (partition, records) => {
      left.set(partition, { records, untilMs: nowMs() + keptMs });
    },
    from: (partition, from) => {
      const { records = [], untilMs = 0 } = left.get(partition) ?? {};
      const at = from - (records[0]?.position ?? Infinity);
      return at >= 0 && nowMs() < untilMs ? records.slice(at) : [];
    },
  };
};
