import type { Result } from '../core/result.ts';
import type { Clock } from '../ports/clock.ts';
import type { FoldToEnd, GenerationNotes, ProjectionPorts } from '../ports/projecting.ts';
import type { ReadModelStore, StoreProblem } from '../ports/read-model-store.ts';

export type ReplayPorts = ProjectionPorts & {
  readonly clock: Clock;
  readonly fold: FoldToEnd;
  readonly notes: GenerationNotes;
  /** An empty store for the read models of about so many records, which goes when it is closed. */
  readonly scratch: (records: number) => Promise<Result<ReadModelStore, StoreProblem>>;
};
