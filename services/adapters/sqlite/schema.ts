/** "PLIM": tells a Plimsoll file from any other SQLite file (offset 68 of its header). */
export const applicationId = 0x504c494d;

/** Raise it with every change below, and bring older files up to it. */
export const schemaVersion = 3;

const asideSql = `
CREATE TABLE store_aside (
  audience TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  checksum INTEGER NOT NULL,            -- CRC-32, see store-row.ts
  PRIMARY KEY (audience, key)
) STRICT;
`;

// An older release kept none. It wrote older rows, too, which are folded anew.
const rowsDigestSql = `
ALTER TABLE store_generations
  ADD COLUMN rows_digest TEXT NOT NULL DEFAULT '00000000000000000000000000000000';
`;

/** What brings a file of an older layout up to the next one, by the layout it has. */
export const upgrades: { readonly [version: number]: string } = {
  1: asideSql,
  2: rowsDigestSql,
};

/**
 * One file holds logs and read models, each under its name. Rows of records and read models lie in ordinary
 * tables with an index, not WITHOUT ROWID: their values are long, and in a WITHOUT ROWID table the long rows
 * are the tree itself (measured with rows of 1.5 kB: four times the time for a batch, twice the file).
 */
export const schemaSql: string = `
CREATE TABLE log_partitions (
  id INTEGER PRIMARY KEY,
  log TEXT NOT NULL,
  partition INTEGER NOT NULL,
  start_position INTEGER NOT NULL,      -- the oldest record held
  end_position INTEGER NOT NULL,        -- the next to be given; never goes back
  last_appended_at_ms INTEGER NOT NULL, -- never goes back
  UNIQUE (log, partition)
) STRICT;

CREATE TABLE log_records (
  partition_id INTEGER NOT NULL REFERENCES log_partitions (id),
  position INTEGER NOT NULL,
  appended_at_ms INTEGER NOT NULL,
  key BLOB NOT NULL,
  headers TEXT NOT NULL,
  value BLOB NOT NULL,
  checksum INTEGER NOT NULL,            -- CRC-32, see record-row.ts
  PRIMARY KEY (partition_id, position)
) STRICT;

CREATE TABLE log_followers (
  group_name TEXT NOT NULL,
  partition_id INTEGER NOT NULL REFERENCES log_partitions (id),
  holder TEXT,                          -- the member that is handed the partition
  expires_at_ms INTEGER NOT NULL,
  lease_ms INTEGER NOT NULL,
  hint INTEGER,
  PRIMARY KEY (group_name, partition_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE store_pointers (
  audience TEXT PRIMARY KEY,
  generation TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE store_generations (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice: rows of a dropped one must find no new owner
  audience TEXT NOT NULL,
  generation TEXT NOT NULL,
  log_id TEXT NOT NULL,
  next_position INTEGER NOT NULL,
  last_digest TEXT NOT NULL,
  fold_version INTEGER NOT NULL,
  rows_digest TEXT NOT NULL DEFAULT '00000000000000000000000000000000', -- see core/rows-digest.ts
  UNIQUE (audience, generation)
) STRICT;

CREATE TABLE store_rows (
  generation_id INTEGER NOT NULL REFERENCES store_generations (id),
  model TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  checksum INTEGER NOT NULL,            -- CRC-32, see store-row.ts
  PRIMARY KEY (generation_id, model, key)
) STRICT;
${asideSql}`;

/** Every table that a whole file has. */
export const tableNames: readonly string[] = [
  'log_partitions',
  'log_records',
  'log_followers',
  'store_pointers',
  'store_generations',
  'store_rows',
  'store_aside',
];
