import type { Result } from '../core/result.ts';
import type { DecodedMetrics, RejectedPoints } from '../core/telemetry/point.ts';
import type { DecodedTelemetry, Selection } from '../core/telemetry/telemetry-point.ts';

/** The two encodings of OTLP. On Kafka the Collector calls them `otlp_proto` and `otlp_json`. */
export type OtlpContentType = 'application/x-protobuf' | 'application/json';

export type Signal = 'metrics' | 'traces' | 'logs';

/** Why a whole request could not be read. Nothing of it was taken. */
export type MetricsProblem =
  /** Not protobuf, or not JSON. `offset` is the byte at which reading stopped, where it is known. */
  | { readonly code: 'otlp-malformed'; readonly message: string; readonly offset: number | null }
  /** JSON, but not that of an OTLP metrics request. `path` names the place. */
  | { readonly code: 'otlp-wrong-shape'; readonly message: string; readonly path: string }
  | { readonly code: 'otlp-too-deep'; readonly message: string; readonly offset: number }
  /** More than `max` bytes, or than `max` parts of JSON. */
  | { readonly code: 'otlp-too-large'; readonly message: string; readonly max: number };

/**
 * Reads one ExportMetricsServiceRequest. A fault in a data point rejects that point and is counted;
 * a fault in the bytes refuses the request. Never throws, whatever the bytes are.
 */
export type ReadMetrics = (
  bytes: Uint8Array,
  contentType: OtlpContentType,
) => Result<DecodedMetrics, MetricsProblem>;

/**
 * Reads what a selection asks for out of one ExportMetricsServiceRequest, as `ReadMetrics` does. One selection object
 * asked for again and again is read faster than equal ones.
 */
export type ReadTelemetry = (
  bytes: Uint8Array,
  contentType: OtlpContentType,
  selection: Selection,
) => Result<DecodedTelemetry, MetricsProblem>;

export type SplitRequest = {
  /** Requests of their own, each of at most `pieceBytesMax` bytes, in the order of the whole. */
  readonly pieces: readonly Uint8Array[];
  /** Data points, spans or log records that fit no piece, and are in none. */
  readonly lost: number;
};

/**
 * Cuts an export request of any signal into smaller ones that together say the same: what stands around its data
 * points, spans or log records is repeated in each piece. The pieces are at most a small multiple of the whole.
 */
export type SplitOtlp = (
  signal: Signal,
  bytes: Uint8Array,
  contentType: OtlpContentType,
  pieceBytesMax: number,
) => Result<SplitRequest, MetricsProblem>;

export type KeptServices = {
  /** The request without what was left out; the very bytes where nothing was, and null where nothing is left. */
  readonly bytes: Uint8Array | null;
  /** Data points, spans or log records that were left out. */
  readonly left: number;
};

/** Leaves out of an export request what is of services (`service.name`; null: it has none) that may not be sent. */
export type KeepServices = (
  signal: Signal,
  bytes: Uint8Array,
  contentType: OtlpContentType,
  maySend: (service: string | null) => boolean,
) => Result<KeptServices, MetricsProblem>;

export type GzipProblem = { readonly code: 'gzip-bomb' | 'gzip-broken'; readonly message: string };

/** Unpacks gzip, and stops at `outputBytesMax` bytes of output (`gzip-bomb`). */
export type Gunzip = (
  bytes: Uint8Array,
  outputBytesMax: number,
) => Promise<Result<Uint8Array, GzipProblem>>;

/** The body of an ExportMetricsServiceResponse; with rejected points it is a partial success. */
export type WriteMetricsResponse = (
  contentType: OtlpContentType,
  rejected: readonly RejectedPoints[],
) => Uint8Array;

/**
 * The body of an error answer: a google.rpc.Status. `code` is one of google.rpc.Code, for instance 3 (invalid
 * argument) or 14 (unavailable).
 */
export type WriteOtlpStatus = (
  contentType: OtlpContentType,
  code: number,
  message: string,
) => Uint8Array;
