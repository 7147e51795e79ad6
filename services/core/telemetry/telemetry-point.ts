import type { Durations } from '../canary/windows/durations.ts';
import type {
  DurationUnit,
  PointRefusal,
  RejectedPoints,
  RequestPoint,
  TelemetrySender,
  Temporality,
} from './point.ts';

/** An attribute of a data point. Numbers and booleans are written as JSON writes them. */
export type PointAttribute = { readonly name: string; readonly value: string };

/** What a data point says. */
export type PointValue =
  /** A histogram. `count` requests; `errors` of them failed: all where the point's attributes say so, otherwise none. */
  | {
      readonly kind: 'durations';
      readonly temporality: Temporality;
      readonly count: number;
      readonly errors: number;
      /** In the unit that they name, whatever was sent; null: sent without buckets, or refused. */
      readonly durations: Durations | null;
      /** So many of the durations are below zero that they are none. */
      readonly refused?: 'durations-negative';
    }
  /** A gauge, or a sum that may also fall: how high something is. From 0 on, and finite. */
  | { readonly kind: 'level'; readonly level: number }
  /** Of requests, and it cannot be taken: there were requests, and nobody knows how many, or how they ended. */
  | {
      readonly kind: 'refused';
      readonly temporality: Temporality;
      readonly reason: PointRefusal;
      /** Nothing in its request but itself tells of when it is: see `received`. */
      readonly isTimeUnsure?: true;
    };

/** One data point of a metric that some policy judges. Times as in `RequestPoint`. */
export type TelemetryPoint = TelemetrySender & {
  /** The value of the first of the selection's target attributes that the sender has, or null. */
  readonly target: string | null;
  /** As in `RequestPoint`. */
  readonly series: string;
  readonly metric: string;
  /** As it was sent: `s` or `ms` of durations, anything of levels. */
  readonly unit: string;
  /**
   * Those of the point's attributes that are asked for, and those of its resource by which policies tell cohorts apart,
   * sorted by name; where both have one name the resource's stands. Lists, maps and bytes are left out.
   */
  readonly attributes: readonly PointAttribute[];
  /** A level has no start of its own: its time. */
  readonly startMs: number;
  /** `timeless`: it has none. */
  readonly timeMs: number;
  readonly value: PointValue;
};

/** In the place of both times of a refused point that does not tell its own. */
export const timeless = 0;

/** Less than exporters wait: one whose time stands still would be the same point again. */
const behindMsMax = 10_000;
/** The time of receipt in a backtest is that of the exports before it, which may be an interval behind. */
const aheadMsMax = 60_000;

export const isTimeUnsure = ({ value }: Pick<TelemetryPoint, 'value'>): boolean =>
  value.kind === 'refused' && value.isTimeUnsure === true;

/** A point with its times settled. A refused one of whose time nobody else tells is of its own where that is near its receipt, else of that. */
export const received = (point: TelemetryPoint, receivedAt: number): TelemetryPoint => {
  const { value, timeMs } = point;
  if (value.kind !== 'refused' || value.isTimeUnsure !== true) return point;
  const { isTimeUnsure: _settled, ...settled } = value;
  const isNear =
    timeMs !== timeless && timeMs >= receivedAt - behindMsMax && timeMs <= receivedAt + aheadMsMax;
  return isNear
    ? { ...point, value: settled }
    : { ...point, startMs: receivedAt, timeMs: receivedAt, value: settled };
};

/** The attribute by which a sender's usual target travels beside the target that some policy names. */
export const usualTargetSaid = 'plimsoll.target';

/** What somebody wants of telemetry; nothing else is copied. */
export type Selection = {
  /** By metric name: the point attributes that some filter looks at, sorted. */
  readonly metrics: ReadonlyMap<string, readonly string[]>;
  /** Those of them that are judged as levels. All others are of requests, of which histograms alone can be taken. */
  readonly levels: ReadonlySet<string>;
  /** Resource attributes that policies name as targets; the first that a sender has is its target. */
  readonly targetAttributes: readonly string[];
  /**
   * The same for policies that name none; empty: all name one. Nobody is refused for a target that is no name. Where some
   * policy names one, what is found here travels as `usualTargetSaid`, so that it moves nobody into another cohort.
   */
  readonly usualTargetAttributes: readonly string[];
  /** Resource attributes by which policies tell cohorts apart, sorted. */
  readonly cohortAttributes: readonly string[];
};

/** Points that were not taken, and whose they are as far as it is known; null: of nobody that can be named. */
export type LostPoints = RejectedPoints & {
  readonly of: Pick<TelemetrySender, 'environment' | 'component'> | null;
};

/** What one OTLP metrics request held for a selection. */
export type DecodedTelemetry = {
  /** With those of requests that were refused, where it is known whose they are. */
  readonly points: readonly TelemetryPoint[];
  /** All that were not taken. Ordered by reason, no reason twice. */
  readonly rejected: readonly RejectedPoints[];
  /** Those of them that are not among the points. */
  readonly lost: readonly LostPoints[];
  /** Data points of the metrics of the selection: those taken and those rejected. */
  readonly dataPoints: number;
};

/** A point of request durations without what only buckets say; undefined: it is of a level, or refused. */
export const requestPointOf = ({
  target: _target,
  attributes: _attributes,
  value,
  unit,
  ...point
}: TelemetryPoint): RequestPoint | undefined => {
  if (value.kind !== 'durations') return undefined;
  const { temporality, count, errors } = value;
  return { ...point, temporality, count, errors, unit: unit satisfies string as DurationUnit };
};
