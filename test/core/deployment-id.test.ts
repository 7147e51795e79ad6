import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CiRun } from '../../services/core/deployment-id.ts';
import { deploymentIdOf } from '../../services/core/deployment-id.ts';

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const run: CiRun = {
  provider: 'github',
  server: 'https://github.com',
  repository: '17',
  run: '47',
};

test('a deployment id is the hash of its length-prefixed parts, with version 8 and the variant of RFC 9562', () => {
  const expected = createHash('sha256')
    .update('6:github18:https://github.com2:172:477:default')
    .digest()
    .subarray(0, 16);
  expected[6] = 0x80 | ((expected[6] ?? 0) & 0x0f);
  expected[8] = 0x80 | ((expected[8] ?? 0) & 0x3f);
  const id = deploymentIdOf(digest, run, 'default');
  expect(id.replaceAll('-', '')).toBe(expected.toString('hex'));
  expect(id).toMatch(/^.{8}-.{4}-8.{3}-[89ab].{3}-.{12}$/);
});

test('two runs and names have one id only when they are the same', () => {
  const parts = fc.tuple(...Array.from({ length: 5 }, () => fc.string({ maxLength: 2 })));
  const idOf = ([provider = '', server = '', repository = '', id = '', name = '']: string[]) =>
    deploymentIdOf(digest, { provider, server, repository, run: id }, name);
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      expect(idOf(a) === idOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
  );
  expect(idOf(['a', 'bc', '', '', ''])).not.toBe(idOf(['ab', 'c', '', '', '']));
});
