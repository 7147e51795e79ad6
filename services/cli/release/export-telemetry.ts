import type { Receipt } from '../../core/markers/http-wire.ts';
import { isUpdate } from '../../core/markers/kinds.ts';
import type { Emittable } from '../../core/markers/marker.ts';
import { traceParentOf } from '../../core/markers/wire.ts';
import type { KnownDeployment } from '../../core/telemetry/export/known-deployment.ts';
import { knownFromLine, nothingKnown } from '../../core/telemetry/export/known-deployment.ts';
import { timeOfUuidV7 } from '../../core/uuid-v7-time.ts';
import { askDeployment } from '../../sdk/ask-deployment.ts';
import type { Deadline } from '../../sdk/deadline.ts';
import type { ToExport } from '../../sdk/export-marker.ts';
import { exportMarker } from '../../sdk/export-marker.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import { readAtHand } from '../reading/reader-at-hand.ts';
import { versionControl } from '../../sdk/ci/version-control.ts';
import type { Asked } from './deployment-of.ts';

export type ExportedMarker = {
  readonly asked: Pick<Asked, 'job' | 'deployName'>;
  readonly marker: Emittable;
  readonly receipt: Pick<Receipt, 'delivery' | 'attempt' | 'position'>;
  readonly atHand: AtHand | undefined;
};

/** Tells OpenTelemetry of a marker that was stored or kept, by the deadline. What goes wrong is a note. */
export const exportTelemetry = async (
  ports: CliPorts,
  deadline: Deadline,
  exported: ExportedMarker,
): Promise<void> => {
  const { asked, marker, receipt } = exported;
  const { env, tools, clock, httpTo } = ports;
  const { job } = asked;
  const notes = await exportMarker(
    { text: tools.text, crypto: tools.crypto, httpTo, nowMs: clock.nowMs },
    deadline,
    {
      ...{ env, marker, position: receipt.position, attempt: receipt.attempt },
      traceParent: traceParentOf(env['TRACEPARENT']),
      known: await knownHere(ports, asked.deployName, marker),
      ask: askOf(ports, exported),
      versionControl: versionControl(job),
      run: {
        id: job?.run?.run ?? null,
        url: job?.links.find(({ name }) => name === 'run')?.value ?? null,
      },
    },
  );
  for (const note of notes) ports.note(note);
};

/** What was planned from this machine. Its id was made when it was planned, and says when that was. */
const knownHere = async (
  { planned }: CliPorts,
  deployName: string,
  marker: Emittable,
): Promise<KnownDeployment | null> => {
  if (!isUpdate(marker)) return null;
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
  { gateway, tools, clock }: CliPorts,
  { marker, receipt: { delivery, attempt }, atHand }: ExportedMarker,
): ToExport['ask'] => {
  if (!isUpdate(marker) || delivery !== 'stored') return null;
  const { deployment } = marker;
  if (atHand !== undefined)
    return async () => {
      const shown = await readAtHand(atHand, clock.nowMs()).show(deployment);
      return shown.ok ? knownFromLine(shown.value, attempt) : null;
    };
  return gateway === null
    ? null
    : (withinMs) => askDeployment(gateway, tools.text, { deployment, attempt }, withinMs);
};
