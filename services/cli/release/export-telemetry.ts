import type { Receipt } from '../../core/markers/http-wire.ts';
import { isUpdate } from '../../core/markers/kinds.ts';
import type { Emittable } from '../../core/markers/marker.ts';
import { ok } from '../../core/result.ts';
import { traceParentOf } from '../../core/markers/wire.ts';
import type { KnownDeployment } from '../../core/telemetry/export/known-deployment.ts';
import { knownFromLine, nothingKnown } from '../../core/telemetry/export/known-deployment.ts';
import { timeOfUuidV7 } from '../../core/uuid-v7-time.ts';
import { askDeployment } from '../../sdk/ask-deployment.ts';
import type { Deadline } from '../../sdk/deadline.ts';
import type { ExportNote, ToExport } from '../../sdk/export-marker.ts';
import { exportMarker } from '../../sdk/export-marker.ts';
import type { CiJob } from '../../sdk/ci/ci-job.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import { readAtHand } from '../reading/reader-at-hand.ts';
import { versionControl } from '../../sdk/ci/version-control.ts';

export type ExportedMarker = {
  readonly job: CiJob | null;
  /** The name that it was planned under here; null: it is not known. */
  readonly deployName: string | null;
  readonly marker: Emittable;
  readonly receipt: Pick<Receipt, 'delivery' | 'attempt' | 'position'>;
  readonly atHand: AtHand | undefined;
};

/** Tells OpenTelemetry of a marker that was stored or kept, by the deadline. What goes wrong is a note; never rejects. */
export const exportTelemetry = async (
  ports: CliPorts,
  deadline: Deadline,
  exported: ExportedMarker,
): Promise<void> => {
  const notes = await notesOf(ports, deadline, exported).catch((fault: unknown) => [
    {
      code: 'internal',
      message: fault instanceof Error ? fault.message : String(fault),
      hint: 'this is a fault of Plimsoll; please report it',
    },
  ]);
  for (const note of notes) ports.note(note);
};

const notesOf = async (
  ports: CliPorts,
  deadline: Deadline,
  exported: ExportedMarker,
): Promise<readonly ExportNote[]> => {
  const { job, deployName, marker, receipt } = exported;
  const { env, tools, clock, httpTo } = ports;
  return exportMarker(
    { text: tools.text, crypto: tools.crypto, httpTo, nowMs: clock.nowMs },
    deadline,
    {
      ...{ env, marker, position: receipt.position, attempt: receipt.attempt },
      traceParent: traceParentOf(env['TRACEPARENT']),
      known: (await deadline.before(0, knownHere(ports, deployName, marker))) ?? null,
      ask: askOf(ports, exported),
      versionControl: versionControl(job),
      run: {
        id: job?.run?.run ?? null,
        url: job?.links.find(({ name }) => name === 'run')?.value ?? null,
      },
    },
  );
};

/** What was planned from this machine. Its id was made when it was planned, and says when that was. */
const knownHere = async (
  { planned }: CliPorts,
  deployName: string | null,
  marker: Emittable,
): Promise<KnownDeployment | null> => {
  if (deployName === null || !isUpdate(marker)) return null;
  const last = await planned.last(deployName);
  const here = last.ok ? last.value : undefined;
  if (here?.deployment !== marker.deployment) return { ...nothingKnown, name: deployName };
  const atMs = timeOfUuidV7(here.deployment);
  return {
    ...nothingKnown,
    name: deployName,
    slot: here.slot,
    version: here.version,
    start: atMs === null ? null : { atMs, from: 'planned' },
  };
};

/** An update does not say what its plan said. Whom it could not be delivered to cannot be asked either. */
const askOf = (
  ports: CliPorts,
  { marker, receipt: { delivery, attempt }, atHand }: ExportedMarker,
): ToExport['ask'] => {
  if (!isUpdate(marker) || delivery !== 'stored') return null;
  const { deployment } = marker;
  const { gateway, tools, clock } = ports;
  if (gateway !== null)
    return (withinMs) => askDeployment(gateway, tools.text, { deployment, attempt }, withinMs);
  return async () => {
    const opened = atHand === undefined ? await ports.atHand(() => undefined) : ok(atHand);
    if (!opened.ok) return null;
    const shown = await readAtHand(opened.value, clock.nowMs()).show(deployment);
    return shown.ok ? knownFromLine(shown.value, attempt) : null;
  };
};
