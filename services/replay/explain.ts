import type { RecordFilter } from '../core/record-filter.ts';
import { address, currentFoldVersion } from '../core/projection.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { Position } from '../core/log/record.ts';
import type { Generation, RowKey } from '../ports/read-model-store.ts';
import type { GenerationDiff, ReplayProblem, RowDifference, Watch } from '../ports/replaying.ts';
import { loadCheckpoint, refuse, storeFailed } from './generations.ts';
import type { ReplayPorts } from './ports.ts';
import { foldedAtOnceMax } from './run.ts';

const pageRows = 500;
/** In the scratch store. */
const own: Generation = 'own';
/** Of remembered signature checks, how many are made again. */
const sampleShare = 0.05;

/** One side of a comparison, and what it is folded from. */
export type Explained = {
  readonly generation: Generation;
  readonly filter: RecordFilter | null;
};

/**
 * A filter explains a difference only where each side has the row that its own records make: what a filter leaves out
 * may also add rows or change them, so both are folded once more, and what comes out otherwise is damage.
 */
export const explainLeftOut = async (
  ports: ReplayPorts,
  diff: GenerationDiff,
  /** Null: it was folded just now, and is what its records make. */
  sides: { readonly first: Explained; readonly second: Explained | null },
  watch: Watch,
): Promise<Result<GenerationDiff, ReplayProblem>> => {
  const claimed = diff.differences.filter(({ why }) => why === 'left-out');
  const damaged = new Set<RowDifference>();
  for (const name of ['first', 'second'] as const) {
    const side = sides[name];
    if (claimed.length === 0 || side === null) continue;
    const { generation, filter } = side;
    const checkpoint = await loadCheckpoint(ports, generation);
    if (!checkpoint.ok) return checkpoint;
    // What another release folded cannot be said here.
    if (checkpoint.value.foldVersion !== currentFoldVersion) continue;
    const rows = await foldAgain(ports, filter, diff[name].next, claimed, watch);
    if (!rows.ok) return rows;
    for (const difference of claimed) {
      const made = rows.value.get(address(difference.model, difference.key)) ?? null;
      if (made !== difference[name]) damaged.add(difference);
    }
  }
  return ok({
    ...diff,
    differences: diff.differences.map((difference) =>
      damaged.has(difference) ? { ...difference, why: 'unexplained' } : difference,
    ),
  });
};

/** These rows, as the records below `to` make them that the filter takes. */
const foldAgain = async (
  ports: ReplayPorts,
  filter: RecordFilter | null,
  to: Position,
  keys: readonly RowKey[],
  watch: Watch,
): Promise<Result<ReadonlyMap<string, string>, ReplayProblem>> => {
  const scratch = await ports.scratch(to);
  if (!scratch.ok) return storeFailed(scratch.problem);
  const store = scratch.value;
  try {
    const folded = await ports.fold({ ...ports, store }, own, {
      ...{ to, filter, recordsMax: foldedAtOnceMax },
      checks: { aside: ports.store.aside, sampleShare, seed: to },
      ...watch,
    });
    if (!folded.ok) return folded;
    if (folded.value.state.next !== to)
      return refuse('log-shortened', `the log ends before ${to}, where the rows stand`);
    const rows = new Map<string, string>();
    for (let at = 0; at < keys.length; at += pageRows) {
      const page = await store.rows(own, keys.slice(at, at + pageRows));
      if (!page.ok) return storeFailed(page.problem);
      for (const [place, value] of page.value.rows) rows.set(place, value);
    }
    return ok(rows);
  } finally {
    await store.close();
  }
};
