import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { HttpRequest, HttpResponse } from '../ports/http.ts';
import type { GatewayPorts } from './ports.ts';
import type { Problem } from './problems.ts';

/** The numbers of this process in the format that the collector asks for. */
export const getMetrics = async (
  { writeMetrics }: Pick<GatewayPorts, 'writeMetrics'>,
  request: HttpRequest,
): Promise<Result<HttpResponse, Problem>> => {
  if (writeMetrics === undefined)
    return fail({ code: 'not-found', message: 'there is nothing at this path' });
  const { contentType, body } = await writeMetrics(request.header('accept'));
  return ok({ status: 200, headers: { 'content-type': contentType }, body });
};
