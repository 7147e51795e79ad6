import { streamPath } from '../core/log/record-event.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import { instancesPath } from '../core/instances/instance.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from '../ports/http.ts';
import type { Signal } from '../ports/otlp.ts';
import { openAppender } from './appender.ts';
import { openProblemDoor, problemQuery } from './find-problems.ts';
import { postGate } from './gate.ts';
import { getHealth, getReadiness } from './health.ts';
import { openInstanceDoor } from './instances.ts';
import { isLogMeant } from './log-meant.ts';
import type { List } from './lists.ts';
import {
  changeList,
  componentList,
  currentList,
  deadLetterList,
  decisionList,
  environmentList,
  operationList,
  policyList,
  timelineList,
} from './lists.ts';
import { isJson, postMarker } from './markers.ts';
import { getMetrics } from './metrics.ts';
import { getDecision, getLastGood, lastGoodQuery } from './obeying.ts';
import { openOnBehalfDoor } from './on-behalf.ts';
import type { GatewayPorts } from './ports.ts';
import type { Problem } from './problems.ts';
import { codeHeader } from '../core/markers/http-wire.ts';
import { problemResponse } from './problems.ts';
import { refuseUnknown } from './query.ts';
import { openReadSide } from './read-side.ts';
import {
  getDeadLetter,
  getPolicy,
  getDeployment,
  getKeys,
  getList,
  getRetention,
  listQuery,
} from './reads.ts';
import { openRecent } from './recent.ts';
import { getSchema, listSchemas } from './schemas.ts';
import { openStreamDoor, streamQuery } from './stream.ts';
import type { LeftOutPoints } from './sources.ts';
import { openTelemetry } from './telemetry.ts';

export type GatewayStatus = {
  /** Records that wait for the log, and bodies that wait for the telemetry streams. */
  readonly queued: { readonly markers: number; readonly telemetry: number };
  /** Answers so far: by HTTP status, and by code where something was refused. */
  readonly answers: { readonly [statusOrCode: string]: number };
  /** Who follows the log now. */
  readonly streams: number;
  /** Points of services that their source may not send, by the name of the source. */
  readonly leftOut: LeftOutPoints;
};

export type GatewayApp = {
  /** Everything, telemetry included. */
  readonly api: HttpHandler;
  /** What OTLP senders need, for a port of its own. */
  readonly telemetry: HttpHandler;
  readonly status: () => GatewayStatus;
};

type Answer = Result<HttpResponse, Problem>;

type Route = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Names that the query may have; null: senders put there what they like, and it is not looked at. */
  readonly query: readonly string[] | null;
  readonly answer: (request: HttpRequest, part: string) => Promise<Answer> | Answer;
};

/** The parts of a path that a route can leave open. None needs percent-encoding, so no path is ever decoded. */
const openParts: { readonly [name: string]: RegExp } = {
  '{id}': /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
  '{sha256}': /^[0-9a-f]{64}$/,
  '{position}': /^(?:0|[1-9][0-9]{0,11})$/,
};

/** `isHostKnown` looks at the Host header of each request. */
export const createApp = (
  ports: GatewayPorts,
  isHostKnown: (host: string) => boolean = () => true,
): GatewayApp => {
  const reads = openReadSide(ports);
  const appender = openAppender(ports.log);
  const telemetry = openTelemetry(ports);
  const recent = openRecent();
  const streams = openStreamDoor({ ...ports, reads });
  const answers: Record<string, number> = {};
  const parts = { ...ports, reads, appender, recent, answers: () => ({ ...answers }) };

  const list = (path: string, of: List): Route => ({
    method: 'GET',
    path,
    query: [...of.filters, ...listQuery],
    answer: (request) => getList(reads, of, request),
  });
  const otlp = (path: string, signal: Signal): Route => ({
    method: 'POST',
    path,
    query: null,
    answer: async (request) => ok(await telemetry.post(signal, request)),
  });
  const get = (path: string, query: readonly string[], answer: Route['answer']): Route => ({
    method: 'GET',
    path,
    query,
    answer,
  });

  const health = get('/healthz', [], getHealth);
  const otlpRoutes: readonly Route[] = [
    otlp('/v1/metrics', 'metrics'),
    otlp('/v1/traces', 'traces'),
    otlp('/v1/logs', 'logs'),
  ];
  const { instances } = ports;
  const starts = instances && openInstanceDoor({ ...parts, topic: instances });
  const { problems } = ports;
  const problemRoutes =
    problems === undefined
      ? []
      : [get('/v1/problems', problemQuery, openProblemDoor({ clock: ports.clock, problems }))];
  const instanceRoutes: readonly Route[] =
    starts === undefined
      ? []
      : [{ method: 'POST', path: instancesPath, query: [], answer: starts.post }];
  const { onBehalf } = ports;
  const spoken = onBehalf && openOnBehalfDoor(parts, onBehalf);
  const routes: readonly Route[] = [
    {
      method: 'POST',
      path: '/v1/markers',
      query: [],
      answer: (request) =>
        spoken !== undefined && isJson(request) ? spoken.post(request) : postMarker(parts, request),
    },
    ...instanceRoutes,
    ...problemRoutes,
    list('/v1/current', currentList),
    list('/v1/timeline', timelineList),
    list('/v1/decisions', decisionList),
    list('/v1/dead-letters', deadLetterList),
    list('/v1/changes', changeList),
    list('/v1/operations', operationList),
    list('/v1/policies', policyList),
    list('/v1/environments', environmentList),
    list('/v1/components', componentList),
    get('/v1/deployments/{id}', ['at-least'], (request, id) => getDeployment(reads, request, id)),
    get('/v1/dead-letters/{position}', ['at-least'], (request, position) =>
      getDeadLetter(reads, request, position),
    ),
    get('/v1/policies/{position}', ['at-least'], (request, position) =>
      getPolicy(reads, request, position),
    ),
    get('/v1/decisions/{position}', [], (_request, position) => getDecision(parts, position)),
    get('/v1/last-good', lastGoodQuery, (request) => getLastGood(parts, request)),
    {
      method: 'POST',
      path: '/v1/gate',
      query: [],
      answer: (request) => postGate(parts, request),
    },
    get(streamPath, streamQuery, streams.get),
    get('/v1/keys', ['at-least'], (request) => getKeys(reads, request)),
    get('/v1/retention', ['at-least'], (request) => getRetention(reads, request)),
    get('/v1/schemas', [], () => listSchemas(ports.schemas)),
    get('/v1/schemas/{sha256}', [], (_request, digest) => getSchema(ports.schemas, digest)),
    health,
    get('/readyz', [], () => getReadiness(parts)),
    // Collectors put into the query what they like.
    {
      method: 'GET',
      path: '/metrics',
      query: null,
      answer: (request) => getMetrics(ports, request),
    },
    ...otlpRoutes,
  ];
  const checkLog = (request: HttpRequest): ReturnType<typeof isLogMeant> =>
    isLogMeant(parts, request);

  const count = (response: HttpResponse): HttpResponse => {
    const name = response.headers[codeHeader] ?? String(response.status);
    answers[name] = (answers[name] ?? 0) + 1;
    return response;
  };
  const serve =
    (table: readonly Route[]): HttpHandler =>
    async (request) =>
      count(
        guarded(
          isHostKnown(request.header('host') ?? '')
            ? await answerOf(table, request, checkLog)
            : problemResponse(hostUnknown),
        ),
      );

  return {
    api: serve(routes),
    telemetry: serve([health, ...otlpRoutes]),
    status: () => ({
      queued: { markers: appender.queued(), telemetry: telemetry.queued() },
      answers: { ...answers },
      streams: streams.open(),
      leftOut: telemetry.leftOut(),
    }),
  };
};

const hostUnknown: Problem = {
  code: 'host-unknown',
  message: 'this gateway listens on a loopback address and answers for loopback names alone',
  hint: 'call it by localhost or 127.0.0.1, or say with PLIMSOLL_HOST where it listens',
};

const answerOf = async (
  routes: readonly Route[],
  request: HttpRequest,
  checkLog: (request: HttpRequest) => Promise<Result<void, Problem>>,
): Promise<HttpResponse> => {
  const here = routes.flatMap((route) => {
    const part = matchPath(route.path, request.path);
    return part === undefined ? [] : [{ route, part }];
  });
  if (here.length === 0)
    return problemResponse({ code: 'not-found', message: 'there is nothing at this path' });
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const found = here.find(({ route }) => route.method === method);
  if (found === undefined) return methodNotAllowed(here.map(({ route }) => route.method));
  const { route, part } = found;
  if (route.query !== null) {
    const asked = refuseUnknown(request.query, route.query);
    if (!asked.ok) return problemResponse(asked.problem);
  }
  const meant = ofNoLog.has(route.path) ? ok(undefined) : await checkLog(request);
  if (!meant.ok) return problemResponse(meant.problem);
  const answer = await route.answer(request, part);
  return answer.ok ? answer.value : problemResponse(answer.problem);
};

/** What is answered whatever log is meant: how this gateway is, schemas, and telemetry, whose senders mean none. */
const ofNoLog: ReadonlySet<string> = new Set([
  ...['/healthz', '/readyz', '/metrics', '/v1/schemas', '/v1/schemas/{sha256}'],
  ...['/v1/metrics', '/v1/traces', '/v1/logs'],
]);

/** The open part of the path, or '' where it has none; undefined: another path. Compared as it was sent. */
const matchPath = (pattern: string, path: string): string | undefined => {
  const wanted = pattern.split('/');
  const parts = path.split('/');
  if (wanted.length !== parts.length) return undefined;
  let open = '';
  for (const [index, name] of wanted.entries()) {
    const part = parts[index] ?? '';
    const form = openParts[name];
    if (form === undefined ? part !== name : !form.test(part)) return undefined;
    if (form !== undefined) open = part;
  }
  return open;
};

const methodNotAllowed = (methods: readonly string[]): HttpResponse => {
  const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  const response = problemResponse({
    code: 'method-not-allowed',
    message: `this path takes ${allow.join(', ')}`,
  });
  return { ...response, headers: { ...response.headers, allow: allow.join(', ') } };
};

/** A browser that is led here must show nothing of it as a page, and keep none of it. */
const guarded = (response: HttpResponse): HttpResponse => ({
  ...response,
  headers: {
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    ...response.headers,
  },
});
