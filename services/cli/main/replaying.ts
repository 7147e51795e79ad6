import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryReadModelStore } from '../../adapters/memory/read-model-store.ts';
import { orderedModels } from '../../core/read-models.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ReadModelStore, StoreProblem } from '../../ports/read-model-store.ts';
import type { Replaying } from '../../ports/replaying.ts';
import { foldToEnd } from '../../projector/catch-up.ts';
import { generationNotes } from '../../projector/generation-notes.ts';
import { openReplay } from '../../replay/replay.ts';
import type { CliProblem } from '../problem.ts';
import type { Composition } from './composition.ts';
import { openProjection } from './composition.ts';

/** The read models of more records than this are tried out in a file, not in memory. */
const inMemoryRecordsMax = 100_000;

export const replayOn = async (
  composition: Composition,
): Promise<Result<Replaying, CliProblem>> => {
  const projection = await openProjection(composition);
  if (!projection.ok) return projection;
  const { clock } = composition.foundation;
  return ok(
    openReplay({
      ...projection.value,
      clock,
      fold: foldToEnd,
      notes: generationNotes,
      scratch: scratchStores(clock),
    }),
  );
};

/** Empty stores for folds that are tried or compared: in memory, or, for many records, in a file. */
export const scratchStores =
  (clock: Clock) =>
  async (records: number): Promise<Result<ReadModelStore, StoreProblem>> =>
    records <= inMemoryRecordsMax
      ? ok(createMemoryReadModelStore({ orderedModels }))
      : scratchFile(clock);

/** A store in a file of its own, which is removed when it is closed. */
const scratchFile = async ({ sleep }: Clock): Promise<Result<ReadModelStore, StoreProblem>> => {
  const folder = await mkdtemp(join(tmpdir(), 'plimsoll-replay-'));
  // Most commands never need it, and one that goes through a gateway loads no database.
  const [{ openSqliteFile }, { openSqliteReadModelStore }] = await Promise.all([
    import('../../adapters/sqlite/file.ts'),
    import('../../adapters/sqlite/read-model-store.ts'),
  ]);
  const file = await openSqliteFile(join(folder, 'tried.db'), { create: true, sleep });
  if (!file.ok) {
    await rm(folder, { recursive: true, force: true });
    return fail({ code: 'unreachable', message: file.problem.message });
  }
  const store = openSqliteReadModelStore(file.value, { audience: 'tried', orderedModels });
  return ok({
    ...store,
    close: async () => {
      await store.close();
      file.value.close();
      await rm(folder, { recursive: true, force: true });
    },
  });
};
