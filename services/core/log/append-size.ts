import type { NewRecord } from './record.ts';

/**
 * The most that one append may carry, all its records together: keys, header names and values, values.
 * Every log has the same limit, or an embedded log would take what Kafka (whose batch is all or none, and
 * 1,048,588 bytes by default) refuses. The rest of Kafka's batch is room for its own framing.
 */
export const appendBytesMax = 1_000_000;

/** The bytes of one append that count against `appendBytesMax`. */
export const appendBytes = (records: readonly NewRecord[]): number =>
  records.reduce((bytes, record) => bytes + recordBytes(record), 0);

const recordBytes = (record: NewRecord): number => {
  let bytes = record.key.byteLength + record.value.byteLength;
  // A header name is counted in UTF-16 units: ours are ASCII, and a stranger's differ by little.
  for (const header of record.headers) bytes += header.name.length + header.value.byteLength;
  return bytes;
};
