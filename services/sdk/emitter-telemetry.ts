import type { Crypto, Text } from '../core/markers/crypto.ts';
import { isUpdate } from '../core/markers/kinds.ts';
import type { Marker } from '../core/markers/marker.ts';
import { mayExport } from '../core/telemetry/export/exporter-named.ts';
import { isEmittable } from '../core/telemetry/export/marker-events.ts';
import type { HttpClient } from '../ports/http.ts';
import { askDeployment } from './ask-deployment.ts';
import type { CiJob, Environment } from './ci/ci-job.ts';
import { versionControl } from './ci/version-control.ts';
import type { Deadline } from './deadline.ts';
import type { ExportNote } from './export-marker.ts';
import type { Sent } from './send-or-keep.ts';

export type EmitterTelemetryPorts = {
  readonly env: Environment;
  readonly job: CiJob | null;
  /** W3C trace context, or null. */
  readonly traceParent: string | null;
  readonly text: Text;
  readonly crypto: Pick<Crypto, 'sha256HexOfText'>;
  readonly httpTo: (baseUrl: string) => HttpClient;
  readonly gateway: HttpClient;
  readonly nowMs: () => number;
  readonly onNote: (note: ExportNote) => void;
};

/** Tells OpenTelemetry of what an emitter sent, where its environment names an exporter. Never rejects. */
export const openEmitterTelemetry = (
  ports: EmitterTelemetryPorts,
): ((deadline: Deadline, marker: Marker, sent: Sent) => Promise<void>) => {
  const { env, job, traceParent, text, gateway, onNote } = ports;
  if (!mayExport(env)) return async () => undefined;
  return async (deadline, marker, sent) => {
    const receipt = sent.outcome === 'taken' ? sent.receipt : null;
    // What was refused or lost is nowhere; what was there already was told when it came.
    const isTold =
      sent.outcome === 'spooled' || (receipt !== null && receipt.delivery === 'stored');
    if (!isTold || !isEmittable(marker)) return;
    const { exportMarker } = await import('./export-marker.ts');
    const attempt = receipt?.attempt ?? null;
    const { deployment } = marker;
    const notes = await exportMarker(ports, deadline, {
      ...{ env, marker, traceParent, attempt, known: null },
      position: receipt?.position ?? null,
      ask:
        receipt !== null && isUpdate(marker) && deployment !== null
          ? (withinMs) => askDeployment(gateway, text, { deployment, attempt }, withinMs)
          : null,
      versionControl: versionControl(job),
      run: {
        id: job?.run?.run ?? null,
        url: job?.links.find(({ name }) => name === 'run')?.value ?? null,
      },
    });
    for (const note of notes) onNote(note);
  };
};
