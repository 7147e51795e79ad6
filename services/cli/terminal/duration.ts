import { durationMs } from '../../core/settings.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Given } from './arguments.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';

const timeoutMsMax: number = 60 * 60_000;

/** `500ms`, `10s` or `2m` in milliseconds, 1 to an hour's unless more is said. A bare number is refused: of what? */
export const readDuration = (
  option: string,
  written: string,
  mostMs: number = timeoutMsMax,
): Result<number, CliProblem> => {
  const ms = durationMs(written) ?? 0;
  return ms >= 1 && ms <= mostMs
    ? ok(ms)
    : refuse(
        'option-invalid',
        `--${option}=${JSON.stringify(written.slice(0, 64))} is no time`,
        `write it such as 500ms, 10s or 2m; at most ${mostMs === timeoutMsMax ? 'an hour' : `${mostMs / 3_600_000} hours`}`,
      );
};

const timeoutMsDefault = 10_000;

/** How long a command may take, by its `--timeout`. */
export const readTimeout = (
  given: Given,
  otherwiseMs: number = timeoutMsDefault,
): Result<number, CliProblem> => {
  const written = given.value('timeout');
  return written === null ? ok(otherwiseMs) : readDuration('timeout', written);
};

/** A whole number from 1 on. */
export const readCount = (
  option: string,
  written: string,
  most: number,
): Result<number, CliProblem> => {
  const count = /^[0-9]{1,15}$/.test(written) ? Number(written) : Number.NaN;
  return count >= 1 && count <= most
    ? ok(count)
    : refuse(
        'option-invalid',
        `--${option}=${JSON.stringify(written.slice(0, 64))} is no whole number from 1 to ${most}`,
        `write it such as --${option}=10`,
      );
};
