import { fieldOf, type JsonObject, listIn, objectIn, toDouble } from './json-fields.ts';
import { blankPoint, type RawPoint } from './point-collector.ts';

const commonOf = (point: JsonObject): RawPoint => ({
  ...blankPoint(),
  startMs: nanosAsMs(fieldOf(point, 'startTimeUnixNano')),
  timeMs: nanosAsMs(fieldOf(point, 'timeUnixNano')),
  count: toCount(fieldOf(point, 'count')),
  sum: toDouble(fieldOf(point, 'sum')),
  flags: toCount(fieldOf(point, 'flags')),
});

/** The numbers of a HistogramDataPoint. */
export const histogramPoint = (point: JsonObject): RawPoint => {
  const raw = commonOf(point);
  const buckets = listIn(point, 'bucketCounts');
  if (buckets.length === 0) return raw;
  const bounds = listIn(point, 'explicitBounds').map(toDouble);
  raw.bucketsTotal = totalOf(buckets);
  raw.boundsFit =
    bounds.length === buckets.length - 1 &&
    bounds.every((bound, index) => bound > (bounds[index - 1] ?? -Infinity));
  return raw;
};

/** The numbers of an ExponentialHistogramDataPoint. */
export const exponentialPoint = (point: JsonObject): RawPoint => {
  const raw = commonOf(point);
  const positive = objectIn(point, 'positive') ?? {};
  const negative = objectIn(point, 'negative') ?? {};
  raw.bucketsTotal =
    toCount(fieldOf(point, 'zeroCount')) +
    totalOf(listIn(positive, 'bucketCounts')) +
    totalOf(listIn(negative, 'bucketCounts'));
  return raw;
};

const totalOf = (buckets: readonly unknown[]): number =>
  buckets.reduce<number>((total, bucket) => total + toCount(bucket ?? undefined), 0);

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
