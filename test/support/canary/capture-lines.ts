// Captures by hand: one export of one server a line, as small as OTLP allows.

export const captureSinceMs: number = Date.UTC(2026, 10, 20, 10);

export type Export = {
  readonly version: string;
  readonly instance?: string;
  /** Seconds after the start. */
  readonly at: number;
  readonly from?: number;
  readonly requests: number;
  readonly errors: number;
  readonly isCumulative?: boolean;
  readonly component?: string;
};

const nanos = (second: number): string => `${captureSinceMs + Math.round(second * 1000)}000000`;
const text = (key: string, value: string): object => ({ key, value: { stringValue: value } });

export const everySeconds = 5;

/** A line of a capture. */
export const lineOf = ({
  version,
  instance = 'pod-1',
  at,
  from = at - everySeconds,
  requests,
  errors,
  isCumulative = false,
  component = 'checkout',
}: Export): string => {
  const point = (count: number, status: number): object => ({
    attributes: [{ key: 'http.response.status_code', value: { intValue: String(status) } }],
    startTimeUnixNano: nanos(from),
    timeUnixNano: nanos(at),
    count: String(count),
    sum: count / 10,
  });
  return JSON.stringify({
    resourceMetrics: [
      {
        resource: {
          attributes: [
            text('service.name', component),
            text('service.version', version),
            text('service.instance.id', instance),
            text('deployment.environment.name', 'production'),
          ],
        },
        scopeMetrics: [
          {
            scope: { name: 'test' },
            metrics: [
              {
                name: 'http.server.request.duration',
                unit: 's',
                histogram: {
                  dataPoints: [point(requests - errors, 200), point(errors, 500)],
                  aggregationTemporality: isCumulative ? 2 : 1,
                },
              },
            ],
          },
        ],
      },
    ],
  });
};

export const canaryVersion = '2.0.0';
export const baselineVersion = '1.9.4';

/** Two servers, one of each version: so many requests an export, and these errors. */
export const twoServers = (
  seconds: number,
  errors: { readonly canary: number; readonly baseline: number },
  requests = 100,
): readonly string[] =>
  Array.from({ length: Math.floor(seconds / everySeconds) }, (_, index) => {
    const at = (index + 1) * everySeconds;
    // Not both at the same moment.
    return [
      lineOf({
        version: canaryVersion,
        at: at - 1,
        from: Math.max(0, at - 1 - everySeconds),
        requests,
        errors: errors.canary,
      }),
      lineOf({
        version: baselineVersion,
        at: at - 2,
        from: Math.max(0, at - 2 - everySeconds),
        requests,
        errors: errors.baseline,
      }),
    ];
  }).flat();
