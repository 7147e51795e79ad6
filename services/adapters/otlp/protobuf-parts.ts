import type { Signal } from '../../ports/otlp.ts';
import type { Message, Part } from './message-parts.ts';
import { ProtobufReader } from './protobuf-reader.ts';

/**
 * The fields that hold the parts, from the request inwards: resources, scopes, then spans, log records or metrics;
 * in a metric the data of its type (gauge, sum, histogram, exponential histogram, summary), and in that the points.
 * The numbers are those of the .proto files, where the three signals are alike.
 */
const TO_SCOPE_PARTS: readonly (readonly number[])[] = [[1], [2], [2]];
const PART_FIELDS: { readonly [Name in Signal]: readonly (readonly number[])[] } = {
  metrics: [...TO_SCOPE_PARTS, [5, 7, 9, 10, 11], [1]],
  traces: TO_SCOPE_PARTS,
  logs: TO_SCOPE_PARTS,
};

/** A tag of one byte, and the longest length. */
const HEADER_BYTES_MAX = 6;
const LENGTH_DELIMITED = 2;

/** Splits an export request in protobuf into frame and parts. Throws MalformedProtobuf, here and in `open`. */
export const protobufMessage = (signal: Signal, bytes: Uint8Array): Message => {
  const reader = new ProtobufReader(bytes);
  return messageIn(reader, 0, bytes.byteLength, PART_FIELDS[signal], null);
};

/** The message between two offsets; `field` is its number in the message around it, null for the request. */
const messageIn = (
  reader: ProtobufReader,
  start: number,
  end: number,
  [partFields = [], ...inner]: readonly (readonly number[])[],
  field: number | null,
): Message => {
  const frame: Uint8Array[] = [];
  const parts: Part[] = [];
  reader.at = start;
  while (reader.next(end)) {
    const { tagAt, field: found } = reader;
    if (!partFields.includes(found)) {
      reader.skip(end);
      frame.push(reader.bytes.subarray(tagAt, reader.at));
      continue;
    }
    const partEnd = reader.lengthEnd(end);
    const partStart = reader.at;
    parts.push({
      bytes: reader.bytes.subarray(tagAt, partEnd),
      open: () => (inner.length === 0 ? null : messageIn(reader, partStart, partEnd, inner, found)),
    });
    reader.at = partEnd;
  }
  const header = field === null ? 0 : HEADER_BYTES_MAX;
  return {
    frameBytes: header + lengthOf(frame),
    separatorBytes: 0,
    parts,
    join: (taken) => {
      const fields = [...frame, ...taken];
      return Buffer.concat(
        field === null ? fields : [headerOf(field, lengthOf(fields)), ...fields],
      );
    },
  };
};

const lengthOf = (fields: readonly Uint8Array[]): number =>
  fields.reduce((sum, { byteLength }) => sum + byteLength, 0);

const headerOf = (field: number, length: number): Uint8Array => {
  const bytes = [(field << 3) | LENGTH_DELIMITED];
  let rest = length;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Uint8Array.from([...bytes, rest]);
};
