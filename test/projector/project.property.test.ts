import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Deployment } from '../../services/core/deployment.ts';
import type { LogRecord } from '../../services/core/log/record.ts';
import type { DeadLetter } from '../../services/core/dead-letters.ts';
import type { FoldState, Outcome } from '../../services/core/projection.ts';
import type { MarkerRow } from '../../services/core/row-forms/marker.ts';
import { readRow } from '../../services/core/row-text.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import { applyBatch, loadState } from '../../services/projector/project.ts';
import type { Step } from '../support/given.ts';
import { emptyStore, portsOf, recordsOf } from '../support/given.ts';
import { cutsOf, histories } from '../support/histories.ts';
import { value } from '../support/records.ts';

const history = histories({ stepsMax: 60 });
const runs = { numRuns: 25 };

type Folding = {
  readonly outcomes: readonly Outcome[];
  /** The state before each batch, and after the last one. */
  readonly states: readonly (FoldState | undefined)[];
};

/** Brokers give append times that now and then go back. */
const wobbling = async (steps: readonly Step[]): Promise<readonly LogRecord[]> =>
  (await recordsOf(...steps)).map((record) =>
    record.position % 5 === 4 ? { ...record, appendedAtMs: record.appendedAtMs - 7000 } : record,
  );

const batches = (records: readonly LogRecord[], cuts: readonly number[]) =>
  [0, ...cuts].map((from, index) => records.slice(from, cuts[index] ?? records.length));

/** Folds in batches; `restarts`: the state is read back from the rows before each. */
const foldInto = async (
  store: ReadModelStore,
  generation: string,
  records: readonly LogRecord[],
  cuts: readonly number[] = [],
  restarts = false,
): Promise<Folding> => {
  const ports = portsOf(store);
  const outcomes: Outcome[] = [];
  const states: (FoldState | undefined)[] = [undefined];
  for (const batch of batches(records, cuts)) {
    const state = restarts ? value(await loadState(ports, generation)) : states.at(-1);
    const applied = value(await applyBatch(ports, generation, state, batch));
    outcomes.push(...applied.outcomes);
    states.push(applied.state);
  }
  return { outcomes, states };
};

const dumpOf = async (store: ReadModelStore, generation = 'g') =>
  value(await store.dump(generation));
const foldedDump = async (records: readonly LogRecord[]) => {
  const store = emptyStore();
  const { outcomes } = await foldInto(store, 'g', records);
  return { store, outcomes, dump: await dumpOf(store) };
};

describe('a pure fold', () => {
  test('any batching, and any restart between batches, gives the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.infiniteStream(fc.nat()), async (steps, numbers) => {
        const records = await wobbling(steps);
        const whole = await foldedDump(records);
        const [cuts = []] = fc.sample(cutsOf(records.length), {
          numRuns: 1,
          seed: numbers.next().value ?? 0,
        });
        for (const restarts of [false, true]) {
          const store = emptyStore();
          const { outcomes } = await foldInto(store, 'g', records, cuts, restarts);
          expect(await dumpOf(store)).toEqual(whole.dump);
          expect(outcomes.map(withoutChange)).toEqual(whole.outcomes.map(withoutChange));
        }
      }),
      runs,
    );
  });

  test('one record at a time gives the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const records = await wobbling(steps);
        const store = emptyStore();
        const everywhere = records.slice(1).map(({ position }) => position);
        await foldInto(store, 'g', records, everywhere, true);
        expect(await dumpOf(store)).toEqual((await foldedDump(records)).dump);
      }),
      { numRuns: 15 },
    );
  });

  test('live is rebuilt: a generation beside it, folded anew, has the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat({ max: 50 }), async (steps, cut) => {
        const records = await wobbling(steps);
        const store = emptyStore();
        const cuts = [Math.min(cut + 1, records.length - 1)];
        await foldInto(store, 'live', records, cuts);
        await foldInto(store, 'rebuilt', records);
        expect(await dumpOf(store, 'rebuilt')).toEqual(await dumpOf(store, 'live'));
      }),
      runs,
    );
  });
});

describe('a zombie', () => {
  test('that applies an old batch, or a new one from an old state, changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat({ max: 40 }), async (steps, cut) => {
        const records = await wobbling(steps);
        const store = emptyStore();
        const at = 1 + (cut % (records.length - 1));
        const { states } = await foldInto(store, 'g', records, [at]);
        const before = await dumpOf(store);
        const ports = portsOf(store);
        for (const state of states.slice(0, -1)) {
          const from = state?.next ?? 0;
          for (const to of [from + 1, records.length]) {
            const answer = await applyBatch(ports, 'g', state, records.slice(from, to));
            expect(answer).toMatchObject({ ok: false, problem: { code: 'gap' } });
          }
        }
        expect(await dumpOf(store)).toEqual(before);
      }),
      runs,
    );
  });

  test('cannot win against another: of two that apply the same batch one commits', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const records = await wobbling(steps);
        const store = emptyStore();
        const half = Math.ceil(records.length / 2);
        const { states } = await foldInto(store, 'g', records.slice(0, half));
        const ports = portsOf(store);
        const rest = records.slice(half);
        const lengths = [rest.length, Math.ceil(rest.length / 2)].filter((length) => length > 0);
        const answers = await Promise.all(
          lengths.map((length) => applyBatch(ports, 'g', states.at(-1), rest.slice(0, length))),
        );
        expect(answers.filter(({ ok }) => ok).length).toBe(Math.min(1, lengths.length));
        const { next } = value(await store.checkpoint('g')) ?? { next: 0 };
        if (next < records.length)
          await applyBatch(ports, 'g', value(await loadState(ports, 'g')), records.slice(next));
        expect(await dumpOf(store)).toEqual((await foldedDump(records)).dump);
      }),
      runs,
    );
  });

  test('of another log is told so', async () => {
    const store = emptyStore();
    const records = await recordsOf();
    const { states } = await foldInto(store, 'g', records);
    const state = states.at(-1);
    if (state === undefined) throw new Error('there is no state');
    const elsewhere = { ...state, trust: { ...state.trust, logId: 'another' } };
    const further = (await recordsOf(...[{ trusts: 'ci' }])).slice(1);
    const answer = await applyBatch(portsOf(store), 'g', elsewhere, further);
    expect(answer).toMatchObject({ ok: false, problem: { code: 'foreign-log' } });
  });
});

describe('no record is lost', () => {
  test('every position is applied, a circumstance, a duplicate, trust or a dead letter, and exactly one of them', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const records = await wobbling(steps);
        const { outcomes, dump } = await foldedDump(records);
        expect(outcomes.map(({ position }) => position)).toEqual(
          records.map(({ position }) => position),
        );
        const rows = rowsOf(dump);
        const letters = rows
          .filter(({ model }) => model === 'dead-letter')
          .map(({ json }) => JSON.parse(json) as DeadLetter);
        const told = rows
          .filter(({ model }) => model === 'deployment')
          .flatMap(({ json }) => readRow<Deployment>('deployment', json).attempts)
          .flatMap(({ entries }) => entries.map(({ position }) => position));
        const places = new Map<number, string[]>();
        const put = (position: number, where: string) =>
          places.set(position, [...(places.get(position) ?? []), where]);
        for (const position of told) put(position, 'history');
        for (const { model, key } of rows)
          if (model === 'circumstance') put(Number(key), 'circumstance');
        // An update that its plan expelled left the history and became a dead letter without a digest.
        for (const { position, digest } of letters)
          put(position, digest === null ? 'expelled' : 'dead letter');
        for (const { position, outcome } of outcomes) {
          const allowed = {
            applied: ['history', 'expelled'],
            circumstance: ['circumstance'],
            'dead-letter': ['dead letter'],
          };
          const where = places.get(position)?.join(' and ') ?? 'nowhere';
          const may = outcome in allowed ? allowed[outcome as keyof typeof allowed] : ['nowhere'];
          expect(may).toContain(where);
        }
        expect(places.size).toBe(
          outcomes.filter(({ outcome }) =>
            ['applied', 'circumstance', 'dead-letter'].includes(outcome),
          ).length,
        );
      }),
      runs,
    );
  });

  test('only what stands in a history or is a circumstance is in the index of markers', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const { dump, outcomes } = await foldedDump(await wobbling(steps));
        const rows = rowsOf(dump);
        const letters = rows
          .filter(({ model }) => model === 'dead-letter')
          .map(({ key }) => Number(key));
        const applied = outcomes
          .filter(
            ({ outcome, position }) =>
              outcome === 'circumstance' || (outcome === 'applied' && !letters.includes(position)),
          )
          .map(({ position }) => position);
        const indexed = rows
          .filter(({ model }) => model === 'marker')
          .map(({ json }) => readRow<MarkerRow>('marker', json).position);
        expect(indexed.toSorted((a, b) => a - b)).toEqual(applied);
      }),
      runs,
    );
  });
});

describe('twice is once', () => {
  test('every record twice in a row: the same rows, but for the dead letters of the second copies', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const records = await wobbling(steps);
        const doubled = records.flatMap((record) => [
          { ...record, position: 2 * record.position },
          { ...record, position: 2 * record.position + 1 },
        ]);
        const once = await foldedDump(records);
        const twice = await foldedDump(doubled);
        const isSecondLetter = ({ model, key }: Row) =>
          model === 'dead-letter' && Number(key) % 2 === 1;
        const firsts = rowsOf(twice.dump).filter((row) => !isSecondLetter(row));
        expect(firsts.map(halved)).toEqual(rowsOf(once.dump).map(asNumbers));
        const refused = once.outcomes.filter(({ outcome }) => outcome === 'dead-letter');
        expect(rowsOf(twice.dump).filter(isSecondLetter)).toHaveLength(refused.length);
      }),
      runs,
    );
  });

  test('what was accepted, appended again at the end, changes no row but the dead letters and the time', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const records = await wobbling(steps);
        const once = await foldedDump(records);
        const lettered = new Set(
          rowsOf(once.dump)
            .filter(({ model }) => model === 'dead-letter')
            .map(({ key }) => Number(key)),
        );
        // A refused record, and an expelled one, is judged anew: that is what a redrive is for. So is what repeats it.
        const bytes = ({ value: body }: LogRecord): string => Buffer.from(body).toString('latin1');
        const refused = new Set(
          records.filter(({ position }) => lettered.has(position)).map(bytes),
        );
        const accepted = records.filter((record) => !refused.has(bytes(record)));
        const time = records.at(-1)?.appendedAtMs ?? 0;
        const again = accepted.map((record, index) => ({
          ...record,
          position: records.length + index,
          appendedAtMs: time + index,
        }));
        const twice = await foldedDump([...records, ...again]);
        const kept = ({ model }: Row) => model !== 'dead-letter' && model !== 'log';
        expect(rowsOf(twice.dump).filter(kept)).toEqual(rowsOf(once.dump).filter(kept));
        // The key of the signer or of the deliverer may have ended since.
        const codes = twice.outcomes
          .slice(records.length)
          .map((one) => (one.outcome === 'dead-letter' ? one.code : one.outcome));
        expect(['duplicate', 'key-retired', 'key-compromised', 'waited-bad']).toEqual(
          expect.arrayContaining(codes),
        );
      }),
      runs,
    );
  });
});

test('a batch that skips a record, or repeats one, is a fault of the program', async () => {
  const records = await recordsOf({ trusts: 'ci' }, { trusts: 'prod' });
  const store = emptyStore();
  const { states } = await foldInto(store, 'g', records.slice(0, 1));
  for (const batch of [records.slice(2), records.slice(0, 2), [...records.slice(1), ...records]])
    await expect(applyBatch(portsOf(store), 'g', states.at(-1), batch)).rejects.toThrow(
      'to be folded',
    );
  expect(value(await store.checkpoint('g'))?.next).toBe(1);
});

test('the state that is read back is the state that was carried', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const records = await wobbling(steps);
      const store = emptyStore();
      const { states } = await foldInto(store, 'g', records);
      const loaded = value(await loadState(portsOf(store), 'g'));
      const plain = (state: FoldState | undefined) =>
        state && {
          ...state,
          trust: {
            logId: state.trust.logId,
            keys: Object.fromEntries(state.trust.keys),
            markers: Object.fromEntries(state.trust.markers),
          },
        };
      expect(plain(loaded)).toEqual(plain(states.at(-1)));
    }),
    { numRuns: 30 },
  );
});

test('histories meet every outcome', async () => {
  const seen = new Set<string>();
  for (const steps of fc.sample(history, { numRuns: 60, seed: 7 })) {
    const { outcomes } = await foldedDump(await wobbling(steps));
    for (const one of outcomes)
      seen.add(
        one.outcome === 'applied'
          ? one.note
          : one.outcome === 'dead-letter'
            ? one.code
            : one.outcome,
      );
  }
  expect([...seen].toSorted()).toEqual(
    expect.arrayContaining([
      ...['applied', 'repeat', 'late', 'contradiction', 'disagreement', 'trust', 'duplicate'],
      ...['conflict', 'out-of-scope', 'role-missing', 'kind-not-allowed', 'signature-bad'],
      ...['header-missing', 'key-retired', 'key-compromised', 'waited-bad'],
      ...['deployment-unknown', 'decision-misplaced', 'circumstance'],
      ...['not-deployed', 'not-released'],
    ]),
  );
});

type Row = { readonly model: string; readonly key: string; readonly json: string };

const rowsOf = (dump: readonly string[]): readonly Row[] =>
  dump.map((line) => {
    const [model = '', key = '', json = ''] = line.split('\n');
    return { model, key, json };
  });

const withoutChange = (outcome: Outcome) => {
  const { change: _change, ...rest } = outcome as Outcome & { change?: unknown };
  return rest;
};

const positionFields = new Set([
  ...[
    'position',
    'statusPosition',
    'openedAt',
    'first',
    'firstPosition',
    'lastPosition',
    'highestPosition',
    'repeatedAt',
    'addedAt',
    'retiredAt',
  ],
]);

/** The row with every position halved: what it would be had each record been appended once. */
const halved = ({ model, key, json }: Row) =>
  shown(model, key, json, (position) => Math.floor(position / 2));
const asNumbers = ({ model, key, json }: Row) => shown(model, key, json, (position) => position);

const shown = (model: string, key: string, json: string, map: (position: number) => number) => {
  const isNumbered = ['timeline', 'decision', 'dead-letter', 'remark', 'circumstance'].includes(
    model,
  );
  const row = JSON.stringify(readRow(model, json));
  const mapped = JSON.parse(row, function (this: unknown, name: string, field: unknown) {
    if (name === 'recent') return (field as number[]).map(map);
    if (typeof field !== 'number') return field;
    const isFound =
      name === 'at' &&
      Object.hasOwn(this as object, 'since') &&
      !Object.hasOwn(this as object, 'principal');
    return positionFields.has(name) || (isFound && model === 'trust') ? map(field) : field;
  }) as unknown;
  const message = (text: string) =>
    text.replace(
      /position (\d+)/g,
      (_all, position: string) => `position ${map(Number(position))}`,
    );
  return [model, isNumbered ? map(Number(key)) : key, message(JSON.stringify(mapped))];
};
