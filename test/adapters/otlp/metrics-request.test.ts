import { describe, expect, test } from 'vitest';
import { AttributeMemo } from '../../../services/adapters/otlp/attributes.ts';
import {
  decodeMetricsRequest,
  openMetricsReader,
  otlpContentTypeOf,
} from '../../../services/adapters/otlp/metrics-request.ts';
import type { DecodedMetrics, RequestPoint } from '../../../services/core/telemetry/point.ts';
import {
  attributes,
  CHECKOUT,
  CUMULATIVE,
  DELTA,
  exponentialHistogram,
  goodExponentialPoint,
  goodPoint,
  histogram,
  jsonOf,
  type OtlpRequest,
  protobufOf,
  requestOf,
} from '../../support/otlp/requests.ts';

const fromProtobuf = (request: OtlpRequest): DecodedMetrics => {
  const decoded = decodeMetricsRequest(protobufOf(request), 'application/x-protobuf');
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.problem));
  return decoded.value;
};

const fromJson = (request: unknown): DecodedMetrics => {
  const decoded = decodeMetricsRequest(jsonOf(request), 'application/json');
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.problem));
  return decoded.value;
};

/** The points of a request, after both encodings agreed on everything. */
const read = (request: OtlpRequest): DecodedMetrics => {
  const decoded = fromProtobuf(request);
  expect(fromJson(request)).toEqual(decoded);
  return decoded;
};

const onlyPoint = (request: OtlpRequest): RequestPoint => {
  const { points, rejected } = read(request);
  expect(rejected).toEqual([]);
  expect(points).toHaveLength(1);
  return points[0] as RequestPoint;
};

const withAttributes = (plain: Readonly<Record<string, string | number | boolean>>): OtlpRequest =>
  requestOf([histogram([{ ...goodPoint, attributes: attributes(plain) }])]);

describe('a data point', () => {
  test('keeps its numbers, its times in milliseconds, and who sent it', () => {
    expect(onlyPoint(requestOf([histogram([goodPoint])]))).toEqual({
      environment: 'production',
      namespace: 'default',
      component: 'checkout',
      version: '2.0.0',
      deploymentId: null,
      instance: null,
      series: expect.stringMatching(/^[0-9a-f]{64}$/),
      metric: 'http.server.request.duration',
      temporality: 'cumulative',
      startMs: 1_700_000_000_000,
      timeMs: 1_700_000_005_000,
      count: 10,
      errors: 0,
      unit: 's',
    });
  });

  test('of an exponential histogram is read alike', () => {
    const point = onlyPoint(requestOf([exponentialHistogram([goodExponentialPoint])]));
    expect(point).toMatchObject({ count: 10, errors: 0, temporality: 'delta' });
  });

  test.each([
    ['1700000000000999999', 1_700_000_000_000],
    ['1700000000001000000', 1_700_000_000_001],
    ['1000000', 1],
    ['18446744073709551615', 18_446_744_073_709],
  ])('at %s ns has its time rounded down to whole milliseconds', (nanos, timeMs) => {
    const request = requestOf([
      histogram([{ ...goodPoint, startTimeUnixNano: '1000000', timeUnixNano: nanos }]),
    ]);
    expect(onlyPoint(request).timeMs).toBe(timeMs);
  });

  test('takes milliseconds as a unit, and says so', () => {
    expect(onlyPoint(requestOf([histogram([goodPoint], { unit: 'ms' })])).unit).toBe('ms');
  });

  test('may tell no buckets at all', () => {
    const { bucketCounts: _, explicitBounds: __, ...bare } = goodPoint;
    expect(onlyPoint(requestOf([histogram([bare])])).count).toBe(10);
  });

  test.each(['http.server.request.duration', 'rpc.server.call.duration', 'rpc.server.duration'])(
    'of %s is taken',
    (name) => {
      expect(onlyPoint(requestOf([histogram([goodPoint], { name })])).metric).toBe(name);
    },
  );

  test('of any other metric is not looked at', () => {
    const request = requestOf([
      histogram([goodPoint], { name: 'http.client.request.duration' }),
      { name: 'process.memory', unit: 'By', gauge: { dataPoints: [{ asDouble: NaN }] } },
    ]);
    expect(read(request)).toEqual({ points: [], rejected: [], dataPoints: 0 });
  });
});

describe('requests count as errors', () => {
  test.each([
    [{ 'http.response.status_code': 500 }, 10],
    [{ 'http.response.status_code': 599 }, 10],
    [{ 'http.response.status_code': '503' }, 10],
    [{ 'http.response.status_code': 499 }, 0],
    [{ 'http.response.status_code': 404, 'error.type': '404' }, 0],
    [{ 'rpc.grpc.status_code': 14 }, 10],
    [{ 'rpc.grpc.status_code': 2 }, 10],
    [{ 'rpc.grpc.status_code': 0 }, 0],
    [{ 'rpc.grpc.status_code': 5 }, 0],
    [{ 'rpc.response.status_code': 'DEADLINE_EXCEEDED' }, 10],
    [{ 'rpc.grpc.status_code': 'Unavailable' }, 10],
    [{ 'rpc.response.status_code': 'DeadlineExceeded' }, 10],
    [{ 'rpc.response.status_code': 'Canceled', 'error.type': 'Canceled' }, 0],
    [{ 'rpc.response.status_code': 'NOT_FOUND', 'error.type': 'NOT_FOUND' }, 0],
    [{ 'error.type': 'ECONNRESET' }, 10],
    [{ 'error.type': '' }, 0],
    [{ 'http.response.status_code': '500' }, 10],
    [{ 'http.response.status_code': '5xx', 'error.type': '500' }, 10],
    [{ 'http.response.status_code': '', 'error.type': '500' }, 10],
    [{ 'http.response.status_code': 0, 'error.type': 'ECONNRESET' }, 10],
    [{ 'http.response.status_code': 'down' }, 0],
    [{ 'rpc.response.status_code': '-32601', 'error.type': '-32601' }, 10],
    [{}, 0],
  ])('%j: %i of 10', (plain, errors) => {
    expect(onlyPoint(withAttributes(plain)).errors).toBe(errors);
  });

  test('where some processor made a double of the status', () => {
    const status = [{ key: 'http.response.status_code', value: { doubleValue: 500 } }];
    const point = onlyPoint(requestOf([histogram([{ ...goodPoint, attributes: status }])]));
    expect(point.errors).toBe(10);
  });
});

describe('a resource', () => {
  test.each([
    [{ 'deployment.environment': 'staging' }, 'production'],
    [{ 'deployment.environment': 'staging', 'deployment.environment.name': '' }, 'staging'],
    [{ 'deployment.environment.name': '' }, 'default'],
  ])('with %j is in %s', (changes, environment) => {
    const request = requestOf([histogram([goodPoint])], { ...CHECKOUT, ...changes });
    expect(onlyPoint(request).environment).toBe(environment);
  });

  test('may name namespace, deployment and instance', () => {
    const point = onlyPoint(
      requestOf([histogram([goodPoint])], {
        ...CHECKOUT,
        'service.namespace': 'shop',
        'deployment.id': 'd-1',
        'host.name': 'node-1',
        'k8s.pod.uid': 'pod-1',
      }),
    );
    expect(point).toMatchObject({ namespace: 'shop', deploymentId: 'd-1', instance: 'pod-1' });
  });

  test('stands beside others in one request', () => {
    const other = { ...CHECKOUT, 'service.name': 'cart' };
    const request = {
      resourceMetrics: [
        ...requestOf([histogram([goodPoint])]).resourceMetrics,
        ...requestOf([histogram([goodPoint]), histogram([goodPoint])], other).resourceMetrics,
      ],
    };
    expect(read(request).points.map((point) => point.component)).toEqual([
      'checkout',
      'cart',
      'cart',
    ]);
  });
});

describe('a series', () => {
  const seriesOf = (request: OtlpRequest): string => onlyPoint(request).series;
  const base = seriesOf(requestOf([histogram([goodPoint])]));

  test('stays the same whatever the numbers, the times and the order of attributes', () => {
    const later = {
      ...goodPoint,
      timeUnixNano: '1700000010000000000',
      count: '0',
      bucketCounts: [0, 0, 0],
      attributes: attributes({ 'http.response.status_code': 200, 'http.request.method': 'GET' }),
    };
    const turned = Object.fromEntries(Object.entries(CHECKOUT).toReversed());
    expect(seriesOf(requestOf([histogram([later])], turned))).toBe(base);
  });

  test.each([
    ['a point attribute', withAttributes({ 'http.request.method': 'GET' })],
    [
      'the type of an attribute',
      withAttributes({
        'http.request.method': 'GET',
        'http.response.status_code': '200',
      }),
    ],
    [
      'a resource attribute',
      requestOf([histogram([goodPoint])], { ...CHECKOUT, 'host.name': 'a' }),
    ],
    ['the metric', requestOf([histogram([goodPoint], { name: 'rpc.server.duration' })])],
    [
      'the scope',
      {
        resourceMetrics: requestOf([histogram([goodPoint])]).resourceMetrics.map((resource) => ({
          ...resource,
          scopeMetrics: [
            { scope: { name: 'http', version: '1.0.1' }, metrics: [histogram([goodPoint])] },
          ],
        })),
      },
    ],
  ])('is another one with another %s', (_what, request) => {
    expect(seriesOf(request)).not.toBe(base);
  });

  test('does not confuse where one attribute ends and the next begins', () => {
    const series = [
      withAttributes({ a: 'b', c: 'd' }),
      withAttributes({ a: 'bsc1:d' }),
      withAttributes({ a: 'bcsd' }),
      withAttributes({ 'a2:sb1:c': 'd' }),
      withAttributes({ ab: '', c: 'd' }),
    ].map(seriesOf);
    expect(new Set(series).size).toBe(series.length);
  });

  test('comes out alike from a reader that has seen the attributes before', () => {
    const read2 = openMetricsReader();
    const request = protobufOf(requestOf([histogram([goodPoint])]));
    const [cold, warm] = [request, request].map((bytes) => read2(bytes, 'application/x-protobuf'));
    expect(warm).toEqual(cold);
  });

  test('is the same whatever the order inside a map', () => {
    const [one, two] = attributes({ one: 1, two: 2 });
    const series = [
      [one, two],
      [two, one],
    ].map((values) =>
      seriesOf(
        requestOf([
          histogram([
            { ...goodPoint, attributes: [{ key: 'a', value: { kvlistValue: { values } } }] },
          ]),
        ]),
      ),
    );
    expect(series[0]).toBe(series[1]);
  });

  test('has the last value of a key that came twice, and so has the count of errors', () => {
    const twice = [
      ...attributes({ 'http.response.status_code': 200 }),
      ...attributes({ 'http.response.status_code': 500 }),
    ];
    const point = onlyPoint(requestOf([histogram([{ ...goodPoint, attributes: twice }])]));
    expect(point).toEqual(onlyPoint(withAttributes({ 'http.response.status_code': 500 })));
    expect(point.errors).toBe(10);
  });
});

test.each([
  ['2.0.0', '2.0.0'],
  ['1.9.4', null],
])('a sender of the versions 2.0.0 and %s has the version %s', (other, version) => {
  const request = requestOf([histogram([goodPoint])]);
  const versions = attributes({ 'service.version': '2.0.0' });
  const named = [...attributes({ 'service.name': 'checkout' }), ...versions];
  const twice = [...named, ...attributes({ 'service.version': other })];
  const [only] = request.resourceMetrics;
  if (only === undefined) throw new Error('a request without metrics');
  const torn = { resourceMetrics: [{ ...only, resource: { attributes: twice } }] };
  expect(onlyPoint(torn).version).toBe(version);
});

test('a memo reads the same bytes once, until it is full and begins anew', () => {
  const memo = new AttributeMemo(2);
  const bytes = Buffer.from('abcab');
  const reads: string[] = [];
  const recall = (start: number): unknown =>
    memo.recall(bytes, start, start + 1, () => {
      const text = bytes.toString('utf8', start, start + 1);
      reads.push(text);
      return { ok: true, digest: text, failed: false, kept: [] };
    });
  expect([0, 1, 3, 4].map(recall)).toEqual(
    ['a', 'b', 'a', 'b'].map((digest) => ({ ok: true, digest, failed: false, kept: [] })),
  );
  expect(reads).toEqual(['a', 'b']);
  recall(2);
  recall(0);
  expect(reads).toEqual(['a', 'b', 'c', 'a']);
});

describe('JSON', () => {
  test('may use the names of the .proto file, numbers for integers, and null for absent', () => {
    const request = {
      resource_metrics: [
        {
          resource: { attributes: attributes(CHECKOUT) },
          scope_metrics: [
            {
              scope: { name: 'http', version: '1.0.0', attributes: null },
              metrics: [
                {
                  name: 'http.server.request.duration',
                  unit: 's',
                  gauge: null,
                  histogram: {
                    aggregation_temporality: 'AGGREGATION_TEMPORALITY_CUMULATIVE',
                    data_points: [
                      {
                        start_time_unix_nano: 1700000000000000000,
                        time_unix_nano: 1700000005000000000,
                        count: 10,
                        sum: 1.5,
                        bucket_counts: [5, 3, 2],
                        explicit_bounds: [0.1, 0.5],
                        attributes: goodPoint['attributes'],
                      },
                    ],
                  },
                },
              ],
            },
          ],
        },
      ],
    };
    expect(fromJson(request)).toEqual(read(requestOf([histogram([goodPoint])])));
  });

  test('with __proto__ and constructor as keys changes nothing anywhere', () => {
    const hostile = `{"__proto__": {"resourceMetrics": [1], "polluted": true},
      "constructor": {"prototype": {"polluted": true}},
      "resourceMetrics": [{"__proto__": {"resource": 5}, "resource": {"attributes": [
        {"key": "__proto__", "value": {"stringValue": "x"}},
        {"key": "service.name", "value": {"__proto__": {"stringValue": "evil"}, "stringValue": "checkout"}},
        {"key": "deployment.environment.name", "value": {"stringValue": "production"}}]},
      "scopeMetrics": [{"metrics": [{"name": "http.server.request.duration", "unit": "s", "histogram": {
        "aggregationTemporality": 1, "dataPoints": [
        {"__proto__": {"count": "7"}, "startTimeUnixNano": "1700000000000000000",
         "timeUnixNano": "1700000005000000000", "attributes": []}]}}]}]}]}`;
    const decoded = decodeMetricsRequest(Buffer.from(hostile), 'application/json');
    expect(decoded).toMatchObject({
      ok: true,
      value: { points: [{ component: 'checkout', count: 0 }], rejected: [] },
    });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('protobuf', () => {
  test('may carry a list unpacked, and fields in any order', () => {
    // message Histogram with temporality first; the point with attributes apart from each other.
    const packed = protobufOf(requestOf([histogram([goodPoint], { temporality: DELTA })]));
    const field = (
      number: number,
      wire: number,
      ...bytes: readonly number[]
    ): readonly number[] => [(number << 3) | wire, ...bytes];
    const message = (number: number, ...bytes: readonly number[]): readonly number[] => {
      const length = bytes.length;
      return field(
        number,
        2,
        ...(length < 128 ? [length] : [(length & 127) | 128, length >> 7]),
        ...bytes,
      );
    };
    const text = (number: number, value: string): readonly number[] =>
      message(number, ...Buffer.from(value));
    const fixed64 = (value: bigint): readonly number[] => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(value);
      return [...bytes];
    };
    const double = (value: number): readonly number[] => {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value);
      return [...bytes];
    };
    const pair = (number: number, key: string, ...value: readonly number[]): readonly number[] =>
      message(number, ...message(2, ...value), ...text(1, key));
    const point = [
      ...field(6, 1, ...fixed64(5n)),
      ...pair(9, 'http.response.status_code', ...field(3, 0, 200, 1)),
      ...field(6, 1, ...fixed64(3n)),
      ...field(7, 1, ...double(0.1)),
      ...field(15, 5, 1, 2, 3, 4),
      ...field(6, 1, ...fixed64(2n)),
      ...pair(9, 'http.request.method', ...text(1, 'GET')),
      ...field(7, 1, ...double(0.5)),
      ...field(5, 1, ...double(1.5)),
      ...field(4, 1, ...fixed64(10n)),
      ...field(3, 1, ...fixed64(1_700_000_005_000_000_000n)),
      ...field(2, 1, ...fixed64(1_700_000_000_000_000_000n)),
    ];
    const resource = Object.entries(CHECKOUT).flatMap(([key, value]) =>
      pair(1, key, ...text(1, value)),
    );
    const metric = [
      ...message(9, ...field(2, 0, DELTA), ...message(1, ...point)),
      ...text(3, 's'),
      ...text(1, 'http.server.request.duration'),
    ];
    const scopeMetrics = [
      ...message(2, ...metric),
      ...message(1, ...text(2, '1.0.0'), ...text(1, 'http')),
    ];
    const request = message(1, ...message(2, ...scopeMetrics), ...message(1, ...resource));

    const decoded = decodeMetricsRequest(Uint8Array.from(request), 'application/x-protobuf');
    expect(decoded).toEqual(decodeMetricsRequest(packed, 'application/x-protobuf'));
    expect(decoded).toMatchObject({ ok: true, value: { points: [{ count: 10 }] } });
  });

  test('of no bytes is a request without points', () => {
    expect(fromProtobuf({ resourceMetrics: [] })).toEqual({
      points: [],
      rejected: [],
      dataPoints: 0,
    });
  });

  test('is read from a view into a larger buffer', () => {
    const bytes = protobufOf(requestOf([histogram([goodPoint])]));
    const larger = new Uint8Array(bytes.length + 20).fill(0xff);
    larger.set(bytes, 7);
    const view = larger.subarray(7, 7 + bytes.length);
    expect(decodeMetricsRequest(view, 'application/x-protobuf')).toEqual(
      decodeMetricsRequest(bytes, 'application/x-protobuf'),
    );
  });
});

describe('the encoding of a body', () => {
  const json = jsonOf(requestOf([histogram([goodPoint], { temporality: CUMULATIVE })]));
  const protobuf = protobufOf(requestOf([histogram([goodPoint])]));

  test.each([
    ['application/x-protobuf', json, 'application/x-protobuf'],
    ['Application/JSON; charset=utf-8', protobuf, 'application/json'],
    ['otlp_proto', json, 'application/x-protobuf'],
    ['otlp_json', protobuf, 'application/json'],
    [null, json, 'application/json'],
    [null, protobuf, 'application/x-protobuf'],
    [null, new Uint8Array(), 'application/x-protobuf'],
    ['text/plain', json, null],
    ['__proto__', json, null],
    ['', json, null],
  ])('declared as %s', (declared, bytes, expected) => {
    expect(otlpContentTypeOf(declared, bytes)).toBe(expected);
  });
});
