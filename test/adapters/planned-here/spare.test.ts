import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openPlannedHereOrSpare } from '../../../services/adapters/planned-here/spare.ts';
import type { PlannedHere, PlannedHereStore } from '../../../services/ports/planned-here.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const slot = { namespace: 'default', environment: 'e', component: 'c', target: null };
const plan = (number: number): Omit<PlannedHere, 'hasEnded'> => ({
  deployment: `01a203df-70dd-72a9-abe8-28e03a1a12d${number}`,
  slot,
  version: String(number),
});

type Disk = {
  readonly store: PlannedHereStore;
  readonly temporary: string;
  /** A file where the folder is to be: nothing can be written below. */
  readonly spoil: () => void;
  readonly mend: () => void;
};

const aDisk = (): Disk => {
  const home = join(scratch, randomUUID());
  const folder = join(home, 'planned');
  const away = join(home, 'away');
  const temporary = join(home, 'tmp');
  mkdirSync(temporary, { recursive: true });
  return {
    store: openPlannedHereOrSpare(folder, temporary),
    temporary,
    spoil: () => {
      if (existsSync(folder)) renameSync(folder, away);
      writeFileSync(folder, '');
    },
    mend: () => {
      rmSync(folder);
      if (existsSync(away)) renameSync(away, folder);
    },
  };
};

const begin = async ({ store }: Disk, number: number): Promise<void> => {
  const last = await store.last('default');
  const begun = await store.begin('default', plan(number), last.ok ? last.value : undefined);
  expect(value(begun).deployment).toBe(plan(number).deployment);
};
const last = async ({ store }: Disk): Promise<string | undefined> => {
  const { version, hasEnded } = value(await store.last('default')) ?? {};
  return version === undefined ? undefined : `${version}${hasEnded === true ? ' ended' : ''}`;
};

describe('a plan', () => {
  test('is kept in its own folder, and nowhere else, where that can be written', async () => {
    const disk = aDisk();
    await begin(disk, 1);
    expect([await last(disk), readdirSync(disk.temporary)]).toEqual(['1', []]);
  });

  test('is kept among temporary files where nothing else can be written, with its end', async () => {
    const disk = aDisk();
    disk.spoil();
    await begin(disk, 1);
    expect(await last(disk)).toBe('1');
    await begin(disk, 2);
    await disk.store.end('default', plan(2).deployment);
    expect(await last(disk)).toBe('2 ended');
  });

  test('is the later one of both', async () => {
    const disk = aDisk();
    disk.spoil();
    await begin(disk, 1);
    disk.mend();
    expect(await last(disk)).toBe('1');
    value(await disk.store.begin('default', plan(2), undefined));
    expect(await last(disk)).toBe('2');
  });

  test('is a new one after one that was kept among temporary files, not the one before that', async () => {
    const disk = aDisk();
    await begin(disk, 1);
    disk.spoil();
    await begin(disk, 2);
    disk.mend();
    await begin(disk, 3);
    expect(await last(disk)).toBe('3');
    disk.spoil();
    await begin(disk, 4);
    expect(await last(disk)).toBe('4');
  });

  test.each(['others may write to it', 'it is no folder'])(
    'is not believed, nor laid there, where %s',
    async (what) => {
      const disk = aDisk();
      disk.spoil();
      await begin(disk, 1);
      const [ours = ''] = readdirSync(disk.temporary);
      const path = join(disk.temporary, ours);
      if (what === 'it is no folder') {
        rmSync(path, { recursive: true });
        writeFileSync(path, '');
      } else chmodSync(path, 0o777);
      expect(await disk.store.last('default')).toMatchObject({ ok: false });
      expect(await disk.store.begin('default', plan(3), undefined)).toMatchObject({ ok: false });
    },
  );
});
