import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Desk } from '../../support/desk.ts';
import { openDesk } from '../../support/desk.ts';
import { by } from '../../support/given.ts';
import { logId, planned, run } from '../../support/markers.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

// PLIMSOLL_LOG_ID through a gateway: what another log says is not shown as if it were of the pinned one.

const scratch = scratchFolder();
const other = '0190a000-0000-7000-8000-00000000000f';

const pinned = (log: string): Promise<Desk> =>
  openDesk({
    folder: join(scratch, randomUUID()),
    steps: [by('local', planned())],
    isRemote: true,
    env: { PLIMSOLL_LOG_ID: log },
  });

const asked: readonly (readonly string[])[] = [
  ['current'],
  ['timeline'],
  ['changes'],
  ['releases'],
  ['operations'],
  ['environments'],
  ['components'],
  ['keys', 'list'],
  ['show', run('7')],
  ['gate', run('7'), '--wait=1s'],
  ['decisions'],
  ['last-good', '--environment-name=production', '--component-name=checkout'],
  ['policy', 'list'],
  ['policy', 'show'],
  ['retention', 'list'],
  ['dead-letters', 'list'],
  ['release', 'update', '--status=RUNNING', `--deployment=${run('7')}`],
];

describe.each(asked.map((args) => [args.join(' '), args] as const))(
  'plimsoll %s',
  (_name, args) => {
    test('is refused of another log than the pinned one', async () => {
      const said = await (await pinned(other)).plimsoll(...args, '--json');
      const { code } = JSON.parse(said.err.at(-1) ?? '{}') as { readonly code?: string };
      expect([said.exit, code]).toEqual([3, 'foreign-log']);
      expect(said.out.filter((line) => !line.includes('"delivery":"refused"'))).toEqual([]);
    });

    test('is answered of the pinned one', async () => {
      const said = await (await pinned(logId)).plimsoll(...args, '--json');
      expect(said.err.join('')).not.toContain('foreign-log');
    });
  },
);
