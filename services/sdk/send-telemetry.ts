import { shownUrl } from '../adapters/http/shown-url.ts';
import { logJson, traceJson } from '../adapters/otlp/export-json.ts';
import { logProtobuf, traceProtobuf } from '../adapters/otlp/export-protobuf.ts';
import { isJsonFields, jsonFieldsIn } from '../core/json-text.ts';
import type { Text } from '../core/markers/crypto.ts';
import type { MarkerTelemetry } from '../core/telemetry/export/exported.ts';
import type { OtlpTarget } from '../core/telemetry/export/otlp-targets.ts';
import type { HttpClient } from '../ports/http.ts';

export type TelemetryPorts = {
  readonly text: Text;
  /** A client for one base address, http or https. */
  readonly httpTo: (baseUrl: string) => HttpClient;
};

/** Sends what a marker comes to, once to each receiver at the same time. Answers what went wrong, in sentences. */
export const sendTelemetry = async (
  ports: TelemetryPorts,
  targets: readonly OtlpTarget[],
  telemetry: MarkerTelemetry,
  withinMs: number,
): Promise<readonly string[]> => {
  const sent = await Promise.all(
    targets.flatMap((target) => {
      const body = bodyFor(target, telemetry);
      return body === undefined ? [] : [sendTo(ports, target, body, withinMs)];
    }),
  );
  // Both go to one receiver most of the time, and are refused alike.
  return [...new Set(sent.flatMap((fault) => fault ?? []))];
};

const bodyFor = (
  { signal, encoding }: OtlpTarget,
  telemetry: MarkerTelemetry,
): Uint8Array | undefined => {
  const isJson = encoding === 'json';
  switch (signal) {
    case 'traces':
      if (telemetry.span === null) return undefined;
      return isJson ? traceJson(telemetry) : traceProtobuf(telemetry);
    case 'logs':
      return isJson ? logJson(telemetry) : logProtobuf(telemetry);
  }
};

/** Undefined: it was taken. Nothing is tried twice: a pipeline has no time for it, and a marker is worth more. */
const sendTo = async (
  { text, httpTo }: TelemetryPorts,
  target: OtlpTarget,
  body: Uint8Array,
  withinMs: number,
): Promise<string | undefined> => {
  const contentType = target.encoding === 'json' ? 'application/json' : 'application/x-protobuf';
  const headers = { ...target.headers, 'content-type': contentType };
  const request = { method: 'POST' as const, path: target.path, headers, body };
  const allowedMs = Math.min(withinMs, target.withinMs ?? withinMs);
  const answer = await httpTo(target.base)(request, allowedMs);
  if (!answer.ok) return answer.problem.message;
  const { status, header } = answer.value;
  const where = shownUrl(target.base);
  if (status < 200 || status >= 300) return `${where}: it answered ${status}`;
  const said = header('content-type') ?? '';
  if (answer.value.body.length === 0) return undefined;
  const isJson = said.startsWith('application/json');
  // Whoever says yes to everything, as the page of a network that wants a login does, has taken nothing.
  if (!isJson && !said.startsWith('application/x-protobuf'))
    return `${where}: the answer is not that of an OTLP receiver`;
  const rejects = isJson
    ? rejectsInJson(text.decodeUtf8(answer.value.body) ?? '')
    : rejectsInProtobuf(answer.value.body);
  return rejects ? `${where}: it did not take it` : undefined;
};

// `partialSuccess`, https://opentelemetry.io/docs/specs/otlp/#partial-success-1. All that was sent is one span or one
// record, so what was taken in part was not taken.

const rejectsInJson = (said: string): boolean => {
  const partial = jsonFieldsIn(said)?.['partialSuccess'];
  const rejected = isJsonFields(partial)
    ? (partial['rejectedSpans'] ?? partial['rejectedLogRecords'] ?? 0)
    : 0;
  return Number(rejected) > 0;
};

/** Field 1 is the message, and its field 1 how many were rejected: anything but 0 there. */
const rejectsInProtobuf = ([partial, , rejected, count = 0]: Uint8Array): boolean =>
  partial === 0x0a && rejected === 0x08 && count !== 0;
