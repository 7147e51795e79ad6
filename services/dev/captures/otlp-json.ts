// OTLP in JSON as the Collector's file exporter writes it: 64-bit numbers are text, enumerations are numbers.

export type Attributes = { readonly [name: string]: string | number };

export type HistogramPoint = {
  readonly attributes: Attributes;
  readonly startMs: number;
  readonly timeMs: number;
  /** By index of base 2^(2^-scale). */
  readonly buckets: ReadonlyMap<number, number>;
};
export type NumberPoint = {
  readonly attributes: Attributes;
  readonly startMs: number;
  readonly timeMs: number;
  readonly value: number;
};

export type MetricJson = {
  readonly name: string;
  readonly unit: string;
  readonly [data: string]: unknown;
};

const nanos = (ms: number): string => `${Math.round(ms)}000000`;

const attributeList = (attributes: Attributes): readonly object[] =>
  Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
  }));

const temporalities = { delta: 1, cumulative: 2 } as const;
export type TemporalityName = keyof typeof temporalities;

const pointBase = ({ attributes, startMs, timeMs }: Omit<HistogramPoint, 'buckets'>): object => ({
  attributes: attributeList(attributes),
  startTimeUnixNano: nanos(startMs),
  timeUnixNano: nanos(timeMs),
});

const histogramBase = (point: HistogramPoint, scale: number): object => ({
  ...pointBase(point),
  count: String(totalOf(point.buckets)),
  sum: sumOf(point.buckets, scale),
});

const totalOf = (buckets: ReadonlyMap<number, number>): number =>
  [...buckets.values()].reduce((sum, count) => sum + count, 0);

/** Upper end of a bucket, in seconds. */
const upperSeconds = (index: number, scale: number): number => 2 ** ((index + 1) / 2 ** scale);

const sumOf = (buckets: ReadonlyMap<number, number>, scale: number): number =>
  [...buckets].reduce((sum, [index, count]) => sum + count * 2 ** ((index + 0.5) / 2 ** scale), 0);

export const exponentialHistogram = (
  name: string,
  temporality: TemporalityName,
  scale: number,
  points: readonly HistogramPoint[],
): MetricJson => ({
  name,
  unit: 's',
  exponentialHistogram: {
    dataPoints: points.map((point) => {
      const indexes = [...point.buckets.keys()];
      const offset = indexes.length === 0 ? 0 : Math.min(...indexes);
      const length = indexes.length === 0 ? 0 : Math.max(...indexes) - offset + 1;
      return {
        ...histogramBase(point, scale),
        scale,
        zeroCount: '0',
        positive: {
          offset,
          bucketCounts: Array.from({ length }, (_, at) =>
            String(point.buckets.get(offset + at) ?? 0),
          ),
        },
        negative: {},
      };
    }),
    aggregationTemporality: temporalities[temporality],
  },
});

/** Bounds that OpenTelemetry advises for request durations, in seconds. */
const advisedBounds: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

export const explicitHistogram = (
  name: string,
  temporality: TemporalityName,
  scale: number,
  points: readonly HistogramPoint[],
): MetricJson => ({
  name,
  unit: 's',
  histogram: {
    dataPoints: points.map((point) => {
      const counts = Array<number>(advisedBounds.length + 1).fill(0);
      for (const [index, count] of point.buckets) {
        const found = advisedBounds.findIndex((bound) => upperSeconds(index, scale) <= bound);
        const at = found < 0 ? advisedBounds.length : found;
        counts[at] = (counts[at] ?? 0) + count;
      }
      return {
        ...histogramBase(point, scale),
        bucketCounts: counts.map(String),
        explicitBounds: advisedBounds,
      };
    }),
    aggregationTemporality: temporalities[temporality],
  },
});

export const gauge = (name: string, unit: string, points: readonly NumberPoint[]): MetricJson => ({
  name,
  unit,
  gauge: { dataPoints: points.map(numberPoint) },
});

/** A sum that may also fall: an UpDownCounter. */
export const upDownSum = (
  name: string,
  unit: string,
  points: readonly NumberPoint[],
): MetricJson => ({
  name,
  unit,
  sum: {
    dataPoints: points.map(numberPoint),
    aggregationTemporality: temporalities.cumulative,
    isMonotonic: false,
  },
});

const numberPoint = (point: NumberPoint): object => ({
  ...pointBase(point),
  asDouble: point.value,
});

/** One export of one sender. */
export const exportLine = (resource: Attributes, metrics: readonly MetricJson[]): string =>
  JSON.stringify({
    resourceMetrics: [
      {
        resource: { attributes: attributeList(resource) },
        scopeMetrics: [{ scope: { name: 'plimsoll.captures', version: '1' }, metrics }],
      },
    ],
  });
