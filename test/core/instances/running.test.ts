import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instanceKeptMs } from '../../../services/core/instances/instance.ts';
import type { InstanceStarted } from '../../../services/core/instances/instance.ts';
import type { Members, SlotInstances } from '../../../services/core/instances/running.ts';
import {
  bucketKey,
  bucketKeysOf,
  evolveRunning,
  groupsMax,
  namedMax,
} from '../../../services/core/instances/running.ts';
import { slotKey } from '../../../services/core/markers/slot.ts';
import { tools } from '../../support/given.ts';
import { started } from '../../support/instances.ts';

const sha256Hex = (text: string): string => tools.crypto.sha256Hex(tools.text.encodeUtf8(text));

/** One slot's rows after starts, a second apart unless told. */
const heard = (
  ...starts: readonly (InstanceStarted | { readonly at: number; readonly start: InstanceStarted })[]
): { readonly slot: SlotInstances; readonly rows: ReadonlyMap<string, Members> } => {
  let slot: SlotInstances | undefined;
  const rows = new Map<string, Members>();
  let atMs = 0;
  for (const [position, said] of starts.entries()) {
    atMs = 'at' in said ? said.at : atMs + 1000;
    const instance = 'at' in said ? said.start : said;
    const key = bucketKey(slotKey(instance.slot), instance.instance);
    const after = evolveRunning(sha256Hex, slot, rows.get(key), { instance, position, atMs });
    slot = after.slot;
    rows.set(key, after.members);
  }
  if (slot === undefined) throw new RangeError('nothing started');
  return { slot, rows };
};

const counts = ({ groups }: SlotInstances): readonly string[] =>
  groups.map(({ version, zone, instances }) => `${version} ${zone ?? 'nowhere'} ${instances}`);

test('instances are counted by version, digest and place', () => {
  const { slot } = heard(
    started('a', { zone: 'eu-1' }),
    started('b', { zone: 'eu-1' }),
    started('c', { zone: 'eu-2' }),
    started('d', { version: '1.9.4', zone: 'eu-2' }),
  );
  expect(counts(slot)).toEqual(['2.0.0 eu-1 2', '2.0.0 eu-2 1', '1.9.4 eu-2 1']);
  expect(slot).toMatchObject({ instances: 4, uncounted: 0, firstAt: 1000, lastAt: 4000 });
  expect(slot.groups[0]).toMatchObject({ firstAt: 1000, lastAt: 2000, lastInstance: 'b' });
});

test('the same instance again is one, and stands where it was heard of last', () => {
  const { slot } = heard(
    started('web-0', { version: '1.9.4' }),
    started('web-1', { version: '1.9.4' }),
    started('web-0'),
    started('web-0'),
  );
  expect(counts(slot)).toEqual(['1.9.4 nowhere 1', '2.0.0 nowhere 1']);
});

test('a version that nobody runs any more is gone', () => {
  expect(counts(heard(started('a', { version: '1.9.4' }), started('a')).slot)).toEqual([
    '2.0.0 nowhere 1',
  ]);
});

describe('above the number that is remembered by name', () => {
  const many = Array.from({ length: namedMax + 500 }, (_, index) => started(`pod-${index}`));

  test('counts stay exact, and nothing is counted twice', () => {
    const { slot, rows } = heard(...many, ...many);
    expect(slot).toMatchObject({ instances: namedMax + 500, uncounted: 0 });
    const names = [...rows.values()].flatMap((members) => Object.keys(members));
    expect(names.filter((name) => name.startsWith('='))).toHaveLength(namedMax);
    expect(names.filter((name) => name.startsWith('#'))).toHaveLength(500);
  });

  test('every row that instances stand in is one that a reader knows', () => {
    const { rows } = heard(...many);
    const known = new Set(bucketKeysOf(slotKey(started('a').slot)));
    expect([...rows.keys()].filter((key) => !known.has(key))).toEqual([]);
  });
});

test('what has more versions and places than are told apart is not counted, and that is said', () => {
  const versions = Array.from({ length: groupsMax + 5 }, (_, index) =>
    started(`pod-${index}`, { version: `v${index}` }),
  );
  const { slot } = heard(...versions);
  expect(slot.groups).toHaveLength(groupsMax);
  expect(slot).toMatchObject({ instances: groupsMax, uncounted: 5 });
});

test('what nobody heard of for long is forgotten', () => {
  const { slot } = heard(
    { at: 0, start: started('old', { version: '1.0.0' }) },
    { at: 1000, start: started('new') },
    { at: instanceKeptMs + 500, start: started('new') },
  );
  expect(counts(slot)).toEqual(['2.0.0 nowhere 1']);
});

test('whatever is heard in whatever order, each instance counts once: where it was heard of last', () => {
  const said = fc.record({
    instance: fc.constantFrom('a', 'b', 'c', 'd', 'e', '__proto__'),
    version: fc.constantFrom('1.0.0', '2.0.0'),
    digest: fc.constantFrom(null, started('a').digest),
    zone: fc.constantFrom(null, 'eu-1'),
  });
  fc.assert(
    fc.property(fc.array(said, { minLength: 1, maxLength: 60 }), (all) => {
      const { slot } = heard(...all.map(({ instance, ...over }) => started(instance, over)));
      const last = new Map(all.map(({ instance, ...place }) => [instance, JSON.stringify(place)]));
      const expected: Record<string, number> = {};
      for (const place of last.values()) expected[place] = (expected[place] ?? 0) + 1;
      const counted = Object.fromEntries(
        slot.groups.map(({ version, digest, zone, instances }) => [
          JSON.stringify({ version, digest, zone }),
          instances,
        ]),
      );
      expect(counted).toEqual(expected);
      expect(slot.instances).toBe(last.size);
    }),
  );
});
