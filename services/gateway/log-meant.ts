import { logHeader } from '../core/markers/http-wire.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { HttpRequest } from '../ports/http.ts';
import type { GatewayPorts } from './ports.ts';
import type { Problem } from './problems.ts';
import { refuse } from './problems.ts';
import type { ReadSide } from './read-side.ts';

/** Whether this is the log that the caller means, where it says which: who asks another one must not take its answer. */
export const isLogMeant = async (
  { reads, log }: Pick<GatewayPorts, 'log'> & { readonly reads: Pick<ReadSide, 'asOf'> },
  { header }: Pick<HttpRequest, 'header'>,
): Promise<Result<void, Problem>> => {
  const meant = header(logHeader);
  if (meant === undefined) return ok(undefined);
  const asOf = await reads.asOf();
  if (!asOf.ok) return asOf;
  const { logId } = asOf.value.checkpoint;
  return logId === meant
    ? ok(undefined)
    : refuse(
        'foreign-log',
        `${log.name} is the log ${logId}, not the one that is meant`,
        'PLIMSOLL_URL and PLIMSOLL_LOG_ID must be of one installation; plimsoll doctor shows both',
      );
};
