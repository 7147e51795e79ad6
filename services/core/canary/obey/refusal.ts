import type { DeadLetterCode } from '../../projection.ts';
import type { Result } from '../../result.ts';
import { fail } from '../../result.ts';

/** Why a decision is not obeyed. A record that the projector did not accept keeps its code. */
export type ObeyCode =
  | DeadLetterCode
  // The record and who signed it.
  | 'decision-unknown'
  | 'foreign-log'
  | 'on-behalf'
  | 'waited'
  | 'id-wrong'
  | 'analysis-foreign'
  // What it is about.
  | 'attempt-unknown'
  | 'planned-with-token'
  | 'slot-differs'
  | 'from-differs'
  // What it says.
  | 'valid-too-long'
  | 'numbers-absurd'
  | 'verdict-contradicts'
  | 'stage-contradicts'
  | 'blame-missing'
  | 'evidence-insufficient'
  | 'evidence-needed-absurd'
  | 'evidence-empty'
  | 'silence-contradicts'
  | 'share-invalid'
  | 'carried-foreign'
  | 'judge-unknown'
  // What stands beside it.
  | 'renewal-of-nothing'
  | 'renewal-differs'
  | 'renewal-of-refused'
  | 'after-roll-back'
  | 'attempt-ended'
  | 'not-running'
  | 'gate-held'
  | 'superseded'
  | 'overtaken'
  | 'out-of-order'
  | 'share-not-above'
  | 'to-missing'
  | 'to-equals-from'
  | 'to-never-succeeded'
  | 'to-digest-differs'
  | 'holder-changed'
  | 'digest-missing'
  // The policy.
  | 'policy-unknown'
  | 'policy-not-in-force'
  | 'mode-not-of-policy'
  | 'dry-run'
  // Time.
  | 'from-the-future'
  | 'window-in-the-future'
  | 'evidence-stale'
  | 'expired'
  // People and guards.
  | 'stopped'
  | 'slot-frozen'
  | 'place-frozen'
  | 'flapping'
  | 'component-cap'
  | 'hour-cap'
  | 'approval-missing'
  | 'approval-declined'
  | 'approval-lapsed'
  | 'approval-suspect'
  | 'approver-is-planner'
  | 'already-obeyed';

export type Refusal = {
  readonly code: ObeyCode;
  readonly message: string;
  /** What a person can do. */
  readonly hint: string;
};

export const refuse = (
  code: ObeyCode,
  message: string,
  hint: string = lookAtIt,
): Result<never, Refusal> => fail({ code, message, hint });

const lookAtIt = 'plimsoll show <deployment> tells its whole history';
