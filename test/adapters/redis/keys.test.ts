import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { keysOf } from '../../../services/adapters/redis/keys.ts';

type Names = {
  readonly prefix: string;
  readonly audience: string;
  readonly generation: string;
  readonly model: string;
};

const allKeys = ({ prefix, audience, generation, model }: Names): readonly string[] => {
  const keys = keysOf(prefix, audience);
  return [
    keys.current,
    keys.generations,
    keys.checkpoint(generation),
    keys.models(generation),
    keys.rows(generation, model),
    keys.order(generation, model),
  ];
};

/** What Redis chooses the slot by: what stands between the first `{` and the first `}` after it. */
const hashTag = (key: string): string | undefined => /^[^{]*\{([^}]+)\}/.exec(key)?.[1];

// Few characters, so that names meet that could be cut in other places.
const name = fc
  .array(fc.constantFrom('a', ':', '{', '}', '%', 'rows', 'é'), { maxLength: 4 })
  .map((parts) => parts.join(''));
const names = fc.record({ prefix: name, audience: name, generation: name, model: name });

test('all keys of one audience share a hash tag', () => {
  fc.assert(
    fc.property(names, name, (some, otherGeneration) => {
      const keys = [...allKeys(some), ...allKeys({ ...some, generation: otherGeneration })];
      const tags = new Set(keys.map(hashTag));
      expect(tags.size).toBe(1);
      expect(tags.has(undefined)).toBe(false);
    }),
  );
});

test('names that look like parts of a key are not taken for them', () => {
  const inOne = { prefix: 'plimsoll', audience: 'a', generation: 'g', model: 'checkpoint' };
  const other = { ...inOne, generation: 'g:rows', model: 'm' };
  const shared = allKeys(inOne).filter((key) => allKeys(other).includes(key));
  expect(shared).toEqual(allKeys(inOne).slice(0, 2));
});

test('no two audiences share a key, nor do two places of one audience', () => {
  fc.assert(
    fc.property(names, names, (some, others) => {
      fc.pre(some.prefix !== others.prefix || some.audience !== others.audience);
      const keys = new Set(allKeys(some));
      expect(keys.size).toBe(allKeys(some).length);
      expect(allKeys(others).filter((key) => keys.has(key))).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});
