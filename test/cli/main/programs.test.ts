import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findProgramIn, keptFile, runProgramIn } from '../../../services/cli/main/programs.ts';
import { eventually } from '../../support/eventually.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const runProgram = runProgramIn({ PATH: process.env['PATH'], SECRET: 'of the machine' });
const call = { input: '', env: {}, timeoutMs: 60_000 };

/** Nobody may wait for it; then it stays as a zombie, which is over too. */
const isAlive = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

describe('a program', () => {
  test('finds its input, its environment and its words as they are', async () => {
    const file = join(scratch, 'found');
    const script = `cat > '${file}'; printf ' %s %s %s' "$SECRET" "$ADDED" "$1" >> '${file}'`;
    const ran = await runProgram({
      ...call,
      command: ['sh', '-c', script, 'sh', '$(reboot) "; rm'],
      input: 'a line',
      env: { ADDED: 'two words' },
    });
    expect(value(ran)).toEqual({ exit: 0 });
    expect(readFileSync(file, 'utf8')).toBe('a line of the machine two words $(reboot) "; rm');
  });

  test('is told by its exit code, also where it does not read what it is told', async () => {
    const input = 'x'.repeat(1_000_000);
    expect(value(await runProgram({ ...call, input, command: { shell: 'exit 7' } }))).toEqual({
      exit: 7,
    });
  });

  test('is found by its path, or by its name in the folders of PATH, where it may be run', async () => {
    const [file, plain] = [join(scratch, 'runs'), join(scratch, 'plain')];
    writeFileSync(file, '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(plain, 'text', { mode: 0o644 });
    const find = findProgramIn({ PATH: `/no/such/folder:${scratch}` });
    const said = async (program: string): Promise<string> => {
      const found = await find(program);
      return found.ok ? 'found' : found.problem.message;
    };
    expect(await Promise.all([file, 'runs'].map(said))).toEqual(['found', 'found']);
    expect(await said(plain)).toBe(`${plain} may not be run (chmod +x makes it a program)`);
    expect(await said(scratch)).toBe(`there is no program ${scratch}`);
    expect(await said('runz')).toBe('no folder of PATH has a program runz');
  });

  test('that is not there is a problem', async () => {
    const command = ['/no/such/program'] as const;
    expect(await runProgram({ ...call, command })).toMatchObject({ ok: false });
  });

  test('that takes too long is ended with all that it has started', async () => {
    const file = join(scratch, 'started');
    const shell = `sleep 600 & echo $! > '${file}'; wait; true`;
    const ran = await runProgram({ ...call, timeoutMs: 500, command: { shell } });
    expect(value(ran)).toEqual({ exit: null });
    const pid = Number(readFileSync(file, 'utf8'));
    await eventually('the process that it started is over', () => !isAlive(pid));
  });

  test('that takes too long is over when all that it has started is, also what does not listen', async () => {
    const file = join(scratch, 'deaf');
    const deaf = `trap "" TERM; echo $$ > '${file}'; while :; do sleep 0.1; done`;
    const run = runProgramIn({ PATH: process.env['PATH'], DEAF: deaf }, 300);
    const shell = 'sh -c "$DEAF" & wait';
    expect(value(await run({ ...call, timeoutMs: 2000, command: { shell } }))).toEqual({
      exit: null,
    });
    expect(isAlive(Number(readFileSync(file, 'utf8')))).toBe(false);
  });

  test('that takes too long is ended', async () => {
    const ran = await runProgram({ ...call, timeoutMs: 50, command: ['sleep', '600'] });
    expect(value(ran)).toEqual({ exit: null });
  });
});

describe('a kept file', () => {
  test('is replaced as a whole, in a folder that is made', async () => {
    const path = join(scratch, 'a', 'b', 'kept.json');
    expect(value(await keptFile.read(path))).toBeUndefined();
    value(await keptFile.replace(path, 'one'));
    value(await keptFile.replace(path, 'two'));
    expect(value(await keptFile.read(path))).toBe('two');
    expect(readdirSync(join(scratch, 'a', 'b'))).toEqual(['kept.json']);
  });

  test('that cannot be kept is a problem', async () => {
    writeFileSync(join(scratch, 'file'), '');
    mkdirSync(join(scratch, 'folder'));
    expect(await keptFile.replace(join(scratch, 'file', 'kept.json'), '')).toMatchObject({
      ok: false,
    });
    expect(await keptFile.read(join(scratch, 'folder'))).toMatchObject({ ok: false });
  });
});
