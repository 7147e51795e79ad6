import { address } from '../core/projection.ts';
import { filterOf } from '../core/generation-note.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import { compareUtf8 } from '../core/utf8-order.ts';
import type { Checkpoint, Generation, ReadModelStore, RowKey } from '../ports/read-model-store.ts';
import type {
  ComparedGeneration,
  GenerationDiff,
  ReplayProblem,
  RowDifference,
  Watch,
} from '../ports/replaying.ts';
import type { Explained } from './explain.ts';
import { explainLeftOut } from './explain.ts';
import { currentOf, loadCheckpoint, refuse, storeFailed } from './generations.ts';
import type { ReplayPorts } from './ports.ts';
import { differingParts, newestPosition } from './row-positions.ts';

/** Differences that are kept one by one; more are counted. */
const differencesKeptMax = 10_000;
const pageRows = 500;
const partsMax = 5;
/** How often rows that differ are looked at again while a projector goes on. */
const roundsMax = 3;

/** One side of a comparison: a generation, in whichever store it lies. */
export type Side = {
  readonly store: ReadModelStore;
  readonly generation: Generation;
  readonly isFiltered: boolean;
};

/** Brings both to the same position, as far as that can be, and compares them row by row. */
export const diffGenerations = async (
  ports: ReplayPorts,
  firstName: Generation,
  secondName: Generation | null,
  watch: Watch,
): Promise<Result<GenerationDiff, ReplayProblem>> => {
  const current = secondName === null ? await currentOf(ports) : ok(secondName);
  if (!current.ok) return current;
  if (current.value === undefined)
    return refuse('generation-unknown', 'readers use no generation yet');
  const first = await sideOf(ports, firstName);
  if (!first.ok) return first;
  const second = await sideOf(ports, current.value);
  if (!second.ok) return second;
  const level = (): Promise<Result<void, ReplayProblem>> =>
    bringLevel(ports, [firstName, second.value.generation], watch);
  const compared = await compare(first.value, second.value, level, watch);
  if (!compared.ok) return compared;
  const sides = { first: first.value, second: second.value };
  return explainLeftOut(ports, compared.value, sides, watch);
};

const sideOf = async (
  ports: ReplayPorts,
  generation: Generation,
): Promise<Result<Side & Explained, ReplayProblem>> => {
  const note = await ports.notes.load(ports.store, generation);
  if (!note.ok) return note;
  const filter = filterOf(note.value);
  return ok({ store: ports.store, generation, filter, isFiltered: filter !== null });
};

/** Folds the one that is behind up to where the other stands. One of another fold stays where it is. */
const bringLevel = async (
  ports: ReplayPorts,
  generations: readonly Generation[],
  watch: Watch,
): Promise<Result<void, ReplayProblem>> => {
  const stands: (Checkpoint & { readonly generation: Generation })[] = [];
  for (const generation of generations) {
    const checkpoint = await loadCheckpoint(ports, generation);
    if (!checkpoint.ok) return checkpoint;
    stands.push({ ...checkpoint.value, generation });
  }
  const [behind, ahead] = stands.toSorted((one, other) => one.next - other.next);
  if (behind === undefined || ahead === undefined || behind.next === ahead.next)
    return ok(undefined);
  const note = await ports.notes.load(ports.store, behind.generation);
  if (!note.ok) return note;
  // It was asked to stop there.
  if (note.value !== undefined && note.value.to !== null) return ok(undefined);
  const folded = await ports.fold(ports, behind.generation, { to: ahead.next, ...watch });
  return folded.ok || folded.problem.code === 'old-code' ? ok(undefined) : folded;
};

/**
 * Compares two generations, wherever they lie. Rows that differ are looked at again after both were brought level
 * once more, for a projector may go on meanwhile; what then differs by a newer record alone is called `behind`.
 */
export const compare = async (
  first: Side,
  second: Side,
  level: () => Promise<Result<void, ReplayProblem>>,
  watch: Watch,
): Promise<Result<GenerationDiff, ReplayProblem>> => {
  const levelled = await level();
  if (!levelled.ok) return levelled;
  const suspects = await findSuspects(first, second, watch);
  if (!suspects.ok) return suspects;
  let differing: readonly RowKey[] = [...suspects.value.values()];
  let found: Looked | undefined;
  for (let round = 0; round < roundsMax; round += 1) {
    const looked = await lookAgain(first, second, differing);
    if (!looked.ok) return looked;
    found = looked.value;
    if (found.first.next === found.second.next && found.isStill) break;
    differing = found.keys;
    const again = await level();
    if (!again.ok) return again;
  }
  if (found === undefined) throw new TypeError('there is at least one round');
  return ok(summary(first, second, found));
};

/** Every row of the first beside that of the second, then those that only the second has. */
const findSuspects = async (
  first: Side,
  second: Side,
  { isWanted }: Watch,
): Promise<Result<ReadonlyMap<string, RowKey>, ReplayProblem>> => {
  const suspects = new Map<string, RowKey>();
  for (const [walked, other] of [
    [first, second],
    [second, first],
  ] as const) {
    let cursor: string | undefined;
    do {
      if (isWanted?.() === false) return refuse('stopped', 'nobody waits for the comparison');
      const page = await walked.store.walk(walked.generation, cursor, pageRows);
      if (!page.ok) return storeFailed(page.problem);
      ({ cursor } = page.value);
      const beside = await other.store.rows(other.generation, page.value.rows);
      if (!beside.ok) return storeFailed(beside.problem);
      for (const { model, key, value } of page.value.rows) {
        const at = address(model, key);
        if (beside.value.rows.get(at) !== value) suspects.set(at, { model, key });
      }
    } while (cursor !== undefined);
  }
  return ok(suspects);
};

type Differing = RowKey & {
  readonly one: string | undefined;
  readonly other: string | undefined;
};

type Counts = { added: number; removed: number; changed: number };

type Looked = {
  readonly first: Checkpoint;
  readonly second: Checkpoint;
  /** Neither moved while the rows were read. */
  readonly isStill: boolean;
  /** Of every row that differs; the rows themselves may be far too many to hold. */
  readonly keys: readonly RowKey[];
  readonly models: ReadonlyMap<string, Counts>;
  /** The first ones by address. */
  readonly kept: readonly Differing[];
};

const lookAgain = async (
  first: Side,
  second: Side,
  suspects: readonly RowKey[],
): Promise<Result<Looked, ReplayProblem>> => {
  const keys: RowKey[] = [];
  const models = new Map<string, Counts>();
  let kept: Differing[] = [];
  const [firstNexts, secondNexts] = [new Set<number>(), new Set<number>()];
  for (let from = 0; ; from += pageRows) {
    const page = suspects.slice(from, from + pageRows);
    const one = await readPage(first, page);
    if (!one.ok) return one;
    const other = await readPage(second, page);
    if (!other.ok) return other;
    firstNexts.add(one.value.checkpoint.next);
    secondNexts.add(other.value.checkpoint.next);
    for (const key of page) {
      const at = address(key.model, key.key);
      const row = { ...key, one: one.value.rows.get(at), other: other.value.rows.get(at) };
      if (row.one === row.other) continue;
      keys.push(key);
      count(models, row);
      kept.push(row);
    }
    if (kept.length >= 2 * differencesKeptMax) kept = firstOf(kept);
    if (from + pageRows >= suspects.length)
      return ok({
        first: one.value.checkpoint,
        second: other.value.checkpoint,
        isStill: firstNexts.size === 1 && secondNexts.size === 1,
        ...{ keys, models, kept: firstOf(kept) },
      });
  }
};

const firstOf = (rows: readonly Differing[]): Differing[] =>
  rows
    .toSorted((one, other) =>
      compareUtf8(address(one.model, one.key), address(other.model, other.key)),
    )
    .slice(0, differencesKeptMax);

const count = (models: Map<string, Counts>, { model, one, other }: Differing): void => {
  const counts = models.get(model) ?? { added: 0, removed: 0, changed: 0 };
  models.set(model, counts);
  if (one === undefined) counts.added += 1;
  else if (other === undefined) counts.removed += 1;
  else counts.changed += 1;
};

const readPage = async (
  { store, generation }: Side,
  keys: readonly RowKey[],
): Promise<
  Result<
    { readonly checkpoint: Checkpoint; readonly rows: ReadonlyMap<string, string> },
    ReplayProblem
  >
> => {
  const page = await store.rows(generation, keys);
  if (!page.ok) return storeFailed(page.problem);
  const { checkpoint, rows } = page.value;
  return checkpoint === undefined
    ? refuse('generation-unknown', `there is no generation ${generation}`)
    : ok({ checkpoint, rows });
};

const summary = (first: Side, second: Side, looked: Looked): GenerationDiff => ({
  first: comparedOf(first, looked.first),
  second: comparedOf(second, looked.second),
  models: [...looked.models]
    .map(([model, counts]) => ({ model, ...counts }))
    .toSorted((one, other) => compareUtf8(one.model, other.model)),
  differences: looked.kept.map((row) => differenceOf(first, second, looked, row)),
  isCut: looked.keys.length > looked.kept.length,
});

const comparedOf = (
  { generation }: Side,
  { next, rowsDigest }: Checkpoint,
): ComparedGeneration => ({ generation, next, rowsDigest });

const differenceOf = (
  first: Side,
  second: Side,
  looked: Looked,
  { model, key, one, other }: Differing,
): RowDifference => {
  const nextMax = Math.max(looked.first.next, looked.second.next);
  const newest = (value: string | undefined): number | null =>
    value === undefined ? null : newestPosition(model, value, nextMax);
  const [firstPosition, secondPosition] = [newest(one), newest(other)];
  const why = (): RowDifference['why'] => {
    // Also rows that tell of no newer record: one may have lost parts, or be gone, by then.
    if (looked.first.next !== looked.second.next) return 'behind';
    if (first.isFiltered || second.isFiltered) return 'left-out';
    return looked.first.foldVersion === looked.second.foldVersion ? 'unexplained' : 'other-fold';
  };
  return {
    model,
    key,
    first: one ?? null,
    second: other ?? null,
    firstPosition,
    secondPosition,
    parts:
      one === undefined || other === undefined ? [] : differingParts(model, one, other, partsMax),
    why: why(),
  };
};
