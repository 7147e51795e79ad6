import type { NewRecord } from '../core/log/record.ts';
import type { SpooledMarker, SpooledTo, SpoolRefusal } from '../core/spool/spooled-marker.ts';
import type { Result } from '../core/result.ts';

/**
 * - `spool-failed`: the disk would not: full, read only, not ours.
 * - `spool-full`: so much lies there already that no more is taken.
 * - `spool-damaged`: what lies there is no marker.
 */
export type SpoolProblem = {
  readonly code: 'spool-failed' | 'spool-full' | 'spool-damaged';
  readonly message: string;
};

/** What is known of a marker in a spool without reading it. */
export type SpoolEntry = {
  readonly name: string;
  readonly marker: string;
  /** Stands for the record's key: markers of one key are delivered in their order. */
  readonly keyHash: string;
  readonly bytes: number;
};

export type SpooledRead = SpooledMarker & {
  /** How long it has lain, from 1 on. */
  readonly waitedMs: number;
  /** It lies for longer than is sent without being asked for. */
  readonly isExpired: boolean;
};

/** Markers that were kept for another log. */
export type SpoolElsewhere = {
  /** Which log, for people; it holds no password. */
  readonly label: string;
  /** A short name for the same, of letters, digits, `.` and `-`. */
  readonly name: string;
  /** They are signed for it, and no log of another takes them. */
  readonly audience: string;
  /** How many wait. */
  readonly markers: number;
  readonly spool: Pick<Spool, 'waiting' | 'refused' | 'read' | 'remove' | 'refuse'>;
};

/**
 * Signed markers that could not be delivered to one log, on a disk of this machine. Many processes may use it at once. What it has
 * answered to keep survives whatever happens to the process or the machine, until it is removed; a marker that is
 * removed by one process while another reads it is simply gone. Nothing locks: of two who deliver the same marker, the
 * log takes one.
 */
export type Spool = {
  /** Where it is, for messages. */
  readonly place: string;
  /** Answers when the marker is on the disk to stay. */
  readonly keep: (wanted: {
    readonly to: SpooledTo;
    readonly deployment: string | null;
    readonly record: NewRecord;
  }) => Promise<Result<SpoolEntry, SpoolProblem>>;
  /** The bytes of what would be kept, for who has no disk. */
  readonly bytesOf: (wanted: {
    readonly to: SpooledTo;
    readonly deployment: string | null;
    readonly record: NewRecord;
  }) => Uint8Array;
  /** What is to be delivered, in the order in which it is to be. Nothing where there is no spool. */
  readonly waiting: () => Promise<Result<readonly SpoolEntry[], SpoolProblem>>;
  /** What lies beside it for other logs than this one, to which it is not sent by itself. */
  readonly elsewhere: () => Promise<Result<readonly SpoolElsewhere[], SpoolProblem>>;
  /** What was refused by a rule, and is kept until somebody decides. */
  readonly refused: () => Promise<Result<readonly SpoolEntry[], SpoolProblem>>;
  /** Undefined: it is gone. */
  readonly read: (
    entry: SpoolEntry,
    from: 'waiting' | 'refused',
  ) => Promise<Result<SpooledRead | undefined, SpoolProblem>>;
  readonly remove: (
    entry: SpoolEntry,
    from: 'waiting' | 'refused',
  ) => Promise<Result<void, SpoolProblem>>;
  /** Lays it aside with the reason. */
  readonly refuse: (
    entry: SpoolEntry,
    refusal: SpoolRefusal,
  ) => Promise<Result<void, SpoolProblem>>;
  /** As in an entry, of a record that is not kept yet. */
  readonly keyHashOf: (record: NewRecord) => string;
};
