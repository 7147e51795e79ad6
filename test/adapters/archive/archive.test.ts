import { randomUUID } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Disk } from '../../../services/adapters/archive/disk.ts';
import { openDisk } from '../../../services/adapters/archive/disk.ts';
import { buildFile } from '../../../services/adapters/archive/container-file.ts';
import {
  fileName,
  manifestBytes,
  newManifest,
  withFile,
} from '../../../services/adapters/archive/manifest.ts';
import { openReader } from '../../../services/adapters/archive/reader.ts';
import type { LogRecord } from '../../../services/core/log/record.ts';
import type { Step } from '../../support/given.ts';
import {
  by,
  findsCompromised,
  keyOf,
  recordsOf,
  retires,
  tools,
  trusts,
} from '../../support/given.ts';
import { allOf, archive, logOf, topic, verify } from '../../support/archives.ts';
import { audience, logId, logged, operated, planned, run } from '../../support/markers.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const newFolder = (): string => join(scratch, randomUUID());
const partition = (folder: string): string => join(folder, topic, '0');
const namesIn = (folder: string): readonly string[] => readdirSync(partition(folder)).toSorted();

const steps = (count: number): readonly Step[] =>
  Array.from({ length: count }, (_, index) => by('ci', logged(`${index}.0.0`)));
/** Record 0, the keys of ops and ci, and so many markers. */
const records = (count: number, ...more: readonly Step[]): Promise<readonly LogRecord[]> =>
  recordsOf(trusts('ops', { roles: ['operator'] }), ...steps(count), ...more);

const read = async (folder: string): Promise<readonly LogRecord[]> =>
  value(await value(await openReader(tools.crypto.sha256Hex, folder, topic)).read(0, 1_000_000));

describe('an archive', () => {
  test('holds the whole log, in files that are named by their positions', async () => {
    const log = await logOf(await records(5));
    const folder = newFolder();
    const told = value(await archive(folder, log, { fileRecordsMax: 3 }));
    expect(told).toMatchObject({
      log: logId,
      topic,
      to: 8,
      added: { from: 0, records: 8, files: 3 },
    });
    expect(namesIn(folder)).toEqual([
      '000000000000-000000000002.avro',
      '000000000003-000000000005.avro',
      '000000000006-000000000007.avro',
      'manifest.jsonl',
    ]);
    expect(await read(folder)).toEqual(await allOf(log));
  });

  test('written again is as it was; later it takes what is new', async () => {
    const all = await records(5);
    const log = await logOf(all.slice(0, 4));
    const folder = newFolder();
    const first = value(await archive(folder, log));
    const before = readFileSync(join(partition(folder), 'manifest.jsonl'), 'utf8');
    const again = value(await archive(folder, log));
    expect(again).toEqual({ ...first, added: { from: 4, records: 0, files: 0, bytes: 0 } });
    expect(readFileSync(join(partition(folder), 'manifest.jsonl'), 'utf8')).toBe(before);
    value(await log.append(0, all.slice(4)));
    expect(value(await archive(folder, log)).added).toMatchObject({
      from: 4,
      records: 4,
      files: 1,
    });
    expect(await read(folder)).toEqual(await allOf(log));
  });

  test('finds nothing new in what earlier runs left on the log', async () => {
    const all = await records(5);
    const log = await logOf(all.slice(0, 4));
    const folder = newFolder();
    value(await archive(folder, log));
    value(await log.append(0, all.slice(4, 6)));
    const isTrace = ({ position }: LogRecord): boolean => position >= 4;
    expect(value(await archive(folder, log, { isTrace })).added.records).toBe(0);
    value(await log.append(0, all.slice(6)));
    const isOlder = ({ position }: LogRecord): boolean => position < 6;
    expect(value(await archive(folder, log, { isTrace: isOlder })).added.records).toBe(4);
  });

  test('goes on where the log forgot what is archived already', async () => {
    const all = await records(6);
    const log = await logOf(all.slice(0, 5));
    const folder = newFolder();
    value(await archive(folder, log));
    const atMs = (await allOf(log))[3]?.appendedAtMs ?? 0;
    value(await log.prune(0, atMs));
    value(await log.append(0, all.slice(5)));
    expect(value(await archive(folder, log)).to).toBe(9);
    expect((await read(folder)).length).toBe(9);
  });
});

describe('what does not fit is refused, and nothing is changed', () => {
  const refused = async (
    folder: string,
    log: Parameters<typeof archive>[1],
    over: Parameters<typeof archive>[2] = {},
  ): Promise<string> => {
    const names = (): readonly (readonly [string, string])[] =>
      namesIn(folder).map((name) => [name, readFileSync(join(partition(folder), name), 'hex')]);
    const before = names();
    const told = await archive(folder, log, over);
    expect(names()).toEqual(before);
    return told.ok ? 'ok' : told.problem.code;
  };

  test('the archive of another log', async () => {
    const folder = newFolder();
    value(await archive(folder, await logOf(await records(3))));
    expect(await refused(folder, await logOf(await records(9)), { logId: randomUUID() })).toBe(
      'foreign-archive',
    );
  });

  test('a log whose records are others', async () => {
    const folder = newFolder();
    value(await archive(folder, await logOf(await records(3))));
    const other = await logOf(
      await records(0, ...Array.from({ length: 9 }, () => by('ci', planned()))),
    );
    expect(await refused(folder, other)).toBe('foreign-archive');
  });

  test('a log that lost what the archive needs next', async () => {
    const all = await records(6);
    const log = await logOf(all.slice(0, 3));
    const folder = newFolder();
    value(await archive(folder, log));
    const whole = await logOf(all);
    value(await whole.prune(0, (await allOf(whole))[5]?.appendedAtMs ?? 0));
    expect(await refused(folder, whole)).toBe('archive-gap');
  });

  test('a log that was shortened', async () => {
    const all = await records(6);
    const folder = newFolder();
    value(await archive(folder, await logOf(all)));
    expect(await refused(folder, await logOf(all.slice(0, 4)))).toBe('archive-ahead');
  });

  test('a first archive of a log that begins later, or with no opening', async () => {
    const log = await logOf(await records(5));
    value(await log.prune(0, (await allOf(log))[2]?.appendedAtMs ?? 0));
    const early = await archive(newFolder(), log);
    expect(early).toMatchObject({ ok: false, problem: { code: 'archive-gap' } });
    const strange = await logOf((await records(3)).slice(1));
    expect(await archive(newFolder(), strange)).toMatchObject({
      ok: false,
      problem: { code: 'foreign-archive' },
    });
  });

  test('a folder that takes nothing', async () => {
    const folder = newFolder();
    writeFileSync(folder, 'a file');
    expect(await archive(folder, await logOf(await records(1)))).toMatchObject({
      ok: false,
      problem: { code: 'folder-invalid', message: expect.stringContaining('below, a file') },
    });
    expect(readFileSync(folder, 'utf8')).toBe('a file');
  });

  test.runIf(process.platform === 'linux')('a place where no folder can be made', async () => {
    expect(await archive('/proc/plimsoll', await logOf(await records(1)))).toMatchObject({
      ok: false,
      problem: { code: 'folder-invalid' },
    });
  });
});

describe('a whole archive', () => {
  const kept = async (...more: readonly Step[]): Promise<string> => {
    const folder = newFolder();
    value(await archive(folder, await logOf(await records(5, ...more)), { fileRecordsMax: 3 }));
    return folder;
  };

  test('is found so, with every signature where that is asked for', async () => {
    const folder = await kept(
      by('stranger', logged('6.6.6'), { spoilt: (r) => ({ ...r, key: r.value }) }),
    );
    expect(value(await verify(folder))).toMatchObject({
      log: logId,
      to: 10,
      files: 4,
      records: 10,
      signatures: null,
      strangers: [],
    });
    expect(value(await verify(folder, { signatures: true })).signatures).toEqual({
      good: 9,
      bad: { 'header-mismatch': 1 },
      unproven: [{ position: 9, code: 'header-mismatch' }],
      isCut: false,
    });
  });

  /** What only the digest of the file tells: another digit in what nobody reads. */
  const otherPartition = (at: string): void => {
    const path = join(at, '000000000003-000000000005.avro');
    const bytes = readFileSync(path);
    bytes[bytes.indexOf('plimsoll.partition') + 'plimsoll.partition'.length + 1] = 0x31;
    writeFileSync(path, bytes);
  };

  const spoil: readonly [string, string, (at: string) => void][] = [
    [
      'a changed byte in a file',
      'archive-damaged',
      (at) => flip(join(at, '000000000003-000000000005.avro'), 200),
    ],
    [
      'a file that is cut off',
      'archive-damaged',
      (at) => cut(join(at, '000000000003-000000000005.avro')),
    ],
    ['another partition in a file', 'archive-damaged', otherPartition],
    [
      'another word in the first line',
      'archive-damaged',
      (at) => lines(at, ([head = '', ...rest]) => [head.replace('"deflate"', '"snappy"'), ...rest]),
    ],
    [
      'a missing file',
      'archive-damaged',
      (at) => rmSync(join(at, '000000000006-000000000007.avro')),
    ],
    [
      'two files that changed places',
      'archive-damaged',
      (at) => {
        renameSync(join(at, '000000000000-000000000002.avro'), join(at, 'x'));
        renameSync(
          join(at, '000000000003-000000000005.avro'),
          join(at, '000000000000-000000000002.avro'),
        );
        renameSync(join(at, 'x'), join(at, '000000000003-000000000005.avro'));
      },
    ],
    [
      'a line that was taken out',
      'archive-damaged',
      (at) => lines(at, (all) => all.filter((_, index) => index !== 2)),
    ],
    ['a last line that is cut off', 'archive-damaged', (at) => cut(join(at, 'manifest.jsonl'))],
    [
      'a line that was written otherwise',
      'archive-damaged',
      (at) =>
        lines(at, ([head = '', ...rest]) => [
          head,
          ...rest.map((line) => line.replace('"bytes":', '"bytes": ')),
        ]),
    ],
    [
      'a last line of another signature',
      'archive-untrusted',
      (at) =>
        lines(at, (all) =>
          all.map((line, index) =>
            index === 3 ? line.replace(/"signature":"...../, '"signature":"AAAAA') : line,
          ),
        ),
    ],
    [
      'another key in the last line',
      'archive-untrusted',
      (at) =>
        lines(at, (all) =>
          all.map((line, index) =>
            index === 3 ? line.replace(/"key":"[0-9a-f]{16}/, `"key":"${'0'.repeat(16)}`) : line,
          ),
        ),
    ],
  ];
  test.each(spoil)('is told from one with %s', async (_what, code, change) => {
    const folder = await kept();
    change(partition(folder));
    expect(await verify(folder)).toMatchObject({ ok: false, problem: { code } });
  });

  test('signed by a key that is no operator, was retired, or was compromised, is not trusted', async () => {
    const signedBy = async (name: string, ...more: readonly Step[]): Promise<unknown> => {
      const folder = newFolder();
      const log = await logOf(await records(3, ...more));
      value(await archive(folder, log, { signer: keyOf(name) }));
      const told = await verify(folder);
      return told.ok ? 'ok' : told.problem.code;
    };
    expect(await signedBy('ops')).toBe('ok');
    expect(await signedBy('nobody')).toBe('archive-untrusted');
    expect(await signedBy('ci')).toBe('archive-untrusted');
    expect(await signedBy('ops', retires('ops'))).toBe('archive-untrusted');
    expect(await signedBy('ops', findsCompromised('ops', 3))).toBe('archive-untrusted');
  });

  describe('whose first file was signed by a key that was found compromised later', () => {
    const operators = ['ops', 'others'].map((name) => trusts(name, { roles: ['operator'] }));
    /** Positions 0 to 8. */
    const head = [...operators, ...steps(5)];

    /** Signed by ops up to position 9; what comes then by others, who find ops compromised since a position. */
    const keptBy = async (
      since: number,
      changed: (all: readonly LogRecord[]) => readonly LogRecord[],
      ...later: readonly ((digest: string) => Step)[]
    ): Promise<string> => {
      const folder = newFolder();
      const began = await logOf(changed(await recordsOf(...head)));
      const { digest } = value(await archive(folder, began));
      const told = later.map((step) => step(digest));
      const all = changed(await recordsOf(...head, ...told, findsCompromised('ops', since)));
      value(await archive(folder, await logOf(all), { signer: keyOf('others') }));
      return folder;
    };
    const asItWas = (all: readonly LogRecord[]): readonly LogRecord[] => all;
    const spoilt = (all: readonly LogRecord[]): readonly LogRecord[] =>
      all.map((record) =>
        record.position === 5 ? { ...record, value: record.value.toReversed() } : record,
      );
    const tells =
      (name: string) =>
      (digest: string): Step =>
        by(name, operated('log-archived', { from: 0, to: 9, digest }));
    const untrusted = {
      ok: false,
      problem: {
        code: 'archive-untrusted',
        message: expect.stringMatching(
          /line 2 \(000000000000-000000000008\.avro\).*since position \d+ \[key-compromised\]/,
        ),
      },
    };

    test('is not trusted where nothing on the log names that file: a thief may have written it anew', async () => {
      expect(await verify(await keptBy(9, spoilt))).toMatchObject(untrusted);
      expect(await verify(await keptBy(9, asItWas))).toMatchObject(untrusted);
    });

    test.each(['ops', 'others'])(
      'counts where the log named it before the key was lost (%s did)',
      async (name) => {
        expect(await verify(await keptBy(10, asItWas, tells(name)))).toMatchObject({ ok: true });
      },
    );

    test('does not count by what was told when the key was lost already, or of another archive', async () => {
      expect(await verify(await keptBy(9, asItWas, tells('others')))).toMatchObject(untrusted);
      const another = (): Step => tells('others')('a'.repeat(64));
      expect(await verify(await keptBy(10, asItWas, another))).toMatchObject(untrusted);
    });

    test('does not count by the word of who is no operator', async () => {
      expect(await verify(await keptBy(11, asItWas, tells('ci')))).toMatchObject(untrusted);
    });

    test('does not count by what a file says that does not count itself', async () => {
      const folder = newFolder();
      const began = await logOf(await recordsOf(...head));
      const { digest } = value(await archive(folder, began));
      const named = [...head, tells('others')(digest)];
      value(await archive(folder, await logOf(await recordsOf(...named))));
      const all = await recordsOf(...named, findsCompromised('ops', 10));
      value(await archive(folder, await logOf(all), { signer: keyOf('others') }));
      expect(await verify(folder)).toMatchObject({
        ok: false,
        problem: { message: expect.stringContaining('line 3 (000000000009-000000000009.avro)') },
      });
    });
  });

  test('whose operator put records where others belong is told', async () => {
    const all = await allOf(await logOf(await records(3)));
    const origin = { logId, topic, partition: 0 };
    const builder = buildFile(origin);
    for (const record of all.toSpliced(2, 2, ...all.slice(2, 4).toReversed())) builder.add(record);
    const bytes = builder.finish();
    const { sha256Hex } = tools.crypto;
    const signing = { sha256Hex, text: tools.text, signer: keyOf('ops') };
    const manifest = await withFile(signing, newManifest(sha256Hex, { ...origin, audience }), {
      ...{ first: 0, last: all.length - 1, records: all.length },
      ...{ bytes: bytes.length, sha256: sha256Hex(bytes) },
    });
    const folder = newFolder();
    mkdirSync(partition(folder), { recursive: true });
    writeFileSync(join(partition(folder), fileName({ first: 0, last: all.length - 1 })), bytes);
    writeFileSync(join(partition(folder), 'manifest.jsonl'), manifestBytes(manifest));
    expect(await verify(folder)).toMatchObject({ ok: false, problem: { code: 'archive-damaged' } });
  });

  test('of another log id than the pinned one, or of another topic, is told', async () => {
    const folder = await kept();
    expect(await verify(folder, { pinnedLogId: run('x') })).toMatchObject({
      ok: false,
      problem: { code: 'foreign-archive' },
    });
    expect(await verify(folder, { topic: 'plimsoll.other.log' })).toMatchObject({
      ok: false,
      problem: { code: 'archive-missing' },
    });
    cpSync(join(folder, topic), join(folder, 'plimsoll.other.log'), { recursive: true });
    expect(await verify(folder, { topic: 'plimsoll.other.log' })).toMatchObject({
      ok: false,
      problem: { code: 'foreign-archive' },
    });
  });

  test('names the files that do not belong to it', async () => {
    const folder = await kept();
    const at = partition(folder);
    copyFileSync(
      join(at, '000000000006-000000000007.avro'),
      join(at, '000000000008-000000000008.avro'),
    );
    expect(value(await verify(folder)).strangers).toEqual(['000000000008-000000000008.avro']);
  });
});

describe('two runs at once', () => {
  test('leave an archive that is whole: neither takes away what the other is about to name', async () => {
    const log = await logOf(await records(5));
    const folder = newFolder();
    const real = openDisk();
    const hasLooked = Promise.withResolvers<void>();
    const isNamed = Promise.withResolvers<void>();
    // It begins when the first has its file in place, and writes when the first is done.
    const slower: Disk = {
      ...real,
      writeSynced: async (path, bytes) => {
        hasLooked.resolve();
        await isNamed.promise;
        await real.writeSynced(path, bytes);
      },
    };
    let second: ReturnType<typeof archive> | undefined;
    const first = await archive(folder, log, {
      disk: {
        ...real,
        moveSynced: async (from, to) => {
          await real.moveSynced(from, to);
          if (second !== undefined || !to.endsWith('.avro')) return;
          value(await log.append(0, await records(1)));
          second = archive(folder, log, { disk: slower });
          await hasLooked.promise;
        },
      },
    });
    isNamed.resolve();
    expect(value(first).to).toBe(8);
    expect(await second).toMatchObject({ problem: { code: 'archive-busy' } });
    expect(value(await verify(folder)).records).toBe(8);
    value(await archive(folder, log));
    expect(value(await verify(folder)).records).toBe(12);
  });
});

const flip = (path: string, at: number): void => {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
};
const cut = (path: string): void => writeFileSync(path, readFileSync(path).subarray(0, -1));
const lines = (at: string, change: (lines: readonly string[]) => readonly string[]): void => {
  const path = join(at, 'manifest.jsonl');
  const all = readFileSync(path, 'utf8').trimEnd().split('\n');
  writeFileSync(
    path,
    change(all)
      .map((line) => `${line}\n`)
      .join(''),
  );
};
