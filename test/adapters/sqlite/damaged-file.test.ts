import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { createFile } from '../../../services/adapters/sqlite/create-file.ts';
import { headerFault } from '../../../services/adapters/sqlite/file-header.ts';
import { openSqliteFile } from '../../../services/adapters/sqlite/file.ts';
import type { SqliteFile } from '../../../services/adapters/sqlite/file.ts';
import type { SqliteProblem } from '../../../services/adapters/sqlite/problem.ts';
import { openSqliteReadModelStore } from '../../../services/adapters/sqlite/read-model-store.ts';
import { openSqliteRecordLog } from '../../../services/adapters/sqlite/record-log.ts';
import type { SqliteRecordLog } from '../../../services/adapters/sqlite/record-log.ts';
import { createSystemClock } from '../../../services/adapters/system/clock.ts';
import type { Result } from '../../../services/core/result.ts';
import type { ReadModelStore, Step } from '../../../services/ports/read-model-store.ts';
import { record, text, value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const clock = createSystemClock();
const folder = scratchFolder();
const pageBytes = 4096;
let files = 0;

const freshPath = (): string => join(folder, `${(files += 1)}.db`);

const open = (
  path: string,
  create = false,
  busyMsMax?: number,
): Promise<Result<SqliteFile, SqliteProblem>> =>
  openSqliteFile(path, {
    create,
    sleep: clock.sleep,
    ...(busyMsMax === undefined ? {} : { busyMsMax }),
  });

const openLog = async (file: SqliteFile): Promise<SqliteRecordLog> =>
  value(await openSqliteRecordLog(file, { name: 'log', partitions: 1, ...clock }));

const openStore = (file: SqliteFile): ReadModelStore =>
  openSqliteReadModelStore(file, { audience: 'local', orderedModels: [] });

// Some records and rows are longer than a page, so that pages of every kind are in the file.
const contents = Array.from(
  { length: 60 },
  (_, at) => 'content '.repeat(at % 7 === 0 ? 1_500 : 20) + at,
);
const step: Step = {
  from: undefined,
  to: { logId: 'log-1', next: 60, lastDigest: 'd', foldVersion: 1, rowsDigest: '0'.repeat(32) },
  writes: contents.map((content, at) => ({ model: 'slots', key: `key ${at}`, value: content })),
};

const whole = join(folder, 'whole.db');
let wholeDump: readonly string[];

beforeAll(async () => {
  const file = value(await open(whole, true));
  value(await (await openLog(file)).append(0, contents.map(record)));
  const store = openStore(file);
  value(await store.commit('g1', step));
  wholeDump = value(await store.dump('g1'));
  file.close();
});

const copyOfWhole = (): string => {
  const path = freshPath();
  copyFileSync(whole, path);
  return path;
};

/** Opening must say `corrupt`, with the path, and leave the file as it is. */
const expectCorrupt = async (path: string): Promise<void> => {
  const before = readFileSync(path);
  const opened = await open(path, true);
  expect(opened).toMatchObject({ ok: false, problem: { code: 'corrupt' } });
  expect(opened.ok ? '' : opened.problem.message).toContain(path);
  expect(opened.ok ? '' : opened.problem.message).toContain('backup');
  expect(readFileSync(path).equals(before)).toBe(true);
};

describe('a file that is not whole is corrupt when it is opened', () => {
  test.each([
    ['empty', 0],
    ['cut off in its header', 60],
    ['cut off in its first page', 1_000],
    ['cut off by some pages', 5 * pageBytes],
    ['cut off in the middle of a page', 5 * pageBytes + 700],
  ])('%s', async (_, bytes) => {
    const path = copyOfWhole();
    truncateSync(path, bytes);
    await expectCorrupt(path);
  });

  test('cut off in the middle of its last page', async () => {
    const path = copyOfWhole();
    truncateSync(path, statSync(path).size - 1_000);
    await expectCorrupt(path);
    // Known by its length alone, so that it is found however large the file is.
    expect(headerFault(path)).toContain('in the middle of a page');
  });

  test('a header of garbage', async () => {
    const path = copyOfWhole();
    writeFileSync(path, readFileSync(path).fill(0xa5, 0, 100));
    await expectCorrupt(path);
  });

  test('a header that is right at first sight, and garbage after it', async () => {
    const path = copyOfWhole();
    writeFileSync(path, readFileSync(path).fill(0xa5, 28, 68).fill(0xa5, 72, 100));
    await expectCorrupt(path);
  });

  test('a text file', async () => {
    const path = freshPath();
    writeFileSync(path, 'deployments of last week\n'.repeat(1_000));
    await expectCorrupt(path);
  });

  test('the SQLite database of another program', async () => {
    const path = freshPath();
    const database = new DatabaseSync(path);
    database.exec('CREATE TABLE notes (text TEXT)');
    database.close();
    await expectCorrupt(path);
  });

  test('a write-ahead log whose file is gone', async () => {
    const path = freshPath();
    writeFileSync(`${path}-wal`, 'steps of a database that is no more');
    for (const create of [true, false])
      expect(await open(path, create)).toMatchObject({ ok: false, problem: { code: 'corrupt' } });
    expect(existsSync(path)).toBe(false);
  });
});

/** Everything that can be read of a file, or the first problem met. */
const readEverything = async (path: string): Promise<Result<unknown, { code: string }>> => {
  const file = await open(path);
  if (!file.ok) return file;
  try {
    const log = await openSqliteRecordLog(file.value, { name: 'log', partitions: 1, ...clock });
    if (!log.ok) return log;
    const records = await log.value.read(0, 0, 1_000);
    if (!records.ok) return records;
    const dump = await openStore(file.value).dump('g1');
    return dump.ok
      ? { ok: true, value: { records: records.value.map(text), dump: dump.value } }
      : dump;
  } finally {
    file.value.close();
  }
};

test('whichever page is overwritten, reading says corrupt or gives the true bytes, and never crashes', async () => {
  const bytes = readFileSync(whole);
  const truth = { records: contents.map((content) => text(record(content))), dump: wholeDump };
  const path = freshPath();
  let foundAtOpening = 0;
  for (let at = 0; at < bytes.length; at += pageBytes) {
    writeFileSync(path, Buffer.from(bytes).fill(0x61, at, at + pageBytes));
    const read = await readEverything(path);
    expect(read.ok ? read.value : read.problem.code).toEqual(read.ok ? truth : 'corrupt');
    const opened = await open(path);
    if (opened.ok) opened.value.close();
    else foundAtOpening += 1;
  }
  // Nearly all are found before anything is believed; the others hold nothing but parts of long values.
  expect(foundAtOpening).toBeGreaterThan(15);
});

test('whatever bytes are overwritten, reading says what is wrong or gives the true bytes', async () => {
  const bytes = readFileSync(whole);
  const truth = { records: contents.map((content) => text(record(content))), dump: wholeDump };
  const path = freshPath();
  const start = fc.oneof(fc.nat(150), fc.nat(bytes.length - 1));
  const garbage = fc.uint8Array({ minLength: 1, maxLength: 50 });
  const property = fc.asyncProperty(start, garbage, async (at, overwriting) => {
    const damaged = Buffer.from(bytes);
    damaged.set(overwriting.subarray(0, damaged.length - at), at);
    writeFileSync(path, damaged);
    const read = await readEverything(path);
    // `refused` is the answer to a layout number that a newer Plimsoll could have written.
    expect([truth, 'corrupt', 'refused']).toContainEqual(read.ok ? read.value : read.problem.code);
  });
  await fc.assert(property, { numRuns: 60 });
});

test('a file with our mark and without our tables is corrupt', async () => {
  const path = copyOfWhole();
  const damaging = new DatabaseSync(path);
  damaging.exec('DROP TABLE log_followers');
  damaging.close();
  await expectCorrupt(path);
});

test('a damaged name of a column is found by who asks for it', async () => {
  const path = copyOfWhole();
  const damaging = new DatabaseSync(path);
  damaging.exec('ALTER TABLE store_generations RENAME COLUMN next_position TO Aext_position');
  damaging.close();
  expect(await readEverything(path)).toMatchObject({ ok: false, problem: { code: 'corrupt' } });
});

test('a byte changed within a value is found, in the log and in the store', async () => {
  const path = freshPath();
  for (const [at, read] of [
    [contents.length - 1, 'log'],
    [contents.length - 2, 'store'],
  ] as const) {
    copyFileSync(whole, path);
    const damaging = new DatabaseSync(path);
    damaging.exec(
      read === 'log'
        ? `UPDATE log_records SET value = CAST('content' AS BLOB) WHERE position = ${at}`
        : `UPDATE store_rows SET value = 'content' WHERE key = 'key ${at}'`,
    );
    damaging.close();
    expect(await readEverything(path)).toMatchObject({ ok: false, problem: { code: 'corrupt' } });
  }
});

test('a record that is gone is found', async () => {
  const path = copyOfWhole();
  const damaging = new DatabaseSync(path);
  damaging.exec('DELETE FROM log_records WHERE position = 30');
  damaging.close();
  expect(await readEverything(path)).toMatchObject({ ok: false, problem: { code: 'corrupt' } });
});

describe('a file that cannot be used says why', () => {
  test('a folder', async () => {
    const path = freshPath();
    mkdirSync(path);
    expect(await open(path, true)).toMatchObject({ ok: false, problem: { code: 'refused' } });
  });

  test('a missing file that was not to be made', async () => {
    const path = freshPath();
    expect(await open(path)).toMatchObject({ ok: false, problem: { code: 'missing' } });
    expect(existsSync(path)).toBe(false);
  });

  test('a folder that is a file', async () => {
    const path = freshPath();
    writeFileSync(path, 'x');
    expect(await open(join(path, 'log.db'), true)).toMatchObject({
      ok: false,
      problem: { code: 'refused' },
    });
  });

  // root may write everywhere.
  test.skipIf(process.getuid?.() === 0)('a file that may only be read', async () => {
    const path = copyOfWhole();
    chmodSync(path, 0o444);
    expect(await open(path)).toMatchObject({ ok: false, problem: { code: 'refused' } });
  });

  test('the layout of a newer Plimsoll', async () => {
    const path = copyOfWhole();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 99');
    database.close();
    expect(await open(path)).toMatchObject({ ok: false, problem: { code: 'refused' } });
  });
});

describe('while the file is open', () => {
  test('a full disk refuses the append and the step, and half of neither is there', async () => {
    const path = copyOfWhole();
    const file = value(await open(path));
    const log = await openLog(file);
    const store = openStore(file);
    file.prepare(`PRAGMA max_page_count = ${statSync(path).size / pageBytes + 3}`).get();

    const large = Array.from({ length: 20 }, (_, at) => record('x'.repeat(3_000) + at));
    expect(await log.append(0, large)).toMatchObject({ ok: false, problem: { code: 'refused' } });
    const tooMuch: Step = {
      from: step.to,
      to: { ...step.to, next: 61 },
      writes: large.map((_, at) => ({ model: 'slots', key: `${at}`, value: 'x'.repeat(3_000) })),
    };
    expect(await store.commit('g1', tooMuch)).toMatchObject({
      ok: false,
      problem: { code: 'refused' },
    });

    expect(value(await log.range(0)).end).toBe(contents.length);
    expect(value(await store.checkpoint('g1'))).toEqual(step.to);
    expect(value(await store.dump('g1'))).toEqual(wholeDump);
    file.prepare('PRAGMA max_page_count = 1000000').get();
    expect((await log.append(0, large)).ok).toBe(true);
    expect(value(await store.commit('g1', tooMuch))).toBe('committed');
    file.close();
  });

  test('a disk that takes no writes refuses', async () => {
    const file = value(await open(copyOfWhole()));
    const log = await openLog(file);
    file.prepare('PRAGMA query_only = ON').run();
    expect(await log.append(0, [record('a')])).toMatchObject({
      ok: false,
      problem: { code: 'refused' },
    });
    expect((await log.read(0, 0, 1)).ok).toBe(true);
    file.close();
  });

  test('a writer that never ends makes others say unreachable, not wait for ever', async () => {
    const path = copyOfWhole();
    const file = value(await open(path, false, 50));
    const log = await openLog(file);
    const holding = new DatabaseSync(path);
    holding.exec('BEGIN IMMEDIATE');
    expect(await log.append(0, [record('a')])).toMatchObject({
      ok: false,
      problem: { code: 'unreachable' },
    });
    expect((await log.read(0, 0, 1)).ok).toBe(true);
    holding.exec('ROLLBACK');
    holding.close();
    expect((await log.append(0, [record('a')])).ok).toBe(true);
    file.close();
  });

  test('a file that was moved away takes nothing more, for nobody would find it there', async () => {
    const path = copyOfWhole();
    const file = value(await open(path));
    const log = await openLog(file);
    renameSync(path, `${path}.moved`);
    expect(await log.append(0, [record('a')])).toMatchObject({
      ok: false,
      problem: { code: 'unreachable' },
    });
    file.close();
    rmSync(`${path}.moved`);
  });

  test('a log is not opened with another number of partitions', async () => {
    const file = value(await open(copyOfWhole()));
    const log = await openSqliteRecordLog(file, { name: 'log', partitions: 2, ...clock });
    expect(log).toMatchObject({ ok: false, problem: { code: 'refused' } });
    file.close();
  });

  test('who comes second with a new file replaces nothing', async () => {
    const path = copyOfWhole();
    const before = readFileSync(path);
    createFile(path);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('each who opens a new file at once gets the same one, and nothing is left beside it', async () => {
    const path = join(folder, 'new', 'shared.db');
    const opened = await Promise.all(Array.from({ length: 8 }, () => open(path, true)));
    const all = opened.map((each) => value(each));
    for (const [at, file] of all.entries())
      value(await (await openLog(file)).append(0, [record(`${at}`)]));
    const last = await openLog(value(await open(path)));
    expect(value(await last.range(0))).toEqual({ start: 0, end: 8 });
    for (const file of all) file.close();
    const left = readdirSync(join(folder, 'new')).filter((name) => name.endsWith('.new'));
    expect(left).toEqual([]);
  });
});
