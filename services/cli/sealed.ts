import type { Result } from '../core/result.ts';
import type { Trust } from '../core/trust/trust.ts';
import type { CliProblem } from './problem.ts';
import { refuse } from './problem.ts';

/** Why nothing is appended to a log that was sealed, and where it went on; undefined while the log is open. */
export const refuseSealed = ({ sealed }: Trust): Result<never, CliProblem> | undefined =>
  sealed === null
    ? undefined
    : refuse(
        'log-sealed',
        `the log was sealed at position ${sealed.at} and takes nothing more; nothing was stored`,
        goesOnAt(sealed.note),
      );

/** Where a sealed log went on, by the note that its seal holds. */
export const goesOnAt = (note: string | null): string =>
  note === null
    ? 'ask whoever sealed it where it went on'
    : `it goes on elsewhere: ${settingsAfterMove(note)}`;

/**
 * What to set for a log that moved to `address`. The old store holds the read models of the log that was sealed, and a
 * store that nobody names is a database in the data folder.
 */
export const settingsAfterMove = (address: string): string =>
  address.startsWith('sqlite:')
    ? `set PLIMSOLL_LOG=${address}; PLIMSOLL_STORE, where it is set, must name another store, too (${otherStores})`
    : `set PLIMSOLL_LOG=${address} and PLIMSOLL_STORE to another store, too (${otherStores})`;

const otherStores = 'redis://HOST:PORT, or sqlite:FOLDER with an empty folder';
