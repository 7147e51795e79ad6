import type {
  AttributeValue,
  Attributes,
  MarkerTelemetry,
} from '../../core/telemetry/export/exported.ts';
import { scopeName, severityNumbers } from '../../core/telemetry/export/exported.ts';
import { errorStatus, internalKind, logFlags, nanoseconds, spanFlags } from './export-values.ts';

// OTLP/HTTP in protobuf, the default of exporters; field numbers of opentelemetry-proto 1.x, wire format of
// https://protobuf.dev/programming-guides/encoding/. Fields with their default value are left out, as proto3 has it.

/** An ExportTraceServiceRequest of one span. */
export const traceProtobuf = ({ resource, span }: MarkerTelemetry): Uint8Array =>
  message(
    within(
      1,
      within(1, ...attributes(1, resource)),
      within(
        2,
        within(1, text(1, scopeName)),
        ...(span === null
          ? []
          : [
              within(
                2,
                bytes(1, Buffer.from(span.traceId, 'hex')),
                bytes(2, Buffer.from(span.spanId, 'hex')),
                bytes(4, Buffer.from(span.parentSpanId ?? '', 'hex')),
                text(5, span.name),
                varint(6, internalKind),
                fixed64(7, nanoseconds(span.startMs)),
                fixed64(8, nanoseconds(span.endMs)),
                ...attributes(9, span.attributes),
                span.error === null
                  ? within(15)
                  : within(15, text(2, span.error), varint(3, errorStatus)),
                fixed32(16, spanFlags(span)),
              ),
            ]),
      ),
    ),
  );

/** An ExportLogsServiceRequest of one record. */
export const logProtobuf = ({ resource, event }: MarkerTelemetry): Uint8Array =>
  message(
    within(
      1,
      within(1, ...attributes(1, resource)),
      within(
        2,
        within(1, text(1, scopeName)),
        within(
          2,
          fixed64(1, nanoseconds(event.timeMs)),
          varint(2, severityNumbers[event.severity]),
          text(3, event.severity),
          within(5, anyValue(event.body)),
          ...attributes(6, event.attributes),
          ...(event.within === null
            ? []
            : [
                fixed32(8, logFlags(event.within)),
                bytes(9, Buffer.from(event.within.traceId, 'hex')),
                bytes(10, Buffer.from(event.within.spanId, 'hex')),
              ]),
          fixed64(11, nanoseconds(event.observedMs)),
          text(12, event.name),
        ),
      ),
    ),
  );

const attributes = (field: number, all: Attributes): readonly Buffer[] =>
  Object.entries(all).map(([key, value]) =>
    within(field, text(1, key), within(2, anyValue(value))),
  );

/** Of a `oneof` the default value is written, too: without it there would be no value. */
const anyValue = (value: AttributeValue): Buffer => {
  if (typeof value === 'string') return lengthDelimited(1, Buffer.from(value, 'utf8'));
  if (typeof value === 'boolean')
    return Buffer.concat([tag(2, wireTypes.varint), varintOf(value ? 1n : 0n)]);
  if (Number.isSafeInteger(value))
    return Buffer.concat([tag(3, wireTypes.varint), varintOf(BigInt.asUintN(64, BigInt(value)))]);
  const eight = Buffer.alloc(8);
  eight.writeDoubleLE(value);
  return Buffer.concat([tag(4, wireTypes.fixed64), eight]);
};

const wireTypes = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const;

const nothing = Buffer.alloc(0);

const message = (...fields: readonly Buffer[]): Buffer => Buffer.concat(fields);

const tag = (field: number, wireType: number): Buffer => varintOf(BigInt(field * 8 + wireType));

const lengthDelimited = (field: number, content: Buffer): Buffer =>
  Buffer.concat([tag(field, wireTypes.lengthDelimited), varintOf(BigInt(content.length)), content]);

/** A message inside another one; it is written where it is empty, too. */
const within = (field: number, ...fields: readonly Buffer[]): Buffer =>
  lengthDelimited(field, message(...fields));

const bytes = (field: number, content: Buffer): Buffer =>
  content.length === 0 ? nothing : lengthDelimited(field, content);

const text = (field: number, value: string): Buffer => bytes(field, Buffer.from(value, 'utf8'));

const varint = (field: number, value: number): Buffer =>
  value === 0 ? nothing : Buffer.concat([tag(field, wireTypes.varint), varintOf(BigInt(value))]);

const fixed64 = (field: number, value: bigint): Buffer => {
  const eight = Buffer.alloc(8);
  eight.writeBigUInt64LE(value);
  return Buffer.concat([tag(field, wireTypes.fixed64), eight]);
};

const fixed32 = (field: number, value: number): Buffer => {
  if (value === 0) return nothing;
  const four = Buffer.alloc(4);
  four.writeUInt32LE(value);
  return Buffer.concat([tag(field, wireTypes.fixed32), four]);
};

const varintOf = (value: bigint): Buffer => {
  const sevenBits = 0x7fn;
  const out: number[] = [];
  let rest = value;
  while (rest > sevenBits) {
    out.push(Number(rest & sevenBits) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Buffer.from(out);
};
