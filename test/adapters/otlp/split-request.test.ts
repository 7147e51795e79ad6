import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeMetricsRequest } from '../../../services/adapters/otlp/metrics-request.ts';
import { splitOtlp } from '../../../services/adapters/otlp/split-request.ts';
import type { DecodedMetrics } from '../../../services/core/telemetry/point.ts';
import type { OtlpContentType, SplitRequest } from '../../../services/ports/otlp.ts';
import { anyRequest } from '../../support/otlp/arbitraries.ts';
import {
  encoders,
  busyRequest,
  goodPoint,
  histogram,
  jsonOf,
  requestOf,
} from '../../support/otlp/requests.ts';
import { value } from '../../support/records.ts';

const json = 'application/json';
const rejectedOf = (all: readonly DecodedMetrics[]): { readonly [reason: string]: number } => {
  const counts: Record<string, number> = {};
  for (const { reason, count } of all.flatMap(({ rejected }) => rejected))
    counts[reason] = (counts[reason] ?? 0) + count;
  return counts;
};

/** Those of `some` that follow each other in `all`. */
const within = <Item>(all: readonly Item[], some: readonly Item[]): readonly Item[] => {
  let next = 0;
  return some.filter((item) => {
    while (next < all.length && !isDeepStrictEqual(all[next], item)) next++;
    return next++ < all.length;
  });
};

const cut = (bytes: Uint8Array, contentType: OtlpContentType, bytesMax: number): SplitRequest =>
  value(splitOtlp('metrics', bytes, contentType, bytesMax));

describe.each(encoders)('%s', (contentType, encode) => {
  const decode = (bytes: Uint8Array): DecodedMetrics =>
    value(decodeMetricsRequest(bytes, contentType));

  test('what fits one piece stays as it came', () => {
    const bytes = encode(busyRequest(10));
    const { pieces, lost } = cut(bytes, contentType, bytes.length);
    expect(pieces[0]).toBe(bytes);
    expect([pieces.length, lost]).toEqual([1, 0]);
  });

  test('the points of the pieces are the points of the whole, in their order', () => {
    let whole = 0;
    let several = 0;
    fc.assert(
      fc.property(anyRequest, fc.double({ min: 0.02, max: 1, noNaN: true }), (sent, share) => {
        const bytes = encode(sent);
        const bytesMax = Math.ceil(bytes.length * share) + 400;
        const { pieces, lost } = cut(bytes, contentType, bytesMax);
        for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(bytesMax);
        const decoded = pieces.map(decode);
        const points = decoded.flatMap((piece) => piece.points);
        const expected = decode(bytes);
        // In their order, and none is missing but those that are counted.
        expect(within(expected.points, points)).toEqual(points);
        expect(points.length + lost).toBeGreaterThanOrEqual(expected.points.length);
        if (lost > 0) return;
        if (!isDeepStrictEqual(rejectedOf(decoded), rejectedOf([expected])))
          throw new Error('other points are rejected');
        whole += 1;
        if (pieces.length > 1) several += 1;
      }),
      { numRuns: 300 },
    );
    expect(whole).toBeGreaterThan(80);
    expect(several).toBeGreaterThan(10);
  });

  test('one metric of one resource is cut between its points, and the pieces are filled', () => {
    const bytes = encode(busyRequest(2000));
    const { pieces, lost } = cut(bytes, contentType, 100_000);
    expect(pieces.length).toBeLessThan((1.2 * bytes.length) / 100_000 + 1);
    expect(lost).toBe(0);
  });

  test('a point that fits no piece is left out and counted; its neighbours stay', () => {
    const long = { key: 'note', value: { stringValue: 'x'.repeat(3000) } };
    const large = { ...goodPoint, attributes: [long] };
    const bytes = encode(requestOf([histogram([goodPoint, large, goodPoint])]));
    const { pieces, lost } = cut(bytes, contentType, 2000);
    expect(lost).toBe(1);
    expect(pieces.map((piece) => decode(piece).points.length)).toEqual([2]);
  });

  test('a large frame around many points does not blow a small request up', () => {
    const bytes = encode(
      requestOf([histogram(Array.from({ length: 50 }, () => goodPoint))], {
        'service.name': 'x'.repeat(1500),
      }),
    );
    expect(cut(bytes, contentType, 2000)).toEqual({ pieces: [], lost: 50 });
    const { pieces } = cut(encode(busyRequest(1000)), contentType, 4000);
    const sum = pieces.reduce((bytesSum, piece) => bytesSum + piece.length, 0);
    expect(sum).toBeLessThan(2 * encode(busyRequest(1000)).length);
  });

  test('what is cut off is refused', () => {
    const bytes = encode(busyRequest(100));
    expect(
      splitOtlp('metrics', bytes.subarray(0, bytes.length - 3), contentType, 4000),
    ).toMatchObject({ problem: { code: 'otlp-malformed' } });
  });
});

describe('JSON', () => {
  test('of something else is refused with its place', () => {
    const bytes = jsonOf({ resourceMetrics: [{ scopeMetrics: 'x'.repeat(100) }] });
    expect(splitOtlp('metrics', bytes, json, 50)).toMatchObject({
      problem: { code: 'otlp-wrong-shape', path: expect.stringContaining('.scopeMetrics') },
    });
  });

  test('a number beyond all doubles stays no count', () => {
    const text = jsonOf(requestOf([histogram([goodPoint, { ...goodPoint, count: -77 }])]));
    const bytes = Buffer.from(Buffer.from(text).toString().replace('-77', '1e999'));
    const decoded = cut(bytes, json, 950).pieces.map((piece) =>
      value(decodeMetricsRequest(piece, json)),
    );
    expect(decoded.length).toBeGreaterThan(1);
    expect(rejectedOf(decoded)).toEqual({ 'count-invalid': 1 });
  });

  test('the names of the .proto files do as well', () => {
    const points = Array.from({ length: 6 }, () => ({ ...goodPoint, attributes: [] }));
    const metric = { name: 'm', histogram: { data_points: points } };
    const request = { resource_metrics: [{ scope_metrics: [{ metrics: [metric] }] }] };
    const { pieces, lost } = cut(jsonOf(request), json, 700);
    expect([pieces.length, lost]).toEqual([2, 0]);
  });
});

describe.each([
  ['traces', 'resourceSpans', 'scopeSpans', 'spans'],
  ['logs', 'resourceLogs', 'scopeLogs', 'logRecords'],
] as const)('%s', (signal, resources, scopes, leaves) => {
  test('are cut between their leaves', () => {
    const items = Array.from({ length: 20 }, (_, index) => ({ name: `n${index}` }));
    const request = { [resources]: [{ schemaUrl: 'u', [scopes]: [{ [leaves]: items }] }] };
    const { pieces, lost } = value(splitOtlp(signal, jsonOf(request), json, 300));
    expect(lost).toBe(0);
    expect(pieces.length).toBeGreaterThan(1);
    const read = pieces.map((piece) => JSON.parse(Buffer.from(piece).toString()));
    const found = read.flatMap((piece) => piece[resources][0][scopes][0][leaves]);
    expect(found).toEqual(items);
    for (const piece of read) expect(piece[resources][0].schemaUrl).toBe('u');
  });
});
