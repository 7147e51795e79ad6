import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DeadLetter } from '../../services/core/dead-letters.ts';
import { letterState } from '../../services/core/dead-letters.ts';
import type { LogRecord } from '../../services/core/log/record.ts';
import type { FoldState, Outcome } from '../../services/core/projection.ts';
import { rowsDigestOf } from '../../services/core/rows-digest.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import { applyBatch, loadState } from '../../services/projector/project.ts';
import type { Step } from '../support/given.ts';
import {
  again,
  by,
  emptyStore,
  portsOf,
  raw,
  recordsOf,
  signed,
  tools,
  trusts,
} from '../support/given.ts';
import { cutsOf, histories } from '../support/histories.ts';
import { audience, logged, operated } from '../support/markers.ts';
import { operatedHistories } from '../support/operated-histories.ts';
import { pureFold } from '../support/pure-fold.ts';
import { value } from '../support/records.ts';

const history = operatedHistories({ stepsMax: 50 });

type Row = { readonly model: string; readonly key: string; readonly value: string };

type Folded = {
  readonly store: ReadModelStore;
  readonly outcomes: readonly Outcome[];
  readonly state: FoldState | undefined;
};

const folded = async (
  records: readonly LogRecord[],
  cuts: readonly number[] = [],
  restarts = false,
): Promise<Folded> => {
  const store = emptyStore();
  const ports = portsOf(store);
  const outcomes: Outcome[] = [];
  let state: FoldState | undefined;
  for (const [index, from] of [0, ...cuts].entries()) {
    if (restarts) state = value(await loadState(ports, 'g'));
    const batch = records.slice(from, cuts[index] ?? records.length);
    const applied = value(await applyBatch(ports, 'g', state, batch));
    outcomes.push(...applied.outcomes);
    ({ state } = applied);
  }
  return { store, outcomes, state };
};

const rowsOf = async (store: ReadModelStore): Promise<readonly Row[]> =>
  value(await store.dump('g')).map((line) => {
    const [model = '', key = '', ...rest] = line.split('\n');
    return { model, key, value: rest.join('\n') };
  });

describe('whatever operators do', () => {
  test('any batching, and any restart between batches, gives the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.infiniteStream(fc.nat()), async (steps, numbers) => {
        const records = await recordsOf(...steps);
        const expected = pureFold(records, audience).dumpAt(records.length);
        const seed = numbers.next().value ?? 0;
        const [some = []] = fc.sample(cutsOf(records.length), { numRuns: 1, seed });
        const everywhere = records.slice(1).map(({ position }) => position);
        for (const cuts of [[], some, everywhere])
          for (const restarts of [false, true]) {
            const { store } = await folded(records, cuts, restarts);
            expect(value(await store.dump('g'))).toEqual(expected);
          }
      }),
      { numRuns: 12 },
    );
  });

  test('the rows add up to the digest that rolled along', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const { store } = await folded(await recordsOf(...steps));
        const checkpoint = value(await store.checkpoint('g'));
        expect(checkpoint?.rowsDigest).toBe(rowsDigestOf(tools.crypto, await rowsOf(store)));
      }),
      { numRuns: 25 },
    );
  });

  test('each open letter is where somebody can find it, and each repeat leads to its first', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const { store, outcomes } = await folded(await recordsOf(...steps));
        const letters = new Map(
          (await rowsOf(store))
            .filter(({ model }) => model === 'dead-letter')
            .map(({ value: row }) => JSON.parse(row) as DeadLetter)
            .map((letter) => [letter.position, letter] as const),
        );
        // No operation makes a refused record vanish.
        const refused = outcomes.filter(({ outcome }) => outcome === 'dead-letter');
        expect(refused.filter(({ position }) => !letters.has(position))).toEqual([]);
        const astray = [...letters.values()].filter((letter) => {
          const first = letters.get(letter.redriveOf ?? letter.position);
          const isSame = first?.digest === letter.digest || first?.digest === null;
          return letterState(letter) === 'repeat' && (first?.redriveOf !== null || !isSame);
        });
        expect(astray).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });
});

test('what a redrive brought in, redriven again, changes nothing', async () => {
  const redrive = (positions: readonly number[]): readonly Step[] => [
    by('ops', operated('letters-redriven', { positions })),
    ...positions.map(again),
  ];
  const trusted = trusts('ops', { roles: ['operator'] });
  const unknown = raw(await signed('stranger', logged('9.0.0'), 'not known yet'));
  const runs = 40;
  let brought = 0;
  await fc.assert(
    fc.asyncProperty(histories({ stepsMax: 60 }), async (steps) => {
      // Keys that nobody knew are trusted by now.
      const late = [...steps, unknown, trusted, trusts('stranger'), trusts('newcomer')];
      const before = await folded(await recordsOf(...late));
      const open = (await rowsOf(before.store))
        .filter(({ model }) => model === 'dead-letter')
        .map(({ key }) => Number(key))
        .slice(0, 100);
      if (open.length === 0) return;
      const tried = await recordsOf(...late, ...redrive(open));
      const codes = (await folded(tried)).outcomes.slice(-open.length);
      const accepted = open.filter((_, index) => codes[index]?.outcome !== 'dead-letter');
      if (accepted.length === 0) return;
      brought += accepted.length;
      const once = await folded(await recordsOf(...late, ...redrive(accepted)));
      const twice = await folded(
        await recordsOf(...late, ...redrive(accepted), ...redrive(accepted)),
      );
      // What is told of letters, of operations and of the time apart.
      const told = async (fold: Folded): Promise<readonly Row[]> =>
        (await rowsOf(fold.store)).filter(
          ({ model, key }) =>
            !['dead-letter', 'operation', 'log'].includes(model) &&
            !(model === 'marker' && key.endsWith(':ops')),
        );
      expect(await told(twice)).toEqual(await told(once));
      const ends = twice.outcomes.slice(-accepted.length).map(({ outcome }) => outcome);
      expect(new Set(ends)).toEqual(new Set(['duplicate']));
    }),
    { numRuns: runs },
  );
  expect(brought).toBeGreaterThan(runs / 2);
});

test('operated histories meet every effect', async () => {
  const seen = new Set<string>();
  for (const steps of fc.sample(history, { numRuns: 140, seed: 16 })) {
    const { store } = await folded(await recordsOf(...steps));
    for (const { model, value: row } of await rowsOf(store)) {
      if (model === 'operation') {
        const { kind, effect } = JSON.parse(row) as {
          kind: string;
          effect: { done: number; refused: { code: string }[] } | null;
        };
        if ((effect?.done ?? 1) > 0) seen.add(kind);
        for (const { code } of effect?.refused ?? []) seen.add(code);
      }
      if (model === 'dead-letter') seen.add(letterState(JSON.parse(row) as DeadLetter));
    }
  }
  expect([...seen]).toEqual(
    expect.arrayContaining([
      ...['letters-redriven', 'letters-discarded', 'retention-set', 'deployments-forgotten'],
      ...['generation-switched', 'policy-set', 'open', 'discarded', 'repeat', 'redriven'],
      ...['unknown', 'letter-discarded', 'letter-repeat', 'too-young', 'not-ended', 'holds-slot'],
      ...['out-of-scope', 'conflict', 'suspect'],
      ...['decisions-stopped', 'decisions-resumed', 'not-stopped', 'not-frozen'],
      ...['decision-approved', 'decision-declined', 'not-asked'],
    ]),
  );
});
