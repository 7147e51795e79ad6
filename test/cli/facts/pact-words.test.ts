import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { shell } from '../../support/circleci-runner.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';
import { comparedWith } from '../../support/words-golden.ts';

const golden = resolve(import.meta.dirname, '../../golden/pact-words');
const scratch = scratchFolder();

type Command = { readonly before?: readonly string[]; readonly line: string };
const commands = JSON.parse(
  readFileSync(join(golden, 'commands.json'), 'utf8'),
) as readonly Command[];

test(
  "every command line of Pact's guide works with the prefix alone replaced",
  { timeout: 120_000 },
  async () => {
    const folder = join(scratch, randomUUID());
    mkdirSync(folder);
    const runner = { folder, env: { NODE_BINARY: process.execPath } };
    for (const { before = [], line } of commands)
      for (const written of [...before, line]) {
        const asked = `plimsoll ${written.replace(/^pact-broker /, '')}`;
        expect([asked, await shell(folder, asked, runner.env)]).toMatchObject([asked, { exit: 0 }]);
      }
    await comparedWith(runner, golden, 'expected');
  },
);
