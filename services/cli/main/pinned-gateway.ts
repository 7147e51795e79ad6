import { logHeader } from '../../core/markers/http-wire.ts';
import type { HttpClient } from '../../ports/http.ts';

/** A gateway that is asked to answer of one log alone, or of whichever it has where none is pinned. */
export const pinnedGateway = (gateway: HttpClient, logId: string | null): HttpClient =>
  logId === null
    ? gateway
    : (request, withinMs) =>
        gateway({ ...request, headers: { ...request.headers, [logHeader]: logId } }, withinMs);
