import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { findProgram } from '../../../services/dev/stack/prerequisites.ts';
import { startStack } from '../../../services/dev/stack/stack.ts';

test.each([
  ['one of two addresses', { PLIMSOLL_TEST_KAFKA: '127.0.0.1:9092' }, 'PLIMSOLL_TEST_REDIS'],
  [
    'a broker without a port',
    { PLIMSOLL_TEST_KAFKA: 'here', PLIMSOLL_TEST_REDIS: 'redis://h:1' },
    '"here"',
  ],
  [
    'an empty broker in the list',
    { PLIMSOLL_TEST_KAFKA: 'h:1,', PLIMSOLL_TEST_REDIS: 'redis://h:1' },
    '""',
  ],
  [
    'a Redis that is no URL',
    { PLIMSOLL_TEST_KAFKA: 'h:1', PLIMSOLL_TEST_REDIS: 'h:1' },
    'redis://',
  ],
])('%s is refused before anything is started', async (_, env, named) => {
  await expect(startStack({ env })).rejects.toMatchObject({
    code: 'bad-address',
    message: expect.stringContaining(named),
  });
});

test('a program is looked for in every folder of the path, and must be executable', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-path-'));
  try {
    const program = join(folder, 'plimsoll-no-such-program');
    const path = ['', '/nowhere', folder].join(delimiter);
    writeFileSync(program, '');
    expect(findProgram('plimsoll-no-such-program', path)).toBeUndefined();
    chmodSync(program, 0o755);
    expect(findProgram('plimsoll-no-such-program', path)).toBe(program);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the command explains itself, and refuses what it does not know', () => {
  const stack = (
    ...args: string[]
  ): { readonly code: number | null; readonly out: string; readonly err: string } => {
    const run = spawnSync(process.execPath, ['services/dev/stack/main.ts', ...args], {
      encoding: 'utf8',
    });
    return { code: run.status, out: run.stdout, err: run.stderr };
  };
  expect(stack('--help')).toMatchObject({ code: 0, out: expect.stringContaining('npm run stack') });
  for (const wrong of [['stop'], ['--port=1'], ['start', 'start']]) {
    expect(stack(...wrong)).toMatchObject({ code: 2, out: '' });
  }
});
