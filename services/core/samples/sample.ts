import type { Position } from '../log/record.ts';
import type { DurationUnit, Temporality } from '../telemetry/point.ts';

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
  readonly temporality: Temporality;
  readonly unit: DurationUnit;
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
};

export type Points = SampleEnvelope & {
  readonly kind: 'points';
  readonly origins: readonly Origin[];
  /** In the order in which they were received. */
  readonly points: readonly SamplePoint[];
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
