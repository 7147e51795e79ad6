import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { fail } from '../../services/core/result.ts';
import {
  otlpBytesMax,
  otlpRecordBytesMax,
  unpackedAtOnceMax,
  waitingBytesMax,
} from '../../services/gateway/telemetry.ts';
import { decodeMetricsRequest } from '../../services/adapters/otlp/metrics-request.ts';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import type { RequestPoint } from '../../services/core/telemetry/point.ts';
import type { AppendProblem } from '../../services/ports/record-log.ts';
import type { Answered, Asked, GatewayHouse } from '../support/gateway.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import {
  busyRequest,
  goodPoint,
  histogram,
  jsonOf,
  protobufOf,
  requestOf,
  responseType,
} from '../support/otlp/requests.ts';
import { value } from '../support/records.ts';

const protobuf = 'application/x-protobuf';
const json = 'application/json';

const good = requestOf([histogram([goodPoint])]);
const halfBad = requestOf([
  histogram([goodPoint, { ...goodPoint, count: '3', bucketCounts: ['1', '1', '0'] }]),
]);

const taken = async (house: GatewayHouse): Promise<readonly object[]> =>
  value(await house.metrics.read(0, 0, 100)).map(({ key, headers, value: body }) => ({
    key: Buffer.from(key).toString(),
    headers: headers.map(({ name, value: content }) => [name, Buffer.from(content).toString()]),
    body: Buffer.from(body).toString('hex'),
  }));

const asTaken = (contentType: string, body: Uint8Array): object => ({
  key: '',
  headers: [['content-type', contentType]],
  body: Buffer.from(body).toString('hex'),
});

const bodies = new Map([
  [protobuf, protobufOf(good)],
  [json, jsonOf(good)],
]);

describe.each([protobuf, json])('%s', (contentType) => {
  const body = bodies.get(contentType) ?? new Uint8Array();
  const ask = (house: GatewayHouse, asked: Asked = {}): Promise<Answered> =>
    house.sendTelemetry('/v1/metrics', {
      body,
      ...asked,
      headers: { 'content-type': contentType, ...asked.headers },
    });

  test('is appended as it came', async () => {
    const house = await openGatewayHouse();
    const answer = await ask(house);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe(contentType);
    expect(answer.text).toBe(contentType === json ? '{}' : '');
    expect(await taken(house)).toEqual([asTaken(contentType, body)]);
  });

  test('on the main port too', async () => {
    const house = await openGatewayHouse();
    const headers = { 'content-type': contentType };
    expect((await house.send('POST', '/v1/metrics', { body, headers })).status).toBe(200);
    expect(await taken(house)).toHaveLength(1);
  });

  test('is unpacked first', async () => {
    const house = await openGatewayHouse();
    const packed = { body: gzipSync(body), headers: { 'content-encoding': 'gzip' } };
    expect((await ask(house, packed)).status).toBe(200);
    expect(await taken(house)).toEqual([asTaken(contentType, body)]);
  });

  test('that breaks off is refused, in the form that senders read', async () => {
    const house = await openGatewayHouse();
    const answer = await ask(house, { body: body.subarray(0, body.length - 3) });
    expect(answer.status).toBe(400);
    expect(answer.headers).toMatchObject({
      'content-type': contentType,
      'plimsoll-code': 'otlp-malformed',
    });
    expect(answer.text).toContain('otlp-malformed: ');
    expect(await taken(house)).toEqual([]);
  });
});

describe('points that no judge takes', () => {
  test('are told to the sender; the rest counts', async () => {
    const house = await openGatewayHouse();
    const answer = await house.sendTelemetry('/v1/metrics', {
      body: protobufOf(halfBad),
      headers: { 'content-type': protobuf },
    });
    expect(answer.status).toBe(200);
    expect(responseType.toObject(responseType.decode(answer.bytes), { longs: String })).toEqual({
      partialSuccess: { rejectedDataPoints: '1', errorMessage: 'buckets-mismatch: 1' },
    });
    expect(await taken(house)).toHaveLength(1);
  });

  test.each([
    ['a count below zero', { ...goodPoint, count: -1 }],
    ['a count beyond all numbers', { ...goodPoint, count: '99999999999999999999' }],
  ])('%s', async (_name, point) => {
    const house = await openGatewayHouse();
    const answer = await house.sendTelemetry('/v1/metrics', {
      body: jsonOf(requestOf([histogram([point])])),
      headers: { 'content-type': 'application/json; charset=utf-8' },
    });
    expect(answer.status).toBe(200);
    expect(answer.json.partialSuccess).toMatchObject({ rejectedDataPoints: '1' });
  });
});

const bomb = gzipSync(new Uint8Array(200 * 1024 * 1024));

describe('what is wrong with a request', () => {
  const faults: readonly (readonly [string, number, string, Asked])[] = [
    ['no content type', 415, 'content-type-unsupported', {}],
    ['text', 415, 'content-type-unsupported', { headers: { 'content-type': 'text/plain' } }],
    [
      'an encoding that nobody asked for',
      415,
      'content-encoding-unsupported',
      { headers: { 'content-type': protobuf, 'content-encoding': 'br' } },
    ],
    [
      'two encodings',
      415,
      'content-encoding-unsupported',
      { headers: { 'content-type': protobuf, 'content-encoding': 'gzip, gzip' } },
    ],
    [
      'a bomb of gzip',
      413,
      'gzip-bomb',
      { headers: { 'content-type': protobuf, 'content-encoding': 'gzip' }, body: bomb },
    ],
    [
      'what is not gzip',
      400,
      'gzip-broken',
      { headers: { 'content-type': protobuf, 'content-encoding': 'gzip' }, body: 'plain' },
    ],
    [
      'a body beyond all requests',
      413,
      'body-too-large',
      { headers: { 'content-type': protobuf }, body: new Uint8Array(otlpBytesMax + 1) },
    ],
    [
      'a body that is cut off',
      400,
      'body-cut-off',
      { headers: { 'content-type': protobuf }, cutOff: true },
    ],
    [
      'JSON of something else',
      400,
      'otlp-wrong-shape',
      { headers: { 'content-type': json }, body: '[]' },
    ],
    [
      'JSON without end',
      400,
      'otlp-too-deep',
      { headers: { 'content-type': json }, body: '['.repeat(100_000) },
    ],
  ];
  test.each(faults)('%s: %i %s', async (_name, status, code, asked) => {
    const house = await openGatewayHouse();
    const answer = await house.sendTelemetry('/v1/metrics', asked);
    expect([answer.status, answer.headers['plimsoll-code']]).toEqual([status, code]);
    expect(await taken(house)).toEqual([]);
  });

  test('the largest body that is one record fits the log', async () => {
    const house = await openGatewayHouse();
    // A length-delimited field that nobody knows fills it up.
    const filling = otlpRecordBytesMax - 4;
    const body = Buffer.concat([
      Buffer.from([0x7a, (filling & 0x7f) | 0x80, ((filling >> 7) & 0x7f) | 0x80, filling >> 14]),
      Buffer.alloc(filling),
    ]);
    expect(body.length).toBe(otlpRecordBytesMax);
    const answer = await house.sendTelemetry('/v1/metrics', {
      body,
      headers: { 'content-type': protobuf },
    });
    expect(answer.status).toBe(200);
    expect(await taken(house)).toHaveLength(1);
  });

  test('an export of nothing is a success, and no record', async () => {
    const house = await openGatewayHouse();
    const answer = await house.sendTelemetry('/v1/metrics', {
      headers: { 'content-type': protobuf },
    });
    expect(answer.status).toBe(200);
    expect(await taken(house)).toEqual([]);
  });

  test('a busy service fits', async () => {
    const house = await openGatewayHouse();
    const answer = await house.sendTelemetry('/v1/metrics', {
      body: gzipSync(protobufOf(busyRequest(1000))),
      headers: { 'content-type': protobuf, 'content-encoding': 'gzip' },
    });
    expect(answer.status).toBe(200);
  });
});

describe.each([
  [protobuf, protobufOf],
  [json, jsonOf],
] as const)('an ordinary large export, %s', (contentType, encode) => {
  const request = busyRequest(5000);
  const body = encode(request);
  const headers = { 'content-type': contentType };
  const pointsOf = (bytes: Uint8Array): readonly RequestPoint[] =>
    value(decodeMetricsRequest(bytes, contentType)).points;

  test('is taken whole, in records that fit the log', async () => {
    expect(body.length).toBeGreaterThan(otlpRecordBytesMax);
    for (const asked of [
      { body, headers },
      { body: gzipSync(body), headers: { ...headers, 'content-encoding': 'gzip' } },
    ]) {
      const house = await openGatewayHouse();
      const answer = await house.sendTelemetry('/v1/metrics', asked);
      expect(answer.status).toBe(200);
      expect(answer.text).toBe(contentType === json ? '{}' : '');
      const records = value(await house.metrics.read(0, 0, 100));
      expect(records.length).toBeGreaterThan(1);
      for (const record of records) {
        expect(
          record.headers.map(({ name, value: type }) => [name, String(Buffer.from(type))]),
        ).toEqual([['content-type', contentType]]);
        expect(record.value.length).toBeLessThanOrEqual(otlpRecordBytesMax);
      }
      expect(records.flatMap((record) => pointsOf(record.value))).toEqual(pointsOf(body));
    }
  });

  test('a point that fits no record is told to the sender; the rest is taken', async () => {
    const house = await openGatewayHouse();
    const note = { key: 'note', value: { stringValue: 'x'.repeat(otlpRecordBytesMax) } };
    const answer = await house.sendTelemetry('/v1/metrics', {
      body: encode(requestOf([histogram([goodPoint, { ...goodPoint, attributes: [note] }])])),
      headers,
    });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('point-too-large: 1');
    expect((await taken(house)).length).toBe(1);
  });

  test('if the log fails on the way, all is asked for again', async () => {
    let appends = 0;
    const house = await openGatewayHouse([], ({ telemetry }) => ({
      telemetry: {
        ...telemetry,
        metrics: {
          ...telemetry.metrics,
          append: async (partition, records) =>
            ++appends > 1
              ? fail({ code: 'unreachable', message: 'down' })
              : telemetry.metrics.append(partition, records),
        },
      },
    }));
    const answer = await house.sendTelemetry('/v1/metrics', { body, headers });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
  });

  test('one that breaks off leaves nothing', async () => {
    const house = await openGatewayHouse();
    const answer = await house.sendTelemetry('/v1/metrics', {
      body: body.subarray(0, body.length - 3),
      headers,
    });
    expect([answer.status, answer.headers['plimsoll-code']]).toEqual([400, 'otlp-malformed']);
    expect(await taken(house)).toEqual([]);
  });
});

describe('while the stream is down', () => {
  const troubles: readonly AppendProblem['code'][] = [
    'unreachable',
    'unknown',
    'refused',
    'corrupt',
  ];
  test.each(troubles)('%s: senders are asked to send again', async (code) => {
    const house = await openGatewayHouse([], ({ telemetry }) => ({
      telemetry: {
        ...telemetry,
        metrics: { ...telemetry.metrics, append: async () => fail({ code, message: 'down' }) },
      },
    }));
    const answer = await house.sendTelemetry('/v1/metrics', {
      body: jsonOf(good),
      headers: { 'content-type': json },
    });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.json.code).toBe(14);
  });
});

const lengthDelimited = (bytes: Buffer, field = 1): Buffer =>
  Buffer.concat([
    Buffer.from([
      (field << 3) | 2,
      (bytes.length & 0x7f) | 0x80,
      ((bytes.length >> 7) & 0x7f) | 0x80,
      bytes.length >> 14,
    ]),
    bytes,
  ]);

describe.each([
  ['traces', '/v1/traces'],
  ['logs', '/v1/logs'],
] as const)('%s', (signal, path) => {
  const body = new Uint8Array([0x0a, 3, 1, 2, 3]);
  const headers = { 'content-type': protobuf };

  test('are answered and let go where there is no stream for them', async () => {
    const house = await openGatewayHouse();
    const answer = await house.sendTelemetry(path, { body, headers });
    expect([answer.status, answer.text]).toEqual([200, '']);
    const inJson = await house.sendTelemetry(path, {
      body: '{}',
      headers: { 'content-type': json },
    });
    expect(inJson.text).toBe('{}');
    expect(await taken(house)).toEqual([]);
  });

  test('are forwarded as they came where there is one', async () => {
    const stream = createMemoryRecordLog({ name: signal, partitions: 3, nowMs: () => 0 });
    const house = await openGatewayHouse([], ({ telemetry }) => ({
      telemetry: { ...telemetry, [signal]: stream },
    }));
    for (let times = 0; times < 4; times++)
      await house.sendTelemetry(path, {
        body: gzipSync(body),
        headers: { ...headers, 'content-encoding': 'gzip' },
      });
    const counts = [];
    for (let partition = 0; partition < 3; partition++) {
      const records = value(await stream.read(partition, 0, 10));
      counts.push(records.length);
      for (const record of records) expect(record.value).toEqual(body);
    }
    expect(counts).toEqual([2, 1, 1]);
  });

  test('are forwarded in several records where they are too large for one', async () => {
    const stream = createMemoryRecordLog({ name: signal, partitions: 1, nowMs: () => 0 });
    const house = await openGatewayHouse([], ({ telemetry }) => ({
      telemetry: { ...telemetry, [signal]: stream },
    }));
    const resource = lengthDelimited(Buffer.alloc(600_000));
    const sent = { body: Buffer.concat([resource, resource]), headers };
    expect((await house.sendTelemetry(path, sent)).status).toBe(200);
    const records = value(await stream.read(0, 0, 10));
    expect(records.map((record) => record.value.length)).toEqual([
      resource.length,
      resource.length,
    ]);
    const record = lengthDelimited(Buffer.alloc(1_500_000), 2);
    const leaf = lengthDelimited(lengthDelimited(record, 2), 1);
    const large = await house.sendTelemetry(path, { body: leaf, headers });
    expect([large.status, large.headers['plimsoll-code']]).toEqual([413, 'body-too-large']);
    expect(value(await stream.range(0)).end).toBe(2);
  });

  test('that wait for the log have a limit together', async () => {
    const stream = createMemoryRecordLog({ name: signal, partitions: 1, nowMs: () => 0 });
    const house = await openGatewayHouse([], ({ telemetry }) => ({
      telemetry: {
        ...telemetry,
        [signal]: { ...stream, append: () => new Promise<never>(() => undefined) },
      },
    }));
    const resource = lengthDelimited(Buffer.alloc(900_000));
    const large = Buffer.concat(Array.from({ length: 18 }, () => resource));
    for (let waiting = large.length; waiting <= waitingBytesMax; waiting += large.length)
      void house.sendTelemetry(path, { body: large, headers });
    const answer = await house.sendTelemetry(path, { body: large, headers });
    expect([answer.status, answer.headers['plimsoll-code']]).toEqual([503, 'busy']);
  });

  test('have the same limits', async () => {
    const house = await openGatewayHouse();
    const large = await house.sendTelemetry(path, {
      body: new Uint8Array(otlpBytesMax + 1),
      headers,
    });
    expect(large.status).toBe(413);
    const text = await house.sendTelemetry(path, { headers: { 'content-type': 'text/plain' } });
    expect(text.status).toBe(415);
  });
});

test('of packed bodies that come together only a few are unpacked at once, and all are taken', async () => {
  let unpacking = 0;
  let most = 0;
  const house = await openGatewayHouse([], ({ otlp }) => ({
    otlp: {
      ...otlp,
      gunzip: async (...given) => {
        unpacking += 1;
        most = Math.max(most, unpacking);
        const unpacked = await otlp.gunzip(...given);
        unpacking -= 1;
        return unpacked;
      },
    },
  }));
  const body = gzipSync(protobufOf(good));
  const headers = { 'content-type': protobuf, 'content-encoding': 'gzip' };
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => house.sendTelemetry('/v1/metrics', { body, headers })),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(most).toBe(unpackedAtOnceMax);
});
