import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCrypto } from '../../services/adapters/ed25519/crypto.ts';
import { createText } from '../../services/adapters/ed25519/text.ts';
import { deploymentIdOf, uuidV8Of } from '../../services/core/ids.ts';

const tools = { crypto: createCrypto(), text: createText() };
const run = { provider: 'github', server: 'https://github.com', repository: '17', run: '4711' };

test('an id is the hash of its length-prefixed parts, with version 8 and the variant of RFC 9562', () => {
  const parts = ['a', 'grün', ''];
  const bytes = Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(part));
      return [length, Buffer.from(part)];
    }),
  );
  const expected = createHash('sha256').update(bytes).digest().subarray(0, 16);
  expected[6] = 0x80 | ((expected[6] ?? 0) & 0x0f);
  expected[8] = 0x80 | ((expected[8] ?? 0) & 0x3f);
  expect(uuidV8Of(tools, parts).replaceAll('-', '')).toBe(expected.toString('hex'));
  expect(uuidV8Of(tools, parts)).toMatch(/^.{8}-.{4}-8.{3}-[89ab].{3}-.{12}$/);
});

test('two lists of parts have one id only when they are the same list', () => {
  const parts = fc.array(fc.string({ maxLength: 3 }), { maxLength: 4 });
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const isSame = JSON.stringify(a) === JSON.stringify(b);
      expect(uuidV8Of(tools, a) === uuidV8Of(tools, b)).toBe(isSame);
    }),
  );
  expect(uuidV8Of(tools, ['ab', 'c'])).not.toBe(uuidV8Of(tools, ['a', 'bc']));
});

test('each deploy name of a run is a deployment of its own, and the same in every job', () => {
  const names = ['default', 'canary', 'production-deploy'];
  const ids = names.map((name) => deploymentIdOf(tools, run, name));
  expect(new Set(ids).size).toBe(3);
  expect(names.map((name) => deploymentIdOf(tools, { ...run }, name))).toEqual(ids);
  expect(deploymentIdOf(tools, { ...run, run: '4712' }, 'default')).not.toBe(ids[0]);
});
