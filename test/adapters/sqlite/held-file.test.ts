import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { holdFile } from '../../../services/adapters/sqlite/held-file.ts';
import type { Child } from '../../support/child.ts';
import { startChild } from '../../support/child.ts';
import { eventually } from '../../support/eventually.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const newPath = (): string => join(scratch, randomUUID(), 'obeyed', 'local.json');

type Said = { readonly pid?: number; readonly held?: boolean; readonly holder?: number };
type Contender = Pick<Child, 'send' | 'signal' | 'over'> & {
  readonly pid: number;
  readonly answer: (which?: number) => Promise<Said>;
};

/** A process that is ready to ask. */
const contender = async (path: string): Promise<Contender> => {
  const child = startChild('hold-process.ts', [path]);
  onTestFinished(async () => {
    child.signal('SIGKILL');
    await child.over;
  });
  const said = async (at: number): Promise<Said> => {
    await eventually('the process answers', () => child.lines.length > at);
    return JSON.parse(child.lines[at] ?? '') as Said;
  };
  const { pid = 0 } = await said(0);
  return { ...child, pid, answer: (which = 1) => said(which) };
};

describe('a file that one process has to itself', () => {
  test('is refused to all others, who hear which process it is, and is free when that gives it back', async () => {
    const path = newPath();
    const release = value(holdFile(path));
    const other = await contender(path);
    other.send('ask');
    expect(await other.answer()).toEqual({ held: false, code: 'held', holder: process.pid });
    release();
    other.send('ask');
    expect(await other.answer(2)).toEqual({ held: true });
    // The lock lies beside it; the file itself is nobody's business.
    expect([existsSync(path), existsSync(`${path}.lock`)]).toEqual([false, true]);
  });

  test('is refused to the same process too, and asking for it again gives nothing away', async () => {
    const path = newPath();
    const release = value(holdFile(path));
    const problem = { code: 'held', holder: process.pid };
    expect(holdFile(path)).toEqual({ ok: false, problem });
    const other = await contender(path);
    other.send('ask');
    expect(await other.answer()).toEqual({ held: false, ...problem });
    release();
    value(holdFile(path))();
  });

  test('of those who ask at once after kill -9 of the holder, one gets it', async () => {
    const path = newPath();
    const holder = await contender(path);
    holder.send('ask');
    expect(await holder.answer()).toEqual({ held: true });
    const others = await Promise.all(Array.from({ length: 4 }, () => contender(path)));
    holder.signal('SIGKILL');
    await holder.over;
    for (const other of others) other.send('ask');
    const answers = await Promise.all(others.map(({ answer }) => answer()));
    const winners = others.filter((_, at) => answers[at]?.held === true);
    expect(winners).toHaveLength(1);
    const losers = answers.filter(({ held }) => held === false);
    // Whom they are told of may be of the moment before the winner wrote its own.
    for (const { holder: pid } of losers) expect([winners[0]?.pid, holder.pid]).toContain(pid);
  });

  test('what lies in the place of the lock is told, and left', () => {
    const path = newPath();
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.lock`, 'a list of things to buy'.repeat(100));
    expect(holdFile(path)).toMatchObject({
      ok: false,
      problem: { code: 'unusable', message: expect.stringContaining('not a database') as unknown },
    });
  });
});
