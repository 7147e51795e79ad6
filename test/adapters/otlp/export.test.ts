import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { logJson, traceJson } from '../../../services/adapters/otlp/export-json.ts';
import { logProtobuf, traceProtobuf } from '../../../services/adapters/otlp/export-protobuf.ts';
import type { MarkerTelemetry } from '../../../services/core/telemetry/export/exported.ts';

// What is written by hand against the protocol's own definitions, which protobufjs reads.

const { root } = protobuf.parse(
  readFileSync(new URL('../../support/otlp/export.proto', import.meta.url), 'utf8'),
);

const text = fc.string({ unit: 'binary', maxLength: 40 }).map((drawn) => drawn.toWellFormed());
const attributes = fc.dictionary(
  text.filter((name) => name !== '__proto__'),
  fc.oneof(
    text,
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
  ),
  { maxKeys: 5 },
);
const hex = (digits: number): fc.Arbitrary<string> =>
  fc
    .uint8Array({ minLength: digits / 2, maxLength: digits / 2 })
    .map((bytes) => Buffer.from(bytes).toString('hex'));
const ms = fc.integer({ min: 1, max: 8_640_000_000_000 });

const telemetry: fc.Arbitrary<MarkerTelemetry> = fc.record({
  resource: attributes,
  span: fc.record({
    ...{ traceId: hex(32), spanId: hex(16), parentSpanId: fc.option(hex(16)), name: text },
    ...{ startMs: ms, endMs: ms, attributes, error: fc.option(text) },
  }),
  event: fc.record({
    ...{ timeMs: ms, observedMs: ms, name: text, body: text, attributes },
    severity: fc.constantFrom('INFO', 'WARN', 'ERROR'),
    within: fc.option(fc.record({ traceId: hex(32), spanId: hex(16), isSampled: fc.boolean() })),
  }),
});

/** Ids as hex digits, 64-bit integers as texts: what the JSON form has. */
const decoded = (type: string, bytes: Uint8Array): unknown =>
  JSON.parse(
    JSON.stringify(
      root.lookupType(type).toObject(root.lookupType(type).decode(bytes), { longs: String }),
      (_name, value: unknown) =>
        value instanceof Uint8Array || isBufferJson(value) ? hexOf(value) : value,
    ),
  );

const isBufferJson = (value: unknown): value is { readonly data: readonly number[] } =>
  typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';

const hexOf = (value: Uint8Array | { readonly data: readonly number[] }): string =>
  Buffer.from(value instanceof Uint8Array ? value : value.data).toString('hex');

/** Whatever a value is by default protobuf leaves out, and lists that are empty. */
const bare = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([name, item]) =>
          name.endsWith('Value') ||
          (item !== '' && item !== 0 && !(Array.isArray(item) && item.length === 0)),
      )
      .map(([name, item]: [string, unknown]) => [name, bare(item)]),
  );
};

describe('law: both encodings say the same by the protocol’s definitions', () => {
  test.each([
    ['otlp.ExportTraceServiceRequest', traceProtobuf, traceJson],
    ['otlp.ExportLogsServiceRequest', logProtobuf, logJson],
  ] as const)('%s', (type, toProtobuf, toJson) => {
    fc.assert(
      fc.property(telemetry, (told) => {
        const json: unknown = JSON.parse(Buffer.from(toJson(told)).toString('utf8'));
        expect(bare(decoded(type, toProtobuf(told)))).toEqual(bare(json));
      }),
    );
  });
});
