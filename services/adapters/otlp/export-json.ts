import type {
  AttributeValue,
  Attributes,
  MarkerTelemetry,
} from '../../core/telemetry/export/exported.ts';
import { scopeName, severityNumbers } from '../../core/telemetry/export/exported.ts';
import { errorStatus, internalKind, logFlags, nanoseconds, spanFlags } from './export-values.ts';

// OTLP/HTTP in its JSON form: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding (ids as hex digits, 64-bit
// integers as texts, enums as numbers).

/** An ExportTraceServiceRequest of one span. */
export const traceJson = ({ resource, span }: MarkerTelemetry): Uint8Array =>
  utf8({
    resourceSpans: [
      {
        resource: { attributes: attributesJson(resource) },
        scopeSpans: [
          {
            scope: { name: scopeName },
            spans:
              span === null
                ? []
                : [
                    {
                      traceId: span.traceId,
                      spanId: span.spanId,
                      ...(span.parentSpanId === null ? {} : { parentSpanId: span.parentSpanId }),
                      flags: spanFlags(span),
                      name: span.name,
                      kind: internalKind,
                      startTimeUnixNano: String(nanoseconds(span.startMs)),
                      endTimeUnixNano: String(nanoseconds(span.endMs)),
                      attributes: attributesJson(span.attributes),
                      status: span.error === null ? {} : { message: span.error, code: errorStatus },
                    },
                  ],
          },
        ],
      },
    ],
  });

/** An ExportLogsServiceRequest of one record. */
export const logJson = ({ resource, event }: MarkerTelemetry): Uint8Array =>
  utf8({
    resourceLogs: [
      {
        resource: { attributes: attributesJson(resource) },
        scopeLogs: [
          {
            scope: { name: scopeName },
            logRecords: [
              {
                timeUnixNano: String(nanoseconds(event.timeMs)),
                observedTimeUnixNano: String(nanoseconds(event.observedMs)),
                severityNumber: severityNumbers[event.severity],
                severityText: event.severity,
                eventName: event.name,
                body: { stringValue: event.body },
                attributes: attributesJson(event.attributes),
                ...(event.within === null
                  ? {}
                  : {
                      traceId: event.within.traceId,
                      spanId: event.within.spanId,
                      flags: logFlags(event.within),
                    }),
              },
            ],
          },
        ],
      },
    ],
  });

const attributesJson = (attributes: Attributes): readonly object[] =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: valueJson(value) }));

const valueJson = (value: AttributeValue): object => {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
};

const utf8 = (request: object): Uint8Array => Buffer.from(JSON.stringify(request), 'utf8');
