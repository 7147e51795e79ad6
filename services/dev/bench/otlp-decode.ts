import { openMetricsReader } from '../../adapters/otlp/metrics-request.ts';
import { METRICS_LIMITS } from '../../adapters/otlp/limits.ts';
import { decodeMetricsRequest } from '../../adapters/otlp/metrics-request.ts';
import type { OtlpContentType, ReadMetrics } from '../../ports/otlp.ts';
import {
  busyRequest,
  jsonOf,
  protobufOf,
  requestType,
} from '../../../test/support/otlp/requests.ts';
import type { Bench } from './bench.ts';

const POINTS = 100;
const REQUESTS_PER_RUN = 10;

const request = busyRequest(POINTS);
const protobuf = protobufOf(request);
const json = jsonOf(request);
const jsonText = Buffer.from(json).toString();

const cold: ReadMetrics = (bytes, contentType) =>
  decodeMetricsRequest(bytes, contentType, METRICS_LIMITS);
const warm: ReadMetrics = openMetricsReader();

/** Reads the request several times; answers the points, and fails if one went missing. */
const readAll = (read: ReadMetrics, bytes: Uint8Array, contentType: OtlpContentType): number => {
  let points = 0;
  for (let times = 0; times < REQUESTS_PER_RUN; times++) {
    const decoded = read(bytes, contentType);
    points += decoded.ok ? decoded.value.points.length : 0;
  }
  if (points !== POINTS * REQUESTS_PER_RUN) throw new Error(`read ${points} points`);
  return points;
};

const repeat = (work: () => void): number => {
  for (let times = 0; times < REQUESTS_PER_RUN; times++) work();
  return POINTS * REQUESTS_PER_RUN;
};

/**
 * Request points out of a request of 100 histogram series (5 attributes, 15 buckets each). Ours
 * ends with checked points and the digests of their series; protobufjs and JSON.parse only with
 * their objects, which still would have to be read.
 */
export const otlpDecode: Bench = {
  name: 'otlp-decode',
  unit: 'data point',
  alternatives: [
    {
      name: 'our walk, series seen before',
      run: () => readAll(warm, protobuf, 'application/x-protobuf'),
    },
    {
      name: 'our walk, all series new',
      run: () => readAll(cold, protobuf, 'application/x-protobuf'),
    },
    { name: 'protobufjs decode', run: () => repeat(() => requestType.decode(protobuf)) },
    { name: 'our JSON path', run: () => readAll(warm, json, 'application/json') },
    { name: 'JSON.parse alone', run: () => repeat(() => JSON.parse(jsonText)) },
  ],
  ratios: [
    {
      name: 'otlp-decode: protobufjs / our walk',
      of: 'protobufjs decode',
      over: 'our walk, series seen before',
    },
    {
      name: 'otlp-decode: protobufjs / our walk, new series',
      of: 'protobufjs decode',
      over: 'our walk, all series new',
    },
    {
      name: 'otlp-decode: our JSON path / JSON.parse',
      of: 'our JSON path',
      over: 'JSON.parse alone',
    },
  ],
};
