import type { BacktestSetup } from '../../core/canary/backtest/setup.ts';
import type { Result } from '../../core/result.ts';
import type { NamedPolicy } from './named-policy.ts';
import type { CliProblem } from '../problem.ts';

/** A capture as `--metrics` names it. */
export type NamedCapture = {
  readonly path: string;
  /** When the canary began, as written behind `@`; null: for all captures alike. */
  readonly since: string | null;
};

export type Asked = { readonly setup: BacktestSetup; readonly policy: NamedPolicy };

/** What a backtest of this capture is about, judged by the policy of that name; null: by the one that was in force. */
export type SetupOf = (
  capture: NamedCapture,
  policy: string | null,
) => Promise<Result<Asked, CliProblem>>;
