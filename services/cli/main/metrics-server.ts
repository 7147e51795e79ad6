import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import { hostName, isLoopback } from '../../gateway/host.ts';
import type { HttpHandler, HttpResponse, HttpServer } from '../../ports/http.ts';
import type { WriteMetrics } from '../../ports/own-metrics.ts';
import { readStanding } from '../../projector/standing.ts';
import type { CliPorts, Running, ServiceName } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import type { ServiceComposition } from './composition.ts';
import { openProjection } from './composition.ts';

const closeWithinMs = 1_000;

type StartService = (service: ServiceName) => Promise<Result<Running, CliProblem>>;

/** Starts services as `start` does, and with the first of them the port for their numbers where one is set. */
export const withMetrics = (
  composition: ServiceComposition,
  start: StartService,
): CliPorts['start'] => {
  let server: HttpServer | undefined;
  let isStandingAsked = false;
  return async (service) => {
    const running = await start(service);
    if (!running.ok || server !== undefined) return running;
    const projection = await openProjection(composition);
    // The store is one, however many services look at it: a series that is there twice no collector takes.
    if (projection.ok && !isStandingAsked) {
      isStandingAsked = true;
      composition.metrics.addAsked(() => readStanding(projection.value));
    }
    const served = await serveMetrics(composition);
    if (!served.ok) {
      await running.value.stop();
      return served;
    }
    if (served.value === null) return running;
    server = served.value;
    const { host } = composition.foundation.settings;
    return ok({
      ...running.value,
      lines: [...running.value.lines, `metrics: http://${host}:${server.port}/metrics`],
      stop: async () => {
        await running.value.stop();
        await server?.close(closeWithinMs);
      },
    });
  };
};

export const serveMetrics = async ({
  foundation: { settings },
  metrics,
  note,
}: Pick<ServiceComposition, 'foundation' | 'metrics' | 'note'>): Promise<
  Result<HttpServer | null, CliProblem>
> => {
  const { host, metricsPort: port } = settings;
  if (port === null) return ok(null);
  const { serveHttp } = await import('../../adapters/http/server.ts');
  const served = await serveHttp(metricsApp(metrics.write, host), {
    host,
    port,
    onError: (error) =>
      note({ code: 'internal', message: `metrics: ${String(error)}`, hint: 'please report it' }),
  });
  return served.ok
    ? served
    : refuse(
        served.problem.code,
        served.problem.message,
        'PLIMSOLL_METRICS_PORT names another, 0 a free one',
      );
};

/** `/metrics` and `/healthz`, for services that have no door of their own. */
export const metricsApp =
  (write: WriteMetrics, listensOn: string): HttpHandler =>
  async ({ method, path, header }) => {
    // As at the gateway: a web page that gives its own name our address must not read the answer.
    if (isLoopback(listensOn) && !isLoopback(hostName(header('host') ?? 'localhost')))
      return plain(403, 'this port answers for loopback names alone\n');
    if (method !== 'GET' && method !== 'HEAD') return plain(405, 'this path takes GET, HEAD\n');
    if (path === '/healthz') return plain(200, 'alive\n');
    if (path !== '/metrics') return plain(404, 'there are /metrics and /healthz\n');
    const { contentType, body } = await write(header('accept'));
    return { status: 200, headers: { ...headers, 'content-type': contentType }, body };
  };

const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

const plain = (status: number, body: string): HttpResponse => ({
  status,
  headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' },
  body,
});
