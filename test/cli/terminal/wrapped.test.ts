import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { displayWidth } from '../../../services/cli/terminal/display.ts';
import { wrapped } from '../../../services/cli/terminal/wrapped.ts';

test('a line that has room stays as it is, and so does every line where nobody knows the columns', () => {
  expect(wrapped('  a  b', 6)).toEqual(['  a  b']);
  expect(wrapped('a b c', null)).toEqual(['a b c']);
});

test('a longer one is broken at spaces, and what follows stands further in', () =>
  expect(wrapped('  one two  three four', 12)).toEqual(['  one two', '    three', '    four']));

test('a word that is longer than a line is left whole', () =>
  expect(wrapped('by 0123456789abcdef now', 8)).toEqual(['by', '  0123456789abcdef', '  now']));

test('nothing is lost, and no line is longer than it must be', () => {
  const line = fc
    .array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 30 })
    .map((words) => `    ${words.join(' ')}`);
  fc.assert(
    fc.property(line, fc.integer({ min: 20, max: 80 }), (text, columns) => {
      const told = wrapped(text, columns);
      expect(told.map((one) => one.trim()).join(' ')).toBe(text.trim());
      for (const one of told) expect(displayWidth(one)).toBeLessThanOrEqual(columns);
    }),
  );
});
