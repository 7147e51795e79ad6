import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** A folder for the files of one test file, gone afterwards. */
export const scratchFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
