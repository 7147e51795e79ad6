import { asideRefusal } from '../../core/aside-fault.ts';
import { fail, ok } from '../../core/result.ts';
import { rowFault } from '../../core/row-fault.ts';
import { stepRefusal } from '../../core/step-refusal.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';
import type {
  Checkpoint,
  Generation,
  ReadModelStore,
  Refused,
  RowWrite,
  ScanRange,
  Step,
  StoreProblem,
  WalkedRows,
} from '../../ports/read-model-store.ts';

/** One read model's rows. `sortedKeys` is undefined while it is out of date. */
type Model = { readonly rows: Map<string, string>; sortedKeys: readonly string[] | undefined };
type Held = { checkpoint: Checkpoint; readonly models: Map<string, Model> };

/** Read models in the memory of one process, for tests and simulation. */
export const createMemoryReadModelStore = (options: {
  /** The read models that `scan` can walk in the order of their keys. */
  readonly orderedModels: readonly string[];
  /** `memory` unless told. */
  readonly name?: string;
}): ReadModelStore => {
  const generations = new Map<Generation, Held>();
  const ordered = new Set(options.orderedModels);
  const aside: Model = { rows: new Map(), sortedKeys: undefined };
  let current: Generation | undefined;
  let closed = false;

  const refused = (message: string): { ok: false; problem: StoreProblem } =>
    fail({ code: 'refused', message });

  /** Every answer waits its turn, as it would behind a wire, and a closed store answers nothing. */
  const answer = async <Value>(
    work: () => Value,
  ): Promise<Value | { ok: false; problem: StoreProblem }> =>
    closed ? fail({ code: 'unreachable', message: 'the store is closed' }) : work();

  const commit = (
    generation: Generation,
    step: Step,
  ): { ok: true; value: 'committed' | Refused } | { ok: false; problem: StoreProblem } => {
    const faulty = step.writes.find((write) => rowFault(write) !== undefined);
    if (faulty !== undefined)
      return refused(`${rowFault(faulty)} in a row of ${JSON.stringify(faulty.model)}`);
    const held = generations.get(generation);
    const refusal = stepRefusal(held?.checkpoint, step);
    if (refusal !== undefined) return ok({ refused: refusal, stored: held?.checkpoint });
    const models = held?.models ?? new Map<string, Model>();
    const isThere = ({ model, key, isNew }: RowWrite): boolean =>
      isNew === true && models.get(model)?.rows.has(key) === true;
    if (step.writes.some(isThere)) return ok({ refused: 'row-there', stored: held?.checkpoint });
    for (const write of step.writes) writeRow(models, write);
    generations.set(generation, { checkpoint: step.to, models });
    return ok('committed');
  };

  return {
    name: options.name ?? 'memory',
    current: () => answer(() => ok(current)),
    switchTo: (expected, generation) =>
      answer(() => {
        if (current !== expected) return ok(false);
        current = generation;
        return ok(true);
      }),
    generations: () => answer(() => ok([...generations.keys()].toSorted(compareUtf8))),
    drop: (generation) =>
      answer(() => {
        if (generation === current) return refused(`${generation} is the one that readers use`);
        generations.delete(generation);
        return ok(undefined);
      }),
    checkpoint: (generation) => answer(() => ok(generations.get(generation)?.checkpoint)),
    rows: (generation, keys) =>
      answer(() => {
        const held = generations.get(generation);
        const rows = new Map<string, string>();
        for (const { model, key } of keys) {
          const value = held?.models.get(model)?.rows.get(key);
          if (value !== undefined) rows.set(`${model}\n${key}`, value);
        }
        return ok({ checkpoint: held?.checkpoint, rows });
      }),
    scan: (generation, model, range) =>
      answer(() => {
        if (!ordered.has(model)) return refused(`read model ${model} is not kept in order`);
        const held = generations.get(generation);
        const found = held?.models.get(model);
        return ok({
          checkpoint: held?.checkpoint,
          rows: found === undefined ? [] : scanRows(found, range),
        });
      }),
    commit: (generation, step) => answer(() => commit(generation, step)),
    walk: (generation, cursor, rowsMax) =>
      answer(() => ok(walkRows(generations.get(generation)?.models, cursor, rowsMax))),
    counts: (generation) =>
      answer(() => {
        const models = [...(generations.get(generation)?.models ?? [])];
        return ok(
          new Map(
            models.flatMap(([model, { rows }]) => (rows.size === 0 ? [] : [[model, rows.size]])),
          ),
        );
      }),
    dump: (generation) =>
      answer(() => {
        const models = [...(generations.get(generation)?.models ?? [])];
        const lines = models.flatMap(([model, { rows }]) =>
          [...rows].map(([key, value]) => `${model}\n${key}\n${value}`),
        );
        return ok(lines.toSorted(compareUtf8));
      }),
    aside: {
      read: (keys) =>
        answer(() => {
          const found = new Map<string, string>();
          for (const key of keys) {
            const value = aside.rows.get(key);
            if (value !== undefined) found.set(key, value);
          }
          return ok(found);
        }),
      write: (entries) =>
        answer(() => {
          const refusal = asideRefusal(entries);
          if (refusal !== undefined) return refused(refusal);
          for (const { key, value } of entries) writeEntry(aside, key, value);
          return ok(undefined);
        }),
      scan: (range) => answer(() => ok(scanRows(aside, range))),
    },
    close: async () => {
      closed = true;
    },
  };
};

const writeRow = (models: Map<string, Model>, { model: name, key, value }: RowWrite): void => {
  const model = models.get(name) ?? { rows: new Map<string, string>(), sortedKeys: undefined };
  models.set(name, model);
  writeEntry(model, key, value);
};

const writeEntry = (model: Model, key: string, value: string | null): void => {
  if (value === null ? model.rows.delete(key) : !model.rows.has(key)) model.sortedKeys = undefined;
  if (value !== null) model.rows.set(key, value);
};

const scanRows = (model: Model, range: ScanRange): { key: string; value: string }[] => {
  const { prefix = '', after, newestFirst = false, rowsMax } = range;
  const keys = newestFirst ? sorted(model).toReversed() : sorted(model);
  const rows: { key: string; value: string }[] = [];
  for (const key of keys) {
    if (rows.length >= rowsMax) break;
    if (!key.startsWith(prefix) || !isPast(key, after, newestFirst)) continue;
    const value = model.rows.get(key);
    if (value !== undefined) rows.push({ key, value });
  }
  return rows;
};

/** The cursor names the model and the last of its keys, sorted, that was brought already; null: none yet. */
const walkRows = (
  models: ReadonlyMap<string, Model> | undefined,
  cursor: string | undefined,
  rowsMax: number,
): WalkedRows => {
  const names = [...(models?.keys() ?? [])];
  const [name = names[0], after = null] =
    cursor === undefined ? [] : (JSON.parse(cursor) as [string, string | null]);
  const model = name === undefined ? undefined : models?.get(name);
  if (name === undefined || model === undefined) return { rows: [], cursor: undefined };
  const keys = sorted(model);
  const from = after === null ? 0 : placeBehind(keys, after);
  const rows = keys
    .slice(from, from + rowsMax)
    .map((key) => ({ model: name, key, value: model.rows.get(key) ?? '' }));
  const nextName = names[names.indexOf(name) + 1];
  const next = from + rowsMax < keys.length ? [name, rows.at(-1)?.key ?? null] : [nextName, null];
  return { rows, cursor: next[0] === undefined ? undefined : JSON.stringify(next) };
};

/** Where the keys begin that sort behind this one, which may be gone by now. */
const placeBehind = (keys: readonly string[], after: string): number => {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareUtf8(keys[middle] ?? '', after) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
};

const sorted = (model: Model): readonly string[] => {
  model.sortedKeys ??= [...model.rows.keys()].toSorted(compareUtf8);
  return model.sortedKeys;
};

const isPast = (key: string, mark: string | undefined, newestFirst: boolean): boolean => {
  if (mark === undefined) return true;
  const order = compareUtf8(key, mark);
  return newestFirst ? order < 0 : order > 0;
};
