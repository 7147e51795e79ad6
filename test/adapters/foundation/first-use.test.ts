import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFoundation } from '../../../services/adapters/foundation/foundation.ts';
import { makeKeys, readKey } from '../../../services/adapters/foundation/open-keys.ts';
import { openNumbering } from '../../../services/adapters/numbering/folder.ts';
import { parseSettings } from '../../../services/core/settings.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const aFile = join(scratch, randomUUID());
writeFileSync(aFile, 'a file');
// Asked to make all folders at once, Node tries without end below /proc.
const impossible = [aFile, join(aFile, 'below'), ...(existsSync('/proc/self') ? ['/proc/x'] : [])];

test('keys are made once, and nothing is left of those that others began', async () => {
  const folder = join(scratch, randomUUID());
  const killed = join(folder, `keys.new-${randomUUID()}`);
  mkdirSync(killed, { recursive: true });
  writeFileSync(join(killed, 'admin.json'), 'a secret');
  const made = await Promise.all(Array.from({ length: 8 }, () => makeKeys(folder)));
  expect(made.filter(({ ok }) => !ok)).toEqual([]);
  expect(readdirSync(folder).filter((name) => name.startsWith('keys'))).toEqual(['keys']);
  for (const name of ['admin', 'local'] as const)
    expect(await readKey(folder, name)).toMatchObject({ ok: true });
});

describe('where no folder can be made', () => {
  test.each(impossible)('%s: a log is refused, and says by what it was named', async (folder) => {
    const foundation = openFoundation(value(parseSettings({ PLIMSOLL_LOG: `sqlite:${folder}` })));
    expect(await foundation.stream('log')).toMatchObject({
      problem: {
        code: 'folder-invalid',
        message: expect.stringContaining(folder),
        hint: expect.stringContaining('PLIMSOLL_LOG'),
      },
    });
    await foundation.close();
  });

  test.each(impossible)('%s: so is a store, and so are keys', async (folder) => {
    const log = join(scratch, randomUUID());
    const foundation = openFoundation(
      value(parseSettings({ PLIMSOLL_LOG: `sqlite:${log}`, PLIMSOLL_STORE: `sqlite:${folder}` })),
    );
    expect(await foundation.store()).toMatchObject({
      problem: { code: 'folder-invalid', hint: expect.stringContaining('PLIMSOLL_STORE') },
    });
    await foundation.close();
    expect(await makeKeys(folder)).toMatchObject({ problem: { code: 'key-file-not-written' } });
  });

  test.each(impossible)('%s: a marker goes without a number', async (folder) => {
    const numbering = openNumbering({ folder, log: 'a log', host: 'here', mayBegin: () => true });
    expect(await numbering.take('a key')).toBeNull();
  });
});
