import type { LogRecord } from '../core/log/record.ts';
import { headerNames } from '../core/markers/wire.ts';
import { compactPoints } from '../core/samples/compact.ts';
import type { ReceivedPoint } from '../core/samples/compact.ts';
import type { Selection } from '../core/telemetry/telemetry-point.ts';
import type { Stop } from '../ports/clock.ts';
import { appendSamples } from './append-samples.ts';
import { startAt } from './following.ts';
import type { Follower } from './following.ts';
import type { AnalyserPorts } from './ports.ts';
import type { Policies } from './policies.ts';
import type { Tally } from './tally.ts';

/**
 * Copies the points that policies judge out of OTLP into `samples`, each with the append time of the record that brought it. If it
 * ends between append and hint, the points are there twice, and whoever judges takes them once.
 */
export const stageOne = (
  ports: AnalyserPorts,
  stop: Stop,
  policies: Policies,
  rejected: Tally,
): Follower => ({
  startFrom: (partition, hint) => startAt(ports.metrics, partition, hint),
  onBatch: async ({ records }) => {
    const selection = await policies.selection();
    const received = records.flatMap((record) => pointsOf(ports, record, selection, rejected));
    const compacted = compactPoints(ports.audience, received);
    for (const [reason, count] of Object.entries(compacted.rejected)) rejected.add(reason, count);
    await appendSamples(ports, stop, compacted.records);
    return (records.at(-1)?.position ?? -1) + 1;
  },
  onLost: () => undefined,
});

const pointsOf = (
  { tools, readTelemetry, otlpContentTypeOf }: AnalyserPorts,
  record: LogRecord,
  selection: Selection,
  rejected: Tally,
): readonly ReceivedPoint[] => {
  const header = record.headers.find(({ name }) => name === headerNames.contentType);
  const declared = header === undefined ? null : (tools.text.decodeUtf8(header.value) ?? '');
  const contentType = otlpContentTypeOf(declared, record.value);
  if (contentType === null) {
    rejected.add('content-type-unknown', 1);
    return [];
  }
  const decoded = readTelemetry(record.value, contentType, selection);
  if (!decoded.ok) {
    rejected.add(decoded.problem.code, 1);
    return [];
  }
  for (const { reason, count } of decoded.value.rejected) rejected.add(reason, count);
  return decoded.value.points.map((point) => ({
    point,
    receivedAt: record.appendedAtMs,
  }));
};
