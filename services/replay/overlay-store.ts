import { address } from '../core/projection.ts';
import { fail, ok } from '../core/result.ts';
import { stepRefusal } from '../core/step-refusal.ts';
import type { Checkpoint, Generation, ReadModelStore } from '../ports/read-model-store.ts';

/**
 * A generation as it would be: reads come from the store, writes stay here, so that a fold can be tried without
 * anybody hearing of it. It holds one state of the store, the one at `base`: when that moves on every read
 * answers `unreachable`, and whoever tries begins anew.
 */
export const overlayStore = (
  store: ReadModelStore,
  generation: Generation,
  base: Checkpoint,
): ReadModelStore => {
  let checkpoint = base;
  const written = new Map<string, string | null>();
  const movedOn = fail({
    code: 'unreachable',
    message: `the read models moved on from ${base.next} while a fold was tried on them`,
  } as const);
  const isBase = (other: Checkpoint | undefined): boolean =>
    other?.next === base.next && other.lastDigest === base.lastDigest;

  const readRows: ReadModelStore['rows'] = async (_generation, keys) => {
    const read = await store.rows(generation, keys);
    if (!read.ok) return read;
    if (!isBase(read.value.checkpoint)) return movedOn;
    const rows = new Map(read.value.rows);
    for (const { model, key } of keys) {
      const value = written.get(address(model, key));
      if (value === null) rows.delete(address(model, key));
      else if (value !== undefined) rows.set(address(model, key), value);
    }
    return ok({ checkpoint, rows });
  };

  return {
    ...store,
    checkpoint: async () => ok(checkpoint),
    rows: readRows,
    scan: async (_generation, model, range) => {
      const read = await store.scan(generation, model, range);
      if (!read.ok) return read;
      if (!isBase(read.value.checkpoint)) return movedOn;
      // A fold scans only when it begins, and then nothing is written here yet.
      if ([...written.keys()].some((at) => at.startsWith(`${model}\n`)))
        return fail({ code: 'refused', message: `${model} was written to while a fold was tried` });
      return ok({ checkpoint, rows: read.value.rows });
    },
    commit: async (_generation, step) => {
      const refusal = stepRefusal(checkpoint, step);
      if (refusal !== undefined) return ok({ refused: refusal, stored: checkpoint });
      const there = await readRows(
        generation,
        step.writes.filter(({ isNew }) => isNew === true),
      );
      if (!there.ok) return there;
      if (there.value.rows.size > 0) return ok({ refused: 'row-there', stored: checkpoint });
      for (const { model, key, value } of step.writes) written.set(address(model, key), value);
      checkpoint = step.to;
      return ok('committed');
    },
    walk: async () => fail({ code: 'refused', message: 'what is tried is not walked through' }),
    dump: async () => fail({ code: 'refused', message: 'what is tried is not dumped' }),
    aside: { ...store.aside, write: async () => ok(undefined) },
    switchTo: async () => ok(false),
    drop: async () =>
      fail({ code: 'refused', message: 'nothing is dropped while a fold is tried' }),
    close: async () => undefined,
  };
};
