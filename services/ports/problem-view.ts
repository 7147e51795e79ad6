import type { Expectation } from '../core/problems/parse-expected.ts';
import type { Problem } from '../core/problems/problem.ts';
import type { PlaceFilter } from '../core/problems/problems.ts';
import type { Result } from '../core/result.ts';
import type { Generation, ReadModelStore } from './read-model-store.ts';

/** What a reader asks of the problems. */
export type ProblemQuestion = {
  readonly nowMs: number;
  /** What is older than this, milliseconds since 1970, is not looked at: attempts, remarks, dead letters, producers. */
  readonly sinceMs: number;
  readonly expectations: readonly Expectation[];
  readonly filter: PlaceFilter;
};

export type ProblemAnswer = {
  readonly problems: readonly Problem[];
  /** The read models that they follow from hold every record of the log before this position. */
  readonly next: number;
  /** Lists of which only the newest rows were looked at. */
  readonly cut: readonly string[];
};

/** Where the rows of the problems stand. Without a store of instances nothing is said of what runs. */
export type ProblemSource = {
  readonly store: ReadModelStore;
  readonly generation: Generation;
  readonly instanceStore: ReadModelStore | null;
};

export type ProblemViewProblem = {
  readonly code: 'unreachable' | 'corrupt' | 'changing';
  readonly message: string;
};

/** Reads what the problems follow from, and says them. Changes nothing. */
export type ReadProblems = (
  source: ProblemSource,
  question: ProblemQuestion,
) => Promise<Result<ProblemAnswer, ProblemViewProblem>>;
