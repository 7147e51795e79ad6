import type { RawPoint } from './point-collector.ts';
import type { ProtobufReader } from './protobuf-reader.ts';

/** The field numbers of the two data points in opentelemetry/proto/metrics/v1/metrics.proto. */
export const HISTOGRAM_POINT_ATTRIBUTES = 9;
const HISTOGRAM_POINT = {
  start: 2,
  time: 3,
  count: 4,
  sum: 5,
  bucketCounts: 6,
  explicitBounds: 7,
  attributes: HISTOGRAM_POINT_ATTRIBUTES,
  flags: 10,
} as const;

export const EXPONENTIAL_POINT_ATTRIBUTES = 1;
const EXPONENTIAL_POINT = {
  attributes: EXPONENTIAL_POINT_ATTRIBUTES,
  start: 2,
  time: 3,
  count: 4,
  sum: 5,
  zeroCount: 7,
  positive: 8,
  negative: 9,
  flags: 10,
} as const;
const BUCKETS_COUNTS = 2;

/** The bytes from the first attribute of a point to its last; other fields may lie between. */
export class AttributeRange {
  start: number;
  end: number;

  constructor(pointStart: number) {
    this.start = pointStart;
    this.end = pointStart;
  }

  /** Takes in the attribute the reader stands on, and steps over it. */
  include(reader: ProtobufReader, pointEnd: number): void {
    if (this.end === this.start) this.start = reader.tagAt;
    reader.at = reader.lengthEnd(pointEnd);
    this.end = reader.at;
  }
}

/** Reads the HistogramDataPoint from the reader's place to `end`; its attributes stay bytes. */
export const readHistogramPoint = (
  reader: ProtobufReader,
  end: number,
  point: RawPoint,
  attributes: AttributeRange,
): void => {
  let buckets = 0;
  let bucketsTotal = 0;
  let bounds = 0;
  let lastBound = -Infinity;
  let boundsRise = true;
  const addCount = (count: number): void => {
    buckets++;
    bucketsTotal += count;
  };
  const addBound = (bound: number): void => {
    bounds++;
    // Asked this way round, NaN does not rise.
    boundsRise = boundsRise && bound > lastBound;
    lastBound = bound;
  };
  while (reader.next(end)) {
    switch (reader.field) {
      case HISTOGRAM_POINT.start:
        point.startMs = reader.nanosAsMs(end);
        break;
      case HISTOGRAM_POINT.time:
        point.timeMs = reader.nanosAsMs(end);
        break;
      case HISTOGRAM_POINT.count:
        point.count = reader.fixed64(end);
        break;
      case HISTOGRAM_POINT.sum:
        point.sum = reader.double(end);
        break;
      case HISTOGRAM_POINT.bucketCounts:
        reader.eachFixed64(end, addCount);
        break;
      case HISTOGRAM_POINT.explicitBounds:
        reader.eachDouble(end, addBound);
        break;
      case HISTOGRAM_POINT.attributes:
        attributes.include(reader, end);
        break;
      case HISTOGRAM_POINT.flags:
        point.flags = reader.varint(end);
        break;
      default:
        reader.skip(end);
    }
  }
  if (buckets > 0) {
    point.bucketsTotal = bucketsTotal;
    point.boundsFit = boundsRise && bounds === buckets - 1;
  }
};

/** Reads the ExponentialHistogramDataPoint from the reader's place to `end`. */
export const readExponentialPoint = (
  reader: ProtobufReader,
  end: number,
  point: RawPoint,
  attributes: AttributeRange,
): void => {
  let bucketsTotal = 0;
  const addCount = (count: number): void => {
    bucketsTotal += count;
  };
  while (reader.next(end)) {
    switch (reader.field) {
      case EXPONENTIAL_POINT.start:
        point.startMs = reader.nanosAsMs(end);
        break;
      case EXPONENTIAL_POINT.time:
        point.timeMs = reader.nanosAsMs(end);
        break;
      case EXPONENTIAL_POINT.count:
        point.count = reader.fixed64(end);
        break;
      case EXPONENTIAL_POINT.sum:
        point.sum = reader.double(end);
        break;
      case EXPONENTIAL_POINT.zeroCount:
        addCount(reader.fixed64(end));
        break;
      case EXPONENTIAL_POINT.positive:
      case EXPONENTIAL_POINT.negative:
        eachBucket(reader, reader.lengthEnd(end), addCount);
        break;
      case EXPONENTIAL_POINT.attributes:
        attributes.include(reader, end);
        break;
      case EXPONENTIAL_POINT.flags:
        point.flags = reader.varint(end);
        break;
      default:
        reader.skip(end);
    }
  }
  point.bucketsTotal = bucketsTotal;
};

const eachBucket = (reader: ProtobufReader, end: number, visit: (count: number) => void): void => {
  while (reader.next(end)) {
    if (reader.field === BUCKETS_COUNTS) reader.eachVarint(end, visit);
    else reader.skip(end);
  }
};
