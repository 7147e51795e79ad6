import { assert, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endSaid, lastLines } from '../../../services/cli/wrap/program-end.ts';
import type { ProgramEnd } from '../../../services/ports/programs.ts';

const ended = (end: Partial<ProgramEnd>): ProgramEnd => ({
  ...{ exit: 0, signal: null, asked: null, tail: '', tailMissing: null, problem: null },
  ...end,
});

describe('how a program ended', () => {
  test.each<[what: string, end: Partial<ProgramEnd>, status: string, reason: string | null]>([
    ['well', { tail: 'a warning' }, 'SUCCESS', null],
    ['well, once it was asked to stop', { asked: 'SIGTERM' }, 'CANCELED', 'stopped by SIGTERM'],
    ['well, after its terminal was gone', { asked: 'SIGHUP' }, 'SUCCESS', null],
    ['with an exit code', { exit: 3 }, 'FAILED', 'exit code 3'],
    ['with an exit code and words', { exit: 3, tail: 'a\nb\n' }, 'FAILED', 'exit code 3: a\nb'],
    ['by a signal that asks', { exit: 143, signal: 'SIGTERM' }, 'CANCELED', 'stopped by SIGTERM'],
    ['by itself when it was asked', { exit: 1, asked: 'SIGINT' }, 'CANCELED', 'stopped by SIGINT'],
    ['by a signal that kills', { exit: 137, signal: 'SIGKILL' }, 'FAILED', 'killed by SIGKILL'],
    ['by a fault of its own', { exit: 139, signal: 'SIGSEGV' }, 'FAILED', 'killed by SIGSEGV'],
    [
      'before it began',
      { exit: 127, problem: 'x could not be started: spawn x ENOENT' },
      'FAILED',
      'x could not be started: spawn x ENOENT',
    ],
  ])('%s', (_what, end, status, reason) => {
    expect(endSaid(ended(end))).toMatchObject({ status, reasonInFull: reason });
  });
});

describe('the last lines of stderr', () => {
  const key = ['AKIA', 'Z7QW3ERTYU8IOPAS'].join('');

  test.each<[what: string, tail: string, lines: string]>([
    [
      'are at most ten',
      Array.from({ length: 30 }, (_, at) => `l${at}\n`).join(''),
      'l20\nl21\nl22\nl23\nl24\nl25\nl26\nl27\nl28\nl29',
    ],
    ['have no colours, titles or bells', '\u001b[31mred\u001b[0m \u001b]0;title\u0007x', 'red x'],
    ['have what a progress bar left', '10%\r50%\r100% done\n', '100% done'],
    ['leave out empty ones', 'a\n\n  \nb\r\n', 'a\nb'],
    ['have half a letter left out', '\ufffd\ufffdafter', 'after'],
  ])('%s', (_what, tail, lines) => {
    expect(lastLines(tail)).toBe(lines);
  });

  test('have secrets masked', () => {
    const lines = lastLines(
      `export AWS_ACCESS_KEY_ID=${key}\nlogin with password=hunter2-and-more failed\n`,
    );
    expect(lines).not.toContain(key);
    expect(lines).not.toContain('hunter2');
    expect(lines).toContain('failed');
  });

  test('have a key masked whose beginning is cut off', () => {
    const body = Array.from({ length: 30 }, (_, at) => `${'MIIEvQIBADANBgkq'.repeat(3)}${at}`).join(
      '\n',
    );
    const pem = `${['-----BEGIN', 'PRIVATE KEY-----'].join(' ')}\n${body}\n${['-----END', 'PRIVATE KEY-----'].join(' ')}`;
    expect(lastLines(`wrong key:\n${pem}\n`)).not.toContain('MIIEvQ');
    // What is kept of stderr may begin in the middle of the key.
    expect(lastLines(`${pem.slice(-1200)}\nexit 1\n`)).toBe('[masked private-key]\nexit 1');
  });

  test('always fit a reason', () => {
    assert(
      property(string({ unit: 'binary', maxLength: 5000 }), (tail) => {
        const lines = lastLines(tail);
        expect(lines.length).toBeLessThanOrEqual(1501);
        expect(lines.isWellFormed()).toBe(true);
      }),
    );
  });
});
