import type { LogRecord, Position } from '../core/log/record.ts';
import type { FoldState } from '../core/projection.ts';
import type { Result } from '../core/result.ts';
import type { ProjectionProblem } from './projecting.ts';
import type { AppendProblem, RecordLog } from './record-log.ts';

// A log moves to another foundation: its records are copied with their positions and times, then it goes on there.

/**
 * - `copy-misplaced`: somebody else wrote to the copy: what was to follow at one position landed at another.
 * - the others as at an append.
 */
export type CopyProblem = {
  readonly code: 'copy-misplaced' | AppendProblem['code'];
  readonly message: string;
};

/**
 * Where a log is copied to. While it is `copying` no gateway and no command takes it for a log: each foundation has a
 * mark of its own for that, and refuses by it.
 */
export type CopyTarget = {
  /** As a setting names it, for instance `kafka://broker:9092`. */
  readonly address: string;
  /** `open`: it is a log already, with records in it; nothing is copied to it. */
  readonly state: 'copying' | 'open';
  readonly read: RecordLog['read'];
  readonly range: RecordLog['range'];
  /** Appends records that follow what is there with the positions and times they have. All or none. */
  readonly copy: (records: readonly LogRecord[]) => Promise<Result<void, CopyProblem>>;
  /** Makes it the log, in one step: from now on positions and times are its own. It may have been so already. */
  readonly open: () => Promise<Result<RecordLog, CopyProblem>>;
};

/** Read models of one end, folded by themselves; `state.rowsDigest` stands for every byte of every row. */
export type FoldedEnd = {
  readonly state: FoldState;
  /** Deployments of which a canary runs that an analysis may be judging. */
  readonly canaries: readonly string[];
};

/** Folds an end up to a position, exclusive. Asked for a later one it goes on from where it was. */
export type FoldEnd = (to: Position) => Promise<Result<FoldedEnd, ProjectionProblem>>;

/** Where a log comes from. */
export type CopySource = {
  readonly address: string;
  readonly log: RecordLog;
};

/** One step of the way, as it is told while it goes on. */
export type MigrationStep = 'copying' | 'folding' | 'sealed' | 'opened' | 'carrying';

export type Migrated = {
  readonly log: string;
  readonly from: string;
  readonly to: string;
  /** Where the old log was sealed: both have the same records before it. */
  readonly position: Position;
  /** Of all rows of the read models at that position, the same on both sides. */
  readonly rowsDigest: string;
  /** Records that this run copied, before the seal. */
  readonly copied: number;
  /** Records that came to the old log after its seal, and were appended to the new one by this run. */
  readonly carried: number;
  /** Nothing was left to do but carrying. */
  readonly already: boolean;
};
