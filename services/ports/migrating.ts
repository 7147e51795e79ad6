import type { LogRecord, Position } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';
import type { ProjectionProblem } from './projecting.ts';
import type { AppendProblem, ReadProblem, RecordLog } from './record-log.ts';

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
  readonly close: () => Promise<void>;
};

/** Why an end of the way cannot be opened, with what to do. */
export type EndProblem = { readonly code: string; readonly message: string; readonly hint: string };

/** Read models of one end, folded by themselves for comparing. */
export type FoldedEnd = {
  /** The position up to which it is folded, exclusive. */
  readonly to: Position;
  /** Stands for every byte of every row (hex). */
  readonly digest: string;
};

export type FoldProblem = ProjectionProblem | ReadProblem;
