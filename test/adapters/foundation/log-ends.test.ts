import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSource, openTarget } from '../../../services/adapters/foundation/log-ends.ts';
import { createSystemClock } from '../../../services/adapters/system/clock.ts';
import { makeFolders } from '../../../services/adapters/system/make-folders.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const ends = { audience: 'local', clock: createSystemClock() };

describe('the ends of a migration', () => {
  test('a log that is not there is missing, and nothing is made in its place', async () => {
    const folder = join(scratch, randomUUID());
    expect(await openSource(ends, { foundation: 'sqlite', folder })).toMatchObject({
      problem: { code: 'missing' },
    });
    expect(existsSync(folder)).toBe(false);
  });

  test('a file is no folder for the new log', async () => {
    const folder = join(scratch, randomUUID());
    writeFileSync(folder, 'a file');
    for (const named of [folder, join(folder, 'below')])
      expect(await openTarget(ends, { foundation: 'sqlite', folder: named })).toMatchObject({
        problem: { code: 'folder-invalid', message: expect.stringContaining('a file') },
      });
  });
});

describe('folders', () => {
  test('are made with those above them; the topmost new one is told', async () => {
    const top = join(scratch, randomUUID());
    const path = join(top, 'a', 'b');
    expect(await makeFolders(path)).toBe(top);
    expect(existsSync(path)).toBe(true);
    expect(await makeFolders(path)).toBe(undefined);
  });

  test('that many make at the same time are made once, and nobody fails', async () => {
    const path = join(scratch, randomUUID(), 'a', 'b');
    mkdirSync(dirname(dirname(path)));
    await Promise.all(Array.from({ length: 10 }, () => makeFolders(path)));
    expect(existsSync(path)).toBe(true);
  });

  test.runIf(process.platform === 'linux')('end where the file system takes none', async () => {
    await expect(makeFolders('/proc/plimsoll/a')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
