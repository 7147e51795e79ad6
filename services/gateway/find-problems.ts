import { problemLine } from '../core/problems/problem.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { HttpRequest, HttpResponse } from '../ports/http.ts';
import type { ProblemAnswer, ProblemQuestion } from '../ports/problem-view.ts';
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

/** Looks that wait for their turn; more are refused at once. */
const waitingMax = 20;
/** A clock that was set meanwhile makes no longer rest than this. */
const restMsMax = 2_000;

/**
 * GET /v1/problems: what is missing or wrong by the read models as they are now. A look goes through whole lists, a second
 * of work where they are long; so there is one at a time, and after each the thread is left alone for as long.
 */
export const openProblemDoor = ({
  problems,
  clock,
}: FindPorts): ((request: HttpRequest) => Promise<Result<HttpResponse, Problem>>) => {
  let turn: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  const look = async (question: ProblemQuestion): ReturnType<FindPorts['problems']> => {
    const before = turn;
    const over = Promise.withResolvers<void>();
    turn = over.promise;
    await before;
    const beganMs = clock.nowMs();
    try {
      return await problems(question);
    } finally {
      const tookMs = Math.min(restMsMax, clock.nowMs() - beganMs);
      if (tookMs > 0) void clock.sleep(tookMs).then(over.resolve);
      else over.resolve();
    }
  };

  return async ({ query }) => {
    const question = readQuestion(query, clock.nowMs());
    if (!question.ok) return question;
    if (waiting >= waitingMax)
      return refuse('busy', `${waiting} others look for problems already`, 'ask again in a moment');
    waiting += 1;
    try {
      const found = await look(question.value);
      return found.ok ? ok(answerOf(found.value)) : failedLook(found.problem);
    } finally {
      waiting -= 1;
    }
  };
};

const readQuestion = (
  query: HttpRequest['query'],
  nowMs: number,
): Result<ProblemQuestion, Problem> => {
  const written = query.get('days') ?? String(daysDefault);
  const days = /^[1-9][0-9]{0,3}$/.test(written) ? Number(written) : Number.NaN;
  if (!(days <= daysMax)) return refuse('query-invalid', `days must be 1 to ${daysMax}`);
  return ok({
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
};

const answerOf = ({ next, problems, cut }: ProblemAnswer): HttpResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ position: next - 1, items: problems.map(problemLine), next: null, cut }),
});

const failedLook = ({
  code,
  message,
}: {
  readonly code: string;
  readonly message: string;
}): Result<never, Problem> => refuse(code === 'corrupt' ? 'store-corrupt' : 'not-ready', message);
