import { describe, expect, test } from 'vitest';
import { parseArguments } from '../../../services/cli/terminal/parse-arguments.ts';
import { commands } from '../../../services/cli/commands.ts';
import { helpText } from '../../../services/cli/terminal/help.ts';

const columnsMax = 100;
const linesMax = 50;

const topics = [
  '',
  'settings',
  'facts',
  'release',
  'keys',
  'dead-letters',
  ...commands.map(({ name }) => name),
];

/** The words of a shell line; quotes hold words together. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/(?:[^\s"]+|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', ''));

describe.each(topics)('plimsoll %s --help', (topic) => {
  const lines = helpText(topic).split('\n');

  test('fits on one screen', () => {
    expect(lines.length).toBeLessThanOrEqual(linesMax);
    expect(lines.filter((line) => line.length > columnsMax)).toEqual([]);
  });

  test('has examples, and each of them is taken', () => {
    const examples = lines.filter((line) => line.startsWith('  plimsoll '));
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples)
      expect([example, parseArguments(wordsOf(example).slice(1))]).toMatchObject([
        example,
        { ok: true },
      ]);
  });
});

test('the help of a command names all of its options', () => {
  for (const { name, options } of commands)
    for (const option of options) expect(helpText(name)).toContain(`--${option.name}`);
});
