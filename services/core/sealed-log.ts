// Where a log that was sealed went on, in words for whoever wanted to append to it.

/** By the note that its seal holds. */
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
