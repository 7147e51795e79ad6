import { spawnSync } from 'node:child_process';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { shellWord } from '../../services/core/shell-word.ts';

test('a plain name is left as it is', () => {
  expect(shellWord('shop/checkout-2.0_eu')).toBe('shop/checkout-2.0_eu');
});

test('any text is one word, and nothing in it is run', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({
          unit: fc.constantFrom('$', '`', "'", '"', '\\', '*', ' ', '(', ')', 'a', '!'),
        }),
        fc.string(),
      ),
      (word) => {
        fc.pre(!word.includes('\0'));
        const said = spawnSync('sh', ['-c', `printf '%s' ${shellWord(word)}`], {
          encoding: 'utf8',
        });
        expect([said.status, said.stdout]).toEqual([0, word]);
      },
    ),
    { numRuns: 30 },
  );
});
