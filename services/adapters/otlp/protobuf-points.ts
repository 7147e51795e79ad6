import type { DurationUnit } from '../../core/telemetry/point.ts';
import {
  blankExponential,
  BucketCounts,
  explicitBounds,
  type ExplicitBounds,
  explicitBuckets,
  exponentialBuckets,
} from './buckets.ts';
import type { MetricsLimits } from './limits.ts';
import type { RawLevel, RawPoint, RefusedPoint } from './point-collector.ts';
import type { ProtobufReader } from './protobuf-reader.ts';

/** The field numbers of the three data points in opentelemetry/proto/metrics/v1/metrics.proto. */
export const NUMBER_POINT_ATTRIBUTES = 7;
const NUMBER_POINT = {
  time: 3,
  asDouble: 4,
  asInt: 6,
  attributes: NUMBER_POINT_ATTRIBUTES,
  flags: 8,
} as const;

export const HISTOGRAM_POINT_ATTRIBUTES = 9;
const HISTOGRAM_POINT = {
  start: 2,
  time: 3,
  count: 4,
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
  scale: 6,
  zeroCount: 7,
  positive: 8,
  negative: 9,
  flags: 10,
} as const;
/** The times of every kind of point, and where the kinds differ. */
const REFUSED_POINT = { start: 2, time: 3 } as const;
export type RefusedFields = { readonly attributes: number; readonly flags: number };
export const REFUSED_HISTOGRAM: RefusedFields = HISTOGRAM_POINT;
export const REFUSED_EXPONENTIAL: RefusedFields = EXPONENTIAL_POINT;
export const REFUSED_NUMBER: RefusedFields = NUMBER_POINT;
export const REFUSED_SUMMARY: RefusedFields = { attributes: 7, flags: 8 };
const BUCKETS = { offset: 1, counts: 2 } as const;

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

/** Reads the numbers of a NumberDataPoint from the reader's place to `end`; its attributes stay bytes. */
export const readNumberPoint = (
  reader: ProtobufReader,
  end: number,
  point: RawLevel,
  attributes: AttributeRange,
): void => {
  while (reader.next(end)) {
    switch (reader.field) {
      case NUMBER_POINT.time:
        point.timeMs = reader.nanosAsMs(end);
        break;
      case NUMBER_POINT.asDouble:
        point.level = reader.double(end);
        break;
      case NUMBER_POINT.asInt:
        point.level = reader.sfixed64(end);
        break;
      case NUMBER_POINT.attributes:
        attributes.include(reader, end);
        break;
      case NUMBER_POINT.flags:
        point.flags = reader.varint(end);
        break;
      default:
        reader.skip(end);
    }
  }
};

/** Reads a point of whatever kind that is refused with its metric; its attributes stay bytes, its numbers unread. */
export const readRefusedPoint = (
  reader: ProtobufReader,
  end: number,
  fields: RefusedFields,
  point: RefusedPoint,
  attributes: AttributeRange,
): void => {
  while (reader.next(end)) {
    switch (reader.field) {
      case REFUSED_POINT.start:
        point.startMs = reader.nanosAsMs(end);
        break;
      case REFUSED_POINT.time:
        point.timeMs = reader.nanosAsMs(end);
        break;
      case fields.attributes:
        attributes.include(reader, end);
        break;
      case fields.flags:
        point.flags = reader.varint(end);
        break;
      default:
        reader.skip(end);
    }
  }
};

/** Reads the points of one histogram metric: what they share, they share in memory too. */
export class HistogramPoints {
  readonly #reader: ProtobufReader;
  readonly #unit: DurationUnit;
  readonly #bucketsMax: number;
  /** The bounds of the point before, and the bytes that they were read from. */
  #bounds: ExplicitBounds | null = null;
  #boundsStart = 0;
  #boundsEnd = 0;

  constructor(reader: ProtobufReader, unit: DurationUnit, { bucketsMax }: MetricsLimits) {
    this.#reader = reader;
    this.#unit = unit;
    this.#bucketsMax = bucketsMax;
  }

  /** Reads the HistogramDataPoint from the reader's place to `end`; its attributes stay bytes. */
  readExplicit(end: number, point: RawPoint, attributes: AttributeRange): void {
    const reader = this.#reader;
    const counts = new BucketCounts();
    let bounds: ExplicitBounds | null = null;
    let loose: number[] | null = null;
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
        case HISTOGRAM_POINT.bucketCounts:
          reader.fixed64s(end, counts);
          break;
        case HISTOGRAM_POINT.explicitBounds:
          // One packed list, as nearly always; of several pieces they are put together.
          if (bounds === null && loose === null && reader.isPacked) {
            bounds = this.#packedBounds(end);
          } else {
            loose ??= bounds === null ? [] : this.#sentBounds();
            bounds = null;
            reader.doubles(end, loose);
          }
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
    bounds ??= explicitBounds(loose ?? [], this.#unit);
    point.buckets = explicitBuckets(counts, bounds, this.#bucketsMax);
  }

  /** The packed list of bounds that the reader stands on; the same bytes as before are the same list. */
  #packedBounds(end: number): ExplicitBounds {
    const reader = this.#reader;
    const listEnd = reader.lengthEnd(end);
    const { bytes, at: start } = reader;
    const [before, length] = [this.#boundsStart, this.#boundsEnd - this.#boundsStart];
    const isKnown =
      this.#bounds !== null &&
      length === listEnd - start &&
      bytes.compare(bytes, before, this.#boundsEnd, start, listEnd) === 0;
    if (this.#bounds !== null && isKnown) {
      reader.at = listEnd;
      return this.#bounds;
    }
    this.#boundsStart = start;
    this.#boundsEnd = listEnd;
    this.#bounds = explicitBounds(this.#sentBounds(), this.#unit);
    reader.at = listEnd;
    return this.#bounds;
  }

  #sentBounds(): number[] {
    const reader = this.#reader;
    const at = reader.at;
    const sent: number[] = [];
    reader.at = this.#boundsStart;
    reader.packedDoubles(this.#boundsEnd, sent);
    reader.at = at;
    return sent;
  }

  /** Reads the ExponentialHistogramDataPoint from the reader's place to `end`; its attributes stay bytes. */
  readExponential(end: number, point: RawPoint, attributes: AttributeRange): void {
    const reader = this.#reader;
    const raw = blankExponential();
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
        case EXPONENTIAL_POINT.scale:
          raw.scale = reader.sint32(end);
          break;
        case EXPONENTIAL_POINT.zeroCount:
          raw.zeroCount = reader.fixed64(end);
          break;
        case EXPONENTIAL_POINT.positive:
          raw.offset = readBuckets(reader, reader.lengthEnd(end), raw.positive, raw.offset);
          break;
        case EXPONENTIAL_POINT.negative:
          readBuckets(reader, reader.lengthEnd(end), raw.negative, 0);
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
    point.buckets = exponentialBuckets(raw, this.#unit, this.#bucketsMax);
  }
}

/** Reads counts, and answers the offset: `before` where none is said. */
const readBuckets = (
  reader: ProtobufReader,
  end: number,
  counts: BucketCounts,
  before: number,
): number => {
  let offset = before;
  while (reader.next(end)) {
    if (reader.field === BUCKETS.offset) offset = reader.sint32(end);
    else if (reader.field === BUCKETS.counts) reader.varints(end, counts);
    else reader.skip(end);
  }
  return offset;
};
