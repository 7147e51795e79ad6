import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openBodyFiller } from '../../../services/adapters/avro/fill-body.ts';
import { loadSchemas } from '../../../services/adapters/avro/schema-files.ts';
import type { SchemaNode } from '../../../services/adapters/avro/schema-tree.ts';
import { parseSchema } from '../../../services/adapters/avro/schema-tree.ts';
import { createMemoryIds } from '../../../services/adapters/memory/ids.ts';
import { draftJson } from '../../../services/cli/facts/draft-json.ts';
import { commandsWithFlags, shapeFields } from '../../../services/cli/main/emit-command.ts';
import { parseCommandLine } from '../../../services/cli/terminal/arguments.ts';
import { kinds } from '../../../services/core/markers/kinds.ts';
import type { Kind } from '../../../services/core/markers/marker.ts';
import { parseSettings } from '../../../services/core/settings.ts';
import { tools } from '../../support/given.ts';
import { value } from '../../support/records.ts';

// What is told by flags is what the same told in JSON would be, for every kind.

type Body = { readonly [name: string]: unknown };

const schemas = loadSchemas();
const commands = commandsWithFlags();
const told = (Object.keys(kinds) as Kind[]).filter((kind) => kinds[kind].role === 'emitter');
const filler = openBodyFiller(schemas);

/** Written by whoever takes it, and no flag. */
const envelope = ['marker', 'kind', 'audience', 'source', 'producer', 'sequence'];

const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((one) => one.trim() !== '' && !/[\p{C}\p{Zl}\p{Zp}\t\n]/u.test(one));
const uuid = fc.uuid({ version: 7 });
const share = fc.double({ min: 0.001, max: 1, noNaN: true });

/** Fields that take less than their type does, by their path. */
const narrow = (kind: Kind): { readonly [path: string]: fc.Arbitrary<unknown> } => {
  const isOwn = kinds[kind].shape === 'place' && kind !== 'label';
  return {
    deployment: isOwn ? fc.constant(undefined) : fc.option(uuid, { nil: undefined }),
    // Null would be another word: none, where the CI has one.
    attempt: fc.option(text, { nil: undefined }),
    occurredAt: fc.integer({ min: 0, max: 2_000_000_000_000 }),
    digest:
      kind === 'label'
        ? fc.constant(null)
        : fc.option(
            fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`),
            { nil: null },
          ),
    version: kind === 'label' ? fc.constant('') : text,
    canaryShare: fc.option(share, { nil: null }),
    phase: kind === 'phase-advanced' ? text : fc.constant(null),
    outcome:
      kind === 'migration-finished' ? fc.constantFrom('succeeded', 'failed') : fc.constant(null),
    'slot.target':
      kind === 'released' || kind === 'support-ended'
        ? fc.constant(null)
        : fc.option(text, { nil: null }),
    'details.labels': fc.array(fc.record({ name: text, value: text }), {
      minLength: 1,
      maxLength: 3,
    }),
  };
};

const anyValue = (
  node: SchemaNode,
  path: string,
  by: ReturnType<typeof narrow>,
): fc.Arbitrary<unknown> => {
  const own = by[path];
  if (own !== undefined) return own;
  switch (node.type) {
    case 'boolean':
      return fc.boolean();
    case 'int':
    case 'long':
      return fc.nat();
    case 'double':
      return share;
    case 'string':
      return text;
    case 'bytes':
      throw new TypeError('nobody tells bytes');
    case 'nullable':
      return fc.option(anyValue(node.value, path, by), { nil: null });
    case 'array':
      return fc.array(anyValue(node.items, `${path}[]`, by), { maxLength: 3 });
    case 'record':
      return fc.record(
        Object.fromEntries(
          node.fields
            .filter(({ name }) => path !== '' || !envelope.includes(name))
            .map(({ name, node: inside }) => [
              name,
              anyValue(inside, path === '' ? name : `${path}.${name}`, by),
            ]),
        ),
        { noNullPrototype: true },
      );
  }
};

const newest = (kind: Kind): SchemaNode =>
  parseSchema(schemas.filter(({ shape }) => shape === kinds[kind].shape).at(-1)?.text ?? '');

const anyTold = (kind: Kind): fc.Arbitrary<Body> =>
  anyValue(newest(kind), '', narrow(kind)) as fc.Arbitrary<Body>;

const kebab = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The command line that says it: whole names, or the last part alone. */
const flagsOf = (body: object, isWhole: boolean, inside = ''): readonly string[] =>
  Object.entries(body).flatMap(([name, inner]: readonly [string, unknown]): readonly string[] => {
    const flag = `--${isWhole ? inside : ''}${kebab(name)}`;
    if (inner === null || inner === undefined || inner === false || inner === '') return [];
    if (inner === true) return [flag];
    if (Array.isArray(inner)) return inner.map((item) => `${flag}=${itemText(item)}`);
    if (typeof inner === 'object') return flagsOf(inner, isWhole, `${inside}${kebab(name)}.`);
    return [`${flag}=${typeof inner === 'string' ? inner : JSON.stringify(inner)}`];
  });

const itemText = (item: unknown): string => {
  if (typeof item === 'string') return item;
  const { name, value: worth } = item as { readonly [part: string]: string };
  // Either mark ends the name of a label.
  const isShort = name !== undefined && !/[:=]/u.test(name) && !name.trimStart().startsWith('{');
  return isShort ? `${name}=${worth}` : JSON.stringify(item);
};

const draftOf = async (args: readonly string[], json: Body | null): Promise<unknown> => {
  const request = value(parseCommandLine(['emit', ...args], commands));
  if (request.ask !== 'run') throw new TypeError('help was not asked for');
  const drafted = await draftJson(
    {
      readPieces: async function* () {
        if (json === null) throw new TypeError('flags alone read nothing');
        yield Buffer.from(JSON.stringify(json)).toString('latin1');
      },
      tools,
      ids: createMemoryIds('emit', () => 0),
      clock: { nowMs: () => 1000, sleep: async () => undefined },
      settings: value(parseSettings({})),
      bodyFiller: async () => filler,
      shapeFields: async () => shapeFields(),
    },
    request.given,
  );
  if (!drafted.ok) return drafted.problem;
  const { place, ...draft } = drafted.value;
  return { ...draft, place: value(await place(null)) };
};

describe.each(told)('a %s', (kind) => {
  test('told by flags is what the same JSON tells', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(anyTold(kind), fc.boolean(), async (body, isWhole) => {
        const byJson = await draftOf([kind], body);
        expect(await draftOf([`--kind=${kind}`, ...flagsOf(body, isWhole)], null)).toEqual(byJson);
        if (byJson !== null && typeof byJson === 'object' && 'fields' in byJson) taken++;
      }),
      { numRuns: 25 },
    );
    // Not two refusals that are alike.
    expect(taken).toBeGreaterThan(10);
  });

  test('told by flags over other JSON is what the flags tell', async () => {
    await fc.assert(
      fc.asyncProperty(anyTold(kind), anyTold(kind), async (body, other) => {
        const flags = flagsOf(body, true);
        // What stands in the other alone stays: it is told here, too.
        const both = merged(other, body);
        expect(await draftOf([kind, '--from-json=-', ...flags], other)).toEqual(
          await draftOf([kind], both),
        );
      }),
      { numRuns: 15 },
    );
  });
});

/** The second over the first, but for what no flag can say: nothing, false and no items. */
const merged = (under: object, over: object): Body =>
  Object.fromEntries([
    ...Object.entries(under),
    ...Object.entries(over).flatMap(([name, inner]: readonly [string, unknown]) => {
      if (inner === null || inner === undefined || inner === false || inner === '') return [];
      if (Array.isArray(inner)) return inner.length === 0 ? [] : [[name, inner] as const];
      if (typeof inner !== 'object') return [[name, inner] as const];
      const below: unknown = (under as Body)[name];
      return [[name, typeof below === 'object' && below !== null ? merged(below, inner) : inner]];
    }),
  ]);
