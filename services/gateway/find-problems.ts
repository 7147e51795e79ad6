import { problemLine } from '../core/problems/problem.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { HttpRequest, HttpResponse } from '../ports/http.ts';
import type { GatewayPorts } from './ports.ts';
import type { Problem } from './problems.ts';
import { refuse } from './problems.ts';

const daysDefault = 30;
const daysMax = 3660;
const dayMs = 86_400_000;

/** What `/v1/problems` may be asked: a place, and how far to look back. */
export const problemQuery: readonly string[] = [
  'namespace',
  'environment',
  'component',
  'target',
  'days',
];

type FindPorts = Pick<GatewayPorts, 'clock'> & {
  readonly problems: NonNullable<GatewayPorts['problems']>;
};

/** GET /v1/problems: what is missing or wrong by the read models as they are now. */
export const getProblems = async (
  { problems, clock }: FindPorts,
  { query }: HttpRequest,
): Promise<Result<HttpResponse, Problem>> => {
  const written = query.get('days') ?? String(daysDefault);
  const days = /^[1-9][0-9]{0,3}$/.test(written) ? Number(written) : Number.NaN;
  if (!(days <= daysMax)) return refuse('query-invalid', `days must be 1 to ${daysMax}`);
  const nowMs = clock.nowMs();
  const found = await problems({
    nowMs,
    sinceMs: nowMs - days * dayMs,
    expectations: [],
    filter: {
      namespace: query.get('namespace') ?? null,
      environment: query.get('environment') ?? null,
      component: query.get('component') ?? null,
      target: query.get('target') ?? null,
    },
  });
  if (!found.ok)
    return refuse(
      found.problem.code === 'corrupt' ? 'store-corrupt' : 'not-ready',
      found.problem.message,
    );
  return ok({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      position: found.value.next - 1,
      items: found.value.problems.map(problemLine),
      next: null,
      cut: found.value.cut,
    }),
  });
};
