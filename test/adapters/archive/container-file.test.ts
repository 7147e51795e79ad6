import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import avsc from 'avsc';
import { describe, expect, test } from 'vitest';
import {
  archiveSchema,
  buildFile,
  openFile,
  readBlock,
} from '../../../services/adapters/archive/container-file.ts';
import type { LogRecord } from '../../../services/core/log/record.ts';
import { fail, ok } from '../../../services/core/result.ts';
import { by, recordsOf } from '../../support/given.ts';
import { logged, planned, started } from '../../support/markers.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const origin = { logId: randomUUID(), topic: 'plimsoll.local.log', partition: 0 };

const fileOf = (records: readonly LogRecord[]): Uint8Array => {
  const builder = buildFile(origin);
  for (const record of records) builder.add(record);
  return builder.finish();
};

const readAll = (bytes: Uint8Array): ReturnType<typeof readBlock> => {
  const file = openFile(bytes);
  if (!file.ok) return file;
  const records: LogRecord[] = [];
  for (const block of file.value.blocks) {
    const read = readBlock(block);
    if (!read.ok) return fail(read.problem);
    records.push(...read.value);
  }
  return ok(records);
};

const some = (over: Partial<LogRecord> = {}): LogRecord => ({
  position: 7,
  appendedAtMs: 1_795_255_200_000,
  key: Uint8Array.of(1, 2),
  headers: [{ name: 'ce_id', value: Uint8Array.of(3) }],
  value: Uint8Array.of(4, 5),
  ...over,
});

const history = (): Promise<readonly LogRecord[]> =>
  recordsOf(by('ci', planned()), by('ci', started()), by('ci', logged('3.0.0')));

describe('a file of records', () => {
  test.each<[string, LogRecord]>([
    ['an ordinary record', some()],
    ['an empty one', some({ key: new Uint8Array(), headers: [], value: new Uint8Array() })],
    ['a time before 1970', some({ appendedAtMs: -1 })],
    ['a far position', some({ position: 2 ** 51 })],
    ['a header that stands twice', some({ headers: [...some().headers, ...some().headers] })],
    [
      'a header of a name outside ASCII',
      some({ headers: [{ name: 'µ😀', value: new Uint8Array() }] }),
    ],
    ['a megabyte', some({ value: new Uint8Array(1_000_000).fill(9) })],
  ])('gives back %s as it was', (_what, record) => {
    expect(value(readAll(fileOf([record])))).toEqual([record]);
  });

  test('gives back many blocks in order', () => {
    const records = Array.from({ length: 900 }, (_, position) =>
      some({ position, value: new Uint8Array(500).fill(position % 256) }),
    );
    const bytes = fileOf(records);
    expect(value(openFile(bytes)).blocks.length).toBeGreaterThan(4);
    expect(value(readAll(bytes))).toEqual(records);
  });

  test('is the same bytes for the same records', () => {
    expect(fileOf([some()])).toEqual(fileOf([some()]));
    expect(fileOf([some()])).not.toEqual(fileOf([some({ position: 8 })]));
  });

  test('is refused in every cut and with every changed byte, and never throws', async () => {
    const records = await history();
    const bytes = fileOf(records);
    for (let length = 0; length < bytes.length; length++) {
      const cut = readAll(bytes.subarray(0, length));
      expect(cut.ok && cut.value.length === records.length, `cut at ${length}`).toBe(false);
    }
    for (let at = 0; at < bytes.length; at++) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x55;
      readAll(changed);
    }
  });

  test('that would unpack into more memory than a block has is refused', () => {
    const bomb = fileOf([some({ value: new Uint8Array(5_000_000) })]);
    expect(bomb.length).toBeLessThan(50_000);
    expect(readAll(bomb)).toMatchObject({ ok: false, problem: { code: 'archive-damaged' } });
  });
});

describe('a reader that is not ours', () => {
  test('avsc, without any help, reads position, time, key, headers and the signed bytes', async () => {
    const records = await history();
    const path = join(scratch, `${randomUUID()}.avro`);
    writeFileSync(path, fileOf(records));
    const read: unknown[] = [];
    await new Promise<void>((done, failed) => {
      avsc
        .createFileDecoder(path)
        .on('data', (record: unknown) => void read.push(record))
        .on('error', failed)
        .on('end', done);
    });
    const plain = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
    expect(JSON.parse(JSON.stringify(read))).toEqual(
      JSON.parse(
        JSON.stringify(
          records.map(({ position, appendedAtMs, key, headers, value: body }) => ({
            position,
            appendedAt: appendedAtMs,
            key: Buffer.from(key),
            headers: headers.map((header) => ({
              name: header.name,
              value: Buffer.from(header.value),
            })),
            value: Buffer.from(body),
          })),
        ),
      ),
    );
    expect(plain(records[0]?.value ?? new Uint8Array())).not.toBe('');
  });

  test('a file that avsc wrote with the same schema is read here', () => {
    const type = avsc.Type.forSchema(JSON.parse(archiveSchema) as avsc.Schema);
    const body = type.toBuffer({
      position: 7,
      appendedAt: 1_795_255_200_000,
      key: Buffer.of(1, 2),
      headers: [{ name: 'ce_id', value: Buffer.of(3) }],
      value: Buffer.of(4, 5),
    });
    const ours = value(openFile(fileOf([some()])));
    expect(value(readBlock({ count: 1, packed: ours.blocks[0]?.packed ?? body }))).toEqual([
      some(),
    ]);
  });

  const python = pythonWithAvro();
  test.skipIf(python === undefined)('fastavro, where Python has it, reads the same', async () => {
    const records = await history();
    const path = join(scratch, `${randomUUID()}.avro`);
    writeFileSync(path, fileOf(records));
    const script = `
import sys, json, fastavro
with open(sys.argv[1], 'rb') as file:
    for r in fastavro.reader(file):
        t = r['appendedAt']
        print(json.dumps([r['position'], round(t.timestamp() * 1000), r['key'].hex(),
              [[h['name'], h['value'].hex()] for h in r['headers']], r['value'].hex()]))
`;
    const out = execFileSync(python ?? '', ['-c', script, path], { encoding: 'utf8' });
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(
      records.map(({ position, appendedAtMs, key, headers, value: body }) => [
        position,
        appendedAtMs,
        hex(key),
        headers.map((header) => [header.name, hex(header.value)]),
        hex(body),
      ]),
    );
  });
});

/** A Python with an Avro reader of its own, or undefined. PLIMSOLL_TEST_PYTHON names one that is not on the path. */
function pythonWithAvro(): string | undefined {
  const python = process.env['PLIMSOLL_TEST_PYTHON'] ?? 'python3';
  try {
    execFileSync(python, ['-c', 'import fastavro'], { stdio: 'ignore' });
    return python;
  } catch {
    return undefined;
  }
}
