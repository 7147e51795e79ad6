import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeMetricsRequest,
  decodeTelemetry,
  openMetricsReader,
  openTelemetryReader,
} from '../../../services/adapters/otlp/metrics-request.ts';
import { WantedMetrics } from '../../../services/adapters/otlp/wanted-metrics.ts';
import { totalOf } from '../../../services/core/canary/windows/durations.ts';
import type { DecodedMetrics } from '../../../services/core/telemetry/point.ts';
import { pointRefusals } from '../../../services/core/telemetry/point.ts';
import type { PointValue, Selection } from '../../../services/core/telemetry/telemetry-point.ts';
import { anyRequest, anyTelemetry } from '../../support/otlp/arbitraries.ts';
import {
  busyRequest,
  exponentialHistogram,
  goodExponentialPoint,
  goodPoint,
  histogram,
  jsonOf,
  type OtlpRequest,
  protobufOf,
  requestOf,
} from '../../support/otlp/requests.ts';

const PROTOBUF = 'application/x-protobuf';

const valueOf = (decoded: ReturnType<typeof decodeMetricsRequest>): DecodedMetrics => {
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.problem));
  return decoded.value;
};

describe('any request', () => {
  test('gives the same from protobuf and from JSON', () => {
    let taken = 0;
    fc.assert(
      fc.property(anyRequest, (sent) => {
        const decoded = decodeMetricsRequest(protobufOf(sent), PROTOBUF);
        expect(decodeMetricsRequest(jsonOf(sent), 'application/json')).toEqual(decoded);
        taken += valueOf(decoded).points.length;
      }),
      { numRuns: 300 },
    );
    expect(taken).toBeGreaterThan(50);
  });

  test('has all its points either taken or counted as rejected, and never more errors than requests', () => {
    fc.assert(
      fc.property(anyRequest, (sent) => {
        const { points, rejected, dataPoints } = valueOf(
          decodeMetricsRequest(protobufOf(sent), PROTOBUF),
        );
        expect(dataPoints).toBe(pointsIn(sent));
        const refused = rejected.reduce((total, { count }) => total + count, 0);
        expect(points.length + refused).toBe(dataPoints);
        for (const point of points) {
          expect([0, point.count]).toContain(point.errors);
          expect(Number.isSafeInteger(point.count) && point.count >= 0).toBe(true);
          expect(Number.isSafeInteger(point.startMs) && point.startMs > 0).toBe(true);
          expect(point.timeMs).toBeGreaterThanOrEqual(point.startMs);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('is read alike with a memory of other requests and without', () => {
    const read = openMetricsReader();
    fc.assert(
      fc.property(anyRequest, (sent) => {
        const bytes = protobufOf(sent);
        const fresh = decodeMetricsRequest(bytes, PROTOBUF);
        expect(read(bytes, PROTOBUF)).toEqual(fresh);
        expect(read(bytes, PROTOBUF)).toEqual(fresh);
      }),
      { numRuns: 200 },
    );
  });

  test('cut into requests of one resource each holds the same points', () => {
    fc.assert(
      fc.property(anyRequest, (sent) => {
        const whole = valueOf(decodeMetricsRequest(protobufOf(sent), PROTOBUF)).points;
        const parts = sent.resourceMetrics.flatMap((resource) => {
          const part = protobufOf({ resourceMetrics: [resource] });
          return valueOf(decodeMetricsRequest(part, PROTOBUF)).points;
        });
        expect(parts).toEqual(whole);
      }),
      { numRuns: 100 },
    );
  });
});

describe('any telemetry', () => {
  const selection: Selection = {
    metrics: new Map([
      [
        'http.server.request.duration',
        ['error.type', 'http.response.status_code', 'plimsoll.overflow', 'plimsoll.probe'],
      ],
      ['rpc.server.duration', ['plimsoll.overflow']],
      ['process.cpu.utilization', ['error.type']],
      ['process.memory.usage', []],
    ]),
    levels: new Set(['process.cpu.utilization', 'process.memory.usage']),
    targetAttributes: ['cloud.region'],
    usualTargetAttributes: [],
    cohortAttributes: [],
  };

  test('gives the same from protobuf and from JSON, with a memory and without, and only what can be', () => {
    const read = openTelemetryReader();
    const taken = { durations: 0, level: 0, refused: 0 };
    fc.assert(
      fc.property(anyTelemetry, (sent) => {
        const bytes = protobufOf(sent);
        const decoded = decodeTelemetry(bytes, PROTOBUF, new WantedMetrics(selection));
        expect(
          decodeTelemetry(jsonOf(sent), 'application/json', new WantedMetrics(selection)),
        ).toStrictEqual(decoded);
        expect(read(bytes, PROTOBUF, selection)).toStrictEqual(decoded);
        if (!decoded.ok) throw new Error(decoded.problem.message);
        for (const { value } of decoded.value.points) {
          expect(isPossible(value)).toBe(true);
          if (value.kind === 'level') taken.level += 1;
          else if (value.kind === 'refused') taken.refused += 1;
          else if (value.durations !== null) taken.durations += 1;
        }
      }),
      { numRuns: 300 },
    );
    expect(taken.durations).toBeGreaterThan(20);
    expect(taken.level).toBeGreaterThan(20);
    expect(taken.refused).toBeGreaterThan(20);
  });
});

/** A level that can be, or as many requests in buckets as there are. */
const isPossible = (value: PointValue): boolean => {
  switch (value.kind) {
    case 'level':
      return value.level >= 0 && value.level <= 1e18;
    case 'durations':
      return value.durations === null || totalOf(value.durations) === value.count;
    case 'refused':
      return pointRefusals.includes(value.reason);
  }
};

describe('damaged bytes', () => {
  const sound = [
    busyRequest(5),
    requestOf([histogram([goodPoint]), exponentialHistogram([goodExponentialPoint])]),
  ];

  test.each([
    ['protobuf', PROTOBUF, sound.map(protobufOf)],
    ['JSON', 'application/json', sound.map(jsonOf)],
  ] as const)('of %s end in points or a problem, never in a throw', (_name, type, bodies) => {
    const outcomes = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(
        fc.constantFrom(...bodies),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 4 }),
        fc.option(fc.nat()),
        (body, flips, cut) => {
          const damaged = Uint8Array.from(body);
          for (const [at, mask] of flips) flip(damaged, at % damaged.length, mask);
          const bytes = cut === null ? damaged : damaged.subarray(0, cut % damaged.length);
          const decoded = decodeMetricsRequest(bytes, type);
          if (decoded.ok) outcomes.taken++;
          else outcomes.refused++;
          const offset =
            (!decoded.ok && 'offset' in decoded.problem && decoded.problem.offset) || 0;
          expect(offset).toBeLessThanOrEqual(bytes.length);
        },
      ),
      { numRuns: 3000 },
    );
    expect(outcomes.taken).toBeGreaterThan(10);
    expect(outcomes.refused).toBeGreaterThan(10);
  });

  test('every cut and every single bit of a request', () => {
    const body = protobufOf(sound[1] as OtlpRequest);
    for (let length = 0; length < body.length; length++) {
      decodeMetricsRequest(body.subarray(0, length), PROTOBUF);
    }
    for (let bit = 0; bit < body.length * 8; bit++) {
      const damaged = Uint8Array.from(body);
      flip(damaged, bit >> 3, 1 << (bit & 7));
      const decoded = decodeMetricsRequest(damaged, PROTOBUF);
      expect(decoded.ok ? decoded.value.dataPoints : 0).toBeLessThanOrEqual(4);
    }
  });

  test('of no shape at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeMetricsRequest(bytes, PROTOBUF);
        decodeMetricsRequest(bytes, 'application/json');
      }),
      { numRuns: 2000 },
    );
  });

  test('that are any JSON at all', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        decodeMetricsRequest(Buffer.from(text), 'application/json');
      }),
    );
  });
});

const flip = (bytes: Uint8Array, at: number, mask: number): void => {
  bytes[at] = (bytes[at] ?? 0) ^ mask;
};

const TAKEN = ['http.server.request.duration', 'rpc.server.duration'];

const pointsIn = (sent: OtlpRequest): number =>
  sent.resourceMetrics
    .flatMap((resource) => resource.scopeMetrics)
    .flatMap((scope) => scope.metrics)
    .filter((each) => TAKEN.includes(String(each['name'])))
    .map((each) => (each['histogram'] ?? each['exponentialHistogram']) as { dataPoints: object[] })
    .reduce((total, data) => total + data.dataPoints.length, 0);
