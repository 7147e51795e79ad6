import type { LogRecord, NewRecord, Position } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';

export type Appended = { readonly position: Position; readonly appendedAtMs: number };

/**
 * Why nothing, or perhaps something, was appended.
 * - `unreachable`: the log could not be reached; nothing was written.
 * - `unknown`: it was sent and no answer came; it may lie on the log. Append the same bytes again:
 *   the fold takes a marker once.
 * - `refused`: the log will not take it (too large, not allowed, disk full, read only); nothing was written.
 * - `corrupt`: the log's own storage is damaged; nothing was written.
 */
export type AppendProblem = {
  readonly code: 'unreachable' | 'unknown' | 'refused' | 'corrupt';
  readonly message: string;
};

/**
 * - `before-start`: the position asked for is older than what the log still holds.
 * - `beyond-end`: the position asked for is past the end: the log was shortened, or it is another log.
 * - `archive-damaged`: the record comes from the log's archive, and that is not what was written.
 */
export type ReadProblem = {
  readonly code:
    | 'unreachable'
    | 'before-start'
    | 'beyond-end'
    | 'corrupt'
    | 'archive-damaged'
    | 'closed';
  readonly message: string;
};

/** `start` is the oldest position held, `end` the next one to be given: `end - start` records, without gaps. */
export type LogRange = { readonly start: Position; readonly end: Position };

export type RecordBatch = {
  readonly partition: number;
  /** In order, without gaps, never empty. */
  readonly records: readonly LogRecord[];
  /** The end of the partition as known when the batch was read: `end - last position - 1` is the lag. */
  readonly end: Position;
};

export type Subscriber = {
  /**
   * Called each time a partition is handed to this subscriber, before its first batch. Answers where to begin.
   * `hint` is what `Subscription.hint` kept last for this group, or null. It may be old: it is never the truth.
   */
  readonly startFrom: (partition: number, hint: Position | null) => Promise<Position>;
  /**
   * One batch of one partition at a time, in order. While it is pending no further batch of that partition
   * comes (back-pressure). A rejection ends the whole subscription, and `ended` says why.
   */
  readonly onBatch: (batch: RecordBatch) => Promise<void>;
  /** The partition now belongs to another subscriber; a batch that is still pending may finish harmlessly. */
  readonly onLost?: (partition: number) => void;
  /** Records in one batch, at most; `batchRecordsDefault` unless told. */
  readonly batchRecordsMax?: number;
};

export type Subscription = {
  /** Partitions that are this subscriber's now. Empty: it stands by. */
  readonly owned: () => readonly number[];
  /** Keeps, for the group, a position from which a later subscriber may begin. A lag hint, best effort. */
  readonly hint: (partition: number, position: Position) => Promise<void>;
  /** Settles when the subscription is over: undefined after `stop`, else what ended it. Never rejects. */
  readonly ended: Promise<
    | ReadProblem
    | { readonly code: 'subscriber'; readonly message: string; readonly cause: unknown }
    | undefined
  >;
  /** Stops intake, waits for pending batches, hands the partitions on. Safe to call twice. */
  readonly stop: () => Promise<void>;
};

/**
 * One ordered, append-only log of one or more partitions: positions start at 0, have no gaps, and what lies at a
 * position never changes. Many processes may append at once.
 *
 * Append times are the log's own, never a producer's. On one machine they never go back within a partition; on Kafka
 * each is the clock of the broker that led at that moment, and another leader's may be behind. So nobody may rely on
 * it: the fold takes the running maximum.
 */
export type RecordLog = {
  /** How messages name it, for instance `plimsoll.local.log`. */
  readonly name: string;
  /** As many as it had when it was opened; a subscriber may be handed others that were added since, and read them. */
  readonly partitions: number;
  /**
   * Appends the records next to each other, in order, all or none. When it answers ok they are durable as far
   * as this foundation promises (SQLite: on disk, full sync; Kafka: all in-sync replicas).
   * The caller decides about trying again; an adapter retries only what cannot be written twice.
   */
  readonly append: (
    partition: number,
    records: readonly NewRecord[],
  ) => Promise<Result<readonly Appended[], AppendProblem>>;
  /**
   * Reads up to `recordsMax` records from a position on; fewer only at the end. An empty answer means that
   * `from` is the end. It does not wait for new ones.
   */
  readonly read: (
    partition: number,
    from: Position,
    recordsMax: number,
  ) => Promise<Result<readonly LogRecord[], ReadProblem>>;
  readonly range: (partition: number) => Promise<Result<LogRange, ReadProblem>>;
  /**
   * Follows the partitions as a member of a group. Of one group at most one member at a time is handed a
   * partition, as far as a lease can promise that; the others stand by and take over by themselves. A paused
   * member that wakes may deliver a batch twice: safety is the compare-and-set of whoever writes.
   */
  readonly subscribe: (group: string, subscriber: Subscriber) => Promise<Subscription>;
  readonly close: () => Promise<void>;
};
