import type { DeadLetter } from '../../dead-letters.ts';
import type { DecisionSummary, Deployment } from '../../deployment.ts';
import type { ApprovalRow, FreezesRow, RecentRow, SlotGuardRow, StopsRow } from '../../guard.ts';
import type { Position } from '../../log/record.ts';
import type { Slot } from '../../markers/marker.ts';
import type { DecisionRow } from '../../read-models.ts';
import type { SlotState } from '../../slot-state.ts';
import type { KeyState } from '../../trust/trust.ts';
import type { TextDigest } from '../../uuid-v8.ts';
import type { Act, OnBehalf, OnSilence, Policy } from '../policy/policy.ts';

/** What the policy of a place asks of whoever obeys. */
export type PolicyStanding = {
  /**
   * SHA-256 (hex) of the policy that was in force there when the attempt was started; null: the log names none, so any
   * may have been judged by.
   */
  readonly inForce: string | null;
  /** Digests of all policies that the log ever named for that place. */
  readonly known: readonly string[];
  /** Null: nobody says on the log. */
  readonly act: Act | null;
  readonly onSilence: OnSilence | null;
  readonly onBehalf: OnBehalf;
  readonly rollouts: Policy['rollouts'];
  /** False-rollback budget, or null. */
  readonly alpha: number | null;
  readonly flap: Policy['flap'];
  readonly caps: Policy['caps'];
  /** Versions count only with the digest of what runs: a tag may be moved. */
  readonly requiresDigest: boolean;
};

/** Rows of one state of the read models. */
export type ObeyRows = {
  /** Of the record that is asked about. */
  readonly decision: DecisionRow | undefined;
  readonly letter: DeadLetter | undefined;
  readonly deployment: Deployment | undefined;
  readonly slot: SlotState | undefined;
  readonly stops: StopsRow | undefined;
  readonly freezes: FreezesRow | undefined;
  readonly slotGuard: SlotGuardRow | undefined;
  readonly recent: RecentRow | undefined;
  readonly approval: (decision: Position) => ApprovalRow | undefined;
};

/** Everything that may speak for or against acting on one decision. */
export type ObeyQuestion = {
  readonly position: Position;
  readonly rows: ObeyRows;
  readonly keys: ReadonlyMap<string, KeyState>;
  /** Of the log that the rows follow from, and the one that whoever asks has pinned. */
  readonly logId: string;
  readonly pinnedLogId: string | null;
  readonly policy: PolicyStanding;
  readonly digest: TextDigest;
  /** The log's own time as far as the rows reach. */
  readonly logTimeMs: number;
  /** By the clock of whoever would act. */
  readonly nowMs: number;
  /** Whether the asker has acted on the decision of that marker. */
  readonly isObeyed: (marker: string) => boolean;
};

/** What may be done. Whoever sees the same `id` again has done it. */
export type ObeyedAct = {
  /** Marker of the decision that stands, also where a renewal was asked about. */
  readonly id: string;
  readonly position: Position;
  readonly kind: DecisionSummary['kind'];
  readonly deployment: string;
  readonly attempt: number;
  /** Of the CI attempt, or null. */
  readonly token: string | null;
  readonly slot: Slot;
  /** advance: of the traffic. */
  readonly share: number | null;
  readonly fromVersion: string;
  readonly fromDigest: string | null;
  readonly toVersion: string | null;
  readonly toDigest: string | null;
  /** It counts until then, milliseconds since 1970; null: inconclusive, which is final. */
  readonly validUntilMs: number | null;
  /** Where the approval stands, or null. */
  readonly approvedAt: Position | null;
  readonly decision: DecisionSummary;
};
