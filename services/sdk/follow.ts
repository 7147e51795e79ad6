import type { Position } from '../core/log/record.ts';
import type { Kind } from '../core/markers/marker.ts';
import type { Stop } from '../ports/clock.ts';
import type { Fact } from './fact.ts';
import type { FollowNote, RecordSource } from './record-source.ts';
import { followingStop } from './following-stop.ts';
import { FollowError } from './record-source.ts';
import { openTrustLog } from './verify.ts';

export type FollowOptions = {
  readonly source: RecordSource;
  /** As PLIMSOLL_AUDIENCE; `local` unless told. */
  readonly audience?: string;
  /** The log that is meant, as PLIMSOLL_LOG_ID; null takes the first that answers, which a caller should say aloud. */
  readonly logId: string | null;
  /** The first position that is wanted: one after the last that was handled. Left out: what comes from now on. */
  readonly from?: Position;
  /** Left out: every kind. */
  readonly kinds?: readonly Kind[];
  /** Ends the following in its own time: an AbortSignal. */
  readonly signal?: Stop;
  /** Outages that are waited out, and records that are no facts. */
  readonly onNote?: (note: FollowNote) => void;
};

/**
 * The facts of the log in their order, and then each new one, once per position. Each was checked here, by keys that were
 * folded here from the log's own records. What is not accepted is told to `onNote` and never handed out. Outages are waited
 * out; a FollowError is thrown for what does not mend so.
 */
export async function* followMarkers(
  options: FollowOptions,
): AsyncGenerator<Fact, void, undefined> {
  const { source, audience = 'local', logId, from = null, kinds = null } = options;
  const note = options.onNote ?? ((): void => undefined);
  const own = followingStop(options.signal);
  const { signal } = own;
  const log = openTrustLog({ audience, logId });
  try {
    for await (const { as, record } of source.carry({ from, kinds, signal, note })) {
      const taken = log.take(record);
      if (taken === undefined) continue;
      if (!taken.ok) {
        const { code, message } = taken.problem;
        if (log.trust() === undefined)
          throw new FollowError(code, `${source.name}: ${message}`, notOpenedHint);
        note({ code, message, position: record.position });
        continue;
      }
      const { marker } = taken.value;
      // Before what was asked for, it only says who may sign.
      const isAsked = as === 'record' && (from === null || record.position >= from);
      if (isAsked && (kinds === null || kinds.includes(marker.kind))) yield taken.value;
    }
  } finally {
    own.abort();
    own.release();
  }
}

const notOpenedHint =
  'are audience, log id and address those of one log? plimsoll show 0 names its id';
