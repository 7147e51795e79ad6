import type { Header, LogRecord } from './record.ts';

/**
 * Whether two records are the same in everything: position, append time, key, headers, value. Headers count in any
 * order: Kafka's client keeps only the order among those of one name.
 */
export const isSameRecord = (a: LogRecord | undefined, b: LogRecord | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.position === b.position &&
  a.appendedAtMs === b.appendedAtMs &&
  hasSameBytes(a.key, b.key) &&
  hasSameBytes(a.value, b.value) &&
  hasSameHeaders(a.headers, b.headers);

const hasSameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

const hasSameHeaders = (a: readonly Header[], b: readonly Header[]): boolean => {
  const left = [...b];
  return (
    a.length === b.length &&
    a.every((header) => {
      const at = left.findIndex((other) => isSameHeader(header, other));
      if (at !== -1) left.splice(at, 1);
      return at !== -1;
    })
  );
};

/** A lone surrogate in a name has no UTF-8: it travels as U+FFFD. */
const isSameHeader = (a: Header, b: Header): boolean =>
  a.name.toWellFormed() === b.name.toWellFormed() && hasSameBytes(a.value, b.value);
