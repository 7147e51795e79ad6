/** Buckets of one histogram. */
export const bucketsMax = 320;

/** Counts without the empty ones at both ends: where they begin, and their bytes. */
export type PackedCounts = { readonly first: number; readonly bytes: Uint8Array };

/**
 * Bucket counts as bytes: unsigned LEB128 numbers, and for empty buckets between two others a 0 and how many they are.
 * Counts are whole numbers below 2^53.
 */
export const packCounts = (counts: readonly number[]): PackedCounts => {
  const packed: number[] = [];
  let first = 0;
  let empty = 0;
  for (let index = 0; index < counts.length; index += 1) {
    const count = counts[index] ?? 0;
    if (count === 0) {
      empty += 1;
      continue;
    }
    if (packed.length === 0) {
      first = index;
    } else if (empty > 0) {
      packed.push(0);
      pushNumber(packed, empty);
    }
    empty = 0;
    pushNumber(packed, count);
  }
  return { first, bytes: Uint8Array.from(packed) };
};

const pushNumber = (into: number[], value: number): void => {
  let rest = value;
  while (rest >= 0x80) {
    into.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  into.push(rest);
};

/** The counts that were packed; undefined: `packCounts` writes no such bytes, or not for so few buckets. */
export const unpackCounts = (bytes: Uint8Array): readonly number[] | undefined => {
  const counts: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    const count = numberAt(bytes, at);
    if (count === undefined) return undefined;
    at += bytesOf(count);
    if (count > 0) {
      if (counts.length === bucketsMax) return undefined;
      counts.push(count);
      continue;
    }
    const empty = numberAt(bytes, at);
    // Behind empty buckets there is one that is not, and before them too.
    if (empty === undefined || empty === 0 || counts.at(-1) === undefined || counts.at(-1) === 0)
      return undefined;
    at += bytesOf(empty);
    if (at === bytes.length || counts.length + empty >= bucketsMax) return undefined;
    for (let index = 0; index < empty; index += 1) counts.push(0);
  }
  return counts;
};

/** Undefined: cut off, longer than it needs to be, or beyond 2^53. */
const numberAt = (bytes: Uint8Array, start: number): number | undefined => {
  let value = 0;
  let scale = 1;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    value += (byte % 0x80) * scale;
    if (value > Number.MAX_SAFE_INTEGER) return undefined;
    if (byte < 0x80) return byte === 0 && at > start ? undefined : value;
    scale *= 0x80;
    if (scale > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return undefined;
};

const bytesOf = (value: number): number => {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
};
