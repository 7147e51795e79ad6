import type { LogRecord } from '../log/record.ts';
import { isOperation } from '../markers/kinds.ts';
import { headerNames } from '../markers/wire.ts';
import type { Trust } from '../trust/trust.ts';
import type { Checked } from './check-batch.ts';
import type { Authentic } from './check-record.ts';

/** Records that were checked lately: who sends the same bytes again, as producers do that heard no answer, need not be decoded. */
export type Repeats = {
  /** What came of the very same bytes under the very same key, or undefined: it has to be checked. */
  readonly of: (record: LogRecord, trust: Trust) => Authentic | undefined;
  readonly keep: (checked: readonly Checked[]) => void;
};

type Kept = { readonly record: LogRecord; readonly authentic: Authentic };

export const createRepeats = (options: {
  readonly recordsMax: number;
  readonly bytesMax: number;
}): Repeats => {
  let young = new Map<number, Kept>();
  let old = new Map<number, Kept>();
  let bytes = 0;
  return {
    of: (record, trust) => {
      const mark = markOf(record);
      const kept = mark === undefined ? undefined : (young.get(mark) ?? old.get(mark));
      if (kept === undefined || !isSame(kept.record, record)) return undefined;
      const { signer } = kept.authentic;
      // The key may have ended meanwhile, and a sealed log takes nothing.
      return trust.sealed === null && trust.keys.get(signer.id) === signer
        ? kept.authentic
        : undefined;
    },
    keep: (checked) => {
      for (const item of checked) {
        // An operation may hang on its place.
        if (item.outcome !== 'authentic' || isOperation(item.authentic.marker)) continue;
        const mark = markOf(item.record);
        if (mark === undefined) continue;
        young.set(mark, { record: item.record, authentic: item.authentic });
        bytes += item.record.value.length;
      }
      if (young.size < options.recordsMax && bytes < options.bytesMax) return;
      old = young;
      young = new Map();
      bytes = 0;
    },
  };
};

const markBytes = 6;
/** The base64 of a signature ends in two signs of equality. */
const padding = 2;

/**
 * Some bytes of the signature, in 32 bits: nearly unique, and only a first look. Undefined for a record that is not
 * kept: what a deliverer says of waiting hangs on that deliverer's key, too.
 */
const markOf = ({ headers }: LogRecord): number | undefined => {
  let mark: number | undefined;
  for (const { name, value } of headers) {
    if (name === headerNames.waited) return undefined;
    if (name !== headerNames.signature || value.length < markBytes + padding) continue;
    mark = 0;
    const end = value.length - padding;
    for (let at = end - markBytes; at < end; at++) mark = (mark * 61 + (value[at] ?? 0)) | 0;
  }
  return mark;
};

/** The same bytes all over; where it lies and since when may differ. */
const isSame = (a: LogRecord, b: LogRecord): boolean =>
  sameBytes(a.value, b.value) &&
  sameBytes(a.key, b.key) &&
  a.headers.length === b.headers.length &&
  a.headers.every(({ name, value }, at) => {
    const other = b.headers[at];
    return other !== undefined && other.name === name && sameBytes(other.value, value);
  });

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
};
