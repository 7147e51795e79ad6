import { describe, expect, test } from 'vitest';
import { encodeMetricsResponse } from '../../../services/adapters/otlp/metrics-response.ts';
import type { RejectedPoints } from '../../../services/core/telemetry/point.ts';
import { responseType } from '../../support/otlp/requests.ts';

const rejected: readonly RejectedPoints[] = [
  { reason: 'count-invalid', count: 3 },
  { reason: 'time-missing', count: 200 },
];
const message = 'count-invalid: 3, time-missing: 200';

const read = (bytes: Uint8Array): object =>
  responseType.toObject(responseType.decode(bytes), { longs: String });

describe('the response to a metrics request', () => {
  test('in protobuf is empty where all was taken', () => {
    expect(read(encodeMetricsResponse('application/x-protobuf', []))).toEqual({});
  });

  test('in JSON is an empty object where all was taken', () => {
    expect(Buffer.from(encodeMetricsResponse('application/json', [])).toString()).toBe('{}');
  });

  test('in protobuf says how many points were rejected, and why', () => {
    expect(read(encodeMetricsResponse('application/x-protobuf', rejected))).toEqual({
      partialSuccess: { rejectedDataPoints: '203', errorMessage: message },
    });
  });

  test('in JSON says how many points were rejected, and why', () => {
    const body = encodeMetricsResponse('application/json', rejected);
    expect(JSON.parse(Buffer.from(body).toString())).toEqual({
      partialSuccess: { rejectedDataPoints: '203', errorMessage: message },
    });
  });

  test.each([1, 127, 128, 16_383, 16_384, 2 ** 32, Number.MAX_SAFE_INTEGER])(
    'carries the number %i',
    (count) => {
      const body = encodeMetricsResponse('application/x-protobuf', [
        { reason: 'sum-delta', count },
      ]);
      expect(read(body)).toMatchObject({ partialSuccess: { rejectedDataPoints: String(count) } });
    },
  );
});
