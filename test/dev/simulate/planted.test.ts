import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { simulatedBugs } from '../../../services/dev/simulate/planted/bugs.ts';

test('there are 25 planted bugs or more, each with a name of its own', () => {
  const names = new Set(simulatedBugs.map(({ name }) => name));
  expect(names.size).toBe(simulatedBugs.length);
  expect(names.size).toBeGreaterThanOrEqual(25);
});

test.each(simulatedBugs.flatMap(({ name, edits }) => edits.map((edit) => ({ name, ...edit }))))(
  '"$name" fits its file exactly once',
  ({ file, from, to }) => {
    const source = readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
    expect(source.split(from)).toHaveLength(2);
    expect(to).not.toBe(from);
  },
);
