import type { LogRecord, Position } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';
import type { ReadProblem, RecordLog } from './record-log.ts';
import type { Signer } from './signer.ts';

// A log kept in files: a prefix of it, record 0 first, that outlives what the log itself still holds.

/**
 * - `foreign-archive`: the folder holds another log's archive, or its last record is not the log's.
 * - `archive-gap`: the log no longer holds the record that the archive needs next.
 * - `archive-ahead`: the log ends before the archive does: it was shortened.
 * - `archive-damaged`: a file or the manifest is not what was written.
 * - `archive-untrusted`: an entry is not signed by an operator that the archived log itself trusts.
 * - `archive-missing`: there is no archive of this log in the folder.
 * - `archive-busy`: another run wrote to it meanwhile.
 * - `folder-invalid`: where the archive should be no folder can be, or none that may be written to.
 * - `refused`: the folder takes nothing (disk full).
 * - `stopped`: who asked does not want it any more; what was written stays.
 */
export type ArchiveProblem = {
  readonly code:
    | 'foreign-archive'
    | 'archive-gap'
    | 'archive-ahead'
    | 'archive-damaged'
    | 'archive-untrusted'
    | 'archive-missing'
    | 'archive-busy'
    | 'folder-invalid'
    | 'refused'
    | 'stopped'
    | 'unreachable'
    | 'corrupt';
  readonly message: string;
};

/** How far the work is: the next position, and where it ends. */
export type ArchiveProgress = { readonly next: Position; readonly end: Position };

export type ArchiveRequest = {
  readonly folder: string;
  readonly log: RecordLog;
  readonly logId: string;
  readonly signer: Signer;
  /** Whether a record only tells of an earlier archive run: a run that finds nothing else writes nothing. */
  readonly isTrace: (record: LogRecord) => boolean;
  readonly onProgress?: (progress: ArchiveProgress) => void;
  /** Asked before each file. False: the answer is `stopped`. */
  readonly isWanted?: () => boolean;
};

/** What stands in the folder after a run, and what of it is new. */
export type Archived = {
  readonly log: string;
  readonly topic: string;
  /** Positions that the archive holds: from 0 up to this one, exclusive. */
  readonly to: Position;
  /** SHA-256 (hex) of the manifest's last line. It stands for everything before it. */
  readonly digest: string;
  /** What this run added; nothing where `records` is 0. */
  readonly added: {
    readonly from: Position;
    readonly records: number;
    readonly files: number;
    readonly bytes: number;
  };
};

export type VerifyRequest = {
  readonly folder: string;
  /** The log's name, for instance `plimsoll.local.log`. */
  readonly topic: string;
  readonly pinnedLogId: string | null;
  /** Checks the signature of every record, too. */
  readonly signatures: boolean;
  readonly onProgress?: (progress: ArchiveProgress) => void;
};

export type UnprovenRecord = { readonly position: Position; readonly code: string };

export type Verified = {
  readonly log: string;
  readonly topic: string;
  readonly to: Position;
  readonly files: number;
  readonly records: number;
  readonly bytes: number;
  readonly digest: string;
  /** With `signatures`: how many records are well signed, and why others are not (as on the log itself). */
  readonly signatures: {
    readonly good: number;
    readonly bad: { readonly [code: string]: number };
    /**
     * Of these, records that nobody trusted is proven to have signed as they lie here: whoever changed an archived
     * record leaves one, and so does whoever put a hostile record on the log itself. The first thousand.
     */
    readonly unproven: readonly UnprovenRecord[];
    readonly isCut: boolean;
  } | null;
  /** Files in the folder that the manifest does not name: left by a run that was stopped, or a stranger's. */
  readonly strangers: readonly string[];
};

/** An archive that is open for reading. Each file is proven against the manifest before anything of it is handed out. */
export type ArchiveReader = {
  readonly topic: string;
  readonly logId: string;
  /** The position after the last archived one. */
  readonly end: Position;
  /** Digests of the manifest at each entry, with the position after it: an operation on the log may name one. */
  readonly digests: readonly { readonly to: Position; readonly digest: string }[];
  /** Up to `recordsMax` records from a position on; fewer only at the end. */
  readonly read: (
    from: Position,
    recordsMax: number,
  ) => Promise<Result<readonly LogRecord[], ReadProblem>>;
};

export type Archives = {
  readonly write: (request: ArchiveRequest) => Promise<Result<Archived, ArchiveProblem>>;
  /** Of this installation's log. */
  readonly verify: (
    request: Omit<VerifyRequest, 'topic'>,
  ) => Promise<Result<Verified, ArchiveProblem>>;
};
