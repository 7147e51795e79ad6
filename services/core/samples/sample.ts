import type { Position } from '../log/record.ts';
import type { PointRefusal, Temporality } from '../telemetry/point.ts';
import type { PointAttribute } from '../telemetry/telemetry-point.ts';

// What a judge uses, in one order. Times are milliseconds since 1970.

/** Every sample is about one component in one environment; a judge uses only those of one key. */
export type SampleEnvelope = {
  readonly audience: string;
  readonly environment: string;
  readonly component: string;
};

/** Who sent a point, and how to read its numbers. */
export type Origin = {
  readonly namespace: string;
  readonly version: string | null;
  readonly deployment: string | null;
  readonly instance: string | null;
  readonly metric: string;
  /** Of levels always `cumulative`. */
  readonly temporality: Temporality;
  /** As it was sent. */
  readonly unit: string;
  readonly target: string | null;
  /** Those that a policy looks at, sorted by name. */
  readonly attributes: readonly PointAttribute[];
};

/** The buckets of a point, packed: see `packDurations`. */
export type PackedDurations = {
  /** Place of its explicit bounds; null: an exponential histogram. */
  readonly bounds: number | null;
  readonly scale: number;
  readonly zeroCount: number;
  readonly offset: number;
  readonly counts: Uint8Array;
};

export type SamplePoint = {
  /** Place of its sender in the list of origins. */
  readonly origin: number;
  readonly series: string;
  readonly receivedAt: number;
  readonly start: number;
  readonly time: number;
  readonly count: number;
  readonly errors: number;
  /** Null: the point counts requests. */
  readonly level: number | null;
  readonly durations: PackedDurations | null;
  /** Why nobody can tell how many requests there were, or (`durations-negative`) how long they took; null: it is known, or a level. */
  readonly refused: PointRefusal | null;
};

export type Points = SampleEnvelope & {
  readonly kind: 'points';
  readonly origins: readonly Origin[];
  /** In the order in which they were received. */
  readonly points: readonly SamplePoint[];
  /** Explicit bounds in seconds, each list once. */
  readonly bounds: readonly { readonly seconds: readonly number[] }[];
};

export type RunningVersion = {
  readonly version: string;
  readonly digest: string | null;
  readonly deployment: string;
};

export type AnalysisOpened = SampleEnvelope & {
  readonly kind: 'analysis-opened';
  readonly analysis: string;
  readonly deployment: string;
  readonly attempt: number;
  readonly attemptToken: string | null;
  readonly namespace: string;
  readonly target: string | null;
  readonly logPosition: Position;
  readonly openedAt: number;
  readonly canary: RunningVersion;
  readonly canaryShare: number | null;
  /** Frozen: the versions that held the slot in this moment. */
  readonly baseline: readonly RunningVersion[];
  /** Canonical JSON. */
  readonly policy: string;
  readonly policyDigest: string;
  readonly judge: number;
  /** Canonical JSON, frozen: how much each metric scatters between two cohorts of one program; `[]`: not known. */
  readonly noise: string;
  /** How old that is; null where it is not known. */
  readonly noiseAgeMs: number | null;
  /** Canonical JSON: evidence of an earlier attempt with the same artifacts on both sides; and whose it is. */
  readonly carried: string | null;
  readonly carriedFrom: string | null;
  /** Attempts with the same artifacts that were judged from nothing, this one included: each has less of the budget. */
  readonly independentAttempts: number;
  /** What stands against the canary. An analysis refuses what it does not know. */
  readonly comparison: string;
  /** Canonical JSON: windows of what ran before, where that is the comparison. */
  readonly before: string | null;
};

/** Time went on without a point. */
export type Tick = SampleEnvelope & { readonly kind: 'tick'; readonly at: number };

export type CopiedFact =
  | 'succeeded'
  | 'failed'
  | 'canceled'
  | 'traffic-shifted'
  | 'promote'
  | 'advance'
  | 'hold'
  | 'roll-back';

/** A record of the log that an analysis obeys. */
export type Copy = SampleEnvelope & {
  readonly kind: 'copy';
  readonly analysis: string;
  readonly logPosition: Position;
  readonly logDigest: string;
  readonly appendedAt: number;
  readonly marker: string;
  readonly fact: CopiedFact;
  readonly canaryShare: number | null;
};

export type Sample = Points | AnalysisOpened | Tick | Copy;
export type SampleKind = Sample['kind'];
