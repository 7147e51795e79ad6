import type { Position } from '../core/log/record.ts';
import type { GenerationState } from '../core/generation-note.ts';
import type { RecordFilter } from '../core/record-filter.ts';
import type { Result } from '../core/result.ts';
import type { Trust } from '../core/trust/trust.ts';
import type { Progress, ProjectionProblem, WrongChecks } from './projecting.ts';
import type { Generation } from './read-model-store.ts';

// Read models are folded anew beside those in use, compared, taken into use, and given back. Nothing of it writes to
// the log: whoever calls leaves a signed operation there.

/**
 * - `generation-unknown`: there is none of that name. `no-previous`: readers were not switched to this one.
 * - `generation-in-use`: readers use it, or used it before; or somebody folds it at this time.
 * - `generation-filtered`: its rows do not say all that the log says.
 * - `generation-behind`: readers would be sent back by too much. `generation-other-fold`: another release wrote it.
 * - `switched-meanwhile`: somebody else pointed readers elsewhere at the same time; nothing was done.
 */
export type ReplayProblem = {
  readonly code:
    | ProjectionProblem['code']
    | 'generation-unknown'
    | 'no-previous'
    | 'generation-in-use'
    | 'generation-filtered'
    | 'generation-behind'
    | 'generation-other-fold'
    | 'switched-meanwhile';
  readonly message: string;
};

/** What of the log is folded; `to` is exclusive, null: its end. */
export type ReplayChoice = { readonly filter: RecordFilter; readonly to: Position | null };

/** Share of the remembered signature checks that are made all the same, and what the choice of them follows from. */
export type Believed = { readonly sampleShare: number; readonly seed: number };

export type Watch = {
  readonly onProgress?: (progress: Progress) => void;
  /** Asked before each batch; false: it stops there. */
  readonly isWanted?: () => boolean;
};

export type Count = { readonly name: string; readonly count: number };

/** A row that one generation has otherwise than another, or only one of them has. */
export type RowDifference = {
  readonly model: string;
  readonly key: string;
  /** As the first and as the second have it; null: not there. */
  readonly first: string | null;
  readonly second: string | null;
  /** The newest record that each row tells of; null where it tells of none. */
  readonly firstPosition: Position | null;
  readonly secondPosition: Position | null;
  /** Names of the parts that differ, the first few. */
  readonly parts: readonly string[];
  /**
   * - `left-out`: the filter of one of them; each is what its own records make. `other-fold`: another version of the
   *   fold wrote one of them.
   * - `behind`: they stand at different positions, and nothing else can be told.
   * - `unexplained`: the records and the fold do not make these rows: one of them is damaged.
   */
  readonly why: 'left-out' | 'other-fold' | 'behind' | 'unexplained';
};

export type ModelDifferences = {
  readonly model: string;
  /** Rows that only the second has, only the first has, and both have in different ways. */
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
};

export type GenerationDiff = {
  readonly first: ComparedGeneration;
  readonly second: ComparedGeneration;
  readonly models: readonly ModelDifferences[];
  /** By model and key; the first `differencesKeptMax` of them. */
  readonly differences: readonly RowDifference[];
  readonly isCut: boolean;
};

export type ComparedGeneration = {
  readonly generation: Generation;
  readonly next: Position;
  readonly rowsDigest: string;
};

export type ReplayPlan = {
  readonly logId: string;
  /** Records [0, to) are read. */
  readonly to: Position;
  /** Of them, those that the filter takes; the counts below are of these. */
  readonly records: number;
  readonly bytes: number;
  readonly firstAt: number | null;
  readonly lastAt: number | null;
  /** As the headers say it. */
  readonly kinds: readonly Count[];
  /** Of the records that were applied. */
  readonly components: readonly Count[];
  readonly environments: readonly Count[];
  readonly signers: readonly Count[];
  /** What became of them. */
  readonly outcomes: readonly Count[];
  /** Records whose signature checks are remembered. */
  readonly remembered: number;
  /** Measured in this store on the first records; null where there were too few. */
  readonly recordsPerSecond: number | null;
  readonly seconds: number | null;
  /** What a switch to it would change; null where readers use nothing yet, or nobody asked. */
  readonly effect: GenerationDiff | null;
};

export type ReplayRun = {
  readonly generation: Generation;
  readonly state: 'complete' | 'paused';
  readonly next: Position;
  /** Records that this run took from the log, record 0 among them, and how long it took. */
  readonly folded: number;
  /** Of them, those that the filter left out. */
  readonly leftOut: number;
  readonly seconds: number;
  readonly rowsDigest: string;
  readonly outcomes: readonly Count[];
  readonly wrongChecks: readonly WrongChecks[];
  readonly filter: RecordFilter;
  readonly to: Position | null;
};

export type GenerationStatus = {
  readonly generation: Generation;
  readonly isCurrent: boolean;
  /** Readers were switched from it to the current one: `back` goes there. */
  readonly isPrevious: boolean;
  /** `unfinished`: it is not in use, and nobody folds it or noted what for. */
  readonly state: GenerationState | 'stopped' | 'unfinished';
  readonly rows: number;
  readonly next: Position;
  readonly lag: number;
  readonly foldVersion: number;
  readonly rowsDigest: string;
  readonly madeAt: number | null;
  /** Principal of an operator, or `projector`; null: nobody noted it. */
  readonly madeBy: string | null;
  readonly why: string | null;
  readonly filter: RecordFilter | null;
  readonly to: Position | null;
  /** Records a second that its replay folds at most; null: as fast as it goes. */
  readonly rate: number | null;
};

export type Switched = {
  /** What readers used before; the same as `to` where they used it already, and the log tells of that. */
  readonly from: Generation | null;
  readonly to: Generation;
  readonly next: Position;
  /** Records that are on the log and not in it yet. */
  readonly lag: number;
  readonly rowsDigest: string;
};

/** What it was: how many rows, and how far. */
export type DroppedGeneration = Pick<GenerationStatus, 'generation' | 'rows' | 'next'>;

/** Who made a generation and why, for its note. */
export type MadeBy = { readonly principal: string; readonly reason: string };

export type RunWish =
  | (ReplayChoice &
      Believed & {
        readonly by: MadeBy;
        /** Records a second at most; null: as fast as it goes. */
        readonly rate: number | null;
      })
  | { readonly resume: Generation };

/** Folds on at `from`, to `to` or the log's end (null). */
export type BegunRun = ReplayChoice & {
  readonly generation: Generation;
  readonly from: Position;
};

export type Replaying = {
  /** The keys as this generation knows them: who may leave an operation behind. Undefined: nobody knows. */
  readonly trust: (generation: Generation | null) => Promise<Trust | undefined>;
  /** Folds into nothing that stays, and says what a run would come to. */
  readonly plan: (
    choice: ReplayChoice & Believed,
    watch: Watch & { readonly hasEffect: boolean },
  ) => Promise<Result<ReplayPlan, ReplayProblem>>;
  /** Folds into a new generation beside the others, or goes on with one. Beside a projector that lags it slows down. */
  readonly run: (
    wish: RunWish,
    watch: Watch & {
      /** Awaited before anything is folded; false: nothing is, and a generation that was begun is gone again. */
      readonly onBegun?: (begun: BegunRun) => Promise<boolean>;
    },
  ) => Promise<Result<ReplayRun, ReplayProblem>>;
  /** Asks whoever folds it to stop between two steps. */
  readonly pause: (generation: Generation) => Promise<Result<void, ReplayProblem>>;
  readonly status: () => Promise<Result<readonly GenerationStatus[], ReplayProblem>>;
  /** `second` null: the one that readers use. Both are brought to the same position where that can be. */
  readonly diff: (
    first: Generation,
    second: Generation | null,
    watch: Watch,
  ) => Promise<Result<GenerationDiff, ReplayProblem>>;
  /** Points readers to it, after it was folded at least as far as the one that they use. */
  readonly switchTo: (
    generation: Generation,
    options: Watch & { readonly isForced: boolean },
  ) => Promise<Result<Switched, ReplayProblem>>;
  /** Points readers to the one that they used before; `isStale`: also where it is far behind. */
  readonly back: (
    options: Watch & { readonly isStale: boolean },
  ) => Promise<Result<Switched, ReplayProblem>>;
  readonly drop: (
    generation: Generation,
    options: { readonly isForced: boolean },
  ) => Promise<Result<GenerationStatus, ReplayProblem>>;
  /** Drops the oldest of those that nobody needs, beyond a few; answers which. */
  readonly dropBeyondKept: () => Promise<Result<readonly DroppedGeneration[], ReplayProblem>>;
};
