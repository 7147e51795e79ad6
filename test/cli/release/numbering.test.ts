import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openNumbering } from '../../../services/adapters/numbering/folder.ts';
import type { Desk, DeskOptions } from '../../support/desk.ts';
import { ok } from '../../../services/core/result.ts';
import { openDesk } from '../../support/desk.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const desk = (options: DeskOptions = {}): Promise<Desk> => {
  const folder = join(scratch, randomUUID());
  const numbering = openNumbering({ folder, log: 'log', host: 'desk', mayBegin: () => true });
  return openDesk({ folder: join(folder, 'planned'), numbering, ...options });
};

const checkout = ['--component-name=checkout', '--environment-name=production'];
const log = (version: string) => ['release', 'log', ...checkout, `--target-version=${version}`];

/** What `problems` says of gaps, as `missing 2`; empty: nothing is missing. */
const missing = async (at: Desk): Promise<readonly string[]> =>
  (await at.plimsoll('problems', '--json')).out
    .map((line) => JSON.parse(line) as { readonly code: string; readonly missing: string[] })
    .filter(({ code }) => code === 'sequence-gap')
    .map((line) => `missing ${line.missing.join(', ')}`);

const sequences = async ({ house, plimsoll }: Desk): Promise<readonly unknown[]> => {
  await plimsoll('current');
  const lines = await house.ports.store.dump('g1');
  if (!lines.ok) throw new Error(lines.problem.message);
  return lines.value
    .map((line) => line.split('\n'))
    .filter(([model]) => model === 'producer')
    .map(([, , json]) => JSON.parse(json ?? '') as { readonly highest: number })
    .map(({ highest }) => highest);
};

test('what is emitted from one folder is counted, and nothing is missing', async () => {
  const at = await desk();
  await at.plimsoll('release', 'plan', ...checkout, '--target-version=2.0.0');
  await at.plimsoll('release', 'update', '--status=RUNNING');
  await at.plimsoll('release', 'update', '--status=SUCCESS');
  expect(await sequences(at)).toEqual([3]);
  expect(await missing(at)).toEqual([]);
});

test('what was refused, and what was said before, leaves no gap', async () => {
  const at = await desk();
  await at.plimsoll('release', 'plan', ...checkout, '--target-version=2.0.0');
  expect((await at.plimsoll('release', 'update', '--status=SUCCESS')).exit).toBe(0);
  expect((await at.plimsoll('release', 'update', '--status=SUCCESS')).exit).toBe(0);
  expect((await at.plimsoll('release', 'update', '--status=FAILED')).exit).toBe(3);
  expect((await at.plimsoll(...log('2.1.0'), '--digest=latest')).exit).toBe(2);
  await at.plimsoll(...log('2.1.0'));
  expect(await sequences(at)).toEqual([3]);
  expect(await missing(at)).toEqual([]);
});

test('what an outage keeps back is missed until it is delivered', async () => {
  const at = await desk();
  await at.plimsoll(...log('1.0.0'));
  const away = at.elsewhere({
    change: (ports) => ({
      ...ports,
      atHand: async (onProgress) => {
        const found = await ports.atHand(onProgress);
        return found.ok
          ? {
              ok: true,
              value: {
                ...found.value,
                log: {
                  ...found.value.log,
                  append: async () => ({
                    ok: false,
                    problem: { code: 'unreachable', message: 'no broker' },
                  }),
                },
              },
            }
          : found;
      },
    }),
  });
  expect((await away.plimsoll(...log('1.1.0'))).exit).toBe(0);
  expect(await missing(at)).toEqual([]);
  const elsewhere = at.elsewhere({
    change: (ports) => ({ ...ports, spool: { ...ports.spool, waiting: async () => ok([]) } }),
  });
  await elsewhere.plimsoll(...log('1.2.0'));
  expect(await missing(at)).toEqual(['missing 2']);
  expect((await at.plimsoll('flush')).exit).toBe(0);
  expect(await missing(at)).toEqual([]);
});

test('a job of a CI run is not counted, and neither is anything where there is no count', async () => {
  const inCi = await desk({
    env: { GITHUB_ACTIONS: 'true', GITHUB_RUN_ID: '7', GITHUB_REPOSITORY: 'acme/shop' },
  });
  expect((await inCi.plimsoll(...log('1.0.0'))).exit).toBe(0);
  expect(await sequences(inCi)).toEqual([]);
  const without = await desk({
    numbering: { take: async () => null, giveBack: async () => undefined },
  });
  expect((await without.plimsoll(...log('1.0.0'))).exit).toBe(0);
  expect(await sequences(without)).toEqual([]);
});
