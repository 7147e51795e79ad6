import { errorsOnlyCores, errorsOnlyStandard } from './errors-only.ts';
import { familyCores, familyPresets } from './family.ts';
import type { JudgePlug } from './judge-plug.ts';
import { kayentas } from './kayenta/judge.ts';

/** Every judge that is calibrated. */
export const judges: readonly JudgePlug[] = [
  ...familyPresets,
  ...familyCores,
  errorsOnlyStandard,
  ...errorsOnlyCores,
  ...kayentas,
];
