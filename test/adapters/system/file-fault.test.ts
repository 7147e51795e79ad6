import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileFault } from '../../../services/adapters/system/file-fault.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();

/** What reading it as text leads to. */
const faultOf = (path: string): string => {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
    return '';
  } catch (cause) {
    return fileFault(path, cause);
  }
};

test('a file that cannot be read is told in words', () => {
  const packed = join(scratch, 'packed.gz');
  writeFileSync(packed, Buffer.from([0x1f, 0x8b, 8, 0, 0xff, 0xfe]));
  expect([join(scratch, 'none'), scratch, join(packed, 'inside'), packed].map(faultOf)).toEqual([
    `${scratch}/none is not there`,
    `${scratch} is a folder, not a file`,
    `${packed}/inside is in something that is no folder`,
    `${packed} is no UTF-8 text (is it compressed, or UTF-16?)`,
  ]);
  expect(fileFault('a', new Error('strange'))).toBe('a: strange');
});
