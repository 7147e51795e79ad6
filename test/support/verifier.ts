import { orderedModels } from '../../services/core/read-models.ts';
import { createMemoryReadModelStore } from '../../services/adapters/memory/read-model-store.ts';
import { ok } from '../../services/core/result.ts';
import type { ReadModelStore, RowWrite } from '../../services/ports/read-model-store.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import type { Verification, Verifier } from '../../services/ports/verifying.ts';
import { foldToEnd } from '../../services/projector/catch-up.ts';
import { openVerifier } from '../../services/replay/verify.ts';
import { openedAtMs, tools } from './given.ts';
import { value } from './records.ts';

// Read models in which a test plants what the log never said, and whoever must find it.

export const generation = 'g1';

/** A verifier of that generation, with its own fold in memory. */
export const verifierOf = async (
  log: RecordLog,
  store: ReadModelStore,
  audience: string,
  isFull = true,
): Promise<Verifier> =>
  value(
    await openVerifier({
      ...{ log, store, tools, audience, pinnedLogId: null },
      clock: { nowMs: () => openedAtMs },
      fold: foldToEnd,
      scratch: async () => ok(createMemoryReadModelStore({ orderedModels })),
    })(generation, { isFull }),
  );

export const quiet: Parameters<Verifier['verify']>[0] = {
  onProgress: () => undefined,
  isWanted: () => true,
};

export const verified = async (
  log: RecordLog,
  store: ReadModelStore,
  audience: string,
  isFull = true,
): Promise<Verification> => {
  const verifier = await verifierOf(log, store, audience, isFull);
  const verification = value(await verifier.verify(quiet));
  await verifier.close();
  return verification;
};

/** What was found, in words: `changed timeline 000000000004 (4)`. */
export const found = ({ divergences, digest, isCut }: Verification): readonly string[] => [
  ...divergences.map(
    ({ why, model, key, position }) => `${why} ${model} ${key} (${position ?? 'no position'})`,
  ),
  ...(digest.isEqual ? [] : ['digest']),
  ...(isCut ? ['cut'] : []),
];

/** Writes rows as no fold did: the checkpoint stays, and its digest does not hear of them. */
export const plant = async (
  store: ReadModelStore,
  writes: readonly RowWrite[],
  rowsDigest?: string,
): Promise<void> => {
  const from = value(await store.checkpoint(generation));
  if (from === undefined) throw new Error('there is no generation to plant in');
  const to = { ...from, ...(rowsDigest === undefined ? {} : { rowsDigest }) };
  const done = value(await store.commit(generation, { from, to, writes }));
  if (done !== 'committed') throw new Error('it was not planted');
};
