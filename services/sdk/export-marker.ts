import type { Crypto } from '../core/markers/crypto.ts';
import type { Emittable } from '../core/markers/marker.ts';
import type { KnownDeployment } from '../core/telemetry/export/known-deployment.ts';
import { nothingKnown } from '../core/telemetry/export/known-deployment.ts';
import { markerTelemetry } from '../core/telemetry/export/marker-telemetry.ts';
import type { ToTell } from '../core/telemetry/export/marker-telemetry.ts';
import { readOtlpTargets } from '../core/telemetry/export/otlp-targets.ts';
import { readTraceParent } from '../core/telemetry/export/trace-context.ts';
import { attributeNames, readResourceAttributes } from '../core/telemetry/resource-attributes.ts';
import type { Deadline } from './deadline.ts';
import type { TelemetryPorts } from './send-telemetry.ts';
import { sendTelemetry } from './send-telemetry.ts';

// Loaded only where an exporter may be configured: see core/telemetry/export/exporter-named.ts.

export type ExportPorts = TelemetryPorts & {
  readonly crypto: Pick<Crypto, 'sha256HexOfText'>;
  readonly nowMs: () => number;
};

export type ToExport = {
  readonly env: { readonly [name: string]: string | undefined };
  readonly marker: Emittable;
  readonly traceParent: string | null;
  /** What is known without asking; null: nothing. */
  readonly known: KnownDeployment | null;
  /** Asks the log for what an update does not say of its deployment; null: nobody can be asked. */
  readonly ask: ((withinMs: number) => Promise<KnownDeployment | null>) | null;
} & Pick<ToTell, 'position' | 'attempt' | 'versionControl' | 'run'>;

/** What there is to say of it, once: no marker was harmed. */
export type ExportNote = { readonly code: string; readonly message: string; readonly hint: string };

/**
 * Tells OpenTelemetry of a marker that was delivered or kept: as a log record, and where a deployment ended as its span.
 * By the deadline; never rejects.
 */
export const exportMarker = async (
  ports: ExportPorts,
  deadline: Deadline,
  toExport: ToExport,
): Promise<readonly ExportNote[]> => {
  const { env } = toExport;
  const { targets, notes } = readOtlpTargets(env);
  if (targets.length === 0) return notes;
  if (deadline.leftMs() <= 0) return [...notes, notTold(['there was no time left'])];
  const work = tell(ports, deadline, toExport, targets);
  const faults = (await deadline.before(0, work.catch(faultOf))) ?? ['no answer in time'];
  return faults.length === 0 ? notes : [...notes, notTold(faults)];
};

const faultOf = (cause: unknown): readonly string[] => [
  cause instanceof Error ? cause.message : String(cause),
];

const tell = async (
  ports: ExportPorts,
  deadline: Deadline,
  toExport: ToExport,
  targets: ReturnType<typeof readOtlpTargets>['targets'],
): Promise<readonly string[]> => {
  const { env, marker, position, attempt, traceParent, versionControl, run } = toExport;
  const environment = readResourceAttributes(env['OTEL_RESOURCE_ATTRIBUTES'] ?? '').attributes;
  const name = env['OTEL_SERVICE_NAME'] ?? '';
  const telemetry = markerTelemetry(ports.crypto.sha256HexOfText, {
    ...{ marker, position, attempt, versionControl, run },
    known: await knownOf(deadline, toExport),
    parent: readTraceParent(traceParent ?? undefined),
    environment: name === '' ? environment : { ...environment, [attributeNames.component]: name },
    nowMs: ports.nowMs(),
  });
  return sendTelemetry(ports, targets, telemetry, deadline.leftMs());
};

/** A third of the time is for asking: what is told without its start is better than what is not told. */
const knownOf = async (deadline: Deadline, { known, ask }: ToExport): Promise<KnownDeployment> => {
  if (ask === null) return known ?? nothingKnown;
  const leftMs = deadline.leftMs();
  const asked = await deadline.before((leftMs * 2) / 3, ask(leftMs / 3));
  return asked ?? known ?? nothingKnown;
};

const notTold = (faults: readonly string[]): ExportNote => ({
  code: 'telemetry-not-sent',
  message: `OpenTelemetry was not told of it: ${faults.join('; ')}`,
  hint: 'the marker is not affected; see OTEL_EXPORTER_OTLP_ENDPOINT (HTTP, usually port 4318)',
});
