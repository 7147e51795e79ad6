import type { Header, LogRecord } from '../../core/log/record.ts';

/**
 * Whether two records are the same in everything: position, append time, key, headers, value. Headers count in any
 * order: Kafka's client keeps only the order among those of one name.
 */
export const sameRecord = (a: LogRecord | undefined, b: LogRecord | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.position === b.position &&
  a.appendedAtMs === b.appendedAtMs &&
  Buffer.compare(a.key, b.key) === 0 &&
  Buffer.compare(a.value, b.value) === 0 &&
  headersText(a.headers) === headersText(b.headers);

const headersText = (headers: readonly Header[]): string =>
  headers
    .map(({ name, value }) =>
      JSON.stringify([name.toWellFormed(), Buffer.from(value).toString('hex')]),
    )
    .toSorted()
    .join();
