import type { Position } from './log/record.ts';
import type { Decided, DeploymentMarker, Details, Slot } from './markers/marker.ts';

// A deployment as its row holds it: what the lifecycle makes of markers.

export type Status =
  | 'planned'
  | 'running'
  | 'succeeded'
  | 'failed'
  | 'canceled'
  | 'logged'
  | 'recorded'
  | 'undeployed'
  | 'released'
  | 'support-ended';

/**
 * What a marker did to its attempt.
 * - `applied`; `repeat`: said before; `late`: true, but it changes nothing any more;
 * - `contradiction`: says otherwise than what stands, and changes nothing;
 * - `disagreement`: the same stage again with other details, and counts once;
 * - `held`: a decision that would go on with an attempt in conflict; it does not stand.
 */
export type Note = 'applied' | 'repeat' | 'late' | 'contradiction' | 'disagreement' | 'held';

export type KnownDetails = Partial<Details>;

/** One marker in an attempt's history. Times are milliseconds since 1970. */
export type Entry = {
  readonly position: Position;
  readonly marker: string;
  readonly kind: DeploymentMarker['kind'];
  /** When it counts: the log's append time less its waiting time. */
  readonly at: number;
  readonly appendedAt: number;
  readonly waitedMs: number;
  readonly occurredAt: number;
  /** The producer's clock was further than `clockSkewMs` from the time that counts. */
  readonly clockSkewed: boolean;
  readonly principal: string;
  readonly key: string;
  readonly source: string;
  /** The CI attempt that it names, or null. */
  readonly token: string | null;
  /** Size of the record's value. */
  readonly valueBytes: number;
  readonly note: Note;
  /** For a contradiction or disagreement: what it says otherwise. */
  readonly says: string | null;
  readonly slot: Slot | null;
  readonly statusReported: string | null;
  readonly reason: string | null;
  readonly canaryShare: number | null;
  readonly colour: string | null;
  readonly phase: string | null;
  readonly details: KnownDetails;
};

export type Plan = {
  readonly position: Position;
  readonly slot: Slot;
  readonly name: string;
  readonly version: string;
  readonly digest: string | null;
  readonly rollback: boolean;
  readonly strategy: string | null;
  readonly canaryShare: number | null;
  readonly details: KnownDetails;
  readonly principal: string;
  readonly key: string;
};

export type DecisionSummary = Omit<
  Decided,
  'deployment' | 'slot' | 'producer' | 'sequence' | 'attempt' | 'audience' | 'source'
> & {
  readonly position: Position;
  readonly at: number;
  readonly principal: string;
  readonly key: string;
  readonly note: Note;
  /** The newest marker that renewed it, or null. */
  readonly renewal: Renewal | null;
};

export type Renewal = {
  readonly position: Position;
  readonly key: string;
  /** What it renews is not to be obeyed later. */
  readonly validUntil: number;
};

export type Attempt = {
  /** 1 for the first. */
  readonly number: number;
  readonly tokens: readonly string[];
  readonly openedAt: Position;
  readonly openedAtMs: number;
  readonly rerunOf: number | null;
  /** Null: unplanned, without slot, so it moves nothing. */
  readonly plan: Plan | null;
  readonly status: Status;
  readonly statusReported: string | null;
  readonly reason: string | null;
  readonly rollback: boolean;
  readonly share: number | null;
  readonly colour: string | null;
  /** The last that it was said to be in. */
  readonly phase: string | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** The record that said what the status is, and who signed it. */
  readonly statusPosition: Position;
  readonly principal: string;
  readonly key: string;
  /**
   * The token with which all of it was said, where a gateway signed it; null: by keys of their own.
   */
  readonly onBehalf: string | null;
  readonly entries: readonly Entry[];
  readonly decisions: readonly DecisionSummary[];
};

export type Conflict = {
  readonly marker: string;
  readonly principal: string;
  readonly first: Position;
  readonly position: Position;
  readonly at: number;
  /** SHA-256 (hex) of the other content: the same again is no second conflict. */
  readonly digest: string;
};

export type Deployment = {
  readonly id: string;
  readonly attempts: readonly Attempt[];
  /** Markers whose id came again with other content: the gate of the attempt that has them is held. */
  readonly conflicts: readonly Conflict[];
};

/** A producer's clock further than this from the log's is flagged. */
const clockSkewMs: number = 5 * 60_000;

export const isClockSkewed = (occurredAt: number, at: number): boolean =>
  Math.abs(occurredAt - at) > clockSkewMs;
