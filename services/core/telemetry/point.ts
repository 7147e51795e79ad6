/** How the numbers of a point relate to time: since the last point, or since the series began. */
export type Temporality = 'delta' | 'cumulative';

/** The units a duration metric may be in. Read from the metric, never assumed. */
export type DurationUnit = 's' | 'ms';

/** Who sent a point, as the attributes of its resource say. */
export type TelemetrySender = {
  /** `deployment.environment.name`, or the older `deployment.environment`. */
  readonly environment: string;
  /** `service.namespace`, or `default`. */
  readonly namespace: string;
  /** `service.name`. */
  readonly component: string;
  /** `service.version`. */
  readonly version: string | null;
  /** The resource attribute `deployment.id`. */
  readonly deploymentId: string | null;
  /** The first of `service.instance.id`, `k8s.pod.uid`, `host.name`. */
  readonly instance: string | null;
};

/**
 * One data point of a request-duration histogram, reduced to what the judge of errors uses.
 *
 * Times are whole milliseconds since 1970, the nanoseconds of the wire rounded down: order is
 * kept, and both ends of an interval are rounded alike, so that a delta point still starts where
 * the one before it ended.
 */
export type RequestPoint = TelemetrySender & {
  /**
   * Names the stream of points: 64 hex digits, of which the first 32 stand for resource, scope and
   * metric name, the last 32 for the point's attributes. The order of attributes does not matter.
   * The first digit tells whether it may be several senders' (series-sender.ts).
   */
  readonly series: string;
  readonly metric: string;
  readonly temporality: Temporality;
  readonly startMs: number;
  readonly timeMs: number;
  /** Requests. */
  readonly count: number;
  /** Requests that failed: `count` where the point's attributes say so, otherwise 0. */
  readonly errors: number;
  /** Unit of the durations. Latency buckets, read in this unit, get their place after it. */
  readonly unit: DurationUnit;
};

/** Why a data point was not taken. The other points of its request are not touched by it. */
export type PointRejection =
  | PointRefusal
  | 'service-name-missing'
  /** A sum that only grows: neither durations nor a level. */
  | 'sum-monotonic'
  /** A sum of changes since the last point, which says no level. */
  | 'sum-delta'
  /** Absent, negative, beyond 10^18, infinite or no number. */
  | 'level-invalid'
  | 'no-recorded-value'
  /** With what it needs around it, it does not fit one record. */
  | 'point-too-large'
  /** Of a service that its source may not send. */
  | 'source-not-allowed';

/**
 * Why requests are known to have been there though nobody can tell how many: the point of a known stream was not taken,
 * by itself or with its metric. Or, of one that was (`durations-negative`), how long they took.
 * Not one of those is a point that says it has nothing to say (`no-recorded-value`).
 */
export type PointRefusal =
  | 'string-too-long'
  | 'attributes-too-large'
  | 'metric-type-unsupported'
  | 'unit-unknown'
  | 'temporality-unspecified'
  | 'time-missing'
  | 'start-missing'
  | 'start-after-time'
  | 'count-invalid'
  | 'count-too-large'
  | 'bounds-invalid'
  | 'buckets-mismatch'
  | 'too-many-buckets'
  | 'durations-negative'
  | 'point-malformed'
  /** Beyond the most that a request may have. */
  | 'too-many-points';

/** What somebody may mend of each. */
export const refusalRemedies: { readonly [Reason in PointRefusal]: string } = {
  'string-too-long': 'what a policy looks at has at most 256 characters',
  'attributes-too-large': 'the attributes of a point have a few thousand characters at most',
  'metric-type-unsupported':
    'requests are judged by histograms, levels by gauges and up-down counters',
  'unit-unknown': "durations need the unit s or ms: set the histogram's unit",
  'temporality-unspecified': 'a histogram says whether it is delta or cumulative',
  'time-missing': 'a point says when it was measured: timeUnixNano',
  'start-missing':
    'deltas, and senders without a service.instance.id, need startTimeUnixNano; of a counter it stays while it goes on',
  'start-after-time': 'startTimeUnixNano is not after timeUnixNano',
  'count-invalid': 'a count is a whole number from 0 on',
  'count-too-large': 'a count is below 2^53',
  'bounds-invalid': 'there is one bound less than there are buckets, and they rise',
  'buckets-mismatch': 'the buckets of a histogram add up to its count',
  'too-many-buckets': 'a histogram has at most 320 buckets',
  'durations-negative':
    'a duration is not below zero: measure it with a clock that nobody sets, and from start to end',
  'point-malformed': 'fields have the types of OTLP, times are nanoseconds since 1970',
  'too-many-points':
    'a request has at most 20,000 points: let a Collector send smaller ones (send_batch_max_size)',
};
export const pointRefusals: readonly PointRefusal[] = Object.keys(
  refusalRemedies,
) as readonly PointRefusal[];

/** Whether a point of requests was refused so that nobody knows how many there were; else it is only how long they took. */
export const isUncounted = (refused: PointRefusal | null | undefined): boolean =>
  refused !== null && refused !== undefined && refused !== 'durations-negative';

/** Those that leave it unknown which attributes the point has. */
export const attributeRefusals: ReadonlySet<PointRefusal> = new Set([
  'string-too-long',
  'attributes-too-large',
  'point-malformed',
  'too-many-points',
]);

/** How many points of a request were not taken for one reason. */
export type RejectedPoints = { readonly reason: PointRejection; readonly count: number };

/** What one OTLP metrics request held for a judge. */
export type DecodedMetrics = {
  readonly points: readonly RequestPoint[];
  /** Ordered by reason, no reason twice. */
  readonly rejected: readonly RejectedPoints[];
  /** Data points of the metrics a judge uses: those taken and those rejected. */
  readonly dataPoints: number;
};
