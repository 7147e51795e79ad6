import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openNumbering } from '../../../services/adapters/numbering/folder.ts';
import type { Numbered, Numbering } from '../../../services/ports/numbering.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const newFolder = (): string => join(scratch, randomUUID());
const numbering = (folder = newFolder(), log = 'log', mayBegin = true): Numbering =>
  openNumbering({ folder, log, host: 'desk', mayBegin: () => mayBegin });

const sequence = async (taking: Promise<Numbered | null>): Promise<number | null> =>
  (await taking)?.sequence ?? null;

test('numbers count from one, under a name that tells two folders apart', async () => {
  const here = numbering();
  const first = await here.take('k');
  expect(first?.producer).toMatch(/^desk\/[0-9a-f]{8}$/);
  expect(await here.take('k')).toEqual({ producer: first?.producer, sequence: 2 });
  expect((await numbering().take('k'))?.producer).not.toBe(first?.producer);
});

test('another process goes on where the last one was', async () => {
  const folder = newFolder();
  await numbering(folder).take('k');
  expect(await sequence(numbering(folder).take('k'))).toBe(2);
});

test('each key, and each log, has a count of its own', async () => {
  const folder = newFolder();
  await numbering(folder).take('k');
  expect(await sequence(numbering(folder).take('other'))).toBe(1);
  expect(await sequence(numbering(folder, 'other log').take('k'))).toBe(1);
});

test('what is given back is taken next, once', async () => {
  const here = numbering();
  const taken = [await here.take('k'), await here.take('k'), await here.take('k')];
  for (const one of taken.slice(0, 2)) if (one !== null) await here.giveBack('k', one);
  const next = await Promise.all([1, 2, 3].map(() => sequence(here.take('k'))));
  expect(new Set(next)).toEqual(new Set([1, 2, 4]));
});

test('of many at once no two get the same number, and none is left out', async () => {
  const folder = newFolder();
  const all = await Promise.all(
    Array.from({ length: 40 }, () => sequence(numbering(folder).take('k'))),
  );
  const counted = all.filter((one) => one !== null).toSorted((a, b) => a - b);
  expect(new Set(counted).size).toBe(counted.length);
  expect(counted).toEqual(Array.from({ length: counted.length }, (_, index) => index + 1));
  expect(counted.length).toBeGreaterThan(35);
});

describe('it never stands in the way', () => {
  test('where no count may be begun there is none, and nothing is made', async () => {
    const folder = newFolder();
    expect(await numbering(folder, 'log', false).take('k')).toBe(null);
    expect(existsSync(folder)).toBe(false);
  });

  test('a folder that was spoilt counts nothing', async () => {
    const folder = newFolder();
    await numbering(folder).take('k');
    const [name = ''] = await readdir(folder);
    await rm(join(folder, name, 'producer'));
    expect(await numbering(folder).take('k')).toBe(null);
    await rm(join(folder, name), { recursive: true });
    await mkdir(join(folder, name));
    expect(await numbering(folder).take('k')).toBe(null);
    await numbering(folder).giveBack('none', { producer: 'x', sequence: 7 });
  });

  test.skipIf(process.getuid?.() === 0)(
    'a folder that cannot be written counts nothing',
    async () => {
      const folder = newFolder();
      await mkdir(folder);
      await chmod(folder, 0o500);
      expect(await numbering(folder).take('k')).toBe(null);
    },
  );
});
