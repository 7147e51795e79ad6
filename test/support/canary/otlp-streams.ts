import { openTelemetryReader } from '../../../services/adapters/otlp/metrics-request.ts';
import type { Policy } from '../../../services/core/canary/policy/policy.ts';
import { selectionOf } from '../../../services/core/canary/policy/selection.ts';
import { compactPoints } from '../../../services/core/samples/compact.ts';
import type { ReceivedPoint } from '../../../services/core/samples/compact.ts';
import type { Points } from '../../../services/core/samples/sample.ts';
import { attributes, DELTA, jsonOf } from '../otlp/requests.ts';
import { openedAt } from './sample-streams.ts';

/** A sender of OTLP: what its resource says beside service and environment, and what it counts, by route. */
export type Sender = {
  readonly name: string;
  readonly resource: Readonly<Record<string, string>>;
  /** Requests and errors of export `index`, by route. */
  readonly routes: (
    index: number,
  ) => Readonly<Record<string, readonly [requests: number, errors: number]>>;
  readonly exports: number;
};

const bounds = [0.1, 0.25, 0.5, 1];

/** One export a second of each sender, as samples have them: through the reader of OTLP and what copies it. */
export const samplesOf = (policy: Policy, senders: readonly Sender[]): readonly Points[] => {
  const read = openTelemetryReader();
  const selection = selectionOf([policy]);
  const received = senders.flatMap((sender) =>
    Array.from({ length: sender.exports }, (_, index): readonly ReceivedPoint[] => {
      const atMs = openedAt + (index + 1) * 1_000 - 100;
      const decoded = read(jsonOf(exportOf(sender, index, atMs)), 'application/json', selection);
      if (!decoded.ok) throw new Error(decoded.problem.message);
      return decoded.value.points.map((point) => ({ point, receivedAt: atMs }));
    }).flat(),
  );
  const inOrder = received.toSorted((a, b) => a.receivedAt - b.receivedAt);
  return compactPoints('local', inOrder).records;
};

const exportOf = ({ name, resource, routes }: Sender, index: number, atMs: number): object => {
  const times = {
    startTimeUnixNano: `${atMs - 1_000}000000`,
    timeUnixNano: `${atMs}000000`,
  };
  const pointOf = (route: string, status: number, count: number): object => ({
    ...times,
    count: String(count),
    sum: count * 0.05,
    bucketCounts: [String(count), '0', '0', '0', '0'],
    explicitBounds: bounds,
    attributes: attributes({ 'http.route': route, 'http.response.status_code': status }),
  });
  const dataPoints = Object.entries(routes(index)).flatMap(([route, [requests, errors]]) => [
    pointOf(route, 200, requests - errors),
    ...(errors > 0 ? [pointOf(route, 500, errors)] : []),
  ]);
  return {
    resourceMetrics: [
      {
        resource: {
          attributes: attributes({
            'service.name': 'checkout',
            'deployment.environment.name': 'production',
            'service.instance.id': name,
            ...resource,
          }),
        },
        scopeMetrics: [
          {
            metrics: [
              {
                name: 'http.server.request.duration',
                unit: 's',
                histogram: { aggregationTemporality: DELTA, dataPoints },
              },
            ],
          },
        ],
      },
    ],
  };
};
