import type { DurationUnit } from '../../core/telemetry/point.ts';
import {
  blankExponential,
  BucketCounts,
  explicitBounds,
  type ExplicitBounds,
  explicitBuckets,
  exponentialBuckets,
} from './buckets.ts';
import { fieldOf, isObject, type JsonObject, listIn, objectIn, toDouble } from './json-fields.ts';
import type { MetricsLimits } from './limits.ts';
import { blankPoint, type RawLevel, type RawPoint, type RefusedPoint } from './point-collector.ts';

/** The numbers of a NumberDataPoint. */
export const numberPoint = (point: JsonObject): RawLevel => {
  const int = fieldOf(point, 'asInt');
  const double = fieldOf(point, 'asDouble');
  return {
    timeMs: nanosAsMs(fieldOf(point, 'timeUnixNano')),
    level: int !== undefined ? toInt(int) : double === undefined ? NaN : toDouble(double),
    flags: toCount(fieldOf(point, 'flags')),
  };
};

/** Reads the points of one histogram metric: what they share, they share in memory too. */
export class HistogramObjects {
  readonly #unit: DurationUnit;
  readonly #bucketsMax: number;
  /** Those of the point before. */
  #sent: readonly number[] = [];
  #bounds: ExplicitBounds;

  constructor(unit: DurationUnit, { bucketsMax }: MetricsLimits) {
    this.#unit = unit;
    this.#bucketsMax = bucketsMax;
    this.#bounds = explicitBounds([], unit);
  }

  /** The numbers of a HistogramDataPoint. */
  explicit(point: JsonObject): RawPoint {
    const raw = commonOf(point);
    const counts = countsOf(listIn(point, 'bucketCounts'));
    const sent = listIn(point, 'explicitBounds').map(toDouble);
    const isKnown =
      sent.length === this.#sent.length && sent.every((bound, at) => bound === this.#sent[at]);
    if (!isKnown) {
      this.#sent = sent;
      this.#bounds = explicitBounds(sent, this.#unit);
    }
    raw.buckets = explicitBuckets(counts, this.#bounds, this.#bucketsMax);
    return raw;
  }

  /** The numbers of an ExponentialHistogramDataPoint. */
  exponential(point: JsonObject): RawPoint {
    const raw = commonOf(point);
    const positive = objectIn(point, 'positive') ?? {};
    const negative = objectIn(point, 'negative') ?? {};
    const histogram = {
      ...blankExponential(),
      scale: toInt(fieldOf(point, 'scale') ?? 0),
      zeroCount: toCount(fieldOf(point, 'zeroCount')),
      offset: toInt(fieldOf(positive, 'offset') ?? 0),
      positive: countsOf(listIn(positive, 'bucketCounts')),
      negative: countsOf(listIn(negative, 'bucketCounts')),
    };
    raw.buckets = exponentialBuckets(histogram, this.#unit, this.#bucketsMax);
    return raw;
  }
}

/** When a point was measured, of whatever stands in its place. */
export const timeIn = (point: unknown): number =>
  isObject(point) ? nanosAsMs(fieldOf(point, 'timeUnixNano')) : NaN;

/** What every kind of point has under the same names. */
export const refusedPoint = (point: JsonObject): RefusedPoint => ({
  startMs: nanosAsMs(fieldOf(point, 'startTimeUnixNano')),
  timeMs: nanosAsMs(fieldOf(point, 'timeUnixNano')),
  flags: toCount(fieldOf(point, 'flags')),
});

const commonOf = (point: JsonObject): RawPoint => ({
  ...blankPoint(),
  ...refusedPoint(point),
  count: toCount(fieldOf(point, 'count')),
});

const countsOf = (buckets: readonly unknown[]): BucketCounts => {
  const counts = new BucketCounts();
  for (const bucket of buckets) counts.add(toCount(bucket ?? undefined));
  return counts;
};

const NANOS_PER_MS = 1_000_000;
const NANO_DIGITS_BELOW_MS = 6;

const isDigits = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{1,20}$/.test(value);

/** A uint64 of nanoseconds, as text or number, as whole milliseconds rounded down; NaN if it is none. */
const nanosAsMs = (value: unknown): number => {
  if (value === undefined) return 0;
  if (isDigits(value)) return Number(value.slice(0, -NANO_DIGITS_BELOW_MS));
  if (typeof value !== 'number' || !(value >= 0 && value < 2 ** 64)) return NaN;
  return Math.floor(value / NANOS_PER_MS);
};

/** A uint64, as text or number; above 2^53 rounded; NaN for anything else. */
const toCount = (value: unknown): number => {
  if (value === undefined) return 0;
  if (isDigits(value)) return Number(value);
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : NaN;
};

/** An integer that may be negative, as text or number; beyond 2^53 rounded; NaN for anything else. */
const toInt = (value: unknown): number => {
  if (typeof value === 'string') return /^-?\d{1,20}$/.test(value) ? Number(value) : NaN;
  return typeof value === 'number' && Number.isInteger(value) ? value : NaN;
};
