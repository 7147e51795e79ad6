import { findMarkerLines } from '../../core/spool/marker-line.ts';
import type { SpooledMarker, SpoolTime, SpoolTools } from '../../core/spool/spooled-marker.ts';
import { decodeSpooled, labelOf, waitedSince } from '../../core/spool/spooled-marker.ts';
import { ok } from '../../core/result.ts';
import { timeOfUuidV7 } from '../../core/uuid-v7-time.ts';
import type { Spool, SpoolEntry } from '../../ports/spool.ts';

// The log of a CI job as a spool: anybody may have written it, so nothing is believed but the form.

export type LogBatch = {
  readonly entries: readonly SpoolEntry[];
  /** Its entries alone; removing and laying aside do nothing: the log stays as it is. */
  readonly spool: Pick<Spool, 'read' | 'remove' | 'refuse'>;
  /** Lines that hold no marker. */
  readonly damaged: number;
};

const batchBytes = 4 * 1024 * 1024;

/** The markers of a log in their order, each once, some megabytes at a time. */
export async function* batchesOfLog(
  tools: SpoolTools,
  now: () => SpoolTime,
  pieces: AsyncIterable<string>,
): AsyncIterable<LogBatch> {
  const lines = findMarkerLines(tools.text);
  const known = new Set<string>();
  let batch = newBatch();
  const take = (found: readonly (Uint8Array | undefined)[]): void => {
    for (const bytes of found) {
      const spooled = bytes === undefined ? undefined : decodeSpooled(tools, bytes);
      if (bytes === undefined || spooled?.ok !== true) {
        batch.damaged += 1;
        continue;
      }
      const name = tools.crypto.sha256Hex(spooled.value.record.value);
      if (known.has(name)) continue;
      known.add(name);
      const { marker } = labelOf(tools.text, spooled.value.record);
      const keyHash = tools.crypto.sha256Hex(spooled.value.record.key);
      batch.entries.push({ name, marker, keyHash, bytes: bytes.length });
      batch.spooled.set(name, spooled.value);
      batch.bytes += bytes.length;
    }
  };
  for await (const piece of pieces) {
    take(lines.add(piece));
    if (batch.bytes < batchBytes) continue;
    yield closed(batch, now);
    batch = newBatch();
  }
  take(lines.end());
  yield closed(batch, now);
}

type OpenBatch = {
  readonly entries: SpoolEntry[];
  readonly spooled: Map<string, SpooledMarker>;
  bytes: number;
  damaged: number;
};

const newBatch = (): OpenBatch => ({ entries: [], spooled: new Map(), bytes: 0, damaged: 0 });

const closed = ({ entries, spooled, damaged }: OpenBatch, now: () => SpoolTime): LogBatch => ({
  entries,
  damaged,
  spool: {
    read: async ({ name, marker }) => {
      const found = spooled.get(name);
      if (found === undefined) return ok(undefined);
      const waitedMs = waitedSince(spooledAt(found, marker), now());
      return ok({ ...found, waitedMs, isExpired: false });
    },
    remove: async () => ok(undefined),
    refuse: async () => ok(undefined),
  },
});

const spooledAfterMsMax = 3_600_000;

/**
 * When it was laid down, as the line says, but not before the marker was made, nor more than an hour after: its id, which
 * is signed, begins with that time (UUIDv7). So whoever writes to a log cannot make an old marker young. Without the id's
 * time the line is believed.
 */
const spooledAt = ({ at }: SpooledMarker, marker: string): SpoolTime => {
  const madeAtMs = timeOfUuidV7(marker);
  if (madeAtMs === null) return { wallMs: at.wallMs, boot: null };
  const wallMs = Math.min(Math.max(at.wallMs, madeAtMs), madeAtMs + spooledAfterMsMax);
  return { wallMs, boot: null };
};
