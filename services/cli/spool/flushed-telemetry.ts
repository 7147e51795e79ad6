import { readMarker } from '../../core/check/check-record.ts';
import type { Emittable } from '../../core/markers/marker.ts';
import { readHeaders } from '../../core/markers/wire.ts';
import { findMarkerLines } from '../../core/spool/marker-line.ts';
import { decodeSpooled } from '../../core/spool/spooled-marker.ts';
import { isEmittable } from '../../core/telemetry/export/marker-events.ts';
import { ciJob } from '../../sdk/ci/ci-job.ts';
import { openDeadline } from '../../sdk/deadline.ts';
import type { Flushed } from '../../sdk/flush-spool.ts';
import type { CliPorts } from '../ports.ts';
import { exportTelemetry } from '../release/export-telemetry.ts';

/** OpenTelemetry is told of one marker of the spool, once it was tried. */
export type FlushedTelemetry = {
  readonly onFlushed: (flushed: Flushed) => void;
  readonly tell: () => Promise<void>;
};

/** Of the marker in the line that a file begins with. Undefined: there is none. */
export const openFlushedTelemetry = async (
  ports: CliPorts,
  path: string,
): Promise<FlushedTelemetry | undefined> => {
  const marker = await markerIn(ports, path);
  if (marker === undefined) return undefined;
  let became: Flushed | undefined;
  return {
    onFlushed: (flushed) => {
      if (flushed.marker === marker.marker) became = flushed;
    },
    tell: async () => {
      // Another process may have been faster: then it is on the log, and nobody told of it.
      const delivery = became?.delivery ?? 'stored';
      if (delivery !== 'stored' && delivery !== 'waiting') return;
      const deadline = openDeadline(ports, ports.sinceStartMs() + ports.settings.emitWithinMs);
      await exportTelemetry(ports, deadline, {
        ...{ job: ciJob(ports.env), deployName: null, marker, atHand: undefined },
        receipt: {
          delivery: delivery === 'stored' ? 'stored' : 'spooled',
          attempt: null,
          position: became?.position ?? null,
        },
      });
    },
  };
};

const markerIn = async (
  { tools, readPieces, settings: { audience } }: CliPorts,
  path: string,
): Promise<Emittable | undefined> => {
  const lines = findMarkerLines(tools.text);
  let found: readonly (Uint8Array | undefined)[] = [];
  for await (const piece of readPieces(path)) {
    found = lines.add(piece);
    if (found.length > 0) break;
  }
  const [bytes] = found.length > 0 ? found : lines.end();
  const spooled = bytes === undefined ? undefined : decodeSpooled(tools, bytes);
  if (spooled?.ok !== true) return undefined;
  const { record } = spooled.value;
  const headers = readHeaders(tools.text, record);
  const marker = headers.ok ? readMarker(tools, audience, headers.value, record) : headers;
  return marker.ok && isEmittable(marker.value) ? marker.value : undefined;
};
