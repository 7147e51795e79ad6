import { currentFoldVersion } from '../../core/projection.ts';
import { fail, ok } from '../../core/result.ts';
import { checkedAgainShare, foldToEnd } from '../../projector/catch-up.ts';
import type { CliPorts } from '../ports.ts';
import { foldFailed } from '../problem.ts';
import type { Composition } from './composition.ts';
import { openProjection } from './composition.ts';
import { scratchStores } from './replaying.ts';

/**
 * Folds what lies before a position into a store of its own, in memory or, for many records, in a file that goes when
 * it is closed; the store in use is only asked what its checks came to.
 */
export const atHandBeforeOn =
  (
    composition: Composition,
    scratch: ReturnType<typeof scratchStores> = scratchStores(composition.foundation.clock),
  ): CliPorts['atHandBefore'] =>
  async (position, onProgress) => {
    const projection = await openProjection(composition);
    if (!projection.ok) return projection;
    const { log, store: used } = projection.value;
    const scratched = await scratch(position);
    if (!scratched.ok) return fail(foldFailed(scratched.problem));
    const store = scratched.value;
    const folded = await foldToEnd({ ...projection.value, store }, 'g1', {
      to: position,
      checks: { aside: used.aside, sampleShare: checkedAgainShare, seed: currentFoldVersion },
      onProgress,
      isWanted: () => !composition.stop.aborted,
    });
    if (!folded.ok) {
      await store.close();
      return fail(foldFailed(folded.problem));
    }
    const { generation, state } = folded.value;
    return ok({ log, store, generation, state });
  };
