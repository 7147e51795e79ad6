import { describe, expect, test } from 'vitest';
import {
  decodeMetricsRequest,
  openTelemetryReader,
} from '../../../services/adapters/otlp/metrics-request.ts';
import type { Boundary } from '../../../services/core/canary/windows/durations.ts';
import { countAbove, totalOf } from '../../../services/core/canary/windows/durations.ts';
import type { RequestPoint } from '../../../services/core/telemetry/point.ts';
import type { Selection } from '../../../services/core/telemetry/telemetry-point.ts';
import { captureSdkExports, type ServedRequest } from '../../support/otlp/sdk-capture.ts';

const resource = {
  'service.name': 'checkout',
  'service.namespace': 'shop',
  'service.version': '2.0.0',
  'service.instance.id': 'checkout-7',
  'deployment.environment.name': 'production',
  'deployment.id': 'd-1',
};

const selection: Selection = {
  metrics: new Map([
    ['http.server.request.duration', ['http.response.status_code']],
    ['process.memory.usage', []],
    ['process.cpu.utilization', []],
  ]),
  levels: new Set(['process.memory.usage', 'process.cpu.utilization']),
  targetAttributes: [],
  usualTargetAttributes: [],
  cohortAttributes: [],
};

const served = (times: number, status: number, seconds: number): readonly ServedRequest[] =>
  Array.from({ length: times }, () => ({
    seconds,
    attributes: { 'http.request.method': 'GET', 'http.response.status_code': status },
  }));

const first = [...served(7, 200, 0.02), ...served(2, 500, 0.3), ...served(1, 404, 0)];
const second = [...served(3, 200, 0.02), ...served(5, 500, 12)];

const pointsIn = (body: Uint8Array): readonly RequestPoint[] => {
  const decoded = decodeMetricsRequest(body, 'application/x-protobuf');
  if (!decoded.ok) throw new Error(decoded.problem.message);
  expect(decoded.value.rejected).toEqual([]);
  expect(decoded.value.dataPoints).toBe(decoded.value.points.length);
  return decoded.value.points;
};

const totals = (points: readonly RequestPoint[]): object => ({
  requests: points.reduce((total, point) => total + point.count, 0),
  errors: points.reduce((total, point) => total + point.errors, 0),
});

describe.each(['explicit', 'exponential'] as const)(
  'the OpenTelemetry SDK, %s buckets',
  (buckets) => {
    test('cumulative exports hold all requests since the start', async () => {
      const settings = { temporality: 'cumulative', buckets, resource } as const;
      const bodies = await captureSdkExports(settings, [first, second]);
      const [one, two] = bodies.map(pointsIn);

      expect(totals(one ?? [])).toEqual({ requests: 10, errors: 2 });
      expect(totals(two ?? [])).toEqual({ requests: 18, errors: 7 });
      expect(new Set(two?.map((point) => point.series))).toEqual(
        new Set(one?.map((point) => point.series)),
      );
      expect(two?.map((point) => point.startMs)).toEqual(one?.map((point) => point.startMs));
    });

    test('delta exports hold the requests since the export before', async () => {
      const settings = { temporality: 'delta', buckets, resource } as const;
      const [one, two] = (await captureSdkExports(settings, [first, second])).map(pointsIn);

      expect(totals(one ?? [])).toEqual({ requests: 10, errors: 2 });
      expect(totals(two ?? [])).toEqual({ requests: 8, errors: 5 });
      expect(two?.[0]?.startMs).toBe(one?.[0]?.timeMs);
    });

    test('exports hold how long the requests took, and levels', async () => {
      const settings = { temporality: 'cumulative', buckets, resource } as const;
      // Its shutdown exports once more.
      const bodies = await captureSdkExports(settings, [first, second]);
      const read = openTelemetryReader();
      const shown = bodies.slice(0, 2).map((body) => {
        const decoded = read(body, 'application/x-protobuf', selection);
        if (!decoded.ok) throw new Error(decoded.problem.message);
        expect(decoded.value.rejected).toEqual([]);
        return decoded.value.points;
      });
      const levelsOf = (metric: string): readonly unknown[] =>
        shown.map((points) => points.find((point) => point.metric === metric)?.value);
      expect(levelsOf('process.memory.usage')).toEqual(
        [1_000, 2_000].map((level) => ({ kind: 'level', level })),
      );
      expect(levelsOf('process.cpu.utilization')).toEqual(
        [0.1, 0.08].map((level) => ({ kind: 'level', level })),
      );

      const failed = shown[1]?.find(({ attributes }) => attributes[0]?.value === '500')?.value;
      if (failed?.kind !== 'durations' || failed.durations === null) throw new Error('no buckets');
      expect(failed).toMatchObject({ count: 7, errors: 7 });
      expect(totalOf(failed.durations)).toBe(7);
      // Two took 0.3 s, five took 12 s. The SDK's own bounds are made for milliseconds.
      const { durations } = failed;
      const boundary: Boundary =
        durations.shape === 'explicit'
          ? { shape: 'explicit', seconds: 10 }
          : { shape: 'exponential', scale: durations.scale, edge: 3 * 2 ** durations.scale };
      expect(countAbove(durations, boundary)).toBe(5);
    });

    test('a point names who sent it', async () => {
      const settings = { temporality: 'delta', buckets, resource } as const;
      const before = Date.now();
      const [body] = await captureSdkExports(settings, [served(1, 503, 0.1)]);
      const [point] = pointsIn(body ?? new Uint8Array());

      expect(point).toMatchObject({
        environment: 'production',
        namespace: 'shop',
        component: 'checkout',
        version: '2.0.0',
        deploymentId: 'd-1',
        instance: 'checkout-7',
        metric: 'http.server.request.duration',
        temporality: 'delta',
        unit: 's',
        count: 1,
        errors: 1,
      });
      expect(point?.series).toMatch(/^[0-9a-f]{64}$/);
      // The SDK counts from when its process began; the clock may have been set right since.
      expect(Math.abs((point?.timeMs ?? 0) - before)).toBeLessThan(60_000);
    });
  },
);
