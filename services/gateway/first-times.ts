import type { Body } from '../core/markers/upcast.ts';
import { readHeaders } from '../core/markers/wire.ts';
import { markerKey } from '../core/projection.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import { readRow } from '../core/row-text.ts';
import type { MarkerRow } from '../core/row-forms/marker.ts';
import { catchUpWithinMs } from './markers.ts';
import type { MarkerPorts } from './markers.ts';
import type { Problem } from './problems.ts';
import { refuse } from './problems.ts';
import { positionOf } from './read-side.ts';

/**
 * When a request that tells no time came first: sent again under the same key it must become the same bytes, or the log
 * would have two that contradict each other.
 */
export type FirstTimes = {
  /** Of a marker of this gateway's principal, milliseconds since 1970: now, where it is new. */
  readonly of: (marker: string) => Promise<Result<number, Problem>>;
};

/** The oldest are forgotten first: by then the read models know them. */
const rememberedMax = 10_000;

export const openFirstTimes = (
  ports: Pick<MarkerPorts, 'log' | 'tools' | 'clock' | 'reads'>,
  principal: string,
): FirstTimes => {
  const remembered = new Map<string, number>();

  const rowOf = async (
    marker: string,
  ): Promise<
    Result<{ readonly row: MarkerRow | undefined; readonly heldUpTo: number }, Problem>
  > => {
    const key = { model: 'marker', key: markerKey(marker, principal) };
    const read = await ports.reads.rows([key]);
    if (!read.ok) return read;
    const [text] = read.value.rows.values();
    const row = text === undefined ? undefined : readRow<MarkerRow>('marker', text);
    return ok({ row, heldUpTo: positionOf(read.value.asOf) });
  };

  /** As the log has it; undefined: it has none. */
  const onLog = async (marker: string): Promise<Result<number | undefined, Problem>> => {
    const range = await ports.log.range(0);
    if (!range.ok) return refuse('log-unreachable', range.problem.message);
    const last = range.value.end - 1;
    let known = await rowOf(marker);
    if (known.ok && known.value.row === undefined && known.value.heldUpTo < last) {
      const reached = await ports.reads.waitFor(last, catchUpWithinMs);
      if (!reached.ok)
        return reached.problem.code === 'not-yet'
          ? refuse(
              'behind',
              `nobody can say yet whether this Idempotency-Key is new: ${reached.problem.message}`,
              'send the same again, or tell occurredAt: then it need not be known',
            )
          : reached;
      known = await rowOf(marker);
    }
    if (!known.ok) return known;
    const { row } = known.value;
    return row === undefined ? ok(undefined) : timeAt(row.position);
  };

  const timeAt = async (position: number): Promise<Result<number | undefined, Problem>> => {
    const read = await ports.log.read(0, position, 1);
    if (!read.ok) return refuse('log-unreachable', read.problem.message);
    const [record] = read.value;
    if (record === undefined) return ok(undefined);
    const headers = readHeaders(ports.tools.text, record);
    if (!headers.ok) return ok(undefined);
    // It was proven when it was folded; its key may have been retired since.
    const decoded = ports.tools.codec.decode(headers.value.schemaDigest, record.value);
    const body = decoded.ok ? (decoded.value.body as Body) : {};
    return ok(typeof body['occurredAt'] === 'number' ? body['occurredAt'] : undefined);
  };

  return {
    of: async (marker) => {
      const known = remembered.get(marker);
      if (known !== undefined) return ok(known);
      const first = await onLog(marker);
      if (!first.ok) return first;
      // Of several that asked at once the first to come here says it for all.
      const at = remembered.get(marker) ?? first.value ?? ports.clock.nowMs();
      remembered.set(marker, at);
      const oldest = remembered.size > rememberedMax ? remembered.keys().next().value : undefined;
      if (oldest !== undefined) remembered.delete(oldest);
      return ok(at);
    },
  };
};
