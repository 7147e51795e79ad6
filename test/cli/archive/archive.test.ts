import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Json } from '../../../services/core/canonical.ts';
import { readMarkerJson } from '../../../services/core/markers/marker-json.ts';
import { csvLine } from '../../../services/cli/archive/csv.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk } from '../../support/desk.ts';
import { openDesk } from '../../support/desk.ts';
import { again, by, keyOf, raw, signed, tools, trusts } from '../../support/given.ts';
import { added, logged, operated, planned, started, succeeded } from '../../support/markers.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const newFolder = (): string => join(scratch, randomUUID());

type Exported = { readonly [field: string]: Json };
const linesOf = (out: readonly string[]): readonly Exported[] =>
  out.map((line) => JSON.parse(line) as Exported);

const keyIdIn = (line: Exported | undefined): string => JSON.stringify(line?.['key']).slice(1, -1);

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk({
    folder: newFolder(),
    steps: [
      trusts('admin-of-archives', { roles: ['operator'] }),
      by('ci', planned('2.0.0')),
      by('ci', started()),
      by(
        'ci',
        logged('1.0.0', {
          slot: { namespace: 'default', environment: 'staging', component: 'cart', target: null },
        }),
      ),
    ],
  });
});

const key = '--key=keys/admin-of-archives.json';

describe('plimsoll archive', () => {
  test('writes the log, tells it on the log, and says nothing new the second time', async () => {
    const to = `--to=${newFolder()}`;
    const first = await desk.plimsoll('archive', to, key, '--json');
    expect([first.exit, first.err]).toEqual([0, []]);
    const [line] = linesOf(first.out);
    expect(faultsOf('archive', line)).toEqual([]);
    expect(line).toMatchObject({ to: 7, added: { from: 0, records: 7, files: 1 }, operation: 7 });
    const second = await desk.plimsoll('archive', to, key);
    expect(second.out).toEqual([expect.stringMatching(/^nothing new: .* up to position 7 /)]);
    const operations = linesOf((await desk.plimsoll('operations', '--json')).out);
    expect(operations).toMatchObject([
      { kind: 'log-archived', position: 7, digest: line?.['digest'] },
    ]);
  });

  test('tells on the log what a run archived that was killed before it could tell', async () => {
    const folder = newFolder();
    const unable = desk.elsewhere({
      change: (ports) => ({
        ...ports,
        archives: {
          ...ports.archives,
          write: async (request) => {
            value(await ports.archives.write(request));
            throw new Error('killed');
          },
        },
      }),
    });
    await expect(unable.plimsoll('archive', `--to=${folder}`, key)).rejects.toThrow('killed');
    expect((await desk.plimsoll('operations', '--json')).out).toEqual([]);
    const told = await desk.plimsoll('archive', `--to=${folder}`, key, '--json');
    expect(linesOf(told.out)).toMatchObject([{ added: { records: 0 }, operation: 7 }]);
  });

  test('is for operators, and not through a gateway', async () => {
    const to = `--to=${newFolder()}`;
    const emitter = await desk.plimsoll('archive', to, '--key=keys/local.json');
    expect([emitter.exit, emitter.err[0]]).toEqual([5, expect.stringContaining('role-missing')]);
    const remote = await desk.elsewhere({ isRemote: true }).plimsoll('archive', to, key);
    expect([remote.exit, remote.err[0]]).toEqual([
      2,
      expect.stringContaining('not-through-gateway'),
    ]);
    expect((await desk.plimsoll('archive')).exit).toBe(2);
  });

  test('is for operators of everything: nothing is written before that is known', async () => {
    value(
      await desk.house.log.append(0, [
        await signed(
          'admin',
          added(keyOf('some'), { roles: ['operator'], components: ['cart'] }),
          'k',
        ),
      ]),
    );
    const folder = newFolder();
    const refused = await desk.plimsoll('archive', `--to=${folder}`, '--key=keys/some.json');
    expect([refused.exit, refused.err[0]]).toEqual([5, expect.stringContaining('out-of-scope')]);
    expect(existsSync(folder)).toBe(false);
  });

  test('of a log that was sealed asks for an operator, too: nobody would trust what it writes', async () => {
    const seal = operated('log-sealed', { to: 7, digest: 'a'.repeat(64), note: 'elsewhere' });
    value(await desk.house.log.append(0, [await signed('admin-of-archives', seal, 'seal')]));
    const folder = newFolder();
    const refused = await desk.plimsoll('archive', `--to=${folder}`, '--key=keys/local.json');
    expect([refused.exit, refused.err[0]]).toEqual([5, expect.stringContaining('role-missing')]);
    expect(existsSync(folder)).toBe(false);
  });

  test('of a log that was sealed is written too; nothing is appended', async () => {
    const note = 'kafka://elsewhere:9092';
    const seal = operated('log-sealed', { to: 7, digest: 'a'.repeat(64), note });
    value(await desk.house.log.append(0, [await signed('admin-of-archives', seal, 'seal')]));
    const told = await desk.plimsoll('archive', `--to=${newFolder()}`, key, '--json');
    expect([told.exit, linesOf(told.out)]).toMatchObject([0, [{ to: 8, operation: null }]]);
  });

  test('verify says what it found, or what is wrong', async () => {
    const folder = newFolder();
    const missing = await desk.plimsoll('archive', 'verify', folder);
    expect([missing.exit, missing.err[0]]).toEqual([4, expect.stringContaining('archive-missing')]);
    await desk.plimsoll('archive', `--to=${folder}`, key);
    const verified = await desk.plimsoll('archive', 'verify', folder, '--signatures', '--json');
    const [line] = linesOf(verified.out);
    expect([verified.exit, faultsOf('archive-verify', line)]).toEqual([0, []]);
    expect(line).toMatchObject({ records: 7, signatures: { good: 7, bad: {} }, strangers: [] });
    expect(verified.err).toEqual([expect.stringContaining('log-id-taken')]);
  });
});

describe('archive verify --signatures', () => {
  test('does not end well where a record has no good signature, and names its position', async () => {
    const folder = newFolder();
    const record = await signed('ci', logged('3.0.0'), 'm');
    value(await desk.house.log.append(0, [{ ...record, value: record.value.toReversed() }]));
    await desk.plimsoll('archive', `--to=${folder}`, key);
    expect((await desk.plimsoll('archive', 'verify', folder)).exit).toBe(0);

    const told = await desk.plimsoll('archive', 'verify', folder, '--signatures', '--json');
    const [line] = linesOf(told.out);
    expect([told.exit, faultsOf('archive-verify', line)]).toEqual([3, []]);
    expect(line).toMatchObject({
      signatures: { unproven: [{ position: 7, code: 'signature-bad' }], isCut: false },
    });
    expect(JSON.parse(told.err.at(-1) ?? '')).toMatchObject({
      code: 'records-unproven',
      message: expect.stringContaining('7 (signature-bad)'),
      hint: expect.stringContaining('the log itself may hold hostile'),
    });
    const text = await desk.plimsoll('archive', 'verify', folder, '--signatures');
    expect([text.exit, text.out.join(' ')]).toEqual([3, expect.not.stringContaining('is whole')]);
  });

  test('ends well beside a record that is well signed and against the rules', async () => {
    const said = operated('log-archived', { from: 0, to: 1, digest: 'a'.repeat(64) });
    const folder = newFolder();
    value(await desk.house.log.append(0, [await signed('ci', said, 'm')]));
    await desk.plimsoll('archive', `--to=${folder}`, key);
    const told = await desk.plimsoll('archive', 'verify', folder, '--signatures', '--json');
    expect([told.exit, linesOf(told.out)]).toMatchObject([
      0,
      [{ signatures: { bad: { 'role-missing': 1 }, unproven: [] } }],
    ]);
  });
});

describe('a log that was sealed', () => {
  test.each([
    [
      'release log',
      ['release', 'log', '--component-name=a', '--environment-name=b', '--target-version=1'],
    ],
    ['keys retire', ['keys', 'retire', '0123456789abcdef', '--key=keys/admin.json']],
    ['retention set', ['retention', 'set', '--environment=pr-*', '--days=3', '--reason=x', key]],
  ])('takes no %s, and says where it went on', async (_name, args) => {
    const note = 'kafka://elsewhere:9092';
    const seal = operated('log-sealed', { to: 7, digest: 'a'.repeat(64), note });
    value(await desk.house.log.append(0, [await signed('admin-of-archives', seal, 'seal')]));
    const keys = linesOf((await desk.plimsoll('keys', 'list', '--json')).out);
    const known = args.map((arg) => (arg === '0123456789abcdef' ? keyIdIn(keys.at(-1)) : arg));
    const refused = await desk.plimsoll(...known);
    expect([refused.exit, refused.err.join(' ')]).toEqual([
      3,
      expect.stringMatching(/log-sealed.*PLIMSOLL_LOG=kafka:\/\/elsewhere:9092/),
    ]);
    expect(value(await desk.house.log.range(0)).end).toBe(8);
  });

  test('takes nothing through its gateway either, which says where it went on', async () => {
    const note = 'kafka://elsewhere:9092';
    const seal = operated('log-sealed', { to: 7, digest: 'a'.repeat(64), note });
    value(await desk.house.log.append(0, [await signed('admin-of-archives', seal, 'seal')]));
    const release = ['release', 'log', '--component-name=a', '--environment-name=b'];
    const remote = desk.elsewhere({ isRemote: true });
    const told = await remote.plimsoll(...release, '--target-version=1');
    expect([told.exit, told.err.join(' ')]).toEqual([3, expect.stringContaining(note)]);
    expect(value(await desk.house.log.range(0)).end).toBe(8);
  });
});

describe('plimsoll export', () => {
  const troubled = async (): Promise<Desk> =>
    openDesk({
      folder: newFolder(),
      steps: [
        by('ci', planned('2.0.0')),
        by('ci', started()),
        again(3),
        by('ci', succeeded(), {
          spoilt: (record) => ({ ...record, value: Uint8Array.from([...record.value, 0]) }),
        }),
        raw({ key: Uint8Array.of(0xff), headers: [], value: Uint8Array.of(0x1b, 0x5b) }),
        by('nobody-here', started(), { spoilt: (record) => record }),
      ],
    });

  test('gives every record one line: what became of it, what it is about, who signed it', async () => {
    const { plimsoll } = await troubled();
    const { exit, out, err } = await plimsoll('export');
    expect([exit, err]).toEqual([0, []]);
    const lines = linesOf(out);
    for (const line of lines) expect(faultsOf('export', line)).toEqual([]);
    expect(
      lines.map(({ position, check, kind, environment, version, signer }) => [
        ...[position, check, kind, environment, version, signer],
      ]),
    ).toEqual([
      [0, 'accepted', 'log-opened', null, null, 'admin'],
      [1, 'accepted', 'key-added', null, null, 'admin'],
      [2, 'accepted', 'key-added', null, null, 'admin'],
      [3, 'accepted', 'planned', 'production', '2.0.0', 'ci'],
      [4, 'accepted', 'started', 'production', '2.0.0', 'ci'],
      [5, 'duplicate', 'planned', 'production', '2.0.0', 'ci'],
      [6, 'signature-bad', null, null, null, null],
      [7, 'header-missing', null, null, null, null],
      [8, 'accepted', 'key-added', null, null, 'admin'],
      [9, 'accepted', 'started', 'production', '2.0.0', 'nobody-here'],
    ]);
  });

  test('holds markers that can be read back as they were', async () => {
    const { plimsoll } = await troubled();
    for (const { body } of linesOf((await plimsoll('export')).out))
      if (body !== null) value(readMarkerJson(tools.text, body ?? null));
  });

  test.each([
    ['--environment-name=staging', [6]],
    ['--component-name=checkout', [4, 5]],
    ['--kind=planned', [4]],
    ['--from=5', [5, 6]],
    ['--to=2', [0, 1]],
  ])('with %s gives only those', async (option, positions) => {
    const { out } = await desk.plimsoll('export', option);
    expect(linesOf(out).map(({ position }) => position)).toEqual(positions);
  });

  test('takes a time for a position', async () => {
    await desk.plimsoll('current');
    const release = ['release', 'log', '--component-name=a', '--environment-name=b'];
    await desk.plimsoll(...release, '--target-version=1');
    const [record] = value(await desk.house.log.read(0, 7, 1));
    const at = new Date(record?.appendedAtMs ?? 0).toISOString();
    const positionsOf = async (option: string): Promise<readonly unknown[]> =>
      linesOf((await desk.plimsoll('export', option)).out).map(({ position }) => position);
    expect(await positionsOf(`--from=${at}`)).toEqual([7]);
    expect(await positionsOf(`--to=${at}`)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test('with --raw gives the bytes as they lie on the log', async () => {
    const { out } = await desk.plimsoll('export', '--raw', '--from=4', '--to=5');
    const [line] = linesOf(out);
    expect(faultsOf('export', line)).toEqual([]);
    const [record] = value(await desk.house.log.read(0, 4, 1));
    expect(line?.['raw']).toMatchObject({
      value: Buffer.from(record?.value ?? []).toString('base64'),
    });
  });

  test.each([['--format=xml'], ['--kind=planed'], ['--from=yesterday'], ['--to=99999']])(
    'refuses %s',
    async (option) => {
      expect((await desk.plimsoll('export', option)).exit).toBe(2);
    },
  );

  test('as CSV has a heading and as many cells in each line', async () => {
    const { plimsoll } = await troubled();
    const { out } = await plimsoll('export', '--format=csv');
    const text = `${out.join('\n')}\n`;
    const rows = parseCsv(text);
    expect(rows.map((row) => row.length)).toEqual(rows.map(() => rows[0]?.length));
    expect(rows.slice(1).map(([position, , check]) => `${position} ${check}`)).toEqual([
      ...['0 accepted', '1 accepted', '2 accepted', '3 accepted', '4 accepted', '5 duplicate'],
      ...['6 signature-bad', '7 header-missing', '8 accepted', '9 accepted'],
    ]);
  });

  test.each([
    ['--from=5', '--to=4'],
    ['--from=2030-01-02T00:00:00Z', '--to=2030-01-01T00:00:00Z'],
    ['--from=2026-11-22T00:00:00Z', '--to=2026-11-21T00:00:00Z'],
  ])('%s %s is refused, not silently empty', async (...range) => {
    const { exit, out, err } = await desk.plimsoll('export', ...range);
    expect([exit, out, err[0]]).toEqual([
      2,
      [],
      expect.stringContaining(`${range[0]} is after ${range[1]}`),
    ]);
  });
});

describe('a line of CSV', () => {
  test.each<[Json, string]>([
    ['plain', 'plain'],
    ['a, b', '"a, b"'],
    ['say "no"', '"say ""no"""'],
    ['=1+1', "'=1+1"],
    ['+49 30', "'+49 30"],
    ['-cmd|calc', "'-cmd|calc"],
    ['@SUM(A1)', "'@SUM(A1)"],
    [' =1', "' =1"],
    ['\t=1', String.raw`\t=1`],
    ['\u001b[2J', String.raw`\u001b[2J`],
    ['a\r\nb', String.raw`a\r\nb`],
    [-5, '-5'],
    [null, ''],
    [true, 'true'],
    [{ a: 1 }, '"{""a"":1}"'],
  ])('writes %j as %s', (cell, written) => {
    expect(csvLine([cell, 1])).toBe(`${written},1\r\n`);
  });
});

/** RFC 4180, for what the tests print. */
const parseCsv = (text: string): readonly (readonly string[])[] => {
  const rows: string[][] = [[]];
  let cell = '';
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (isQuoted && character === '"' && text[at + 1] === '"') {
      cell += '"';
      at++;
    } else if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && (character === ',' || character === '\n')) {
      rows.at(-1)?.push(cell.replace(/\r$/, ''));
      cell = '';
      if (character === '\n' && at < text.length - 1) rows.push([]);
    } else cell += character;
  }
  return rows;
};
