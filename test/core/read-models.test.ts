import { expect, test } from 'vitest';
import { loadSchemas } from '../../services/adapters/avro/schema-files.ts';
import type { FoldParts } from '../../services/core/read-models.ts';
import { foldVersion, foldVersionOf } from '../../services/core/read-models.ts';
import { schemasKnown } from '../../services/core/markers/upcast.ts';

test('whatever changes what records become makes a newer fold', () => {
  const before: FoldParts = {
    lifecycle: 1,
    models: [{ version: 1 }],
    kindsKnown: 15,
    schemasKnown: 10,
  };
  const later: readonly Partial<FoldParts>[] = [
    { lifecycle: 2 },
    { models: [{ version: 2 }] },
    { models: [{ version: 1 }, { version: 1 }] },
    // Records that the fold before could not read, and left as dead letters.
    { kindsKnown: 16 },
    { schemasKnown: 11 },
  ];
  for (const change of later)
    expect(foldVersionOf({ ...before, ...change })).toBeGreaterThan(foldVersionOf(before));
});

test('every published schema is one that the fold knows', () => {
  expect(schemasKnown).toBe(loadSchemas().length);
  expect(foldVersion).toBeGreaterThan(schemasKnown);
});
