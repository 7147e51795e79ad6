import { describe, expect, test } from 'vitest';
import { METRICS_LIMITS } from '../../../services/adapters/otlp/limits.ts';
import { decodeMetricsRequest } from '../../../services/adapters/otlp/metrics-request.ts';
import type { RejectedPoints } from '../../../services/core/telemetry/point.ts';
import {
  attributes,
  CHECKOUT,
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
const JSON_TYPE = 'application/json';

type Outcome = { readonly taken: number; readonly rejected: readonly RejectedPoints[] };

const outcomeOf = (decoded: ReturnType<typeof decodeMetricsRequest>): Outcome => {
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.problem));
  const { points, rejected, dataPoints } = decoded.value;
  const refused = rejected.reduce((total, { count }) => total + count, 0);
  expect(dataPoints).toBe(points.length + refused);
  return { taken: points.length, rejected };
};

const protobufOutcome = (request: OtlpRequest, limits = METRICS_LIMITS): Outcome =>
  outcomeOf(decodeMetricsRequest(protobufOf(request), PROTOBUF, limits));
const jsonOutcome = (request: unknown, limits = METRICS_LIMITS): Outcome =>
  outcomeOf(decodeMetricsRequest(jsonOf(request), JSON_TYPE, limits));

const without = (point: object, key: string): object =>
  Object.fromEntries(Object.entries(point).filter(([name]) => name !== key));

describe('a bad point is rejected with its reason, and spoils no other', () => {
  const huge = '9007199254740993';
  const explicit: readonly (readonly [string, object, string])[] = [
    ['a count beyond 2^53', { count: huge, bucketCounts: [huge, 0, 0] }, 'count-too-large'],
    ['a count of 2^64 - 1', { count: '18446744073709551615' }, 'count-too-large'],
    ['buckets that hold more than the count', { count: '9' }, 'buckets-mismatch'],
    ['buckets that hold less than the count', { count: '11' }, 'buckets-mismatch'],
    ['a bucket beyond 2^53', { bucketCounts: [huge, 3, 2] }, 'buckets-mismatch'],
    ['a bound too few', { explicitBounds: [0.1] }, 'bounds-invalid'],
    ['a bound too many', { explicitBounds: [0.1, 0.5, 1] }, 'bounds-invalid'],
    ['bounds that fall', { explicitBounds: [0.5, 0.1] }, 'bounds-invalid'],
    ['bounds that stay', { explicitBounds: [0.5, 0.5] }, 'bounds-invalid'],
    ['a bound of NaN', { explicitBounds: [0.1, NaN] }, 'bounds-invalid'],
    ['a first bound of NaN', { explicitBounds: [NaN, 0.5] }, 'bounds-invalid'],
    ['a time of 0', { timeUnixNano: '0' }, 'time-missing'],
    ['a start of 0', { startTimeUnixNano: '0' }, 'start-missing'],
    ['a start after its time', { startTimeUnixNano: '1700000006000000000' }, 'start-after-time'],
    ['the flag for no recorded value', { flags: 1 }, 'no-recorded-value'],
    [
      'attributes without end',
      { attributes: attributes({ a: 'x'.repeat(METRICS_LIMITS.attributesCharsMax) }) },
      'attributes-too-large',
    ],
    [
      'a flood of empty attributes',
      {
        attributes: Array.from({ length: METRICS_LIMITS.attributesCharsMax / 4 + 1 }, () => ({
          key: '',
          value: {},
        })),
      },
      'attributes-too-large',
    ],
  ];

  test.each(explicit)('%s', (_fault, changes, reason) => {
    const request = requestOf([histogram([goodPoint, { ...goodPoint, ...changes }, goodPoint])]);
    const expected = { taken: 2, rejected: [{ reason, count: 1 }] };
    expect(protobufOutcome(request)).toEqual(expected);
    expect(jsonOutcome(request)).toEqual(expected);
  });

  test.each([NaN, Infinity, -0.001, undefined])(
    'but a sum of %s, which nobody judges, spoils not even its own',
    (sum) => {
      const requests = [
        requestOf([histogram([{ ...goodPoint, sum }])]),
        requestOf([exponentialHistogram([{ ...goodExponentialPoint, sum }])]),
      ];
      for (const request of requests) {
        expect(protobufOutcome(request)).toEqual({ taken: 1, rejected: [] });
        expect(jsonOutcome(request)).toEqual({ taken: 1, rejected: [] });
      }
    },
  );

  test('nor does a sum in words', () => {
    const request = requestOf([histogram([{ ...goodPoint, sum: 'much' }])]);
    expect(jsonOutcome(request)).toEqual({ taken: 1, rejected: [] });
  });

  test.each([
    ['timeUnixNano', 'time-missing'],
    ['startTimeUnixNano', 'start-missing'],
    ['count', 'buckets-mismatch'],
  ])('%s absent', (key, reason) => {
    const request = requestOf([histogram([without(goodPoint, key), goodPoint])]);
    const expected = { taken: 1, rejected: [{ reason, count: 1 }] };
    expect(protobufOutcome(request)).toEqual(expected);
    expect(jsonOutcome(request)).toEqual(expected);
  });

  test.each([
    ['cumulative, of one instance', 2, { 'service.instance.id': 'shop-1' }, 2],
    ['cumulative, of nobody knows whom', 2, {}, 1],
    ['cumulative, of a host, which may run two workers', 2, { 'host.name': 'node-1' }, 1],
    ['cumulative, of a pod, which may run two workers', 2, { 'k8s.pod.uid': 'pod-1' }, 1],
    ['delta, of one instance', 1, { 'service.instance.id': 'shop-1' }, 1],
  ])('no start: %s', (_case, temporality, sender, taken) => {
    const points = [without(goodPoint, 'startTimeUnixNano'), goodPoint];
    const request = requestOf([histogram(points, { temporality })], { ...CHECKOUT, ...sender });
    expect(jsonOutcome(request).taken).toBe(taken);
    expect(protobufOutcome(request).taken).toBe(taken);
  });

  test.each([
    ['exponential buckets that hold more than the count', { count: '9' }, 'buckets-mismatch'],
    ['a zero count that is one too many', { zeroCount: '2' }, 'buckets-mismatch'],
    [
      'negative buckets that nobody counted',
      { negative: { bucketCounts: [1] } },
      'buckets-mismatch',
    ],
    ['exponential buckets absent', { positive: null }, 'buckets-mismatch'],
    ['a count beyond 2^53', { count: huge }, 'count-too-large'],
    ['a time of 0', { timeUnixNano: 0 }, 'time-missing'],
    ['no recorded value', { flags: 1 }, 'no-recorded-value'],
  ])('%s', (_fault, changes, reason) => {
    const request = requestOf([
      exponentialHistogram([{ ...goodExponentialPoint, ...changes }, goodExponentialPoint]),
    ]);
    const expected = { taken: 1, rejected: [{ reason, count: 1 }] };
    expect(protobufOutcome(request)).toEqual(expected);
    expect(jsonOutcome(request)).toEqual(expected);
  });

  test.each([
    ['a negative count', { count: -10 }, 'count-invalid'],
    ['a negative count as text', { count: '-10' }, 'count-invalid'],
    ['a count of NaN', { count: NaN }, 'count-invalid'],
    ['a count of Infinity', { count: Infinity }, 'count-invalid'],
    ['half a request', { count: 9.5 }, 'count-invalid'],
    ['a count of 1e300', { count: 1e300 }, 'count-too-large'],
    ['a count in words', { count: 'ten' }, 'count-invalid'],
    ['a count in an object', { count: { low: 10 } }, 'count-invalid'],
    ['a count of true', { count: true }, 'count-invalid'],
    ['a count with spaces', { count: ' 10' }, 'count-invalid'],
    ['a count in hex', { count: '0xa' }, 'count-invalid'],
    ['a negative bucket', { bucketCounts: [-1, 9, 2] }, 'buckets-mismatch'],
    ['a bucket of null', { bucketCounts: [5, null, 2] }, 'buckets-mismatch'],
    ['buckets in an object', { bucketCounts: { 0: 10 } }, 'point-malformed'],
    ['a negative time', { timeUnixNano: '-1' }, 'point-malformed'],
    ['a time of NaN', { timeUnixNano: NaN }, 'point-malformed'],
    ['a time in words', { startTimeUnixNano: 'now' }, 'point-malformed'],
    ['a time of 22 digits', { timeUnixNano: '9007199254740993000001' }, 'point-malformed'],
    ['a time beyond 64 bits', { timeUnixNano: 1e20 }, 'point-malformed'],
    ['attributes in an object', { attributes: { a: 1 } }, 'point-malformed'],
    ['an attribute of null', { attributes: [null] }, 'point-malformed'],
    ['an attribute without a key of text', { attributes: [{ key: 1 }] }, 'point-malformed'],
    [
      'an int that is none',
      { attributes: [{ key: 'a', value: { intValue: '1.5' } }] },
      'point-malformed',
    ],
    [
      'an int beyond 64 bits',
      { attributes: [{ key: 'a', value: { intValue: '9223372036854775808' } }] },
      'point-malformed',
    ],
    [
      'a value of another type',
      { attributes: [{ key: 'a', value: { stringValue: 5 } }] },
      'point-malformed',
    ],
  ])('in JSON, %s', (_fault, changes, reason) => {
    const request = requestOf([histogram([{ ...goodPoint, ...changes }, goodPoint])]);
    expect(jsonOutcome(request)).toEqual({ taken: 1, rejected: [{ reason, count: 1 }] });
  });

  test.each([[null], [5], ['point'], [[]]])('in JSON, %j in place of a point', (point) => {
    const request = requestOf([histogram([point, goodPoint])]);
    expect(jsonOutcome(request)).toEqual({
      taken: 1,
      rejected: [{ reason: 'point-malformed', count: 1 }],
    });
  });
});

describe('all points of a metric are rejected', () => {
  const long = 'x'.repeat(METRICS_LIMITS.nameCharsMax + 1);
  const { 'service.name': _name, ...nameless } = CHECKOUT;
  const three = [goodPoint, goodPoint, goodPoint];
  const largeScope = {
    resourceMetrics: requestOf([histogram(three)]).resourceMetrics.map((resource) => ({
      ...resource,
      scopeMetrics: [
        {
          scope: { attributes: attributes({ a: 'x'.repeat(METRICS_LIMITS.attributesCharsMax) }) },
          metrics: [histogram(three)],
        },
      ],
    })),
  };

  test.each([
    ['without service.name', requestOf([histogram(three)], nameless), 'service-name-missing'],
    [
      'with an empty service.name',
      requestOf([histogram(three)], { ...CHECKOUT, 'service.name': '' }),
      'service-name-missing',
    ],
    [
      'without a resource',
      { resourceMetrics: [{ scopeMetrics: [{ metrics: [histogram(three)] }] }] },
      'service-name-missing',
    ],
    [
      'with a service.name too long',
      requestOf([histogram(three)], { ...CHECKOUT, 'service.name': long }),
      'string-too-long',
    ],
    [
      'with an environment too long',
      requestOf([histogram(three)], { ...CHECKOUT, 'deployment.environment.name': long }),
      'string-too-long',
    ],
    [
      'with a resource too large',
      requestOf([histogram(three)], {
        ...CHECKOUT,
        a: 'x'.repeat(METRICS_LIMITS.attributesCharsMax),
      }),
      'attributes-too-large',
    ],
    ['with a scope too large', largeScope, 'attributes-too-large'],
    ['in minutes', requestOf([histogram(three, { unit: 'min' })]), 'unit-unknown'],
    ['without a unit', requestOf([histogram(three, { unit: '' })]), 'unit-unknown'],
    ['in a unit of many words', requestOf([histogram(three, { unit: long })]), 'unit-unknown'],
    [
      'of temporality 0',
      requestOf([histogram(three, { temporality: 0 })]),
      'temporality-unspecified',
    ],
    [
      'of no temporality',
      requestOf([histogram(three, { temporality: undefined })]),
      'temporality-unspecified',
    ],
    [
      'of temporality 3',
      requestOf([histogram(three, { temporality: 3 })]),
      'temporality-unspecified',
    ],
    [
      'of temporality -1',
      requestOf([histogram(three, { temporality: -1 })]),
      'temporality-unspecified',
    ],
    [
      'that is a gauge',
      requestOf([
        {
          name: 'http.server.request.duration',
          unit: 's',
          gauge: { dataPoints: three.map((point) => ({ ...point, asDouble: 0.2 })) },
        },
      ]),
      'metric-type-unsupported',
    ],
    [
      'that is a summary',
      requestOf([
        { name: 'http.server.request.duration', unit: 's', summary: { dataPoints: [{}, {}, {}] } },
      ]),
      'metric-type-unsupported',
    ],
  ])('%s', (_fault, request, reason) => {
    const expected = { taken: 0, rejected: [{ reason, count: 3 }] };
    expect(protobufOutcome(request)).toEqual(expected);
    expect(jsonOutcome(request)).toEqual(expected);
  });

  test('beyond the cap even where those before it were bad', () => {
    const bad = { ...goodPoint, count: 1 };
    const request = requestOf([histogram([bad, bad, goodPoint, goodPoint])]);
    const limits = { ...METRICS_LIMITS, pointsMax: 3 };
    const expected = {
      taken: 1,
      rejected: [
        { reason: 'buckets-mismatch', count: 2 },
        { reason: 'too-many-points', count: 1 },
      ],
    };
    expect(protobufOutcome(request, limits)).toEqual(expected);
    expect(jsonOutcome(request, limits)).toEqual(expected);
  });

  test('beyond the cap, but none before it', () => {
    const request = requestOf([histogram(three), histogram(three)]);
    const limits = { ...METRICS_LIMITS, pointsMax: 4 };
    const expected = { taken: 4, rejected: [{ reason: 'too-many-points', count: 2 }] };
    expect(protobufOutcome(request, limits)).toEqual(expected);
    expect(jsonOutcome(request, limits)).toEqual(expected);
  });
});

describe('bytes that are not protobuf are refused with the place', () => {
  const good = protobufOf(requestOf([histogram([goodPoint])]));
  const nested = (depth: number): object =>
    depth === 0 ? { stringValue: 'x' } : { arrayValue: { values: [nested(depth - 1)] } };

  test.each<readonly [string, readonly number[], number]>([
    ['a tag that does not end', [0x8a], 1],
    ['a tag of 11 bytes', [...Array<number>(10).fill(0xff), 0x01], 9],
    ['a tag beyond 32 bits', [0xff, 0xff, 0xff, 0xff, 0xff, 0x01], 6],
    ['a tag of zeros that goes on', [0x8a, 0x80, 0x80, 0x80, 0x80, 0x00], 6],
    ['field number 0', [0x02, 0x00], 1],
    ['a start of a group', [0x7b], 1],
    ['an end of a group', [0x7c], 1],
    ['wire type 6', [0x7e], 1],
    ['wire type 7', [0x7f], 1],
    ['resource_metrics as a number', [0x08, 0x01], 1],
    ['a length without its bytes', [0x0a, 0x05, 0x00], 2],
    ['a length of 2^32 - 1', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], 6],
    ['a length beyond 32 bits', [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], 7],
    ['a length of -1', [0x0a, ...Array<number>(9).fill(0xff), 0x01], 11],
    ['an inner length beyond the outer', [0x0a, 0x02, 0x12, 0x05, 0, 0, 0, 0, 0], 4],
    ['an inner fixed64 beyond its message', [0x0a, 0x02, 0x79, 0, 0, 0, 0, 0, 0, 0, 0, 0], 3],
    ['an inner varint beyond its message', [0x0a, 0x02, 0x78, 0x80, 0x01], 4],
    ['an unknown fixed64 cut off', [0x79, 1, 2, 3], 1],
    ['an unknown fixed32 cut off', [0x7d, 1, 2, 3], 1],
    ['an unknown varint cut off', [0x78, 0x80], 2],
    ['an unknown varint of 11 bytes', [0x78, ...Array<number>(10).fill(0x80), 0x00], 10],
  ])('%s', (_fault, bytes, offset) => {
    const decoded = decodeMetricsRequest(Uint8Array.from(bytes), PROTOBUF);
    expect(decoded).toMatchObject({ ok: false, problem: { code: 'otlp-malformed', offset } });
  });

  test.each([1, 2, 100, good.length - 1])('a good request cut off after %i bytes', (length) => {
    const decoded = decodeMetricsRequest(good.subarray(0, length), PROTOBUF);
    expect(decoded).toMatchObject({ ok: false, problem: { code: 'otlp-malformed' } });
  });

  test('a packed list that ends inside an element', () => {
    // The count field of the good point, turned into a list of 7 bytes by hand.
    const point = [0x32, 0x07, 1, 2, 3, 4, 5, 6, 7];
    const histogramField = [0x4a, 4 + point.length, 0x0a, point.length, ...point, 0x10, 0x01];
    const name = Buffer.from('http.server.request.duration');
    const metric = [0x0a, name.length, ...name, 0x1a, 0x01, 0x73, ...histogramField];
    const resource = protobufOf(requestOf([])).subarray(2);
    const scope = [0x12, metric.length + 2, 0x12, metric.length, ...metric];
    const whole = [0x0a, resource.length + scope.length, ...resource, ...scope];
    const decoded = decodeMetricsRequest(Uint8Array.from(whole), PROTOBUF);
    expect(decoded).toMatchObject({ ok: false, problem: { code: 'otlp-malformed' } });
  });

  test('an attribute nested too deep, but not one nested just deep enough', () => {
    const withDepth = (depth: number): Uint8Array =>
      protobufOf(
        requestOf([
          histogram([{ ...goodPoint, attributes: [{ key: 'a', value: nested(depth) }] }]),
        ]),
      );
    const deepest = METRICS_LIMITS.attributeDepthMax - 1;
    expect(decodeMetricsRequest(withDepth(deepest), PROTOBUF).ok).toBe(true);
    expect(decodeMetricsRequest(withDepth(deepest + 1), PROTOBUF)).toMatchObject({
      ok: false,
      problem: { code: 'otlp-malformed', message: 'an attribute is nested too deep' },
    });
  });

  test('JSON sent as protobuf, and protobuf sent as JSON', () => {
    const json = jsonOf(requestOf([histogram([goodPoint])]));
    expect(decodeMetricsRequest(json, PROTOBUF)).toMatchObject({
      ok: false,
      problem: { code: 'otlp-malformed', offset: 1 },
    });
    expect(decodeMetricsRequest(good, JSON_TYPE)).toMatchObject({
      ok: false,
      problem: { code: 'otlp-malformed' },
    });
  });
});

describe('text that is not an OTLP request in JSON is refused with the place', () => {
  const decodeText = (text: string): ReturnType<typeof decodeMetricsRequest> =>
    decodeMetricsRequest(Buffer.from(text), JSON_TYPE);

  test.each([
    ['nothing', '', 0],
    ['a word', '{"é": nonsense}', null],
    ['a name without quotes', '{"é": 1, b: 2}', 10],
    ['a text cut off', '{"resourceMetrics": [', 21],
    ['two values', '{} {}', 3],
  ])('%s', (_fault, text, offset) => {
    expect(decodeText(text)).toMatchObject({
      ok: false,
      problem: { code: 'otlp-malformed', offset, message: expect.stringMatching(/^not JSON: ./) },
    });
  });

  test.each([
    ['null', '$'],
    ['[]', '$'],
    ['"text"', '$'],
    ['{"resourceMetrics": {}}', '$.resourceMetrics'],
    ['{"resourceMetrics": [null]}', '$.resourceMetrics[0]'],
    ['{"resourceMetrics": [{}, {"resource": []}]}', '$.resourceMetrics[1].resource'],
    ['{"resourceMetrics": [{"scopeMetrics": 1}]}', '$.resourceMetrics[0].scopeMetrics'],
    [
      '{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": 5}]}]}]}',
      '$.resourceMetrics[0].scopeMetrics[0].metrics[0].name',
    ],
    [
      '{"resourceMetrics": [{"resource": {"attributes": [{"key": "a", "value": 1}]}}]}',
      '$.resourceMetrics[0].resource.attributes[0].value',
    ],
  ])('%s', (text, path) => {
    expect(decodeText(text)).toMatchObject({
      ok: false,
      problem: { code: 'otlp-wrong-shape', path },
    });
  });

  test('a million open brackets', () => {
    expect(decodeText('['.repeat(1_000_000))).toMatchObject({
      ok: false,
      problem: { code: 'otlp-too-deep', offset: METRICS_LIMITS.jsonDepthMax },
    });
  });

  test('millions of empty objects', () => {
    const text = `{"resourceMetrics": [${'{},'.repeat(1_000_000)}{}]}`;
    expect(decodeText(text)).toMatchObject({
      ok: false,
      problem: { code: 'otlp-too-large', max: METRICS_LIMITS.jsonPartsMax },
    });
  });

  test('one part too many, but not the last that is allowed', () => {
    const body = Buffer.from('{"resourceMetrics": [{}, {}], "a": ","}');
    const withParts = (jsonPartsMax: number): boolean =>
      decodeMetricsRequest(body, JSON_TYPE, { ...METRICS_LIMITS, jsonPartsMax }).ok;
    expect([withParts(5), withParts(6)]).toEqual([false, true]);
  });

  test('but brackets inside text are no depth', () => {
    const brackets = '["{\\"['.repeat(100);
    const request = requestOf([
      histogram([{ ...goodPoint, attributes: attributes({ a: brackets }) }]),
    ]);
    expect(jsonOutcome(request).taken).toBe(1);
  });
});

test.each([PROTOBUF, JSON_TYPE] as const)('a request too large is refused unread (%s)', (type) => {
  const limits = { ...METRICS_LIMITS, requestBytesMax: 1000 };
  expect(decodeMetricsRequest(new Uint8Array(1001).fill(0xff), type, limits)).toMatchObject({
    ok: false,
    problem: { code: 'otlp-too-large', max: 1000 },
  });
});
