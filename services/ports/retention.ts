import type { KeptCode } from '../core/retention.ts';
import type { Result } from '../core/result.ts';
import type { KeyState } from '../core/trust/trust.ts';
import type { ProjectionProblem } from './projecting.ts';

/** A deployment that may be forgotten. */
export type Forgettable = {
  readonly deployment: string;
  readonly component: string | null;
  readonly version: string | null;
  /** When the log last took anything of it; milliseconds since 1970. */
  readonly heardAt: number;
};

/** What would go of one environment; nothing is changed by it. */
export type EnvironmentPlan = {
  /** Null: deployments that were never planned. */
  readonly environment: string | null;
  /** The tier that counts here, as it was set, and its days. */
  readonly tier: string;
  readonly days: number;
  readonly deployments: number;
  readonly rows: number;
  readonly bytes: number;
  /** Old enough, and kept all the same. */
  readonly kept: readonly { readonly code: KeptCode; readonly count: number }[];
  /** Oldest first, a few. */
  readonly examples: readonly Forgettable[];
};

export type RetentionPlan = {
  /** By name. */
  readonly environments: readonly EnvironmentPlan[];
  /** Everything that may go, oldest first. */
  readonly deployments: readonly Forgettable[];
};

/** Looks for what is older than its tier keeps it, as the fold will judge it. Reads only. */
export type PlanRetention = (options: {
  /** Who is to sign: deployments outside its scope are kept. */
  readonly signer: KeyState;
  /** Only environments that begin so; null: all. */
  readonly isWanted: (environment: string | null) => boolean;
  readonly onProgress: (progress: { readonly next: number; readonly end: number }) => void;
}) => Promise<Result<RetentionPlan, ProjectionProblem>>;
