import type { TraceContext } from './trace-context.ts';

// What is sent to an OpenTelemetry receiver, before it is encoded. Field names as in opentelemetry-proto 1.x:
// https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto

export type AttributeValue = string | number | boolean;
export type Attributes = { readonly [name: string]: AttributeValue };

/** A span of kind internal. Ids are hex digits, 32 and 16; times milliseconds since 1970. */
export type ExportedSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  /** Null: the status stays unset, as OpenTelemetry wants it of what did not fail. */
  readonly error: string | null;
};

/** An event: a log record with a name. */
export type ExportedEvent = {
  readonly timeMs: number;
  readonly observedMs: number;
  readonly severity: Severity;
  readonly name: string;
  readonly body: string;
  readonly attributes: Attributes;
  /** The span that it belongs to, or null. */
  readonly within: TraceContext | null;
};

export type Severity = 'INFO' | 'WARN' | 'ERROR';

/** https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber */
export const severityNumbers: { readonly [Name in Severity]: number } = {
  INFO: 9,
  WARN: 13,
  ERROR: 17,
};

/** What one marker comes to. */
export type MarkerTelemetry = {
  /** What was deployed. */
  readonly resource: Attributes;
  /** Null: the deployment goes on, or whoever traces it does not want it. */
  readonly span: ExportedSpan | null;
  readonly event: ExportedEvent;
};

/** The instrumentation scope of all of it. */
export const scopeName = 'plimsoll';
