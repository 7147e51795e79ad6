// Requests that nobody sends for the sake of an answer: probes of an orchestrator or a load balancer, and scrapes. Each
// server gets as many of them however few others it has, and they are fast: where the servers of one version are busier,
// its mix of requests is another one, and looks slower.

/** The attribute that travels with a point of such requests. A sender's own attribute of this name is never read. */
export const probeSaid = 'plimsoll.probe';

/** Attributes that tell them. A filter on one of these says by itself which of them are meant. */
export const probeAttributes: readonly string[] = ['http.route', 'rpc.service', 'rpc.method'];

/**
 * Whole routes. Only names that hardly mean anything else: what is taken for a probe is judged by nobody, so no `/live`,
 * `/ping` or `/status`.
 */
const routes: ReadonlySet<string> = new Set([
  ...['/health', '/health/live', '/health/ready', '/health/started', '/health/startup'],
  ...['/health/liveness', '/health/readiness', '/health/check', '/healthcheck', '/health-check'],
  ...['/api/health', '/liveness', '/readiness', '/ready', '/up', '/metrics', '/prometheus'],
  ...['/-/healthy', '/-/ready', '/-/health', '/-/liveness', '/-/readiness', '/-/metrics'],
]);

/** What such routes end with, below whatever a service is mounted at. */
const endings: readonly string[] = [
  ...['/healthz', '/livez', '/readyz', '/startupz'],
  ...['/actuator/health', '/actuator/health/**', '/actuator/health/liveness'],
  ...['/actuator/health/readiness', '/actuator/prometheus', '/actuator/metrics'],
  ...['/q/health', '/q/health/live', '/q/health/ready', '/q/health/started', '/q/metrics'],
];

const healthService = 'grpc.health.v1.Health';

/** `shown`: the value of an attribute of a point, undefined where it has none. */
export const isProbe = (shown: (name: string) => string | undefined): boolean =>
  isProbeRoute(shown('http.route'), shown('http.request.method') ?? shown('http.method')) ||
  shown('rpc.service') === healthService ||
  isHealthMethod(shown('rpc.method'));

const isProbeRoute = (given: string | undefined, method: string | undefined): boolean => {
  if (given === undefined || !isAsking(method)) return false;
  const path = given.toLowerCase().replace(/\/$/, '');
  const route = path.startsWith('/') ? path : `/${path}`;
  return routes.has(route) || endings.some((ending) => route.endsWith(ending));
};

/** A method that is not told says nothing against it. */
const isAsking = (method: string | undefined): boolean =>
  method === undefined || method === 'GET' || method === 'HEAD';

/** Today's name of a method has its service before it. */
const isHealthMethod = (method: string | undefined): boolean =>
  method !== undefined && method.replace(/^\//, '').startsWith(`${healthService}/`);
