import { createMemoryReadModelStore } from '../../adapters/memory/read-model-store.ts';
import { currentFoldVersion } from '../../core/projection.ts';
import { orderedModels } from '../../core/read-models.ts';
import { fail, ok } from '../../core/result.ts';
import { checkedAgainShare, foldToEnd } from '../../projector/catch-up.ts';
import type { CliPorts } from '../ports.ts';
import { foldFailed } from '../problem.ts';
import type { Composition } from './composition.ts';
import { openProjection } from './composition.ts';

/** Folds what lies before a position into memory; the store in use is only asked what its checks came to. */
export const atHandBeforeOn =
  (composition: Composition): CliPorts['atHandBefore'] =>
  async (position, onProgress) => {
    const projection = await openProjection(composition);
    if (!projection.ok) return projection;
    const { log, store: used } = projection.value;
    const store = createMemoryReadModelStore({ orderedModels });
    const folded = await foldToEnd({ ...projection.value, store }, 'g1', {
      to: position,
      checks: { aside: used.aside, sampleShare: checkedAgainShare, seed: currentFoldVersion },
      onProgress,
    });
    if (!folded.ok) return fail(foldFailed(folded.problem));
    const { generation, state } = folded.value;
    return ok({ log, store, generation, state });
  };
