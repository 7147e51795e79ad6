import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { openFoundation } from '../../services/adapters/foundation/foundation.ts';
import type { SqliteFile } from '../../services/adapters/sqlite/file.ts';
import type { LogRecord, NewRecord } from '../../services/core/log/record.ts';
import { fail } from '../../services/core/result.ts';
import { parseSettings } from '../../services/core/settings.ts';
import type { CopyTarget } from '../../services/ports/migrating.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import { logOf } from '../support/archives.ts';
import type { Step } from '../support/given.ts';
import {
  by,
  delivered,
  fold,
  keyOf,
  openedAtMs,
  recordsOf,
  signed,
  tools,
  trusts,
} from '../support/given.ts';
import { logged, operated, planned } from '../support/markers.ts';
import { everything, foldOf, move, openMoveFile, openMoveTarget } from '../support/moving.ts';
import { value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const scratch = scratchFolder();
const files: SqliteFile[] = [];
afterEach(() => files.splice(0).forEach((file) => file.close()));

const newFile = async (folder = join(scratch, randomUUID())): Promise<SqliteFile> => {
  mkdirSync(folder, { recursive: true });
  const file = await openMoveFile(folder);
  files.push(file);
  return file;
};
const newTarget = async (): Promise<CopyTarget> => openMoveTarget(await newFile());

const story = (...more: readonly Step[]): Promise<readonly LogRecord[]> =>
  recordsOf(
    trusts('ops', { roles: ['operator'] }),
    by('ci', planned()),
    ...Array.from({ length: 5 }, (_, index) => by('ci', logged(`${index}.0.0`))),
    ...more,
  );
const late = (version: string): Promise<NewRecord> =>
  signed('ci', logged(version), `late ${version}`);

const codeOf = async (moving: ReturnType<typeof move>): Promise<string> => {
  const told = await moving;
  return told.ok ? 'ok' : told.problem.code;
};

describe('a log that moves', () => {
  test('has its records with their positions and times, and both sides fold to the same', async () => {
    const source = await logOf(await story());
    const target = await newTarget();
    const before = await everything(source);
    const told = value(await move(source, target));
    expect(told).toMatchObject({
      position: before.length,
      copied: before.length,
      carried: 0,
      already: false,
      from: 'sqlite:/old',
      to: 'sqlite:/new',
    });
    const after = await everything(value(await target.open()));
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after).toHaveLength(before.length + 1);
    expect((await fold(after)).notes().at(-1)).toBe('operation');
    const sealed = await fold([...before, ...(await everything(source)).slice(before.length)]);
    expect(sealed.notes().at(-1)).toBe('operation');
    expect(told.rowsDigest).toBe(value(await foldOf(source)(before.length)).state.rowsDigest);
  });

  test('takes appends where it went on, and none where it was sealed', async () => {
    const source = await logOf(await story());
    const target = await newTarget();
    value(await move(source, target));
    const opened = value(await target.open());
    value(await opened.append(0, [await late('7.0.0')]));
    value(await source.append(0, [await late('8.0.0')]));
    expect((await fold(await everything(opened))).notes().at(-1)).toBe('applied');
    expect((await fold(await everything(source))).notes().at(-1)).toBe('log-sealed');
  });

  test('moves once: again says so, and carries over what came late, with the time that it waited', async () => {
    const source = await logOf(await story());
    const file = await newFile();
    const first = value(await move(source, await openMoveTarget(file)));
    value(await source.append(0, [await late('8.0.0')]));
    const target = await openMoveTarget(file);
    const again = value(await move(source, target));
    expect(again).toEqual({ ...first, copied: 0, carried: 1, already: true });
    const opened = value(await target.open());
    const house = await fold(await everything(opened));
    expect(house.notes().at(-1)).toBe('applied');
    expect(value(await move(source, target)).carried).toBe(0);
    expect((await everything(opened)).at(-1)?.headers.map(({ name }) => name)).toContain(
      'plimsoll-waited',
    );
  });

  test('takes what had waited on a spool and came late for as old as it is', async () => {
    const source = await logOf(await story());
    const file = await newFile();
    value(await move(source, await openMoveTarget(file)));
    value(await source.append(0, [await delivered(await late('8.0.0'), 60_000, 'ci')]));
    const spoilt = await delivered(await late('9.0.0'), 60_000, 'ops');
    const [last] = (await everything(source)).slice(-1);
    value(await source.append(0, [{ ...spoilt, headers: last?.headers ?? [] }]));
    const lain = openedAtMs + 10_000_000 - (last?.appendedAtMs ?? 0);
    const target = await openMoveTarget(file);
    expect(value(await move(source, target)).carried).toBe(2);
    const records = await everything(value(await target.open()));
    const waited = records.slice(-2).map(({ headers }) => {
      const header = headers.find(({ name }) => name === 'plimsoll-waited');
      return Number(tools.text.decodeUtf8(header?.value ?? new Uint8Array())?.split(':')[0]);
    });
    // What nobody proved is handed on as it came.
    expect(waited).toEqual([60_000 + lain, 60_000]);
    expect((await fold(records)).notes().slice(-2)).toEqual(['applied', 'signature-bad']);
  });

  test('is sealed by nobody who may act in some places only', async () => {
    const source = await logOf(
      await story(trusts('some', { roles: ['operator'], environments: ['staging'] })),
    );
    const size = (await everything(source)).length;
    expect(await codeOf(move(source, await newTarget(), { signer: keyOf('some') }))).toBe(
      'out-of-scope',
    );
    expect(await everything(source)).toHaveLength(size);
  });

  test('whose target was lost after the seal is copied anew', async () => {
    const source = await logOf(await story());
    const lost = await newTarget();
    const unable = {
      ...lost,
      open: async () => fail({ code: 'unreachable', message: 'gone' } as const),
    };
    expect(await codeOf(move(source, unable))).toBe('unreachable');
    const target = await newTarget();
    const told = value(await move(source, target));
    expect(told).toMatchObject({ copied: told.position, already: false });
    expect(await everything(value(await target.open()))).toHaveLength(told.position + 1);
  });

  test('of which others write more all the time is sealed behind what they wrote', async () => {
    const memory = await logOf(await story());
    let busy = 3;
    const source: RecordLog = {
      ...memory,
      append: async (partition, records) => {
        if (busy-- > 0) value(await memory.append(0, [await late(`${busy}.9.9`)]));
        return memory.append(partition, records);
      },
    };
    const target = await newTarget();
    const told = value(await move(source, target));
    const notes = (await fold(await everything(memory))).notes();
    expect(notes.filter((note) => note === 'seal-misplaced')).toHaveLength(3);
    expect(told.position).toBe((await everything(memory)).length - 1);
    expect(await everything(value(await target.open()))).toHaveLength(told.position + 1);
  });

  test('whose answer to the seal was lost is sealed all the same', async () => {
    const memory = await logOf(await story());
    const source: RecordLog = {
      ...memory,
      append: async (partition, records) => {
        value(await memory.append(partition, records));
        return fail({ code: 'unknown', message: 'no answer' });
      },
    };
    const target = await newTarget();
    expect(value(await move(source, target)).position).toBe((await everything(memory)).length - 1);
  });

  test('goes back the same way', async () => {
    const source = await logOf(await story());
    const target = await newTarget();
    const there = value(await move(source, target));
    const opened = value(await target.open());
    value(await opened.append(0, [await late('7.0.0')]));
    const home = await newTarget();
    const back = value(
      await move(
        opened,
        { ...home, address: 'kafka://home:9092' },
        {
          source: { address: 'sqlite:/new', log: opened },
        },
      ),
    );
    expect(back.position).toBe(there.position + 2);
    const notes = (await fold(await everything(value(await home.open())))).notes();
    expect(notes.filter((note) => note === 'operation')).toHaveLength(2);
    expect(notes).not.toContain('seal-misplaced');
  });
});

describe('nothing is sealed', () => {
  const refuses = async (
    code: string,
    source: RecordLog,
    target: CopyTarget,
    over: Parameters<typeof move>[2] = {},
  ): Promise<void> => {
    const before = value(await source.range(0)).end;
    expect(await codeOf(move(source, target, over))).toBe(code);
    expect(value(await source.range(0)).end).toBe(before);
  };

  test('where the target is a log already', async () => {
    const records = await story();
    const target = await newTarget();
    value(await move(await logOf(await recordsOf(trusts('ops', { roles: ['operator'] }))), target));
    const file = files.at(-1);
    if (file === undefined) throw new Error('no file');
    await refuses('target-taken', await logOf(records), await openMoveTarget(file));
  });

  test('where what was copied before is another log', async () => {
    const target = await newTarget();
    const other = await recordsOf(by('ci', planned()), by('ci', logged('1.0.0')));
    value(await target.copy(other));
    await refuses('target-differs', await logOf(await story()), target);
  });

  test('where a canary runs whose analysis would lose its evidence', async () => {
    const source = await logOf(await story());
    await refuses('canary-running', source, await newTarget(), {
      foldSource: foldOf(source, ['0190a000-0000-8000-8000-000000000000']),
    });
  });

  test('where both ends do not fold to the same', async () => {
    const source = await logOf(await story());
    const target = await newTarget();
    const other = await logOf(
      await recordsOf(
        trusts('ops', { roles: ['operator'] }),
        ...Array.from({ length: 6 }, () => by('ci', planned())),
      ),
    );
    await refuses('models-differ', source, target, { foldTarget: foldOf(other) });
  });

  test.each([
    ['nobody', 'key-unknown'],
    ['ci', 'role-missing'],
  ])('by the key of %s', async (name, code) => {
    await refuses(code, await logOf(await story()), await newTarget(), { signer: keyOf(name) });
  });

  test('where the log was sealed for another target', async () => {
    const records = await story();
    const note = 'kafka://elsewhere:9092';
    const said = operated('log-sealed', { to: records.length, digest: 'a'.repeat(64), note });
    const source = await logOf([...records, await signed('ops', said, 'a seal')]);
    await refuses('sealed-elsewhere', source, await newTarget());
  });

  test('where the log has no record', async () => {
    await refuses('log-empty', await logOf([]), await newTarget());
  });
});

describe('a database that a log is copied into', () => {
  test('is no log to others until it is opened', async () => {
    const folder = join(scratch, randomUUID());
    const file = await newFile(folder);
    const target = await openMoveTarget(file);
    const source = await logOf(await story());
    value(await target.copy((await everything(source)).slice(0, 3)));
    const look = async (): Promise<string> => {
      const foundation = openFoundation(value(parseSettings({ PLIMSOLL_LOG: `sqlite:${folder}` })));
      const log = await foundation.stream('log');
      const told = log.ok ? `${value(await log.value.range(0)).end} records` : log.problem.code;
      await foundation.close();
      return told;
    };
    expect(await look()).toBe('migrating');
    value(await move(source, target));
    expect(await look()).toBe(`${(await everything(source)).length} records`);
  });

  test('takes nothing that does not follow what is there', async () => {
    const target = await newTarget();
    const records = await everything(await logOf(await story()));
    value(await target.copy(records.slice(0, 2)));
    expect(await target.copy(records.slice(3))).toMatchObject({
      ok: false,
      problem: { code: 'copy-misplaced' },
    });
    value(await target.open());
    expect((await target.copy(records.slice(2))).ok).toBe(false);
  });
});
