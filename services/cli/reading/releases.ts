import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import type { CliProblem } from '../problem.ts';
import type { Choice, Reader } from './reader.ts';

/** Released versions that are still supported: lines of `current`, oldest first in each place. */
export const supportedReleases = async (
  reader: Pick<Reader, 'list'>,
  choice: Pick<Choice, 'filter'> = {},
): Promise<Result<readonly Line[], CliProblem>> => {
  const lines = await reader.list('current', choice);
  return lines.ok ? ok(lines.value.filter(({ status }) => status === 'released')) : lines;
};
