import type { LogRecord, Position } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';

// What a decision rests on outlives the samples: the records of its range, kept as they lay there.

/** The samples of one analysis that a decision names, both ends inclusive. */
export type SampleRange = {
  readonly analysis: string;
  readonly partition: number;
  readonly from: Position;
  readonly to: Position;
};

/**
 * - `too-large`: more than one range may have.
 * - `damaged`: what lies there is not what was kept.
 * - `unreachable`: it cannot be written, or read.
 */
export type SampleArchiveProblem = {
  readonly code: 'too-large' | 'damaged' | 'unreachable';
  readonly message: string;
};

export type KeptSamples = {
  readonly range: SampleRange;
  /** Those of the analysis's own key, in order; between them others lay. */
  readonly records: readonly LogRecord[];
};

/** One range an analysis: the longest that was kept. Nothing in it is believed: each record has its signature. */
export type SampleArchive = {
  /** Where the range that is kept of an analysis ends, or undefined. */
  readonly keptTo: (
    analysis: string,
  ) => Promise<Result<Position | undefined, SampleArchiveProblem>>;
  /** Keeps a range, whole or not at all, in the place of a shorter one. */
  readonly keep: (
    range: SampleRange,
    records: AsyncIterable<readonly LogRecord[]>,
  ) => Promise<Result<void, SampleArchiveProblem>>;
  readonly read: (
    analysis: string,
  ) => Promise<Result<KeptSamples | undefined, SampleArchiveProblem>>;
};
