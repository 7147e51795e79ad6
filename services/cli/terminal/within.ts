import type { Result } from '../../core/result.ts';
import { fail } from '../../core/result.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem } from '../problem.ts';

/** What the work answers, or `timeout` where it has not answered by then. */
export const within = async <Value>(
  { clock }: Pick<CliPorts, 'clock'>,
  timeoutMs: number,
  work: Promise<Result<Value, CliProblem>>,
): Promise<Result<Value, CliProblem>> => {
  const done = new AbortController();
  const timeout = clock
    .sleep(timeoutMs, done.signal)
    .then(() =>
      fail(
        problem(
          'timeout',
          `not done after ${timeoutMs} ms`,
          'it may have been stored; the same command again does no harm',
        ),
      ),
    );
  try {
    return await Promise.race([work, timeout]);
  } finally {
    done.abort();
  }
};
