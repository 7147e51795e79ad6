import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diskCaptures } from '../../../services/adapters/capture/disk.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-captures-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const written = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const linesOf = async (path: string, lineBytesMax = 1_000_000) => {
  const opened = await diskCaptures.open(path, lineBytesMax);
  if (!opened.ok) return opened.problem.code;
  const lines: string[] = [];
  try {
    for (;;) {
      const next = await opened.value.next();
      if (!next.ok) return [...lines, next.problem.code];
      if (next.value.length === 0) return lines;
      for (const { number, bytes } of next.value)
        lines.push(`${number} ${Buffer.from(bytes).toString()}`);
    }
  } finally {
    await opened.value.close();
  }
};

describe('a file of lines', () => {
  test('is read line by line, with or without an end of the last', async () => {
    expect(await linesOf(written('a', 'one\n\nthree\n'))).toEqual(['1 one', '2 ', '3 three']);
    expect(await linesOf(written('b', 'one\ntwo'))).toEqual(['1 one', '2 two']);
    expect(await linesOf(written('c', ''))).toEqual([]);
  });

  test('may have lines that are longer than one read', async () => {
    const long = 'x'.repeat(2_500_000);
    expect(await linesOf(written('d', `a\n${long}\nb`), 3_000_000)).toEqual([
      '1 a',
      `2 ${long}`,
      '3 b',
    ]);
  });

  test('is refused at a line that is too long, after those before it', async () => {
    expect(await linesOf(written('e', `a\n${'x'.repeat(11)}\nb\n`), 10)).toEqual([
      '1 a',
      'line-too-long',
    ]);
    expect(await linesOf(written('f', 'x'.repeat(3_000_000)), 10)).toEqual(['line-too-long']);
  });

  test('that is not there, or is a folder, is refused', async () => {
    expect(await linesOf(join(folder, 'missing'))).toBe('file-invalid');
    expect(await linesOf(folder)).toEqual(['file-invalid']);
  });

  test('has an end of so many bytes', async () => {
    const path = written('g', '0123456789');
    const tail = async (bytes: number) => {
      const read = await diskCaptures.tail(path, bytes);
      return read.ok ? Buffer.from(read.value).toString() : read.problem.code;
    };
    expect([await tail(3), await tail(99)]).toEqual(['789', '0123456789']);
  });
});

test('a folder stands for its captures, by name', async () => {
  for (const name of ['2.jsonl', '1.jsonl', '3.json', 'notes.txt']) written(name, '');
  const files = await diskCaptures.filesAt(folder);
  expect(files.ok && files.value.map((path) => path.slice(folder.length + 1))).toEqual([
    '1.jsonl',
    '2.jsonl',
    '3.json',
  ]);
  expect(await diskCaptures.filesAt(join(folder, 'notes.txt'))).toEqual({
    ok: true,
    value: [join(folder, 'notes.txt')],
  });
});
