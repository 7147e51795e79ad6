import type { AnalysisOpened } from '../../../services/core/samples/sample.ts';
import { checkSample } from '../../../services/core/samples/wire.ts';
import type { AnalyserHouse } from '../analyser-house.ts';
import { keyOf, tools } from '../given.ts';
import { keyState } from '../key-state.ts';
import { audience } from '../markers.ts';
import { recordsOf } from './undisturbed.ts';

/** The openings that the house's analyser has signed, partition by partition. */
export const openingsIn = async (house: AnalyserHouse): Promise<readonly AnalysisOpened[]> => {
  const signer = keyOf('analyser');
  const keys = new Map([[signer.keyId, keyState(signer)]]);
  const found: AnalysisOpened[] = [];
  for (let partition = 0; partition < house.samples.partitions; partition += 1)
    for (const record of await recordsOf(house.samples, partition)) {
      const sample = checkSample(tools, audience, keys, record);
      if (sample.ok && sample.value.kind === 'analysis-opened') found.push(sample.value);
    }
  return found;
};
