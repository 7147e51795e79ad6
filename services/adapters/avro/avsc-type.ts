import avsc from 'avsc';
import type { Schema, Type } from 'avsc';
import type { BodyWriter } from './codec.ts';

/** What services write with: avsc compiles a writer of its own for each schema, which takes its time to load. */
export const avscWriter: BodyWriter = ({ text }) => {
  const type = avscType(text);
  return (body) => {
    const buffer = type.toBuffer(body);
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  };
};

/** The type that avsc builds from a schema, for plain objects whose `bytes` are Uint8Arrays. */
export function avscType(text: string): Type {
  return avsc.Type.forSchema(JSON.parse(text) as Schema, {
    wrapUnions: false,
    omitRecordMethods: true,
    // logicalType is a note for readers: the values stay strings and numbers.
    logicalTypes: {},
    typeHook: (schema) => (isBytes(schema) ? new PlainBytes(schema, {}) : undefined),
  });
}

const isBytes = (schema: unknown): boolean => schema === 'bytes';

/** avsc takes Buffers alone; the rules know Uint8Array. */
class PlainBytes extends avsc.types.LogicalType {
  protected override _fromValue(buffer: Buffer): Uint8Array {
    return Uint8Array.from(buffer);
  }
  protected override _toValue(value: unknown): Buffer | undefined {
    return value instanceof Uint8Array
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      : undefined;
  }
}
