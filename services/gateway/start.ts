import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { HttpHandler, HttpServer } from '../ports/http.ts';
import type { GatewayStatus } from './app.ts';
import { createApp } from './app.ts';
import { hostName, isLoopback } from './host.ts';
import type { GatewayPorts } from './ports.ts';

/** Serves a handler; port 0 takes a free one. */
export type Serve = (
  handler: HttpHandler,
  options: {
    readonly host: string;
    readonly port: number;
    readonly onError: (error: unknown) => void;
  },
) => Promise<Result<HttpServer, ServeProblem>>;

type ServeProblem = { readonly code: 'port-taken' | 'refused'; readonly message: string };

export type GatewayStartPorts = GatewayPorts & {
  readonly serve: Serve;
  /** Loopback unless the operator says otherwise: readers need no key here. */
  readonly host: string;
  readonly port: number;
  /** The port of OTLP over HTTP; null: only the main port takes telemetry. */
  readonly otlpPort: number | null;
  /** Told of what should never happen. Never shown to a caller. */
  readonly onError: (error: unknown) => void;
};

export type GatewayProblem = ServeProblem & { readonly hint: string };

export type Gateway = {
  readonly port: number;
  /** Where telemetry is taken: the port of its own, and the main one. */
  readonly otlpPorts: readonly number[];
  readonly status: () => GatewayStatus;
  readonly stop: () => Promise<void>;
};

const stopWithinMs = 5000;

/** Opens the ports, or none of them. */
export const startGateway = async (
  ports: GatewayStartPorts,
): Promise<Result<Gateway, GatewayProblem>> => {
  const { serve, host, port, otlpPort, onError } = ports;
  // A page on the web can give its own name this machine's address; a browser then takes our answers for the page's.
  const isHostKnown = (header: string): boolean =>
    !isLoopback(host) || header === '' || isLoopback(hostName(header));
  const app = createApp(ports, isHostKnown);
  const main = await serve(app.api, { host, port, onError });
  if (!main.ok) return fail({ ...main.problem, hint: 'PLIMSOLL_PORT names another, 0 a free one' });
  const servers = [main.value];
  if (otlpPort !== null) {
    const otlp = await serve(app.telemetry, { host, port: otlpPort, onError });
    if (!otlp.ok) {
      await main.value.close(0);
      return fail({ ...otlp.problem, hint: 'PLIMSOLL_OTLP_PORT names another, 0 a free one' });
    }
    servers.unshift(otlp.value);
  }
  return ok({
    port: main.value.port,
    otlpPorts: servers.map((server) => server.port),
    status: app.status,
    stop: async () => {
      await Promise.all(servers.map((server) => server.close(stopWithinMs)));
    },
  });
};
