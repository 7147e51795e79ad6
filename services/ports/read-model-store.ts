import type { Position } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';

/** Names one complete set of read models, for instance `g1`. Several may stand beside each other. */
export type Generation = string;

/** What a generation was folded from, and how far. One for all read models of the generation. */
export type Checkpoint = {
  readonly logId: string;
  /** The next position to apply: everything before it is in the rows. */
  readonly next: Position;
  /** SHA-256 (hex) of the value of record `next - 1`. */
  readonly lastDigest: string;
  /** Version of the fold that wrote the rows. */
  readonly foldVersion: number;
  /** Of all rows of the generation (core/rows-digest.ts): what a scan of them must add up to. */
  readonly rowsDigest: string;
};

/** A row's place: the read model and its key. Keys sort by their UTF-8 bytes. */
export type RowKey = { readonly model: string; readonly key: string };

/**
 * `value` null removes the row. `isNew`: whoever made the step took the row for not being there; where it is, the whole
 * step is refused.
 */
export type RowWrite = RowKey & { readonly value: string | null; readonly isNew?: boolean };

/** One batch: rows and checkpoint together, or nothing. */
export type Step = {
  /** The checkpoint this step was computed from; undefined for the first of a generation. */
  readonly from: Checkpoint | undefined;
  readonly to: Checkpoint;
  /** Each row at most once. */
  readonly writes: readonly RowWrite[];
};

/**
 * - `gap`: the stored next position is not the one the step started from. Read the checkpoint again.
 * - `foreign-log`: the generation holds another log's data (log id, or digest of the last applied record).
 * - `old-code`: the generation was written by another version of the fold.
 * - `row-there`: all that fits, but a row is there that the step took for new.
 */
export type Refused = {
  readonly refused: 'gap' | 'foreign-log' | 'old-code' | 'row-there';
  readonly stored: Checkpoint | undefined;
};

/**
 * - `unreachable`: no connection, or the answer was lost: the step is stored whole or not at all. Read the checkpoint.
 * - `corrupt`: the store's own data is damaged.
 */
export type StoreProblem = {
  readonly code: 'unreachable' | 'corrupt' | 'refused';
  readonly message: string;
  /** What the server said, where it said something that has a name. */
  readonly reason?: StoreReason;
};

/**
 * - `read-only`: it is a replica by now. `loading`: it reads its data after a start. `busy`: somebody's script runs
 *   on and on. `script-missing`: it has forgotten the script that was called. These pass.
 * - `out-of-memory`, `disk-failed`, `not-allowed`, `cluster`: an operator must see to it.
 * - `wrong-type`: a key of ours holds what is none of ours.
 */
export type StoreReason =
  | 'read-only'
  | 'loading'
  | 'busy'
  | 'script-missing'
  | 'out-of-memory'
  | 'disk-failed'
  | 'not-allowed'
  | 'cluster'
  | 'wrong-type';

export type ReadRows = {
  readonly checkpoint: Checkpoint | undefined;
  /** Rows that exist, by `${model}\n${key}`. */
  readonly rows: ReadonlyMap<string, string>;
};

export type ScanRange = {
  /** Only keys that begin with this. */
  readonly prefix?: string;
  /** Only keys after this one (before it, when `newestFirst`). */
  readonly after?: string;
  readonly newestFirst?: boolean;
  readonly rowsMax: number;
};

export type WalkedRows = {
  readonly rows: readonly (RowKey & { readonly value: string })[];
  readonly cursor: string | undefined;
};

export type AsideEntry = { readonly key: string; readonly value: string };

/** `value` null removes the entry. */
export type AsideWrite = { readonly key: string; readonly value: string | null };

/**
 * Small values beside the generations, which outlive them. Keys sort by their UTF-8 bytes; who keeps something here
 * begins its keys with a prefix of its own. Sizes are capped (`core/aside-fault.ts`); more is `refused`.
 */
export type Aside = {
  /** Those that exist. */
  readonly read: (
    keys: readonly string[],
  ) => Promise<Result<ReadonlyMap<string, string>, StoreProblem>>;
  /** All of them or none. Of a key that stands twice the last counts. */
  readonly write: (entries: readonly AsideWrite[]) => Promise<Result<void, StoreProblem>>;
  readonly scan: (range: ScanRange) => Promise<Result<readonly AsideEntry[], StoreProblem>>;
};

/**
 * Holds the read models of one audience. Rows are opaque strings; the fold alone knows what is in them.
 * `commit` is one atomic compare-and-set on the stored checkpoint, so a zombie can do no harm and of two
 * projectors at most one wins. After any problem the caller reads the checkpoint again: it is the truth.
 */
export type ReadModelStore = {
  /** Which store it is, among all that one log may be folded into. It holds no password. */
  readonly name: string;
  /** The generation that readers use, or undefined in an empty store. */
  readonly current: () => Promise<Result<Generation | undefined, StoreProblem>>;
  /** Points readers to another generation, if they are still pointed to `expected`; else answers false. */
  readonly switchTo: (
    expected: Generation | undefined,
    generation: Generation,
  ) => Promise<Result<boolean, StoreProblem>>;
  readonly generations: () => Promise<Result<readonly Generation[], StoreProblem>>;
  /** Removes a generation's rows and checkpoint. The current one is refused. */
  readonly drop: (generation: Generation) => Promise<Result<void, StoreProblem>>;
  readonly checkpoint: (
    generation: Generation,
  ) => Promise<Result<Checkpoint | undefined, StoreProblem>>;
  /** Rows and checkpoint as of one and the same step. */
  readonly rows: (
    generation: Generation,
    keys: readonly RowKey[],
  ) => Promise<Result<ReadRows, StoreProblem>>;
  /** Rows of one ordered read model, by key. Consistent with the checkpoint it brings. */
  readonly scan: (
    generation: Generation,
    model: string,
    range: ScanRange,
  ) => Promise<
    Result<
      {
        readonly checkpoint: Checkpoint | undefined;
        readonly rows: readonly { readonly key: string; readonly value: string }[];
      },
      StoreProblem
    >
  >;
  /** Writes rows and checkpoint together, or neither. */
  readonly commit: (
    generation: Generation,
    step: Step,
  ) => Promise<Result<'committed' | Refused, StoreProblem>>;
  /**
   * Rows of a generation, a page at a time, in an order of the store's own; a row may come twice. `cursor` is what
   * the page before brought, undefined for the first and after the last. Rows that are written meanwhile may be
   * missed, or be there as of another step: whoever compares looks again.
   */
  readonly walk: (
    generation: Generation,
    cursor: string | undefined,
    rowsMax: number,
  ) => Promise<Result<WalkedRows, StoreProblem>>;
  /** How many rows each read model of a generation has. */
  readonly counts: (
    generation: Generation,
  ) => Promise<Result<ReadonlyMap<string, number>, StoreProblem>>;
  /** Every row of a generation as `model\nkey\nvalue`, sorted by bytes: for comparison. Not for hot paths. */
  readonly dump: (generation: Generation) => Promise<Result<readonly string[], StoreProblem>>;
  readonly aside: Aside;
  readonly close: () => Promise<void>;
};
