import { jsonFieldsIn } from '../json-text.ts';
import type { LogRecord, Position } from '../log/record.ts';
import { headerNames } from '../markers/wire.ts';
import { positionKey } from '../read-models.ts';
import type { CheckTools, Signed } from './check-record.ts';

// What came of signature checks, kept for the next fold of the same bytes. A hint: losing it costs time, never truth.

/** Raise it when a signature check could come out otherwise than before for the same bytes. */
const checksVersion = 1;

/** A range is whole from so many records on; a shorter one grows with what follows it. */
export const rangeRecordsMin = 200;
/** No range is longer. */
export const rangeRecordsMax = 2_000;

/**
 * What came of one record's checks: `-` none was made (something else was wrong before), `g` the value's was good,
 * `b` it was bad, `w` the value's and the waiting time's were good, `x` the value's was good and the other bad.
 */
export type SignatureOutcome = '-' | 'g' | 'b' | 'w' | 'x';

/** The records [from, to), and what came of their checks. */
export type RememberedRange = {
  readonly from: Position;
  readonly to: Position;
  /** How the digest was cut: so many records at a time. */
  readonly parts: readonly number[];
  /** SHA-256, 64 hex digits; over what, says `extendDigest`. */
  readonly digest: string;
  /** One a record. */
  readonly outcomes: readonly SignatureOutcome[];
};

export const rangesPrefix = (logId: string): string => `checks/${checksVersion}/${logId}/`;
export const rangeKey = (logId: string, from: Position): string =>
  `${rangesPrefix(logId)}${positionKey(from)}`;

type Tools = Pick<CheckTools, 'crypto' | 'text'>;

/** The digest of an empty range. It binds everything that a check depends on beside the bytes and the key. */
export const beginDigest = (
  { crypto, text }: Tools,
  audience: string,
  logId: string,
  from: Position,
): string =>
  crypto.sha256Hex(
    text.encodeUtf8(JSON.stringify(['checks', checksVersion, audience, logId, from])),
  );

const signedHeaders: readonly string[] = [
  headerNames.schema,
  headerNames.signature,
  headerNames.waited,
];

/**
 * SHA-256 over the digest so far and, of each record, the value and the headers that a signature check reads: number
 * of the header, length and bytes, the value as number 0. The key's id, which is made of the key, is in its header.
 */
export const extendDigest = (
  { crypto, text }: Tools,
  digest: string,
  records: readonly LogRecord[],
): string => {
  const pieces: { readonly mark: number; readonly bytes: Uint8Array }[] = [];
  let length = digest.length;
  const put = (mark: number, bytes: Uint8Array): void => {
    pieces.push({ mark, bytes });
    length += markBytes + bytes.length;
  };
  for (const { value, headers } of records) {
    put(0, value);
    for (const header of headers) {
      const mark = signedHeaders.indexOf(header.name) + 1;
      if (mark > 0) put(mark, header.value);
    }
  }
  const all = new Uint8Array(length);
  all.set(text.encodeUtf8(digest));
  const view = new DataView(all.buffer);
  let at = digest.length;
  for (const { mark, bytes } of pieces) {
    view.setUint8(at, mark);
    view.setUint32(at + 1, bytes.length);
    all.set(bytes, at + markBytes);
    at += markBytes + bytes.length;
  }
  return crypto.sha256Hex(all);
};

const markBytes = 5;

/** Whether these are the bytes that the range was remembered for. `records` are those from `range.from` on. */
export const rangeHolds = (
  tools: Tools,
  audience: string,
  logId: string,
  range: RememberedRange,
  records: readonly LogRecord[],
): boolean => {
  let digest = beginDigest(tools, audience, logId, range.from);
  let at = 0;
  for (const part of range.parts) {
    digest = extendDigest(tools, digest, records.slice(at, at + part));
    at += part;
  }
  return digest === range.digest;
};

/** What a remembered letter says of one check; undefined: it was not made. */
export const outcomeSays = (
  outcome: SignatureOutcome | undefined,
  signed: Signed,
): boolean | undefined => {
  switch (outcome) {
    case 'g':
      return signed === 'value' ? true : undefined;
    case 'b':
      return signed === 'value' ? false : undefined;
    case 'w':
      return true;
    case 'x':
      return signed === 'value';
    case '-':
    case undefined:
      return undefined;
  }
};

/** The letter after one more check of the same record. */
export const outcomeWith = (
  before: SignatureOutcome,
  signed: Signed,
  isGood: boolean,
): SignatureOutcome => {
  if (signed === 'value') return isGood ? 'g' : 'b';
  // The waiting time is only looked at where the value's signature was good.
  if (before === 'b') return before;
  return isGood ? 'w' : 'x';
};

/** A range as it is kept. */
export const writeRange = ({ to, parts, digest, outcomes }: RememberedRange): string =>
  JSON.stringify({
    version: checksVersion,
    to,
    parts: shorten(parts.map(String)).join(),
    digest,
    outcomes: shorten(outcomes).join(),
  });

/** `3x200`: three times the same; alone it stands for itself. */
const shorten = (items: readonly string[]): readonly string[] => {
  const runs: { readonly item: string; count: number }[] = [];
  for (const item of items) {
    const last = runs.at(-1);
    if (last?.item === item) last.count += 1;
    else runs.push({ item, count: 1 });
  }
  return runs.map(({ item, count }) => (count === 1 ? item : `${count}x${item}`));
};

const lengthen = (text: string, itemPattern: RegExp): readonly string[] | undefined => {
  const items: string[] = [];
  for (const run of text.split(',')) {
    const found = /^(?:([1-9][0-9]{0,3})x)?(.+)$/.exec(run);
    const item = found?.[2] ?? '';
    const count = Number(found?.[1] ?? 1);
    if (!itemPattern.test(item) || items.length + count > rangeRecordsMax) return undefined;
    for (let done = 0; done < count; done++) items.push(item);
  }
  return items;
};

/** Reads a range back; undefined where it is damaged. */
export const readRange = (key: string, value: string): RememberedRange | undefined => {
  const from = Number(/\/([0-9]{12,})$/.exec(key)?.[1] ?? Number.NaN);
  const kept = jsonFieldsIn(value);
  if (kept === undefined || !Number.isSafeInteger(from)) return undefined;
  const { version, to, parts, digest, outcomes } = kept;
  if (version !== checksVersion || typeof to !== 'number') return undefined;
  if (typeof digest !== 'string' || !/^[0-9a-f]{64}$/.test(digest)) return undefined;
  if (typeof parts !== 'string' || typeof outcomes !== 'string') return undefined;
  const counts = lengthen(parts, /^[1-9][0-9]{0,3}$/)?.map(Number);
  const letters = lengthen(outcomes, /^[-gbwx]$/) as readonly SignatureOutcome[] | undefined;
  const records = to - from;
  const isWhole =
    counts !== undefined &&
    letters?.length === records &&
    counts.reduce((sum, count) => sum + count, 0) === records;
  return isWhole ? { from, to, parts: counts, digest, outcomes: letters } : undefined;
};

/**
 * Whether this record's checks are made although they are remembered. The same for the same seed, and spread evenly:
 * the mixing of SplitMix (Steele, Lea and Flood, 2014) with 32 bits.
 */
export const isSampled = (seed: number, share: number, position: Position): boolean => {
  if (share >= 1) return true;
  let mixed = (seed ^ Math.imul(position + 1, 0x9e3779b9)) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0 < share * 2 ** 32;
};
