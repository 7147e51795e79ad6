import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSampleArchive } from '../../../services/adapters/archive/samples.ts';
import type { LogRecord } from '../../../services/core/log/record.ts';
import type { SampleArchive, SampleRange } from '../../../services/ports/sample-archive.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const topic = 'plimsoll.local.samples';
const analysis = '6f1c1a52-0000-8000-8000-00000000000a';
const range = (to: number, from = 10): SampleRange => ({ analysis, partition: 3, from, to });
const record = (position: number): LogRecord => ({
  position,
  appendedAtMs: 1_000 + position,
  key: Buffer.from('production/checkout'),
  headers: [{ name: 'plimsoll-signature', value: Buffer.from('key:signature') }],
  value: Buffer.from(`sample ${position}`),
});
const pages = async function* (
  ...positions: readonly (readonly number[])[]
): AsyncGenerator<readonly LogRecord[]> {
  for (const page of positions) yield page.map(record);
};
const seen = (records: readonly LogRecord[] = []): readonly string[] =>
  records.map(({ position, appendedAtMs, key, headers, value: bytes }) =>
    [
      position,
      appendedAtMs,
      Buffer.from(key).toString(),
      ...headers.map((header) => `${header.name} ${Buffer.from(header.value).toString()}`),
      Buffer.from(bytes).toString(),
    ].join(' | '),
  );

const opened = (): { readonly archive: SampleArchive; readonly folder: string } => {
  const folder = scratchFolder();
  return { archive: openSampleArchive(folder, topic), folder };
};

test('a range is read as it was kept, with its places', async () => {
  const { archive, folder } = opened();
  expect(value(await archive.read(analysis))).toBeUndefined();
  expect(value(await archive.keptTo(analysis))).toBeUndefined();
  value(await archive.keep(range(14), pages([10, 11], [], [14])));
  const kept = value(await archive.read(analysis));
  expect(kept?.range).toStrictEqual(range(14));
  expect(seen(kept?.records)).toStrictEqual(seen([10, 11, 14].map(record)));
  expect(value(await archive.keptTo(analysis))).toBe(14);
  expect(readdirSync(join(folder, topic))).toStrictEqual([`${analysis}.3.10-14.avro`]);
});

test('the longer range stands, whichever comes first', async () => {
  const { archive, folder } = opened();
  value(await archive.keep(range(14), pages([10, 14])));
  value(await archive.keep(range(20), pages([10, 14, 20])));
  value(await archive.keep(range(12), pages([10])));
  expect(value(await archive.read(analysis))?.range.to).toBe(20);
  expect(readdirSync(join(folder, topic))).toHaveLength(1);
});

test('what a killed process has left unfinished is swept, once nobody can still be writing it', async () => {
  const { archive, folder } = opened();
  value(await archive.keep(range(14), pages([10, 14])));
  const leave = (name: string, minutesAgo: number): string => {
    writeFileSync(join(folder, topic, name), 'half');
    const at = Date.now() / 1000 - minutesAgo * 60;
    utimesSync(join(folder, topic, name), at, at);
    return name;
  };
  const unfinished = (): string => `${analysis}.3.10-16.avro.${randomUUID()}`;
  leave(unfinished(), 90);
  const stays = [
    leave(unfinished(), 30),
    leave(`notes.avro.${'0'.repeat(36)}`, 90),
    leave('somebody elses.txt', 90),
  ];
  value(await archive.keep(range(20), pages([10, 20])));
  expect(readdirSync(join(folder, topic)).toSorted()).toStrictEqual(
    [`${analysis}.3.10-20.avro`, ...stays].toSorted(),
  );
});

test('a range whose samples cannot be read is not kept, and the one before stays', async () => {
  const { archive, folder } = opened();
  value(await archive.keep(range(14), pages([10, 14])));
  const broken = async function* (): AsyncGenerator<readonly LogRecord[]> {
    yield [record(10)];
    throw new Error('gone');
  };
  expect(await archive.keep(range(20), broken())).toMatchObject({
    ok: false,
    problem: { code: 'unreachable', message: 'Error: gone' },
  });
  expect(value(await archive.keptTo(analysis))).toBe(14);
  expect(readdirSync(join(folder, topic))).toHaveLength(1);
});

describe('nothing is believed', () => {
  test('of a file whose bytes were changed, wherever, more than its records say by themselves', async () => {
    const { archive, folder } = opened();
    value(await archive.keep(range(14), pages([10, 11, 14])));
    const path = join(folder, topic, `${analysis}.3.10-14.avro`);
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at += 3) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(path, changed);
      const read = await archive.read(analysis);
      const found = read.ok ? seen(read.value?.records).length : read.problem.code;
      expect([3, 'damaged']).toContain(found);
    }
  });

  test('of a file that was cut, or that holds another range than its name says', async () => {
    const { archive, folder } = opened();
    value(await archive.keep(range(14), pages([10, 11, 14])));
    const path = (name: string): string => join(folder, topic, name);
    const bytes = readFileSync(path(`${analysis}.3.10-14.avro`));
    writeFileSync(path(`${analysis}.3.10-14.avro`), bytes.subarray(0, bytes.length - 5));
    expect(await archive.read(analysis)).toMatchObject({ problem: { code: 'damaged' } });
    writeFileSync(path(`${analysis}.3.11-15.avro`), bytes);
    expect(await archive.read(analysis)).toMatchObject({ problem: { code: 'damaged' } });
    writeFileSync(path(`${analysis}.4.10-16.avro`), bytes);
    expect(await archive.read(analysis)).toMatchObject({ problem: { code: 'damaged' } });
  });

  test('of what was begun and never named', async () => {
    const { archive, folder } = opened();
    value(await archive.keep(range(14), pages([10, 14])));
    writeFileSync(join(folder, topic, `${analysis}.3.10-99.avro.0190a000`), 'half');
    expect(value(await archive.keptTo(analysis))).toBe(14);
  });
});

test('a folder that can hold nothing is told', async () => {
  const { folder } = opened();
  writeFileSync(join(folder, 'file'), '');
  const archive = openSampleArchive(join(folder, 'file'), topic);
  const kept = await archive.keep(range(14), pages([10]));
  expect(kept).toMatchObject({ ok: false, problem: { code: 'unreachable' } });
});
