import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { MemoryRecordLog } from '../../../services/adapters/memory/record-log.ts';
import { createMemoryReadModelStore } from '../../../services/adapters/memory/read-model-store.ts';
import { openReader } from '../../../services/adapters/archive/reader.ts';
import { joinArchive } from '../../../services/adapters/archive/seam.ts';
import type { LogRecord, Position } from '../../../services/core/log/record.ts';
import { orderedModels } from '../../../services/core/read-models.ts';
import { openGeneration } from '../../../services/projector/catch-up.ts';
import type { ArchiveReader } from '../../../services/ports/archive.ts';
import type { RecordLog } from '../../../services/ports/record-log.ts';
import type { Step } from '../../support/given.ts';
import { by, fold, recordsOf, signed, tools, trusts } from '../../support/given.ts';
import { allOf, archive, logOf, topic } from '../../support/archives.ts';
import { eventually } from '../../support/eventually.ts';
import { logged, operated } from '../../support/markers.ts';
import { positionsOf, value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();

const records = (count: number): Promise<readonly LogRecord[]> =>
  recordsOf(
    trusts('ops', { roles: ['operator'] }),
    ...Array.from({ length: count }, (_, index): Step => by('ci', logged(`${index}.0.0`))),
  );

const archiveOf = async (log: RecordLog): Promise<ArchiveReader> => {
  const folder = join(scratch, randomUUID());
  value(await archive(folder, log, { fileRecordsMax: 4 }));
  return value(await openReader(tools.crypto.sha256Hex, folder, topic));
};

/** Forgets everything before a position. */
const forget = async (log: MemoryRecordLog, before: Position): Promise<void> => {
  const [kept] = value(await log.read(0, before, 1));
  value(await log.prune(0, kept?.appendedAtMs ?? Number.POSITIVE_INFINITY));
};

/** The archive of 8 records in two files, one of which is then spoilt. */
const spoiltArchiveOf = async (log: RecordLog, which: number): Promise<ArchiveReader> => {
  const folder = join(scratch, randomUUID());
  value(await archive(folder, log, { fileRecordsMax: 4 }));
  const name = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.avro'))
    .toSorted()[which];
  const path = join(folder, name ?? 'none');
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(path, bytes);
  return value(await openReader(tools.crypto.sha256Hex, folder, topic));
};

const joinedCode = async (log: RecordLog, reader: ArchiveReader): Promise<string> => {
  const joined = await joinArchive(tools, log, reader);
  return joined.ok ? 'ok' : joined.problem.code;
};

describe('a log that forgot its beginning', () => {
  test('gives it from the archive, and the rest itself', async () => {
    const all = await records(12);
    const log = await logOf(all);
    const reader = await archiveOf(await logOf(all.slice(0, 9)));
    await forget(log, 6);
    expect(await log.read(0, 0, 1)).toMatchObject({ ok: false, problem: { code: 'before-start' } });
    const joined = value(await joinArchive(tools, log, reader));
    expect(await allOf(joined)).toEqual(all);
    expect((await fold(await allOf(joined))).notes()).toEqual((await fold(all)).notes());
  });

  test('takes appends, which come after what it holds', async () => {
    const all = await records(5);
    const log = await logOf(all.slice(0, 7));
    const joined = value(await joinArchive(tools, log, await archiveOf(log)));
    expect(positionsOf(value(await joined.append(0, all.slice(7))))).toEqual([7]);
    expect(value(await joined.range(0))).toEqual({ start: 0, end: 8 });
  });

  test('hands a subscriber the archive first, then goes on with what comes', async () => {
    const all = await records(12);
    const log = await logOf(all.slice(0, 13));
    const reader = await archiveOf(await logOf(all.slice(0, 9)));
    await forget(log, 6);
    const joined = value(await joinArchive(tools, log, reader));
    const seen: LogRecord[] = [];
    const subscription = await joined.subscribe('readers', {
      startFrom: async () => 0,
      onBatch: async (batch) => void seen.push(...batch.records),
    });
    await eventually('the seam is behind it', () => seen.length === 13);
    value(await joined.append(0, all.slice(13)));
    await eventually('it follows the log', () => seen.length === all.length);
    await subscription.stop();
    expect(positionsOf(seen)).toEqual(all.map((_, position) => position));
  });

  test('says so where even the archive does not reach', async () => {
    const all = await records(12);
    const log = await logOf(all);
    const reader = await archiveOf(await logOf(all.slice(0, 9)));
    await forget(log, 8);
    const joined = value(await joinArchive(tools, log, reader));
    await forget(log, 11);
    expect(await joined.read(0, 0, 100)).toMatchObject({
      ok: false,
      problem: { code: 'before-start' },
    });
  });
});

describe('an archive that is damaged', () => {
  test('is not joined where its last record cannot be read', async () => {
    const all = await records(12);
    const log = await logOf(all);
    const reader = await spoiltArchiveOf(await logOf(all.slice(0, 8)), 1);
    expect(await joinedCode(log, reader)).toBe('archive-damaged');
  });

  test('says so where a record is first needed, and nothing of it is folded', async () => {
    const all = await records(12);
    const log = await logOf(all);
    const reader = await spoiltArchiveOf(await logOf(all.slice(0, 8)), 0);
    await forget(log, 6);
    const joined = value(await joinArchive(tools, log, reader));
    expect(await joined.read(0, 0, 1)).toMatchObject({ problem: { code: 'archive-damaged' } });
    const store = createMemoryReadModelStore({ orderedModels });
    const ports = { log: joined, store, tools, audience: 'local', pinnedLogId: null };
    expect(await openGeneration(ports)).toMatchObject({ problem: { code: 'archive-damaged' } });
    expect(value(await store.generations())).toEqual([]);
  });
});

describe('archive and log are not joined', () => {
  test('where records are in neither', async () => {
    const all = await records(12);
    const log = await logOf(all);
    const reader = await archiveOf(await logOf(all.slice(0, 6)));
    await forget(log, 8);
    expect(await joinedCode(log, reader)).toBe('seam-gap');
  });

  test('where the record that both have differs, or the log ends before its archive', async () => {
    const all = await records(12);
    const reader = await archiveOf(await logOf(all.slice(0, 9)));
    const other = await recordsOf(...Array.from({ length: 12 }, () => by('ci', logged('9.9.9'))));
    expect(await joinedCode(await logOf(other), reader)).toBe('seam-differs');
    expect(await joinedCode(await logOf(all.slice(0, 5)), reader)).toBe('seam-differs');
  });

  test('where no record is in both, unless the log names the archive', async () => {
    const all = await records(12);
    const head = await logOf(all.slice(0, 6));
    const reader = await archiveOf(head);
    const log = await logOf(all);
    await forget(log, 6);
    expect(await joinedCode(log, reader)).toBe('seam-unproven');
    const digest = reader.digests.at(-1)?.digest ?? '';
    for (const [named, told] of [
      ['f'.repeat(64), 'seam-unproven'],
      [digest, 'ok'],
    ] as const) {
      const says = operated('log-archived', { from: 0, to: 6, digest: named });
      value(await log.append(0, [await signed('ops', says, named)]));
      expect(await joinedCode(log, reader)).toBe(told);
    }
  });
});
