/** Where a window stands among blocks and restarts. */
export type BlockPlace = {
  readonly endsBlock: boolean;
  /** Restarts fall on the first window of a block, where `open` is zero. */
  readonly beginsRestart: boolean;
};

export type Restarts = { readonly count: number; readonly weightEach: number };

/** E from ln E, for people to read: never infinite, so that it stays a number in JSON. */
export const evidenceOf = (logEvidence: number): number =>
  Math.exp(Math.min(logEvidence, SHOWN_LOG_EVIDENCE_MAX));

/** e^690 is about 1e299. */
const SHOWN_LOG_EVIDENCE_MAX = 690;
