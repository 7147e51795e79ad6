import type { Slot } from '../core/markers/marker.ts';
import type { Result } from '../core/result.ts';

/** The last plan of a deploy name on this machine. */
export type PlannedHere = {
  readonly deployment: string;
  readonly slot: Slot;
  /** Null: a release that did not write it yet kept the plan. */
  readonly version: string | null;
  readonly hasEnded: boolean;
};

export type PlannedHereProblem = {
  /** `unanswered`: the disk hangs. */
  readonly code: 'refused' | 'corrupt' | 'unanswered';
  readonly message: string;
};

/**
 * What was planned from this machine, by deploy name: outside CI nothing else ties an update to its plan. Many
 * processes may use it at once; of several that begin a deployment after the same one, one wins for all.
 */
export type PlannedHereStore = {
  /** Deploy names that were planned under here, a few hundred of them at most. */
  readonly names: () => Promise<Result<readonly string[], PlannedHereProblem>>;
  readonly last: (
    deployName: string,
  ) => Promise<Result<PlannedHere | undefined, PlannedHereProblem>>;
  /** Answers what stands now: this plan, or the one of a process that was faster. */
  readonly begin: (
    deployName: string,
    plan: Omit<PlannedHere, 'hasEnded'>,
    after: PlannedHere | undefined,
  ) => Promise<Result<PlannedHere, PlannedHereProblem>>;
  /** Does nothing where another deployment is the last one. */
  readonly end: (
    deployName: string,
    deployment: string,
  ) => Promise<Result<void, PlannedHereProblem>>;
};
