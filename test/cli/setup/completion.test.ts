import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { commands } from '../../../services/cli/commands.ts';
import { optionsOf } from '../../../services/cli/commands/command.ts';
import { printCompletion } from '../../../services/cli/setup/completion.ts';
import type { Given } from '../../../services/cli/terminal/arguments.ts';

const scriptFor = (shell: string): string => {
  const out: string[] = [];
  const given: Given = {
    program: [],
    words: [shell],
    value: () => null,
    values: () => [],
    has: () => false,
  };
  const terminal = {
    out: (text: string) => void out.push(text),
    err: () => undefined,
    columns: null,
    hasColour: false,
  };
  expect(printCompletion({ terminal }, given)).toMatchObject({ ok: true });
  return out.join('');
};

/** What bash offers for a line whose last word is being written. */
const offered = (...words: readonly string[]): readonly string[] => {
  const asked = `${scriptFor('bash')}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
_plimsoll; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const ran = spawnSync('bash', ['--norc', '-c', asked], { encoding: 'utf8' });
  expect(ran.stderr).toBe('');
  return ran.stdout.split('\n').filter((word) => word !== '');
};

describe('bash', () => {
  test.each([
    [['plimsoll', 'comple'], ['completion']],
    [
      ['plimsoll', 'release', ''],
      ['plan', 'update', 'log'],
    ],
    [['plimsoll', 'release', 'plan', '--can'], ['--canary-share=']],
    [['plimsoll', 'release', 'update', '--no'], ['--no-fail']],
    [['plimsoll', 'decisions', '--fol'], ['--follow']],
    [['plimsoll', 'config', '--j'], ['--json']],
    [['plimsoll', 'nothing', ''], []],
  ])('completes %j', (words, found) => {
    expect(offered(...words)).toEqual(found);
  });

  test('offers the verbs of a group', () => {
    expect(offered('plimsoll', 'release', '')).toEqual(expect.arrayContaining(['plan', 'update']));
  });

  test('knows every command and every option of the table', () => {
    for (const command of commands) {
      const words = command.name.split(' ');
      const found = new Set(offered('plimsoll', ...words, '--'));
      const wanted = optionsOf(command).map(
        ({ name, value }) => `--${name}${value === null ? '' : '='}`,
      );
      expect(wanted.filter((word) => !found.has(word))).toEqual([]);
    }
  });
});

describe('the others', () => {
  test('zsh takes the script of bash', () => {
    expect(scriptFor('zsh')).toContain('bashcompinit');
  });

  test('fish is told every option, with quotes closed', () => {
    const lines = scriptFor('fish').trim().split('\n');
    for (const line of lines) {
      expect(line).toMatch(/^complete -c plimsoll /);
      expect((line.replaceAll("\\'", '').match(/'/g) ?? []).length % 2).toBe(0);
    }
    expect(lines.filter((line) => line.includes(' -l canary-share'))).toHaveLength(
      commands.filter(({ options }) => options.some(({ name }) => name === 'canary-share')).length,
    );
  });
});
