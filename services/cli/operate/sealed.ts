import type { Result } from '../../core/result.ts';
import { goesOnAt } from '../../core/sealed-log.ts';
import type { Trust } from '../../core/trust/trust.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';

/** Why nothing is appended to a log that was sealed, and where it went on; undefined while the log is open. */
export const refuseSealed = ({ sealed }: Trust): Result<never, CliProblem> | undefined =>
  sealed === null
    ? undefined
    : refuse(
        'log-sealed',
        `the log was sealed at position ${sealed.at} and takes nothing more; nothing was stored`,
        goesOnAt(sealed.note),
      );
