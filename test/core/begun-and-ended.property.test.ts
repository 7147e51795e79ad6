import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Outcome, Saying, Sayings } from '../../services/core/begun-and-ended.ts';
import { afterSaying } from '../../services/core/begun-and-ended.ts';
import type { CircumstanceRow, NotedRow } from '../../services/core/circumstances.ts';
import { notedSlotKey } from '../../services/core/circumstances.ts';
import { positionKey } from '../../services/core/read-models.ts';
import { by, given } from '../support/given.ts';
import { changed, place } from '../support/markers.ts';

// Whatever order beginnings and ends come in, they are told in the order in which they count.

type Said = { readonly name: string; readonly isEnd: boolean; readonly voice: string | null };

/** In the order in which they count. */
const sayings = (voices: readonly (string | null)[]): fc.Arbitrary<readonly Said[]> =>
  fc.array(
    fc.record({
      name: fc.constantFrom('INC-1', 'INC-2'),
      isEnd: fc.boolean(),
      voice: fc.constantFrom(...voices),
    }),
    { minLength: 2, maxLength: 7 },
  );

const inAnyOrder = (
  voices: readonly (string | null)[],
): fc.Arbitrary<{ readonly told: readonly Said[]; readonly order: readonly number[] }> =>
  sayings(voices).chain((told) =>
    fc
      .shuffledSubarray(
        told.map((_, index) => index),
        { minLength: told.length, maxLength: told.length },
      )
      .map((order) => ({ told, order })),
  );

/** What each came to, by its place in time; `open` likewise. */
const folded = (told: readonly Said[], order: readonly number[]): unknown => {
  let kept: Required<Sayings> = { open: [], over: [] };
  const outcomes = new Map<number, Outcome>();
  const timeOf = (position: number): number => order[position] ?? -1;
  for (const [position, at] of order.entries()) {
    const { name, isEnd, voice } = told[at] as Said;
    const saying: Saying = { what: 'incident', name, position, at, onBehalf: voice };
    const after = afterSaying(kept, { is: isEnd ? 'end' : 'begin', what: 'incident' }, saying);
    for (const [other, outcome] of after.others) outcomes.set(timeOf(other), outcome);
    outcomes.set(at, after.outcome);
    kept = after.sayings;
  }
  return {
    open: kept.open.map(({ at }) => at),
    over: kept.over.map(({ at }) => at),
    outcomes: told.map((_, at) => {
      const { note, ended } = outcomes.get(at) ?? { note: 'none', ended: null };
      return [note, ended?.at ?? null];
    }),
  };
};

test('of keys and tokens: any order of arrival comes to the same', () => {
  fc.assert(
    fc.property(inAnyOrder([null, null, 'ci', 'deploy']), ({ told, order }) => {
      expect(folded(told, order)).toEqual(
        folded(
          told,
          told.map((_, index) => index),
        ),
      );
    }),
    { numRuns: 1000 },
  );
});

test('through the whole fold, where those that are late have waited', async () => {
  let changedLater = 0;
  await fc.assert(
    fc.asyncProperty(inAnyOrder([null]), fc.boolean(), async ({ told, order }, isMigration) => {
      const arrived = (at: readonly number[]): Promise<unknown> =>
        rowsAfter(told, at, isMigration ? 'migration' : 'incident');
      const inOrder = told.map((_, index) => index);
      expect(await arrived(order)).toEqual(await arrived(inOrder));
      if (order.some((at, index) => at !== index)) changedLater++;
    }),
    { numRuns: 40 },
  );
  expect(changedLater).toBeGreaterThan(10);
});

const kindsOf = {
  incident: ['incident-opened', 'incident-resolved'],
  migration: ['migration-started', 'migration-finished'],
} as const;

const rowsAfter = async (
  told: readonly Said[],
  order: readonly number[],
  what: keyof typeof kindsOf,
): Promise<unknown> => {
  const [begin, end] = kindsOf[what];
  const house = await given(
    ...order.map((at, index) => {
      const { name, isEnd } = told[at] as Said;
      const outcome = isEnd && what === 'migration' ? ({ outcome: 'succeeded' } as const) : {};
      return by('ci', changed(isEnd ? end : begin, name, outcome), {
        at: 1000 + index,
        waitedMs: (1000 + index - at * 10) * 1000,
      });
    }),
  );
  const rows = await Promise.all(
    order.map((_, index) => house.row<CircumstanceRow>('circumstance', positionKey(index + 2))),
  );
  const noted = await house.row<NotedRow>('noted', notedSlotKey(place('production')));
  return {
    rows: rows
      .map((row) => [row?.at, row?.kind, row?.name, row?.note, row?.ended?.at ?? null])
      .toSorted(([a], [b]) => Number(a) - Number(b)),
    open: noted?.open.map(({ name, at }) => [name, at]),
  };
};

test('what is kept of a voice is bounded, and takes nothing from others', () => {
  let kept: Required<Sayings> = { open: [], over: [] };
  const say = (name: string, is: 'begin' | 'end', at: number, onBehalf: string | null): void => {
    kept = afterSaying(
      kept,
      { is, what: 'incident' },
      {
        what: 'incident',
        ...{ name, position: at, at, onBehalf },
      },
    ).sayings;
  };
  say('mine', 'begin', 0, null);
  say('mine too', 'end', 1, null);
  for (let at = 2; at < 1000; at++) say(`other ${at}`, at % 2 === 0 ? 'begin' : 'end', at, 'ci');
  expect(kept.open.map(({ name }) => name)).toContain('mine');
  expect(kept.over.map(({ name }) => name)).toContain('mine too');
  expect(kept.open.length).toBeLessThanOrEqual(101);
  expect(kept.over.length).toBeLessThanOrEqual(51);
});
