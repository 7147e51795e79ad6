import { readJsonRequest } from '../../adapters/otlp/json-request.ts';
import { METRICS_LIMITS } from '../../adapters/otlp/limits.ts';
import { decodeTelemetry, openTelemetryReader } from '../../adapters/otlp/metrics-request.ts';
import { PointCollector } from '../../adapters/otlp/point-collector.ts';
import { WantedMetrics } from '../../adapters/otlp/wanted-metrics.ts';
import { ok } from '../../core/result.ts';
import type { Selection } from '../../core/telemetry/telemetry-point.ts';
import type { OtlpContentType, ReadTelemetry } from '../../ports/otlp.ts';
import {
  busyRequest,
  jsonOf,
  protobufOf,
  requestType,
} from '../../../test/support/otlp/requests.ts';
import type { Bench } from './bench.ts';

const POINTS = 100;
const REQUESTS_PER_RUN = 10;

/** What policies ask for: durations of requests, and the route that some filter looks at. */
const selection: Selection = {
  metrics: new Map([['http.server.request.duration', ['http.route']]]),
  levels: new Set(),
  targetAttributes: [],
  usualTargetAttributes: [],
  cohortAttributes: [],
};

const request = busyRequest(POINTS);
const protobuf = protobufOf(request);
const json = jsonOf(request);
const jsonText = Buffer.from(json).toString();

type Read = (bytes: Uint8Array, contentType: OtlpContentType) => ReturnType<ReadTelemetry>;

const cold: Read = (bytes, contentType) =>
  decodeTelemetry(bytes, contentType, new WantedMetrics(selection));
const read = openTelemetryReader();
const warm: Read = (bytes, contentType) => read(bytes, contentType, selection);

/** What one would write without a walk: protobufjs's objects, then the same reduction as for JSON. */
const wanted = new WantedMetrics(selection);
const byProtobufjs: Read = (bytes) => {
  const collector = new PointCollector(METRICS_LIMITS);
  const plain = requestType.toObject(requestType.decode(bytes), { longs: String, bytes: String });
  readJsonRequest(plain, wanted, METRICS_LIMITS, collector);
  return ok(collector.result());
};

/** Reads the request several times; answers the points, and fails if one went missing, or its buckets did. */
const readAll = (by: Read, bytes: Uint8Array, contentType: OtlpContentType): number => {
  let points = 0;
  for (let times = 0; times < REQUESTS_PER_RUN; times++) {
    const decoded = by(bytes, contentType);
    if (!decoded.ok) throw new Error(decoded.problem.message);
    for (const { value } of decoded.value.points)
      if (value.kind === 'durations' && value.durations !== null) points += 1;
  }
  if (points !== POINTS * REQUESTS_PER_RUN) throw new Error(`read ${points} points`);
  return points;
};

const repeat = (work: () => void): number => {
  for (let times = 0; times < REQUESTS_PER_RUN; times++) work();
  return POINTS * REQUESTS_PER_RUN;
};

/**
 * Points with buckets and route out of a request of 100 histogram series (5 attributes, 15 buckets each): checked,
 * with the digests of their series. Two rows stop short of that: plain protobufjs and JSON.parse,
 * whose objects would still have to be read.
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
    {
      name: 'protobufjs, then the same points',
      run: () => readAll(byProtobufjs, protobuf, 'application/x-protobuf'),
    },
    {
      name: 'protobufjs decode alone',
      run: () => repeat(() => requestType.decode(protobuf)),
    },
    { name: 'our JSON path', run: () => readAll(warm, json, 'application/json') },
    { name: 'JSON.parse alone', run: () => repeat(() => JSON.parse(jsonText)) },
  ],
  ratios: [
    {
      name: 'otlp: protobufjs with the same points / our walk',
      of: 'protobufjs, then the same points',
      over: 'our walk, series seen before',
    },
    {
      name: 'otlp: protobufjs with the same points / our walk, new series',
      of: 'protobufjs, then the same points',
      over: 'our walk, all series new',
    },
    {
      name: 'otlp: protobufjs decode alone / our walk',
      of: 'protobufjs decode alone',
      over: 'our walk, series seen before',
    },
    {
      name: 'otlp: our JSON path / JSON.parse alone',
      of: 'our JSON path',
      over: 'JSON.parse alone',
    },
  ],
};
