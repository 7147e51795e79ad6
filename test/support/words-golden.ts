import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Runner } from './circleci-runner.ts';
import { faultsOf } from './cli-schemas.ts';
import { plimsoll } from './plimsoll.ts';

// What the log says after the words of a guide, beside what it is to say.

export type Listed = { readonly [field: string]: unknown };
const told = ['attempt', 'namespace', 'environment', 'component', 'target', 'version', 'name'];
const toldToo = ['status', 'statusReported', 'failureReason', 'rollback'];

/** What a list says, with ids counted and without times. */
export const listed = async (
  { folder, env }: Pick<Runner, 'folder' | 'env'>,
  list: 'timeline' | 'current',
): Promise<readonly Listed[]> => {
  const ran = await plimsoll(folder, [list, '--json'], env);
  expect(ran.exit).toBe(0);
  const lines = ran.out.split('\n').filter((line) => line !== '');
  const ids: string[] = [];
  return lines.map((written) => {
    const line = JSON.parse(written) as Listed;
    expect(faultsOf(list, line)).toEqual([]);
    const id = String(line['deployment']);
    if (!ids.includes(id)) ids.push(id);
    const kept = [...told, ...toldToo].flatMap((field) =>
      field in line ? [[field, line[field]] as const] : [],
    );
    const { uncertain } = line as { readonly uncertain?: { readonly status: string } | null };
    return {
      deployment: ids.indexOf(id) + 1,
      ...Object.fromEntries(kept),
      // Who made the slot uncertain, and when, is of this run.
      ...(uncertain === undefined ? {} : { uncertain: uncertain?.status ?? null }),
    };
  });
};

/** Timeline and `current` beside a golden file. WRITE_GOLDEN=words writes it. */
export const comparedWith = async (
  runner: Pick<Runner, 'folder' | 'env'>,
  folder: string,
  name: string,
): Promise<void> => {
  const lists = {
    timeline: await listed(runner, 'timeline'),
    current: await listed(runner, 'current'),
  };
  const path = join(folder, `${name}.json`);
  if (process.env['WRITE_GOLDEN'] === 'words')
    writeFileSync(path, `${JSON.stringify(lists, null, 2)}\n`);
  expect(lists).toEqual(JSON.parse(readFileSync(path, 'utf8')));
};
