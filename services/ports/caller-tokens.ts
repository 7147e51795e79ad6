import type { Result } from '../core/result.ts';
import type { CallerToken } from '../core/trust/caller-tokens.ts';

/** Who may send markers without a key, as the operator's list says now. */
export type CallerTokens = {
  /** The line of the list that has this token, also when it has expired; told in a time that tells nothing. */
  readonly lookUp: (token: string) => Promise<CallerToken | undefined>;
};

/** Why a list of tokens cannot be read or written. No message holds what stands in it. */
export type TokenListProblem = {
  readonly code: 'tokens-invalid' | 'file-invalid';
  readonly message: string;
  readonly hint: string;
};

/** The operator's list, for the commands that write it. */
export type TokenList = {
  /** Where it lies, also where it is not there yet. */
  readonly path: string;
  readonly read: () => Promise<Result<readonly CallerToken[], TokenListProblem>>;
  /** Writes a line behind the others. */
  readonly append: (line: string) => Promise<Result<void, TokenListProblem>>;
  /** 256 bits by chance, as letters, digits, `-` and `_`. */
  readonly newToken: () => string;
};
